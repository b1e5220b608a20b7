"""The message as it is shown: among others, the answer that LangChain's messages in state hold.

`create_app` streams this way, and `stream_graph(..., parts=False)`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assistant_stream_ce.message import (
    AssistantMessage,
    MessagePart,
    PartStatus,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)

from ._shapes import as_dict, as_list, is_dict, is_list

__all__ = ("readable",)

DONE: PartStatus = {"type": "complete", "reason": "unknown"}
RUNNING: PartStatus = {"type": "running"}


def readable(message: AssistantMessage) -> AssistantMessage:
    """Return the message for a reader: with the answer in its state, and nothing twice."""
    message = _with_answer(message)
    # An interrupt that waits is shown by itself, and one that was answered by what came of it.
    parts = [p for p in message["parts"] if not (p["type"] == "data" and p["name"] == "interrupt")]
    metadata = message["metadata"]
    state = metadata["unstable_state"]
    if is_dict(state):
        state = {key: value for key, value in state.items() if key != "interrupts"}
    return {**message, "parts": parts, "metadata": {**metadata, "unstable_state": state}}


def _with_answer(message: AssistantMessage) -> AssistantMessage:
    """Return the message with the answer that its state holds, when it has no parts of its own.

    The answer is what follows the last message of the user. The state is returned without its
    messages then, which are shown already.
    """
    metadata = message["metadata"]
    state = metadata["unstable_state"]
    if message["parts"] or not is_dict(state) or not is_list(state.get("messages")):
        return message
    parts = _answer([item for item in state["messages"] if is_dict(item)])
    rest = {key: value for key, value in state.items() if key != "messages"}
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
    for fields in map(as_dict, as_list(content)):
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
    for fields in map(as_dict, as_list(message.get("tool_calls"))):
        args = as_dict(fields.get("args"))
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
