"""The authoritative state of one run, mutated in place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from .._json import copy_json, to_json
from ..chunks import StateOperation
from ..errors import StateOperationError
from ..typing import JSONValue
from .operations import (
    UNSAFE_SEGMENTS,
    Path,
    append_in_place,
    apply_in_place,
    difference,
    lookup,
    set_in_place,
    wire_path,
)
from .proxy import is_view, wrap

__all__ = ("StateStore",)


class StateStore:
    """Holds a JSON value and tells every change of it as state operations.

    A change is checked first, then made, then emitted, all under one lock. Values are copied on
    the way in and operations never share a container with the state, so nothing outside can
    change it without an operation. A change costs the depth of its path, not the size of the
    state.
    """

    def __init__(
        self,
        initial: object,
        emit: Callable[[list[StateOperation]], None],
        lock: threading.RLock | None = None,
    ) -> None:
        self.root: JSONValue = to_json(initial)
        """The live value. What leaves this package is a proxy or a copy instead."""
        self.lock = lock or threading.RLock()
        self._emit = emit

    @property
    def value(self) -> JSONValue:
        """The live value, for reading inside this package."""
        return self.root

    @property
    def proxy(self) -> Any:  # typed by the user's own state, which only they know
        """What the user works with: a proxy of the root, or the root itself when it is a scalar."""
        return wrap(self, (), self.root)

    def snapshot(self) -> JSONValue:
        """Return a copy of the whole state."""
        with self.lock:
            return copy_json(self.root)

    def get(self, path: Path) -> JSONValue:
        """Return a copy of what is at `path`.

        Raises:
            KeyError: There is nothing at the path.
        """
        with self.lock:
            return copy_json(lookup(self.root, path))

    def set(self, path: Path, value: object) -> None:
        """Put a snapshot of `value` at `path`.

        Raises:
            StateOperationError: The clients would refuse the operation.
            NotJSONError: The value has no JSON form.
        """
        with self.lock:
            if is_view(value, self, path):
                return  # `state |= ...` assigns the proxy it has just changed
            stored = to_json(value)
            self.root = set_in_place(self.root, path, stored)
            self._emit([{"type": "set", "path": wire_path(path), "value": copy_json(stored)}])

    def append_text(self, path: Path, text: str) -> None:
        """Append to the string at `path`.

        Raises:
            StateOperationError: There is no string at the path.
        """
        with self.lock:
            self.root = append_in_place(self.root, path, text)
            if text:
                self._emit([{"type": "append-text", "path": wire_path(path), "value": text}])

    def apply(self, operations: Iterable[StateOperation]) -> None:
        """Apply operations in order, for example those of another stream.

        When one is refused, those before it stand and have been emitted.

        Raises:
            StateOperationError: The clients would refuse one of the operations.
        """
        applied: list[StateOperation] = []
        with self.lock:
            try:
                for operation in operations:
                    self.root, normal = apply_in_place(self.root, operation)
                    applied.append(normal)
            finally:
                self.commit(applied)

    # The rest is the proxies' side. They hold the lock around it.

    def commit(self, operations: list[StateOperation]) -> None:
        """Emit the operations of one change."""
        if operations:
            self._emit(operations)

    def assign(
        self, container: Any, path: tuple[str | int, ...], key: Any, value: object
    ) -> list[StateOperation]:
        """Put a snapshot of `value` under `key` of the container at `path`; emits nothing."""
        wire = [*map(str, path), str(key)]
        if not UNSAFE_SEGMENTS.isdisjoint(wire):
            raise StateOperationError(
                f"The clients refuse the path `{'.'.join(wire)}`: none of "
                f"`{'`, `'.join(sorted(UNSAFE_SEGMENTS))}` may be written to",
                wire,
            )
        new = to_json(value)
        if type(container) is list and key == len(container):
            container.append(new)
        elif type(container) is dict and key not in container:
            container[key] = new
        else:
            old = container[key]
            container[key] = new
            return difference(old, new, wire)
        return [{"type": "set", "path": wire, "value": copy_json(new)}]

    def refill(self, container: Any, path: tuple[str | int, ...], new: Any) -> None:
        """Give the container at `path` the content of `new`, and emit the difference.

        The items of `new` are in the state already, or are snapshots.
        """
        wire = list(map(str, path))
        if not UNSAFE_SEGMENTS.isdisjoint(wire):
            raise StateOperationError(f"The clients refuse the path `{'.'.join(wire)}`", wire)
        old = container.copy()
        container.clear()
        if type(container) is list:
            container.extend(new)
        else:
            container.update(new)
        self.commit(difference(old, new, wire))
