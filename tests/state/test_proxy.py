"""The proxy: reads like dicts and lists, writes as the least operations."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import threading
from collections.abc import Callable, Mapping, MutableSequence
from typing import Any

import pytest

from assistant_stream_ce.errors import NotJSONError, StateOperationError
from assistant_stream_ce.state import StateDict, StateList, StateProxy, StateStore, apply_operations
from tests.state.client import same_json


class Recorder:
    """A store, and what it emitted."""

    def __init__(self, initial: Any = None) -> None:
        self.initial = copy.deepcopy(initial)
        self.batches: list[Any] = []
        self.store = StateStore(initial, self.batches.append)

    @property
    def state(self) -> Any:
        return self.store.proxy

    @state.setter
    def state(self, value: Any) -> None:
        self.store.set([], value)

    @property
    def told(self) -> list[tuple[str, str, Any]]:
        return [
            (op["type"], ".".join(op["path"]), op["value"]) for ops in self.batches for op in ops
        ]

    def check(self, expected: Any) -> None:
        """The state is `expected`, and so is what a client has that got the operations."""
        operations = [op for ops in self.batches for op in ops]
        assert same_json(self.store.snapshot(), expected)
        assert same_json(apply_operations(self.initial, operations), expected)


def test_the_program_every_user_starts_with() -> None:
    run = Recorder()
    assert run.state is None
    run.state = {"messages": "", "count": 0}
    run.state["messages"] += "Hello"
    run.state["messages"] += " world"
    run.state["count"] = run.state["count"] + 1
    assert run.told == [
        ("set", "", {"messages": "", "count": 0}),
        ("set", "messages", "Hello"),
        ("append-text", "messages", " world"),
        ("set", "count", 1),
    ]
    run.check({"messages": "Hello world", "count": 1})


def test_a_scalar_root_stands_for_itself() -> None:
    run = Recorder("te")
    assert run.state == "te"
    run.store.append_text([], "xt")
    assert run.state == "text"
    run.state = None
    with pytest.raises(TypeError):
        run.state["x"] = 1


L = "a text that is long enough to be worth keeping"

# initial, mutation, the operations as (type, dotted path, value)
MUTATIONS: list[tuple[Any, Callable[[Any], Any], list[tuple[str, str, Any]]]] = []


def mutation(
    initial: Any, *expected: tuple[str, str, Any]
) -> Callable[[Callable[[Any], Any]], None]:
    def add(mutate: Callable[[Any], Any]) -> None:
        MUTATIONS.append((initial, mutate, list(expected)))

    return add


@mutation({"x": {"t": "Hel"}}, ("append-text", "x.t", "lo"))
def extend_text(state: Any) -> None:
    state["x"]["t"] += "lo"


@mutation({"x": {"t": ""}}, ("set", "x.t", "Hel"), ("append-text", "x.t", "lo"))
def extend_empty_text(state: Any) -> None:
    state["x"]["t"] += "Hel"
    state["x"]["t"] += "lo"


@mutation({"t": "Hello"}, ("set", "t", "Help"))
def replace_text(state: Any) -> None:
    state["t"] = "Help"


@mutation({"t": "Hello", "n": 1, "o": {"a": []}})
def write_what_is_there(state: Any) -> None:
    state["t"] += ""
    state["t"] = "Hello"
    state["n"] = 1
    state["o"] = {"a": []}
    state["o"] = state["o"]
    state.update(n=1)
    state["o"]["a"] += []
    state["o"]["a"].clear()


@mutation([1, [2]])
def write_what_is_in_the_list(state: Any) -> None:
    state[0] = 1
    state[1] = [2]
    state[1] = state[1]
    state[1:] = [[2]]


@mutation({"n": 1}, ("set", "n", True), ("set", "n", 1.5), ("set", "n", None))
def change_type(state: Any) -> None:
    state["n"] = True
    state["n"] = 1.5
    state["n"] = None


@mutation({}, ("set", "a", {}), ("set", "a.b", [1]), ("set", "a.b.1", {"c": None}))
def build_up(state: Any) -> None:
    state["a"] = {}
    state["a"]["b"] = (1,)
    state["a"]["b"].append({"c": float("nan")})


@mutation({"o": {"a": L, "b": [1, L]}}, ("set", "o.b.0", 2))
def assign_a_changed_copy(state: Any) -> None:
    changed = state["o"].copy()
    changed["b"][0] = 2
    state["o"] = changed


@mutation({"items": [L, L]}, ("set", "items.2", {"n": 1}))
def assign_a_grown_list(state: Any) -> None:
    state["items"] = [*state["items"], {"n": 1}]


@mutation({"items": [L]}, ("set", "items.1", 2), ("set", "items.2", 3), ("set", "items.3", 4))
def grow_a_list_in_other_ways(state: Any) -> None:
    state["items"] = state["items"] + [2]
    state["items"] += (3,)
    state["items"][3:] = [4]


@mutation([1, 2], ("set", "2", 3), ("set", "3", [4]))
def list_root(state: Any) -> None:
    state.append(3)
    state.extend([[4]])


@mutation([L, 1], ("set", "1", 2), ("set", "0", 5))
def list_items(state: Any) -> None:
    state[-1] = 2
    state[0] = 5


@mutation(
    [L, 1], ("set", "2", 1), ("set", "2", "x"), ("set", "3", 1), ("set", "", ["y", L, 1, "x", 1])
)
def insert(state: Any) -> None:
    state.insert(len(state), 1)
    state.insert(2, "x")
    state.insert(-9, "y")


@mutation([3, 1, 2], ("set", "", [1, 2, 3]), ("set", "", [3, 2, 1]), ("set", "", [3, 2]))
def sort_reverse_pop(state: Any) -> None:
    state.sort()
    state.reverse()
    assert state.pop() == 1


@mutation([L, L, 1, 2], ("set", "", [L, L, 2]), ("set", "", [L, 2]))
def remove_and_delete(state: Any) -> None:
    state.remove(1)
    del state[0]


@mutation({"a": 1, "b": {"c": L, "d": 2}}, ("set", "b", {"c": L}), ("set", "", {"b": {"c": L}}))
def delete_keys(state: Any) -> None:
    del state["b"]["d"]
    assert state.pop("a") == 1
    assert state.pop("a", "nothing") == "nothing"


@mutation({"a": {"b": 1}}, ("set", "a", {}), ("set", "", {}))
def clear(state: Any) -> None:
    assert state["a"].popitem() == ("b", 1)
    state.clear()


@mutation({"a": 1}, ("set", "b", []), ("set", "b.0", 1))
def setdefault_is_attached(state: Any) -> None:
    assert state.setdefault("a", 2) == 1
    state.setdefault("b", []).append(1)


@mutation({"a": 1, "o": {}}, ("set", "a", 2), ("set", "b", 3), ("set", "o.x", 1), ("set", "o.y", 2))
def update(state: Any) -> None:
    state.update({"a": 2}, b=3)
    state["o"].update([("x", 1)])
    state["o"] |= {"y": 2}


@mutation({"a": [[1]]}, ("set", "b", [[1]]), ("set", "b.0.0", 2), ("set", "a.1", {"me": [[1]]}))
def store_a_proxy_of_the_state_itself(state: Any) -> None:
    state["b"] = state["a"]
    state["b"][0][0] = 2
    state["a"].append({"me": state["a"]})


@mutation([[1], [2]], ("set", "0.0", 9), ("set", "1.0", 9))
def write_through_iteration(state: Any) -> None:
    for inner in state:
        inner[0] = 9


@mutation({"a": {"n": 1}, "b": {"n": 1}}, ("set", "a.n", 2), ("set", "b.n", 3))
def write_through_items_and_values(state: Any) -> None:
    state.get("a")["n"] += 1
    for key, value in state.items():
        if key == "b":
            value["n"] = 3


@mutation([L], ("set", "1", L), ("set", "2", L))
def repeat(state: Any) -> None:
    state *= 3


@mutation([L, 1, 2, 3], ("set", "", [L, 3]))
def delete_a_slice(state: Any) -> None:
    del state[1:3]


@mutation([1, 2, 3, 4], ("set", "", [0, 2, 0, 4]))
def assign_an_extended_slice(state: Any) -> None:
    state[::2] = [0, 0]


@mutation({}, ("set", "1", 2))
def whole_numbers_are_keys_as_in_json(state: Any) -> None:
    state[1] = 2
    assert (state[1], state["1"], 1 in state, True in state) == (2, 2, True, False)


@pytest.mark.parametrize(
    ("initial", "mutate", "expected"),
    [pytest.param(*case, id=case[1].__name__) for case in MUTATIONS],
)
def test_mutation_and_its_operations(
    initial: Any, mutate: Callable[[Any], Any], expected: list[tuple[str, str, Any]]
) -> None:
    run = Recorder(initial)
    mutate(run.state)
    assert run.told == expected
    run.check(run.store.snapshot())


def test_update_and_extend_tell_their_operations_together() -> None:
    run = Recorder({"items": [], "a": 1})
    run.state.update(a=2, b=3)
    run.state["items"].extend([1, 2])
    assert [len(batch) for batch in run.batches] == [2, 2]


def test_augmented_assignment_of_the_root_is_not_told_twice() -> None:
    run = Recorder({"a": 1})
    run.state |= {"b": 2}
    assert run.told == [("set", "b", 2)]


def test_assigning_the_root_always_sends_all_of_it() -> None:
    # The data-stream runtime starts every response from `null`.
    run = Recorder({"a": 1})
    run.state = {"a": 1}
    assert run.told == [("set", "", {"a": 1})]


def test_reads() -> None:
    data: Any = {"list": [1, [2], {"three": 3}], "dict": {"a": None}, "text": "t"}
    state = Recorder(data).state
    assert isinstance(state, StateDict)
    assert isinstance(state["list"], StateList)
    assert isinstance(state["list"], StateProxy)
    assert isinstance(state, Mapping)
    assert isinstance(state["list"], MutableSequence)
    assert state == data
    assert data == state
    assert state != {**data, "text": "u"}
    assert state["list"] == data["list"]
    assert state["list"] != state["dict"]
    assert list(state) == list(data)
    assert list(reversed(state)) == list(reversed(data))
    assert dict(state.items()) == data
    assert list(state.values()) == list(data.values())
    assert state.keys() == data.keys()
    assert (len(state), len(state["list"]), bool(state), bool(state["dict"])) == (3, 3, True, True)
    assert not Recorder({}).state
    assert not Recorder([]).state
    assert repr(state) == repr(data)
    assert str(state["list"]) == str(data["list"])
    assert state["dict"]["a"] is None
    assert state["list"][-1]["three"] == 3
    assert state["list"][1:] == [[2], {"three": 3}]
    assert list(reversed(state["list"])) == [{"three": 3}, [2], 1]
    assert state.get("nothing") is None
    assert state.get("nothing", 5) == 5
    assert "text" in state
    assert None not in state
    assert [2] in state["list"]
    assert state["list"].index([2]) == 1
    assert state["list"].index({"three": 3}, 1) == 2
    assert state["list"].count(1) == 1
    assert [0] + state["list"] == [0, *data["list"]]
    assert state["list"] + [0] == [*data["list"], 0]
    assert state["list"] * 2 == data["list"] * 2
    assert state | {"x": 1} == {**data, "x": 1}
    assert {"text": "u", "x": 1} | state == {"x": 1, **data}
    match state:
        case {"list": [1, *rest], "text": str(text)}:
            assert (rest, text) == (data["list"][1:], "t")
        case _:
            pytest.fail("a proxy takes part in pattern matching")


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (lambda state: state["nothing"], KeyError),
        (lambda state: state["items"][3], IndexError),
        (lambda state: state["items"][-4], IndexError),
        (lambda state: state["items"]["x"], TypeError),
        (lambda state: state["items"].index(9), ValueError),
        (lambda state: state["items"].remove(9), ValueError),
        (lambda state: state["items"].pop(7), IndexError),
        (lambda state: state["items"].__setitem__(3, 1), IndexError),
        (lambda state: state["items"].__setitem__(slice(0, 3, 2), [1]), ValueError),
        (lambda state: state["items"].sort(), TypeError),
        (lambda state: state["empty"].pop(), TypeError),
        (lambda state: state["empty"].popitem(), KeyError),
        (lambda state: state.pop("nothing"), KeyError),
        (lambda state: state.__delitem__("nothing"), KeyError),
        (lambda state: state.__setitem__(None, 1), TypeError),
        (lambda state: state | 5, TypeError),
        (lambda state: 5 | state, TypeError),
        (hash, TypeError),
    ],
)
def test_errors_are_those_of_dict_and_list_and_change_nothing(
    read: Callable[[Any], Any], error: type[Exception]
) -> None:
    data: Any = {"items": [1, "two", None], "empty": {}}
    run = Recorder(data)
    with pytest.raises(error):
        read(run.state)
    assert run.told == []
    run.check(data)


def test_reading_is_live() -> None:
    run = Recorder({"user": {"name": "John"}})
    user = run.state["user"]
    run.store.set(["user"], {"name": "Jane"})
    assert user["name"] == "Jane"
    user["name"] += "t"
    run.check({"user": {"name": "Janet"}})


def test_a_proxy_stands_for_its_place() -> None:
    run = Recorder({"items": [{"n": 0}, {"n": 1}]})
    last = run.state["items"][-1]
    run.state["items"].append({"n": 2})
    assert last == {"n": 1}
    run.state["items"].insert(0, {"n": 9})
    assert last == {"n": 0}
    del run.state["items"][1:]
    with pytest.raises(StateOperationError, match=r"no dict at `items\.1` any more"):
        last["n"] = 5
    run.state = {"items": "gone"}
    with pytest.raises(StateOperationError, match="any more"):
        len(last)
    run.check({"items": "gone"})


def test_aliases_do_not_reach_the_state() -> None:
    run = Recorder({})
    items: list[Any] = [[1]]
    run.state["items"] = items
    items[0].append(2)
    items.append(3)
    popped_from = Recorder({"a": {"b": [1]}})
    popped = popped_from.state.pop("a")
    popped["b"].append(2)
    read = run.state["items"][:]
    read.append(4)
    copied = run.state.copy()
    copied["items"].append(5)
    run.batches[0][0]["value"].append(6)
    assert same_json(run.store.snapshot(), {"items": [[1]]})
    popped_from.check({})


def test_copies_are_plain() -> None:
    run = Recorder({"a": [{"b": 1}]})
    for plain in (
        run.state.copy(),
        copy.copy(run.state),
        copy.deepcopy(run.state),
        pickle.loads(pickle.dumps(run.state)),
    ):
        assert json.loads(json.dumps(plain)) == {"a": [{"b": 1}]}
        plain["a"][0]["b"] = 2
    assert run.told == []


def test_initial_state_is_a_snapshot_too() -> None:
    initial: Any = {"items": []}
    run = Recorder(initial)
    run.state["items"].append(1)
    assert initial == {"items": []}


@pytest.mark.parametrize(
    "write",
    [
        lambda state: state.__setitem__("__proto__", 1),
        lambda state: state.__setitem__("constructor", 1),
        lambda state: state["prototype"].__setitem__("x", 1),
        lambda state: state["prototype"].pop("a"),
        lambda state: state["prototype"]["b"].append(1),
        lambda state: state.setdefault("__proto__", {}),
    ],
)
def test_what_the_client_would_refuse_raises_where_it_is_written(
    write: Callable[[Any], Any],
) -> None:
    data: Any = {"prototype": {"a": 1, "b": []}}
    run = Recorder(data)
    with pytest.raises(StateOperationError, match="clients refuse"):
        write(run.state)
    run.check(data)
    assert run.told == []


def test_a_refused_key_in_an_update_leaves_those_before_it_told() -> None:
    run = Recorder({})
    with pytest.raises(StateOperationError):
        run.state.update({"a": 1, "__proto__": 2})
    run.check({"a": 1})


def test_deleting_beside_a_refused_key_is_fine() -> None:
    run = Recorder({"o": {"constructor": 1, "x": 2}})
    del run.state["o"]["constructor"]
    run.check({"o": {"x": 2}})


@pytest.mark.parametrize(
    "write",
    [
        lambda state, bad: state.__setitem__("x", bad),
        lambda state, bad: state["items"].append([bad]),
        lambda state, bad: state["items"].extend([1, bad]),
        lambda state, bad: state["items"].insert(0, bad),
        lambda state, bad: state["items"].__setitem__(slice(0, 0), [bad]),
        lambda state, bad: state.update(a=1, b=bad),
    ],
)
def test_what_has_no_json_form_changes_nothing(write: Callable[[Any, Any], Any]) -> None:
    run = Recorder({"items": [0]})
    with pytest.raises(NotJSONError):
        write(run.state, object())
    assert run.told == []
    run.check({"items": [0]})


def test_appending_while_iterating_goes_on_as_in_a_list() -> None:
    run = Recorder([0])
    for number in run.state:
        if number < 3:
            run.state.append(number + 1)
    run.check([0, 1, 2, 3])


def test_sort_with_a_key_gets_proxies() -> None:
    run = Recorder([{"n": 2}, {"n": 1}])
    run.state.sort(key=lambda item: item["n"])
    run.check([{"n": 1}, {"n": 2}])
    run.state.sort(key=lambda item: item["n"], reverse=True)
    run.check([{"n": 2}, {"n": 1}])


def test_many_threads_write_and_the_operations_still_tell_the_whole_story() -> None:
    run = Recorder({"log": [], "texts": {str(n): "" for n in range(4)}, "shared": {"a": ["x"]}})
    barrier = threading.Barrier(4)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            barrier.wait()
            for step in range(300):
                run.state["log"].append([number, step])
                run.state["texts"][str(number)] += f"{step},"
                run.store.append_text(["texts", str(number)], ";")
                assert run.state["texts"][str(number)].endswith(f"{step},;")
                run.state["shared"] = {"a": [f"{number}"]}
                run.state["shared"]["a"].append(step)
                assert run.state["log"][-1] is not None
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    run.check(run.store.snapshot())
    assert len(run.state["log"]) == 1200
    assert all(
        run.state["texts"][str(n)] == "".join(f"{step},;" for step in range(300)) for n in range(4)
    )


def test_an_operation_costs_the_same_in_a_long_thread() -> None:
    calls = []
    for count in (10, 10_000):
        store = StateStore(
            {"messages": [{"text": "", "id": n} for n in range(count)]}, lambda _: None
        )
        before = store.value["messages"]  # type: ignore[index,call-overload]
        calls.append(_calls(lambda store=store: _stream(store)))  # type: ignore[misc]
        assert store.value["messages"] is before  # type: ignore[index,call-overload]
    assert calls[0] == calls[1]


def _stream(store: StateStore) -> None:
    for _ in range(100):
        store.proxy["messages"][-1]["text"] += "token "
        store.proxy["messages"].append({"text": ""})
    store.append_text(["messages", 3, "text"], "x")


def _calls(work: Callable[[], None]) -> int:
    """Count Python and C calls, which no other load on the machine can change."""
    count = 0

    def profile(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += 1

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count
