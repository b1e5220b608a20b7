"""The difference of two JSON values, as state operations."""

from __future__ import annotations

from typing import Any, TypeAlias

from assistant_stream_ce._json import copy_json, type_of
from assistant_stream_ce.chunks import StateOperation
from assistant_stream_ce.typing import JSONValue

from ._path import UNSAFE_SEGMENTS, Path, wire_path

__all__ = ("diff", "difference")


def diff(old: JSONValue, new: JSONValue, path: Path = ()) -> list[StateOperation]:
    """Return the operations that turn `old` at `path` into `new`, with the least data.

    A string that was extended is appended to, a list that grew gets only its new items, a
    changed leaf is set alone. There is no operation that removes something, so a deleted key or
    a shorter list sets its container; so does a change that would be longer piece by piece.
    The order of keys in an object does not count. No operation shares a container with `new`.
    """
    return difference(old, new, wire_path(path))


def difference(old: Any, new: Any, path: list[str]) -> list[StateOperation]:
    """As `diff`, for a path that is in wire form already."""
    if type(new) is str and type(old) is str and old and new.startswith(old):
        # The hot path: a token was appended. Its length does not matter, nothing is chosen.
        if len(new) == len(old):
            return []
        return [{"type": "append-text", "path": path, "value": new[len(old) :]}]
    return _difference(old, new, path)[0]


_Difference: TypeAlias = tuple[list[StateOperation], int]
"""Operations and about how many characters they take on the wire."""

_UNCHANGED: _Difference = ([], 0)
_MISSING: Any = object()


def _difference(old: Any, new: Any, path: list[str]) -> _Difference:
    kind = type_of(new)
    if _is_same(old, new):
        return _UNCHANGED
    if kind is type_of(old):
        if kind is dict:
            return _dict_difference(old, new, path)
        if kind is list:
            return _list_difference(old, new, path)
        if kind is str and old and new.startswith(old):
            text = new[len(old) :]
            return [{"type": "append-text", "path": path, "value": text}], _length(path, text)
    return _replacement(new, path)


def _replacement(new: JSONValue, path: list[str]) -> _Difference:
    return [{"type": "set", "path": path, "value": copy_json(new)}], _length(path, new)


def _dict_difference(
    old: dict[str, JSONValue], new: dict[str, JSONValue], path: list[str]
) -> _Difference:
    if not old.keys() <= new.keys():
        return _replacement(new, path)
    pieces: list[_Difference] = []
    for key, value in new.items():
        before = old.get(key, _MISSING)
        if _is_same(before, value):
            continue
        if before is _MISSING:
            piece = _replacement(value, [*path, key])
        else:
            piece = _difference(before, value, [*path, key])
        if piece[0]:
            if key in UNSAFE_SEGMENTS:
                return _replacement(new, path)
            pieces.append(piece)
    return _shorter(pieces, new, path)


def _list_difference(old: list[JSONValue], new: list[JSONValue], path: list[str]) -> _Difference:
    if len(new) < len(old):
        return _replacement(new, path)
    pieces: list[_Difference] = []
    for index, value in enumerate(new):
        before = old[index] if index < len(old) else _MISSING
        if _is_same(before, value):
            continue
        if before is _MISSING:
            piece = _replacement(value, [*path, str(index)])
        else:
            piece = _difference(before, value, [*path, str(index)])
        if piece[0]:
            pieces.append(piece)
    return _shorter(pieces, new, path)


def _is_same(old: Any, new: Any) -> bool:
    """Whether the two are known to be the same without a look inside; quick, most items are."""
    if old is new:
        return True
    kind = type_of(new)
    return kind is type_of(old) and kind is not dict and kind is not list and bool(old == new)


def _shorter(pieces: list[_Difference], new: JSONValue, path: list[str]) -> _Difference:
    """Choose between the changes of the parts and setting the whole."""
    if not pieces:
        return _UNCHANGED
    if len(pieces) == 1:
        return pieces[0]
    length = sum(piece[1] for piece in pieces)
    if _length(path, new, length) < length:
        return _replacement(new, path)
    return [operation for piece in pieces for operation in piece[0]], length


def _length(path: list[str], value: JSONValue, limit: float = float("inf")) -> int:
    """Estimate the length of an operation on the wire; counting stops beyond `limit`."""
    length = 36 + sum(len(segment) + 3 for segment in path)
    pending = [value]
    while pending and length <= limit:
        item = pending.pop()
        if isinstance(item, str):
            length += len(item) + 3
        elif isinstance(item, list):
            length += 3
            pending.extend(item)
        elif isinstance(item, dict):
            length += 3 + sum(len(key) + 3 for key in item)
            pending.extend(item.values())
        else:
            length += 6
    return length
