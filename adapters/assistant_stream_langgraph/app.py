"""`create_app`: a whole assistant-ui backend around a graph."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial

from langchain_core.runnables import RunnableConfig
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant_stream_ce import RequestError
from assistant_stream_ce.resumable import ResumableStreamStore
from assistant_stream_ce.server import DEFAULT_LIMITS, MAX_BODY_BYTES, RequestLimits

from ._access import AuthorizeHook, ConfigHook, ContextHook, ThreadCall
from ._backend import Backend, Endpoint
from ._endpoint_ag_ui import respond_to_ag_ui
from ._endpoint_chat import respond_to_chat, resume_chat
from ._endpoint_openai import OpenAIEndpoint, openai_models, respond_to_openai
from ._errors import FailureGuard, json_response, on_http_exception, on_request_error
from ._graph_source import Checkpointer, GraphFactory
from ._openapi import openapi_endpoint
from ._playground import create_page
from ._runs import OnDisconnect, RunRegistry
from ._setup import BODY_TIMEOUT, BUSY_PATIENCE, MAX_RUN_TIME, MAX_RUNS, create_backend
from ._thread_endpoints import ThreadEndpoints
from .threads import Graph

__all__ = (
    "AuthorizeHook",
    "ConfigHook",
    "ContextHook",
    "GraphFactory",
    "ThreadCall",
    "create_app",
)

EXPOSED_HEADERS = (
    "x-thread-id",
    "x-vercel-ai-data-stream",
    "x-vercel-ai-ui-message-stream",
    "x-resumable-stream-id",
    "Aui-Replay-Content-Length",
)
"""What the clients read from a response of another origin."""


def create_app(
    graph: Graph | GraphFactory,
    *,
    checkpointer: Checkpointer | None = None,
    authorize: AuthorizeHook | None = None,
    config: RunnableConfig | ConfigHook | None = None,
    context: ContextHook | None = None,
    state: bool | Collection[str] = True,
    playground: bool = False,
    cors_origins: Sequence[str] = (),
    max_body_bytes: int = MAX_BODY_BYTES,
    body_timeout: float = BODY_TIMEOUT,
    limits: RequestLimits = DEFAULT_LIMITS,
    max_runs: int | None = MAX_RUNS,
    max_run_time: float | None = MAX_RUN_TIME,
    busy_patience: float = BUSY_PATIENCE,
    on_disconnect: OnDisconnect = "continue",
    store: ResumableStreamStore | None = None,
    debug: bool = False,
) -> Starlette:
    """Return an ASGI app that serves `graph` to assistant-ui, AI SDK, AG-UI and OpenAI clients.

    ```python
    app = create_app(graph)  # or, in FastAPI: api.mount("/agent", create_app(graph))
    ```

    - `POST /assistant` takes the requests of `useAssistantTransportRuntime` and streams the
      graph's state, messages included, token by token. `?protocol=assistant-transport` selects
      that wire; the client's default is the data stream. The id of the thread is in the response
      header `x-thread-id`.
    - `POST /chat` is for `useDataStreamRuntime` and the AI SDK, whichever the request's shape
      says, or `?protocol=data-stream` and `ai-sdk`; `GET /chat/{id}/stream` reads a run again.
    - `POST /agui` is for AG-UI's clients, `POST /v1/chat/completions` for OpenAI's.
    - `GET /openapi.json` describes all endpoints.
    - `GET /threads/{id}/state` has what the thread holds, for a page that is loaded again, and
      `GET /threads/{id}/messages` has it as messages. `GET /threads` lists the threads, newest
      first; `DELETE /threads/{id}` forgets one.
    - `POST /resume-state` and `POST /resume` give a page that was loaded again the run that goes
      on, from its start. `POST /threads/{id}/cancel` stops it.
    - `GET /health` says that the server is up, `GET /` is a chat page when `playground` is on.

    One run at a time is let into a thread, within this process. It goes on when its client goes
    away, until the next request on the thread. A run that is stopped leaves a thread that works:
    results of finished tools and the message as far as it had come are kept, the message with the
    finish reason `cancelled`.

    Args:
        graph: A compiled graph whose state has a `messages` channel, or a function that makes one
            for a request from its config: `(config) -> graph`, async or not.
        checkpointer: Where threads are kept. By default the graph's own; a graph that has none
            gets one in memory.
        authorize: Decides about every request: `(call) -> bool | str`, async or not. A text is the
            user that the threads belong to; another user's threads are not there for it. By
            default whoever knows a thread's id may use it.
        config: The config of every run, or a function that makes one for a request, for example
            with the user's id. It may be async, and refuse the request with a `RequestError`.
        context: A function that makes the graph's runtime context for a request.
        state: The state keys that the client sees: all, none, or those named. `messages` always.
        playground: Whether to serve the chat page.
        cors_origins: The origins whose pages may use the app. None by default.
        max_body_bytes: The largest request body.
        body_timeout: Seconds that a client has to send its body.
        limits: How much a request may hold: messages, parts, characters of a text or a file.
        max_runs: The most runs at a time, in this process; the next one is refused with 503.
            `None` for no limit.
        max_run_time: Seconds after which a run is stopped, and the client told; `None` for no
            limit.
        busy_patience: Seconds that a request waits for another run on its thread before it is
            refused with 409; 0 refuses it at once. A run that nobody reads any more is stopped for
            it.
        on_disconnect: What becomes of a run when the last client that reads it has gone: it goes
            on, or is cancelled. Stop buttons of stock clients do no more than go away.
        store: Where the answers of runs are kept for those who come back while they go on; by
            default the memory of this process.
        debug: Whether the client sees the text of exceptions. By default it gets a neutral
            sentence and an id; the log has the id and the traceback.

    Raises:
        GraphError: `graph` is not a compiled graph, or has no `messages` channel.
    """
    backend = create_backend(
        graph,
        checkpointer=checkpointer,
        authorize=authorize,
        config=config,
        context=context,
        state=state,
        max_body_bytes=max_body_bytes,
        body_timeout=body_timeout,
        limits=limits,
        max_runs=max_runs,
        max_run_time=max_run_time,
        busy_patience=busy_patience,
        on_disconnect=on_disconnect,
        store=store,
        debug=debug,
    )
    threads = ThreadEndpoints(backend)
    routes = [
        Route("/assistant", Endpoint(backend.respond), methods=["POST"]),
        Route("/resume-state", Endpoint(threads.resume_state), methods=["POST"]),
        Route("/resume", Endpoint(threads.resume), methods=["POST"]),
        Route("/threads", threads.list, methods=["GET"]),
        Route("/threads/{thread_id}", threads.delete, methods=["DELETE"]),
        Route("/threads/{thread_id}/state", threads.state, methods=["GET"]),
        Route("/threads/{thread_id}/messages", threads.messages, methods=["GET"]),
        Route("/threads/{thread_id}/cancel", threads.cancel, methods=["POST"]),
        Route("/chat", Endpoint(partial(respond_to_chat, backend)), methods=["POST"]),
        Route("/chat/{thread_id}/stream", Endpoint(partial(resume_chat, backend)), methods=["GET"]),
        Route("/agui", Endpoint(partial(respond_to_ag_ui, backend)), methods=["POST"]),
        *_openai_routes(backend),
        Route("/openapi.json", openapi_endpoint, methods=["GET"]),
        Route("/health", _health, methods=["GET"]),
    ]
    if playground:
        routes.append(Route("/{path:path}", create_page(), methods=["GET"]))
    middleware = [Middleware(FailureGuard, debug=debug)]
    if cors_origins:
        middleware.insert(0, _cors(cors_origins))
    return Starlette(
        routes=routes,
        middleware=middleware,
        exception_handlers={RequestError: on_request_error, HTTPException: on_http_exception},
        lifespan=lambda _: _lifespan(backend.runs),
    )


@asynccontextmanager
async def _lifespan(runs: RunRegistry) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await runs.aclose()


def _openai_routes(backend: Backend) -> list[Route]:
    chat = OpenAIEndpoint(partial(respond_to_openai, backend), debug=backend.debug)
    models = OpenAIEndpoint(partial(openai_models, backend), debug=backend.debug)
    return [
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/models", models, methods=["GET"]),
    ]


def _cors(origins: Sequence[str]) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["DELETE", "GET", "POST"],
        allow_headers=["*"],
        expose_headers=list(EXPOSED_HEADERS),
    )


async def _health(request: Request) -> Response:
    return json_response({"status": "ok"})
