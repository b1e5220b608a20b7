"""Agents that wait where a test wants them to, and clients that go away and come back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from langchain.agents import create_agent
from langchain_core.messages import BaseMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver

from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph.threads import Graph
from tests.app.serving import Chat, say

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = (
    "Pause",
    "agent",
    "ended",
    "fast",
    "find_run",
    "messages_of",
    "read_until",
    "reading",
    "shown",
)


class Pause:
    """Holds a model or a tool until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.stopped = asyncio.Event()

    async def wait(self) -> None:
        self.reached.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.stopped.set()
            raise

    def tool(self, name: str = "slow") -> BaseTool:
        @tool(name)
        async def slow(query: str) -> str:
            """Take as long as it takes."""
            await self.wait()
            return f"slow {query}"

        return slow


@tool
async def fast(query: str) -> str:
    """Answer at once."""
    return f"fast {query}"


def agent(turns: list[Any], tools: list[Any], **options: Any) -> Graph:
    options.setdefault("checkpointer", InMemorySaver())
    graph: Graph = create_agent(ScriptedChatModel(turns=turns), tools, **options)
    return graph


async def messages_of(graph: Graph, thread_id: str) -> list[BaseMessage]:
    snapshot = await graph.aget_state({"configurable": {"thread_id": thread_id}})
    assert snapshot.next == ()
    messages: list[BaseMessage] = snapshot.values.get("messages", [])
    return messages


def shown(messages: list[BaseMessage]) -> list[tuple[str, Any]]:
    return [(message.type, message.content) for message in messages]


@asynccontextmanager
async def reading(
    chat: Chat, path: str = "/assistant", body: Any = None
) -> AsyncGenerator[httpx.Response, None]:
    """An answer that is being read; leaving the block is the client that goes away, and so is
    leaving a loop over its pieces."""
    url = f"{chat.prefix}{path}"
    request = chat.http.build_request(
        "POST", url, params={"protocol": chat.protocol}, json=body or chat.body(say("Go"))
    )
    response = await chat.http.send(request, stream=True)
    assert response.status_code == 200, await response.aread()
    chat.thread_id = response.headers.get("x-thread-id", chat.thread_id)
    try:
        yield response
    finally:
        await response.aclose()


async def read_until(response: httpx.Response, text: str) -> bytes:
    wire = b""
    async for piece in response.aiter_bytes():
        wire += piece
        if text.encode() in wire:
            break
    return wire


async def ended(chat: Chat) -> None:
    """Return when no run goes on in the thread."""
    for _ in range(500):
        if (await chat.history())["runId"] is None:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the run goes on")


async def find_run(chat: Chat) -> Any:
    """What a page that was loaded again asks first: the run, and the state it goes on from."""
    params = {"protocol": chat.protocol}
    asked = {"threadId": chat.thread_id}
    found = await chat.http.post("/resume-state", params=params, json=asked)
    assert found.status_code == 200, found.text
    return found.json()
