"""What a tool says before its result stands under its call, as the real client shows it."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core._api import LangChainBetaWarning
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.ui import push_ui_message
from langgraph.prebuilt import ToolNode, ToolRuntime, tools_condition
from langgraph.stream.transformers import CustomTransformer

from assistant_stream_ce import DataChunk, DataPartChunk, ToolResultChunk
from assistant_stream_ce.testing import collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langchain.visibility import Rule, Visibility
from assistant_stream_langgraph import from_langgraph_events, stream_graph
from tests.adapters_langchain.shown import show
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.runs import FORMS, Graph, call, play
from tests.adapters_langgraph.test_subgraphs import UIState, research_tool
from tests.npm import Decoded

CONFIG = {"configurable": {"thread_id": "1"}}


@tool
async def by_writer(city: str) -> str:
    """Say how far it is."""
    write = get_stream_writer()
    for done in (1, 2):
        write({"type": "progress", "id": f"p-{city}", "done": done, "city": city})
        await asyncio.sleep(0)
    return f"sunny in {city}"


@tool
async def by_runtime(city: str, runtime: ToolRuntime) -> str:
    """Say how far it is."""
    for done in (1, 2):
        part = {"type": "progress", "id": f"p-{city}", "done": done, "city": city}
        runtime.stream_writer({**part, "tool_call_id": runtime.tool_call_id})
        await asyncio.sleep(0)
    return f"sunny in {city}"


@tool
async def by_output(city: str, runtime: ToolRuntime) -> str:
    """Say a part of the output."""
    for done in (1, 2):
        runtime.emit_output_delta(
            {"type": "progress", "id": f"p-{city}", "done": done, "city": city}
        )
        await asyncio.sleep(0)
    return f"sunny in {city}"


def agent(made: Any, *cities: str) -> Graph:
    calls = [
        call(made.name, f'{{"city": "{city}"}}', f"call_{city}", index)
        for index, city in enumerate(cities)
    ]
    return create_agent(ScriptedChatModel(turns=[["Let me see. ", *calls], "Done."]), tools=[made])


def batch_agent(made: Any, *cities: str) -> Graph:
    """All its calls run in one task."""
    calls = [
        call(made.name, f'{{"city": "{city}"}}', f"call_{city}", index)
        for index, city in enumerate(cities)
    ]
    model = ScriptedChatModel(turns=[["Let me see. ", *calls], "Done."])

    async def ask(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("agent", ask)
    builder.add_node("tools", ToolNode([made]))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile()


def progress(shown: Decoded) -> dict[str, Any]:
    """The last data of every progress part, by its parent; a part updates in its place."""
    parts = [part for part in shown.parts if part["type"] == "data"]
    return {part.get("parentId"): part["data"]["done"] for part in parts}


@pytest.mark.parametrize("build", [agent, batch_agent])
@pytest.mark.parametrize("made", [by_writer, by_runtime, by_output], ids=lambda made: made.name)
async def test_it_comes_under_the_call_and_before_its_result(
    made: Any, build: Callable[..., Graph]
) -> None:
    chunks = await collect(stream_graph(build(made, "Oslo"), human("go")))
    kinds = [c for c in chunks if isinstance(c, DataPartChunk | ToolResultChunk)]
    assert [type(c) for c in kinds] == [DataPartChunk, DataPartChunk, ToolResultChunk]
    assert progress(show(chunks)) == {"call_Oslo": 2}


@pytest.mark.parametrize("build", [agent, batch_agent])
@pytest.mark.parametrize("made", [by_runtime, by_output], ids=lambda made: made.name)
async def test_of_parallel_calls_each_has_its_own(made: Any, build: Callable[..., Graph]) -> None:
    chunks = await collect(stream_graph(build(made, "Oslo", "Rome"), human("go")))
    assert progress(show(chunks)) == {"call_Oslo": 2, "call_Rome": 2}
    for chunk in chunks:
        if isinstance(chunk, DataPartChunk):
            assert chunk.parent_id == f"call_{chunk.data['city']}"  # type: ignore[index,call-overload]


async def test_a_writer_that_does_not_say_which_call_it_is_belongs_to_none_of_several() -> None:
    chunks = await collect(stream_graph(agent(by_writer, "Oslo", "Rome"), human("go")))
    assert {c.parent_id for c in chunks if isinstance(c, DataPartChunk)} == {None}


@pytest.mark.parametrize("form", ["tuples", "tuples and tasks", "v2", "remote tuples"])
async def test_the_only_call_is_known_in_every_form_that_has_custom_events(form: str) -> None:
    run = await play(FORMS[form](agent(by_writer, "Oslo"), human("go"), CONFIG))
    assert [part.parent_id for part in run.parts.data] == ["call_Oslo", "call_Oslo"]


async def test_a_node_beside_the_tools_writes_for_itself() -> None:
    """Only a stream with the `tasks` mode can tell."""
    model = ScriptedChatModel(turns=[[call("slow", "{}", "call_1")], "Done."])

    @tool
    async def slow() -> str:
        """Take a while."""
        await asyncio.sleep(0.02)
        return "slept"

    async def ask(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    async def watch(state: MessagesState) -> None:
        await asyncio.sleep(0.005)
        get_stream_writer()({"type": "watch", "seen": len(state["messages"])})

    builder = StateGraph(MessagesState)
    builder.add_node("agent", ask)
    builder.add_node("tools", ToolNode([slow]))
    builder.add_node("watch", watch)
    builder.add_edge(START, "agent")
    builder.add_edge("agent", "watch")
    builder.add_conditional_edges("agent", tools_condition)
    chunks = await collect(stream_graph(builder.compile(), human("go")))
    assert [c.parent_id for c in chunks if isinstance(c, DataPartChunk)] == [None]


async def test_pieces_of_text_are_parts_in_their_order() -> None:
    @tool
    def report(runtime: ToolRuntime) -> str:
        """Report."""
        for word in ("one", "two"):
            runtime.emit_output_delta(word)
        return "one two"

    turns = [[call("report", "{}", "call_1")], "Done."]
    chunks = await collect(
        stream_graph(create_agent(ScriptedChatModel(turns=turns), tools=[report]), human("go"))
    )
    parts = [part for part in show(chunks).parts if part["type"] == "data"]
    assert [(p["name"], p["data"], p["parentId"]) for p in parts] == [
        ("tool-output", "one", "call_1"),
        ("tool-output", "two", "call_1"),
    ]


async def test_for_an_answer_without_parts_it_is_data() -> None:
    for made in (by_writer, by_output):
        chunks = await collect(stream_graph(agent(made, "Oslo"), human("go"), parts=False))
        data: list[Any] = [c.data for c in chunks if isinstance(c, DataChunk)]
        assert [item["done"] for item in data] == [1, 2]


async def test_version_3_tells_it_with_the_transformer_for_custom_events() -> None:
    async def events(graph: Any) -> AsyncIterator[Any]:
        with warnings.catch_warnings(action="ignore", category=LangChainBetaWarning):
            run = await graph.astream_events(
                human("go"),
                CONFIG,
                version="v3",
                transformers=[CustomTransformer],
            )
        async for event in run:
            yield event

    for made in (by_writer, by_output):
        chunks = await collect(from_langgraph_events(events(agent(made, "Oslo"))))
        assert progress(show(chunks)) == {"call_Oslo": 2}


@pytest.mark.parametrize("action", ["hide", "inline", "nest"])
async def test_a_rule_decides_on_what_a_sub_agent_writes_too(action: Any) -> None:
    inner = agent(by_writer, "Oslo")
    turns = [[call("research", '{"topic": "bees"}', "outer")], "Done."]
    graph = create_agent(ScriptedChatModel(turns=turns), tools=[research_tool(inner)])
    visibility = Visibility(rules=[Rule(action=action, namespace="tools")])
    chunks = await collect(stream_graph(graph, human("go"), visibility=visibility))
    owners = {c.parent_id for c in chunks if isinstance(c, DataPartChunk)}
    assert owners == {"hide": set(), "inline": {None}, "nest": {"call_Oslo"}}[action]
    show(chunks)


async def test_what_a_hidden_sub_agent_writes_is_no_data_either() -> None:
    for made in (by_writer, by_output):
        turns = [[call("research", '{"topic": "bees"}', "outer")], "Done."]
        tools = [research_tool(agent(made, "Oslo"))]
        graph = create_agent(ScriptedChatModel(turns=turns), tools=tools)
        visibility = Visibility(rules=[Rule(action="hide", namespace="tools")])
        stream = stream_graph(graph, human("go"), parts=False, visibility=visibility)
        assert not [c for c in await collect(stream) if isinstance(c, DataChunk)]


async def test_a_ui_message_of_a_tool_is_updated_in_its_place() -> None:
    @tool
    def chart(values: int) -> str:
        """Draw a chart."""
        push_ui_message("chart", {"values": [1]}, id="ui-1")
        push_ui_message("chart", {"title": "All"}, id="ui-1", merge=True)
        return "drawn"

    turns = [[call("chart", '{"values": 1}', "call_1")], "Done."]
    graph = create_agent(
        ScriptedChatModel(turns=turns),
        tools=[chart],
        state_schema=UIState,  # type: ignore[arg-type]
    )
    chunks = await collect(stream_graph(graph, human("go")))
    parts = [part for part in show(chunks).parts if part["type"] == "data"]
    assert [(p["name"], p["data"], p["parentId"]) for p in parts][-1] == (
        "chart",
        {"values": [1], "title": "All"},
        "call_1",
    )
