"""AG-UI: server-sent events, one typed event each, under a strict life cycle.

Mirrors the event schemas and `verifyEvents` of the npm packages `@ag-ui/core` and `@ag-ui/client`
1.0.0, within the set of events that 0.0.59 knows. The first event is `RUN_STARTED`; everything
that was opened is closed before `RUN_FINISHED`; nothing follows `RUN_ERROR`; there is no `[DONE]`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import assert_never

from starlette.background import BackgroundTask

from assistant_stream_ce._json import dumps, json_string
from assistant_stream_ce.chunks import (
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
from assistant_stream_ce.typing import ChunkSource, JSONValue

from . import _fields
from ._json_patch import PatchedState
from ._parts import PartTracker, TextKind
from ._sse import SSE_FRAME_END, SSE_HEARTBEAT, SSE_MEDIA_TYPE, sse_frame
from .assistant_stream_response import AssistantStreamResponse
from .heartbeat import HeartbeatOption
from .stream_encoder import StreamEncoder

__all__ = ("AGUIEncoder", "AGUIResponse")


class AGUIEncoder(StreamEncoder):
    """Encodes chunks as AG-UI events, for `useAgUiRuntime` and CopilotKit.

    Each model call (a step) is one assistant message: its text parts share a message id, and its
    tool calls name it as their parent. State is a snapshot first and JSON Patch deltas after it.
    Data parts, sources, files, data items, annotations, warnings and notes are `CUSTOM` events.

    Args:
        thread_id: The thread, from the request; made up when there is none.
        run_id: The run, likewise.
        initial_state: The state the client has already. Without it, the first state that is told
            is a snapshot.
    """

    media_type = SSE_MEDIA_TYPE
    heartbeat = SSE_HEARTBEAT
    frame_end = SSE_FRAME_END

    def __init__(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        initial_state: JSONValue = None,
    ) -> None:
        self._thread_id = thread_id
        self._run_id = run_id
        self._initial_state = initial_state
        self.reset()

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        self._ids: dict[str, JSONValue] = {
            "threadId": self._thread_id or f"thread_{secrets.token_hex(12)}",
            "runId": self._run_id or f"run_{secrets.token_hex(12)}",
        }
        self._message_id = f"msg_{secrets.token_hex(12)}"
        self._parts = PartTracker()
        self._open: _OpenText | None = None
        self._open_steps: list[str] = []
        self._steps: set[str] = set()
        self._state = PatchedState(self._initial_state)
        self._snapshot_due = self._initial_state is None
        self._started = False
        self._failed = False

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`; empty when it breaks the order of a tool call, and after
        a fatal error, which ends an AG-UI run."""
        if self._failed:
            return ""
        start = "" if self._started else self._start_run()
        return start + "".join(map(self._frames, self._parts.ledger.admit(chunk)))

    def encode_end(self) -> str:
        """Close everything that is open and finish the run, unless an error has ended it."""
        if self._failed:
            return ""
        start = "" if self._started else self._start_run()
        return start + self._close_all() + _event("RUN_FINISHED", self._ids)

    def _start_run(self) -> str:
        self._started = True
        return _event("RUN_STARTED", self._ids)

    def _close_all(self) -> str:
        calls = "".join(map(self._frames, self._parts.ledger.close_open()))
        steps = "".join(_event("STEP_FINISHED", {"stepName": name}) for name in self._open_steps)
        self._open_steps.clear()
        return calls + self._close_text() + steps

    def _frames(self, chunk: AssistantStreamChunk) -> str:
        match chunk:
            case TextDeltaChunk():
                return self._text("text", chunk.parent_id or None, chunk.text_delta)
            case ToolCallDeltaChunk():
                return _args(chunk.tool_call_id, chunk.args_text_delta)
            case ReasoningDeltaChunk():
                return self._text("reasoning", chunk.parent_id or None, chunk.reasoning_delta)
            case ReasoningPartStartChunk():
                return self._open_text("reasoning", chunk.parent_id or None)
            case UpdateStateChunk():
                return self._update_state(chunk)
            case ToolCallBeginChunk():
                return self._close_text() + self._begin_call(chunk)
            case ToolCallArgsTextFinishChunk():
                end = _event("TOOL_CALL_END", {"toolCallId": chunk.tool_call_id})
                return _args(chunk.tool_call_id, chunk.args_text_delta) + end
            case ToolResultChunk():
                return _result(chunk)
            case SourceChunk():
                return self._custom("source", _fields.source_fields(chunk))
            case FileChunk():
                return self._custom("file", _fields.file_fields(chunk))
            case DataPartChunk():
                return self._custom(chunk.name, chunk.data)
            case DataChunk():
                return _event("CUSTOM", {"name": "data", "value": chunk.data})
            case AnnotationsChunk():
                return _event("CUSTOM", {"name": "annotations", "value": chunk.annotations})
            case ErrorChunk():
                return self._error(chunk)
            case StepStartChunk():
                return self._start_step(chunk)
            case StepFinishChunk():
                return self._finish_step()
            case MessageFinishChunk():
                return ""  # The run's end says it, and has no place for the reason.
            case _:
                assert_never(chunk)

    # -- Messages ------------------------------------------------------------------------------

    def _text(self, kind: TextKind, parent_id: str | None, delta: str) -> str:
        opened = "" if self._parts.extends(kind, parent_id) else self._open_text(kind, parent_id)
        if not delta or self._open is None:
            return opened  # Older clients refuse an empty delta.
        return opened + self._open.delta(delta)

    def _open_text(self, kind: TextKind, parent_id: str | None) -> str:
        closed = self._close_text()
        index = self._parts.open_text(kind, parent_id)
        message_id = self._message_id if parent_id is None else f"{self._message_id}_{parent_id}"
        if kind == "reasoning":
            self._open = _OpenReasoning(f"{message_id}_r{index}")
        else:
            self._open = _OpenText(message_id)
        return closed + self._open.start()

    def _close_text(self) -> str:
        self._parts.close_text()
        closing, self._open = self._open, None
        return closing.end() if closing is not None else ""

    def _custom(self, name: str, value: JSONValue) -> str:
        return self._close_text() + _event("CUSTOM", {"name": name, "value": value})

    def _begin_call(self, chunk: ToolCallBeginChunk) -> str:
        return _event(
            "TOOL_CALL_START",
            {
                "toolCallId": chunk.tool_call_id,
                "toolCallName": chunk.tool_name,
                "parentMessageId": self._message_id,
            },
        )

    # -- Steps, state, errors ------------------------------------------------------------------

    def _start_step(self, chunk: StepStartChunk) -> str:
        closed = self._close_text()
        name = chunk.message_id or "step"
        while name in self._steps:
            name = f"{chunk.message_id or 'step'}_{len(self._steps)}"
        self._steps.add(name)
        self._open_steps.append(name)
        self._message_id = name
        return closed + _event("STEP_STARTED", {"stepName": name})

    def _finish_step(self) -> str:
        if not self._open_steps:
            return ""
        # A chunk does not say which of several steps has ended; the first is as good as any.
        return self._close_text() + _event("STEP_FINISHED", {"stepName": self._open_steps.pop(0)})

    def _update_state(self, chunk: UpdateStateChunk) -> str:
        patch = self._state.patch(chunk.operations)
        if self._snapshot_due or patch is None:
            self._snapshot_due = False
            return _event("STATE_SNAPSHOT", {"snapshot": self._state.snapshot()})
        return sse_frame(dumps({"type": "STATE_DELTA", "delta": patch})) if patch else ""

    def _error(self, chunk: ErrorChunk) -> str:
        fields = _fields.without_absent(message=chunk.error, code=chunk.code)
        if not _fields.is_fatal(chunk):
            return _event(
                "CUSTOM", {"name": "error", "value": {**fields, "severity": chunk.severity}}
            )
        closed = self._close_all()
        self._failed = True
        return closed + _event("RUN_ERROR", fields)


