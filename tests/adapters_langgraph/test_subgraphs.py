"""Subgraphs: whose tokens they are, and where they go."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.ui import (
    AnyUIMessage,
    delete_ui_message,
    push_ui_message,
    ui_message_reducer,
)
from langgraph.prebuilt import ToolNode, tools_condition

from assistant_stream_ce import ToolCallBeginChunk, ToolResultChunk, UpdateStateChunk
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langchain.visibility import Rule, Visibility
from assistant_stream_langgraph import stream_graph
from assistant_stream_langgraph.subgraphs import ToolCallOwners
from tests.adapters_langgraph.graphs import CASES, human, weather
from tests.adapters_langgraph.runs import FORMS, Graph, call, play, values_of

CONFIG = {"configurable": {"thread_id": "1"}}
WITH_SUBGRAPHS = [
    "tuples",
    "tuples and tasks",
    "v2",
    "messages and values",
    "events v2",
    "server parts",
    "remote tuples",
]


def researcher(delay: float = 0.001) -> Graph:
    """A sub-agent that repeats its topic and calls a tool of its own."""

    def first(messages: list[Any]) -> Any:
        topic = messages[0].content
        return ["on ", f"{topic}: ", call("weather", '{"city": "Oslo"}', f"inner_{topic}")]

    def second(messages: list[Any]) -> Any:
        return [f"{messages[0].content} ", "done"]

    def turn(messages: list[Any]) -> Any:
        return second(messages) if messages[-1].type == "tool" else first(messages)

    model = ScriptedChatModel(turns=[turn], cycle=True, delay=delay)
    return create_agent(model, tools=[weather], name="researcher")


def research_tool(agent: Graph) -> Any:
    @tool
    async def research(topic: str, wait: float = 0) -> str:
        """Research a topic."""
        await asyncio.sleep(wait)
        result = await agent.ainvoke({"messages": [HumanMessage(topic)]})
        return str(result["messages"][-1].text)

    return research


def calls_for(*topics: str) -> list[Any]:
    return [
        call("research", f'{{"topic": "{topic}"}}', f"outer_{topic}", index)
        for index, topic in enumerate(topics)
    ]


def supervisor(*topics: str) -> Graph:
    model = ScriptedChatModel(turns=[["Asking. ", *calls_for(*topics)], "All done."])
    tools = [research_tool(researcher())]
    return create_agent(model, tools=tools, checkpointer=InMemorySaver())


def hand_built_supervisor(*topics: str) -> Graph:
    """All its calls run in one task."""
    model = ScriptedChatModel(turns=[["Asking. ", *calls_for(*topics)], "All done."])

    async def ask(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("agent", ask)
    builder.add_node("tools", ToolNode([research_tool(researcher())]))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", [*WITH_SUBGRAPHS, "events v1", "events v3"])
@pytest.mark.parametrize("topics", [("bees",), ("bees", "ants", "wasps")])
async def test_tokens_of_sub_agents_are_nested_under_the_call_that_started_them(
    topics: tuple[str, ...], form: str
) -> None:
    run = await play(FORMS[form](supervisor(*topics), human("go"), CONFIG))
    assert run.parts.text == "Asking. All done."
    assert run.parts.nested_text == {
        f"outer_{topic}": f"on {topic}: {topic} done" for topic in topics
    }
    for topic in topics:
        assert run.parts.calls[f"inner_{topic}"].parent_id == f"outer_{topic}"
        assert run.parts.calls[f"inner_{topic}"].result == "sunny in Oslo"
        assert run.parts.calls[f"outer_{topic}"].parent_id is None
        assert run.parts.calls[f"outer_{topic}"].result == f"{topic} done"


@pytest.mark.parametrize("form", WITH_SUBGRAPHS)
async def test_sub_agents_of_one_task_are_told_apart_by_their_input(form: str) -> None:
    graph = hand_built_supervisor("bees", "ants")
    run = await play(FORMS[form](graph, human("go"), CONFIG))
    assert run.parts.nested_text == {
        "outer_bees": "on bees: bees done",
        "outer_ants": "on ants: ants done",
    }


@pytest.mark.parametrize("form", WITH_SUBGRAPHS)
async def test_the_transcript_of_a_sub_agent_never_shows_in_the_conversation(form: str) -> None:
    graph = supervisor("bees", "ants")
    run = await play(FORMS[form](graph, human("go"), CONFIG), parts=False)
    assert run.state == await values_of(graph, CONFIG)
    for state in run.states[1:]:
        shown = [m["content"] for m in state["messages"] if m["type"] == "ai"]
        assert all("All done.".startswith(text) for text in shown[1:])


@pytest.mark.parametrize("form", WITH_SUBGRAPHS)
async def test_an_agent_as_a_node_streams_into_the_outer_conversation(form: str) -> None:
    graph = CASES["subgraph node"].build()
    run = await play(FORMS[form](graph, human("go"), CONFIG), parts=False)
    appended = [o["value"] for o in run.operations if o["path"][-1] == "content"]
    assert appended == ["see. ", "inner ", "answer."]


async def test_an_agent_that_is_given_the_whole_conversation_by_a_tool_stays_inside() -> None:
    """What it starts from is known, but a call waits: it runs inside that call."""
    inner = create_agent(ScriptedChatModel(turns=["inner words"]), tools=[])

    async def hand_over(state: MessagesState) -> Any:
        result = await inner.ainvoke({"messages": state["messages"][:1]})
        text = result["messages"][-1].content
        return {"messages": [{"role": "tool", "content": text, "tool_call_id": "c1"}]}

    model = ScriptedChatModel(turns=[[call("hand_over", "{}", "c1")], "Thanks."])

    async def ask(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask)
    builder.add_node("hand_over", hand_over)
    builder.add_node("close", ask)
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "hand_over")
    builder.add_edge("hand_over", "close")
    graph = builder.compile(checkpointer=InMemorySaver())
    run = await play(FORMS["tuples"](graph, human("go"), CONFIG), parts=False)
    assert run.state == await values_of(graph, CONFIG)
    ai = [m["content"] for s in run.states[1:] for m in s["messages"] if m["type"] == "ai"]
    assert "inner " not in ai


async def test_stream_graph_asks_for_what_tells_sub_agents_apart() -> None:
    """Two calls with the same arguments: only their tasks tell them apart."""
    model = ScriptedChatModel(
        turns=[
            [
                call("research", '{"topic": "bees", "wait": 0.02}', "late", 0),
                call("research", '{"topic": "bees"}', "early", 1),
            ],
            "Done.",
        ]
    )
    inner = create_agent(ScriptedChatModel(turns=["first ", "second "]), tools=[])
    graph = create_agent(model, tools=[research_tool(inner)], checkpointer=InMemorySaver())
    chunks = [c async for c in stream_graph(graph, human("go"), CONFIG)]
    nested = [(c.parent_id, c.text_delta) for c in chunks if c.type == "text-delta"]
    assert nested[:2] == [("early", "first "), ("late", "second ")]


async def test_a_rule_hides_a_sub_agent_or_shows_it_inline() -> None:
    for action, text in (("hide", "Asking. All done."), ("inline", "Asking. on bees: bees done")):
        rules = Visibility(rules=[Rule(action=action, namespace="tools")])  # type: ignore[arg-type]
        events = FORMS["tuples"](supervisor("bees"), human("go"), CONFIG)
        run = await play(events, visibility=rules)
        assert run.parts.text.startswith(text)
        assert run.parts.nested_text == {}


async def test_custom_events_of_a_sub_agent_are_nested_too() -> None:
    def note(state: MessagesState, writer: Any) -> Any:
        writer({"type": "note", "text": "found"})
        return {"messages": [AIMessage("noted")]}

    from langgraph.types import StreamWriter

    note.__annotations__["writer"] = StreamWriter
    builder = StateGraph(MessagesState)
    builder.add_node("note", note)
    builder.add_edge(START, "note")
    model = ScriptedChatModel(turns=[calls_for("bees"), "Done."])
    graph = create_agent(model, tools=[research_tool(builder.compile())])
    run = await play(FORMS["tuples"](graph, human("go"), None))
    assert [(part.name, part.parent_id) for part in run.parts.data] == [("note", "outer_bees")]


async def test_parallel_sub_agents_leave_no_trace_of_each_other() -> None:
    """Every nested call begins under its own parent, and state operations are none of theirs."""
    graph = supervisor("bees", "ants")
    run = await play(FORMS["tuples and tasks"](graph, human("go"), CONFIG))
    begun = [c for c in run.chunks if isinstance(c, ToolCallBeginChunk) and c.parent_id]
    assert sorted((c.tool_call_id, c.parent_id) for c in begun) == [
        ("inner_ants", "outer_ants"),
        ("inner_bees", "outer_bees"),
    ]
    assert not [c for c in run.chunks if isinstance(c, UpdateStateChunk)]


def test_no_call_is_named_when_nothing_tells_which() -> None:
    owners = ToolCallOwners()
    owners.begin("one", ())
    owners.begin("two", ())
    assert owners.owner_of(("tools:x",)) is None
    assert owners.owner_of(()) is None


def test_a_second_subgraph_of_the_same_task_belongs_to_the_same_call() -> None:
    owners = ToolCallOwners()
    owners.start_task({"id": "x", "input": {"tool_call": {"type": "tool_call", "id": "one"}}})
    owners.begin("one", ())
    owners.begin("two", ())
    assert owners.owner_of(("tools:x",)) == "one"
    assert owners.owner_of(("tools:x", "1")) == "one"
    assert owners.owner_of(("tools:x", "model:y")) == "one"


# Calls that run in one task are told apart by the input of their subgraphs, which version 1 of the
# events does not tell.
TRANSCRIPTS = [
    *((supervisor, form) for form in (*WITH_SUBGRAPHS, "events v1", "events v3")),
    *((hand_built_supervisor, form) for form in (*WITH_SUBGRAPHS, "events v3")),
]


@pytest.mark.parametrize(("build", "form"), TRANSCRIPTS)
async def test_transcripts_of_parallel_sub_agents_stand_in_the_right_cards(
    build: Any, form: str
) -> None:
    topics = ("bees", "ants", "wasps")
    run = await play(FORMS[form](build(*topics), human("go"), CONFIG), nested="messages")
    results = {c.tool_call_id: c for c in run.chunks if isinstance(c, ToolResultChunk)}
    assert set(results) == {f"outer_{topic}" for topic in topics}
    for topic in topics:
        messages: Any = results[f"outer_{topic}"].messages
        said = [part for message in messages for part in message["content"]]
        texts = [part["text"] for part in said if part["type"] == "text"]
        assert "".join(texts).endswith(f"on {topic}: {topic} done")
        [inner] = [part for part in said if part["type"] == "tool-call"]
        assert (inner["toolCallId"], inner["result"]) == (f"inner_{topic}", "sunny in Oslo")
    assert run.parts.text == "Asking. All done."
    assert not run.parts.nested_text


@pytest.mark.parametrize("action", ["hide", "inline"])
async def test_a_sub_agent_that_is_not_nested_has_no_transcript(action: Any) -> None:
    visibility = Visibility(rules=(Rule(action=action, namespace="tools"),))
    events = FORMS["tuples"](supervisor("bees"), human("go"), CONFIG)
    run = await play(events, nested="messages", visibility=visibility)
    [result] = [
        c for c in run.chunks if isinstance(c, ToolResultChunk) and "outer" in c.tool_call_id
    ]
    assert result.messages is None
    assert ("on bees" in run.parts.text) is (action == "inline")


async def test_ui_messages_of_a_sub_agent_come_under_its_call_and_are_updated_by_id() -> None:
    def draw(state: MessagesState) -> Any:
        push_ui_message("chart", {"title": "Bees", "bars": [1]}, id="ui-1")
        push_ui_message("chart", {"bars": [1, 2]}, id="ui-1", merge=True)
        delete_ui_message("ui-1")
        return {}

    builder = StateGraph(UIState).add_node("draw", draw).add_edge(START, "draw")
    model = ScriptedChatModel(turns=[calls_for("bees"), "Done."])
    graph = create_agent(model, tools=[drawing_tool(builder.compile())])
    run = await play(FORMS["tuples and tasks"](graph, human("go"), CONFIG))
    first, second, *rest = run.parts.data
    assert (first.name, first.data) == ("chart", {"title": "Bees", "bars": [1]})
    assert second.data == {"title": "Bees", "bars": [1, 2]}
    assert {(part.id, part.parent_id) for part in run.parts.data} == {("ui-1", "outer_bees")}
    assert rest[-1].data is None


def drawing_tool(graph: Graph) -> Any:
    @tool("research")
    async def draws(topic: str) -> str:
        """Draw a topic."""
        await graph.ainvoke({"messages": [HumanMessage(topic)]})
        return "drawn"

    return draws


class UIState(MessagesState):
    ui: Annotated[list[AnyUIMessage], ui_message_reducer]
