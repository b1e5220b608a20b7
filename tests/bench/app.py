"""A served run: `create_app` from the request to the last byte, beside an endpoint on upstream.

In one process, without sockets: the request goes to the ASGI app, and the server takes what it
sends at once. As in `langgraph`, what `graph.astream` takes with nobody listening is taken off.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from assistant_stream_langgraph.app import OnDisconnect, create_app

from .langgraph import DELTAS, TOKENS, UPSTREAM, Sink, floor, per_token
from .measure import Case
from .peers import upstream
from .scripted import Agent, arguments, scripted_agent, text, thread

PACES = {"3 a turn": 3, "1 a turn": 1}

SCOPE: dict[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "path": "/assistant",
    "raw_path": b"/assistant",
    "root_path": "",
    "query_string": b"",
    "headers": [(b"content-type", b"application/json")],
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 80),
}

BODY = {
    "state": {"messages": []},
    "commands": [
        {
            "type": "add-message",
            "message": {"role": "user", "parts": [{"type": "text", "text": "Hello"}]},
        }
    ],
}


class Client:
    """Asks once, and stays until the answer has ended."""

    def __init__(self) -> None:
        self._asked = False
        self._stays = asyncio.Event()

    async def __call__(self) -> dict[str, object]:
        if self._asked:
            await self._stays.wait()
        self._asked = True
        return {"type": "http.request", "body": json.dumps(BODY).encode(), "more_body": False}


async def ask(app: ASGIApp) -> int:
    """The bytes of the answer."""
    sink = Sink()
    await app({**SCOPE}, Client(), sink)
    return sink.size


def served(on_disconnect: OnDisconnect) -> Callable[[Agent], Any]:
    """Ours, told to a client that shows the graph's state."""

    async def run(graph: Agent) -> int:
        return await ask(create_app(graph, on_disconnect=on_disconnect))

    return run


async def upstream_endpoint(graph: Agent) -> int:
    """An endpoint as upstream's documentation has it."""
    append = upstream("modules.langgraph").append_langgraph_event

    async def assistant(request: Request) -> Response:
        body = await request.json()
        said = body["commands"][0]["message"]["parts"][0]["text"]

        async def run(controller: Any) -> None:
            stream = graph.astream(
                {"messages": [{"role": "user", "content": said}]},
                thread(),
                stream_mode=["messages", "updates"],
                subgraphs=True,
            )
            async for namespace, mode, payload in stream:
                append(controller.state, namespace, mode, payload)

        stream = upstream().create_run(run, state=body["state"])
        response: Response = upstream("serialization").DataStreamResponse(stream)
        return response

    return await ask(Starlette(routes=[Route("/assistant", assistant, methods=["POST"])]))


def cases() -> list[Case]:
    """What serving a run adds a token, for runs that outlive their client and for those that do
    not."""
    kinds = {"text token": (text(TOKENS), TOKENS), "argument delta": (arguments(DELTAS), DELTAS)}
    return [
        Case(
            f"{kind}, on_disconnect={on_disconnect}, {pace}",
            "µs",
            per_token(served(on_disconnect), graph, count),
            per_token(upstream_endpoint, graph, count),
            peer_name=UPSTREAM,
            floor=per_token(floor, graph, count),
            repeats=3,
        )
        for kind, (script, count) in kinds.items()
        for pace, burst in PACES.items()
        for graph in [scripted_agent(script, burst)]
        for on_disconnect in ("continue", "cancel")
    ]
