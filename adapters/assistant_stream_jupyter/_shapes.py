"""JSON of unknown shape, read with care: what is not there is empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

__all__ = ("as_dict", "as_list", "is_dict", "is_list", "is_sequence")


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a list."""
    return isinstance(value, list)


def is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is a dict; the keys of one from JSON are text."""
    return isinstance(value, dict)


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether it is a list or a tuple."""
    return isinstance(value, (list, tuple))


def as_list(value: object) -> list[Any]:
    """Return the value when it is a list, else an empty one."""
    return value if is_list(value) else []


def as_dict(value: object) -> dict[str, Any]:
    """Return the value when it is a dict, else an empty one."""
    return value if is_dict(value) else {}
