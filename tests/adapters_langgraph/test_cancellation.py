"""However a reader goes away, sub-agents end: LangGraph itself may leave them running (#8302)."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import anyio
import pytest
from langchain.agents import create_agent
from langchain_core._api import LangChainBetaWarning
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import PrivateAttr

from assistant_stream_ce import DataStreamResponse, TextDeltaChunk
from assistant_stream_ce.typing import ChunkStream
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import from_langgraph_events, stream_graph
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.runs import MODES, Graph, call
from tests.adapters_langgraph.test_subgraphs import research_tool


class EndlessModel(ScriptedChatModel):
    """Talks until it is stopped."""

    _said: int = PrivateAttr(default=0)
    _ended: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)

    @property
    def said(self) -> int:
        """The tokens so far."""
        return self._said

    @property
    def ended(self) -> asyncio.Event:
        """Set when it has been stopped and has cleaned up."""
        return self._ended

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        try:
            while True:
                self._said += 1
                yield ChatGenerationChunk(message=AIMessageChunk(content="on and on "))
                await asyncio.sleep(0.001)
        finally:
            self._ended.set()


def supervisor(model: EndlessModel) -> Graph:
    """An agent whose tool runs an agent that never ends."""
    research = research_tool(create_agent(model, tools=[], name="researcher"))
    turns = [[call("research", '{"topic": "bees"}', "outer")], "Done."]
    return create_agent(ScriptedChatModel(turns=turns), tools=[research])


async def version_3(graph: Graph) -> AsyncIterator[Any]:
    with warnings.catch_warnings(action="ignore", category=LangChainBetaWarning):
        run = await graph.astream_events(human("go"), version="v3")
    async with aclosing(from_langgraph_events(run)) as stream:
        async for chunk in stream:
            yield chunk


STREAMS: dict[str, Callable[[Graph], ChunkStream]] = {
    "stream_graph": lambda graph: stream_graph(graph, human("go")),
    "tuples": lambda graph: from_langgraph_events(
        graph.astream(human("go"), stream_mode=[*MODES], subgraphs=True)
    ),
    "v3": version_3,
}


async def read(stream: ChunkStream, reading: asyncio.Event) -> None:
    """Read until a sub-agent speaks, and on."""
    async for chunk in stream:
        if isinstance(chunk, TextDeltaChunk):
            reading.set()


async def cancel_the_reader(stream: ChunkStream) -> None:
    reading = asyncio.Event()
    reader = asyncio.create_task(read(stream, reading))
    await reading.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await stream.aclose()


async def cancel_a_scope(stream: ChunkStream) -> None:
    reading = asyncio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(read, stream, reading)
        await reading.wait()
        group.cancel_scope.cancel()
    await stream.aclose()


async def close_it(stream: ChunkStream) -> None:
    async for chunk in stream:
        if isinstance(chunk, TextDeltaChunk):
            break
    await stream.aclose()


async def drop_the_response(stream: ChunkStream) -> None:
    """The client of a server goes away."""
    reading = asyncio.Event()

    async def receive() -> Any:
        await reading.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if b"on and on" in message.get("body", b""):
            reading.set()

    scope: Any = {"type": "http", "asgi": {"spec_version": "2.3"}}
    await DataStreamResponse(stream)(scope, receive, send)


@pytest.mark.parametrize("form", STREAMS)
@pytest.mark.parametrize("leave", [cancel_the_reader, cancel_a_scope, close_it, drop_the_response])
async def test_the_model_of_a_sub_agent_stops(
    leave: Callable[[ChunkStream], Awaitable[None]], form: str
) -> None:
    model = EndlessModel()
    stream = STREAMS[form](supervisor(model))
    await asyncio.wait_for(leave(stream), 10)
    await asyncio.wait_for(model.ended.wait(), 5)
    said = model.said
    await asyncio.sleep(0.03)
    assert model.said == said > 0


@pytest.mark.parametrize("leave", [cancel_the_reader, cancel_a_scope, close_it, drop_the_response])
async def test_who_has_left_knows_that_the_graph_has_ended(
    leave: Callable[[ChunkStream], Awaitable[None]],
) -> None:
    """What the graph does to clean up is done by then, however long it takes."""
    ended: list[str] = []

    async def work(state: MessagesState) -> Any:
        try:
            await ScriptedChatModel(turns=[["on and on "] * 1000], delay=0.001).ainvoke("go")
        finally:
            await asyncio.sleep(0.05)
            ended.append("cleaned up")

    builder = StateGraph(MessagesState).add_node("work", work).add_edge(START, "work")
    await asyncio.wait_for(leave(stream_graph(builder.compile(), human("go"))), 10)
    assert ended == ["cleaned up"]
