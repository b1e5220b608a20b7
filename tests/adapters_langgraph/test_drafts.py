"""A model's words are told once, when a node keeps its message and writes a copy of it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Send

from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langchain.shown import show
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.runs import FORMS, Graph, play, values_of

CONFIG = {"configurable": {"thread_id": "1"}}
WITH_TASKS = ["tuples and tasks", "events v1", "events v2"]
TOLD_BY_GRAPH = [form for form in FORMS if form != "messages"]


class State(MessagesState, total=False):
    """A conversation, and what stands beside it."""

    draft: Any
    work: int


def copy_of(reply: Any, kind: str) -> Any:
    """The words of a reply in one of the forms in which a node may write them."""
    text = str(reply.text)
    forms = {
        "nameless": AIMessage(text),
        "named": AIMessage(text, id="own"),
        "pair": ("ai", text),
        "dict": {"role": "assistant", "content": text},
        "reply": reply,
    }
    return forms[kind]


def drafting(kind: str, *, first: bool = True) -> Graph:
    """A node that keeps what its model says, and writes the words to the conversation."""
    model = ScriptedChatModel(turns=[["Roses ", "are ", "red."]])

    async def write(state: State) -> Any:
        reply = await model.ainvoke(state["messages"])
        draft, copy = {"draft": reply}, {"messages": [copy_of(reply, kind)]}
        return {**draft, **copy} if first else {**copy, **draft}

    builder = StateGraph(State).add_node("write", write).add_edge(START, "write")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["nameless", "named", "pair", "dict", "reply"])
async def test_a_draft_and_its_copy_are_told_once(form: str, kind: str) -> None:
    for first in (True, False):
        run = await play(FORMS[form](drafting(kind, first=first), human("hello"), CONFIG))
        assert show(run.chunks).text == "Roses are red."


@pytest.mark.parametrize("form", ["tuples", "v2", "values", "events v2", "events v3"])
async def test_the_state_has_the_copy_and_the_draft(form: str) -> None:
    graph = drafting("nameless")
    run = await play(FORMS[form](graph, human("hello"), CONFIG), parts=False)
    assert run.state == await values_of(graph, CONFIG)


def published(*between: str) -> Graph:
    """A node that keeps a draft, perhaps one that says something else, and one that publishes."""
    model = ScriptedChatModel(turns=[["Roses ", "are ", "red."]])

    async def write(state: State) -> Any:
        return {"draft": await model.ainvoke(state["messages"])}

    async def remark(state: State) -> Any:
        return {"messages": [AIMessage(text) for text in between]}

    async def publish(state: State) -> Any:
        return {"messages": [AIMessage(str(state["draft"].text))]}

    builder = StateGraph(State).add_sequence([write, remark, publish]).add_edge(START, "write")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", TOLD_BY_GRAPH)
async def test_another_node_may_publish_a_draft(form: str) -> None:
    shown = show((await play(FORMS[form](published(), human("hello"), CONFIG))).chunks)
    assert shown.text == "Roses are red."


@pytest.mark.parametrize("form", TOLD_BY_GRAPH)
async def test_below_other_words_it_is_told_where_it_stands(form: str) -> None:
    shown = show((await play(FORMS[form](published("Look: "), human("hello"), CONFIG))).chunks)
    assert shown.text == "Roses are red.Look: Roses are red."


@pytest.mark.parametrize("form", TOLD_BY_GRAPH)
async def test_a_draft_has_one_copy(form: str) -> None:
    """Who says the same once more says it."""

    async def write(state: State) -> Any:
        model = ScriptedChatModel(turns=[["Yes. "]])
        reply = await model.ainvoke(state["messages"])
        return {"draft": reply, "messages": [AIMessage("Yes. "), AIMessage("Yes. ")]}

    builder = StateGraph(State).add_node("write", write).add_edge(START, "write")
    graph = builder.compile(checkpointer=InMemorySaver())
    shown = show((await play(FORMS[form](graph, human("hello"), CONFIG))).chunks)
    assert shown.text == "Yes. Yes. "


def two_drafts(keeps: str) -> Graph:
    """A node that asks two models, and keeps the message of one and a copy of the other."""
    model = ScriptedChatModel(turns=["Yes. ", "Yes. "])

    async def write(state: State) -> Any:
        one = await model.ainvoke(state["messages"])
        other = await model.ainvoke([*state["messages"], HumanMessage("again")])
        kept, copied = (one, other) if keeps == "one" else (other, one)
        return {"draft": copied, "messages": [kept, AIMessage(str(copied.text))]}

    builder = StateGraph(State).add_node("write", write).add_edge(START, "write")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", TOLD_BY_GRAPH)
@pytest.mark.parametrize("keeps", ["one", "other"])
async def test_of_two_that_say_the_same_the_draft_is_the_one_that_is_copied(
    form: str, keeps: str
) -> None:
    shown = show((await play(FORMS[form](two_drafts(keeps), human("hello"), CONFIG))).chunks)
    assert shown.text == "Yes. Yes. "


def fan(copies: int) -> Graph:
    """A node that runs twice at the same time, with the same words in both tasks."""

    async def write(state: State) -> Any:
        model = ScriptedChatModel(turns=[[0.001 * state["work"], "Yes. "]])
        reply = await model.ainvoke(state["messages"])
        told = [AIMessage(str(reply.text))] if state["work"] < copies else [reply]
        return {"messages": told, **({"draft": reply} if not state["work"] else {})}

    def route(state: State) -> list[Send]:
        return [Send("write", {"messages": state["messages"], "work": n}) for n in range(2)]

    builder = StateGraph(State).add_node("write", write)
    builder.add_conditional_edges(START, route, ["write"])
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", WITH_TASKS)
@pytest.mark.parametrize("copies", [1, 2])
async def test_each_of_two_tasks_has_its_words(form: str, copies: int) -> None:
    shown = show((await play(FORMS[form](fan(copies), human("hello"), CONFIG))).chunks)
    assert shown.text == "Yes. Yes. "


def moved(draft: AIMessage) -> Graph:
    """Three nodes: one says something, one keeps a draft of the same words, one publishes that."""

    async def say(state: State) -> Any:
        return {"messages": [AIMessage("Yes. ")]}

    async def keep(state: State) -> Any:
        return {"draft": draft}

    async def wait(state: State) -> Any:
        return {"work": 1}

    async def publish(state: State) -> Any:
        return {"messages": [state["draft"]]}

    builder = StateGraph(State).add_sequence([say, keep, wait, publish]).add_edge(START, "say")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", TOLD_BY_GRAPH)
@pytest.mark.parametrize("name", [None, "own"])
async def test_a_draft_of_words_that_were_told_is_told_when_it_is_published(
    form: str, name: str | None
) -> None:
    graph = moved(AIMessage("Yes. ", id=name))
    shown = show((await play(FORMS[form](graph, human("hello"), CONFIG))).chunks)
    assert shown.text == "Yes. Yes. "
