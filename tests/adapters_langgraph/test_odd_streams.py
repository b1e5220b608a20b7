"""Recorded streams in which something is wrong: the rest is told, and the wire ends."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph_sdk.schema import StreamPart

from assistant_stream_ce.testing import check_stream, collect
from assistant_stream_langgraph import from_langgraph_events, stream_graph
from tests.adapters_langchain.shown import show
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.runs import FORMS, Graph, play
from tests.adapters_langgraph.test_programs import CONFIG, asking_inside, flow, introduced

RECORDED = [form for form in FORMS if form not in ("events v1", "no subgraphs")]
WITH_TOKENS = ["tuples", "tuples and tasks", "v2", "server parts", "remote tuples"]
"""What tells all that is said twice: as it comes, and whole."""


class Odd:
    """A value that is nothing, has no JSON form and cannot be a key."""

    __hash__ = None  # type: ignore[assignment]


RUBBISH: list[Any] = [
    None, 3, "x", b"y", [], {}, (), Odd(), [[]], {"a": 1}, {1: {2: 3}}, ("a",), [None], True,
    {"type": "ai"}, [Odd()], {"messages": 5}, {"messages": [None, 3]}, (Odd(), Odd()),
]  # fmt: skip


@cache
def recording(form: str, number: int) -> tuple[Any, ...]:
    """The events of a run, in some form."""
    build = (asking_inside, flow, introduced)[number]

    async def record() -> tuple[Any, ...]:
        return tuple([event async for event in FORMS[form](build(), human("hello"), CONFIG)])

    return asyncio.run(record())


def items_of(value: Any) -> dict[Any, Any]:
    """What a piece of an event is made of."""
    if isinstance(value, dict):
        return value
    return dict(enumerate(value)) if isinstance(value, (list, tuple)) else {}


def replaced(value: Any, items: dict[Any, Any]) -> Any:
    """A piece of an event made of other items."""
    if isinstance(value, dict):
        return items
    if isinstance(value, StreamPart):
        return StreamPart(*[items.get(place) for place in range(len(value))])
    return type(value)(items.values())


def corrupted(draw: Any, value: Any) -> Any:
    """A value of which one piece, however deep in it, is rubbish, or is missing."""
    items = items_of(value)
    if not items or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(RUBBISH))
    key = draw(st.sampled_from(list(items)))
    if draw(st.integers(0, 4)) == 0:
        return replaced(value, {k: item for k, item in items.items() if k != key})
    return replaced(value, {**items, key: corrupted(draw, items[key])})


@st.composite
def odd_streams(draw: Any, recorded: list[tuple[Any, ...]]) -> tuple[int, int, Any]:
    """Which recorded stream, a place in it, and what stands there instead."""
    number = draw(st.integers(0, len(recorded) - 1))
    events = recorded[number]
    place = draw(st.integers(0, len(events) - 1))
    return number, place, corrupted(draw, events[place])


def text_of(events: list[Any], **options: Any) -> str:
    """All text that a client shows of a stream, nested or not."""
    chunks = asyncio.run(collect(from_langgraph_events(events, **options)))
    check_stream(chunks)
    return "".join(part["text"] for part in show(chunks).parts if "text" in part)


def is_within(text: str, shown: str) -> bool:
    """Whether all of a text is shown, in whatever order."""
    return Counter(text) <= Counter(shown)


def is_token(event: Any) -> bool:
    """Whether an event tells what a model says."""
    return "AIMessageChunk" in repr(event)


@cache
def text_of_recording(form: str, number: int) -> str:
    """All text of a recorded stream."""
    return text_of([*recording(form, number)])


@pytest.mark.parametrize("form", RECORDED)
def test_one_odd_event_costs_nothing_else(form: str) -> None:
    recorded = [recording(form, number) for number in range(3)]

    @settings(max_examples=6, deadline=None)
    @given(odd_streams(recorded))
    def check(case: tuple[int, int, Any]) -> None:
        number, place, odd = case
        events = recorded[number]
        before, after = events[:place], events[place + 1 :]
        shown = text_of([*before, odd, *after])
        if form in WITH_TOKENS and not is_token(events[place]):
            assert is_within(text_of_recording(form, number), shown)
        else:
            assert is_within(text_of([*before, *after]), shown)
        stream = partial(from_langgraph_events, [*before, odd, *after], parts=False)
        check_stream(asyncio.run(collect(stream())))

    check()


@pytest.mark.parametrize("kind", [AttributeError, IndexError, KeyError, TypeError, ValueError])
async def test_an_error_of_the_graph_is_no_odd_event(kind: type[Exception]) -> None:
    """It reaches who reads, although a reader passes over what it cannot read for the same."""
    for form in [*FORMS, "stream_graph"]:
        error = kind("the user's own")
        graph = failing(error)
        if form == "stream_graph":
            stream = stream_graph(graph, human("hello"))
        else:
            stream = from_langgraph_events(FORMS[form](graph, human("hello"), {}))
        with pytest.raises(kind) as caught:
            await collect(stream)
        assert caught.value is error


def failing(error: Exception) -> Graph:
    """A graph whose node raises."""

    async def work(state: MessagesState) -> None:
        raise error

    return StateGraph(MessagesState).add_node("work", work).add_edge(START, "work").compile()


TOKEN = AIMessageChunk(content="ok", id="m")


@pytest.mark.parametrize("parts", [True, False])
@pytest.mark.parametrize(
    "metadata",
    [
        None,
        3,
        [],
        {"langgraph_node": []},
        {"langgraph_node": {}},
        {"langgraph_checkpoint_ns": 5, "tags": [["nostream"]], "run_id": []},
        {"langgraph_path": ("__pregel_push", 1, None, True), "langgraph_triggers": 3},
        {"assistant_stream_schema": []},
    ],
)
async def test_a_token_is_told_whatever_its_metadata(metadata: Any, parts: bool) -> None:
    run = await play([((), "messages", (TOKEN, metadata))], parts=parts)
    if parts:
        assert run.parts.text == "ok"
    else:
        assert [message["content"] for message in run.state["messages"]] == ["ok"]


@pytest.mark.parametrize(
    "event",
    [
        ((), "messages"),
        ((), "messages", "x"),
        ((), "messages", (None, None)),
        ((), "messages", (TOKEN, {}, 3)),
        ((5,), "messages", (TOKEN, {})),
        ((), "messages", (TOKEN, {}), "more"),
        ((), "updates", [1]),
        ((), "updates", None),
        ((), "tasks", {"id": "t", "name": []}),
        {"type": "updates", "ns": None, "data": {}},
        {"type": "values", "ns": ()},
        {"event": "on_chat_model_stream", "run_id": "r", "data": 3},
        {"event": "on_chain_start", "run_id": [], "tags": [5]},
        {"method": "messages", "params": {"namespace": [], "data": [{"event": []}, 3]}},
        StreamPart("messages/partial", [{"type": "ai", "content": 5}]),
    ],
)
async def test_what_is_no_event_is_passed_over(
    event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    whole = ((), "messages", (AIMessageChunk(content="So. ", id="w"), {"langgraph_node": "n"}))
    with caplog.at_level(logging.WARNING):
        run = await play([whole, event, event, ((), "messages", (TOKEN, {}))])
    assert run.parts.text == "So. ok"
    assert len(caplog.records) <= 1


def nameless(text: str, **more: Any) -> AIMessageChunk:
    return AIMessageChunk(content=text, **more)


def said(node: str, *texts: str, end: bool = True, **more: Any) -> list[Any]:
    """What a model says in a node, as somebody has recorded it who left the ids out."""
    about = {"langgraph_node": node, "langgraph_checkpoint_ns": f"{node}:1", **more}
    chunks = [nameless(text) for text in texts]
    if end:
        chunks.append(nameless("", chunk_position="last"))
    return [((), "messages", (chunk, dict(about))) for chunk in chunks]


@pytest.mark.parametrize("parts", [True, False])
async def test_chunks_without_an_id_are_the_message_of_their_call(parts: bool) -> None:
    one, other = said("one", "a", "b", "c"), said("other", "x", "y", "z")
    in_turns = [event for pair in zip(one, other, strict=True) for event in pair]
    run = await play([*in_turns, *said("one", "again")], parts=parts)
    if parts:
        assert show(run.chunks).text == "abcxyzagain"
    else:
        texts = [message["content"] for message in run.state["messages"]]
        assert texts == ["abc", "xyz", "again"]
        assert len({message["id"] for message in run.state["messages"]}) == 3


async def test_models_that_one_task_asks_are_told_apart_by_what_is_told_of_them() -> None:
    one, other = said("n", "a", "b", run_id="1"), said("n", "x", "y", run_id="2")
    in_turns = [event for pair in zip(one, other, strict=True) for event in pair]
    run = await play(in_turns, parts=False)
    assert [message["content"] for message in run.state["messages"]] == ["ab", "xy"]


@pytest.mark.parametrize("written", [AIMessage("ab"), AIMessage("ab", id="m")])
async def test_the_message_of_chunks_without_an_id_is_the_one_that_its_node_writes(
    written: AIMessage,
) -> None:
    events = [
        ((), "values", {"messages": [HumanMessage("hello", id="h")]}),
        *said("n", "a", "b", end=False),
        ((), "updates", {"n": {"messages": [written]}}),
        ((), "values", {"messages": [HumanMessage("hello", id="h"), written]}),
    ]
    assert show((await play(events)).chunks).text == "ab"
    run = await play(events, parts=False)
    assert [message["content"] for message in run.state["messages"]] == ["hello", "ab"]


async def test_a_message_whose_first_chunk_alone_has_an_id_is_one() -> None:
    events = [((), "messages", (AIMessageChunk(content="a", id="msg_1"), {})), *said_after()]
    run = await play(events, parts=False)
    assert [(m["id"], m["content"]) for m in run.state["messages"]] == [("msg_1", "abc")]
    assert show((await play(events)).chunks).text == "abc"


def said_after() -> list[Any]:
    return [((), "messages", (nameless(text), {})) for text in ("b", "c")]


async def test_an_artifact_without_a_json_form_costs_no_message() -> None:
    told = ToolMessage("done", tool_call_id="c", id="t", artifact=Odd())
    run = await play([((), "values", {"messages": [told]})], parts=False)
    assert [message["content"] for message in run.state["messages"]] == ["done"]


async def test_a_state_may_have_channels_named_as_the_fields_of_events_are() -> None:
    states = [{"type": "a", "params": [n], "event": "x", "run_id": "r"} for n in range(2)]
    assert (await play(states)).state == states[-1]


async def test_a_state_may_lack_fields_of_its_class() -> None:
    state = Fields.__new__(Fields)
    state.messages = [AIMessage("hello", id="m")]
    events = [((), "values", {"messages": []}), ((), "values", state)]
    assert (await play(events)).parts.text == "hello"
    assert len((await play([state], parts=False)).state["messages"]) == 1


@dataclass
class Fields:
    messages: list[AIMessage]
    other: int


@pytest.mark.parametrize("given", [3, "x", {"a": 1}, None])
async def test_what_is_no_stream_is_refused_by_name(given: Any) -> None:
    with pytest.raises(TypeError, match=rf"cannot be a `builtins.{type(given).__name__}`.*astream"):
        from_langgraph_events(given)
