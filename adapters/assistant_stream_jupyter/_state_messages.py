"""The answer of a run that streams LangChain's messages as state, read as parts.

`create_app` streams this way, and `stream_graph(..., parts=False)`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from assistant_stream_ce.message import (
    AssistantMessage,
    MessagePart,
    PartStatus,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)

__all__ = ("with_state_messages",)

DONE: PartStatus = {"type": "complete", "reason": "unknown"}
RUNNING: PartStatus = {"type": "running"}


def with_state_messages(message: AssistantMessage) -> AssistantMessage:
    """Return the message with the answer that its state holds, when it has no parts of its own.

    The answer is what follows the last message of the user. The state is returned without its
    messages then, which are shown already.
    """
    metadata = message["metadata"]
    state = metadata["unstable_state"]
    if message["parts"] or not isinstance(state, dict):
        return message
    fields = cast("dict[str, Any]", state)
    messages = fields.get("messages")
    if not isinstance(messages, list):
        return message
    found = [item for item in cast("list[Any]", messages) if isinstance(item, dict)]
    parts = _answer(cast("list[dict[str, Any]]", found))
    rest = {key: value for key, value in fields.items() if key != "messages"}
    return {**message, "parts": parts, "metadata": {**metadata, "unstable_state": rest}}


def _answer(messages: list[dict[str, Any]]) -> list[MessagePart]:
    last_question = max(
        (index for index, item in enumerate(messages) if item.get("type") == "human"), default=-1
    )
    answer = messages[last_question + 1 :]
    results = {str(item.get("tool_call_id")): item for item in answer if item.get("type") == "tool"}
    parts: list[MessagePart] = []
    for item in answer:
        if item.get("type") in {"ai", "AIMessageChunk"}:
            parts.extend(_content(item.get("content")))
            parts.extend(_calls(item, results))
    return parts


def _content(content: object) -> Iterator[MessagePart]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for block in cast("list[Any]", content if isinstance(content, list) else []):
        if not isinstance(block, dict):
            continue
        fields = cast("dict[str, Any]", block)
        text = fields.get("text") or fields.get("reasoning") or fields.get("thinking")
        if not isinstance(text, str):
            continue
        part: TextPart | ReasoningPart = {"type": "text", "text": text, "status": RUNNING}
        if fields.get("type") in {"reasoning", "thinking"}:
            part = {"type": "reasoning", "text": text, "status": RUNNING}
        yield part


def _calls(
    message: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]]
) -> Iterator[MessagePart]:
    for call in cast("list[Any]", message.get("tool_calls") or []):
        if not isinstance(call, dict):
            continue
        fields = cast("dict[str, Any]", call)
        args = fields.get("args") or {}
        part: ToolCallPart = {
            "type": "tool-call",
            "state": "call",
            "status": RUNNING,
            "toolCallId": str(fields.get("id")),
            "toolName": str(fields.get("name")),
            "argsText": json.dumps(args, ensure_ascii=False),
            "args": args,
        }
        result = results.get(part["toolCallId"])
        if result is not None:
            part["state"], part["status"] = "result", DONE
            part["result"] = result.get("content")
            part["isError"] = result.get("status") == "error"
            if result.get("artifact") is not None:
                part["artifact"] = result["artifact"]
        yield part
