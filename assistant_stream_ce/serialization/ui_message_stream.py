"""The AI SDK's UI message stream, version 1: server-sent events, one JSON chunk each.

Mirrors `ui-message-stream/ui-message-chunks.ts` and `ui/process-ui-message-stream.ts` of the npm
package `ai` 5.0.277, 6.0.326 and 7.0.173. The clients check every chunk against a schema and every
delta against the parts that are open, and end the run at the first fault: a key too many, a `null`
for something optional, an id that is not open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias, assert_never

from starlette.background import BackgroundTask

from assistant_stream_ce._json import json_string
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
from ._outcome import Outcome
from ._parts import PartTracker, TextKind
from ._questions import INTERRUPT, Question, read_questions
from ._sse import SSE_DONE, SSE_FRAME_END, SSE_HEARTBEAT, SSE_MEDIA_TYPE
from ._ui_frames import (
    error_frame,
    file_frame,
    provider_metadata,
    source_frame,
    state_frame,
    ui_frame,
)
from ._ui_tool_calls import UIToolCalls
from .assistant_stream_response import AssistantStreamResponse
from .heartbeat import HeartbeatOption
from .stream_encoder import StreamEncoder

__all__ = ("AISDKVersion", "UIMessageStreamEncoder", "UIMessageStreamResponse")

AISDKVersion: TypeAlias = Literal[5, 6, 7]
"""The major version of the npm package `ai` that reads the stream."""


class UIMessageStreamEncoder(StreamEncoder):
    """Encodes chunks as an AI SDK UI message stream, for `useChat` and `useChatRuntime`.

    A stream begins with a step, and with the results of all its calls a step ends, said or not.
    So an app that sends the conversation again once the calls of the last step have results
    (`lastAssistantMessageIsCompleteWithToolCalls`) does so once for calls that it answers itself,
    and never for those that are answered here.

    The protocol has no parents, reasoning summaries and graph state. A `parentId` and a `summary`
    travel as the part's `providerMetadata["assistant-stream"]`; state operations as a transient
    data part, `data-update-state`, which `useChat` hands to `onData`; items of `DataChunk` as
    `data-data` parts; annotations and token counts in the message's metadata. A warning or a note
    is a transient `data-error`, because an `error` chunk would end the run. An interrupt is a data
    part, `data-interrupt`; where it asks whether tool calls may run, they request an approval.

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
        self._tool_flags: _fields.Fields = {}
        if dynamic_tools:
            self._tool_flags["dynamic"] = True
        if provider_executed:
            self._tool_flags["providerExecuted"] = True
        self.reset()

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        self._parts = PartTracker()
        self._calls = UIToolCalls(self._tool_flags)
        self._outcome = Outcome()
        self._annotations: list[JSONValue] = []
        self._approvals: list[Question] = []
        self._data_ids: set[tuple[str, str]] = set()
        self._open_steps = 0
        self._step_due = False
        self._step_is_new = False
        self._started = False
        self._failed = False

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`; empty when it breaks the order of a tool call, and after
        a fatal error, behind which no client reads."""
        if self._failed:
            return ""
        start = "" if self._started else self._start_message()
        if type(chunk) is TextDeltaChunk:
            return start + self._frames(chunk)
        return start + "".join(map(self._frames, self._parts.ledger.admit(chunk)))

    def encode_end(self) -> str:
        """Close every open part and step, finish the message and say `[DONE]`."""
        if self._failed:
            return SSE_DONE
        frames = [] if self._started else [self._start_message()]
        frames.extend(map(self._frames, self._parts.ledger.close_open()))
        frames += (self._fail_calls(), self._close_text(), self._ask())
        frames += [ui_frame("finish-step", {})] * self._open_steps
        frames += (ui_frame("finish", self._finish_fields()), SSE_DONE)
        return "".join(frames)

    def _start_message(self) -> str:
        self._started = True
        start = ui_frame("start", _fields.without_absent(messageId=self._message_id))
        return start + self._start_step()

    def _frames(self, chunk: AssistantStreamChunk) -> str:
        match chunk:
            case TextDeltaChunk():
                return self._text("text", chunk.parent_id or None, chunk.text_delta)
            case ToolCallDeltaChunk():
                return self._calls.delta(chunk.tool_call_id, chunk.args_text_delta)
            case ReasoningDeltaChunk():
                return self._text("reasoning", chunk.parent_id or None, chunk.reasoning_delta)
            case ReasoningPartStartChunk():
                return self._open_text("reasoning", chunk.parent_id or None, chunk.unstable_summary)
            case UpdateStateChunk():
                return state_frame(chunk)
            case ToolCallBeginChunk():
                return self._before_part() + self._calls.begin(chunk)
            case ToolCallArgsTextFinishChunk():
                return self._calls.finish_args(chunk) + self._due_step()
            case ToolResultChunk():
                return self._result(chunk)
            case SourceChunk():
                return self._before_part() + source_frame(chunk)
            case FileChunk():
                return self._before_part() + file_frame(chunk)
            case DataPartChunk():
                return self._data_part(chunk)
            case DataChunk():
                return ui_frame("data-data", {"data": chunk.data})
            case AnnotationsChunk():
                return self._annotate(chunk)
            case ErrorChunk():
                return self._error(chunk)
            case StepStartChunk():
                return self._start_step()
            case StepFinishChunk():
                self._outcome.note(chunk)
                return self._finish_step()
            case MessageFinishChunk():
                self._outcome.note(chunk)
                return ""  # The stream's end says it.
            case _:
                assert_never(chunk)

    # -- Parts ---------------------------------------------------------------------------------

    def _text(self, kind: TextKind, parent_id: str | None, delta: str) -> str:
        opened = "" if self._parts.extends(kind, parent_id) else self._open_text(kind, parent_id)
        text = json_string(delta)
        part_id = self._parts.text_index
        return f'{opened}data: {{"type":"{kind}-delta","id":"{part_id}","delta":{text}}}\n\n'

    def _open_text(self, kind: TextKind, parent_id: str | None, summary: str | None = None) -> str:
        before = self._before_part()
        index = self._parts.open_text(kind, parent_id)
        self._open_kind = kind
        fields: _fields.Fields = {"id": str(index), **provider_metadata(parent_id, summary)}
        return before + ui_frame(f"{kind}-start", fields)

    def _before_part(self) -> str:
        self._step_is_new = False
        return self._close_text()

    def _close_text(self) -> str:
        index = self._parts.close_text()
        return "" if index is None else ui_frame(f"{self._open_kind}-end", {"id": str(index)})

    def _data_part(self, chunk: DataPartChunk) -> str:
        fields = _fields.without_absent(id=chunk.id)
        frame = ui_frame(f"data-{chunk.name}", {**fields, "data": chunk.data})
        if chunk.name == INTERRUPT and self._version > 5:
            self._approvals.extend(read_questions(chunk.data))
        if chunk.id is not None:
            key = (chunk.name, chunk.id)
            if key in self._data_ids:
                return frame  # It replaces the part where that stands.
            self._data_ids.add(key)
        return self._before_part() + frame

    def _annotate(self, chunk: AnnotationsChunk) -> str:
        self._annotations.extend(chunk.annotations)
        annotations: _fields.Fields = {"annotations": self._annotations}
        return ui_frame("message-metadata", {"messageMetadata": annotations})

    def _result(self, chunk: ToolResultChunk) -> str:
        complete = self._calls.answer(chunk)
        # The step comes first: the client shows a step only when something else changes. The call
        # of an earlier answer stands in a step that has ended.
        same_step = chunk.is_earlier or self._calls.is_waiting
        step = "" if same_step else self._finish_step() + self._start_step()
        return complete + step + self._calls.result(chunk)

    def _ask(self) -> str:
        """Ask whether calls may run: at the end, when all of their arguments are there."""
        return "".join(
            ui_frame(
                "tool-approval-request", {"approvalId": item.id, "toolCallId": item.tool_call_id}
            )
            for item in self._approvals
            if item.is_approval
        )

    # -- Steps and ends ------------------------------------------------------------------------

    def _start_step(self) -> str:
        if self._calls.is_streaming:
            self._step_due = True  # The client would take what is left of the arguments for a
            return ""  # call of the new step.
        failed = self._fail_calls()
        if self._step_is_new:
            return failed
        self._step_is_new = True
        self._open_steps += 1
        return failed + self._close_text() + ui_frame("start-step", {})

    def _due_step(self) -> str:
        if not self._step_due or self._calls.is_streaming:
            return ""
        self._step_due = False
        return self._start_step()

    def _finish_step(self) -> str:
        if not self._open_steps:
            return ""
        self._open_steps -= 1
        self._step_is_new = False
        # Clients before version 7 forget at a step's end which parts are open.
        return self._close_text() + ui_frame("finish-step", {})

    def _fail_calls(self) -> str:
        return "".join(map(self._result, self._calls.failed()))

    def _error(self, chunk: ErrorChunk) -> str:
        self._failed = _fields.is_fatal(chunk)
        closed = self._close_text() + self._fail_calls() if self._failed else ""
        return closed + error_frame(chunk)

    def _finish_fields(self) -> _fields.Fields:
        fields: _fields.Fields = {}
        reason = self._outcome.finish_reason
        if reason is None and self._calls.is_waiting:
            reason = "tool-calls"
        if self._version > 5 and reason != "unknown":  # which is no longer in the schema
            fields = _fields.without_absent(finishReason=reason)
        inputs, outputs = self._outcome.tokens
        if inputs or outputs:
            usage: _fields.Fields = {"inputTokens": inputs, "outputTokens": outputs}
            fields["messageMetadata"] = {"usage": usage}
        return fields


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
