"""The endpoints of `create_app`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from assistant_stream_ce import (
    AssistantStreamResponse,
    RequestError,
    RunController,
    create_run,
)
from assistant_stream_ce.serialization import (
    AssistantTransportEncoder,
    DataStreamEncoder,
    StreamEncoder,
)
from assistant_stream_ce.server import (
    check_thread_id,
    parse_transport_request,
    read_json_body,
)
from assistant_stream_ce.typing import ChunkStream, JSONValue

from ._access import AuthorizeHook, ConfigHook, ContextHook, ThreadCall, awaited, find_owner
from ._errors import error_response, json_response, report_failure
from ._graph_source import GraphSource
from ._history import snapshot_events, thread_history
from ._turn import Turn, plan_turn
from ._turn_request import TurnRequest, from_transport_request
from .frontend_tools import with_frontend_tools
from .threads import Graph, ThreadGate, thread_exists
from .translate import from_langgraph_events, stream_graph

__all__ = ("Backend", "Endpoint", "Wire")

THREAD_ID_HEADER = "x-thread-id"

ENCODERS: dict[str, Callable[[], StreamEncoder]] = {
    "data-stream": DataStreamEncoder,
    "assistant-transport": AssistantTransportEncoder,
}


@dataclass(frozen=True, slots=True)
class Wire:
    """How a run is told to the client that has asked for it."""

    encoder: StreamEncoder
    parts: bool = True
    """Whether the answer comes as parts, or as messages in the state."""
    shown: Mapping[str, JSONValue] | None = None
    """The state that the client shows already: operations are relative to it."""
    state: bool | Collection[str] | None = None
    """The state keys for this client, where they differ from the app's: a wire that carries parts
    only says `False`."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further response headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A graph and the way it is served."""

    graph: GraphSource
    gate: ThreadGate
    authorize: AuthorizeHook | None
    config: RunnableConfig | ConfigHook | None
    context: ContextHook | None
    state: bool | Collection[str]
    max_body_bytes: int
    debug: bool

    async def respond(self, request: Request) -> Response:
        """Return the streamed answer to an assistant-transport request.

        Raises:
            RequestError: The request cannot be used.
        """
        name = request.query_params.get("protocol", "data-stream")
        encoder = ENCODERS.get(name)
        if encoder is None:
            raise RequestError(f"Unknown protocol {name!r}; known are {', '.join(ENCODERS)}.")
        body = parse_transport_request(await read_json_body(request, max_bytes=self.max_body_bytes))
        call = ThreadCall(request, body.thread_id or str(uuid4()), body)
        wire = Wire(encoder(), parts=False, shown=body.state)
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
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.gate.enter(call.stored_thread_id))
            graph, config = await self.open_thread(call)
            config = with_frontend_tools(config, request.tools)
            turn = await plan_turn(graph, config, request)
            context = None if self.context is None else await awaited(self.context(call))
            stream = self._run(graph, turn, context, call, wire)
            headers = {**wire.headers, THREAD_ID_HEADER: call.thread_id}
            return _HoldingResponse(stream, wire.encoder, headers, stack.pop_all())
        raise AssertionError("unreachable")

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

    async def thread_state(self, request: Request) -> Response:
        """Answer `GET /threads/{thread_id}/state`."""
        thread_id = check_thread_id(request.path_params["thread_id"])
        graph, config = await self.open_thread(await self.admit(ThreadCall(request, thread_id)))
        snapshot = await graph.aget_state(config)
        if not thread_exists(snapshot):
            raise RequestError(f"There is no thread {thread_id!r}.", status_code=404)
        return json_response(await thread_history(thread_id, snapshot, self.state))

    def _run(
        self, graph: Graph, turn: Turn, context: Any, call: ThreadCall, wire: Wire
    ) -> ChunkStream:
        async def run(controller: RunController) -> None:
            try:
                await controller.forward(await self._chunks(graph, turn, context, wire))
            except Exception as error:  # the graph's own: it may be anything
                what = f"A run on thread {call.thread_id!r}"
                controller.add_error(report_failure(error, what, debug=self.debug))

        # Without grace: nothing here looks at `is_cancelled`, and the next request waits.
        return create_run(run, state=wire.shown, cancel_grace=0)

    async def _chunks(self, graph: Graph, turn: Turn, context: Any, wire: Wire) -> ChunkStream:
        shown = dict(wire.shown) if wire.shown is not None else None
        state = self.state if wire.state is None else wire.state
        if turn.input is None:
            snapshot = await graph.aget_state(turn.config)
            return from_langgraph_events(
                snapshot_events(snapshot), parts=wire.parts, state=state, initial_state=shown
            )
        return stream_graph(
            graph,
            turn.input,
            turn.config,
            context=context,
            parts=wire.parts,
            state=state,
            initial_state=shown,
        )


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
            response = error_response(str(error), error.status_code)
        except ClientDisconnect:
            return
        await response(scope, receive, send)


class _HoldingResponse(AssistantStreamResponse):
    """Holds the thread until the last byte."""

    def __init__(
        self,
        stream: ChunkStream,
        encoder: StreamEncoder,
        headers: Mapping[str, str],
        stack: AsyncExitStack,
    ) -> None:
        super().__init__(stream, encoder, headers=headers)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            await super().__call__(scope, receive, send)
