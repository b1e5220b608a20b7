"""Frames of the AI SDK's UI message stream that depend on nothing but one chunk."""

from __future__ import annotations

from collections.abc import Mapping

from assistant_stream_ce._json import dumps
from assistant_stream_ce.chunks import ErrorChunk, FileChunk, SourceChunk, UpdateStateChunk
from assistant_stream_ce.state.operations import merge_appends
from assistant_stream_ce.typing import JSONValue

from . import _fields
from ._sse import sse_frame

__all__ = (
    "error_frame",
    "file_frame",
    "provider_metadata",
    "source_frame",
    "state_frame",
    "ui_frame",
)


def ui_frame(chunk_type: str, fields: Mapping[str, JSONValue]) -> str:
    """Return the frame of one chunk of the AI SDK's."""
    return sse_frame(dumps({"type": chunk_type, **fields}))


def provider_metadata(parent_id: str | None, summary: str | None = None) -> _fields.Fields:
    """What the protocol has no field of its own for; the client keeps it with the part."""
    fields = _fields.without_absent(parentId=parent_id or None, summary=summary)
    return {"providerMetadata": {"assistant-stream": fields}} if fields else {}


def state_frame(chunk: UpdateStateChunk) -> str:
    """Return the frame of state operations; empty when there are none."""
    operations = merge_appends(chunk.operations)
    return _transient("update-state", operations) if operations else ""


def error_frame(chunk: ErrorChunk) -> str:
    """Return the frame of an error; an `error` chunk ends the run, so only a fatal one is one."""
    if _fields.is_fatal(chunk):
        return ui_frame("error", {"errorText": chunk.error})
    fields = _fields.without_absent(message=chunk.error, code=chunk.code, severity=chunk.severity)
    return _transient("error", fields)


def source_frame(chunk: SourceChunk) -> str:
    """Return the frame of a source."""
    more = provider_metadata(chunk.parent_id)
    if chunk.source_type == "url":
        more |= _fields.without_absent(title=chunk.title)
        return ui_frame("source-url", {"sourceId": chunk.id, "url": chunk.url, **more})
    more |= _fields.without_absent(filename=chunk.filename)
    fields: _fields.Fields = {
        "sourceId": chunk.id,
        "mediaType": chunk.media_type or "application/octet-stream",
        "title": chunk.title or chunk.filename or chunk.url or chunk.id,
    }
    return ui_frame("source-document", {**fields, **more})


def file_frame(chunk: FileChunk) -> str:
    """Return the frame of a file."""
    is_url = ":" in chunk.data  # which base64 has none of
    url = chunk.data if is_url else f"data:{chunk.mime_type};base64,{chunk.data}"
    more = provider_metadata(chunk.parent_id)
    return ui_frame("file", {"url": url, "mediaType": chunk.mime_type, **more})


def _transient(name: str, data: object) -> str:
    """A data part that is not kept in the message."""
    return sse_frame(dumps({"type": f"data-{name}", "data": data, "transient": True}))
