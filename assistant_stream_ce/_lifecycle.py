"""The rules of a tool call's life, kept in one place.

A run applies them to what its callback emits and every encoder applies them to what it is given,
so a foreign chunk stream ends up as well formed as one of our own.

A call begins once, then has deltas of its arguments, then the end of its arguments, then at most
one result. The clients agree on what breaks this order: the strict data stream decoder throws at
an unknown or repeated id and drops deltas after the end of the arguments. It also closes every
open call at a `step-finish` or `message-finish`, so these come out only when that loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from .chunks import (
    AssistantStreamChunk,
    ErrorChunk,
    MessageFinishChunk,
    StepFinishChunk,
    StepStartChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)

__all__ = ("ToolCallLedger",)

logger = logging.getLogger(__name__)

_Chunks = Sequence[AssistantStreamChunk]


class _Call:
    __slots__ = ("args_open", "has_args", "has_result")

    def __init__(self) -> None:
        self.args_open = True
        self.has_args = False
        self.has_result = False


class ToolCallLedger:
    """Follows the tool calls of one stream and lets through only what keeps them well formed."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._open: dict[str, _Call] = {}
        self._open_steps = 0
        self._held_steps: list[StepFinishChunk] = []
        self._warned: set[str] = set()

    def admit(self, chunk: AssistantStreamChunk) -> _Chunks:
        """Return the chunks to pass on for `chunk`: itself, more, or none when it breaks a rule.

        A chunk that is dropped is reported once per reason in the log.
        """
        rule = self._RULES.get(type(chunk))
        return (chunk,) if rule is None else rule(self, chunk)

    def close_open(self) -> list[AssistantStreamChunk]:
        """Close the arguments of every call that still has them open; for the end of a stream."""
        closed: list[AssistantStreamChunk] = []
        for tool_call_id in list(self._open):
            closed.extend(self._close_args(tool_call_id, ""))
        return closed

    def _begin(self, chunk: ToolCallBeginChunk) -> _Chunks:
        if chunk.tool_call_id in self._calls:
            return self._drop(chunk, chunk.tool_call_id, "a call with this id has begun already")
        call = self._calls[chunk.tool_call_id] = _Call()
        self._open[chunk.tool_call_id] = call
        return (chunk,)

    def _delta(self, chunk: ToolCallDeltaChunk) -> _Chunks:
        call = self._open.get(chunk.tool_call_id)
        if call is None:
            return self._drop(chunk, chunk.tool_call_id, self._why_not_open(chunk.tool_call_id))
        if chunk.args_text_delta:
            call.has_args = True
        return (chunk,)

    def _args_finish(self, chunk: ToolCallArgsTextFinishChunk) -> _Chunks:
        if chunk.tool_call_id in self._open:
            return self._close_args(chunk.tool_call_id, chunk.args_text_delta)
        if chunk.tool_call_id in self._calls and not chunk.args_text_delta:
            return ()  # Saying twice that the arguments have ended is harmless.
        return self._drop(chunk, chunk.tool_call_id, self._why_not_open(chunk.tool_call_id))

    def _result(self, chunk: ToolResultChunk) -> _Chunks:
        call = self._calls.get(chunk.tool_call_id)
        if call is None and chunk.is_earlier:
            call = self._calls[chunk.tool_call_id] = _Call()
            call.args_open = False
        if call is None:
            return self._drop(chunk, chunk.tool_call_id, "no call with this id has begun")
        if call.has_result:
            return self._drop(chunk, chunk.tool_call_id, "the call has a result already")
        call.has_result = True
        if not call.args_open:
            return (chunk,)
        finish, *released = self._close_args(chunk.tool_call_id, "")
        return (finish, chunk, *released)

    def _step_start(self, chunk: StepStartChunk) -> _Chunks:
        self._open_steps += 1
        return (chunk,)

    def _step_finish(self, chunk: StepFinishChunk) -> _Chunks:
        self._open_steps = max(0, self._open_steps - 1)
        if self._open and self._open_steps:
            # Another model call is still streaming arguments (sub-agents in parallel), and the
            # client would cut them off here: the step's end waits until they have closed.
            self._held_steps.append(chunk)
            return ()
        return (*self.close_open(), chunk)

    def _close_before(self, chunk: MessageFinishChunk) -> _Chunks:
        return (*self.close_open(), chunk)

    def _error(self, chunk: ErrorChunk) -> _Chunks:
        if chunk.severity in ("warning", "info"):
            return (chunk,)
        return (*self.close_open(), chunk)

    def _close_args(self, tool_call_id: str, last_delta: str) -> list[AssistantStreamChunk]:
        call = self._open.pop(tool_call_id)
        call.args_open = False
        if not call.has_args and not last_delta:
            last_delta = "{}"  # Older decoders leave an argument-less call without arguments.
        call.has_args = True
        closed: list[AssistantStreamChunk] = [ToolCallArgsTextFinishChunk(tool_call_id, last_delta)]
        if self._held_steps and not self._open:
            closed.extend(self._held_steps)
            self._held_steps.clear()
        return closed

    def _why_not_open(self, tool_call_id: str) -> str:
        if tool_call_id in self._calls:
            return "the call's arguments have ended already"
        return "no call with this id has begun"

    def _drop(self, chunk: AssistantStreamChunk, tool_call_id: str, reason: str) -> _Chunks:
        key = f"{chunk.type}: {reason}"
        if key not in self._warned:
            self._warned.add(key)
            logger.warning(
                "Dropped a %s chunk of tool call %r: %s.", chunk.type, tool_call_id, reason
            )
        return ()

    # One entry per chunk type that has a rule; a rule takes the chunk of its key's type.
    _RULES: ClassVar[dict[type, Callable[[Any, Any], _Chunks]]] = {
        ToolCallBeginChunk: _begin,
        ToolCallDeltaChunk: _delta,
        ToolCallArgsTextFinishChunk: _args_finish,
        ToolResultChunk: _result,
        StepStartChunk: _step_start,
        StepFinishChunk: _step_finish,
        MessageFinishChunk: _close_before,
        ErrorChunk: _error,
    }
