"""OpenAI chat completions that are not streamed: one JSON object for the whole answer.

Mirrors `ChatCompletion` of the Python package `openai` 3.54.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from assistant_stream_ce._lifecycle import ToolCallLedger
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
from assistant_stream_ce.typing import ChunkSource, JSONValue

from . import _fields
from ._outcome import Outcome
from .openai_stream import FINISH_REASONS, generate_completion_id

__all__ = ("OpenAICompletion", "collect_openai_completion")


@dataclass(frozen=True, slots=True)
class OpenAICompletion:
    """A whole answer, as chat completions have it."""

    value: Mapping[str, JSONValue]
    """The `chat.completion` object, as far as the answer came."""
    error: ErrorChunk | None = None
    """What ended the answer, if an error did."""


async def collect_openai_completion(
    stream: ChunkSource, *, model: str = "assistant-stream"
) -> OpenAICompletion:
    """Return the answer that `stream` makes, when it has ended.

    As on the streamed wire, only the tool calls that have no result are in it: a client takes
    every call for its own to run.

    Args:
        stream: The chunks.
        model: The model's name in the answer.
    """
    answer = _Answer()
    async for chunk in stream:
        answer.add(chunk)
    return OpenAICompletion(answer.value(model), answer.error)


class _Answer:
    def __init__(self) -> None:
        self.error: ErrorChunk | None = None
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._names: dict[str, str] = {}
        self._args: dict[str, list[str]] = {}
        self._outcome = Outcome()
        self._ledger = ToolCallLedger()

    def add(self, chunk: AssistantStreamChunk) -> None:
        for admitted in self._ledger.admit(chunk):
            self._add(admitted)

    def _add(self, chunk: AssistantStreamChunk) -> None:
        match chunk:
            case TextDeltaChunk():
                self._texts.append(chunk.text_delta)
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
                self.error = self.error or chunk
            case _:
                pass  # Nothing in the protocol says it.

    def value(self, model: str) -> dict[str, JSONValue]:
        for chunk in self._ledger.close_open():
            self._add(chunk)
        prompt, completion = self._outcome.tokens
        usage: dict[str, JSONValue] = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        choice: dict[str, JSONValue] = {
            "index": 0,
            "message": self._message(),
            "logprobs": None,
            "finish_reason": FINISH_REASONS.get(
                self._outcome.finish_reason, "tool_calls" if self._names else "stop"
            ),
        }
        return {
            "id": generate_completion_id(),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": model,
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
