"""Graphs as users build them, around a scripted model."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
)
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, Send
from pydantic import BaseModel

from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langgraph.runs import Graph, call, usage

__all__ = ("CASES", "Case", "human")


@dataclass(frozen=True)
class Case:
    """A graph and what to ask it."""

    build: Callable[[], Graph]
    turns: tuple[Any, ...] = ("hello",)
    """What the user says, one run each."""
    only_values_settle: bool = False
    """Whether `updates` do not tell its state: reducers, or the order of parallel nodes."""
    parts_match: bool = True
    """Whether the parts are the graph's new messages and nothing else."""


def human(text: str) -> dict[str, Any]:
    """The input of a run."""
    return {"messages": [HumanMessage(text)]}


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


@tool(response_format="content_and_artifact")
def lookup(key: str) -> tuple[str, dict[str, Any]]:
    """Look a key up."""
    return f"value of {key}", {"key": key}


def parallel_calls() -> list[Any]:
    """A turn that makes two calls whose arguments come in turns."""
    return [
        "Let me ",
        "see. ",
        call("weather", "", "call_1", 0),
        call(None, '{"ci', None, 0),
        call("lookup", "", "call_2", 1),
        call(None, '{"key": ', None, 1),
        call(None, 'ty": "Oslo"}', None, 0),
        call(None, '"k"}', None, 1),
        usage(10, 5),
    ]


def agent() -> Graph:
    model = ScriptedChatModel(turns=[parallel_calls(), ["It is ", "sunny.", usage(20, 3)]])
    return create_agent(model, tools=[weather, lookup], checkpointer=InMemorySaver())


def chatty() -> Graph:
    model = ScriptedChatModel(turns=["First answer here.", "And a second one."])
    return create_agent(model, tools=[], checkpointer=InMemorySaver())


