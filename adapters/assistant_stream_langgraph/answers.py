"""Answers to interrupts, from whatever client, as what LangGraph resumes with.

Every rule about them is here: which interrupt an answer is for, what form it has to have, and
what is refused. A refusal comes before anything has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import BaseMessage

from assistant_stream_ce.server import ToolResult

from ._decisions import (
    Approve,
    Decision,
    Edit,
    InterruptAnswer,
    Reject,
    Respond,
    conflict,
    decide,
)
from ._shapes import as_items, is_mapping
from .frontend_tools import frontend_result, is_frontend_interrupt
from .interrupts import WaitingAction, is_batch, named_call, waiting_actions

__all__ = (
    "Approve",
    "Decision",
    "Edit",
    "InterruptAnswer",
    "Reject",
    "Respond",
    "collect_answers",
)

logger = logging.getLogger(__name__)


def collect_answers(
    interrupts: Iterable[Any],
    answers: Iterable[InterruptAnswer],
    messages: Iterable[BaseMessage] = (),
    calls: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what `Command(resume=...)` takes: the id of each answered interrupt and its value.

    Interrupts that nobody answers here go on waiting.

    Args:
        interrupts: LangGraph's interrupts that wait.
        answers: The answers of one request.
        messages: The thread's messages, in which the tool calls stand that wait.
        calls: By an interrupt's id the tool call in which it was raised, where that is known.

    Raises:
        RequestError: An answer fits nothing that waits, answers something twice, or answers a
            part of what has to be answered at once (409); or its value has a form that the
            interrupt does not take (400).
    """
    waiting = _Waiting(interrupts, list(messages), calls or {})
    for answer in answers:
        waiting.take(answer)
    return waiting.collected()


@dataclass(slots=True)
class _Question:
    """An interrupt, and what has been answered of it."""

    interrupt: Any
    actions: Sequence[WaitingAction]
    tool_call_id: str | None
    """The call that an interrupt without actions is about."""
    decisions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """The decisions by the id of their action."""
    values: list[Any] = field(default_factory=list[Any])
    """The answer to an interrupt without actions, once it is there."""

    @property
    def is_answered(self) -> bool:
        return bool(self.values or self.decisions)

    def take(self, answer: InterruptAnswer, action: WaitingAction | None) -> None:
        if not self.actions:
            if self.values:
                raise conflict(f"Interrupt {self.interrupt.id!r} is answered twice.")
            self.values.append(_value(self.interrupt, answer))
        elif action is not None:
            self._decide(answer, action)
        elif (several := _several(answer.value)) is not None:
            self._decide_all(several)
        elif answer.cancelled or isinstance(answer.value, Reject) or len(self.actions) == 1:
            for waiting in self.actions:
                self._decide(answer, waiting)
        else:
            known = ", ".join(repr(action.id) for action in self.actions)
            raise conflict(
                f"Interrupt {self.interrupt.id!r} asks about several actions: answer with a list "
                f"of `decisions`, or name the action of each answer: {known}."
            )

    def collected(self) -> Any:
        if not self.actions:
            return self.values[0]
        missing = [action for action in self.actions if action.id not in self.decisions]
        if missing:
            names = ", ".join(f"{action.name} ({action.id!r})" for action in missing)
            raise conflict(
                f"Interrupt {self.interrupt.id!r} needs a decision about each of its actions in "
                f"one request; missing: {names}."
            )
        decisions = [self.decisions[action.id] for action in self.actions]
        return {"decisions": decisions} if is_batch(self.interrupt.value) else decisions[0]

    def _decide(self, answer: InterruptAnswer, action: WaitingAction) -> None:
        if action.id in self.decisions:
            raise conflict(f"Action {action.id!r} is answered twice.")
        self.decisions[action.id] = decide(answer, action)

    def _decide_all(self, values: Sequence[Any]) -> None:
        if len(values) != len(self.actions):
            raise conflict(
                f"Interrupt {self.interrupt.id!r} needs {len(self.actions)} decisions, and "
                f"{len(values)} came."
            )
        for value, action in zip(values, self.actions, strict=True):
            self._decide(InterruptAnswer(value), action)


