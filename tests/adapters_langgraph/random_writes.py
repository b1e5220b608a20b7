"""What the client's state must be where a form of stream does not tell the graph's: what nodes
have written, or tokens alone."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from assistant_stream_ce._json import dumps
from tests.adapters_langgraph.random_runs import FORMS, Shown

__all__ = ("check_writes",)

_GIVEN = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An id of LangGraph's own."""


def check_writes(shown: Shown) -> None:
    """Check the state that a run through such a form has left."""
    told = FORMS[shown.form].state
    if told == "whole" or shown.failed or shown.options.state is False:
        return
    state = dict(shown.state or {})
    asked = sorted(item["id"] for item in state.pop("interrupts", ()))
    messages = state.pop("messages", None)
    if told == "none":
        assert asked == [], "interrupts that this form does not tell"
        assert state == {}, "channels that this form does not tell"
    else:
        assert asked == sorted(interrupt.id for interrupt in shown.interrupts)
        _check_channels(shown, state)
    says_more = shown.options.parts and shown.resumed
    if shown.options.mirrors_messages and not says_more:  # What it has of a graph that waits.
        check = _check_tokens if told == "none" else _check_messages
        check(shown, messages or [])


def _check_channels(shown: Shown, state: dict[str, Any]) -> None:
    """Each channel shows what was written to it last, of which its reducer has made more."""
    keys = set(shown.truth) if shown.options.state is True else set(shown.options.state)
    truth = {key: shown.truth[key] for key in keys - {"messages"} if key in shown.truth}
    assert set(state) <= set(truth)
    for key, value in truth.items():
        if key not in state:
            assert not value, "what was written to a channel is lost"
        elif key in ("last", "draft", "note"):
            assert state[key] == value
        else:
            assert _is_part(state[key], value)


def _is_part(written: Any, whole: Any) -> bool:
    """Whether a reducer of the random graphs may have made `whole` of it."""
    if isinstance(whole, list):
        written = written if isinstance(written, list) else [written]
        size = len(written)
        return any(whole[start : start + size] == written for start in range(len(whole) + 1))
    if isinstance(whole, dict):
        return bool(written.items() <= whole.items())
    return bool(written <= whole)


def _check_messages(shown: Shown, messages: list[Any]) -> None:
    """The conversation is the graph's, but for ids that the form does not tell."""
    truth = shown.truth.get("messages", [])
    if _is_lost_sight_of(shown):
        assert {*map(_said, truth)} <= {*map(_said, messages)}
        return
    beside = any(spoken.beside for spoken in shown.spoken) or shown.resumed
    assert _named(messages, {m["id"] for m in truth}) <= _named(truth, {m["id"] for m in messages})
    if beside:
        assert Counter(map(_said, messages)) == Counter(map(_said, truth))
    else:
        assert [*map(_said, messages)] == [*map(_said, truth)]


def _is_lost_sight_of(shown: Shown) -> bool:
    """Whether a node has changed or removed a message by an id that the form does not tell: one
    that LangGraph has given to a message without."""
    states = [shown.before, *shown.history]
    texts: dict[Any, set[str]] = {}
    for messages in states:
        for message in messages:
            if _GIVEN.fullmatch(str(message.id)):
                texts.setdefault(message.id, set()).add(str(message.content))
    left = {message["id"] for message in shown.truth.get("messages", [])}
    if any(len(found) > 1 or name not in left for name, found in texts.items()):
        return True
    known = {message.id for message in shown.before}
    if any(message["id"] not in known for message in shown.initial["messages"]):
        return True  # The client has one of an earlier run under another id.
    # What one node has streamed and another has written as a pair may be one message, or two.
    foreign = (s for s in shown.spoken if not isinstance(s.written, AIMessage))
    unsure = (s.beside and not s.streamed for s in foreign)
    return any(unsure) and not FORMS[shown.form].tasks


def _named(messages: list[Any], ids: set[Any]) -> set[str]:
    return {dumps(message) for message in messages if message["id"] in ids}


def _said(message: Any) -> str:
    return dumps({**message, "id": None})


def _check_tokens(shown: Shown, messages: list[Any]) -> None:
    """The conversation is what was streamed, and what nodes have returned as messages."""
    ids = [message["id"] for message in messages if message["id"]]
    assert len(set(ids)) == len(ids), "a message stands there twice"
    truth = shown.truth.get("messages", [])
    versions = [(str(s.message.text), _text_written(s.written)) for s in shown.spoken]
    texts = {_text(message["content"]) for message in messages}
    by_id = {message["id"]: _text(message["content"]) for message in messages}
    states = (shown.before, shown.removed, *shown.history)
    may = {str(message.text) for state in states for message in state}
    may.update(_text(message["content"]) for message in shown.initial["messages"])
    assert texts <= may.union(v for pair in versions for v in pair)
    if shown.resumed:
        return  # An agent that has waited in a tool may as well be one that a tool has started.
    silent = {str(s.message.text) for s in shown.spoken if not s.streamed}
    old = {message.id for message in shown.before}
    for message in (message for message in truth if message["id"] not in old):
        text = _text(message["content"])
        if message["id"] in by_id:
            assert text.startswith(by_id[message["id"]])  # It tells no changes.
            continue
        told = texts.intersection(v for pair in versions for v in pair if text.startswith(v))
        assert told or text.rstrip("!") in silent, "a message is lost"


def _text_written(written: Any) -> str:
    """The text of a message in any of the forms in which a node may write it."""
    match written:
        case (_, str(text)) | {"content": str(text)}:
            return text
        case BaseMessage():
            return str(written.text)
        case _:
            return ""


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(b.get("text", "") for b in content)
