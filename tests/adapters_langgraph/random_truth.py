"""What a run of a random graph must have shown, told by the graph itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage

from assistant_stream_ce._json import to_json
from tests.adapters_langgraph.random_runs import FORMS, Shown

__all__ = ("check", "said")

Atoms = tuple[tuple[str, str], ...]
"""What is said, in order: one atom for each letter of text or reasoning, and for each call."""

_GIVEN_UP = "The run went on without this call."
_CALL_FAILED = "The run failed before this call returned."


def check(shown: Shown) -> None:
    """Check one run: how it has grown, its parts and its state."""
    for earlier, later in pairwise(shown.snapshots):
        _check_grown(earlier["parts"], later["parts"])
    _check_messages_grew(shown)
    if shown.snapshots and shown.options.parts:
        _check_said(shown)
        _check_calls(shown)
    if not shown.failed:
        _check_state(shown)


def _check_grown(earlier: list[dict[str, Any]], later: list[dict[str, Any]]) -> None:
    """Parts only grow: none goes, changes its kind or its place, and results stay."""
    assert len(earlier) <= len(later), "a part has vanished"
    for old, new in zip(earlier, later, strict=False):
        assert old["type"] == new["type"]
        assert old.get("parentId") == new.get("parentId")
        if "text" in old:
            assert new["text"].startswith(old["text"])
        if old["type"] in ("data", "source", "file"):
            assert {**old, "status": None} == {**new, "status": None}, "it has changed"
        if old["type"] == "tool-call":
            assert (old["toolCallId"], old["toolName"]) == (new["toolCallId"], new["toolName"])
            assert new["argsText"].startswith(old["argsText"])
            for key in ("result", "artifact", "isError"):
                assert key not in old or old[key] == new[key], f"the {key} has changed"


def _check_messages_grew(shown: Shown) -> None:
    """Messages in the state grow to what they are at the end, unless the graph removes them.

    One that a subgraph has changed and then removed from its own copy is shown as it was changed:
    until the subgraph ends nobody knows that its outer graph will never hear of that.
    """
    if not shown.options.mirrors_messages or FORMS[shown.form].state == "none":
        return
    final = {m["id"]: m for m in shown.truth.get("messages", ()) if m.get("id")}
    history = [{m.id for m in messages} for messages in shown.history]
    stays = {i for i in final if all(i in ids for ids in history[_first(history, i) :])}
    stays -= {m.id for m in shown.removed if m.id in stays and m.text != _content_text(final[m.id])}
    states = [_messages_of(snapshot) for snapshot in shown.snapshots]
    rewritten = _rewritten(shown)
    for earlier, later in pairwise(states):
        for message_id, old in earlier.items():
            if message_id not in stays:
                continue
            assert message_id in later, "a message has vanished"
            text = _content_text(later[message_id])
            if old != later[message_id] and text in rewritten.get(message_id, ()):
                continue
            assert text.startswith(_content_text(old)), "a message has changed"


def _rewritten(shown: Shown) -> dict[Any, set[str]]:
    """What the graph itself has made of messages of which it had another version before."""
    versions: dict[Any, list[str]] = {}
    for messages in to_json(shown.history):  # type: ignore[union-attr]
        for message in messages:
            text = _content_text(message)
            if text not in (texts := versions.setdefault(message["id"], [])):
                texts.append(text)
    return {message_id: {*texts[1:]} for message_id, texts in versions.items()}


def _first(history: list[set[Any]], message_id: str) -> int:
    return next((n for n, ids in enumerate(history) if message_id in ids), len(history))


def _messages_of(snapshot: dict[str, Any]) -> dict[str, Any]:
    state = snapshot["metadata"]["unstable_state"] or {}
    return {m["id"]: m for m in state.get("messages") or () if m.get("id")}


def _content_text(message: dict[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(b if isinstance(b, str) else str(b.get("text", "")) for b in content)


@dataclass(frozen=True)
class Told:
    """A message that is to be seen, in each form that it has had."""

    versions: tuple[Atoms, ...]
    parents: tuple[str | None, ...] = (None,)
    optional: bool = False


def said(message: AIMessage) -> Atoms:
    """What a message says."""
    thoughts = text = ""
    content: Any = message.content
    for block in [content] if isinstance(content, str) else content:
        if isinstance(block, str):
            text += block
        elif block["type"] == "text":
            text += block["text"]
        elif block["type"] in ("thinking", "reasoning"):
            thoughts += block.get("thinking", "") + block.get("reasoning", "")
    thoughts = thoughts or str(message.additional_kwargs.get("reasoning_content", ""))
    calls = [
        ("call", i) for i in (*_server_calls(message), *(str(c["id"]) for c in message.tool_calls))
    ]
    return (*(("thought", c) for c in thoughts), *(("text", c) for c in text), *calls)


def _server_calls(message: AIMessage) -> list[str]:
    """The calls that a provider has answered itself."""
    kinds = ("server_tool_use", "server_tool_call")
    content: Any = message.content
    return [str(b["id"]) for b in content if isinstance(b, dict) and b.get("type") in kinds]


def _check_said(shown: Shown) -> None:
    expected = _expected(shown)
    parts = shown.snapshots[-1]["parts"]
    known = {part["toolCallId"] for part in parts if part["type"] == "tool-call"}
    if shown.resumed:  # An agent goes on in a call that stands in the answer before.
        earlier = [m for m in shown.before if isinstance(m, AIMessage)]
        known.update(str(made["id"]) for message in earlier for made in message.tool_calls)
    for parent in {None, *(part.get("parentId") for part in parts)}:
        lane = _said_in(part for part in parts if part.get("parentId") == parent)
        here = [
            Told(told.versions, told.parents, told.optional or len(told.parents) > 1)
            for told in expected
            if parent in told.parents
        ]
        assert parent is None or parent in known, "a part's parent is not to be seen"
        assert _matches(lane, here), (_readable(lane), [_readable(t.versions[-1]) for t in here])


def _said_in(parts: Iterable[dict[str, Any]]) -> Atoms:
    atoms: list[tuple[str, str]] = []
    for part in parts:
        if part["type"] == "text":
            atoms.extend(("text", c) for c in part["text"])
        elif part["type"] == "reasoning":
            atoms.extend(("thought", c) for c in part["text"])
        elif part["type"] == "tool-call":
            atoms.append(("call", part["toolCallId"]))
    return tuple(atoms)


def _readable(atoms: Atoms) -> str:
    return "".join(f"[{value}]" if kind == "call" else value for kind, value in atoms)


def _matches(lane: Atoms, expected: Sequence[Told]) -> bool:
    """Whether the lane is what all messages say, each whole, one after another."""
    if not lane:
        return all(told.optional or () in told.versions for told in expected)
    for place, told in enumerate(expected):
        for version in told.versions:
            rest = [*expected[:place], *expected[place + 1 :]]
            if version and lane[: len(version)] == version and _matches(lane[len(version) :], rest):
                return True
    return False


def _expected(shown: Shown) -> list[Told]:
    """The messages that this run has to show."""
    carries = FORMS[shown.form]
    known = {message.id for message in shown.before}
    before = _before(shown)
    versions = _versions(shown, before)
    # A message that no model streams and its node writes as a dict or a pair is in no token.
    silent = {said(s.message) for s in shown.spoken if not s.streamed and _is_foreign(s.written)}
    missing = silent if carries.state == "none" else _ambiguous(shown)
    expected = [Told(tuple(found), optional=found[-1] in missing) for found in versions.values()]
    if not carries.names:
        # A pair has no id, so a node that writes it again tells a message that is new; and so has
        # a message without an id where the stream gives a copy of it.
        rewritten = {found[0] for found in versions.values() if len(found) > 1}
        nameless = {
            said(s.message)
            for s in shown.spoken
            if isinstance(s.written, tuple)
            or not (carries.same or (s.streamed and s.written is s.message))
        }
        expected.extend(Told((atoms,), optional=True) for atoms in rewritten & nameless)
    # A subgraph may have removed it from its own copy before it gave that back.
    removed = [m for m in shown.removed if isinstance(m, AIMessage) and m.id not in known]
    gone = {m.id: said(m) for m in removed if m.id not in versions}
    expected.extend(Told((*before.get(i, ()), a), optional=True) for i, a in gone.items())
    known_atoms = {atoms for found in versions.values() for atoms in found} | {*gone.values()}
    for spoken in shown.spoken:
        if spoken.secret or (spoken.message.id in versions and not spoken.broken_off):
            continue
        if spoken.kept:
            if not carries.same and spoken.depth and spoken.written is not spoken.message:
                expected.append(Told((said(spoken.message),), optional=True))
            if spoken.depth and said(spoken.message) not in known_atoms:
                expected.append(Told((said(spoken.message),), optional=True))
            continue
        seen = spoken.streamed and carries.tokens and (carries.subgraphs or not spoken.depth)
        inline = spoken.agent and shown.options.agents == "inline"
        alone = spoken.parent_id is None or inline
        parents = (None,) if alone else (None, spoken.parent_id)
        ends = [m for m in (spoken.message, spoken.written) if isinstance(m, AIMessage)]
        told = tuple(map(said, ends if carries.state == "none" else ends[-1:]))
        if spoken.broken_off:
            told = tuple(told[0][:length] for length in range(len(told[0]) + 1))
        expected.append(Told(told, parents, optional=not seen or spoken.broken_off))
    return expected


def _before(shown: Shown) -> dict[Any, list[Atoms]]:
    """What messages had said before nodes have written them again, or removed them: an outer graph
    may know them only as they are then, or were before a subgraph has changed its own copy."""
    before: dict[Any, list[Atoms]] = {}
    for message in (*shown.edited, *shown.removed):
        if isinstance(message, AIMessage):
            before.setdefault(message.id, []).append(said(message))
    return before


def _versions(shown: Shown, before: dict[Any, list[Atoms]]) -> dict[Any, list[Atoms]]:
    """What each new message of the graph has said, the last version last."""
    carries = FORMS[shown.form]
    known = {message.id for message in shown.before}
    versions: dict[Any, list[Atoms]] = {}
    for messages in shown.history:
        for message in messages:
            if isinstance(message, AIMessage) and message.id not in known:
                atoms = said(message)
                found = versions.setdefault(message.id or id(message), [])
                if atoms not in found:
                    found.append(atoms)
    for message_id, found in versions.items():
        found[:0] = before.get(message_id, [])
    for spoken in shown.spoken:
        # What a node makes of its model's message is not told by every form; and where others
        # have spoken meanwhile nothing can be added to it.
        if (carries.state == "none" or spoken.beside) and spoken.message.id in versions:
            versions[spoken.message.id].append(said(spoken.message))
    return versions


def _ambiguous(shown: Shown) -> set[Atoms]:
    """What a node has written as a dict or a pair while another has streamed the same words.

    No token tells what is written so. In a stream without tasks nobody can know whether it is what
    was streamed, built anew without its thoughts, or one more that says the same, unless the state
    has both.
    """
    carries = FORMS[shown.form]
    if carries.tasks or not carries.tokens:
        return set()
    beside = [spoken for spoken in shown.spoken if spoken.beside]
    written = {said(s.message) for s in beside if not s.streamed and _is_foreign(s.written)}
    return written & {
        tuple(atom for atom in said(s.message) if atom[0] != "thought")
        for s in beside
        if s.streamed and not (s.kept and carries.state == "whole")
    }


def _is_foreign(written: Any) -> bool:
    return written is not None and not isinstance(written, AIMessage)


def _check_calls(shown: Shown) -> None:
    """Every call has its arguments and, when the graph has one, its result."""
    carries = FORMS[shown.form]
    parts = {p["toolCallId"]: p for p in shown.snapshots[-1]["parts"] if p["type"] == "tool-call"}
    messages = [m for messages in (*shown.history, shown.removed) for m in messages]
    for message in messages:
        if isinstance(message, AIMessage):
            for call in message.tool_calls:
                if call["id"] in parts:
                    assert parts[call["id"]]["toolName"] == call["name"]
                    assert parts[call["id"]]["args"] == call["args"]
    for message in messages:
        if isinstance(message, ToolMessage) and message.tool_call_id in parts:
            part = parts.pop(message.tool_call_id)
            if message in shown.removed and not carries.subgraphs and "result" not in part:
                continue  # Its subgraph has removed it, and this form does not tell of that.
            if shown.interrupts and "result" not in part:
                continue  # Not every form tells what is done while another tool waits.
            if shown.failed and part.get("result") == _CALL_FAILED and carries.beside != "once":
                continue  # The state never came that would have told what was done beside it.
            assert part.get("result") == to_json(message.content)
            assert part.get("artifact") == to_json(message.artifact)
            assert part.get("isError", False) == (message.status == "error")
    if shown.failed:
        assert all("result" in part for part in parts.values())
    elif not shown.interrupts:
        others = {c["id"] for s in shown.spoken if not s.kept for c in s.message.tool_calls}
        others.update(i for m in messages if isinstance(m, AIMessage) for i in _server_calls(m))
        others.update(i for i, part in parts.items() if part.get("result") == _GIVEN_UP)
        assert parts.keys() <= others, "a call has a result that the graph does not know, or none"


def _check_state(shown: Shown) -> None:
    options, state = shown.options, shown.state
    if options.state is False:
        assert state == shown.initial
        return
    if FORMS[shown.form].state != "whole":
        return
    state = dict(state or {})
    interrupts = state.pop("interrupts", [])
    assert _ids(interrupts) == sorted(item.id for item in shown.interrupts)
    keys = set(shown.truth) if options.state is True else set(options.state)
    if not options.mirrors_messages:
        keys.discard("messages")
        state.pop("messages", None)  # What the client has said that it has.
    truth = {key: value for key, value in shown.truth.items() if key in keys}
    assert state == truth


def _ids(interrupts: list[dict[str, Any]]) -> list[str]:
    return sorted(item["id"] for item in interrupts)
