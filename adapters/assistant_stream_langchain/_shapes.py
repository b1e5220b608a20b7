"""Looking into JSON that a provider sent: whatever does not have the shape is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

__all__ = ("as_index", "as_items", "as_mapping", "as_text", "first_text")


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return `value` if it is a mapping, or else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def as_items(value: object) -> Sequence[Any]:
    """Return `value` if it is a list or a tuple, or else an empty one."""
    return cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else ()


def as_text(value: object) -> str | None:
    """Return `value` if it is a text with something in it."""
    return value if isinstance(value, str) and value else None


def as_index(value: object) -> int | str | None:
    """Return `value` if it can number a block."""
    return value if isinstance(value, (int, str)) else None


def first_text(mapping: Mapping[str, Any], *names: str) -> str | None:
    """Return the first text that stands under one of the names."""
    return next((text for name in names if (text := as_text(mapping.get(name)))), None)
