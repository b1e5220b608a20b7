"""The authoritative state of one run, mutated in place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from assistant_stream_ce._json import PLAIN_TYPES, copy_json, to_json, type_of
from assistant_stream_ce.chunks import StateOperation
from assistant_stream_ce.typing import JSONValue

from ._dict import StateDict
from ._diff import difference
from ._list import StateList
from ._path import UNSAFE_SEGMENTS, Path, unsafe_path, wire_path
from .operations import append_in_place, apply_in_place, lookup, merge_appends, set_in_place
from .proxy import is_view

__all__ = ("StateStore",)

_MISSING: Any = object()


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
        self.emit = emit
        self.generation = 0
        """Counts the changes after which a container may stand elsewhere, or nowhere. It is
        raised after the change, so that a reader who takes no lock never keeps what it replaced."""

    @property
    def value(self) -> JSONValue:
        """The live value, for reading inside this package."""
        return self.root

    @property
    def proxy(self) -> Any:  # typed by the user's own state, which only they know
        """What the user works with: a proxy of the root, or the root itself when it is a scalar."""
        generation = self.generation
        return self.wrap((), self.root, generation)

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
                return  # as in `assign`
            stored = to_json(value)
            self.root = set_in_place(self.root, path, stored)
            self.generation += 1
            self.emit([{"type": "set", "path": wire_path(path), "value": copy_json(stored)}])

    def append_text(self, path: Path, text: str) -> None:
        """Append to the string at `path`.

        Raises:
            StateOperationError: There is no string at the path.
        """
        with self.lock:
            self.root = append_in_place(self.root, path, text)
            if text:
                self.emit([{"type": "append-text", "path": wire_path(path), "value": text}])

    def apply(self, operations: Iterable[StateOperation]) -> None:
        """Apply operations in order, for example those of another stream.

        When one is refused, those before it stand and have been emitted.

        Raises:
            StateOperationError: The clients would refuse one of the operations.
        """
        applied: list[StateOperation] = []
        with self.lock:
            try:
                for operation in _merged(operations):
                    self.root, normal = apply_in_place(self.root, operation)
                    applied.append(normal)
            finally:
                self.generation += 1
                if applied:
                    self.emit(applied)

    # The rest is the proxies' side: they hold the lock, and know the container and its path.

    def wrap(self, path: tuple[str, ...], value: Any, generation: int) -> Any:
        """Return the proxy for a container that was read at `generation`, or the scalar itself."""
        kind = type_of(value)
        if kind is dict:
            return StateDict(self, path, value, generation)
        if kind is list:
            return StateList(self, path, value, generation)
        return value

    def assign(
        self, container: Any, path: tuple[str, ...], key: Any, value: object
    ) -> list[StateOperation]:
        """Put a snapshot of `value` under `key` of a container; the caller emits the operations."""
        wire = [*path, key if type(key) is str else str(key)]
        if not UNSAFE_SEGMENTS.isdisjoint(wire):
            raise unsafe_path(wire)
        plain = type(value) in PLAIN_TYPES
        if not plain and is_view(value, self, wire):
            return []  # `state["items"] += [...]` assigns the proxy it has just changed
        new: Any = value if plain else to_json(value)
        if isinstance(key, str):
            old = container.get(key, _MISSING)
            container[key] = new
        else:
            old = container[key]
            container[key] = new
        if old is _MISSING:
            return [{"type": "set", "path": wire, "value": new if plain else copy_json(new)}]
        if type_of(old) not in PLAIN_TYPES:
            self.generation += 1
        return difference(old, new, wire)

    def add(self, items: list[Any], path: tuple[str, ...], value: object) -> StateOperation:
        """Append a snapshot of `value` to a list; the caller emits the operation."""
        wire = [*path, str(len(items))]
        if not UNSAFE_SEGMENTS.isdisjoint(wire):
            raise unsafe_path(wire)
        new: Any = value if type(value) in PLAIN_TYPES else to_json(value)
        items.append(new)
        return {"type": "set", "path": wire, "value": copy_json(new)}

    def refill(self, container: Any, path: tuple[str, ...], new: Any) -> None:
        """Give a list the items of `new`, or a dict only the keys of `new`; emit the difference.

        The items of `new` are in the state already, or are snapshots.
        """
        wire = list(path)
        if not UNSAFE_SEGMENTS.isdisjoint(wire):
            raise unsafe_path(wire)
        old = container.copy()
        if isinstance(container, list):
            container[:] = new
        else:
            for key in old.keys() - new.keys():
                del container[key]
        self.generation += 1
        operations = difference(old, new, wire)
        if operations:
            self.emit(operations)


def _merged(operations: Iterable[StateOperation]) -> Sequence[StateOperation]:
    """`operations` with fewer appends to apply; as they are, when one is malformed."""
    given = list(operations)
    try:
        return merge_appends(given)
    except (KeyError, TypeError):
        return given
