"""OpenAI chat completions, streamed: server-sent events, one `chat.completion.chunk` each.

Read by the official clients (`openai` 3.54 for Python) and by what is built on them, among it
LangChain's `ChatOpenAI` (`langchain-openai` 1.7) and Open WebUI.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Literal, TypeAlias

from starlette.background import BackgroundTask

from assistant_stream_ce._json import dumps, json_string
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    ErrorChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    StepFinishChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)
from assistant_stream_ce.typing import ChunkSource, FinishReason, JSONValue

from . import _fields
from ._parts import PartTracker
from ._sse import SSE_DONE, SSE_FRAME_END, SSE_HEARTBEAT, SSE_MEDIA_TYPE, sse_frame
from .assistant_stream_response import AssistantStreamResponse
from .heartbeat import HeartbeatOption
from .stream_encoder import StreamEncoder

__all__ = ("OpenAIStreamEncoder", "OpenAIStreamResponse", "ToolCallMode")

ToolCallMode: TypeAlias = Literal["stream", "pending"]
"""Which tool calls go out: all as they come, or at the end those that have no result."""

_FINISH_REASONS: Mapping[FinishReason, str] = {
    "length": "length",
    "content-filter": "content_filter",
    "tool-calls": "tool_calls",
}


class OpenAIStreamEncoder(StreamEncoder):
    """Encodes chunks as a stream of chat completion chunks.

    Text becomes `content`, reasoning the widely read `reasoning_content`, a tool call a
    `tool_calls` delta with its index. The protocol has nothing for tool results, sources, files,
    data and state; a warning or a note is left out, because clients raise at any error.

    Args:
        model: The model's name in every chunk.
        system_fingerprint: The same.
        include_usage: Whether a last chunk tells the token counts (the request's
            `stream_options.include_usage`).
        tool_calls: `"stream"` sends every call. A client takes a call as its own to run, so for a
            backend that runs its tools itself use `"pending"`: only calls without a result go out.
    """

    media_type = SSE_MEDIA_TYPE
    heartbeat = SSE_HEARTBEAT
    frame_end = SSE_FRAME_END

    def __init__(
        self,
        model: str = "assistant-stream",
        system_fingerprint: str | None = None,
        *,
        include_usage: bool = False,
        tool_calls: ToolCallMode = "stream",
    ) -> None:
        self.model = model
        self.system_fingerprint = system_fingerprint
        self._include_usage = include_usage
        self._hold_calls = tool_calls == "pending"
        self.reset()

    def reset(self) -> None:
        """Forget the stream encoded so far; the next one gets an id of its own."""
        self.id = f"chatcmpl-{secrets.token_hex(12)}"
        head = dumps(
            {
                "id": self.id,
                "object": "chat.completion.chunk",
                "created": int(time.time()),
                "model": self.model,
                **_fields.without_absent(system_fingerprint=self.system_fingerprint),
            }
        )
        self._head = f"data: {head[:-1]},"
        self._choice = f'{self._head}"choices":[{{"index":0,"delta":'
        self._parts = PartTracker()
        self._pending: dict[str, _Call] = {}
        self._call_count = 0
        self._finish: MessageFinishChunk | None = None
        self._tokens = (0, 0)
        self._started = False
        self._failed = False

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`; empty for what the protocol cannot say, and after a
        fatal error, at which the client raises."""
        if self._failed:
            return ""
        frames = "".join(map(self._frames, self._parts.ledger.admit(chunk)))
        return self._start() + frames if frames else ""

    def encode_end(self) -> str:
        """Send calls that wait for a result, the finish reason, the usage, and `[DONE]`."""
        if self._failed:
            return SSE_DONE
        frames = [self._start()]
        frames.extend(map(self._frames, self._parts.ledger.close_open()))
        if self._hold_calls:
            frames.extend(map(self._whole_call, self._pending.values()))
        frames.append(self._delta("{}", self._finish_reason()))
        if self._include_usage:
            frames.append(self._usage())
        frames.append(SSE_DONE)
        return "".join(frames)

    def _frames(self, chunk: AssistantStreamChunk) -> str:
        match chunk:
            case TextDeltaChunk():
                return self._delta(f'{{"content":{json_string(chunk.text_delta)}}}')
            case ReasoningDeltaChunk():
                text = json_string(chunk.reasoning_delta)
                return self._delta(f'{{"reasoning_content":{text}}}')
            case ToolCallBeginChunk():
                return self._begin_call(chunk)
            case ToolCallDeltaChunk() | ToolCallArgsTextFinishChunk():
                return self._arguments(chunk.tool_call_id, chunk.args_text_delta)
            case ToolResultChunk():
                self._pending.pop(chunk.tool_call_id, None)
            case StepFinishChunk():
                self._tokens = (
                    self._tokens[0] + chunk.input_tokens,
                    self._tokens[1] + chunk.output_tokens,
                )
            case MessageFinishChunk():
                self._finish = chunk
            case ErrorChunk():
                return self._error(chunk)
            case _:
                pass  # Nothing in the protocol says it.
        return ""

    def _start(self) -> str:
        if self._started:
            return ""
        self._started = True
        return self._delta('{"role":"assistant","content":""}')

    def _delta(self, delta: str, finish_reason: str | None = None) -> str:
        reason = f'"{finish_reason}"' if finish_reason else "null"
        usage = ',"usage":null' if self._include_usage else ""
        return f'{self._choice}{delta},"logprobs":null,"finish_reason":{reason}}}]{usage}}}\n\n'

    def _begin_call(self, chunk: ToolCallBeginChunk) -> str:
        call = _Call(chunk.tool_call_id, chunk.tool_name)
        self._pending[chunk.tool_call_id] = call
        if self._hold_calls:
            return ""
        call.index = self._call_count
        self._call_count += 1
        return self._call_delta(call, "")

    def _arguments(self, tool_call_id: str, delta: str) -> str:
        call = self._pending.get(tool_call_id)
        if call is None or not delta:
            return ""
        if self._hold_calls:
            call.arguments.append(delta)
            return ""
        function = f'{{"arguments":{json_string(delta)}}}'
        return self._delta(f'{{"tool_calls":[{{"index":{call.index},"function":{function}}}]}}')

    def _whole_call(self, call: _Call) -> str:
        call.index = self._call_count
        self._call_count += 1
        return self._call_delta(call, "".join(call.arguments))

    def _call_delta(self, call: _Call, arguments: str) -> str:
        function: dict[str, JSONValue] = {"name": call.name, "arguments": arguments}
        fields = {"index": call.index, "id": call.id, "type": "function", "function": function}
        return self._delta(dumps({"tool_calls": [fields]}))

    def _finish_reason(self) -> str:
        if self._finish is not None:
            return _FINISH_REASONS.get(self._finish.finish_reason, "stop")
        return "tool_calls" if self._pending else "stop"

    def _usage(self) -> str:
        prompt, completion = self._tokens
        if self._finish is not None and (self._finish.input_tokens or self._finish.output_tokens):
            prompt, completion = self._finish.input_tokens, self._finish.output_tokens
        usage = dumps(
            {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            }
        )
        return f'{self._head}"choices":[],"usage":{usage}}}\n\n'

    def _error(self, chunk: ErrorChunk) -> str:
        if not _fields.is_fatal(chunk):
            return ""
        self._failed = True
        error: dict[str, JSONValue] = {
            "message": chunk.error,
            "type": "server_error",
            "param": None,
            "code": chunk.code,
        }
        return sse_frame(dumps({"error": error}))


class _Call:
    __slots__ = ("arguments", "id", "index", "name")

    def __init__(self, tool_call_id: str, name: str) -> None:
        self.id = tool_call_id
        self.name = name
        self.index = 0
        self.arguments: list[str] = []


class OpenAIStreamResponse(AssistantStreamResponse):
    """Sends a stream as chat completion chunks; for the arguments `model` to `tool_calls` see
    `OpenAIStreamEncoder`."""

    def __init__(
        self,
        stream: ChunkSource,
        heartbeat: HeartbeatOption = True,
        *,
        model: str = "assistant-stream",
        system_fingerprint: str | None = None,
        include_usage: bool = False,
        tool_calls: ToolCallMode = "stream",
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        encoder = OpenAIStreamEncoder(
            model, system_fingerprint, include_usage=include_usage, tool_calls=tool_calls
        )
        super().__init__(
            stream,
            encoder,
            heartbeat,
            status_code=status_code,
            headers=headers,
            background=background,
        )
