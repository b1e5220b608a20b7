"""Helpers for tests of code that makes chunk streams.

`collect` reads a stream; `check_stream` checks that it is well formed.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence

from .chunks import (
    AssistantStreamChunk,
    ErrorChunk,
    MessageFinishChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from .errors import StateOperationError
from .state import apply_operations
from .typing import JSONValue

__all__ = ("check_stream", "collect", "replay_state")


async def collect(stream: AsyncIterable[AssistantStreamChunk]) -> list[AssistantStreamChunk]:
    """Read `stream` to its end and return its chunks. An exception of the stream is raised."""
    return [chunk async for chunk in stream]


def replay_state(
    chunks: Sequence[AssistantStreamChunk], initial_state: JSONValue = None
) -> JSONValue:
    """Return the state a client has after `chunks`, from the one it had before.

    Raises:
        StateOperationError: An operation does not apply.
    """
    return apply_operations(
        initial_state,
        (
            operation
            for chunk in chunks
            if isinstance(chunk, UpdateStateChunk)
            for operation in chunk.operations
        ),
    )


def check_stream(
    chunks: Sequence[AssistantStreamChunk], *, initial_state: JSONValue = None
) -> None:
    """Check that `chunks`, a whole stream, follow the grammar that every client accepts.

    A tool call begins once, before its deltas; no delta comes after its arguments have ended; it
    has at most one result, after that end; every call's arguments have ended when the stream has.
    At most one `message-finish`, and nothing after it. State operations apply to `initial_state`.

    Raises:
        AssertionError: Says which chunk breaks which rule.
    """
    checker = _Checker()
    for index, chunk in enumerate(chunks):
        problem = checker.problem(chunk)
        if problem:
            raise AssertionError(f"chunk {index}, {chunk!r}: {problem}")
    if checker.open:
        raise AssertionError(f"the arguments of {sorted(checker.open)} never end")
    try:
        replay_state(chunks, initial_state)
    except StateOperationError as error:
        raise AssertionError(f"a state operation does not apply: {error}") from error


class _Checker:
    def __init__(self) -> None:
        self.open: set[str] = set()
        self._begun: set[str] = set()
        self._with_result: set[str] = set()
        self._finished = False

    def problem(self, chunk: AssistantStreamChunk) -> str | None:
        if self._finished:
            return "comes after the message's finish"
        match chunk:
            case ToolCallBeginChunk(tool_call_id=call):
                if call in self._begun:
                    return "the call has begun already"
                self._begun.add(call)
                self.open.add(call)
            case ToolCallDeltaChunk(tool_call_id=call):
                if call not in self.open:
                    return "the call's arguments are not open"
            case ToolCallArgsTextFinishChunk(tool_call_id=call):
                if call not in self.open:
                    return "the call's arguments are not open"
                self.open.discard(call)
            case ToolResultChunk(tool_call_id=call):
                if chunk.is_earlier:
                    self._begun.add(call)
                return self._result_problem(call)
            case MessageFinishChunk():
                self._finished = True
                return self._open_problem()
            case ErrorChunk(severity=None | "critical"):
                return self._open_problem()
            case _:
                pass
        return None

    def _result_problem(self, call: str) -> str | None:
        if call not in self._begun:
            return "the call has not begun"
        if call in self.open:
            return "the call's arguments are still open"
        if call in self._with_result:
            return "the call has a result already"
        self._with_result.add(call)
        return None

    def _open_problem(self) -> str | None:
        return f"the arguments of {sorted(self.open)} are still open" if self.open else None
