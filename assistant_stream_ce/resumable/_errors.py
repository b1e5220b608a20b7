"""The errors that both stores raise, each made in one place; cursors; durations."""

from __future__ import annotations

import re

from .errors import ResumableStreamError

__all__ = (
    "chunk_too_large",
    "cursor_too_far",
    "parse_cursor",
    "resolve_seconds",
    "stream_deleted",
    "stream_finalized",
    "stream_lost",
    "stream_missing",
    "stream_too_large",
    "stream_vanished",
)

_CURSOR = re.compile(r"[0-9]{0,18}")


def parse_cursor(cursor: str) -> int:
    """Return the number of bytes that the reader with this cursor has already.

    Raises:
        ResumableStreamError: `invalid-cursor`.
    """
    if not (cursor.isascii() and _CURSOR.fullmatch(cursor)):
        raise ResumableStreamError(
            "invalid-cursor",
            f"A cursor is the number of bytes read so far, or empty, not {cursor!r:.80}",
        )
    return int(cursor or "0")


def stream_missing(stream_id: str) -> ResumableStreamError:
    """The error for a stream that is not there."""
    return ResumableStreamError(
        "missing",
        f"Stream not found: {stream_id} (it never was, it has expired, or the store evicted it)",
    )


def stream_vanished(stream_id: str) -> ResumableStreamError:
    """The error for a stream that was there when its reader began."""
    return ResumableStreamError(
        "missing",
        f"Stream {stream_id} was deleted, has expired or was evicted before its end was read.",
    )


def stream_deleted(stream_id: str) -> ResumableStreamError:
    """The error for a stream that somebody deleted before its end."""
    return ResumableStreamError("deleted", f"Stream {stream_id} was deleted before its end.")


def stream_finalized(stream_id: str) -> ResumableStreamError:
    """The error for a write after the end."""
    return ResumableStreamError("finalized", f"Stream already finalized: {stream_id}")


def stream_lost(stream_id: str, why: str) -> ResumableStreamError:
    """The error for bytes that are not there any more."""
    return ResumableStreamError("lost", f"Stream {stream_id}: {why}")


def chunk_too_large(stream_id: str, length: int, limit: int) -> ResumableStreamError:
    """The error for an append that is longer than the store allows."""
    return ResumableStreamError(
        "too-large",
        f"Chunk exceeds maxChunkBytes: {length} bytes for stream {stream_id}, and "
        f"`max_chunk_bytes` is {limit}",
    )


def stream_too_large(stream_id: str, size: int, limit: int) -> ResumableStreamError:
    """The error for an append that would make the stream longer than the store allows."""
    return ResumableStreamError(
        "too-large",
        f"Stream {stream_id} would have {size} bytes, and `max_bytes_per_stream` is {limit}",
    )


def cursor_too_far(stream_id: str, offset: int, size: int) -> ResumableStreamError:
    """The error for a reader that claims to have more than there is."""
    return ResumableStreamError(
        "invalid-cursor",
        f"The cursor {offset} lies beyond the {size} bytes that stream {stream_id} has.",
    )


def resolve_seconds(
    seconds: float | None, milliseconds: float | None, default: float | None, name: str
) -> float | None:
    """One duration of two parameters: ours in seconds, upstream's in milliseconds.

    Raises:
        ValueError: Both are given, or it is not positive.
    """
    if seconds is not None and milliseconds is not None:
        raise ValueError(f"Give `{name}` (seconds) or `{name}_ms` (milliseconds), not both")
    if milliseconds is not None:
        seconds = milliseconds / 1000
    if seconds is None:
        return default
    if seconds <= 0:
        raise ValueError(f"`{name}` must be positive, not {seconds}")
    return seconds
