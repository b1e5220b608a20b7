"""The endpoints of `create_app`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import is_invalid_resume
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from assistant_stream_ce import RequestError, RunController
from assistant_stream_ce.errors import ENDS_THE_PROGRAM
from assistant_stream_ce.serialization import (
    AssistantTransportEncoder,
    DataStreamEncoder,
    StreamEncoder,
)
from assistant_stream_ce.server import (
    RequestLimits,
    check_thread_id,
    parse_transport_request,
    read_json_body,
)
from assistant_stream_ce.typing import JSONValue, RunCallback

from ._access import AuthorizeHook, ConfigHook, ContextHook, ThreadCall, awaited, find_owner
from ._active_run import Wire
from ._errors import error_response, http_error_response, report_failure, with_end
from ._graph_run import GraphRun
from ._graph_source import GraphSource
from ._runs import RunRegistry
from ._translator import GraphTranslator
from ._turn import plan_turn
from ._turn_request import TurnRequest, from_transport_request
from .frontend_tools import with_frontend_tools
from .threads import Graph, fleeting_channels, goes_on, untracked_channels

__all__ = ("Backend", "Endpoint", "Wire", "assistant_wire")

UNFIT_ANSWER = "The answer does not have the form that was asked for. The question still waits."

THREAD_ID_HEADER = "x-thread-id"

ENCODERS: dict[str, Callable[[], StreamEncoder]] = {
    "data-stream": DataStreamEncoder,
    "assistant-transport": AssistantTransportEncoder,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A graph and the way it is served."""

    graph: GraphSource
    runs: RunRegistry
    authorize: AuthorizeHook | None
    config: RunnableConfig | ConfigHook | None
    context: ContextHook | None
    state: bool | Collection[str]
    max_body_bytes: int
    body_timeout: float
    limits: RequestLimits
    debug: bool

    async def read_body(self, request: Request) -> JSONValue:
        """Return the parsed body of a request.

        Raises:
            RequestError: It cannot be used.
        """
        return await read_json_body(
            request, max_bytes=self.max_body_bytes, time_limit=self.body_timeout
        )

    def thread_id(self, request: Request, in_body: str | None) -> str:
        """Return the id of the thread that a request names, in a header or else in its body; a
        new one when it names none.

        Raises:
            RequestError: The header can name no thread.
        """
        in_header = request.headers.get(THREAD_ID_HEADER)
        if in_header is not None:
            return check_thread_id(in_header, THREAD_ID_HEADER)
        return in_body or str(uuid4())

    @property
    def state_beside_parts(self) -> bool | Collection[str]:
        """The state keys for a client that gets the messages as parts."""
        if self.state is True or self.state is False:
            return self.state
        return tuple(key for key in self.state if key != "messages") or False

    async def respond(self, request: Request) -> Response:
        """Return the streamed answer to an assistant-transport request.

        Raises:
            RequestError: The request cannot be used.
        """
        name, encoder = assistant_wire(request)
        body = parse_transport_request(await self.read_body(request), limits=self.limits)
        call = ThreadCall(request, self.thread_id(request, body.thread_id), body)
        wire = Wire(name, encoder, parts=False, shown=body.state)
        return await self.run(call, from_transport_request(body), wire)

    async def run(self, call: ThreadCall, request: TurnRequest, wire: Wire) -> Response:
        """Run a turn of a thread and return the response that streams it.

        The one way into a graph, for the endpoints of all clients: hooks, the thread's turn,
        refusals, the report of failures and the end of the run are here. The response has the
        thread's id in the header `x-thread-id`, and has to be called.

        Raises:
            RequestError: The request cannot be used, or does not fit the thread (409).
        """
        call = await self.admit(call)
        graph, config = await self.open_thread(call)
        if request.conversation:
            graph = graph.copy({"checkpointer": InMemorySaver()})
        config = with_frontend_tools(config, request.tools)
        context = None if self.context is None else await awaited(self.context(call))
        release = await self.runs.hold_for_run(call.stored_thread_id)
        try:
            turn = await plan_turn(graph, config, request)
            graph_run = GraphRun(
                graph, turn, config, self._translator(wire, graph, turn.input), context
            )
            work = self._work(graph_run, call)
            run = await self.runs.start(call.stored_thread_id, wire, work, release)
        except BaseException:
            release()
            raise
        # The id of a thread that is not kept would lead to nothing.
        thread = {} if request.conversation else {THREAD_ID_HEADER: call.thread_id}
        return await self.runs.respond(run, {**wire.headers, **thread})

    async def resume(
        self, call: ThreadCall, wire_name: str, run_id: str | None = None
    ) -> Response | None:
        """Return the response that reads a run of the thread from its start.

        `None` when none goes on, or the client cannot read it: it came in over another wire.

        Args:
            call: The request.
            wire_name: The name of the wire that the client reads.
            run_id: The run, which may have ended a moment ago; by default the one that goes on.

        Raises:
            RequestError: The hooks refuse the request.
        """
        call = await self.admit(call)
        run = self.runs.follow(call.stored_thread_id, wire_name, run_id)
        if run is None:
            return None
        headers = {**run.wire.headers, THREAD_ID_HEADER: call.thread_id}
        return await self.runs.respond(run, headers, replay=True)

    async def admit(self, call: ThreadCall) -> ThreadCall:
        """Return `call` with its owner.

        Raises:
            RequestError: The request is refused.
        """
        return replace(call, owner=await find_owner(self.authorize, call))

    async def open_thread(self, call: ThreadCall) -> tuple[Graph, RunnableConfig]:
        """Return the graph and the config for a thread that `call` has been admitted to."""
        given = self.config
        made = await awaited(given(call)) if callable(given) else given
        config: RunnableConfig = made.copy() if made is not None else {}
        thread = {"thread_id": call.stored_thread_id}
        config["configurable"] = {**config.get("configurable", {}), **thread}
        return await self.graph.open(config), config

    def _translator(self, wire: Wire, graph: Graph, given: object) -> GraphTranslator:
        return GraphTranslator(
            parts=wire.parts,
            state=self.state if wire.state is None else wire.state,
            initial_state=dict(wire.shown) if wire.shown is not None else None,
            earlier_results=wire.earlier_results,
            left_out=untracked_channels(graph),
            fleeting=fleeting_channels(graph),
            resumes=goes_on(given),
        )

    def _work(self, graph_run: GraphRun, call: ThreadCall) -> RunCallback:
        async def work(controller: RunController) -> None:
            try:
                await graph_run(controller)
            except (asyncio.CancelledError, *ENDS_THE_PROGRAM):
                raise
            except BaseException as error:  # some extensions raise their panics as this
                if is_invalid_resume(error):
                    controller.add_error(UNFIT_ANSWER)
                    return
                what = f"A run on thread {call.thread_id!r}"
                controller.add_error(report_failure(error, what, debug=self.debug))

        return work


class Endpoint:
    """A streaming endpoint as an ASGI app, so that a client that goes away while it still sends
    its request is no failure.

    Args:
        respond: Returns the response to a request; may raise `RequestError`.
    """

    def __init__(self, respond: Callable[[Request], Awaitable[Response]]) -> None:
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(Request(scope, receive))
        except RequestError as error:
            response = with_end(error_response(str(error), error.status_code), scope)
        except HTTPException as error:  # the hooks' own
            response = http_error_response(error)
        except ClientDisconnect:
            return
        await response(scope, receive, send)


def assistant_wire(request: Request) -> tuple[str, StreamEncoder]:
    """Return the wire that an assistant-transport client asks for: its name and an encoder.

    Raises:
        RequestError: There is no such wire (400).
    """
    name = request.query_params.get("protocol", "data-stream")
    encoder = ENCODERS.get(name)
    if encoder is None:
        raise RequestError(f"Unknown protocol {name!r}; known are {', '.join(ENCODERS)}.")
    return f"assistant:{name}", encoder()
