"""JSON in the mirror that grows the way LangChain merges chunks, and the operations for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from assistant_stream_ce._json import to_json
from assistant_stream_ce.chunks import StateOperation

from ._shapes import is_dict, is_list, is_mapping

__all__ = ("FIXED_KEYS", "Operations", "extend", "grow", "put")

Operations: TypeAlias = list[StateOperation]

FIXED_KEYS = frozenset({"type", "id", "index", "name", "output_version", "model_provider"})
"""Keys whose texts LangChain does not concatenate."""


def extend(container: Any, key: Any, text: str) -> None:
    """Append to a string in a container, without copying it.

    CPython extends a string that has one reference in place, so the container lets go of it.
    """
    current = container[key]
    container[key] = None
    current += text
    container[key] = current


def put(container: Any, key: Any, value: object, path: list[str], operations: Operations) -> None:
    """Set an item of a dict, or of a list that may be one longer then."""
    if is_list(container) and key == len(container):
        container.append(to_json(value))
    else:
        container[key] = to_json(value)
    operations.append({"type": "set", "path": [*path, str(key)], "value": to_json(value)})


def grow(
    into: dict[str, Any], delta: Mapping[str, Any], path: list[str], operations: Operations
) -> None:
    """Merge a piece of an object: texts grow, containers merge, the rest is set."""
    for key, value in delta.items():
        current = into.get(key)
        if value is None or (key in FIXED_KEYS and current is not None):
            continue
        if isinstance(value, str) and isinstance(current, str):
            if value:
                extend(into, key, value)
                operations.append({"type": "append-text", "path": [*path, key], "value": value})
        elif is_mapping(value) and is_dict(current):
            grow(current, value, [*path, key], operations)
        elif is_list(value) and is_list(current):
            _grow_list(current, value, [*path, key], operations)
        elif value != current:
            put(into, key, value, path, operations)


def _grow_list(into: list[Any], delta: list[Any], path: list[str], operations: Operations) -> None:
    """Merge a piece of a list, such as the summary of a reasoning block: by `index`."""
    for item in delta:
        index = item.get("index") if is_mapping(item) else None
        place = None
        if index is not None:
            places = range(len(into))
            place = next(
                (i for i in places if is_dict(into[i]) and into[i].get("index") == index), None
            )
        if place is None:
            put(into, len(into), item, path, operations)
        else:
            grow(into[place], item, [*path, str(place)], operations)
