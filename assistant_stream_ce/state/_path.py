"""Paths into a state, and which of them the clients accept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from assistant_stream_ce.errors import StateOperationError

__all__ = (
    "UNSAFE_SEGMENTS",
    "Path",
    "read_index",
    "read_segment",
    "show_path",
    "unsafe_path",
    "wire_path",
)

Path: TypeAlias = Sequence[str | int]

UNSAFE_SEGMENTS = frozenset({"__proto__", "constructor", "prototype"})
"""The clients refuse a path that goes through one of these."""

_MAX_INDEX_DIGITS = 15


def wire_path(path: Path) -> list[str]:
    """Return the path as the wire has it."""
    return [segment if type(segment) is str else read_segment(segment) for segment in path]


def read_segment(segment: Any) -> str:
    """Return one segment as the wire has it; `Any`, because paths come from other programs too."""
    if type(segment) is int:
        return str(segment)
    if isinstance(segment, str):
        return str.__str__(segment)
    if isinstance(segment, int) and not isinstance(segment, bool):
        return str(int(segment))
    raise StateOperationError(f"A path is made of strings and list indices; got {segment!r}")


def read_index(segment: str) -> int | None:
    """Read a list index in its one canonical form: no sign, no leading zero."""
    canonical = segment.isdecimal() and segment.isascii() and (segment[0] != "0" or segment == "0")
    return int(segment) if canonical and len(segment) <= _MAX_INDEX_DIGITS else None


def show_path(path: Path) -> str:
    """Return the path as exceptions show it."""
    return ".".join(map(str, path)) or "the root"


def unsafe_path(path: Path) -> StateOperationError:
    """Return the exception for a path that the clients refuse."""
    segments = "`, `".join(sorted(UNSAFE_SEGMENTS))
    return StateOperationError(
        f"The clients refuse the path `{show_path(path)}`: none of `{segments}` may be part of it",
        path,
    )
