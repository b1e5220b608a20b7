"""The AI SDK's UI message stream, version 1: server-sent events, one JSON chunk each.

Mirrors `ui-message-stream/ui-message-chunks.ts` and `ui/process-ui-message-stream.ts` of the npm
package `ai` 5.0.277, 6.0.326 and 7.0.173. The clients check every chunk against a schema and every
delta against the parts that are open, and end the run at the first fault: a key too many, a `null`
for something optional, an id that is not open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias, assert_never

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
from ._parts import PartTracker, TextKind
from ._sse import SSE_DONE, SSE_FRAME_END, SSE_HEARTBEAT, SSE_MEDIA_TYPE, sse_frame
from .assistant_stream_response import AssistantStreamResponse
from .heartbeat import HeartbeatOption
from .stream_encoder import StreamEncoder

__all__ = ("AISDKVersion", "UIMessageStreamEncoder", "UIMessageStreamResponse")

AISDKVersion: TypeAlias = Literal[5, 6, 7]
"""The major version of the npm package `ai` that reads the stream."""


class UIMessageStreamEncoder(StreamEncoder):
    """Encodes chunks as an AI SDK UI message stream, for `useChat` and `useChatRuntime`.

    The protocol has no parents and no graph state. State operations travel as a transient data
    part, `data-update-state`, which `useChat` hands to `onData`; items of `DataChunk` as
    `data-data` parts; annotations and token counts in the message's metadata. A warning or a note
    is a transient `data-error`, because an `error` chunk would end the run.

    Args:
        version: The client's major version. Version 5 clients up to 5.0.80 refuse a finish reason,
            so it is left out for 5.
        message_id: The id the message gets, or has already when the stream continues it.
        dynamic_tools: Whether calls become `dynamic-tool` parts instead of `tool-<name>` parts.
        provider_executed: Whether calls are marked as executed on the server's side, so that the
            client neither runs them nor sends the conversation again when they have results.
    """

    media_type = SSE_MEDIA_TYPE
    headers: ClassVar[Mapping[str, str]] = {"x-vercel-ai-ui-message-stream": "v1"}
    heartbeat = SSE_HEARTBEAT
    frame_end = SSE_FRAME_END

    def __init__(
        self,
        version: AISDKVersion = 6,
        *,
        message_id: str | None = None,
        dynamic_tools: bool = False,
        provider_executed: bool = False,
    ) -> None:
        if version not in (5, 6, 7):
            raise ValueError(f"`version` must be 5, 6 or 7, not {version!r}")
        self._version = version
        self._message_id = message_id
        self._tool_fields: _fields.Fields = {}
        if dynamic_tools:
            self._tool_fields["dynamic"] = True
        if provider_executed:
            self._tool_fields["providerExecuted"] = True
        self.reset()

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        self._parts = PartTracker()
        self._calls: dict[str, _Call] = {}
        self._annotations: list[JSONValue] = []
        self._finish: MessageFinishChunk | None = None
        self._started = False
        self._failed = False

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`; empty when it breaks the order of a tool call, and after
        a fatal error, behind which no client reads."""
        if self._failed:
            return ""
        start = "" if self._started else self._start_message()
        return start + "".join(map(self._frames, self._parts.ledger.admit(chunk)))

    def encode_end(self) -> str:
        """Close every open part, finish the message and say `[DONE]`."""
        if self._failed:
            return SSE_DONE
        start = "" if self._started else self._start_message()
        closed = "".join(map(self._frames, self._parts.ledger.close_open())) + self._close_text()
        return start + closed + _frame("finish", self._finish_fields()) + SSE_DONE

    def _start_message(self) -> str:
        self._started = True
        return _frame("start", _fields.without_absent(messageId=self._message_id))

    def _frames(self, chunk: AssistantStreamChunk) -> str:
        match chunk:
            case TextDeltaChunk():
                return self._text("text", chunk.parent_id or None, chunk.text_delta)
            case ToolCallDeltaChunk():
                return self._args_delta(chunk.tool_call_id, chunk.args_text_delta)
            case ReasoningDeltaChunk():
                return self._text("reasoning", chunk.parent_id or None, chunk.reasoning_delta)
            case ReasoningPartStartChunk():
                return self._open_text("reasoning", chunk.parent_id or None)
            case UpdateStateChunk():
                operations = _fields.merge_appends(chunk.operations)
                return _transient("update-state", list(operations)) if operations else ""
            case ToolCallBeginChunk():
                return self._begin_call(chunk)
            case ToolCallArgsTextFinishChunk():
                return self._finish_args(chunk)
            case ToolResultChunk():
                return _result(chunk)
            case SourceChunk():
                return self._close_text() + _source(chunk)
            case FileChunk():
                return self._close_text() + _file(chunk)
            case DataPartChunk():
                fields = _fields.without_absent(id=chunk.id)
                return self._close_text() + _frame(
                    f"data-{chunk.name}", {**fields, "data": chunk.data}
                )
            case DataChunk():
                return self._close_text() + _frame("data-data", {"data": chunk.data})
            case AnnotationsChunk():
                self._annotations.extend(chunk.annotations)
                metadata: _fields.Fields = {"annotations": list(self._annotations)}
                return _frame("message-metadata", {"messageMetadata": metadata})
            case ErrorChunk():
                return self._error(chunk)
            case StepStartChunk():
                return self._close_text() + _frame("start-step", {})
            case StepFinishChunk():
                # Clients before version 7 forget at a step's end which parts are open.
                return self._close_text() + _frame("finish-step", {})
            case MessageFinishChunk():
                self._finish = chunk
                return ""
            case _:
                assert_never(chunk)

    def _text(self, kind: TextKind, parent_id: str | None, delta: str) -> str:
        opened = "" if self._parts.extends(kind, parent_id) else self._open_text(kind, parent_id)
        text = json_string(delta)
        part_id = self._parts.text_index
        return f'{opened}data: {{"type":"{kind}-delta","id":"{part_id}","delta":{text}}}\n\n'

    def _open_text(self, kind: TextKind, parent_id: str | None) -> str:
        closed = self._close_text()
        index = self._parts.open_text(kind, parent_id)
        self._open_kind = kind
        return closed + _frame(f"{kind}-start", {"id": str(index)})

    def _close_text(self) -> str:
        index = self._parts.close_text()
        return "" if index is None else _frame(f"{self._open_kind}-end", {"id": str(index)})

    def _begin_call(self, chunk: ToolCallBeginChunk) -> str:
        call = _Call(chunk.tool_name)
        self._calls[chunk.tool_call_id] = call
        fields: _fields.Fields = {"toolCallId": chunk.tool_call_id, "toolName": call.name}
        return self._close_text() + _frame("tool-input-start", {**fields, **self._tool_fields})

    def _args_delta(self, tool_call_id: str, delta: str) -> str:
        self._calls[tool_call_id].args.append(delta)
        call, text = json_string(tool_call_id), json_string(delta)
        fields = f'"toolCallId":{call},"inputTextDelta":{text}'
        return f'data: {{"type":"tool-input-delta",{fields}}}\n\n'

    def _finish_args(self, chunk: ToolCallArgsTextFinishChunk) -> str:
        call = self._calls[chunk.tool_call_id]
        last = ""
        if chunk.args_text_delta:
            last = self._args_delta(chunk.tool_call_id, chunk.args_text_delta)
        fields: _fields.Fields = {
            "toolCallId": chunk.tool_call_id,
            "toolName": call.name,
            **self._tool_fields,
        }
        text = "".join(call.args)
        call.args.clear()
        try:
            return last + _frame("tool-input-available", {**fields, "input": json.loads(text)})
        except ValueError:
            problem = "The arguments of the call are not valid JSON."
            return last + _frame(
                "tool-input-error", {**fields, "input": text, "errorText": problem}
            )

    def _error(self, chunk: ErrorChunk) -> str:
        if not _fields.is_fatal(chunk):
            fields = _fields.without_absent(
                message=chunk.error, code=chunk.code, severity=chunk.severity
            )
            return _transient("error", fields)
        self._failed = True
        return self._close_text() + _frame("error", {"errorText": chunk.error})

    def _finish_fields(self) -> _fields.Fields:
        finish = self._finish
        fields: _fields.Fields = {}
        if finish is None:
            return fields
        if self._version > 5:
            unknown = finish.finish_reason == "unknown"  # no longer in the schema
            fields["finishReason"] = "other" if unknown else finish.finish_reason
        if finish.input_tokens or finish.output_tokens:
            usage = _fields.message_finish_fields(finish)["usage"]
            fields["messageMetadata"] = {"usage": usage}
        return fields


