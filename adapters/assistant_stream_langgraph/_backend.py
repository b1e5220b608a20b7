"""The endpoints of `create_app`."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from assistant_stream_ce import (
    AssistantStreamResponse,
    AssistantTransportResponse,
    DataStreamResponse,
    RequestError,
    RunController,
    create_run,
)
from assistant_stream_ce.server import (
    AssistantTransportRequest,
    check_thread_id,
    parse_transport_request,
    read_json_body,
)
from assistant_stream_ce.typing import ChunkStream

from ._errors import error_response, json_response, report_failure
from ._history import snapshot_events, thread_history
from ._turn import Turn, plan_turn
from .threads import Graph, ThreadGate, thread_exists
from .translate import from_langgraph_events, stream_graph

__all__ = ("AssistantEndpoint", "Backend", "ConfigHook", "ContextHook", "ThreadCall")

THREAD_ID_HEADER = "x-thread-id"

PROTOCOLS: dict[str, Callable[..., AssistantStreamResponse]] = {
    "data-stream": DataStreamResponse,
    "assistant-transport": AssistantTransportResponse,
}


@dataclass(frozen=True, slots=True)
class ThreadCall:
    """What a hook learns about a request."""

    request: Request
    thread_id: str
    body: AssistantTransportRequest | None
    """What the client asks; `None` when it only reads the thread."""


ConfigHook: TypeAlias = Callable[[ThreadCall], RunnableConfig | Awaitable[RunnableConfig]]
"""Makes the config of a request; may refuse it with a `RequestError`."""

ContextHook: TypeAlias = Callable[[ThreadCall], Any]
"""Makes the graph's runtime context, of whatever type its `context_schema` is; may be async."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A graph and the way it is served."""

    graph: Graph
    gate: ThreadGate
    config: RunnableConfig | ConfigHook | None
    context: ContextHook | None
    state: bool | Collection[str]
    max_body_bytes: int
    debug: bool

    async def respond(self, request: Request, stack: AsyncExitStack) -> Response:
        """Return the streamed answer to an assistant-transport request.

        The thread is held until `stack` is closed.

        Raises:
            RequestError: The request cannot be used.
        """
        name = request.query_params.get("protocol", "data-stream")
        protocol = PROTOCOLS.get(name)
        if protocol is None:
            raise RequestError(f"Unknown protocol {name!r}; known are {', '.join(PROTOCOLS)}.")
        body = parse_transport_request(await read_json_body(request, max_bytes=self.max_body_bytes))
        call = ThreadCall(request, body.thread_id or str(uuid4()), body)
        await stack.enter_async_context(self.gate.enter(call.thread_id))
        turn = await plan_turn(self.graph, await self._config(call), body)
        context = None if self.context is None else await _awaited(self.context(call))
        stream = self._run(turn, context, call, body)
        return protocol(stream, headers={THREAD_ID_HEADER: call.thread_id})

    async def thread_state(self, request: Request) -> Response:
        """Answer `GET /threads/{thread_id}/state`."""
        thread_id = check_thread_id(request.path_params["thread_id"])
        config = await self._config(ThreadCall(request, thread_id, None))
        snapshot = await self.graph.aget_state(config)
        if not thread_exists(snapshot):
            raise RequestError(f"There is no thread {thread_id!r}.", status_code=404)
        return json_response(await thread_history(thread_id, snapshot, self.state))

    def _run(
        self, turn: Turn, context: Any, call: ThreadCall, body: AssistantTransportRequest
    ) -> ChunkStream:
        async def run(controller: RunController) -> None:
            try:
                await controller.forward(await self._chunks(turn, context, body))
            except Exception as error:  # the graph's own: it may be anything
                what = f"A run on thread {call.thread_id!r}"
                controller.add_error(report_failure(error, what, debug=self.debug))

        # Without grace: nothing here looks at `is_cancelled`, and the next request waits.
        return create_run(run, state=body.state, cancel_grace=0)

    async def _chunks(
        self, turn: Turn, context: Any, body: AssistantTransportRequest
    ) -> ChunkStream:
        shown = dict(body.state) if body.state is not None else None
        if turn.input is None:
            snapshot = await self.graph.aget_state(turn.config)
            events = snapshot_events(snapshot)
            return from_langgraph_events(events, parts=False, state=self.state, initial_state=shown)
        return stream_graph(
            self.graph,
            turn.input,
            turn.config,
            context=context,
            parts=False,
            state=self.state,
            initial_state=shown,
        )

    async def _config(self, call: ThreadCall) -> RunnableConfig:
        given = self.config
        made = await _awaited(given(call)) if callable(given) else given
        config: RunnableConfig = made.copy() if made is not None else {}
        config["configurable"] = {**config.get("configurable", {}), "thread_id": call.thread_id}
        return config


class AssistantEndpoint:
    """`POST /assistant` as an ASGI app, because it holds the thread until the last byte."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            try:
                response = await self._backend.respond(Request(scope, receive), stack)
            except RequestError as error:
                response = error_response(str(error), error.status_code)
            except ClientDisconnect:
                return
            await response(scope, receive, send)


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
