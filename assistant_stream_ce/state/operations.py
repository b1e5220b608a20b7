"""State operations over plain JSON values: apply them, look values up, find the difference.

A run changes its state with two operations only: `set` puts a value at a path, `append-text`
extends a string. What is refused here is what the accumulator of the TypeScript clients refuses
in strict mode (`assistant-stream` 0.3.44, `core/gorp/GorpStreamAccumulator.ts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from .._json import copy_json, to_json
from ..chunks import StateOperation
from ..errors import StateOperationError
from ..typing import JSONValue

__all__ = ("apply_operations", "diff", "lookup")

Path: TypeAlias = Sequence[str | int]

UNSAFE_SEGMENTS = frozenset({"__proto__", "constructor", "prototype"})
"""The clients refuse a path that goes through one of these."""

_MISSING: Any = object()


def apply_operations(value: JSONValue, operations: Iterable[StateOperation]) -> JSONValue:
    """Return what `value` becomes under `operations`; `value` itself stays as it is.

    Raises:
        StateOperationError: The clients would refuse one of the operations.
    """
    result = copy_json(value)
    for operation in operations:
        result, _ = apply_in_place(result, operation)
    return result


def lookup(value: JSONValue, path: Path) -> JSONValue:
    """Return what is at `path` in `value`.

    Raises:
        KeyError: There is nothing at the path.
    """
    current = value
    for segment in path:
        child: JSONValue = _MISSING
        if isinstance(current, dict):
            child = current.get(str(segment), _MISSING)
        elif isinstance(current, list):
            index = _index(segment)
            if index is not None and index < len(current):
                child = current[index]
        if child is _MISSING:
            raise KeyError(f"There is nothing at `{_show(path)}`")
        current = child
    return current


def diff(old: JSONValue, new: JSONValue, path: Path = ()) -> list[StateOperation]:
    """Return the operations that turn `old` at `path` into `new`, with the least data.

    A string that was extended is appended to, a list that grew gets only its new items, a
    changed leaf is set alone. There is no operation that removes something, so a deleted key or
    a shorter list sets its container; so does a change that would be longer piece by piece.
    The order of keys in an object does not count. No operation shares a container with `new`.
    """
    return difference(old, new, [str(segment) for segment in path])


def difference(old: Any, new: Any, path: list[str]) -> list[StateOperation]:
    """As `diff`, for a path that is in wire form already."""
    return _difference(old, new, path)[0]


_Difference: TypeAlias = tuple[list[StateOperation], int]
"""Operations and about how many characters they take on the wire."""

_UNCHANGED: _Difference = ([], 0)


def _difference(old: Any, new: Any, path: list[str]) -> _Difference:
    kind = type(new)
    if old is new:
        return _UNCHANGED
    if kind is type(old):
        if kind is dict:
            return _dict_difference(old, new, path)
        if kind is list:
            return _list_difference(old, new, path)
        if old == new:
            return _UNCHANGED
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
        if key in old:
            piece = _difference(old[key], value, [*path, key])
        else:
            piece = _replacement(value, [*path, key])
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
        if index < len(old):
            if old[index] is value:
                continue
            piece = _difference(old[index], value, [*path, str(index)])
        else:
            piece = _replacement(value, [*path, str(index)])
        if piece[0]:
            pieces.append(piece)
    return _shorter(pieces, new, path)


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


def apply_in_place(
    root: JSONValue, operation: StateOperation
) -> tuple[JSONValue, StateOperation]:
    """Apply one operation to a value that the caller owns.

    Returns:
        The root, and the operation in its normal form, which shares nothing with the root.
    """
    try:
        kind, path, value = operation["type"], operation["path"], operation["value"]
    except (KeyError, TypeError) as error:
        raise StateOperationError(
            f"A state operation has `type`, `path` and `value`; got {operation!r}"
        ) from error
    if kind == "set":
        stored = to_json(value)
        root = set_in_place(root, path, stored)
        return root, {"type": "set", "path": wire_path(path), "value": copy_json(stored)}
    if kind == "append-text":
        root = append_in_place(root, path, value)
        return root, {"type": "append-text", "path": wire_path(path), "value": value}
    raise StateOperationError(f"Unknown state operation `{kind}`", path)


def set_in_place(root: JSONValue, path: Path, value: JSONValue) -> JSONValue:
    """Put `value` itself, not a copy, at `path`. Nothing changes when it raises."""
    if not path:
        return value
    container, key, rest = _locate(root, path)
    for segment in reversed(rest):
        value = {_segment(segment, path): value}
    if container is None:
        return value
    if type(key) is int and key == len(container):
        container.append(value)
    else:
        container[key] = value
    return root


def append_in_place(root: JSONValue, path: Path, text: str) -> JSONValue:
    """Append `text` to the string at `path`. Nothing changes when it raises."""
    if not isinstance(text, str):
        raise StateOperationError(f"`append-text` takes a string, not {text!r}", path)
    if not path:
        if not isinstance(root, str):
            raise _not_a_string(root, path)
        return root + text
    container, key, rest = _locate(root, path)
    current = _MISSING if rest or container is None else _child(container, key)
    if type(current) is not str:
        raise _not_a_string(current, path)
    # The text grows in place, so a token costs the same at the end of a long answer: CPython
    # extends a string that has one reference, which is why the container lets go of it first.
    container[key] = None
    current += text
    container[key] = current
    return root


def _locate(root: JSONValue, path: Path) -> tuple[Any, Any, Path]:
    """Find the last container that exists on a path, the key in it, and the segments below.

    Segments are left over where the path goes through `null` or through nothing; the container
    is `None` when that is already so at the root, and then all of them are.
    """
    current: Any = root
    container: Any = None
    key: Any = None
    below = 0
    for depth, segment in enumerate(path):
        if type(segment) is str and segment in UNSAFE_SEGMENTS:
            raise StateOperationError(
                f"The clients refuse the key `{segment}` in a path (`{_show(path)}`)", path
            )
        if current is _MISSING or current is None:
            continue
        below = depth + 1
        container = current
        if type(current) is dict:
            key = segment if type(segment) is str else _segment(segment, path)
            current = current.get(key, _MISSING)
        elif type(current) is list:
            key = _list_index(segment, len(current), path)
            current = current[key] if key < len(current) else _MISSING
        else:
            raise StateOperationError(
                f"Cannot go through {_describe(current)} to `{_show(path)}`", path
            )
    return container, key, path[below:]


def wire_path(path: Path) -> list[str]:
    """Return the path as the wire has it."""
    return [segment if type(segment) is str else _segment(segment, path) for segment in path]


def _child(container: Any, key: Any) -> Any:
    if type(container) is dict:
        return container.get(key, _MISSING)
    return container[key] if key < len(container) else _MISSING


def _segment(segment: Any, path: Path) -> str:
    if isinstance(segment, str):
        return str(segment)
    if isinstance(segment, int) and not isinstance(segment, bool):
        return str(int(segment))
    raise StateOperationError(
        f"A path is made of strings and list indices; got {segment!r} in {list(path)!r}"
    )


def _index(segment: str | int) -> int | None:
    """Read a list index in its one canonical form: no sign, no leading zero."""
    text = str(segment)
    canonical = text.isdecimal() and text.isascii() and (text[0] != "0" or text == "0")
    return int(text) if canonical and len(text) < 16 else None


def _list_index(segment: str | int, length: int, path: Path) -> int:
    index = _index(segment)
    if index is None:
        raise StateOperationError(f"`{segment}` is no list index in `{_show(path)}`", path)
    if index > length:
        raise StateOperationError(
            f"Index {index} in `{_show(path)}` is beyond the end of a list of {length}; "
            f"index {length} would append",
            path,
        )
    return index


def _not_a_string(current: object, path: Path) -> StateOperationError:
    return StateOperationError(
        f"Cannot append text at `{_show(path)}`: there is {_describe(current)}. "
        "Set a string first",
        path,
    )


def _describe(value: object) -> str:
    if value is _MISSING:
        return "nothing"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"


def _show(path: Path) -> str:
    return ".".join(str(segment) for segment in path) or "the root"
