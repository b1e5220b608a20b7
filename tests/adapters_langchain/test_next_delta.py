"""The short way of most chunks says what the long way says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from assistant_stream_langchain import MessageTranslator

LONG_WAY: Any = {"model_provider": "some", "service_tier": "default"}
"""Metadata that a chunk is looked at for, in which there is nothing to tell."""

SHORT_WAY: Any = {"model_provider": "some"}


def piece(**fields: Any) -> dict[str, Any]:
    """A piece of a tool call."""
    return {"name": None, "id": None, "args": "", "index": None, **fields}


BLOCKS: list[dict[str, Any]] = [
    {"type": "text", "text": "block ", "index": 0},
    {"type": "text", "text": "other ", "index": 1},
    {"type": "thinking", "thinking": "hm ", "index": 2},
    {"type": "thinking", "thinking": "so ", "index": 2, "signature": "s"},
    {"type": "reasoning", "reasoning": "mm ", "index": 2},
    {"type": "input_json_delta", "partial_json": '"p"', "index": 0},
    {"type": "server_tool_use", "id": "s", "name": "search", "input": {}, "index": 3},
    # Bedrock sends the result as the text of this block.
    {"type": "web_search_tool_result", "tool_use_id": "s", "content": "", "index": 1},
]
PIECES = st.builds(
    piece,
    args=st.sampled_from(["", '{"a": ', "1}"]),
    index=st.sampled_from([None, 0, 1]),
    id=st.sampled_from([None, None, "call_1", "call_2"]),
    name=st.sampled_from([None, None, "write"]),
)
FIELDS = st.fixed_dictionaries(
    {
        "content": st.sampled_from(["", "text ", "<th", "ink>", "</think>"])
        | st.lists(st.sampled_from(BLOCKS), max_size=2),
        "tool_call_chunks": st.lists(PIECES, max_size=2),
        "additional_kwargs": st.sampled_from(
            [{}, {}, {"reasoning_content": "so "}, {"reasoning": "so "}, {"thinking": "a", "b": 1}]
        ),
        "id": st.sampled_from(["m", "m", "m", "other", None]),
        "chunk_position": st.sampled_from([None] * 9 + ["last"]),
    }
)


RUNS = st.lists(st.tuples(FIELDS, st.integers(1, 3)), max_size=15)
"""Chunks, and how often each comes in a row: the short way goes on with what was said."""


@given(RUNS)
def test_it_gives_what_the_long_way_gives(messages: list[tuple[dict[str, Any], int]]) -> None:
    check([fields for fields, times in messages for _ in range(times)])


def said(content: Any, message_id: str = "m", **fields: Any) -> dict[str, Any]:
    """The fields of a chunk."""
    return {"content": content, "id": message_id, **fields}


def thought(text: str, index: int = 2, message_id: str = "m") -> dict[str, Any]:
    """A piece of reasoning in a block."""
    return said([{"type": "thinking", "thinking": text, "index": index}], message_id)


TEXT, SEARCH, OPEN_RESULT = BLOCKS[1], BLOCKS[-2], BLOCKS[-1]


@pytest.mark.parametrize(
    "messages",
    [
        [
            said("look "),
            said([SEARCH]),
            said([OPEN_RESULT]),
            said([TEXT]),
            said([TEXT]),
            said("so"),
        ],
        [said("look "), said([SEARCH]), said([OPEN_RESULT]), said("so"), said([TEXT])],
        [thought("a"), thought("b"), thought("c", index=3), thought("d", index=2)],
        [thought("a"), thought("b", message_id="other"), thought("c"), thought("d")],
        [thought("a"), said("b", "other"), said("c"), thought("d", 3, "other"), thought("e")],
        [thought("a"), said("<th"), thought("b"), thought("c")],
        [
            said("", additional_kwargs={"reasoning_content": "a"}),
            said("", additional_kwargs={"reasoning_content": "b"}),
            said("", additional_kwargs={"reasoning_content": "c", "refusal": "no"}),
            said("d", additional_kwargs={"reasoning_content": "e"}),
        ],
        [
            said("", tool_call_chunks=[piece(name="write", id="call_1", args="{", index=0)]),
            said("<th"),
            said("", tool_call_chunks=[piece(args="}", index=0)]),
        ],
    ],
)
def test_it_leaves_to_the_long_way_what_has_to_be_told_before(
    messages: list[dict[str, Any]],
) -> None:
    check(messages)


def check(messages: list[dict[str, Any]]) -> None:
    """Tell the same messages both ways."""
    short, long = MessageTranslator(), MessageTranslator()
    for fields in messages:
        chunk = AIMessageChunk(**fields, response_metadata=SHORT_WAY)
        delta = short.next_delta(chunk)
        told = short.feed(chunk) if delta is None else [delta]
        expected = long.feed(AIMessageChunk(**fields, response_metadata=LONG_WAY))
        assert [_plain(c) for c in told] == [_plain(c) for c in expected]
    assert [_plain(c) for c in short.finish()] == [_plain(c) for c in long.finish()]


def test_a_delta_is_taken_only_if_there_is_nothing_else_to_tell() -> None:
    translator = MessageTranslator()
    first = AIMessageChunk(content="Hello ", id="m")
    assert translator.next_delta(first) is None
    translator.feed(first)
    assert translator.next_delta(AIMessageChunk(content="you", id="m")) is not None
    cited = [{"type": "text", "text": "x", "annotations": [{"url": "https://a.example"}]}]
    for chunk in (
        AIMessageChunk(content="you", id="another"),
        AIMessageChunk(content="you", id="m", response_metadata={"finish_reason": "stop"}),
        AIMessageChunk(content=cited, id="m"),  # type: ignore[arg-type]
    ):
        assert translator.next_delta(chunk) is None


def _plain(chunk: Any) -> Any:
    """A chunk without the ids that are made up."""
    made_up = str(getattr(chunk, "message_id", "")).startswith("msg_")
    return type(chunk) if made_up else chunk
