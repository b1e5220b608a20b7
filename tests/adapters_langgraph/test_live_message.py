"""A streaming message in the mirror ends as what LangChain makes of its chunks."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message

from assistant_stream_ce._json import to_json
from assistant_stream_ce.state import apply_operations, diff
from assistant_stream_langchain.visibility import Visibility
from assistant_stream_langgraph._conversation import Conversation
from assistant_stream_langgraph._live_message import LiveMessage
from tests.adapters_langgraph.runs import call, play, usage

PATH = ["messages", "0"]


def chunk(content: Any = "", **fields: Any) -> AIMessageChunk:
    return AIMessageChunk(content=content, id="m", **fields)


def block(**fields: Any) -> AIMessageChunk:
    return chunk([fields])


def summary(index: int, text: str, **fields: Any) -> dict[str, Any]:
    return {"index": index, "text": text, **fields}


def made(*pieces: Any) -> AIMessageChunk:
    """A chunk with pieces of several calls."""
    chunks = [call(*piece).tool_call_chunks[0] for piece in pieces]
    return chunk(tool_call_chunks=chunks)


def grow(chunks: list[AIMessageChunk]) -> tuple[LiveMessage, Any]:
    """Feed the chunks; returns the live message and what a client has."""
    live = LiveMessage(chunks[0], PATH)
    shown: Any = {"messages": [to_json(live.value)]}
    for piece in chunks[1:]:
        shown = apply_operations(shown, live.append(piece))
    assert shown["messages"][0] == live.value
    return live, shown["messages"][0]


def merged(chunks: list[AIMessageChunk]) -> Any:
    whole = chunks[0]
    for piece in chunks[1:]:
        whole += piece  # type: ignore[assignment]
    return to_json(message_chunk_to_message(whole))


SHAPES: dict[str, list[AIMessageChunk]] = {
    "text": [chunk("Hel"), chunk("lo"), chunk(""), chunk(" you", chunk_position="last")],
    "usage and finish": [
        chunk("a"),
        chunk("", response_metadata={"finish_reason": "stop", "model_name": "gpt-5"}),
        usage(3, 4),
        usage(0, 2),
    ],
    "parallel calls": [
        chunk("I "),
        made(("a", "", "1", 0)),
        made((None, '{"x"', None, 0), ("b", '{"y": [1', "2", 1)),
        made((None, ": 1}", None, 0)),
        made((None, "]}", None, 1)),
    ],
    "a call without arguments": [made(("a", "", "1", 0)), chunk("")],
    "a whole call in one chunk": [made(("a", '{"x": "é"}', "1", 0)), made(("b", "{}", "2", 1))],
    "anthropic": [
        chunk([]),
        block(type="thinking", thinking="Hm", index=0),
        block(type="thinking", thinking="m", index=0),
        block(type="thinking", signature="abc", index=0),
        block(type="text", text="Hel", index=1),
        block(type="text", text="lo", index=1),
    ],
    "anthropic citations": [
        block(type="text", text="Look", index=0),
        block(type="text", text="", index=0, citations=[{"url": "a"}]),
        block(type="text", text=" here", index=0),
    ],
    "responses reasoning": [
        block(type="reasoning", id="rs_1", index=0, summary=[]),
        block(
            type="reasoning", index=0, summary=[{"index": 0, "type": "summary_text", "text": "So"}]
        ),
        block(type="reasoning", index=0, summary=[{"index": 0, "text": " then"}]),
        block(
            type="reasoning", index=0, summary=[{"index": 1, "type": "summary_text", "text": "B"}]
        ),
        block(type="text", text="Yes", index=1),
        block(type="text", text=".", index=1, id="msg_1"),
    ],
    "deepseek": [
        chunk("", additional_kwargs={"reasoning_content": "So"}),
        chunk("", additional_kwargs={"reasoning_content": " it"}),
        chunk("Yes"),
    ],
    "text, then a list": [
        chunk("a"),
        block(type="text", text="b", index=0),
        chunk("c"),
        chunk("d"),
    ],
    "list, then text": [block(type="text", text="b", index=0), chunk("c"), chunk("d")],
    "blocks without an index": [block(type="text", text="a"), block(type="text", text="b")],
    "blocks of one index and two ids": [
        block(type="image", id="i1", index=0, base64="xx"),
        block(type="image", id="i2", index=0, base64="yy"),
    ],
    "the input of a tool in the content": [
        block(type="tool_use", id="t1", name="a", input={}, index=0),
        block(type="input_json_delta", partial_json='{"x"', index=0),
        block(type="input_json_delta", partial_json=": 1}", index=0),
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_it_ends_as_langchain_merges_it(shape: str) -> None:
    live, _ = grow(SHAPES[shape])
    expected = merged(SHAPES[shape])
    assert live.finished() == {**expected, "id": "m"}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_finished_message_takes_few_operations(shape: str) -> None:
    """Nothing that was streamed is sent again, but for the arguments in their parsed form."""
    _, shown = grow(SHAPES[shape])
    operations = diff(shown, {**merged(SHAPES[shape]), "id": "m"})
    paths = [operation["path"] for operation in operations]
    again = {"response_metadata", "usage_metadata", "tool_calls"}
    if shape == "the input of a tool in the content":
        again.add("content")
    assert {path[0] for path in paths if path} <= again
    assert [] not in paths


def test_calls_of_one_index_are_told_apart_by_their_ids() -> None:
    live, _ = grow(
        [made(("a", '{"x":', "1", 0)), made((None, "1}", None, 0)), made(("b", "{}", "2", 0))]
    )
    calls = live.finished()["tool_calls"]
    assert [(c["name"], c["args"], c["id"]) for c in calls] == [
        ("a", {"x": 1}, "1"),
        ("b", {}, "2"),
    ]


def test_pieces_without_an_index_belong_to_the_last_call() -> None:
    live, _ = grow(
        [
            made(("a", "", "1", None)),
            made((None, '{"x"', None, None)),
            made((None, ":1}", None, None)),
        ]
    )
    assert live.finished()["tool_calls"][0]["args"] == {"x": 1}


def test_an_id_or_a_name_that_comes_late_is_taken() -> None:
    live, _ = grow(
        [made((None, "", None, 0)), made(("a", "{", "1", 0)), made((None, "}", None, 0))]
    )
    [found] = live.finished()["tool_calls"]
    assert (found["name"], found["id"], found["args"]) == ("a", "1", {})


def test_arguments_that_were_cut_off_are_as_far_as_they_go() -> None:
    live, _ = grow([made(("a", '{"x": "half', "1", 0))])
    assert live.finished()["tool_calls"][0]["args"] == {"x": "half"}
    live, _ = grow([made(("a", "[1", "1", 0))])
    assert live.finished()["tool_calls"][0]["args"] == {}


TEXT = st.text(max_size=4)
PIECES = st.one_of(
    TEXT.map(chunk),
    st.builds(
        lambda index, text: block(type="text", text=text, index=index), st.integers(0, 2), TEXT
    ),
    st.builds(
        lambda name, args, call_id, index: made((name, args, call_id, index)),
        st.sampled_from([None, "a", "b"]),
        TEXT,
        st.sampled_from([None, "1", "2"]),
        st.sampled_from([None, 0, 1]),
    ),
    TEXT.map(lambda text: chunk("", additional_kwargs={"reasoning_content": text, "n": 1})),
    st.just(usage(1, 1)),
)


@given(st.lists(PIECES, min_size=1, max_size=12))
def test_the_client_has_what_the_mirror_has_whatever_the_chunks(
    chunks: list[AIMessageChunk],
) -> None:
    live, shown = grow(chunks)
    before = to_json(live.value)
    final = to_json(AIMessage("final", id="m"))
    assert apply_operations(shown, diff(before, final)) == final


@given(st.lists(st.one_of(TEXT.map(chunk), st.just(usage(1, 1))), min_size=1, max_size=12))
def test_text_ends_as_langchain_merges_it(chunks: list[AIMessageChunk]) -> None:
    live, _ = grow(chunks)
    assert live.finished() == {**merged(chunks), "id": live.value["id"]}


class TestIds:
    async def test_the_providers_id_that_comes_later_is_the_same_message(self) -> None:
        events = [
            ((), "messages", (AIMessageChunk(content="a", id="lc_run--1"), {})),
            ((), "messages", (AIMessageChunk(content="b", id="resp_1"), {})),
            ((), "messages", (AIMessageChunk(content="c", id="lc_run--1"), {})),
        ]
        run = await play(events, parts=False)
        assert [(m["id"], m["content"]) for m in run.state["messages"]] == [("resp_1", "abc")]

    async def test_langchains_id_after_the_providers_is_the_same_message_too(self) -> None:
        events = [
            ((), "messages", (AIMessageChunk(content="a", id="resp_1"), {})),
            ((), "messages", (AIMessageChunk(content="b", id="lc_run--1"), {})),
        ]
        run = await play(events, parts=False)
        assert [(m["id"], m["content"]) for m in run.state["messages"]] == [("resp_1", "ab")]

    async def test_messages_of_two_tasks_are_two_messages(self) -> None:
        events = [
            ((), "messages", (AIMessageChunk(content="a", id="lc_run--1"), _task("x"))),
            ((), "messages", (AIMessageChunk(content="b", id="resp_1"), _task("y"))),
        ]
        run = await play(events, parts=False)
        assert [m["content"] for m in run.state["messages"]] == ["a", "b"]

    async def test_a_message_that_its_node_gives_another_id_is_not_shown_twice(self) -> None:
        final = AIMessage("hello", id="mine")
        streamed = AIMessageChunk(content="hello", id="lc_run--1")
        events = [
            ((), "values", {"messages": []}),
            ((), "messages", (streamed, {})),
            ((), "updates", {"node": {"messages": [final]}}),
            ((), "values", {"messages": [final]}),
        ]
        run = await play(events, parts=False)
        assert all(len(state["messages"]) <= 1 for state in run.states[1:])
        assert run.state["messages"][0]["id"] == "mine"

    async def test_a_message_that_streams_again_under_its_id_starts_over(self) -> None:
        events: list[Any] = [
            ((), "messages", (AIMessageChunk(content="first", id="m"), {})),
            ((), "updates", {"node": {"messages": [AIMessage("first", id="m")]}}),
            ((), "messages", (AIMessageChunk(content="", id="m"), {})),
            ((), "messages", (AIMessageChunk(content="se", id="m"), {})),
            ((), "messages", (AIMessageChunk(content="cond", id="m"), {})),
        ]
        run = await play(events[:3], parts=False)
        assert [m["content"] for m in run.state["messages"]] == ["first"]
        run = await play(
            [*events, ((), "updates", {"node": {"messages": [AIMessage("second", id="m")]}})],
            parts=False,
        )
        assert [m["content"] for m in run.state["messages"]] == ["second"]


def _task(name: str) -> dict[str, str]:
    return {"langgraph_checkpoint_ns": f"node:{name}", "langgraph_node": "node"}


def test_a_token_costs_the_same_at_the_end_of_a_long_answer() -> None:
    def cost(tokens: int) -> float:
        conversation = Conversation([], Visibility())
        payload = (chunk("token "), {})
        start = time.thread_time()
        for _ in range(tokens):
            conversation.on_message((), payload)
        return (time.thread_time() - start) / tokens

    short = min(cost(500) for _ in range(5))
    long = min(cost(20_000) for _ in range(3))
    assert long < short * 3
