"""OpenAI chat completions that are not streamed: one JSON object for the whole answer.

Mirrors `ChatCompletion` of the Python package `openai` 3.54.
"""

from __future__ import annotations

import time

from assistant_stream_ce._json import dumps
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
from assistant_stream_ce.typing import JSONValue

from . import _fields
from ._outcome import Outcome
from .openai_stream import FINISH_REASONS, generate_completion_id, openai_error
from .stream_encoder import StreamEncoder

__all__ = ("OpenAICompletionEncoder",)


class OpenAICompletionEncoder(StreamEncoder):
    """Encodes a whole stream as one chat completion, which comes at the end.

    As on the streamed wire, only the tool calls that have no result are in it: a client takes
    every call for its own to run. After a fatal error the body is `{"error": ...}`: it needs the
    status 500, because the clients look at nothing else.

    Args:
        model: The model's name in the answer.
    """

    media_type = "application/json"

    def __init__(self, model: str = "assistant-stream") -> None:
        self.model = model
        self.reset()

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        self._error: ErrorChunk | None = None
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._names: dict[str, str] = {}
        self._args: dict[str, list[str]] = {}
        self._outcome = Outcome()
        self._ledger = ToolCallLedger()

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Take in `chunk`; there is nothing to send yet."""
        for admitted in self._ledger.admit(chunk):
            self._add(admitted)
        return ""

    def encode_end(self) -> str:
        """Return the completion, or the error that has ended it."""
        for chunk in self._ledger.close_open():
            self._add(chunk)
        if self._error is not None:
            return dumps({"error": openai_error(self._error)})
        return dumps(self._completion())

    def _add(self, chunk: AssistantStreamChunk) -> None:
        match chunk:
            case TextDeltaChunk():
                self._texts.append(chunk.text_delta)
            case DataPartChunk(text=str(text)):
                self._texts.append(text)
            case ReasoningDeltaChunk():
                self._reasoning.append(chunk.reasoning_delta)
            case ToolCallBeginChunk():
                self._names[chunk.tool_call_id] = chunk.tool_name
                self._args[chunk.tool_call_id] = []
            case ToolCallDeltaChunk() | ToolCallArgsTextFinishChunk():
                self._args[chunk.tool_call_id].append(chunk.args_text_delta)
            case ToolResultChunk():
                self._names.pop(chunk.tool_call_id, None)
            case StepFinishChunk() | MessageFinishChunk():
                self._outcome.note(chunk)
            case ErrorChunk() if _fields.is_fatal(chunk):
                self._error = self._error or chunk
            case _:
                pass  # Nothing in the protocol says it.

    def _completion(self) -> dict[str, JSONValue]:
        prompt, completion = self._outcome.tokens
        usage: dict[str, JSONValue] = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        waiting = "tool_calls" if self._names else "stop"
        choice: dict[str, JSONValue] = {
            "index": 0,
            "message": self._message(),
            "logprobs": None,
            "finish_reason": FINISH_REASONS.get(self._outcome.finish_reason, waiting),
        }
        return {
            "id": generate_completion_id(),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self.model,
            "choices": [choice],
            "usage": usage,
        }

    def _message(self) -> dict[str, JSONValue]:
        calls: list[JSONValue] = [
            {
                "id": call_id,
                "type": "function",
                "function": {"name": name, "arguments": "".join(self._args[call_id])},
            }
            for call_id, name in self._names.items()
        ]
        text = "".join(self._texts)
        message: dict[str, JSONValue] = {
            "role": "assistant",
            "content": text if text or not calls else None,
            "refusal": None,
        }
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if calls:
            message["tool_calls"] = calls
        return message