class _Waiting:
    """The interrupts that wait, and the answers so far."""

    def __init__(
        self,
        interrupts: Iterable[Any],
        messages: Sequence[BaseMessage],
        calls: Mapping[str, str],
    ) -> None:
        self._questions: dict[str, _Question] = {}
        for interrupt in interrupts:
            if interrupt.id in self._questions:
                logger.warning(
                    "Two interrupts have the same id %s: LangGraph gives both the same answer.",
                    interrupt.id,
                )
                continue
            actions = waiting_actions(interrupt, messages)
            call = named_call(interrupt.value) or calls.get(interrupt.id)
            self._questions[interrupt.id] = _Question(interrupt, actions, call)

    def take(self, answer: InterruptAnswer) -> None:
        """Find what the answer is for, and note it there."""
        if not self._questions:
            raise conflict("Nothing in this thread waits for an answer.")
        if answer.interrupt_id is not None:
            question, action = self._by_id(answer.interrupt_id, answer.tool_call_id)
        elif answer.tool_call_id is not None:
            question, action = self._by_call(answer.tool_call_id)
        else:
            question, action = self._only(), None
        question.take(answer, action)

    def collected(self) -> dict[str, Any]:
        return {
            question.interrupt.id: question.collected()
            for question in self._questions.values()
            if question.is_answered
        }

    def _by_id(
        self, interrupt_id: str, tool_call_id: str | None
    ) -> tuple[_Question, WaitingAction | None]:
        question = self._questions.get(interrupt_id)
        for candidate in self._questions.values() if question is None else ():
            for action in candidate.actions:
                if action.id == interrupt_id:
                    return candidate, action
        if question is None:
            raise conflict(
                f"No interrupt {interrupt_id!r} waits for an answer; waiting: "
                f"{list(self._questions)}."
            )
        named = [action for action in question.actions if action.tool_call_id == tool_call_id]
        if tool_call_id is not None and question.actions and not named:
            raise conflict(
                f"Interrupt {interrupt_id!r} does not ask about tool call {tool_call_id!r}."
            )
        return question, named[0] if tool_call_id is not None and named else None

    def _by_call(self, tool_call_id: str) -> tuple[_Question, WaitingAction | None]:
        """The question that names the call, else the only one that names none."""
        unnamed: list[_Question] = []
        for question in self._questions.values():
            for action in question.actions:
                if action.tool_call_id == tool_call_id:
                    return question, action
            if question.tool_call_id == tool_call_id:
                return question, None
            if question.tool_call_id is None and not question.actions:
                unnamed.append(question)
        if len(unnamed) == 1:
            return unnamed[0], None
        raise conflict(
            f"No interrupt names the tool call {tool_call_id!r}: answer with the id of an "
            f"interrupt; waiting: {list(self._questions)}."
        )

    def _only(self) -> _Question:
        open_questions = list(self._questions.values())
        if len(open_questions) > 1:
            raise conflict(
                f"Several interrupts wait: name the one that is answered; waiting: "
                f"{list(self._questions)}."
            )
        return open_questions[0]


def _several(value: object) -> Sequence[Any] | None:
    """The decisions of a value that has them for all actions."""
    if is_mapping(value) and isinstance(value.get("decisions"), list):
        return as_items(value["decisions"])
    return as_items(value) if isinstance(value, list) else None


def _value(interrupt: Any, answer: InterruptAnswer) -> Any:
    """What `interrupt()` returns, for an interrupt without actions."""
    if not is_frontend_interrupt(interrupt):
        return _plain_value(answer)
    if answer.result is not None:
        return frontend_result(answer.result)
    failed = answer.is_error or answer.cancelled
    value = _plain_value(replace(answer, is_error=False))
    return frontend_result(ToolResult("", None, value, is_error=failed))


def _plain_value(answer: InterruptAnswer) -> Any:
    """What `interrupt()` returns, for an interrupt of the application's own."""
    match answer.value:
        case Approve():
            return {"approved": True}
        case Reject(message):
            return {"approved": False} | ({} if message is None else {"reason": message})
        case Respond(message):
            return message
        case Edit(args, name):
            return {"type": "edit", "edited_action": {"name": name, "args": dict(args)}}
        case value if answer.is_error:
            return {"error": value}
        case None if answer.cancelled:
            return {"cancelled": True}
        case value:
            return value
