"""The assistant-ui data stream: one frame a line, `CODE:JSON`.

Mirrors `core/serialization/data-stream/DataStream.ts` and `chunk-types.ts` of the npm package
`assistant-stream` 0.3.44. The decoder finds the boundaries of text and reasoning parts itself, so
the only thing to keep account of is the life of the tool calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from starlette.background import BackgroundTask

from assistant_stream_ce._json import dumps, json_string
from assistant_stream_ce._lifecycle import ToolCallLedger
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
from .assistant_stream_response import AssistantStreamResponse
from .heartbeat import DATA_STREAM_HEARTBEAT, HeartbeatOption
from .stream_encoder import StreamEncoder

__all__ = ("DataStreamEncoder", "DataStreamResponse")


class DataStreamEncoder(StreamEncoder):
    """Encodes chunks as an assistant-ui data stream.

    A tool result's `model_content` and `messages`, an error's `code` and `severity`, and a data
    part's `id` have no place on this wire.
    """

    media_type = "text/plain; charset=utf-8"
    headers = {"x-vercel-ai-data-stream": "v1"}  # noqa: RUF012 - the base declares it a ClassVar
    heartbeat = DATA_STREAM_HEARTBEAT
    frame_end = "\n"

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        self._ledger = ToolCallLedger()

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`; empty when it breaks the order of a tool call."""
        if type(chunk) is TextDeltaChunk and not chunk.parent_id:
            return f"0:{json_string(chunk.text_delta)}\n"
        admitted = self._ledger.admit(chunk)
        return _frame(admitted[0]) if len(admitted) == 1 else "".join(map(_frame, admitted))

    def encode_end(self) -> str:
        """Close the arguments of every call that has them open. There is no terminator."""
        return "".join(map(_frame, self._ledger.close_open()))


def _frame(chunk: AssistantStreamChunk) -> str:
    match chunk:
        case ToolCallDeltaChunk():
            return _args_frame(chunk.tool_call_id, chunk.args_text_delta, "")
        case TextDeltaChunk():
            return _text_frame("0", "text", chunk.text_delta, chunk.parent_id)
        case ReasoningDeltaChunk():
            return _text_frame("g", "reasoning", chunk.reasoning_delta, chunk.parent_id)
        case UpdateStateChunk():
            operations = merge_appends(chunk.operations)
            return _json_frame("aui-state", operations) if operations else ""
        case ToolCallBeginChunk():
            return _json_frame("b", _fields.tool_call_fields(chunk))
        case ToolCallArgsTextFinishChunk():
            return _args_frame(chunk.tool_call_id, chunk.args_text_delta, ',"isFinal":true')
        case ToolResultChunk():
            # The client throws at a call that this answer has not begun.
            return "" if chunk.is_earlier else _json_frame("a", _result_fields(chunk))
        case ReasoningPartStartChunk():
            return _json_frame("aui-reasoning-part-start", _fields.reasoning_fields(chunk))
        case SourceChunk():
            return _json_frame("h", _fields.source_fields(chunk))
        case FileChunk():
            return _json_frame("k", _fields.file_fields(chunk))
        case DataPartChunk():
            return _json_frame("aui-data", _fields.data_part_fields(chunk))
        case DataChunk():
            return _json_frame("2", [chunk.data])
        case AnnotationsChunk():
            return _json_frame("8", chunk.annotations)
        case ErrorChunk():
            return _json_frame("3", chunk.error)
        case StepStartChunk():
            return _json_frame("f", {"messageId": chunk.message_id})
        case StepFinishChunk():
            return _json_frame("e", _fields.step_finish_fields(chunk))
        case MessageFinishChunk():
            return _json_frame("d", _fields.message_finish_fields(chunk))
        case _:
            assert_never(chunk)


def _json_frame(code: str, value: object) -> str:
    return f"{code}:{dumps(value)}\n"


def _text_frame(code: str, kind: str, delta: str, parent_id: str | None) -> str:
    if not parent_id:
        return f"{code}:{json_string(delta)}\n"
    text, parent = json_string(delta), json_string(parent_id)
    return f'aui-{kind}-delta:{{"{kind}Delta":{text},"parentId":{parent}}}\n'


def _args_frame(tool_call_id: str, delta: str, final: str) -> str:
    call, text = json_string(tool_call_id), json_string(delta)
    return f'c:{{"toolCallId":{call},"argsTextDelta":{text}{final}}}\n'


def _result_fields(chunk: ToolResultChunk) -> _fields.Fields:
    fields: _fields.Fields = {"toolCallId": chunk.tool_call_id, "result": chunk.result}
    if chunk.artifact is not None:
        fields["artifact"] = chunk.artifact
    if chunk.is_error:
        fields["isError"] = True
    return fields


class DataStreamResponse(AssistantStreamResponse):
    """Sends a stream as an assistant-ui data stream, for `useDataStreamRuntime` and
    `useAssistantTransportRuntime` (whose default it is)."""

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
            DataStreamEncoder(),
            heartbeat,
            status_code=status_code,
            headers=headers,
            background=background,
        )
