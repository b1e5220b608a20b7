"""Group E of the field reports: sub-agents."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.ui import AnyUIMessage, push_ui_message, ui_message_reducer
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command

from assistant_stream_ce.testing import collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from assistant_stream_langgraph.app import create_app
from tests.adapters_langchain.shown import show
from tests.adapters_langgraph.runs import Graph, call
from tests.app.serving import Chat, serving
from tests.npm import Decoded

from .screen import FOUR_FORMS, THREAD, agent, ask, call_part, human, see_form, see_states

TOPICS = ("bees", "ants", "wasps")


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def expert() -> Graph:
    """An agent that calls a tool of its own, then repeats its topic."""

    def turn(messages: list[Any]) -> Any:
        topic = messages[0].text
        if messages[-1].type == "tool":
            return [f"{topic} ", "are fine."]
        return ["On ", f"{topic}. ", call("weather", '{"city": "Oslo"}', f"inner_{topic}")]

    model = ScriptedChatModel(turns=[turn], cycle=True, delay=0.001)
    return create_agent(model, [weather], name="expert")


def task_tool(helper: Graph) -> BaseTool:
    """A tool as deepagents has it: it answers with a `Command`."""

    @tool
    async def task(description: str, subagent_type: str, runtime: ToolRuntime) -> Command[Any]:
        """Give a task to an agent."""
        done = await helper.ainvoke({"messages": [HumanMessage(description)]})
        answer = ToolMessage(done["messages"][-1].text, tool_call_id=runtime.tool_call_id)
        return Command(update={"messages": [answer]})

    return task


def asks(*topics: str) -> list[Any]:
    """Calls that go out together."""
    args = '{{"description": "{}", "subagent_type": "expert"}}'
    return [
        call("task", args.format(topic), f"task_{topic}", index)
        for index, topic in enumerate(topics)
    ]


def supervisor() -> Graph:
    return agent([["Asking. ", *asks(*TOPICS)], "All fine."], [task_tool(expert())])


def hand_built_supervisor() -> Graph:
    """The same, with all calls run by one task."""
    model = ScriptedChatModel(turns=[["Asking. ", *asks(*TOPICS)], "All fine."])

    async def speak(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("speak", speak)
    builder.add_node("tools", ToolNode([task_tool(expert())]))
    builder.add_edge(START, "speak").add_edge("tools", "speak")
    builder.add_conditional_edges("speak", tools_condition)
    return builder.compile(checkpointer=InMemorySaver())


def under(shown: Decoded, parent_id: str) -> list[dict[str, Any]]:
    """The parts under a call."""
    return [part for part in shown.parts if part.get("parentId") == parent_id]


@pytest.mark.parametrize("form", [*FOUR_FORMS, "events v1"])
@pytest.mark.parametrize("build", [supervisor, hand_built_supervisor])
async def test_e27_each_part_of_a_sub_agent_stands_under_the_call_that_started_it(
    build: Any, form: str
) -> None:
    """deepagents #876, #109, #2086, vercel #8380: parallel sub-agents could not be told apart."""
    shown = await see_form(form, build())

    for topic in TOPICS:
        parts = under(shown, f"task_{topic}")
        text = "".join(part["text"] for part in parts if part["type"] == "text")
        assert text == f"On {topic}. {topic} are fine."
        [inner] = [part for part in parts if part["type"] == "tool-call"]
        assert (inner["toolCallId"], inner["result"]) == (f"inner_{topic}", "sunny in Oslo")
        assert call_part(shown, f"task_{topic}")["result"] == f"{topic} are fine."
    own = [p["text"] for p in shown.parts if p["type"] == "text" and not p.get("parentId")]
    assert "".join(own) == "Asking. All fine."


async def test_e27_two_calls_with_the_same_words_are_told_apart_too() -> None:
    """deepagents #876: the input of both is the same, so only their tasks tell which is which."""
    graph = agent([[*asks("bees"), again("bees")], "Fine."], [task_tool(expert())])

    shown = await ask(graph)

    for call_id in ("task_bees", "again"):
        text = "".join(p["text"] for p in under(shown, call_id) if p["type"] == "text")
        assert text == "On bees. bees are fine."


def again(topic: str) -> Any:
    return call("task", f'{{"description": "{topic}", "subagent_type": "expert"}}', "again", 1)


class Drawn(MessagesState):
    ui: Annotated[list[AnyUIMessage], ui_message_reducer]


def drawing(where: str) -> Graph:
    """An agent that draws, inside a tool or as a node of a larger graph."""

    def draw(state: Drawn) -> Any:
        push_ui_message("chart", {"bars": [1]}, id="ui-1")
        push_ui_message("chart", {"bars": [1, 2]}, id="ui-1")
        get_stream_writer()({"type": "progress", "done": 1})
        return {}

    inner: Graph = StateGraph(Drawn).add_node("draw", draw).add_edge(START, "draw").compile()
    if where == "node":
        return StateGraph(Drawn).add_node("inner", inner).add_edge(START, "inner").compile()

    @tool
    async def draws(topic: str) -> str:
        """Draw a topic."""
        await inner.ainvoke({"messages": [HumanMessage(topic)]})
        return "drawn"

    return agent([[call("draws", '{"topic": "bees"}', "a")], "Done."], [draws])


@pytest.mark.parametrize("form", ["tuples", "tuples and tasks", "v2", "server parts"])
@pytest.mark.parametrize(("where", "parent"), [("node", None), ("tool", "a")])
async def test_e28_what_a_sub_agent_draws_reaches_the_client(
    where: str, parent: str | None, form: str
) -> None:
    """deepagents #2982: UI messages from a sub-agent never arrived."""
    shown = await see_form(form, drawing(where))

    drawn = [part for part in shown.parts if part["type"] == "data"]
    assert [(part["name"], part["data"]) for part in drawn] == [
        ("chart", {"bars": [1]}),
        ("chart", {"bars": [1, 2]}),
        ("progress", {"type": "progress", "done": 1}),
    ]
    chunks = await collect(stream_graph(drawing(where), human(), THREAD))
    told = [c for c in chunks if c.type == "data-part"]
    assert {(c.parent_id, c.id) for c in told} == {(parent, "ui-1"), (parent, None)}
    assert show(chunks).error is None


async def test_e29_sub_agents_stream_without_being_asked_to() -> None:
    """assistant-ui #7407, agent-chat-ui #152, CopilotKit #1699: subgraphs had to be switched on."""
    shown = await ask(supervisor())

    assert all(under(shown, f"task_{topic}") for topic in TOPICS)


def agent_as_node() -> Graph:
    inner: Graph = create_agent(
        ScriptedChatModel(turns=[["One ", "two ", "three."]], delay=0.05), []
    )
    builder = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner")
    return builder.compile(checkpointer=InMemorySaver())


async def test_e29_an_agent_that_is_a_node_streams_into_the_conversation() -> None:
    """CopilotKit #1699: its answer came all at once, at the end of the node."""
    async with serving(create_app(agent_as_node())) as http:
        decoded = await Chat(http).ask("Go")

    told = [message["metadata"]["unstable_state"]["messages"] for message in decoded.messages]
    answers = [messages[1]["content"] for messages in told if len(messages) > 1]
    assert answers[-1] == "One two three."
    assert len(set(answers)) > 1
    states = await see_states(agent_as_node())
    assert {"One ", "One two "} <= {m["content"] for s in states for m in s["messages"]}
