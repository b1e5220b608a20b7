"""What tells of a run of a random graph while it goes on: what nodes and tools write to the stream,
and arguments that are shown in the state before their tool has run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from tests.adapters_langgraph.random_runs import FORMS, Shown
from tests.adapters_langgraph.random_stage import Written

__all__ = ("check_data", "check_predicted")

_ABSENT: Any = object()


def check_data(shown: Shown) -> None:
    """Check what nodes and tools have written, and what waits for an answer: each once, in order
    and in the card of its call, before that has a result."""
    if not shown.snapshots:
        return
    if not shown.options.parts:
        _check_items(shown)
        return
    parts = [part for part in shown.snapshots[-1]["parts"] if part["type"] == "data"]
    told = [part for part in parts if part["name"] != "interrupt"]
    known = _calls(shown.snapshots[-1])
    written = [w for w in _carried(shown) if not w.is_output or w.call_id in known]
    events = [_named(w) for w in written]
    counted, expected = _counted(map(_shown, told)), _counted(events)
    assert counted <= expected if shown.failed else counted == expected
    for parent in {part.get("parentId") for part in told}:
        here = [_shown(part) for part in told if part.get("parentId") == parent]
        assert _is_in_order(here, events), "data parts are in another order than they were told"
    _check_cards(shown, told, written, known)
    _check_asked(shown, [part["data"]["id"] for part in parts if part["name"] == "interrupt"])


def _check_items(shown: Shown) -> None:
    """The same for an answer without parts: items of data, those of one call in the order in which
    they were written. The words of a call may be held back until they are whole."""
    data = [snapshot["metadata"]["unstable_data"] for snapshot in shown.snapshots]
    for earlier, later in pairwise(data):
        assert later[: len(earlier)] == earlier, "an item has changed"
    written = _carried(shown)
    counted, expected = _counted(data[-1]), _counted(w.event for w in written)
    assert counted <= expected if shown.failed else counted == expected
    for call_id in {w.call_id for w in written} if not shown.failed else ():
        own = [w.event for w in written if w.call_id == call_id]
        assert _is_in_order(own, data[-1]), "items are in another order than they were written"


def _carried(shown: Shown) -> list[Written]:
    carries = FORMS[shown.form]
    return [
        written
        for written in shown.told
        if (carries.outputs if written.is_output else carries.custom)
        and (carries.subgraphs or not written.depth)
        and not (written.agent and shown.options.agents == "hide")
    ]


def _check_asked(shown: Shown, asked: list[str]) -> None:
    waiting = sorted(interrupt.id for interrupt in shown.interrupts)
    if shown.failed:  # The question that this run has answered stands in the state again.
        assert set(asked) <= {*waiting, *shown.asked}
    else:
        assert sorted(asked) == (waiting if FORMS[shown.form].state != "none" else [])


def _check_cards(
    shown: Shown, told: list[dict[str, Any]], written: list[Written], known: Mapping[str, Any]
) -> None:
    """What a tool has written stands under its call, as far as that can be known."""
    sure = [w for w in written if _is_sure(shown, w)]
    places = _counted((_parent(shown, w, known), *_named(w)) for w in sure)
    found = _counted((part.get("parentId"), *_shown(part)) for part in told)
    rest = found - places
    if not shown.failed:
        assert not places - found, "what a tool has written is elsewhere"
    unsure = [w for w in written if w not in sure]
    may = {repr((place, *_named(w))) for w in unsure for place in (None, w.call_id)}
    assert set(rest) <= may, "words in the card of another call"
    for snapshot in shown.snapshots:
        for call_id, call in _calls(snapshot).items():
            if "result" in call:
                assert _below(snapshot, call_id) == _below(shown.snapshots[-1], call_id), "late"


def _is_sure(shown: Shown, written: Written) -> bool:
    """Whether the stream tells where it belongs."""
    if written.call_id is None or (written.agent and shown.options.agents == "inline"):
        return True
    if written.agent and FORMS[shown.form].tasks and written.owner == "by task":
        return True
    return written.owner in ("known", "named")


def _parent(shown: Shown, written: Written, known: Mapping[str, Any]) -> str | None:
    """The call in whose card it stands, if that is not in an earlier answer."""
    inline = written.agent and shown.options.agents == "inline"
    return written.call_id if written.call_id in known and not inline else None


def _calls(snapshot: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {p["toolCallId"]: p for p in snapshot["parts"] if p["type"] == "tool-call"}


def _below(snapshot: dict[str, Any], call_id: str) -> int:
    """How many data parts stand under a call."""
    data = [p for p in snapshot["parts"] if p["type"] == "data" and p["name"] != "interrupt"]
    return sum(part.get("parentId") == call_id for part in data)


def _shown(part: dict[str, Any]) -> tuple[str, Any]:
    return (part["name"], part["data"])


def _counted(items: Iterable[Any]) -> Counter[str]:
    return Counter(map(repr, items))


def _is_in_order(some: list[Any], every: list[Any]) -> bool:
    rest = iter(every)
    return all(item in rest for item in some)


def _named(written: Written) -> tuple[str, Any]:
    match written.event:
        case {"type": "ui", "name": name, "props": props}:
            return (name, props)
        case {"name": name, "data": data}:
            return (name, data)
        case {"type": name}:
            return (name, written.event)
        case _:
            return ("tool-output" if written.is_output else "custom", written.event)


def check_predicted(shown: Shown) -> None:
    """Check that a channel has shown at every moment what the graph has held there, or the
    beginning of an argument whose tool has no result yet."""
    for channel, (tool, _) in (shown.options.predict or {}).items():
        values = [_channel(shown.initial, channel)]
        arguments = [use.query for use in shown.called if use.tool == tool]
        truths = _truths(shown, channel, [*arguments])
        for snapshot in shown.snapshots:
            value = _channel(snapshot["metadata"]["unstable_state"], channel)
            if repr(value) == repr(values[-1]):
                continue
            values.append(value)
            if repr(value) not in truths and shown.options.parts:
                calls = [c for c in _calls(snapshot).values() if c["toolName"] == tool]
                assert not all("result" in call for call in calls), "a guess after the fact"
        if not _is_mirrored(shown, channel):
            assert len(values) == 1, "a channel that is not mirrored"
            continue
        _check_grown(values, arguments, truths)
        if FORMS[shown.form].state == "whole":
            assert repr(values[-1]) in truths, "what no tool has written was not taken back"
        if arguments and _shows_calls(shown):
            assert {*arguments} & {*map(str, values)}, "an argument is not shown whole"


def _truths(shown: Shown, channel: str, arguments: list[str]) -> set[str]:
    """What the graph has held in a channel, or its nodes have written there."""
    held = [_channel(state, channel) for state in (shown.initial, *shown.held)]
    if FORMS[shown.form].state == "writes":  # Of several tools each tells what it has written.
        held.extend(f"{argument}." for argument in arguments if channel == "draft")
    return set(map(repr, held))


def _check_grown(values: list[Any], arguments: list[str], truths: set[str]) -> None:
    begun = 0
    for old, new in pairwise(values):
        if isinstance(new, str) and any(text.startswith(new) for text in arguments):
            begun += not (isinstance(old, str) and new.startswith(old)) and repr(new) not in truths
        else:
            assert repr(new) in truths, f"nobody's: {new}"
    assert begun <= len(arguments), "an argument was told anew"


def _shows_calls(shown: Shown) -> bool:
    """Whether every call is told as it is made."""
    carries = FORMS[shown.form]
    return carries.tokens and carries.subgraphs and not shown.failed and not shown.resumed


def _is_mirrored(shown: Shown, channel: str) -> bool:
    state = shown.options.state
    return state if isinstance(state, bool) else channel in state


def _channel(state: Any, channel: str) -> Any:
    return (state or {}).get(channel, _ABSENT)
