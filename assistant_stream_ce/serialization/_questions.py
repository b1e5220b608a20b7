"""What the data part of an interrupt asks, for the wires that can ask it in their own way.

An interrupt may be about tool calls, one question each: LangChain's human-in-the-loop middleware
asks about all calls of a turn at once, or about each by itself. `actions` in the part says which
calls these are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant_stream_ce.typing import JSONValue

__all__ = ("APPROVAL_SCHEMA", "INTERRUPT", "Question", "read_questions")

INTERRUPT = "interrupt"
"""The name of the data part of an interrupt."""

APPROVAL_SCHEMA: JSONValue = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}, "reason": {"type": "string"}},
    "required": ["approved"],
}
"""What answers whether a call may run; clients show their own buttons for exactly this."""

_DEFAULT_REASON = "langgraph:interrupt"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a user has to answer before a run goes on."""

    id: str
    """Names the question in an answer: the interrupt's id, or its action's."""
    value: JSONValue
    """What the interrupt says."""
    tool_call_id: str | None = None
    """The call that it is about."""
    is_approval: bool = False
    """Whether it is about that call, and yes is an answer."""
    message: str | None = None
    """The question as a text."""
    reason: str = _DEFAULT_REASON
    schema: JSONValue = None
    """The JSON schema of the answer."""


def read_questions(data: JSONValue) -> list[Question]:
    """Return what the data of an interrupt's part asks; nothing when it is no interrupt."""
    fields = _object(data)
    interrupt_id, value = fields.get("id"), fields.get("value")
    if not isinstance(interrupt_id, str):
        return []
    actions = [_object(action) for action in _items(fields.get("actions"))]
    if not actions:
        call = fields.get("tool_call_id")
        schema = fields.get("response_schema")
        return [_question(interrupt_id, value, value, call=call, schema=schema)]
    requests = _items(_object(value).get("action_requests"))
    return [
        _question(
            str(action.get("id")),
            value,
            requests[index] if index < len(requests) else value,
            call=action.get("tool_call_id"),
            is_approval="approve" in _items(action.get("allowed_decisions")),
        )
        for index, action in enumerate(actions)
    ]


def _question(
    name: str,
    value: JSONValue,
    about: JSONValue,
    *,
    call: JSONValue,
    is_approval: bool = False,
    schema: JSONValue = None,
) -> Question:
    fields = _object(about)
    texts = (fields.get("description"), fields.get("message"), fields.get("question"), about)
    reason = fields.get("reason")
    return Question(
        id=name,
        value=value,
        tool_call_id=call if isinstance(call, str) else None,
        is_approval=is_approval and isinstance(call, str),
        message=next((text for text in texts if isinstance(text, str)), None),
        reason=reason if isinstance(reason, str) and reason else _DEFAULT_REASON,
        schema=schema,
    )


def _object(value: JSONValue) -> Mapping[str, JSONValue]:
    return value if isinstance(value, dict) else {}


def _items(value: JSONValue) -> Sequence[JSONValue]:
    return value if isinstance(value, list) else ()
