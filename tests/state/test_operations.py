"""What the state operations do and refuse: as the TypeScript accumulator in strict mode."""

from __future__ import annotations

import copy
from enum import Enum
from typing import Any

import pytest

from assistant_stream_ce.errors import StateOperationError
from assistant_stream_ce.state import StateStore, apply_operations, diff, lookup
from tests.state.client import replay, same_json


class _Outcome(Enum):
    """Named, so that the names of the tests are the same in every process."""

    REFUSED = "refused"


REFUSED: Any = _Outcome.REFUSED

# root, operation, what the root becomes
CASES: list[tuple[Any, Any, Any]] = [
    # the root
    ({"a": 1}, ("set", [], {"b": 2}), {"b": 2}),
    (None, ("set", [], "text"), "text"),
    ("te", ("append-text", [], "xt"), "text"),
    (None, ("append-text", [], "x"), REFUSED),
    ({}, ("append-text", [], "x"), REFUSED),
    (7, ("append-text", [], "x"), REFUSED),
    # objects
    ({"a": {"b": 1}}, ("set", ["a", "b"], [2]), {"a": {"b": [2]}}),
    ({}, ("set", ["a"], None), {"a": None}),
    ({}, ("set", ["a", "b", "c"], 1), {"a": {"b": {"c": 1}}}),
    ({"a": None}, ("set", ["a", "b"], 1), {"a": {"b": 1}}),
    (None, ("set", ["0"], 1), {"0": 1}),
    (None, ("set", ["0", "1"], 1), {"0": {"1": 1}}),
    ({}, ("set", ["length"], 1), {"length": 1}),
    ({}, ("set", ["toString"], 1), {"toString": 1}),
    ({}, ("set", [""], 1), {"": 1}),
    ({}, ("set", ["-1", "01"], 1), {"-1": {"01": 1}}),
    ({"x": 1}, ("set", ["x"], {"constructor": {"a": 1}}), {"x": {"constructor": {"a": 1}}}),
    # through a scalar
    ({"a": 1}, ("set", ["a", "b"], 1), REFUSED),
    ({"a": 0}, ("set", ["a", "b"], 1), REFUSED),
    ({"a": ""}, ("set", ["a", "b"], 1), REFUSED),
    ({"a": "text"}, ("set", ["a", "0"], 1), REFUSED),
    ({"a": False}, ("set", ["a", "b"], 1), REFUSED),
    ("text", ("set", ["a"], 1), REFUSED),
    (3, ("set", ["a"], 1), REFUSED),
    # lists
    (["a", "b"], ("set", ["1"], "c"), ["a", "c"]),
    (["a", "b"], ("set", ["2"], "c"), ["a", "b", "c"]),
    (["a", "b"], ("set", [2], "c"), ["a", "b", "c"]),
    ([], ("set", ["0", "x", "0"], 1), [{"x": {"0": 1}}]),
    ([None], ("set", ["0", "x"], 1), [{"x": 1}]),
    ([[1]], ("set", ["0", "1"], 2), [[1, 2]]),
    (["a"], ("set", ["2"], "c"), REFUSED),
    (["a"], ("set", ["-1"], "c"), REFUSED),
    (["a"], ("set", [-1], "c"), REFUSED),
    (["a"], ("set", ["-0"], "c"), REFUSED),
    (["a"], ("set", ["01"], "c"), REFUSED),
    (["a"], ("set", ["1.0"], "c"), REFUSED),
    (["a"], ("set", ["1e0"], "c"), REFUSED),
    (["a"], ("set", ["0x0"], "c"), REFUSED),
    (["a"], ("set", ["+0"], "c"), REFUSED),
    (["a"], ("set", [" 0"], "c"), REFUSED),
    (["a"], ("set", [""], "c"), REFUSED),
    (["a"], ("set", ["-"], "c"), REFUSED),
    (["a"], ("set", ["length"], "c"), REFUSED),
    (["a"], ("set", ["\u0660"], "c"), REFUSED),
    (["a"], ("set", ["9" * 30], "c"), REFUSED),
    (["a"], ("set", [1.5], "c"), REFUSED),
    # append-text
    ({"t": "a"}, ("append-text", ["t"], "b"), {"t": "ab"}),
    ({"t": "a"}, ("append-text", ["t"], ""), {"t": "a"}),
    ({"t": ""}, ("append-text", ["t"], "é😀"), {"t": "é😀"}),
    (["a"], ("append-text", ["0"], "b"), ["ab"]),
    (["a"], ("append-text", [0], "b"), ["ab"]),
    ({}, ("append-text", ["t"], "b"), REFUSED),
    ({}, ("append-text", ["toString"], "b"), REFUSED),
    ({"t": None}, ("append-text", ["t"], "b"), REFUSED),
    ({"t": None}, ("append-text", ["t", "u"], "b"), REFUSED),
    ({"t": "a"}, ("append-text", ["t", "0"], "b"), REFUSED),
    ({"t": 1}, ("append-text", ["t"], "b"), REFUSED),
    ({"t": True}, ("append-text", ["t"], "b"), REFUSED),
    ({"t": {}}, ("append-text", ["t"], "b"), REFUSED),
    ({"t": []}, ("append-text", ["t"], "b"), REFUSED),
    (["a"], ("append-text", ["1"], "b"), REFUSED),
    (["a"], ("append-text", ["2"], "b"), REFUSED),
    # segments that the client takes for an attack, also below what does not exist
    *(
        ({"a": {}}, (kind, path, "x"), REFUSED)
        for kind in ("set", "append-text")
        for name in ("__proto__", "constructor", "prototype")
        for path in ([name], ["a", name], [name, "a"], ["new", "b", name])
    ),
    (["a"], ("set", ["constructor"], 1), REFUSED),
    # unknown operations
    ({"t": "a"}, ("delete", ["t"], None), REFUSED),
    ({"t": "a"}, ("append-text", None, "b"), REFUSED),
]