class _Call:
    __slots__ = ("args", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.args: list[str] = []


def _frame(chunk_type: str, fields: Mapping[str, JSONValue]) -> str:
    return sse_frame(dumps({"type": chunk_type, **fields}))


def _transient(name: str, data: object) -> str:
    return sse_frame(dumps({"type": f"data-{name}", "data": data, "transient": True}))


def _result(chunk: ToolResultChunk) -> str:
    if not chunk.is_error:
        fields: _fields.Fields = {"toolCallId": chunk.tool_call_id, "output": chunk.result}
        return _frame("tool-output-available", fields)
    text = chunk.result if isinstance(chunk.result, str) else dumps(chunk.result)
    return _frame("tool-output-error", {"toolCallId": chunk.tool_call_id, "errorText": text})


def _source(chunk: SourceChunk) -> str:
    if chunk.source_type == "url":
        optional = _fields.without_absent(title=chunk.title)
        return _frame("source-url", {"sourceId": chunk.id, "url": chunk.url, **optional})
    fields: _fields.Fields = {
        "sourceId": chunk.id,
        "mediaType": chunk.media_type or "application/octet-stream",
        "title": chunk.title or chunk.filename or chunk.url or chunk.id,
    }
    return _frame("source-document", {**fields, **_fields.without_absent(filename=chunk.filename)})


def _file(chunk: FileChunk) -> str:
    url = chunk.data
    if not url.startswith(("data:", "https:", "http:")):
        url = f"data:{chunk.mime_type};base64,{url}"
    return _frame("file", {"url": url, "mediaType": chunk.mime_type})


class UIMessageStreamResponse(AssistantStreamResponse):
    """Sends a stream as an AI SDK UI message stream; for the arguments `version` to
    `provider_executed` see `UIMessageStreamEncoder`."""

    def __init__(
        self,
        stream: ChunkSource,
        heartbeat: HeartbeatOption = True,
        *,
        version: AISDKVersion = 6,
        message_id: str | None = None,
        dynamic_tools: bool = False,
        provider_executed: bool = False,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        encoder = UIMessageStreamEncoder(
            version,
            message_id=message_id,
            dynamic_tools=dynamic_tools,
            provider_executed=provider_executed,
        )
        super().__init__(
            stream,
            encoder,
            heartbeat,
            status_code=status_code,
            headers=headers,
            background=background,
        )
