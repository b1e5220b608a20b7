"""Interrupts in the form that a client sees, and the tool calls that they are about."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage

from assistant_stream_ce._json import to_json
from assistant_stream_ce.errors import NotJSONError
from assistant_stream_ce.typing import JSONValue

from ._shapes import as_items, is_mapping

__all__ = (
    "DECISIONS",
    "WaitingAction",
    "interrupt_to_json",
    "is_batch",
    "named_call",
    "waiting_actions",
)

logger = logging.getLogger(__name__)

DECISIONS = ("approve", "edit", "reject", "respond")
"""What the human-in-the-loop middleware lets a person decide."""


@dataclass(frozen=True, slots=True)
class WaitingAction:
    """A tool call that waits for a person's decision."""

    id: str
    """Names the action in an answer: the interrupt's id and the action's place in it."""
    tool_call_id: str | None
    """`None` when no message of the thread has the call."""
    name: str
    allowed: Sequence[str]
    """The decisions that fit, of `DECISIONS`."""


def interrupt_to_json(
    interrupt: Any, messages: Iterable[BaseMessage] = (), tool_call_id: str | None = None
) -> dict[str, JSONValue]:
    """`{"id", "value"}` and what else the interrupt says, such as its `response_schema`.

    An interrupt of the human-in-the-loop middleware has `actions` as well: for each action
    `{"id", "tool_call_id", "name", "allowed_decisions"}`. Any other that was raised in a tool call
    has its `tool_call_id`. A value without a JSON form is given as its `repr`: the pause must not
    go unseen.

    Args:
        interrupt: The interrupt.
        messages: Where the tool calls stand that it is about.
        tool_call_id: The tool call in which it was raised, if that is known.
    """
    shown: dict[str, JSONValue] = {
        "id": interrupt.id,
        "value": _json_or_repr(interrupt.value),
    }
    schema = getattr(interrupt, "response_schema", None)
    if schema is not None:
        shown["response_schema"] = _json_or_repr(schema)
    actions = waiting_actions(interrupt, messages)
    if actions:
        shown["actions"] = [
            {
                "id": action.id,
                "tool_call_id": action.tool_call_id,
                "name": action.name,
                "allowed_decisions": list(action.allowed),
            }
            for action in actions
        ]
    elif call_id := named_call(interrupt.value) or tool_call_id:
        shown["tool_call_id"] = call_id
    return shown


def is_batch(value: object) -> bool:
    """Whether an interrupt's value asks for the middleware's `{"decisions": [...]}`."""
    return is_mapping(value) and isinstance(value.get("action_requests"), list)


def waiting_actions(interrupt: Any, messages: Iterable[BaseMessage]) -> list[WaitingAction]:
    """The actions that an interrupt of the human-in-the-loop middleware asks about, in its order.

    A batch does not name its calls: they are those of the newest message, by name and arguments.
    """
    value: Any = interrupt.value
    if is_batch(value):
        return _batch_actions(interrupt.id, value, messages)
    if is_mapping(value) and value.get("type") == "tool_approval":
        call_id = named_call(value)
        allowed = _schema_decisions(getattr(interrupt, "response_schema", None))
        return [_action(interrupt.id, call_id, 0, str(value.get("name")), allowed)]
    return []


def named_call(value: object) -> str | None:
    """The id of the tool call that an interrupt's value names."""
    if is_mapping(value):
        for key in ("tool_call_id", "toolCallId"):
            if isinstance(value.get(key), str):
                return str(value[key])
    return None


def _batch_actions(
    interrupt_id: str, value: Any, messages: Iterable[BaseMessage]
) -> list[WaitingAction]:
    calls = _open_calls(messages)
    rules = {
        rule.get("action_name"): tuple(map(str, as_items(rule.get("allowed_decisions") or ())))
        for rule in as_items(value.get("review_configs") or ())
        if is_mapping(rule)
    }
    actions: list[WaitingAction] = []
    for index, request in enumerate(value["action_requests"]):
        fields: Any = request if is_mapping(request) else {}
        name, args = fields.get("name"), fields.get("args")
        call = next((c for c in calls if c["name"] == name and c["args"] == args), None)
        if call is not None:
            calls.remove(call)
        call_id = None if call is None else call["id"]
        allowed = rules.get(name) or DECISIONS
        actions.append(_action(interrupt_id, call_id, index, str(name), allowed))
    return actions


def _open_calls(messages: Iterable[BaseMessage]) -> list[ToolCall]:
    """The calls without a result, those of the newest message first."""
    calls: list[ToolCall] = []
    known: set[str | None] = set()
    for message in reversed(list(messages)):
        if isinstance(message, ToolMessage):
            known.add(message.tool_call_id)
        elif isinstance(message, AIMessage):
            new = [call for call in message.tool_calls if call["id"] not in known]
            calls.extend(new)
            known.update(call["id"] for call in new)
    return calls


def _action(
    interrupt_id: str, call_id: str | None, index: int, name: str, allowed: Sequence[str]
) -> WaitingAction:
    return WaitingAction(f"{interrupt_id}:{index}", call_id, name, allowed)


def _schema_decisions(schema: object) -> Sequence[str]:
    """The decisions that a `response_schema` of the middleware lets through."""
    found: list[str] = []

    def look(value: Any) -> None:
        if is_mapping(value):
            kind: Any = value.get("properties", {})
            kind = kind.get("type") if is_mapping(kind) else None
            if is_mapping(kind) and kind.get("const") in DECISIONS:
                found.append(str(kind["const"]))
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in as_items(value):
                look(inner)

    look(schema)
    return tuple(kind for kind in DECISIONS if kind in found) or DECISIONS


def _json_or_repr(value: object) -> JSONValue:
    try:
        return to_json(value)
    except NotJSONError as error:
        logger.warning("The value of an interrupt has no JSON form: %s", error)
        return repr(value)
