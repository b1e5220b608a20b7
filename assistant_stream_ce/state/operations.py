"""State operations over plain JSON values: apply them, look values up, find the difference.

A run changes its state with two operations only: `set` puts a value at a path, `append-text`
extends a string. What is refused here is what the accumulator of the TypeScript clients refuses
in strict mode (`assistant-stream` 0.3.44, `core/gorp/GorpStreamAccumulator.ts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import NoneType
from typing import Any

from assistant_stream_ce._json import copy_json, to_json, type_of
from assistant_stream_ce.chunks import AppendTextOperation, StateOperation
from assistant_stream_ce.errors import StateOperationError
from assistant_stream_ce.typing import JSONValue

from ._diff import diff
from ._path import (
    UNSAFE_SEGMENTS,
    Path,
    read_index,
    read_segment,
    show_path,
    unsafe_path,
    wire_path,
)

__all__ = (
    "append_in_place",
    "apply_in_place",
    "apply_operations",
    "diff",
    "lookup",
    "merge_appends",
    "set_in_place",
)

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
            index = read_index(str(segment))
            if index is not None and index < len(current):
                child = current[index]
        if child is _MISSING:
            raise KeyError(f"There is nothing at `{show_path(path)}`")
        current = child
    return current


def merge_appends(operations: Sequence[StateOperation]) -> Sequence[StateOperation]:
    """Melt neighbouring `append-text` operations on one path into one; changes no operation.

    They have to be in order: what is no operation, or appends what is no text, raises something.
    """
    if len(operations) < 2:
        return operations
    merged: list[StateOperation] = []
    texts: list[str] = []
    for operation in operations:
        last = merged[-1] if merged else None
        if (
            last is None
            or operation["type"] != "append-text"
            or last["type"] != "append-text"
            or last["path"] != operation["path"]
        ):
            _put_text(merged, texts)
            merged.append(operation)
            texts = [operation["value"]] if operation["type"] == "append-text" else []
        else:
            texts.append(operation["value"])
    _put_text(merged, texts)
    return merged


def _put_text(merged: list[StateOperation], texts: list[str]) -> None:
    if len(texts) > 1:
        path = merged[-1]["path"]
        merged[-1] = AppendTextOperation(type="append-text", path=path, value="".join(texts))


def apply_in_place(root: JSONValue, operation: StateOperation) -> tuple[JSONValue, StateOperation]:
    """Apply one operation to a value that the caller owns.

    Returns:
        The root, and the operation in its normal form, which shares nothing with the root.
    """
    # Operations come from other programs too, so nothing about them is taken for granted.
    raw: Any = operation
    try:
        kind, path, value = raw["type"], raw["path"], raw["value"]
    except (KeyError, TypeError) as error:
        raise StateOperationError(
            f"A state operation has `type`, `path` and `value`; got {raw!r}"
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
        value = {read_segment(segment): value}
    if container is None:
        return value
    if type(key) is int and key == len(container):
        container.append(value)
    else:
        container[key] = value
    return root


def append_in_place(root: JSONValue, path: Path, text: Any) -> JSONValue:
    """Append `text` to the string at `path`. Nothing changes when it raises."""
    if not isinstance(text, str):
        raise StateOperationError(f"`append-text` takes a string, not {_describe(text)}", path)
    if not path:
        if not isinstance(root, str):
            raise _not_a_string(root, path)
        return root + text
    container, key, rest = _locate(root, path)
    current = _MISSING if rest else _child(container, key)
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

    Segments are left over where the path goes through `null` or through nothing; when that is
    so at the root already, all of them are, and the container is `None`.
    """
    current: Any = root
    container: Any = None
    key: Any = None
    below = 0
    for depth, segment in enumerate(path, 1):
        kind = type_of(current)
        if kind is list and type(segment) is int and 0 <= segment < len(current):
            container, key, below = current, segment, depth  # as below, but no text is read
            current = container[key]
            continue
        name = segment if type(segment) is str else read_segment(segment)
        if name in UNSAFE_SEGMENTS:
            raise unsafe_path(path)
        if kind is dict:
            container, key, below = current, name, depth
            current = container.get(key, _MISSING)
        elif kind is list:
            container, key, below = current, _list_index(name, len(current), path), depth
            current = _child(container, key)
        elif current is not _MISSING and kind is not NoneType:
            raise StateOperationError(
                f"Cannot go through {_describe(current)} to `{show_path(path)}`", path
            )
    return container, key, path[below:]


def _child(container: Any, key: Any) -> Any:
    if isinstance(key, str):
        return container.get(key, _MISSING)
    return container[key] if key < len(container) else _MISSING


def _list_index(segment: str, length: int, path: Path) -> int:
    index = read_index(segment)
    if index is None:
        raise StateOperationError(f"`{segment}` is no list index in `{show_path(path)}`", path)
    if index > length:
        raise StateOperationError(
            f"Index {index} in `{show_path(path)}` is beyond the end of a list of {length}; "
            f"index {length} would append",
            path,
        )
    return index


def _not_a_string(current: object, path: Path) -> StateOperationError:
    return StateOperationError(
        f"Cannot append text at `{show_path(path)}`: there is {_describe(current)}. "
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
