"""Finish reasons and token counts of every provider in the words of the clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage

from assistant_stream_ce.typing import FinishReason

from ._shapes import as_mapping, as_text, first_text

__all__ = ("read_finish_reason", "read_usage")

_WORDS: Mapping[FinishReason, str] = {
    "stop": "stop end_turn stop_sequence completed complete eos eos_token done",
    "length": "length max_tokens max_output_tokens model_length context_length_exceeded"
    " model_context_window_exceeded",
    "content-filter": "content_filter content_filtered safety refusal guardrail_intervened"
    " recitation blocklist prohibited_content spii image_safety language",
    "tool-calls": "tool_calls tool_call tool_use function_call",
    "error": "error failed malformed_function_call unexpected_tool_call error_toxic"
    " malformed_model_output malformed_tool_use insufficient_system_resource",
    "unknown": "finish_reason_unspecified",
}
_REASONS: Mapping[str, FinishReason] = {
    word: reason for reason, words in _WORDS.items() for word in words.split()
}

_REASON_KEYS = ("finish_reason", "stop_reason", "stopReason", "done_reason")
_METADATA_KEYS = frozenset({*_REASON_KEYS, "status"})


def read_finish_reason(metadata: Mapping[str, Any]) -> FinishReason | None:
    """Return why the model stopped, or `None` when `response_metadata` does not say."""
    if _METADATA_KEYS.isdisjoint(metadata):
        return None
    for key in _REASON_KEYS:
        if value := as_text(metadata.get(key)):
            return _REASONS.get(value.lower().rsplit(".", 1)[-1].replace("-", "_"), "other")
    status = metadata.get("status")  # The Responses API.
    if status == "incomplete":
        reason = first_text(as_mapping(metadata.get("incomplete_details")), "reason")
        return _REASONS.get(reason or "", "other")
    if status in ("completed", "failed"):
        return _REASONS[status]
    return None


def read_usage(message: AIMessage) -> tuple[int, int] | None:
    """Return the input and output tokens that `message` reports, or `None`."""
    usage: Mapping[str, Any] | None = cast("Mapping[str, Any] | None", message.usage_metadata)
    if usage is None and message.response_metadata:
        metadata = message.response_metadata
        usage = as_mapping(metadata.get("token_usage") or metadata.get("usage"))
    if not usage:
        return None
    return (
        _count(usage, "input_tokens", "prompt_tokens", "inputTokens"),
        _count(usage, "output_tokens", "completion_tokens", "outputTokens"),
    )


def _count(usage: Mapping[str, Any], *names: str) -> int:
    return next((value for name in names if isinstance(value := usage.get(name), int)), 0)
