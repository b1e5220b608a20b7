"""Assistant transport: server-sent events, one JSON chunk of the TypeScript dialect each.

Mirrors `core/serialization/assistant-transport/AssistantTransport.ts` and the chunk types in
`core/AssistantStreamChunk.ts` of the npm package `assistant-stream` 0.3.44. The client implies
nothing: every part is opened, addressed by its index and finished by a frame of its own.
"""

from __future__ import annotations

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
from assistant_stream_ce.state.operations import merge_appends
from assistant_stream_ce.typing import ChunkSource

from . import _fields
from ._parts import PartTracker, TextKind
from ._sse import SSE_DONE, SSE_FRAME_END, SSE_HEARTBEAT, SSE_MEDIA_TYPE, sse_frame
from .assistant_stream_response import AssistantStreamResponse
from .heartbeat import HeartbeatOption
from .stream_encoder import StreamEncoder

__all__ = ("AssistantTransportEncoder", "AssistantTransportResponse")


class AssistantTransportEncoder(StreamEncoder):
    """Encodes chunks as assistant transport."""

    media_type = SSE_MEDIA_TYPE
    heartbeat = SSE_HEARTBEAT
    frame_end = SSE_FRAME_END

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        self._parts = PartTracker()

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`; empty when it breaks the order of a tool call."""
        if type(chunk) is TextDeltaChunk:
            return self._text(chunk)
        admitted = self._parts.ledger.admit(chunk)
        if len(admitted) == 1:
            return self._frames(admitted[0])
        return "".join(map(self._frames, admitted))

    def encode_end(self) -> str:
        """Finish every open part and say `[DONE]`."""
        frames = [self._frames(chunk) for chunk in self._parts.ledger.close_open()]
        frames.append(self._close_text())
        frames.extend(map(_part_finish, self._parts.close_tool_calls()))
        frames.append(SSE_DONE)
        return "".join(frames)

    def _frames(self, chunk: AssistantStreamChunk) -> str:
        match chunk:
            case ToolCallDeltaChunk():
                return _delta(self._index(chunk.tool_call_id), chunk.args_text_delta)
            case TextDeltaChunk() | ReasoningDeltaChunk():
                return self._text(chunk)
            case UpdateStateChunk():
                operations = merge_appends(chunk.operations)
                return _message("update-state", {"operations": operations}) if operations else ""
            case ToolCallBeginChunk():
                frames = self._start("tool-call", _fields.tool_call_fields(chunk))
                self._parts.open_tool_call(chunk.tool_call_id)
                return frames
            case ToolCallArgsTextFinishChunk():
                return self._args_finish(chunk)
            case ToolResultChunk():
                # A result is addressed to a part of this message.
                return "" if chunk.is_earlier else self._result(chunk)
            case ReasoningPartStartChunk():
                frames = self._start("reasoning", _fields.reasoning_fields(chunk))
                self._parts.open_text("reasoning", chunk.parent_id or None)
                return frames
            case SourceChunk():
                return self._whole("source", _fields.source_fields(chunk))
            case FileChunk():
                return self._whole("file", _fields.file_fields(chunk))
            case DataPartChunk():
                return self._whole("data", _fields.data_part_fields(chunk))
            case DataChunk():
                return _message("data", {"data": [chunk.data]})
            case AnnotationsChunk():
                return _message("annotations", {"annotations": chunk.annotations})
            case ErrorChunk():
                return self._error(chunk)
            case StepStartChunk():
                return _message("step-start", {"messageId": chunk.message_id})
            case StepFinishChunk():
                return _message("step-finish", _fields.step_finish_fields(chunk))
            case MessageFinishChunk():
                return _message("message-finish", _fields.message_finish_fields(chunk))
            case _:
                assert_never(chunk)

    def _text(self, chunk: TextDeltaChunk | ReasoningDeltaChunk) -> str:
        kind: TextKind = "text"
        if isinstance(chunk, TextDeltaChunk):
            delta = chunk.text_delta
        else:
            kind, delta = "reasoning", chunk.reasoning_delta
        parts, parent_id = self._parts, chunk.parent_id or None
        if parts.text_index is not None and parts.extends(kind, parent_id):
            return _delta(parts.text_index, delta)
        start = self._start(kind, _fields.without_absent(parentId=parent_id))
        return start + _delta(parts.open_text(kind, parent_id), delta)

    def _start(self, part_type: str, fields: _fields.Fields) -> str:
        """Open a part at the next index; the caller tells the tracker what it is."""
        part = dumps({"type": part_type, **fields})
        return self._close_text() + sse_frame(f'{{"type":"part-start","path":[],"part":{part}}}')

    def _whole(self, part_type: str, fields: _fields.Fields) -> str:
        return self._start(part_type, fields) + _part_finish(self._parts.open_part())

    def _close_text(self) -> str:
        index = self._parts.close_text()
        return "" if index is None else _part_finish(index)

    def _index(self, tool_call_id: str) -> int:
        return self._parts.tool_call_index(tool_call_id)

    def _args_finish(self, chunk: ToolCallArgsTextFinishChunk) -> str:
        index = self._index(chunk.tool_call_id)
        last = _delta(index, chunk.args_text_delta) if chunk.args_text_delta else ""
        return last + _part("tool-call-args-text-finish", index)

    def _result(self, chunk: ToolResultChunk) -> str:
        fields = dumps(
            {
                "result": chunk.result,
                "isError": chunk.is_error,
                **_fields.without_absent(
                    artifact=chunk.artifact,
                    modelContent=chunk.model_content,
                    messages=chunk.messages,
                ),
            }
        )
        index = self._parts.close_tool_call(chunk.tool_call_id)
        return sse_frame(f'{{"type":"result","path":[{index}],{fields[1:]}') + _part_finish(index)

    def _error(self, chunk: ErrorChunk) -> str:
        closed = self._close_text() if _fields.is_fatal(chunk) else ""
        fields = _fields.without_absent(error=chunk.error, code=chunk.code, severity=chunk.severity)
        return closed + _message("error", fields)


def _delta(index: int, delta: str) -> str:
    text = json_string(delta)
    return f'data: {{"type":"text-delta","path":[{index}],"textDelta":{text}}}\n\n'


def _part(chunk_type: str, index: int) -> str:
    return f'data: {{"type":"{chunk_type}","path":[{index}]}}\n\n'


def _part_finish(index: int) -> str:
    return _part("part-finish", index)


def _message(chunk_type: str, fields: Mapping[str, object]) -> str:
    return sse_frame(f'{{"type":"{chunk_type}",{dumps(fields)[1:]}')


class AssistantTransportResponse(AssistantStreamResponse):
    """Sends a stream as assistant transport, for `useAssistantTransportRuntime` with
    `protocol: "assistant-transport"`."""

    def __init__(
        self,
        stream: ChunkSource,
        heartbeat: HeartbeatOption = True,
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(
            stream,
            AssistantTransportEncoder(),
            heartbeat,
            status_code=status_code,
            headers=headers,
            background=background,
        )
