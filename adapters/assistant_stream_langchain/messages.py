"""What a client sends of a conversation, as LangChain messages."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from assistant_stream_ce._json import dumps
from assistant_stream_ce.errors import RequestError

from ._shapes import as_items, as_mapping, as_text, first_text

__all__ = ("to_langchain_messages",)

Fields = Mapping[str, Any]


def to_langchain_messages(
    messages: Iterable[object], *, allow_system: bool = False
) -> list[BaseMessage]:
    """Return the `messages` of a request of `useDataStreamRuntime` as LangChain messages.

    ```python
    body = await request.json()
    answer = await chain.ainvoke({"history": to_langchain_messages(body["messages"])})
    ```

    This client keeps the conversation and sends all of it each time, so what the assistant and
    the tools have said is its claim. System prompts from the client are left out unless you allow
    them, and files may only be `https:` or `data:` URLs or base64 text.

    Args:
        messages: The `messages` of the request's body.
        allow_system: Whether system messages of the client are used.

    Raises:
        RequestError: Says which message cannot be used, and why.
    """
    converted: list[BaseMessage] = []
    for number, item in enumerate(messages):
        where = f"messages[{number}]"
        message = as_mapping(item)
        match message.get("role"):
            case "user":
                converted.append(_human(message, where))
            case "assistant":
                converted.append(_assistant(message, where))
            case "tool":
                converted.extend(_results(message, where))
            case "system":
                if allow_system:
                    text = as_text(message.get("content")) or ""
                    converted.append(SystemMessage(text, id=_id(message)))
            case _:
                raise _refused(f"{where}.role", "must be 'user', 'assistant', 'tool' or 'system'")
    return converted


def _human(message: Fields, where: str) -> HumanMessage:
    blocks = [
        _block(as_mapping(part), f"{where}.content[{number}]")
        for number, part in enumerate(_parts(message, where))
    ]
    match blocks:
        case [{"type": "text", "text": str(text)}]:
            return HumanMessage(text, id=_id(message))
        case _:
            return HumanMessage([*blocks], id=_id(message))


def _assistant(message: Fields, where: str) -> AIMessage:
    text: list[str] = []
    calls: list[ToolCall] = []
    for number, item in enumerate(_parts(message, where)):
        part = as_mapping(item)
        if part.get("type") == "text":
            text.append(_required(part, "text", f"{where}.content[{number}]"))
        elif part.get("type") == "tool-call":
            calls.append(_call(part, f"{where}.content[{number}]"))
    return AIMessage("".join(text), tool_calls=calls, id=_id(message))


def _call(part: Fields, where: str) -> ToolCall:
    return ToolCall(
        type="tool_call",
        id=_required(part, "toolCallId", where),
        name=_required(part, "toolName", where),
        args=dict(as_mapping(part.get("input"))),
    )


def _results(message: Fields, where: str) -> Iterable[ToolMessage]:
    for number, item in enumerate(_parts(message, where)):
        part, place = as_mapping(item), f"{where}.content[{number}]"
        output = as_mapping(part.get("output"))
        kind = as_text(output.get("type")) or ""
        value = output.get("value")
        yield ToolMessage(
            value if isinstance(value, str) else dumps(value),
            tool_call_id=_required(part, "toolCallId", place),
            name=as_text(part.get("toolName")),
            status="error" if kind.startswith("error") else "success",
        )


def _block(part: Fields, where: str) -> dict[str, Any]:
    match part.get("type"):
        case "text":
            return {"type": "text", "text": _required(part, "text", where)}
        case "file":
            mime_type = _required(part, "mediaType", where)
            return _file(_required(part, "data", where), mime_type, part.get("filename"), where)
        case "image":
            data = _required(part, "image", where)
            return _file(data, first_text(part, "mediaType") or "image/*", None, where)
        case _:
            raise _refused(f"{where}.type", "must be 'text', 'image' or 'file'")


def _file(data: str, mime_type: str, filename: object, where: str) -> dict[str, Any]:
    """A content block of LangChain's own, which every provider's client translates."""
    kind = mime_type.split("/", 1)[0]
    block: dict[str, Any] = {"type": kind if kind in ("image", "audio", "video") else "file"}
    if name := as_text(filename):
        block["filename"] = name
    if data[:5].lower() == "data:":
        header, _, payload = data[5:].partition(",")
        mime_type = header.split(";", 1)[0] or mime_type
        if not header.lower().endswith(";base64"):
            payload = base64.b64encode(unquote_to_bytes(payload)).decode()
        return {**block, "base64": payload, "mime_type": mime_type}
    if "://" not in data:
        return {**block, "base64": data, "mime_type": mime_type}
    parts = urlsplit(data)
    if parts.scheme.lower() != "https" or not parts.hostname:
        raise _refused(where, "must be an `https:` or a `data:` URL, or base64 text")
    return {**block, "url": data, "mime_type": mime_type}


def _parts(message: Fields, where: str) -> Sequence[Any]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise _refused(f"{where}.content", "must be an array of parts")
    return as_items(message.get("content"))


def _required(part: Fields, key: str, where: str) -> str:
    value = part.get(key)
    if not isinstance(value, str):
        raise _refused(f"{where}.{key}", "must be a string")
    return value


def _id(message: Fields) -> str | None:
    return first_text(message, "id", "unstable_id")


def _refused(where: str, why: str) -> RequestError:
    return RequestError(f"`{where}` {why}.")
