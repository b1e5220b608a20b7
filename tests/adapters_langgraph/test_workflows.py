"""Workflows over a pause: what was told before it is not told again, and nothing is lost."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from assistant_stream_ce.testing import check_stream, collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from tests.adapters_langchain.shown import calls, results, show
from tests.adapters_langgraph.graphs import human, weather
from tests.adapters_langgraph.runs import FORMS, Graph, Run, call, play

CONFIG = {"configurable": {"thread_id": "1"}}
HELLO = {"messages": [HumanMessage("hello", id="h1")]}
YES = Command(resume="yes")
WAYS = [*FORMS, "stream_graph"]
KNOWS_PAUSE = [way for way in WAYS if way not in ("updates", "values")]
WITH_STATE = [way for way in WAYS if way not in ("updates", "messages", "messages and updates")]


async def run(way: str, graph: Graph, given: Any, shown: Any = None, **options: Any) -> Run:
    """Run a graph in one of the ways in which a user may hold its stream."""
    if way != "stream_graph":
        return await play(FORMS[way](graph, given, CONFIG), initial_state=shown, **options)
    chunks = await collect(stream_graph(graph, given, CONFIG, initial_state=shown, **options))
    check_stream(chunks, initial_state=shown)
    return Run(chunks, shown)


async def texts(way: str, graph: Graph, *inputs: Any) -> list[str]:
    """What the client shows of each run, as parts."""
    return [show((await run(way, graph, given)).chunks).text for given in inputs]


async def conversation(way: str, graph: Graph, *inputs: Any) -> list[str]:
    """The conversation that a client ends up with that renders from the state."""
    shown = None
    for given in inputs:
        shown = (await run(way, graph, given, shown, parts=False)).state
    return [_text(message["content"]) for message in shown["messages"]]


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def asking_twice(returns: str) -> Graph:
    """A workflow that asks its model, then a person, then its model, and returns all of that."""
    model = ScriptedChatModel(turns=[["One", ". "], ["Two", ". "]])

    @task
    async def ask(messages: Any) -> Any:
        return await model.ainvoke(messages)

    @entrypoint(checkpointer=InMemorySaver())
    async def agent(given: dict[str, Any]) -> Any:
        first = await ask(given["messages"])
        told = [*given["messages"], first, HumanMessage(interrupt("ok?"), id="h2")]
        whole = [*told, await ask(told)]
        match returns:
            case "list":
                return whole
            case "state":
                return {"messages": whole}
            case "last":
                return whole[-1]
            case _:
                return entrypoint.final(value={"messages": whole}, save=whole)

    return agent


@pytest.mark.parametrize("way", KNOWS_PAUSE)
@pytest.mark.parametrize("returns", ["list", "state", "last", "final"])
async def test_what_was_told_before_the_pause_is_not_told_again(way: str, returns: str) -> None:
    assert await texts(way, asking_twice(returns), HELLO, YES) == ["One. ", "Two. "]


@pytest.mark.parametrize("returns", ["list", "state", "final"])
async def test_values_alone_tell_all_when_the_workflow_has_ended(returns: str) -> None:
    assert await texts("values", asking_twice(returns), HELLO, YES) == ["", "One. Two. "]


async def test_updates_alone_need_to_know_what_the_client_shows() -> None:
    graph = asking_twice("list")
    first = await run("updates", graph, HELLO, parts=False)
    second = await run("updates", graph, YES, first.state)
    assert show(second.chunks).text == "Two. "


@pytest.mark.parametrize(
    ("way", "returns"),
    [
        *((way, "list") for way in WITH_STATE),
        *((way, "state") for way in WITH_STATE if way != "events v1"),  # It tells no state.
    ],
)
async def test_the_state_has_the_conversation_in_its_order(way: str, returns: str) -> None:
    told = await conversation(way, asking_twice(returns), HELLO, YES)
    assert told == ["hello", "One. ", "yes", "Two. "]


@pytest.mark.parametrize("way", [way for way in WAYS if way != "values"])
async def test_the_state_keeps_what_was_said_while_it_waits(way: str) -> None:
    assert await conversation(way, asking_twice("list"), HELLO) == ["One. "]


def approving(returns: str = "both") -> Graph:
    """A workflow that has a draft approved, and adds to it by hand."""
    model = ScriptedChatModel(turns=[["A ", "draft. "]])

    @task
    async def ask(messages: Any) -> Any:
        return await model.ainvoke(messages)

    @entrypoint(checkpointer=InMemorySaver())
    async def agent(given: dict[str, Any]) -> Any:
        draft = await ask(given["messages"])
        interrupt("ok?")
        if returns == "draft":
            return draft
        return [*given["messages"], draft, AIMessage("Published.")]

    return agent


WITHOUT_CALLS = [way for way in KNOWS_PAUSE if way not in ("messages", "messages and updates")]
"""Nothing of the second run but what it returns says in these two that it goes on."""


@pytest.mark.parametrize("way", WITHOUT_CALLS)
async def test_what_it_adds_by_hand_is_told(way: str) -> None:
    assert await texts(way, approving(), HELLO, YES) == ["A draft. ", "Published."]


@pytest.mark.parametrize("way", [way for way in WITHOUT_CALLS if way != "values and updates"])
async def test_an_answer_that_was_approved_is_told_once(way: str) -> None:
    assert await texts(way, approving("draft"), HELLO, YES) == ["A draft. ", ""]


def by_hand() -> Graph:
    """A workflow whose task makes a message up."""

    @task
    async def greet() -> Any:
        return AIMessage("Hi. ")

    @entrypoint(checkpointer=InMemorySaver())
    async def agent(given: dict[str, Any]) -> Any:
        greeting = await greet()
        interrupt("ok?")
        return [*given["messages"], greeting, AIMessage("Bye. ")]

    return agent


async def test_the_checkpoint_knows_a_message_that_no_model_has_said() -> None:
    assert await texts("stream_graph", by_hand(), HELLO, YES) == ["Hi. ", "Bye. "]


@pytest.mark.parametrize("way", [way for way in WITH_STATE if way != "values"])
async def test_a_message_without_an_id_stands_once_in_the_state(way: str) -> None:
    assert await conversation(way, by_hand(), HELLO, YES) == ["hello", "Hi. ", "Bye. "]


def remembering() -> Graph:
    """A workflow that goes on with what it has saved, and returns all of it."""
    model = ScriptedChatModel(turns=["One. ", "Two. ", "Three. ", "Four. "])

    @task
    async def ask(messages: Any) -> Any:
        return await model.ainvoke(messages)

    @entrypoint(checkpointer=InMemorySaver())
    async def agent(given: dict[str, Any], *, previous: Any = None) -> Any:
        told = [*(previous or []), *given["messages"]]
        told.append(await ask(told))
        interrupt("ok?")
        return [*told, await ask(told)]

    return agent


@pytest.mark.parametrize("way", KNOWS_PAUSE)
async def test_a_second_turn_tells_nothing_of_the_first(way: str) -> None:
    again = {"messages": [HumanMessage("again", id="h2")]}
    told = await texts(way, remembering(), HELLO, YES, again, YES)
    assert told == ["One. ", "Two. ", "Three. ", "Four. "]


async def test_stream_graph_looks_up_what_a_workflow_has_saved() -> None:
    """A second turn without a pause: nothing in its stream says what is old."""
    model = ScriptedChatModel(turns=["One. ", "Two. "])

    @entrypoint(checkpointer=InMemorySaver())
    async def agent(given: dict[str, Any], *, previous: Any = None) -> Any:
        told = [*(previous or []), *given["messages"]]
        return [*told, await model.ainvoke(told)]

    assert await texts("stream_graph", agent, HELLO, human("again")) == ["One. ", "Two. "]


def with_tools() -> Graph:
    """A workflow that has called a tool before the pause."""
    turn = ["Look. ", call("weather", '{"city": "Rome"}', "w1")]
    model = ScriptedChatModel(turns=[turn, "Sunny."])

    @task
    async def ask(messages: Any) -> Any:
        return await model.ainvoke(messages)

    @task
    async def use(made: Any) -> Any:
        return await weather.ainvoke(made)

    @entrypoint(checkpointer=InMemorySaver())
    async def agent(given: dict[str, Any]) -> Any:
        told = [*given["messages"], await ask(given["messages"])]
        told.append(await use(told[-1].tool_calls[0]))
        interrupt("ok?")
        return [*told, await ask(told)]

    return agent


@pytest.mark.parametrize("way", KNOWS_PAUSE)
async def test_a_call_of_before_the_pause_is_not_made_again(way: str) -> None:
    graph = with_tools()
    first = show((await run(way, graph, HELLO)).chunks)
    assert [made[0] for made in calls(first)] == ["w1"]
    if way not in ("events v3", "messages and values"):  # These tell it when all has ended.
        assert results(first) == {"w1": "sunny in Rome"}
    second = show((await run(way, graph, YES)).chunks)
    assert [part["type"] for part in second.parts] == ["text"]
    assert second.text == "Sunny."


def node_with_tasks() -> Graph:
    """A node of a graph that calls tasks, and asks between them."""
    model = ScriptedChatModel(turns=["One. ", "Two. "])

    @task
    async def ask(messages: Any) -> Any:
        return await model.ainvoke(messages)

    async def work(state: MessagesState) -> Any:
        first = await ask(state["messages"])
        interrupt("ok?")
        second = await ask([*state["messages"], first])
        return {"messages": [first, AIMessage("By hand. ", id="own"), second]}

    builder = StateGraph(MessagesState).add_node("work", work).add_edge(START, "work")
    return builder.compile(checkpointer=InMemorySaver())


TELLS_OF_TASKS = [
    way for way in KNOWS_PAUSE if way not in ("values and updates", "messages and values")
]
"""What says that a task is missing: updates beside messages, the events of runs, a checkpoint."""


@pytest.mark.parametrize("way", [way for way in TELLS_OF_TASKS if way != "events v3"])
async def test_the_tasks_of_a_node_are_told_once(way: str) -> None:
    assert await texts(way, node_with_tasks(), HELLO, YES) == ["One. ", "Two. By hand. "]


@pytest.mark.parametrize("way", [way for way in WAYS if way != "values"])
async def test_what_a_workflow_makes_up_is_told_with_the_rest(way: str) -> None:
    model = ScriptedChatModel(turns=[["One", ". "]])

    @task
    async def ask(messages: Any) -> Any:
        return await model.ainvoke(messages)

    @entrypoint(checkpointer=InMemorySaver())
    async def agent(given: dict[str, Any]) -> Any:
        return {"messages": [await ask(given["messages"]), AIMessage("Own. ", id="own")]}

    assert await texts(way, agent, HELLO) == ["One. Own. "]


def failing(*, in_node: bool) -> Graph:
    """A function that goes on without a task which failed while its model spoke, and adds what it
    has from a model that LangChain does not know."""
    turns = ["One. ", ["Bro", "ken. ", ValueError("overloaded")]]
    model = ScriptedChatModel(turns=turns)

    @task
    async def ask(messages: Any) -> Any:
        return await model.ainvoke(messages)

    async def work(state: Any) -> Any:
        told = [await ask(state["messages"])]
        with suppress(ValueError):
            await ask(state["messages"])
        foreign = AIMessage("Two. ", id="own", response_metadata={"model_name": "other"})
        return {"messages": [*told, foreign]}

    if not in_node:
        return entrypoint(checkpointer=InMemorySaver())(work)
    builder = StateGraph(MessagesState).add_node("work", work).add_edge(START, "work")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("way", KNOWS_PAUSE)
@pytest.mark.parametrize("in_node", [True, False])
async def test_a_task_that_fails_takes_nothing_from_what_is_told_after_it(
    way: str, in_node: bool
) -> None:
    [told] = await texts(way, failing(in_node=in_node), HELLO)
    assert told.removeprefix("One. ").removeprefix("Broken. ") == "Two. "


def inside_a_node() -> Graph:
    """A node that calls a workflow, which asks its model, then a person, then its model."""
    model = ScriptedChatModel(turns=["One. ", "Two. "])

    @task
    async def ask(messages: Any) -> Any:
        return await model.ainvoke(messages)

    @entrypoint()
    async def inner(messages: Any) -> Any:
        first = await ask(messages)
        interrupt("ok?")
        return [first, await ask(messages)]

    async def work(state: MessagesState) -> Any:
        return {"messages": await inner.ainvoke(state["messages"])}

    builder = StateGraph(MessagesState).add_node("work", work).add_edge(START, "work")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("way", ["tuples", "events v2", "events v3", "stream_graph"])
async def test_a_workflow_inside_of_a_graph_gives_back_what_it_has_told(way: str) -> None:
    """The checkpoint of the graph around it does not have what its tasks have returned."""
    assert await texts(way, inside_a_node(), HELLO, YES) == ["One. ", "Two. "]
