"""A server that answers whatever it is asked with one run, for front-end work without a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from assistant_stream_ce import (
    AGUIResponse,
    AssistantStreamResponse,
    AssistantTransportResponse,
    DataStreamResponse,
    OpenAIStreamResponse,
    UIMessageStreamResponse,
)
from assistant_stream_ce.typing import ChunkStream
from assistant_stream_langgraph._playground import create_page
from assistant_stream_langgraph.app import EXPOSED_HEADERS

__all__ = ("create_replay_app",)

Respond = Callable[[ChunkStream], AssistantStreamResponse]

WIRES: dict[str, Respond] = {
    "data-stream": DataStreamResponse,
    "assistant-transport": AssistantTransportResponse,
    "ui-message-stream": UIMessageStreamResponse,
    "ag-ui": AGUIResponse,
    "openai": OpenAIStreamResponse,
}
"""By the names of `?protocol=`."""

ROUTES = {
    "/assistant": "data-stream",
    "/chat": "ui-message-stream",
    "/agui": "ag-ui",
    "/v1/chat/completions": "openai",
}
"""The wire of each path, where `?protocol=` names none."""


def create_replay_app(
    play: Callable[[], ChunkStream], *, cors_origins: Sequence[str] = (), playground: bool = True
) -> Starlette:
    """Return the app.

    Args:
        play: Starts the run once more.
        cors_origins: The origins whose pages may use the app.
        playground: Whether to serve the chat page; it shows runs that tell their messages in the
            state, as those of `create_app` do.
    """

    def route(path: str, wire: str) -> Route:
        async def answer(request: Request) -> Response:
            name = request.query_params.get("protocol", wire)
            if name not in WIRES:
                known = ", ".join(WIRES)
                return JSONResponse({"error": f"Known protocols are {known}."}, status_code=400)
            return WIRES[name](play())

        return Route(path, answer, methods=["POST"])

    routes = [route(path, wire) for path, wire in ROUTES.items()]
    if playground:
        routes.append(Route("/{path:path}", create_page(), methods=["GET"]))
    else:
        routes.append(Route("/", _hint, methods=["GET"]))
    middleware: list[Middleware] = []
    if cors_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(cors_origins),
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
                expose_headers=list(EXPOSED_HEADERS),
            )
        )
    return Starlette(routes=routes, middleware=middleware)


async def _hint(request: Request) -> Response:
    return PlainTextResponse(f"POST to one of {', '.join(ROUTES)}.\n")