def tool_node_batch() -> Graph:
    """A hand-built agent; its tools run in one task and their errors go to the model."""
    model = ScriptedChatModel(turns=[parallel_calls(), "Done."])

    async def ask(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("agent", ask)
    builder.add_node("tools", ToolNode([lookup, failing], handle_tool_errors=True))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile(checkpointer=InMemorySaver())


@tool("weather")
def failing(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


class Counted(MessagesState):
    count: Annotated[int, operator.add]
    log: Annotated[list[str], operator.add]
    profile: dict[str, Any]


def fan_out() -> Graph:
    """Two nodes whose models stream side by side, and channels with reducers."""
    models = {
        "left": ScriptedChatModel(turns=["left says a few words"], delay=0.001),
        "right": ScriptedChatModel(turns=["right says a few more words"], delay=0.001),
    }

    def speak(name: str) -> Any:
        async def node(state: Counted) -> Any:
            answer = await models[name].ainvoke(state["messages"])
            return {"messages": [answer], "count": 1, "log": [name], "profile": {"last": "x"}}

        return node

    async def join(state: Counted) -> Any:
        return {"count": 10, "log": ["join"], "profile": {**state["profile"], "joined": True}}

    def start(state: Counted) -> Any:
        return {"count": 100, "log": [], "profile": {"name": "Ada"}}

    builder = StateGraph(Counted)
    builder.add_node("start", start)
    builder.add_node("left", speak("left"))
    builder.add_node("right", lambda state: None)
    builder.add_node("speaker", speak("right"))
    builder.add_node("join", join)
    builder.add_edge(START, "start")
    builder.add_edge("start", "left")
    builder.add_edge("start", "right")
    builder.add_edge("right", "speaker")
    builder.add_edge(["left", "speaker"], "join")
    return builder.compile(checkpointer=InMemorySaver())


def side_by_side() -> Graph:
    """Two nodes stream in the same step; the faster is not the first in the state."""
    slow = ScriptedChatModel(turns=["slow and late"], delay=0.004)
    fast = ScriptedChatModel(turns=["fast and early and long"], delay=0.001)

    async def node_slow(state: MessagesState) -> Any:
        return {"messages": [await slow.ainvoke(state["messages"])]}

    async def node_fast(state: MessagesState) -> Any:
        return {"messages": [await fast.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("a_slow", node_slow)
    builder.add_node("b_fast", node_fast)
    builder.add_edge(START, "a_slow")
    builder.add_edge(START, "b_fast")
    return builder.compile(checkpointer=InMemorySaver())


def subgraph_node() -> Graph:
    """An agent as a node: it works on the outer conversation."""
    inner = create_agent(
        ScriptedChatModel(turns=[parallel_calls(), "The inner answer."]), tools=[weather, lookup]
    )

    async def closing(state: MessagesState) -> Any:
        return {"messages": [AIMessage("Anything else?")]}

    builder = StateGraph(MessagesState)
    builder.add_node("agent", inner)
    builder.add_node("closing", closing)
    builder.add_edge(START, "agent")
    builder.add_edge("agent", "closing")
    return builder.compile(checkpointer=InMemorySaver())


def trimming() -> Graph:
    """Removes all but the last two messages before it answers."""
    model = ScriptedChatModel(turns=["one one", "two two", "three three"])

    def trim(state: MessagesState) -> Any:
        return {"messages": [RemoveMessage(id=str(m.id)) for m in state["messages"][:-2]]}

    async def ask(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("trim", trim)
    builder.add_node("ask", ask)
    builder.add_edge(START, "trim")
    builder.add_edge("trim", "ask")
    return builder.compile(checkpointer=InMemorySaver())


def rewriting() -> Graph:
    """Throws the whole conversation away and starts it over with a summary."""
    model = ScriptedChatModel(turns=["an answer", "the rest"])

    async def ask(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    def rewrite(state: MessagesState) -> Any:
        summary = SystemMessage("They talked.")
        return {"messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES), summary, state["messages"][-1]]}

    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask)
    builder.add_node("rewrite", rewrite)
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "rewrite")
    return builder.compile(checkpointer=InMemorySaver())


def unstreamed() -> Graph:
    """Messages that no model streams: whole, without ids, as dicts, and one changed in place."""

    def answer(state: MessagesState) -> Any:
        return {"messages": [AIMessage("whole "), AIMessage("with id ", id="fixed")]}

    def as_dict(state: MessagesState) -> Any:
        return {"messages": [{"role": "assistant", "content": "from a dict", "id": "dict-1"}]}

    def correct(state: MessagesState) -> Any:
        last = state["messages"][-1]
        last.additional_kwargs["seen"] = True
        return {"messages": [last]}

    builder = StateGraph(MessagesState)
    builder.add_node("answer", answer)
    builder.add_node("as_dict", as_dict)
    builder.add_node("correct", correct)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", "as_dict")
    builder.add_edge("as_dict", "correct")
    return builder.compile(checkpointer=InMemorySaver())


class Appended(TypedDict):
    messages: Annotated[list[AnyMessage], operator.add]


def appended() -> Graph:
    """A plain list instead of `add_messages`: no ids, and merged chunks stay chunks."""
    model = ScriptedChatModel(turns=["streamed into a list"])

    async def ask(state: Appended) -> Any:
        merged: Any = None
        async for chunk in model.astream(state["messages"]):
            merged = chunk if merged is None else merged + chunk
        return {"messages": [merged, AIMessage(" and more")]}

    builder = StateGraph(Appended)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    return builder.compile(checkpointer=InMemorySaver())


class Loose(MessagesState):
    topic: str
    draft: Any
    note: str | None


def inner_voices() -> Graph:
    """Model calls that are nobody's business: a classifier, a tagged one, one inside a tool."""
    quiet = ScriptedChatModel(turns=["secret words"], tags=["nostream"])
    in_tool = ScriptedChatModel(turns=["tool thoughts"])

    @tool("weather")
    async def asks_a_model(city: str) -> str:
        """Ask a model."""
        return str((await in_tool.ainvoke(city)).content)

    model = ScriptedChatModel(turns=[[call("weather", '{"city": "Oslo"}', "call_1")], "Out loud."])

    async def think(state: Loose) -> Any:
        return {"topic": str((await quiet.ainvoke(state["messages"])).content)}

    async def ask(state: Loose) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(Loose)
    builder.add_node("think", think)
    builder.add_node("agent", ask)
    builder.add_node("tools", ToolNode([asks_a_model]))
    builder.add_edge(START, "think")
    builder.add_edge("think", "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile(checkpointer=InMemorySaver())


def classifier() -> Graph:
    """A model's words go to another channel than `messages`."""
    first = ScriptedChatModel(turns=["greeting"])
    second = ScriptedChatModel(turns=["Hello to you."])

    async def classify(state: Loose) -> Any:
        return {"topic": str((await first.ainvoke(state["messages"])).content)}

    async def ask(state: Loose) -> Any:
        return {"messages": [await second.ainvoke(state["messages"])]}

    builder = StateGraph(Loose)
    builder.add_node("classify", classify)
    builder.add_node("ask", ask)
    builder.add_edge(START, "classify")
    builder.add_edge("classify", "ask")
    return builder.compile(checkpointer=InMemorySaver())


def blocks() -> Graph:
    """Content as lists of blocks: reasoning with a signature, text, a tool's input."""
    model = ScriptedChatModel(
        turns=[
            [
                AIMessageChunk(content=[], id="msg_1"),
                _block({"type": "thinking", "thinking": "Hm", "index": 0}),
                _block({"type": "thinking", "thinking": "mm.", "index": 0}),
                _block({"type": "thinking", "signature": "sig", "index": 0}),
                _block({"type": "text", "text": "Let me ", "index": 1}),
                _block({"type": "text", "text": "look.", "index": 1}),
                AIMessageChunk(
                    content=[
                        {
                            "type": "tool_use",
                            "id": "toolu_1",
                            "name": "weather",
                            "input": {},
                            "index": 2,
                        }
                    ],
                    tool_call_chunks=call("weather", "", "toolu_1", 2).tool_call_chunks,
                    id="msg_1",
                ),
                _input('{"city"'),
                _input(': "Bergen"}'),
                AIMessageChunk(
                    content=[], response_metadata={"stop_reason": "tool_use"}, id="msg_1"
                ),
            ],
            [
                AIMessageChunk(content="", additional_kwargs={"reasoning_content": "So "}),
                AIMessageChunk(content="", additional_kwargs={"reasoning_content": "then."}),
                "Rain",
                " in Bergen.",
            ],
        ]
    )
    return create_agent(model, tools=[weather], checkpointer=InMemorySaver())


def _block(block: dict[str, Any]) -> AIMessageChunk:
    return AIMessageChunk(content=[block], id="msg_1")


def _input(text: str) -> AIMessageChunk:
    return AIMessageChunk(
        content=[{"type": "input_json_delta", "partial_json": text, "index": 2}],
        tool_call_chunks=call(None, text, None, 2).tool_call_chunks,
        id="msg_1",
    )


class Form(BaseModel):
    messages: Annotated[list[AnyMessage], add_messages]
    name: str = ""
    tags: set[str] = set()


def pydantic_state() -> Graph:
    model = ScriptedChatModel(turns=["typed answer"])

    async def ask(state: Form) -> Any:
        answer = await model.ainvoke(state.messages)
        return {"messages": [answer], "name": "Ada", "tags": {"b", "a"}}

    builder = StateGraph(Form)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    return builder.compile(checkpointer=InMemorySaver())


def sends() -> Graph:
    """A node that is sent three pieces of work, each with a voice of its own."""
    model = ScriptedChatModel(turns=["one done. ", "two done. ", "three done. "], delay=0.001)

    async def work(state: Any) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])], "count": 1, "log": ["w"]}

    def route(state: Counted) -> list[Send]:
        return [Send("work", {"messages": state["messages"], "n": n}) for n in range(3)]

    builder = StateGraph(Counted)
    builder.add_node("work", work)
    builder.add_conditional_edges(START, route, ["work"])
    return builder.compile(checkpointer=InMemorySaver())


def commands() -> Graph:
    """Nodes that answer with `Command`, one of them several times over."""
    model = ScriptedChatModel(turns=["Then this."])

    def first(state: Counted) -> Command[Any]:
        return Command(goto="second", update={"messages": [AIMessage("First. ")], "count": 1})

    async def second(state: Counted) -> Any:
        answer = await model.ainvoke(state["messages"])
        return [
            Command(update={"messages": [answer]}),
            Command(update={"count": 2, "log": ["x"], "profile": {"deep": {"list": [1, 2]}}}),
        ]

    builder = StateGraph(Counted)
    builder.add_node("first", first, destinations=("second",))
    builder.add_node("second", second)
    builder.add_edge(START, "first")
    return builder.compile(checkpointer=InMemorySaver())


def custom_events() -> Graph:
    def work(state: Loose) -> Any:
        write = get_stream_writer()
        write({"type": "progress", "id": "p1", "done": 1})
        write({"type": "progress", "id": "p1", "done": 2})
        write("just a word")
        return {"messages": [AIMessage("Worked.")], "note": None}

    builder = StateGraph(Loose)
    builder.add_node("work", work)
    builder.add_edge(START, "work")
    return builder.compile(checkpointer=InMemorySaver())


def summarizing() -> Graph:
    """A middleware's own model call, whose summary takes the place of the conversation."""
    model = ScriptedChatModel(turns=["one", "two", "three"])
    summarizer = ScriptedChatModel(turns=["private summary"], cycle=True)
    middleware = SummarizationMiddleware(summarizer, trigger=("messages", 3), keep=("messages", 1))
    return create_agent(model, tools=[], middleware=[middleware], checkpointer=InMemorySaver())


class Verdict(BaseModel):
    """A verdict."""

    good: bool
    why: str


def structured() -> Graph:
    """An answer that is a tool call of the machinery's, parsed into a model."""
    turn = ["Hm. ", call("Verdict", '{"good": true, "why": "sun"}', "call_1")]
    model = ScriptedChatModel(turns=[turn])
    strategy = ToolStrategy(Verdict)
    return create_agent(model, tools=[], response_format=strategy, checkpointer=InMemorySaver())


CASES = {
    "agent": Case(agent),
    "appended": Case(appended, only_values_settle=True),
    "blocks": Case(blocks),
    "chatty": Case(chatty, ("hello", "again")),
    "classifier": Case(classifier, parts_match=False),
    "commands": Case(commands, only_values_settle=True),
    "custom events": Case(custom_events),
    "fan out": Case(fan_out, only_values_settle=True, parts_match=False),
    "inner voices": Case(inner_voices),
    "pydantic state": Case(pydantic_state),
    "rewriting": Case(rewriting, ("hello", "again"), parts_match=False),
    "sends": Case(sends, only_values_settle=True, parts_match=False),
    "side by side": Case(side_by_side, only_values_settle=True, parts_match=False),
    "structured": Case(structured),
    "subgraph node": Case(subgraph_node),
    "summarizing": Case(summarizing, ("one", "two", "three")),
    "tool node batch": Case(tool_node_batch),
    "trimming": Case(trimming, ("one", "two", "three")),
    "unstreamed": Case(unstreamed),
}
"""The graphs that every form of stream is tried with."""
