"""What a client sends as LangChain messages."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from langchain_core.messages import HumanMessage, ToolCall, ToolMessage

from assistant_stream_ce._json import dumps
from assistant_stream_ce.server import (
    AddMessageCommand,
    AddToolResultCommand,
    FilePart,
    ImagePart,
    TextPart,
    UserMessagePart,
)

__all__ = ("stopped_tool_message", "to_human_message", "to_tool_message")

STOPPED = "The call was stopped before it had a result."


def to_human_message(command: AddMessageCommand) -> HumanMessage:
    """The user's message, with an id of its own: the client has none for it yet."""
    match command.parts:
        case [TextPart(text=text)]:
            return HumanMessage(text, id=str(uuid4()))
        case parts:
            return HumanMessage(_blocks(parts), id=str(uuid4()))


def to_tool_message(command: AddToolResultCommand, call: ToolCall) -> ToolMessage:
    """The result of a tool that ran in the front end."""
    content: str | list[Any]
    if command.model_content is not None:
        content = _blocks(command.model_content)
    elif isinstance(command.result, str):
        content = command.result
    else:
        content = dumps(command.result)
    return ToolMessage(
        content,
        id=str(uuid4()),
        tool_call_id=command.tool_call_id,
        # The call's own name: the client refuses a whole thread over a result with another one.
        name=call["name"],
        artifact=command.artifact,
        status="error" if command.is_error else "success",
    )


def stopped_tool_message(call: ToolCall) -> ToolMessage:
    """What stands in for the result of a call that will never have one."""
    return ToolMessage(
        STOPPED, id=str(uuid4()), tool_call_id=call["id"], name=call["name"], status="error"
    )


def _blocks(parts: Sequence[UserMessagePart]) -> list[str | dict[Any, Any]]:
    return [_block(part) for part in parts]


def _block(part: UserMessagePart) -> dict[Any, Any]:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ImagePart():
            return {"type": "image_url", "image_url": {"url": part.image}}
        case FilePart():
            return _file_block(part)


def _file_block(part: FilePart) -> dict[Any, Any]:
    """A file in the form that both the chat models and the client's converter read; they look for
    its name in different places."""
    block: dict[Any, Any] = {"type": "file", "mime_type": part.mime_type}
    if part.filename is not None:
        block |= {"filename": part.filename, "metadata": {"filename": part.filename}}
    if part.data[:6].lower() == "https:":
        return {**block, "source_type": "url", "url": part.data}
    return {**block, "source_type": "base64", "data": _base64_of(part.data)}


def _base64_of(data: str) -> str:
    if data[:5].lower() != "data:":
        return data
    header, _, payload = data.partition(",")
    if header.lower().endswith(";base64"):
        return payload
    return base64.b64encode(unquote_to_bytes(payload)).decode()
