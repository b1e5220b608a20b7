"""Any program of mutations: the proxy, a plain copy, and the real client end with the same JSON."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant_stream_ce._json import copy_json, dumps, to_json
from assistant_stream_ce.errors import StateOperationError
from assistant_stream_ce.state import StateStore, apply_operations, diff
from tests.state.client import replay, same_json

# Words of few letters meet each other often: keys that look like indices, texts that extend one
# another, halves of an emoji.
keys = st.sampled_from(["a", "b", "text", "0", "1", "01", "length", "é", ""])
texts = st.text(alphabet=["a", "b", "\n", '"', "é", "😀", "\ud83d", "\ude00"], max_size=6)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
states = st.dictionaries(keys, values, max_size=5) | st.lists(values, max_size=5)
numbers = st.integers(-7, 7)
slices = st.builds(
    slice, st.none() | numbers, st.none() | numbers, st.none() | st.sampled_from([-2, -1, 1, 2])
)


def extend_text(target: Any, key: Any, text: str) -> None:
    if isinstance(target[key], str):
        target[key] += text


def append_changed(target: Any, value: Any) -> None:
    target[:] = [*target, value]


def sort_by_text(target: Any) -> None:
    target.sort(key=repr)


def iadd(target: Any, items: Any) -> None:
    target += items


def imul(target: Any, times: int) -> None:
    target *= times
    if isinstance(target, list):  # where `*=` repeats the same containers; the state holds copies
        target[:] = [copy.deepcopy(item) for item in target]


def ior(target: Any, items: Any) -> None:
    target |= items


def assign_changed_copy(target: Any, key: Any, value: Any) -> None:
    changed = copy.deepcopy(target[key])
    if isinstance(changed, list):
        changed.append(value)
    elif isinstance(changed, dict):
        changed["b"] = value
    target[key] = changed


def store_itself(target: Any, key: Any) -> None:
    # By copy: a plain container would otherwise contain itself.
    target[key] = copy.deepcopy(target)


DICT_STEPS: list[tuple[Callable[..., Any], tuple[st.SearchStrategy[Any], ...]]] = [
    (lambda target, key, value: target.__setitem__(key, copy.deepcopy(value)), (keys, values)),
    (lambda target, key: target.__delitem__(key), (keys,)),
    (lambda target, key: target.pop(key), (keys,)),
    (lambda target, key, value: target.pop(key, value), (keys, scalars)),
    (lambda target: target.popitem(), ()),
    (lambda target: target.clear(), ()),
    (lambda target, other: target.update(copy.deepcopy(other)), (st.dictionaries(keys, values),)),
    (lambda target, key, value: target.setdefault(key, copy.deepcopy(value)), (keys, values)),
    (ior, (st.dictionaries(keys, scalars),)),
    (extend_text, (keys, texts)),
    (assign_changed_copy, (keys, scalars)),
    (store_itself, (keys,)),
]
LIST_STEPS: list[tuple[Callable[..., Any], tuple[st.SearchStrategy[Any], ...]]] = [
    (
        lambda target, index, value: target.__setitem__(index, copy.deepcopy(value)),
        (numbers, values),
    ),
    (lambda target, index: target.__delitem__(index), (numbers,)),
    (lambda target, value: target.append(copy.deepcopy(value)), (values,)),
    (lambda target, items: target.extend(copy.deepcopy(items)), (st.lists(values, max_size=3),)),
    (lambda target, index, value: target.insert(index, copy.deepcopy(value)), (numbers, values)),
    (lambda target, index: target.pop(index), (numbers,)),
    (lambda target: target.pop(), ()),
    (lambda target, value: target.remove(value), (values,)),
    (lambda target: target.clear(), ()),
    (lambda target: target.reverse(), ()),
    (lambda target: target.sort(), ()),
    (sort_by_text, ()),
    (
        lambda target, where, items: target.__setitem__(where, items),
        (slices, st.lists(scalars, max_size=3)),
    ),
    (lambda target, where: target.__delitem__(where), (slices,)),
    (iadd, (st.lists(scalars, max_size=3),)),
    (imul, (st.integers(-1, 3),)),
    (append_changed, (scalars,)),
    (extend_text, (numbers, texts)),
    (assign_changed_copy, (numbers, scalars)),
    (lambda target, value: target.index(value), (values,)),
    (lambda target, value: target.count(value), (values,)),
]


def step(
    options: list[tuple[Callable[..., Any], tuple[st.SearchStrategy[Any], ...]]],
) -> st.SearchStrategy[tuple[Callable[..., Any], tuple[Any, ...]]]:
    return st.one_of(
        [st.tuples(st.just(mutate), st.tuples(*arguments)) for mutate, arguments in options]
    )


steps = st.tuples(st.lists(st.integers(0, 9), max_size=4), step(DICT_STEPS), step(LIST_STEPS))
programs = st.lists(steps, max_size=12)


def walk(root: Any, choices: list[int]) -> Any:
    """Go down to some container, the same one in the proxy as in the plain copy."""
    target = root
    for choice in choices:
        if not len(target):
            break
        chosen = choice % len(target)
        child = target[chosen] if is_list(target) else target[list(target)[chosen]]
        if isinstance(child, (str, int, float, type(None))):
            break
        target = child
    return target


def is_list(value: Any) -> bool:
    return hasattr(value, "append")


def outcome(mutate: Callable[..., Any], target: Any, arguments: tuple[Any, ...]) -> Any:
    try:
        return mutate(target, *arguments)
    except Exception as error:
        return type(error)


def run_program(initial: Any, program: list[Any]) -> tuple[Any, list[Any]]:
    """Run a program on a proxy and on a plain copy; returns the state and the operations."""
    plain = copy.deepcopy(initial)
    batches: list[Any] = []
    store = StateStore(initial, batches.append)
    for choices, on_dict, on_list in program:
        real, model = walk(store.proxy, choices), walk(plain, choices)
        mutate, arguments = on_list if is_list(model) else on_dict
        theirs = outcome(mutate, model, copy.deepcopy(arguments))
        ours = outcome(mutate, real, arguments)
        if isinstance(theirs, type):
            assert ours is theirs
        else:
            assert same_json(to_json(ours), theirs)
        assert list(store.proxy) == list(plain)
        assert store.proxy == plain
        assert same_json(store.snapshot(), plain)
    return plain, batches


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(states, programs)
def test_the_proxy_does_what_a_plain_copy_does(initial: Any, program: list[Any]) -> None:
    plain, batches = run_program(initial, program)
    operations = [op for batch in batches for op in batch]
    assert same_json(apply_operations(initial, operations), plain)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(states, programs)
def test_the_real_client_ends_with_the_same_state(initial: Any, program: list[Any]) -> None:
    plain, batches = run_program(initial, program)
    state, error = replay(initial, batches)
    assert error is None
    assert same_json(state, plain)


@settings(max_examples=150, deadline=None)
@given(values, values)
def test_diff_leads_from_any_value_to_any_other(old: Any, new: Any) -> None:
    before = copy.deepcopy((old, new))
    operations = diff(old, new)
    assert same_json(apply_operations(old, operations), new)
    assert (old, new) == before
    whole = len(dumps([{"type": "set", "path": [], "value": new}]))
    assert len(dumps(operations)) <= whole * 1.5 + 60, "piece by piece is much longer than whole"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(values, values), max_size=5))
def test_the_real_client_follows_diffs(pairs: list[tuple[Any, Any]]) -> None:
    state: Any = None
    for old, new in pairs:
        state, error = replay(old, [diff(old, new)])
        assert error is None
        assert same_json(state, new)


segments = keys | st.integers(-2, 4) | st.sampled_from(["2", "-1", "__proto__", "constructor"])
raw_operations = st.fixed_dictionaries(
    {"type": st.just("set"), "path": st.lists(segments, max_size=3), "value": values}
) | st.fixed_dictionaries(
    {"type": st.just("append-text"), "path": st.lists(segments, max_size=3), "value": texts}
)


@settings(max_examples=120, deadline=None)
@given(states, st.lists(raw_operations, min_size=1, max_size=4))
def test_the_store_takes_and_refuses_what_the_client_does(
    initial: Any, operations: list[Any]
) -> None:
    store = StateStore(initial, lambda _: None)
    refused = False
    try:
        store.apply(operations)
    except StateOperationError:
        refused = True
    state, error = replay(initial, [operations])
    assert (error is not None) == refused
    if not refused:
        assert same_json(state, store.snapshot())


@given(values)
def test_a_json_value_is_its_own_form(value: Any) -> None:
    assert same_json(to_json(value), value)
    assert same_json(copy_json(value), value)
