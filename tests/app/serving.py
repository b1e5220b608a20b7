"""A real server on loopback, and a client that behaves as the assistant-ui runtime does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from langchain_core.messages import AIMessageChunk
from starlette.types import ASGIApp

from tests.npm import Decoded, Protocol, decode


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[httpx.AsyncClient, None]:
    """Serve `app` with uvicorn while the block runs; gives a client of it."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, ws="none", log_level="warning", timeout_graceful_shutdown=2)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await server.up.wait()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        await task


@dataclass
class Chat:
    """One open chat page: its thread, and the state that it shows."""

    http: httpx.AsyncClient
    prefix: str = ""
    protocol: Protocol = "data-stream"
    thread_id: str | None = None
    state: Any = field(default_factory=dict[str, Any])

    def body(self, *commands: dict[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {"commands": list(commands), "state": self.state}
        if self.thread_id is not None:
            body["threadId"] = self.thread_id
        return body

    async def post(self, *commands: dict[str, Any]) -> httpx.Response:
        return await self.http.post(
            f"{self.prefix}/assistant",
            params={"protocol": self.protocol},
            json=self.body(*commands),
        )

    async def send(self, *commands: dict[str, Any]) -> Decoded:
        """Send commands as one request and fold the answer into what the page shows."""
        response = await self.post(*commands)
        assert response.status_code == 200, response.text
        self.thread_id = response.headers["x-thread-id"]
        return self.fold(response.content)

    async def ask(self, text: str) -> Decoded:
        return await self.send(say(text))

    def fold(self, wire: bytes) -> Decoded:
        decoded = decode(wire, self.protocol, messages=True, initial_state=self.state).checked()
        if decoded.message is not None and "unstable_state" in decoded.metadata:
            self.state = decoded.state
        return decoded

    async def history(self) -> dict[str, Any]:
        response = await self.http.get(f"{self.prefix}/threads/{self.thread_id}/state")
        assert response.status_code == 200, response.text
        history: dict[str, Any] = response.json()
        return history

    def shown(self) -> list[tuple[str, Any]]:
        """Type and content of each message on the page."""
        return [(message["type"], message["content"]) for message in self.state["messages"]]


def say(text: str, **fields: Any) -> dict[str, Any]:
    message = {"role": "user", "parts": [{"type": "text", "text": text}]}
    return {"type": "add-message", "message": message, **fields}


def calls(*tools: tuple[str, str, Sequence[str]]) -> list[AIMessageChunk]:
    """Chunks of parallel tool calls: name, id, and the fragments of the arguments."""
    chunks: list[AIMessageChunk] = []
    for index, (name, call_id, fragments) in enumerate(tools):
        for position, args in enumerate(fragments):
            first = position == 0
            chunk: Any = {
                "type": "tool_call_chunk",
                "index": index,
                "name": name if first else None,
                "id": call_id if first else None,
                "args": args,
            }
            chunks.append(AIMessageChunk(content="", tool_call_chunks=[chunk]))
    return chunks