def operation(spec: tuple[str, Any, Any]) -> Any:
    kind, path, value = spec
    made = {"type": kind, "path": path, "value": value}
    return made if path is not None else {"type": kind, "value": value}


@pytest.mark.parametrize(("root", "spec", "expected"), CASES, ids=str)
def test_accepts_and_refuses_what_the_client_does(root: Any, spec: Any, expected: Any) -> None:
    before = copy.deepcopy(root)
    op = operation(spec)
    theirs, error = replay(root, [[op]])
    assert (error is not None) == (expected is REFUSED), error
    emitted: list[Any] = []
    store = StateStore(root, emitted.extend)
    if expected is REFUSED:
        with pytest.raises(StateOperationError) as caught:
            apply_operations(root, [op])
        if spec[1] is not None and spec[0] != "delete" and 1.5 not in spec[1]:
            assert caught.value.path == tuple(map(str, spec[1]))
        with pytest.raises(StateOperationError):
            store.apply([op])
        assert same_json(store.snapshot(), before)
        assert emitted == []
    else:
        assert same_json(theirs, expected)
        assert same_json(apply_operations(root, [op]), expected)
        store.apply([op])
        assert same_json(store.snapshot(), expected)
        assert same_json(apply_operations(before, emitted), expected)
    assert same_json(root, before), "the value that was given changed"


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "set", "path": ["a"]},
        {"type": "append-text", "path": ["t"], "value": 1},
        {"type": "set", "path": [None], "value": 1},
        {"type": "set", "path": [True], "value": 1},
        {"path": [], "value": 1},
        "set",
        None,
    ],
    ids=str,
)
def test_malformed_operations_are_refused(broken: Any) -> None:
    # The client would take some of these and be left with `undefined` or `"text1"`.
    with pytest.raises(StateOperationError):
        apply_operations({"t": "text"}, [broken])


