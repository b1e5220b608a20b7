"""What a paused run asks, and the answers that one click can give."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from assistant_stream_ce.message import AssistantMessage

from ._shapes import as_dict, as_list

__all__ = ("Choice", "Interrupt", "Question", "parse_answer", "question_of", "waiting_in")


class Interrupt(TypedDict):
    """A pause of a graph, as the state's `interrupts` tells it."""

    id: str
    value: Any


@dataclass(frozen=True)
class Choice:
    """An answer on a button."""

    label: str
    value: Any
    style: str = ""
    """The kind of button, in the words of ipywidgets."""


@dataclass(frozen=True)
class Question:
    """An interrupt as something to click and to fill in."""

    id: str
    text: str
    choices: Sequence[Choice]
    takes_text: bool
    """Whether any text is an answer."""


def waiting_in(message: AssistantMessage) -> list[Interrupt]:
    """Return the interrupts that wait for an answer."""
    state = as_dict(message["metadata"]["unstable_state"])
    return [
        {"id": str(item["id"]), "value": item.get("value")}
        for item in map(as_dict, as_list(state.get("interrupts")))
        if "id" in item
    ]


def question_of(interrupt: Interrupt) -> Question:
    """Read the usual shapes of an interrupt's value.

    A value with `action_requests` is that of LangChain's `HumanInTheLoopMiddleware`; a list under
    `options` or `choices` gives buttons; anything else is asked for as text.
    """
    value = interrupt["value"]
    fields = as_dict(value)
    requests = as_list(fields.get("action_requests"))
    if requests:
        return _review(interrupt["id"], requests, fields)
    choices = [
        Choice(str(option), option)
        for option in as_list(fields.get("options", fields.get("choices")))
        if isinstance(option, (str, int, float))
    ]
    return Question(interrupt["id"], _text(value, fields), choices, takes_text=not choices)


def parse_answer(text: str) -> Any:
    """An object or a list in JSON is taken as one; everything else is the text itself."""
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _review(id: str, requests: list[Any], fields: Mapping[str, Any]) -> Question:
    calls: list[str] = []
    for request in requests:
        about = as_dict(request)
        arguments = about.get("args", about.get("arguments", {}))
        calls.append(f"{about.get('name', 'tool')}({json.dumps(arguments, ensure_ascii=False)})")
    allowed = _allowed_in(fields)
    choices = [
        Choice(label, {"decisions": [{"type": kind}] * len(requests)}, style)
        for kind, label, style in (("approve", "Approve", "success"), ("reject", "Reject", ""))
        if kind in allowed
    ]
    return Question(id, "\n".join(calls), choices, takes_text=not choices)


def _allowed_in(fields: Mapping[str, Any]) -> set[str]:
    """The decisions that every request allows."""
    allowed = {"approve", "reject"}
    for config in map(as_dict, as_list(fields.get("review_configs"))):
        if "allowed_decisions" in config:
            allowed &= set(map(str, as_list(config["allowed_decisions"])))
    return allowed


def _text(value: Any, fields: Mapping[str, Any]) -> str:
    for key in ("question", "message", "prompt", "description"):
        if isinstance(fields.get(key), str):
            return str(fields[key])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
