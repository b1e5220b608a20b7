"""Parts of a client's message as content blocks."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

from assistant_stream_ce.server import DataPart, FilePart, ImagePart, TextPart, UserMessagePart

__all__ = ("ContentBlocks", "base64_of", "content_blocks", "shown_blocks")

ContentBlocks: TypeAlias = list[str | dict[Any, Any]]
"""As the constructors of LangChain's messages declare it."""

_KINDS = ("image", "audio", "video")


def content_blocks(parts: Iterable[UserMessagePart]) -> ContentBlocks:
    """Return LangChain's standard content blocks, which every provider's client translates."""
    return [_block(part) for part in parts if not isinstance(part, DataPart)]


def shown_blocks(parts: Iterable[UserMessagePart]) -> ContentBlocks:
    """Return the blocks that both the chat models and assistant-ui's converter of LangChain
    messages read; it is older than the standard ones."""
    return [_shown_block(part) for part in parts if not isinstance(part, DataPart)]


def _block(part: TextPart | ImagePart | FilePart) -> dict[Any, Any]:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ImagePart():
            return _media_block(part.image, "image/png", None)
        case FilePart():
            return _media_block(part.data, part.mime_type, part.filename)


def _media_block(data: str, mime_type: str, filename: str | None) -> dict[Any, Any]:
    mime_type = _stated_type(data) or mime_type
    kind = mime_type.partition("/")[0].lower()
    block: dict[Any, Any] = {"type": kind if kind in _KINDS else "file", "mime_type": mime_type}
    if filename is not None:
        block["filename"] = filename
    if _is_url(data):
        return {**block, "url": data}
    return {**block, "base64": base64_of(data)}


def _shown_block(part: TextPart | ImagePart | FilePart) -> dict[Any, Any]:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ImagePart():
            return {"type": "image_url", "image_url": {"url": part.image}}
        case FilePart():
            return _shown_file(part)


def _shown_file(part: FilePart) -> dict[Any, Any]:
    # Models and the converter look for the name in different places.
    block: dict[Any, Any] = {"type": "file", "mime_type": part.mime_type}
    if part.filename is not None:
        block |= {"filename": part.filename, "metadata": {"filename": part.filename}}
    if _is_url(part.data):
        return {**block, "source_type": "url", "url": part.data}
    return {**block, "source_type": "base64", "data": base64_of(part.data)}


def _is_url(data: str) -> bool:
    return data[:6].lower() == "https:"


def _stated_type(data: str) -> str | None:
    """What a data URL says of itself."""
    if data[:5].lower() != "data:":
        return None
    return data[5:].partition(",")[0].partition(";")[0] or None


def base64_of(data: str) -> str:
    """Return the base64 text of a file that is that or a data URL."""
    if data[:5].lower() != "data:":
        return data
    header, _, payload = data.partition(",")
    if header.lower().endswith(";base64"):
        return payload
    return base64.b64encode(unquote_to_bytes(payload)).decode()