def test_a_refused_operation_leaves_those_before_it_standing_and_told() -> None:
    emitted: list[Any] = []
    store = StateStore({"n": 1}, emitted.extend)
    good: Any = {"type": "set", "path": ["a"], "value": [1]}
    bad: Any = {"type": "append-text", "path": ["n"], "value": "x"}
    with pytest.raises(StateOperationError, match="Cannot append text at `n`: there is a number"):
        store.apply([good, bad, good])
    assert store.snapshot() == {"n": 1, "a": [1]}
    assert emitted == [good]


def test_messages_say_what_where_and_what_to_do() -> None:
    def refusal(root: Any, kind: str, path: list[Any]) -> str:
        with pytest.raises(StateOperationError) as caught:
            apply_operations(root, [operation((kind, path, "x"))])
        return str(caught.value)

    beyond = refusal({"items": ["a"]}, "set", ["items", "3"])
    assert "`items.3` is beyond the end of a list of 1" in beyond
    assert "index 1 would append" in beyond
    assert refusal({}, "append-text", ["a", "b"]) == (
        "Cannot append text at `a.b`: there is nothing. Set a string first"
    )
    assert refusal({"a": "s"}, "set", ["a", "b"]) == "Cannot go through a string to `a.b`"
    assert refusal([{}], "append-text", [0]).startswith(
        "Cannot append text at `0`: there is an obj"
    )
    assert "`__proto__`" in refusal({}, "set", ["__proto__", "x"])
    assert refusal(5, "append-text", []).startswith("Cannot append text at `the root`")


def test_operations_and_values_are_never_shared() -> None:
    given: Any = {"a": [1]}
    op: Any = {"type": "set", "path": ["x"], "value": given}
    result: Any = apply_operations({}, [op])
    given["a"].append(2)
    assert result == {"x": {"a": [1]}}
    emitted: list[Any] = []
    store = StateStore({}, emitted.extend)
    store.set(["x"], given)
    emitted[0]["value"]["a"].append(3)
    store.set(["x", "a", "0"], 9)
    assert store.snapshot() == {"x": {"a": [9, 2]}}
    assert emitted[0]["value"] == {"a": [1, 2, 3]}


def test_paths_reach_the_wire_as_strings() -> None:
    emitted: list[Any] = []
    store = StateStore({"items": ["a"]}, emitted.extend)
    store.append_text(["items", 0], "b")
    store.set(["items", 1], "c")
    assert [op["path"] for op in emitted] == [["items", "0"], ["items", "1"]]


def test_appending_nothing_is_checked_but_not_sent() -> None:
    emitted: list[Any] = []
    store = StateStore({"t": "a"}, emitted.extend)
    store.append_text(["t"], "")
    with pytest.raises(StateOperationError):
        store.append_text(["u"], "")
    assert emitted == []


def test_lookup() -> None:
    value = {"items": [{"a": "x"}, None]}
    assert lookup(value, []) is value
    assert lookup(value, ["items", 0, "a"]) == lookup(value, ["items", "0", "a"]) == "x"
    assert lookup(value, ["items", 1]) is None
    for path in (["nothing"], ["items", "2"], ["items", "-1"], ["items", "1", "a"], ["items", "x"]):
        with pytest.raises(KeyError, match=path[-1]):
            lookup(value, path)


def test_store_get_is_a_copy() -> None:
    store = StateStore({"items": [[1]]}, lambda _: None)
    got: Any = store.get(["items", 0])
    got.append(2)
    assert store.get([]) == store.value == {"items": [[1]]}


LONG = "a text that is long enough to be worth keeping"

