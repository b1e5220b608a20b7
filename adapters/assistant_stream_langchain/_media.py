"""Media blocks of every provider as files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._shapes import as_mapping, as_text, first_text
from ._sources import has_safe_scheme

__all__ = ("FileFragment", "read_file")

_DEFAULT_TYPES = {
    "image": "image/png",
    "image_url": "image/png",
    "image_generation_call": "image/png",
    "audio": "audio/wav",
    "input_audio": "audio/wav",
    "video": "video/mp4",
    "file": "application/octet-stream",
    "file_data": "application/octet-stream",
    "document": "application/octet-stream",
    "media": "application/octet-stream",
    "text-plain": "text/plain",
}


@dataclass(slots=True)
class FileFragment:
    """A file in the answer; `data` is a data URL or a URL."""

    data: str
    mime_type: str
    filename: str | None = None


def read_file(block: Mapping[str, Any]) -> FileFragment | None:
    """Return the file that a content block holds, or `None` when it holds none.

    A block that only has a provider's file id is none: a client has no way to fetch it. Nor is one
    whose URL would run something: it may come from a page that the model has read.
    """
    kind = as_text(block.get("type"))
    if kind is None:  # Bedrock Converse wraps media in a key instead of giving it a type.
        kind = next((name for name in ("image", "video", "document") if name in block), None)
    if kind not in _DEFAULT_TYPES:
        return None
    inner = _inner(block, kind)
    data = _first(inner, "base64", "data", "b64_json", "result", "bytes", "file_data")
    url = _first(inner, "url", "file_uri", "file_url", "image_url")
    mime_type = _mime_type(inner, kind)
    name = first_text(inner, "filename", "name")
    if isinstance(data, bytes):
        data = base64.b64encode(data).decode("ascii")
    if isinstance(data, str):
        # Some clients put a whole data URL where base64 text belongs.
        text = data if data.startswith("data:") else f"data:{mime_type};base64,{data}"
        return FileFragment(text, _url_type(text) or mime_type, name)
    if isinstance(url, str) and (url.startswith("data:") or has_safe_scheme(url)):
        return FileFragment(url, _url_type(url) or mime_type, name)
    return None


def _inner(block: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The block with what providers nest (`source`, `image_url`, ...) lifted to the top."""
    flat = dict(block)
    for key in (kind, "image_url", "source", "file", "input_audio", "extras"):
        if nested := as_mapping(flat.get(key)):
            flat.pop(key)
            flat.update(nested)
    return flat


def _mime_type(inner: Mapping[str, Any], kind: str) -> str:
    if stated := first_text(inner, "mime_type", "media_type", "mimeType"):
        return stated
    default = _DEFAULT_TYPES[kind]
    suffix = first_text(inner, "output_format", "format")
    if suffix is None:
        return default
    return "application/pdf" if suffix == "pdf" else f"{default.split('/')[0]}/{suffix}"


def _url_type(url: str) -> str | None:
    if not url.startswith("data:"):
        return None
    return url[5:].split(",", 1)[0].split(";", 1)[0] or None


def _first(mapping: Mapping[str, Any], *names: str) -> object:
    for name in names:
        if value := mapping.get(name):
            return value
    return None
