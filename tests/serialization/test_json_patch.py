"""State over AG-UI: the client's own JSON Patch gives what the operations give."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from assistant_stream_ce import AGUIEncoder
from assistant_stream_ce.chunks import StateOperation, UpdateStateChunk
from assistant_stream_ce.errors import StateOperationError
from assistant_stream_ce.serialization._json_patch import PatchedState
from assistant_stream_ce.state import apply_operations
from assistant_stream_ce.typing import JSONValue
from tests.npm import ask

Batches = list[list[StateOperation]]

KEYS = ["a", "b", "", "0", "1", "2", "-", "01", "~", "/", "~1", "é", "__proto__", "constructor"]


def values() -> SearchStrategy[Any]:
    leaves = st.sampled_from([None, True, 0, 1.5, "", "x", "é\u2028"])
    keys = st.sampled_from(KEYS[:12])
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=6,
    )


def operations() -> SearchStrategy[StateOperation]:
    paths = st.lists(st.sampled_from(KEYS), max_size=4)
    sets = st.builds(
        lambda path, value: {"type": "set", "path": path, "value": value}, paths, values()
    )
    appends = st.builds(
        lambda path, text: {"type": "append-text", "path": path, "value": text},
        paths,
        st.sampled_from(["", "y", "\ud83d"]),
    )
    return st.one_of(sets, sets, appends)


def expected(state: JSONValue, batches: Batches) -> JSONValue:
    """The state after every operation that applies."""
    for batch in batches:
        for operation in batch:
            try:
                state = apply_operations(state, [operation])
            except StateOperationError:
                continue
    return state


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(values(), st.lists(st.lists(operations(), max_size=4), max_size=4))
@example([1], [[{"type": "set", "path": ["1"], "value": 2}]])
@example({"a": None}, [[{"type": "set", "path": ["a", "b", "0"], "value": 2}]])
@example({"a/b": {"~1": "x"}}, [[{"type": "append-text", "path": ["a/b", "~1"], "value": "y"}]])
def test_the_client_has_the_state_that_the_operations_give(state: Any, batches: Batches) -> None:
    encoder = AGUIEncoder(initial_state=state)
    wire = "".join(encoder.encode_chunk(UpdateStateChunk(batch)) for batch in batches)
    wire = encoder.escape(wire + encoder.encode_end())

    after = expected(state, batches)
    for version in ("agui0", "agui1"):
        answer = ask(version, wire, initialState=state)
        assert (answer["error"], answer["warnings"]) == (None, [])
        # The older client keeps what it had where the new state is null, false, 0 or "", and both
        # begin with `{}` when they are given none.
        if after or isinstance(after, dict | list) or (version == "agui1" and state is not None):
            assert answer["state"] == after


def patches(state: JSONValue, *batches: list[StateOperation]) -> list[Any]:
    patched = PatchedState(state)
    return [patched.patch(batch) for batch in batches]


def test_what_grows_is_replaced_alone() -> None:
    append: StateOperation = {"type": "append-text", "path": ["m", "1", "t"], "value": "b"}

    assert patches({"m": [{}, {"t": "a"}]}, [append, append], [append]) == [
        [{"op": "replace", "path": "/m/1/t", "value": "abb"}],
        [{"op": "replace", "path": "/m/1/t", "value": "abbb"}],
    ]


def test_a_new_branch_is_added_where_it_begins() -> None:
    deep: StateOperation = {"type": "set", "path": ["a", "b", "c"], "value": 1}

    assert patches({}, [deep]) == [[{"op": "add", "path": "/a", "value": {"b": {"c": 1}}}]]
    assert patches({"a": None}, [deep]) == [
        [{"op": "replace", "path": "/a", "value": {"b": {"c": 1}}}]
    ]
    assert patches([], [{"type": "set", "path": ["0"], "value": 1}]) == [
        [{"op": "add", "path": "/0", "value": 1}]
    ]


def test_a_new_root_is_no_patch() -> None:
    assert patches({"a": 1}, [{"type": "set", "path": [], "value": {}}]) == [None]
    assert patches(None, [{"type": "set", "path": ["a"], "value": 1}]) == [None]


def test_what_does_not_apply_is_left_out_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    wrong: StateOperation = {"type": "append-text", "path": ["a"], "value": "x"}
    right: StateOperation = {"type": "set", "path": ["b"], "value": 2}

    assert patches({"a": 1}, [wrong, right], [wrong]) == [
        [{"op": "add", "path": "/b", "value": 2}],
        [],
    ]
    assert len(caplog.records) == 1
