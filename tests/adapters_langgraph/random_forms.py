"""The message that one run of a random graph gives, against what it gives in another form.

Every message of such a run is signed, so that it can be found again among others. What a form
cannot tell is left out, as `Carries` says; all that is left has to be equal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.adapters_langgraph.random_account import answers_of
from tests.adapters_langgraph.random_runs import FORMS, Shown
from tests.adapters_langgraph.random_stage import Spoken, sign

__all__ = ("Telling", "check_cards", "check_hidden", "check_inline", "compare")

_SIGN = re.compile("(⟦[^⟧]*⟧)")


@dataclass
class Said:
    """One message as a client shows it."""

    parent: str | None
    text: list[str] = field(default_factory=list)
    """What was said, once each time that it was told."""
    reasoning: list[str] = field(default_factory=list)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)


class Telling:
    """What the client shows of one run, message by message.

    Args:
        shown: The run.
    """

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self.form = FORMS[shown.form]
        self.parts = shown.snapshots[-1]["parts"] if shown.snapshots else []
        self.said: dict[str, Said] = {}
        self.order: dict[str | None, list[str]] = {}
        """By parent, who speaks after whom."""
        speaking: dict[str | None, str] = {}
        for part in self.parts:
            self._read(part, part.get("parentId"), speaking)
        self.spoken = {signature: spoken for spoken in shown.spoken for signature in _signs(spoken)}
        self.certain = {
            signature
            for answer in answers_of(shown)
            if answer.certain
            for signature in _SIGN.findall(str(answer.message.text))
        }

    def _read(
        self, part: dict[str, Any], parent: str | None, speaking: dict[str | None, str]
    ) -> None:
        if part["type"] == "tool-call":
            name = part["toolCallId"].removeprefix("call_").rpartition("_")[0]
            self._of(sign(name), parent, speaking).calls[part["toolCallId"]] = part
        if part["type"] not in ("text", "reasoning"):
            return
        for piece in _SIGN.split(part["text"]):
            if _SIGN.fullmatch(piece):
                _words(self._of(piece, parent, speaking), part).append(piece)
            elif piece:
                assert parent in speaking, "words of nobody"
                _words(self.said[speaking[parent]], part)[-1] += piece

    def _of(self, signature: str, parent: str | None, speaking: dict[str | None, str]) -> Said:
        speaking[parent] = signature
        if signature not in self.said:
            self.said[signature] = Said(parent)
            self.order.setdefault(parent, []).append(signature)
        return self.said[signature]

    def streams(self, signature: str) -> bool:
        """Whether the form tells the tokens of a message."""
        spoken = self.spoken.get(signature)
        deep = spoken is None or spoken.depth > 0
        return self.form.tokens and (self.form.subgraphs or not deep)

    @property
    def is_in_order(self) -> bool:
        """Whether nothing has happened at the same time."""
        return not any(spoken.beside for spoken in self.shown.spoken)


def _words(said: Said, part: dict[str, Any]) -> list[str]:
    return said.text if part["type"] == "text" else said.reasoning


def _signs(spoken: Spoken) -> list[str]:
    return _SIGN.findall(str(spoken.message.text))


def compare(one: Telling, other: Telling) -> None:
    """Check that two tellings of a run are the same, but for what their forms do not carry."""
    assert one.shown.failed == other.shown.failed
    for here, there in ((one, other), (other, one)):
        missing = set(here.said) - set(there.said)
        assert not missing & there.certain, "a message is not told"
    common = [signature for signature in one.said if signature in other.said]
    for signature in common:
        _compare_said(signature, one, other)
    if one.is_in_order:
        # Of what was said in a tool, one of them may not know in which.
        placed = [s for s in common if one.said[s].parent == other.said[s].parent]
        for parent in {one.said[signature].parent for signature in placed}:
            assert _lane(one, parent, placed) == _lane(other, parent, placed)
    _compare_data(one, other)
    if _is_alike(one, other):
        assert _readable(one.parts) == _readable(other.parts)


def check_cards(telling: Telling) -> None:
    """Check that what agents inside tools have said stands in the cards of their calls alone."""
    calls = {p["toolCallId"]: p for p in telling.parts if p["type"] == "tool-call"}
    for call in calls.values():
        found = {s for text in _card(call) for s in _SIGN.findall(text)}
        # In one task, nothing tells apart two calls that ask the same.
        same = {i for i, other in calls.items() if other["argsText"] == call["argsText"]}
        assert len(found) <= 1
        if not telling.form.same and any(s.owner == "unknown" for s in telling.shown.spoken):
            continue  # Events of version 1 do not tell the graphs of one task apart.
        assert found <= {sign(f"{i}-1") for i in same}, "words in the card of another call"
    tells = telling.form.subgraphs and telling.form.state != "none"
    for spoken in telling.shown.spoken:
        if spoken.parent_id is None or not tells or _is_ambiguous(spoken, telling, telling):
            continue
        assert _card(calls[spoken.parent_id]) == [str(spoken.message.text)]
        assert not set(_signs(spoken)) & set(telling.said), "words beside the card"


def check_hidden(shown: Shown) -> None:
    """Check that nothing an agent inside a tool has said was ever shown as said."""
    hidden = [s for spoken in shown.spoken if spoken.agent for s in _signs(spoken)]
    for snapshot in shown.snapshots:
        state = snapshot["metadata"]["unstable_state"] or {}
        said = [m["content"] for m in state.get("messages", ()) if m["type"] == "ai"]
        said.extend(part.get("text") for part in snapshot["parts"])
        said.extend(part.get("messages") for part in snapshot["parts"])
        assert not any(signature in repr(said) for signature in hidden)
        data = [part["data"] for part in snapshot["parts"] if part["type"] == "data"]
        assert "inner" not in repr((data, snapshot["metadata"]["unstable_data"]))


def check_inline(telling: Telling) -> None:
    """Check that what agents inside tools have said stands in the answer itself: once, after the
    calls that they were asked in and before what is said of their results."""
    inside = [spoken for spoken in telling.shown.spoken if spoken.agent]
    signs = {signature for spoken in inside for signature in _signs(spoken)}
    for snapshot in telling.shown.snapshots:
        state = snapshot["metadata"]["unstable_state"] or {}
        kept = [m["content"] for m in state.get("messages", ()) if m["type"] == "ai"]
        cards = [part.get("messages") for part in snapshot["parts"]]
        nested = [part.get("text") for part in snapshot["parts"] if part.get("parentId")]
        assert not any(signature in repr((kept, cards, nested)) for signature in signs)
    if not telling.shown.options.parts:
        return
    for spoken in inside if telling.form.tokens and telling.form.subgraphs else ():
        for signature in _signs(spoken):
            assert telling.said[signature].text == [str(spoken.message.text)]
    rounds: dict[str, int] = {}
    for spoken in telling.shown.spoken:
        # Agents have odd numbers, and all that work for one answer the same.
        last = max(rounds.values(), default=0)
        number = last + 1 - last % 2 if spoken.agent else last + 2 - last % 2
        rounds.update(dict.fromkeys(_signs(spoken), number))
    told = [rounds[signature] for signature in telling.order.get(None, ())]
    assert told == sorted(told), "words of an agent stand elsewhere"


def _card(call: dict[str, Any]) -> list[str]:
    """What the assistant says in the card of a call."""
    thread = [m for m in call.get("messages") or () if m["role"] == "assistant"]
    return ["".join(part.get("text", "") for part in m["content"]) for m in thread]


def _compare_said(signature: str, one: Telling, other: Telling) -> None:
    here, there = one.said[signature], other.said[signature]
    spoken = one.spoken.get(signature)
    assert here.parent == there.parent or _is_ambiguous(spoken, one, other), "another parent"
    assert here.reasoning[-1:] == there.reasoning[-1:]
    for telling, said in ((one, here), (other, there)):
        often = max(len(said.text), len(said.reasoning))
        assert often <= 1 or _may_repeat(spoken, telling), "a message is told twice"
    if here.text and there.text and here.text[-1] != there.text[-1]:
        # What its node makes of it comes too late, or is not told; or a failure beside it came
        # first.
        ends = [telling.spoken.get(signature) for telling in (one, other)]
        assert (
            "none" in (one.form.state, other.form.state)
            or (spoken and spoken.beside)
            or any(end and end.broken_off for end in ends)
        )
        shorter, longer = sorted((here.text[-1], there.text[-1]), key=len)
        assert longer.startswith(shorter)
    assert list(here.calls) == list(there.calls)
    for call_id, call in here.calls.items():
        streamed = one.streams(signature) and other.streams(signature)
        _compare_call(call, there.calls[call_id], one, other, streamed=streamed)


def _is_ambiguous(spoken: Spoken | None, one: Telling, other: Telling) -> bool:
    """Whether one of the forms cannot say which of several calls it was that a message was said
    in. Then it is in none."""
    return spoken is not None and not all(
        spoken.owner == "known" or (spoken.owner == "by task" and telling.form.tasks)
        for telling in (one, other)
    )


def _may_repeat(spoken: Spoken | None, telling: Telling) -> bool:
    if spoken is None:
        return False
    form = telling.form
    return (not form.same and spoken.depth > 0) or (
        not form.names and isinstance(spoken.written, tuple)
    )


def _compare_call(
    call: dict[str, Any], same: dict[str, Any], one: Telling, other: Telling, *, streamed: bool
) -> None:
    for key in ("toolName", "args"):
        assert call[key] == same[key]
    if streamed:
        assert _unescaped(call["argsText"]) == _unescaped(same["argsText"])
    unsure = one.shown.failed or one.shown.interrupts
    if unsure and ("result" not in call or "result" not in same or one.shown.failed):
        return  # Not every form tells what is done beside a pause or a failure.
    for key in ("result", "artifact", "isError"):
        assert call.get(key) == same.get(key)


def _unescaped(text: str) -> str:
    """JSON text with its letters as such: a call that comes in one piece is escaped by LangChain,
    and its protocol has the object alone."""
    return re.sub(r"(\\u[0-9a-f]{4})+", lambda found: str(json.loads(f'"{found[0]}"')), text)


def _lane(telling: Telling, parent: str | None, common: Sequence[str]) -> list[str]:
    return [s for s in telling.order.get(parent, ()) if s in common]


def _compare_data(one: Telling, other: Telling) -> None:
    if "none" not in (one.form.state, other.form.state):
        by_task = one.form.tasks and other.form.tasks
        assert _asked(one.parts, by_task=by_task) == _asked(other.parts, by_task=by_task)
    if one.form.custom and other.form.custom and not one.shown.failed:
        deep = one.form.subgraphs == other.form.subgraphs
        both = one.form.outputs and other.form.outputs
        here, there = _data(one.parts, outputs=both), _data(other.parts, outputs=both)
        assert here == there if deep else set(here) <= set(there) or set(there) <= set(here)


def _asked(parts: Iterable[dict[str, Any]], *, by_task: bool) -> list[str]:
    """What waits for an answer, without the ids, which are new in each run."""
    hidden = {"id"} if by_task else {"id", "tool_call_id"}
    asked = [part["data"] for part in parts if part["type"] == "data" and _is_question(part)]
    return sorted(repr({k: v for k, v in item.items() if k not in hidden}) for item in asked)


def _data(parts: Iterable[dict[str, Any]], *, outputs: bool) -> list[str]:
    told = [part for part in parts if part["type"] == "data" and not _is_question(part)]
    if not outputs:
        told = [part for part in told if part["name"] not in ("tool-output", "piece")]
    return sorted(repr((part["name"], part["data"])) for part in told)


def _is_question(part: dict[str, Any]) -> bool:
    return bool(part["name"] == "interrupt")


def _is_alike(one: Telling, other: Telling) -> bool:
    """Whether two forms carry the same, and nothing of the run was done at the same time."""
    shown = one.shown
    writers = {written.call_id for written in shown.told}
    return (
        one.form == other.form
        and one.is_in_order
        and not (shown.failed or shown.interrupts)
        and all(spoken.owner == "known" for spoken in shown.spoken)
        and all(w.owner in ("known", "named") or w.call_id is None for w in shown.told)
        and all(
            len(writers & {call["id"] for call in spoken.message.tool_calls}) <= 1
            for spoken in shown.spoken
        )
    )


def _readable(parts: Iterable[dict[str, Any]]) -> list[Any]:
    """The parts without what only says that they are complete."""
    return [{key: value for key, value in part.items() if key != "status"} for part in parts]
