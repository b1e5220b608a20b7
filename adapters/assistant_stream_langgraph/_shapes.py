"""Looking into payloads that are the user's: `isinstance` would make of `Any` a container of
unknown things, these make it one of `Any`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

__all__ = (
    "as_items",
    "call_ids_of",
    "id_of",
    "is_dict",
    "is_items",
    "is_list",
    "is_mapping",
    "is_tuple",
)


def is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Whether `value` is a mapping."""
    return isinstance(value, Mapping)


def is_items(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether `value` is a list or a tuple."""
    return isinstance(value, (list, tuple))


def is_tuple(value: Any) -> TypeGuard[tuple[Any, ...]]:
    """Whether `value` is a tuple."""
    return isinstance(value, tuple)


def as_items(value: Any) -> Sequence[Any]:
    """`value` itself when it is a list or a tuple, or else a tuple of nothing but it."""
    return value if is_items(value) else (value,)


def is_dict(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is a list."""
    return isinstance(value, list)


def id_of(message: Any) -> str | None:
    """The id of a message dict. A dict may come from a client, so nothing is taken for granted."""
    message_id: Any = message.get("id") if is_dict(message) else None
    return message_id if message_id and isinstance(message_id, str) else None


def call_ids_of(message: Any) -> list[str]:
    """The ids of the tool calls in a message dict."""
    calls: Any = message.get("tool_calls") if is_dict(message) else None
    ids = [id_of(call) for call in calls] if is_list(calls) else []
    return [call_id for call_id in ids if call_id]
