"""The classes that `assistant_stream.state` and `.state_manager` offer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from assistant_stream.state import (  # type: ignore[import-not-found]
    AssistantState,
    Flusher,
    StateDraft,
    StateProxy,
    deep_apply,
    lookup_state,
)
from assistant_stream.state_manager import StateManager  # type: ignore[import-not-found]
from assistant_stream_ce.chunks import UpdateStateChunk
from assistant_stream_ce.state import StateStore


def put(path: list[Any], value: Any) -> Any:
    return {"type": "set", "path": path, "value": value}


def test_deep_apply_shares_what_stays_the_same() -> None:
    before: Any = {"a": {"b": [1, {"c": 2}]}, "other": {}}
    after = deep_apply(before, ["a", "b", 1, "c"], put(["a", "b", "1", "c"], 3))
    assert after == {"a": {"b": [1, {"c": 3}]}, "other": {}}
    assert before == {"a": {"b": [1, {"c": 2}]}, "other": {}}
    assert after["other"] is before["other"]
    assert deep_apply(None, [], put([], 1)) == 1
    assert deep_apply({}, ["x", "y"], put(["x", "y"], 1)) == {"x": {"y": 1}}


def test_deep_apply_raises_what_such_code_expects() -> None:
    with pytest.raises(KeyError, match="beyond the end"):
        deep_apply({"items": []}, ["items", "3"], put(["items", "3"], 1))
    with pytest.raises(TypeError, match="there is nothing"):
        deep_apply({}, ["t"], {"type": "append-text", "path": ["t"], "value": "x"})


def test_a_draft_tells_what_is_written_through_it_and_nothing_else() -> None:
    told: list[Any] = []
    state = AssistantState({"user": {"name": "John"}})
    proxy = state.draft(told.extend)
    assert isinstance(proxy, StateProxy)
    state.apply([put(["user", "name"], "Jane")])
    assert proxy["user"]["name"] == "Jane"
    proxy["user"]["age"] = 5
    assert told == [put(["user", "age"], 5)]
    assert state.state == {"user": {"name": "Jane", "age": 5}}
    assert state.lookup(["user", "age"]) == lookup_state(state.state, ["user", "age"]) == 5

    draft = StateDraft(state, told.extend)
    draft.add_operations([put(["x"], 1)])
    draft.append_text(["user", "name"], "t")
    assert draft.get_value_at_path(["user", "name"]) == "Janet"
    assert len(told) == 3


def test_a_flusher_gathers_and_asks_once_a_batch() -> None:
    emitted: list[Any] = []
    asked: list[Callable[[], None]] = []
    flusher = Flusher(emitted.append, asked.append)
    flusher.add([])
    flusher.add([put(["a"], 1)])
    flusher.add([put(["b"], 2)])
    assert (emitted, len(asked)) == ([], 1)
    asked[0]()
    flusher.flush()
    assert emitted == [[put(["a"], 1), put(["b"], 2)]]


async def test_a_state_manager_puts_one_chunk_a_turn() -> None:
    chunks: list[UpdateStateChunk] = []
    manager = StateManager(chunks.append)
    assert manager.state is None
    manager.add_operations([put([], {"t": "a"})])
    manager.state["t"] += "b"
    manager.append_text(["t"], "c")
    assert chunks == []
    await asyncio.sleep(0)
    assert [len(chunk.operations) for chunk in chunks] == [3]
    assert manager.state_data == {"t": "abc"}
    assert manager.get_value_at_path(["t"]) == "abc"
    manager.state["t"] = "d"
    manager.flush()
    assert len(chunks) == 2


def test_a_store_can_do_without_listener_lock_and_state() -> None:
    store = StateStore(None, lambda _: None)
    store.set(["a"], 1)
    assert store.proxy == {"a": 1}
