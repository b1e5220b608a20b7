"""Encoders for clients that know tool calls, and no interrupts.

An interrupt that is about no tool call becomes one: a call of `interrupt` whose id is the
interrupt's and whose arguments are `{"value": ...}`. The client answers with the call's result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from assistant_stream_ce._json import dumps
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
    MessageFinishChunk,
    StepFinishChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce.serialization import (
    DataStreamEncoder,
    OpenAICompletionEncoder,
    OpenAIStreamEncoder,
    StreamEncoder,
    UIMessageStreamEncoder,
)
from assistant_stream_ce.typing import JSONValue

__all__ = (
    "INTERRUPT_TOOL",
    "ChatDataStreamEncoder",
    "ChatOpenAIEncoder",
    "ChatUIEncoder",
    "WholeOpenAIEncoder",
)

INTERRUPT_TOOL = "interrupt"
"""The name of the call that an interrupt becomes."""


class _AsksByCall(StreamEncoder):
    """The rule, for any wire."""

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        super().reset()
        self._waiting: set[str] = set()
        self._asked = False

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`, and for the call that it becomes."""
        match chunk:
            case ToolCallBeginChunk():
                self._waiting.add(chunk.tool_call_id)
            case ToolResultChunk():
                self._waiting.discard(chunk.tool_call_id)
            case DataPartChunk(name="interrupt") if not self._waiting:
                return super().encode_chunk(chunk) + self._call_for(chunk.data)
            case StepFinishChunk() | MessageFinishChunk() if self._asked:
                # With another reason the client would not go on with the answer.
                return super().encode_chunk(replace(chunk, finish_reason="tool-calls"))
            case _:
                pass
        return super().encode_chunk(chunk)

    def _call_for(self, data: JSONValue) -> str:
        interrupt_id = data.get("id") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(interrupt_id, str) or data.get("actions"):
            return ""
        self._asked = True
        call: Sequence[AssistantStreamChunk] = (
            ToolCallBeginChunk(interrupt_id, INTERRUPT_TOOL),
            ToolCallArgsTextFinishChunk(interrupt_id, dumps({"value": data.get("value")})),
        )
        return "".join(map(super().encode_chunk, call))


class ChatDataStreamEncoder(_AsksByCall, DataStreamEncoder):
    """The data stream for `useDataStreamRuntime`.

    Args:
        head: What the client sends back with its next request, in the state of the message.
    """

    def __init__(self, head: Mapping[str, JSONValue]) -> None:
        self._head = dict(head)
        super().__init__()

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        super().reset()
        self._head_due = True

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`."""
        if not self._head_due:
            return super().encode_chunk(chunk)
        self._head_due = False
        # This client accumulates the state of every answer from nothing.
        told = UpdateStateChunk([{"type": "set", "path": [], "value": dict(self._head)}])
        return super().encode_chunk(told) + super().encode_chunk(chunk)


class ChatUIEncoder(_AsksByCall, UIMessageStreamEncoder):
    """The AI SDK's wire for `useChat`."""


class ChatOpenAIEncoder(_AsksByCall, OpenAIStreamEncoder):
    """Chat completions, streamed."""


class WholeOpenAIEncoder(_AsksByCall, OpenAICompletionEncoder):
    """Chat completions, in one piece."""
