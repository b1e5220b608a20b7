"""Reads fields out of a frame's JSON, which anybody may have written."""

from __future__ import annotations

from typing import Literal, cast

from assistant_stream_ce._json import dumps
from assistant_stream_ce.chunks import (
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    MessageFinishChunk,
    SourceChunk,
    StateOperation,
    StepFinishChunk,
)
from assistant_stream_ce.typing import FinishReason, JSONValue

__all__ = (
    "Fields",
    "InvalidFieldError",
    "data_part",
    "error",
    "error_text",
    "file",
    "items",
    "message_finish",
    "operations",
    "optional_text",
    "parent_id",
    "source",
    "step_finish",
    "text",
)

Fields = dict[str, JSONValue]


class InvalidFieldError(Exception):
    """Raised when a field that a chunk needs is missing or of another type."""


def text(fields: Fields, name: str) -> str:
    """A field that must be a text."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise InvalidFieldError(f"`{name}` is not a text")
    return value


def optional_text(fields: Fields, name: str) -> str | None:
    """A field that may be a text."""
    value = fields.get(name)
    return value if isinstance(value, str) else None


def items(value: JSONValue) -> list[JSONValue]:
    """A value that must be a list."""
    if not isinstance(value, list):
        raise InvalidFieldError("it is not a list")
    return value


def operations(value: JSONValue) -> list[StateOperation]:
    """State operations; what applies them checks each."""
    return cast("list[StateOperation]", items(value))


def parent_id(fields: Fields) -> str | None:
    """The parent; none when it is empty."""
    return optional_text(fields, "parentId") or None


def source(fields: Fields) -> SourceChunk:
    """A source part."""
    return SourceChunk(
        text(fields, "id"),
        optional_text(fields, "url") or "",
        "document" if fields.get("sourceType") == "document" else "url",
        optional_text(fields, "title"),
        parent_id(fields),
        optional_text(fields, "mediaType"),
        optional_text(fields, "filename"),
    )


def file(fields: Fields) -> FileChunk:
    """A file part."""
    return FileChunk(
        text(fields, "data"),
        text(fields, "mimeType"),
        parent_id(fields),
        optional_text(fields, "filename"),
    )


def data_part(fields: Fields) -> DataPartChunk:
    """A named data part."""
    return DataPartChunk(
        text(fields, "name"), fields.get("data"), optional_text(fields, "id"), parent_id(fields)
    )


def error(fields: Fields) -> ErrorChunk:
    """An error; a severity that the clients do not know is left out."""
    severity: Literal["critical", "warning", "info"] | None = None
    match fields.get("severity"):
        case "critical" | "warning" | "info" as known:
            severity = known
        case _:
            pass
    message = fields.get("error")
    return ErrorChunk(error_text(message), optional_text(fields, "code"), severity)


def error_text(value: JSONValue) -> str:
    """What went wrong, in words."""
    if value is None:
        return "unknown error"  # the client's own words
    return value if isinstance(value, str) else dumps(value)


def message_finish(fields: Fields) -> MessageFinishChunk:
    """The message's end."""
    return MessageFinishChunk(_reason(fields), *_usage(fields))


def step_finish(fields: Fields) -> StepFinishChunk:
    """A step's end."""
    return StepFinishChunk(
        _reason(fields),
        *_usage(fields),
        bool(fields.get("isContinued")),
        _seconds(fields, "timeToFirstToken"),
        _seconds(fields, "duration"),
    )


def _seconds(fields: Fields, name: str) -> float | None:
    value = fields.get(name)
    return float(value) if isinstance(value, int | float) else None


def _reason(fields: Fields) -> FinishReason:
    # The clients show a reason that they do not know as it is, and so does the accumulator.
    return cast("FinishReason", optional_text(fields, "finishReason") or "other")


def _usage(fields: Fields) -> tuple[int, int]:
    usage = fields.get("usage")
    if not isinstance(usage, dict):
        return 0, 0
    return _tokens(usage.get("inputTokens")), _tokens(usage.get("outputTokens"))


def _tokens(value: JSONValue) -> int:
    return int(value) if isinstance(value, int | float) else 0