# old, new, the operations as (type, path, value)
DIFFS: list[tuple[Any, Any, list[tuple[str, list[str], Any]]]] = [
    ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, []),
    (None, {"a": 1}, [("set", [], {"a": 1})]),
    ("Hel", "Hello", [("append-text", [], "lo")]),
    ({"t": "Hel"}, {"t": "Hello"}, [("append-text", ["t"], "lo")]),
    ({"t": ""}, {"t": "Hello"}, [("set", ["t"], "Hello")]),
    ({"t": "Hello"}, {"t": "Help"}, [("set", ["t"], "Help")]),
    ({"t": "Hello"}, {"t": ""}, [("set", ["t"], "")]),
    ([LONG], [LONG, 1], [("set", ["1"], 1)]),
    ([LONG] * 3, [LONG] * 3 + [1, 2], [("set", ["3"], 1), ("set", ["4"], 2)]),
    ([], [1, 2, 3], [("set", [], [1, 2, 3])]),
    ([LONG, 1], [LONG], [("set", [], [LONG])]),
    ({"a": LONG, "b": 1}, {"a": LONG}, [("set", [], {"a": LONG})]),
    ({"x": {"a": LONG, "b": 1}}, {"x": {"a": LONG}}, [("set", ["x"], {"a": LONG})]),
    ({"a": {"b": {"c": 1}}, "t": 1}, {"a": {"b": {"c": 2}}, "t": 1}, [("set", ["a", "b", "c"], 2)]),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
    ({"a": 1}, {"a": True}, [("set", ["a"], True)]),
    ({"a": None}, {"a": 0}, [("set", ["a"], 0)]),
    ({"a": [1]}, {"a": {"0": 1}}, [("set", ["a"], {"0": 1})]),
    ({"a": 1, "b": 2, "c": 3}, {"a": 2, "b": 3, "c": 4}, [("set", [], {"a": 2, "b": 3, "c": 4})]),
    # What the client refuses to have in a path is sent inside its parent.
    ({"k": {"constructor": 1}}, {"k": {"constructor": 2}}, [("set", ["k"], {"constructor": 2})]),
    (
        {"k": {"prototype": {"a": 1}}},
        {"k": {"prototype": {"a": 2}}},
        [("set", ["k"], {"prototype": {"a": 2}})],
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), DIFFS, ids=str)
def test_diff(old: Any, new: Any, expected: list[tuple[str, list[str], Any]]) -> None:
    operations = diff(old, new)
    assert [(op["type"], op["path"], op["value"]) for op in operations] == expected
    assert same_json(apply_operations(old, operations), new)
    under = diff(old, new, ["deep", 0])
    assert [op["path"] for op in under] == [["deep", "0", *path] for _, path, _ in expected]


def test_diff_of_messages_is_what_changed_in_them() -> None:
    def message(number: int, content: str) -> dict[str, Any]:
        return {"id": f"m{number}", "type": "ai", "content": content, "tool_calls": [], "n": number}

    old: Any = {"messages": [message(0, LONG), message(1, LONG)], "interrupts": []}
    new = copy.deepcopy(old)
    new["messages"][1]["content"] += "lo"
    new["messages"][1]["tool_calls"] = [{"id": "c1"}]
    new["messages"].append(message(2, "new"))
    assert diff(old, new) == [
        {"type": "append-text", "path": ["messages", "1", "content"], "value": "lo"},
        {"type": "set", "path": ["messages", "1", "tool_calls", "0"], "value": {"id": "c1"}},
        {"type": "set", "path": ["messages", "2"], "value": message(2, "new")},
    ]


def test_diff_shares_no_container_with_the_new_value() -> None:
    new: Any = {"a": [[1]]}
    operations = diff({"a": []}, new)
    new["a"][0].append(2)
    assert operations[0]["value"] == [1]


def test_a_diff_that_moves_everything_is_one_set() -> None:
    items = [{"id": n, "text": f"{n} is {LONG}"} for n in range(20)]
    assert diff(items, [{"id": 99, "text": "new"}, *items]) == [
        {"type": "set", "path": [], "value": [{"id": 99, "text": "new"}, *items]}
    ]
