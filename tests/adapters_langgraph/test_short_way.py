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
    short, long = (
        GraphTranslator(parts=parts, state=state, initial_state=None, steps="model")
        for _ in range(2)
    )
    channel, expected = Channel(), Channel()
    tell = short.short_way(channel)
    for event in (event for event, times in events for _ in range(times)):
        given_to_short, given_to_long = _event(event), _event(event)
        if event[1] != "messages" or not tell(given_to_short):
            _put(channel, short.feed(given_to_short))
        _put(expected, long.feed(given_to_long))
    _put(channel, short.finish())
    _put(expected, long.finish())
    assert channel.take() == expected.take()


def test_it_is_the_way_of_a_plain_token() -> None:
    for parts in (True, False):
        translator = GraphTranslator(parts=parts, state=True, initial_state=None)
        tell = translator.short_way(Channel())
        first, second = (AIMessageChunk(content=text, id="m") for text in ("Hello ", "you"))
        assert not tell(((), "messages", (first, {})))
        translator.feed(((), "messages", (first, {})))
        assert tell(((), "messages", (second, {})))


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
