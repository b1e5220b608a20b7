"""Folds chunks into the assistant message that a client shows.

Mirrors `core/accumulators/assistant-message-accumulator.ts` of the npm package `assistant-stream`
0.3.44 and, for where parts begin and end, its `core/modules/assistant-stream.ts`. A Python client,
a test or a notebook sees the same message as the browser does.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import AsyncIterable
from typing import assert_never

from ._json import copy_json, to_json
from ._lifecycle import ToolCallLedger
from ._message_parts import PartState, TextKind, TextState, ToolCallState, WholePart
from .chunks import (
    AnnotationsChunk,
    AssistantStreamChunk,
    DataChunk,
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from .message import (
    AssistantMessage,
    MessageError,
    MessageStatus,
    Step,
    Usage,
)
from .state import StateStore
from .typing import FinishReason, JSONValue

__all__ = ("MessageAccumulator", "accumulate")


async def accumulate(
    stream: AsyncIterable[AssistantStreamChunk], *, initial_state: object = None
) -> AssistantMessage:
    """Read a stream to its end and return the message that a client has then.

    An exception of the stream is raised; to have the message up to there, feed a
    `MessageAccumulator` yourself.
    """
    accumulator = MessageAccumulator(initial_state=initial_state)
    async for chunk in stream:
        accumulator.add(chunk)
    accumulator.finish()
    return accumulator.message


class MessageAccumulator:
    """The message so far, from the chunks so far.

    Adding a chunk costs the length of the chunk. Reading `message` costs the length of the
    message; the arguments of a tool call are parsed only then.

    Example:
        ```python
        accumulator = MessageAccumulator()
        async for chunk in create_run(callback):
            accumulator.add(chunk)
            show(accumulator.message)
        accumulator.finish()
        show(accumulator.message)
        ```
    """

    def __init__(self, *, initial_state: object = None) -> None:
        self._ledger = ToolCallLedger()
        self._parts: list[PartState] = []
        self._open_text: TextState | None = None
        self._calls: dict[str, ToolCallState] = {}
        self._status: MessageStatus = {"type": "running"}
        self._state = StateStore(initial_state, lambda _: None)
        self._data: list[JSONValue] = []
        self._annotations: list[JSONValue] = []
        self._steps: list[Step] = []

    @property
    def message(self) -> AssistantMessage:
        """The message so far. It is a copy: nothing that is added later changes it."""
        return {
            "role": "assistant",
            "status": copy.deepcopy(self._status),
            "parts": [part.snapshot() for part in self._parts],
            "metadata": {
                "unstable_state": self._state.snapshot(),
                "unstable_data": [copy_json(item) for item in self._data],
                "unstable_annotations": [copy_json(item) for item in self._annotations],
                "steps": copy.deepcopy(self._steps),
                "custom": {},
            },
        }

    def add(self, chunk: AssistantStreamChunk) -> None:
        """Take the next chunk of the stream.

        Raises:
            StateOperationError: A state operation that the client would refuse.
        """
        for admitted in self._ledger.admit(chunk):
            self._add(admitted)

    def finish(self) -> None:
        """Say that the stream has ended: parts close, and a message without a finish gets one."""
        for chunk in self._ledger.close_open():
            self._add(chunk)
        self._close_text()
        waiting = False
        for call in self._calls.values():
            waiting = waiting or call.state != "result"
            call.finished = True
        if self._status["type"] == "running":
            self._status = _finish_status("tool-calls" if waiting else "unknown")

    def _add(self, chunk: AssistantStreamChunk) -> None:
        match chunk:
            case TextDeltaChunk():
                self._text("text", chunk.parent_id).pieces.append(chunk.text_delta)
            case ReasoningDeltaChunk():
                self._text("reasoning", chunk.parent_id).pieces.append(chunk.reasoning_delta)
            case ReasoningPartStartChunk():
                self._open("reasoning", chunk.parent_id, chunk.unstable_summary)
            case ToolCallBeginChunk():
                call = self._calls[chunk.tool_call_id] = ToolCallState(chunk)
                self._append(call)
            case ToolCallDeltaChunk():
                self._calls[chunk.tool_call_id].args.append(chunk.args_text_delta)
            case ToolCallArgsTextFinishChunk():
                self._calls[chunk.tool_call_id].finish_args(chunk.args_text_delta)
            case ToolResultChunk():
                if not chunk.is_earlier:
                    self._calls[chunk.tool_call_id].set_result(chunk)
            case SourceChunk() | FileChunk() | DataPartChunk():
                self._append(WholePart(chunk))
            case DataChunk():
                self._data.append(to_json(chunk.data))
            case AnnotationsChunk():
                self._annotations.extend(map(to_json, chunk.annotations))
            case UpdateStateChunk():
                self._state.apply(chunk.operations)
            case StepStartChunk():
                self._steps.append({"state": "started", "messageId": chunk.message_id})
            case StepFinishChunk():
                self._finish_step(chunk)
            case MessageFinishChunk():
                if self._status.get("reason") != "error":  # an error is not overwritten
                    self._status = _finish_status(chunk.finish_reason)
            case ErrorChunk():
                self._fail(chunk)
            case _:
                assert_never(chunk)

    def _append(self, part: PartState) -> None:
        self._close_text()
        self._parts.append(part)

    def _text(self, kind: TextKind, parent_id: str | None) -> TextState:
        """Return the text or reasoning part that a delta belongs to."""
        last = self._open_text
        if last is not None and last.kind == kind and last.parent_id == (parent_id or None):
            return last
        return self._open(kind, parent_id)

    def _open(self, kind: TextKind, parent_id: str | None, summary: str | None = None) -> TextState:
        part = TextState(kind, parent_id or None, summary)
        self._append(part)
        self._open_text = part
        return part

    def _close_text(self) -> None:
        if self._open_text is not None:
            self._open_text.finished = True
            self._open_text = None

    def _finish_step(self, chunk: StepFinishChunk) -> None:
        usage: Usage = {"inputTokens": chunk.input_tokens, "outputTokens": chunk.output_tokens}
        last = self._steps[-1] if self._steps else None
        is_open = last is not None and last["state"] == "started"
        step: Step = {
            "state": "finished",
            "messageId": last["messageId"] if last and is_open else uuid.uuid4().hex,
            "finishReason": chunk.finish_reason,
            "usage": usage,
            "isContinued": chunk.is_continued,
        }
        self._steps[-1 if is_open else len(self._steps) :] = [step]

    def _fail(self, chunk: ErrorChunk) -> None:
        error: MessageError = {
            "code": "unknown" if chunk.code is None else chunk.code,
            "message": chunk.error,
        }
        if chunk.severity is not None:
            error["severity"] = chunk.severity
        if chunk.severity not in ("warning", "info"):
            self._close_text()
        # The client marks the message as failed whatever the severity.
        self._status = {"type": "incomplete", "reason": "error", "error": error}


def _finish_status(reason: FinishReason) -> MessageStatus:
    if reason == "tool-calls":
        return {"type": "requires-action", "reason": reason}
    if reason in ("stop", "unknown"):
        return {"type": "complete", "reason": reason}
    return {"type": "incomplete", "reason": reason}
