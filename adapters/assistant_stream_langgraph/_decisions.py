"""What a person decides about a tool call that waits, and the form that the middleware takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from assistant_stream_ce._json import dumps
from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.server import ToolResult
from assistant_stream_ce.typing import JSONValue

from ._shapes import is_mapping
from .interrupts import DECISIONS, WaitingAction

__all__ = (
    "Approve",
    "Decision",
    "Edit",
    "InterruptAnswer",
    "Reject",
    "Respond",
    "conflict",
    "decide",
)


@dataclass(frozen=True, slots=True)
class Approve:
    """The tool call may run as it is."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The tool call runs with other arguments, or another tool does."""

    args: Mapping[str, JSONValue]
    name: str | None = None
    """The tool; by default the one that was called."""


@dataclass(frozen=True, slots=True)
class Reject:
    """The tool call does not run."""

    message: str | None = None
    """The reason, for the model."""


@dataclass(frozen=True, slots=True)
class Respond:
    """The tool call does not run: the person has its result."""

    message: str


Decision: TypeAlias = Approve | Edit | Reject | Respond
"""What a person decides about a tool call that waits."""


@dataclass(frozen=True, slots=True)
class InterruptAnswer:
    """One answer of a client. It is a claim: it may fit nothing that waits.

    For the human-in-the-loop middleware the value is a `Decision`, or its JSON form, or
    `{"approved": bool, "reason"?}`; or, for all actions of an interrupt at once,
    `{"decisions": [...]}`. For any other interrupt it is what `interrupt()` returns.
    """

    value: Decision | JSONValue
    interrupt_id: str | None = None
    """The id of an interrupt, or of one of its actions. Not needed when only one waits."""
    tool_call_id: str | None = None
    """The tool call that the answer is about, for clients that know nothing else."""
    is_error: bool = False
    """Whether the value tells why the front end could not answer."""
    cancelled: bool = False
    """Whether the person would not answer."""
    result: ToolResult | None = None
    """The tool result that it came as. What a tool of the front end has told beside its result,
    such as an artifact, is only here."""


def conflict(message: str) -> RequestError:
    """A refusal: the answer does not fit what waits (409)."""
    return RequestError(message, status_code=409)


def decide(answer: InterruptAnswer, action: WaitingAction) -> dict[str, Any]:
    """The middleware's form of a decision."""
    made = _made(answer, action)
    shown = _shown(made, action)
    if shown["type"] not in action.allowed:
        raise conflict(
            f"{action.name} ({action.id!r}) takes {' or '.join(map(repr, action.allowed))}, not "
            f"{shown['type']!r}."
        )
    return shown


def _made(answer: InterruptAnswer, action: WaitingAction) -> Decision:
    value: Any = answer.value
    if isinstance(value, Decision):
        return value
    if answer.is_error or answer.cancelled:
        return Reject(_reason(value))
    if isinstance(value, bool):
        return Approve() if value else Reject()
    if is_mapping(value):
        if isinstance(value.get("approved"), bool):
            return Approve() if value["approved"] else Reject(_reason(value.get("reason")))
        if value.get("type") in DECISIONS:
            return _parsed(value, action)
    if answer.tool_call_id is not None and "respond" in action.allowed:
        return Respond(value if isinstance(value, str) else dumps(value))
    raise RequestError(
        f"The decision about {action.name} must be an object with `type`: "
        f"{' or '.join(map(repr, action.allowed))}."
    )


def _parsed(value: Mapping[str, Any], action: WaitingAction) -> Decision:
    kind, message = value["type"], value.get("message")
    if message is not None and not isinstance(message, str):
        raise RequestError(f"The `message` of the decision about {action.name} must be a text.")
    if kind == "approve":
        return Approve()
    if kind == "reject":
        return Reject(message)
    if kind == "respond":
        if message is None:
            raise RequestError(f"The decision 'respond' about {action.name} needs a `message`.")
        return Respond(message)
    edited: Any = value.get("edited_action")
    args, name = (edited.get("args"), edited.get("name")) if is_mapping(edited) else (None, None)
    if not is_mapping(args) or not (name is None or isinstance(name, str)):
        raise RequestError(
            f"The decision 'edit' about {action.name} needs an `edited_action` with `args`."
        )
    return Edit(args, name)


def _shown(decision: Decision, action: WaitingAction) -> dict[str, Any]:
    match decision:
        case Approve():
            return {"type": "approve"}
        case Edit(args, name):
            edited = {"name": name or action.name, "args": dict(args)}
            return {"type": "edit", "edited_action": edited}
        case Reject(message):
            return {"type": "reject"} | ({} if message is None else {"message": message})
        case Respond(message):
            return {"type": "respond", "message": message}


def _reason(value: object) -> str | None:
    if is_mapping(value):
        value = value.get("reason")
    if value is None:
        return None
    return value if isinstance(value, str) else dumps(value)
