"""OpenAI chat completions, streamed: server-sent events, one `chat.completion.chunk` each.

Read by the official clients (`openai` 3.54 for Python) and by what is built on them, among it
LangChain's `ChatOpenAI` (`langchain-openai` 1.7) and Open WebUI.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Mapping
from typing import Literal, TypeAlias

from starlette.background import BackgroundTask

from assistant_stream_ce._json import dumps, json_string
from assistant_stream_ce._lifecycle import ToolCallLedger
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
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
from ._outcome import Outcome
from ._sse import SSE_DONE, SSE_FRAME_END, SSE_HEARTBEAT, SSE_MEDIA_TYPE, sse_frame
from .assistant_stream_response import AssistantStreamResponse
from .heartbeat import HeartbeatOption
from .stream_encoder import StreamEncoder

__all__ = (
    "FINISH_REASONS",
    "OpenAIStreamEncoder",
    "OpenAIStreamResponse",
    "ToolCallMode",
    "generate_completion_id",
    "openai_error",
)

ToolCallMode: TypeAlias = Literal["pending", "stream"]
"""Which tool calls go out: those without a result at the end, or all of them as they come."""

FINISH_REASONS: Mapping[FinishReason | None, str] = {
    "length": "length",
    "content-filter": "content_filter",
}
"""The reasons that are told; otherwise calls that wait decide."""


def generate_completion_id() -> str:
    """Return a new id of the form that OpenAI's completions have."""
    return f"chatcmpl-{secrets.token_hex(12)}"


def openai_error(chunk: ErrorChunk) -> dict[str, JSONValue]:
    """Return an error in the form that OpenAI's clients read."""
    return {"message": chunk.error, "type": "server_error", "param": None, "code": chunk.code}


class OpenAIStreamEncoder(StreamEncoder):
    """Encodes chunks as a stream of chat completion chunks.

    Text becomes `content`, reasoning the widely read `reasoning_content`, a tool call a
    `tool_calls` delta with its index. The protocol has nothing for tool results, sources, files,
    data and state; a warning or a note is left out, because clients raise at any error. Data that
    is a model's structured answer stays the text that the model gave.

    Args:
        model: The model's name in every chunk.
        system_fingerprint: The same.
        include_usage: Whether a last chunk tells the token counts (the request's
            `stream_options.include_usage`).
        tool_calls: A client takes every call for its own to run. So a call goes out whole, at the
            end, and only if it has no result (`"pending"`). `"stream"` sends every call as it
            comes, one after the other, for a backend that leaves all tools to its client.

    Attributes:
        id: The id in every chunk.
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
        tool_calls: ToolCallMode = "pending",
    ) -> None:
        if tool_calls not in ("pending", "stream"):
            raise ValueError(f'`tool_calls` must be "pending" or "stream", not {tool_calls!r}')
        self.id = generate_completion_id()
        self.model = model
        self.system_fingerprint = system_fingerprint
        self._include_usage = include_usage
        self._hold_calls = tool_calls == "pending"
        self.reset()

    def reset(self) -> None:
        """Forget the stream encoded so far."""
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
        self._ledger = ToolCallLedger()
        self._outcome = Outcome()
        self._pending: dict[str, _Call] = {}
        self._queue: deque[_Call] = deque()  # begun and not sent whole; the first is being sent
        self._call_count = 0
        self._started = False
        self._failed = False

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`; empty for what the protocol cannot say, and after a
        fatal error, at which the client raises."""
        if self._failed:
            return ""
        if type(chunk) is TextDeltaChunk and self._started:
            return self._frames(chunk)
        frames = "".join(map(self._frames, self._ledger.admit(chunk)))
        return self._start() + frames if frames else ""

    def encode_end(self) -> str:
        """Send calls that wait for a result, the finish reason, the usage, and `[DONE]`."""
        if self._failed:
            return SSE_DONE
        frames = [self._start()]
        frames.extend(map(self._frames, self._ledger.close_open()))
        if self._hold_calls:
            frames.extend(map(self._call, self._pending.values()))
        frames.append(self._delta("{}", self._finish_reason()))
        if self._include_usage:
            frames.append(self._usage())
        frames.append(SSE_DONE)
        return "".join(frames)

    def _frames(self, chunk: AssistantStreamChunk) -> str:
        match chunk:
            case TextDeltaChunk():
                return self._delta(f'{{"content":{json_string(chunk.text_delta)}}}')
            case DataPartChunk(text=str(text)):
                return self._delta(f'{{"content":{json_string(text)}}}')
            case ReasoningDeltaChunk():
                text = json_string(chunk.reasoning_delta)
                return self._delta(f'{{"reasoning_content":{text}}}')
            case ToolCallBeginChunk():
                return self._begin_call(chunk)
            case ToolCallDeltaChunk() | ToolCallArgsTextFinishChunk():
                return self._arguments(chunk)
            case ToolResultChunk():
                self._pending.pop(chunk.tool_call_id, None)
            case StepFinishChunk() | MessageFinishChunk():
                self._outcome.note(chunk)
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
        self._pending[call.id] = call
        if self._hold_calls:
            return ""
        self._queue.append(call)
        return self._call(call) if len(self._queue) == 1 else ""

    def _arguments(self, chunk: ToolCallDeltaChunk | ToolCallArgsTextFinishChunk) -> str:
        call, delta = self._pending[chunk.tool_call_id], chunk.args_text_delta
        call.is_complete = isinstance(chunk, ToolCallArgsTextFinishChunk)
        if not self._queue or call is not self._queue[0]:
            call.arguments.append(delta)
            return ""
        frames = ""
        if delta:
            function = f'{{"arguments":{json_string(delta)}}}'
            frames = self._delta(
                f'{{"tool_calls":[{{"index":{call.index},"function":{function}}}]}}'
            )
        # The helpers of OpenAI's clients take a call for complete when the next one begins.
        while self._queue[0].is_complete:
            self._queue.popleft()
            if not self._queue:
                break
            frames += self._call(self._queue[0])
        return frames

    def _call(self, call: _Call) -> str:
        call.index = self._call_count
        self._call_count += 1
        function: dict[str, JSONValue] = {"name": call.name, "arguments": "".join(call.arguments)}
        fields = {"index": call.index, "id": call.id, "type": "function", "function": function}
        return self._delta(dumps({"tool_calls": [fields]}))

    def _finish_reason(self) -> str:
        waiting = "tool_calls" if self._pending else "stop"
        return FINISH_REASONS.get(self._outcome.finish_reason, waiting)

    def _usage(self) -> str:
        prompt, completion = self._outcome.tokens
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
        return sse_frame(dumps({"error": openai_error(chunk)}))


class _Call:
    __slots__ = ("arguments", "id", "index", "is_complete", "name")

    def __init__(self, tool_call_id: str, name: str) -> None:
        self.id = tool_call_id
        self.name = name
        self.index = 0
        self.arguments: list[str] = []  # what came before the call was sent
        self.is_complete = False


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
        tool_calls: ToolCallMode = "pending",
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