class _OpenText:
    """A text message that is open."""

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id

    def start(self) -> str:
        return _event("TEXT_MESSAGE_START", {"messageId": self.message_id, "role": "assistant"})

    def delta(self, delta: str) -> str:
        return _content("TEXT_MESSAGE_CONTENT", self.message_id, delta)

    def end(self) -> str:
        return _event("TEXT_MESSAGE_END", {"messageId": self.message_id})


class _OpenReasoning(_OpenText):
    """A reasoning message that is open, in a span of its own."""

    def start(self) -> str:
        fields: _fields.Fields = {"messageId": self.message_id}
        return _event("REASONING_START", fields) + _event(
            "REASONING_MESSAGE_START", {**fields, "role": "reasoning"}
        )

    def delta(self, delta: str) -> str:
        return _content("REASONING_MESSAGE_CONTENT", self.message_id, delta)

    def end(self) -> str:
        fields: _fields.Fields = {"messageId": self.message_id}
        return _event("REASONING_MESSAGE_END", fields) + _event("REASONING_END", fields)


def _event(event_type: str, fields: Mapping[str, JSONValue]) -> str:
    return sse_frame(dumps({"type": event_type, **fields}))


def _content(event_type: str, message_id: str, delta: str) -> str:
    message, text = json_string(message_id), json_string(delta)
    return f'data: {{"type":"{event_type}","messageId":{message},"delta":{text}}}\n\n'


def _args(tool_call_id: str, delta: str) -> str:
    if not delta:
        return ""
    call, text = json_string(tool_call_id), json_string(delta)
    return f'data: {{"type":"TOOL_CALL_ARGS","toolCallId":{call},"delta":{text}}}\n\n'


def _result(chunk: ToolResultChunk) -> str:
    content = chunk.result if isinstance(chunk.result, str) else dumps(chunk.result)
    return _event(
        "TOOL_CALL_RESULT",
        {
            "messageId": f"{chunk.tool_call_id}_result",
            "toolCallId": chunk.tool_call_id,
            "content": content,  # a string: the older client reads nothing else
            "role": "tool",
        },
    )


class AGUIResponse(AssistantStreamResponse):
    """Sends a stream as AG-UI events; for the arguments `thread_id` to `initial_state` see
    `AGUIEncoder`."""

    def __init__(
        self,
        stream: ChunkSource,
        heartbeat: HeartbeatOption = True,
        *,
        thread_id: str | None = None,
        run_id: str | None = None,
        initial_state: JSONValue = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(
            stream,
            AGUIEncoder(thread_id, run_id, initial_state=initial_state),
            heartbeat,
            status_code=status_code,
            headers=headers,
            background=background,
        )
