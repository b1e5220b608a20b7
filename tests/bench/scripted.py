"""The agent of the benchmarks: a model with a script, one node for it and one for its tool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import Field

__all__ = ("Agent", "arguments", "scripted_agent", "text", "thread")

Agent = Any  # A compiled graph, whose type has four parameters.
Maker = Callable[[], AIMessageChunk]


def text(tokens: int) -> list[Maker]:
    """An answer of so many tokens."""
    return [lambda: AIMessageChunk(content="token ")] * tokens


def arguments(deltas: int) -> list[Maker]:
    """A call whose arguments come in so many pieces."""

    def piece(name: str | None, call_id: str | None, args: str) -> Maker:
        fields: Any = {"name": name, "id": call_id, "args": args, "index": 0}
        fields["type"] = "tool_call_chunk"
        return lambda: AIMessageChunk(content="", tool_call_chunks=[fields])

    first, middle, last = '{"text":"', "piece ", '"}'
    return [
        piece("write", "call_1", first),
        *[piece(None, None, middle)] * (deltas - 2),
        piece(None, None, last),
    ]


class _Model(BaseChatModel):
    """Says its script, then that it is done. It costs as little as a model can."""

    script: Sequence[Maker] = Field(default=(), repr=False)
    """Kept out of the repr, which LangChain takes at every call."""
    burst: int = 0
    """The chunks after which it waits for one turn of the event loop; never, if 0."""

    @property
    def _llm_type(self) -> str:
        return "benchmark"

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        script = text(1) if messages[-1].type == "tool" else self.script
        for number, make in enumerate(script, start=1):
            yield ChatGenerationChunk(message=make())
            if self.burst and number % self.burst == 0:
                await asyncio.sleep(0)


@tool
def write(text: str) -> str:
    """Write a text."""
    return f"{len(text)} characters"


def scripted_agent(script: Sequence[Maker], burst: int) -> Agent:
    """An agent with checkpoints whose model says `script`."""
    model = _Model(script=script, burst=burst)

    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("agent", ask)
    builder.add_node("tools", ToolNode([write]))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile(checkpointer=InMemorySaver())


def thread() -> dict[str, Any]:
    """The config of a new thread."""
    return {"configurable": {"thread_id": str(uuid4())}}
