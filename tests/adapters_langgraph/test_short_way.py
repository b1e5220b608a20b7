"""The short way of most tokens, from a graph's event to the channel, tells what the long way tells.

What a provider may put into a chunk comes in any order, from nodes that stream in turn.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from assistant_stream_ce._channel import Channel
from assistant_stream_ce.chunks import UpdateStateChunk
from assistant_stream_langgraph._translator import GraphTranslator

BLOCKS: list[dict[str, Any]] = [
    {"type": "text", "text": "block ", "index": 0},
    {"type": "thinking", "thinking": "hm ", "index": 1},
    {"type": "reasoning", "reasoning": "mm ", "index": 1},
    {"type": "input_json_delta", "partial_json": '"p"', "index": 0},
]
PIECES = st.fixed_dictionaries(
    {
        "name": st.sampled_from([None, None, "write"]),
        "args": st.sampled_from(["", '{"a": ', "1}"]),
        "id": st.sampled_from([None, None, "call_1"]),
        "index": st.sampled_from([None, 0, 1]),
        "type": st.just("tool_call_chunk"),
    }
)
PLAIN: dict[str, Any] = {
    "content": "text ",
    "id": "m",
    "response_metadata": {"model_provider": "x"},
}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
ODD: dict[str, st.SearchStrategy[Any]] = {
    "content": st.sampled_from(["", "<think>", "</think>"])
    | st.lists(st.sampled_from(BLOCKS), max_size=2),
    "id": st.sampled_from(["other", "lc_run--1"]),
    "tool_call_chunks": st.lists(PIECES, max_size=2),
    "additional_kwargs": st.sampled_from([{"reasoning_content": "so "}, {"thinking": "so "}]),
    "response_metadata": st.just({"finish_reason": "stop"}),
    "usage_metadata": st.just(USAGE),
    "chunk_position": st.just("last"),
}
FIELDS = st.lists(st.sampled_from(sorted(ODD)), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries({name: ODD[name] for name in names})
)
METADATA = st.sampled_from(
    [
        {"langgraph_node": "agent", "langgraph_checkpoint_ns": "agent:1"},
        {"langgraph_node": "agent", "langgraph_checkpoint_ns": "agent:1"},
        {"langgraph_node": "writer", "langgraph_checkpoint_ns": "writer:1"},
        {"langgraph_node": "agent", "assistant_stream_schema": "Answer"},
        {"langgraph_node": "agent", "assistant_stream_native_schema": "Answer"},
    ]
)
TOKENS = st.builds(
    lambda odd, metadata: ((), "messages", (PLAIN | odd, metadata)), FIELDS, METADATA
)
WHOLE = st.sampled_from(["m", "other", "mine"]).map(
    lambda name: ((), "updates", {"agent": {"messages": [AIMessage("text ", id=name)]}})
)
RUNS = st.sampled_from([TOKENS, TOKENS | WHOLE]).flatmap(
    lambda event: st.lists(st.tuples(event, st.integers(1, 4)), max_size=8)
)
"""Events, and how often each comes in a row."""


@pytest.mark.parametrize("shown", [(True, True), (False, True), (True, ["messages"])])
@given(events=RUNS)
def test_it_tells_what_the_long_way_tells(shown: Any, events: list[tuple[Any, int]]) -> None:
    parts, state = shown
    check([event for event, times in events for _ in range(times)], parts=parts, state=state)


ARGUMENTS: Any = {"args": '"p"', "name": None, "id": None, "index": 0, "type": "tool_call_chunk"}
CALL = ARGUMENTS | {"name": "write", "id": "call_1"}
TOOL_USE = {"type": "tool_use", "id": "call_1", "name": "write", "input": {}, "index": 0}
SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": ({"content": "Hello "}, {"content": "you"}),
    "a block of text": ({"content": BLOCKS[:1]}, {"content": BLOCKS[:1]}),
    "a block of reasoning": ({"content": BLOCKS[1:2]}, {"content": BLOCKS[1:2]}),
    "arguments": (
        {"content": "", "tool_call_chunks": [CALL]},
        {"content": "", "tool_call_chunks": [ARGUMENTS]},
    ),
    "arguments that a block repeats": (
        {"content": [TOOL_USE], "tool_call_chunks": [CALL]},
        {"content": BLOCKS[-1:], "tool_call_chunks": [ARGUMENTS]},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("parts", [True, False])
def test_it_is_the_way_of_what_models_mostly_say(parts: bool, shape: str) -> None:
    first, next_one = (((), "messages", ({**f, "id": "m"}, {})) for f in SHAPES[shape])
    took = check([first, next_one, next_one, next_one], parts=parts, state=True)
    assert took == [False, True, True, True]


def check(events: list[Any], *, parts: bool, state: Any) -> list[bool]:
    """Tell events both ways; returns which of them the short way took."""
    short, long = (
        GraphTranslator(parts=parts, state=state, initial_state=None, steps="model")
        for _ in range(2)
    )
    channel, expected = Channel(), Channel()
    tell = short.short_way(channel)
    took: list[bool] = []
    for event in events:
        given_to_short, given_to_long = _event(event), _event(event)
        took.append(event[1] == "messages" and tell(given_to_short))
        if not took[-1]:
            _put(channel, short.feed(given_to_short))
        _put(expected, long.feed(given_to_long))
    _put(channel, short.finish())
    _put(expected, long.finish())
    assert channel.take() == expected.take()
    return took


def _event(event: Any) -> Any:
    """An event with messages of its own: a stream gives none twice."""
    namespace, mode, payload = event
    if mode == "messages":
        fields, metadata = payload
        return namespace, mode, (AIMessageChunk(**fields), metadata)
    return event


def _put(channel: Channel, chunks: Any) -> None:
    for chunk in chunks:
        if isinstance(chunk, UpdateStateChunk):
            channel.put_operations(chunk.operations)
        else:
            channel.put(chunk)
