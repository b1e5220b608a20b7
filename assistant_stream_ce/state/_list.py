"""Lists of the state, as lists."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, MutableSequence
from typing import Any, ClassVar, Self, SupportsIndex

from assistant_stream_ce._json import to_json, type_of

from .proxy import StateProxy

__all__ = ("StateList",)


class StateList(StateProxy, MutableSequence[Any]):
    """A list inside a run's state; behaves as a `list`."""

    __slots__ = ()
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def _item(self, index: int, value: Any) -> Any:
        return self._store.wrap((*self._path, str(index)), value, self._generation)

    def __getitem__(self, index: Any) -> Any:
        if type(index) is slice:
            with self._store.lock:
                node = self._node()
                return [self._item(i, node[i]) for i in range(*index.indices(len(node)))]
        node = self._node()
        position = _position(index, node)
        value = node[position]
        kind = type_of(value)
        if kind is dict or kind is list:
            return self._store.wrap((*self._path, str(position)), value, self._generation)
        return self._settled(position) if value is None else value

    def __setitem__(self, index: Any, value: Any) -> None:
        store = self._store
        with store.lock:
            node = self._node()
            if type(index) is slice:
                new = node.copy()
                new[index] = [to_json(item) for item in value]
                store.refill(node, self._path, new)
                return
            position = _position(index, node)
            operations = store.assign(node, self._path, position, value)
            if operations:
                store.emit(operations)

    def __delitem__(self, index: Any) -> None:
        with self._store.lock:
            node = self._node()
            new = node.copy()
            del new[index]
            self._store.refill(node, self._path, new)

    def __iter__(self) -> Iterator[Any]:
        index = 0
        while True:
            with self._store.lock:
                node = self._node()
                if index >= len(node):
                    return
                item = self._item(index, node[index])
            yield item
            index += 1

    def __reversed__(self) -> Iterator[Any]:
        return iter(self[::-1])

    def __contains__(self, value: object) -> bool:
        with self._store.lock:
            return value in self._node()

    def append(self, value: Any) -> None:
        """Add an item at the end."""
        store = self._store
        with store.lock:
            store.emit([store.add(self._node(), self._path, value)])

    def extend(self, values: Iterable[Any]) -> None:
        """Add items at the end; the operations are emitted together."""
        snapshots = [to_json(value) for value in values]
        store = self._store
        with store.lock:
            node = self._node()
            operations = [store.add(node, self._path, value) for value in snapshots]
            if operations:
                store.emit(operations)

    def insert(self, index: SupportsIndex, value: Any) -> None:
        """Insert an item before `index`."""
        with self._store.lock:
            node = self._node()
            new = node.copy()
            new.insert(index, to_json(value))
            self._store.refill(node, self._path, new)

    def pop(self, index: SupportsIndex = -1) -> Any:
        """Remove an item and return it as plain Python."""
        with self._store.lock:
            node = self._node()
            new = node.copy()
            value = new.pop(index)
            self._store.refill(node, self._path, new)
        return value

    def remove(self, value: Any) -> None:
        """Remove the first item that equals `value`."""
        with self._store.lock:
            node = self._node()
            new = node.copy()
            new.remove(value)
            self._store.refill(node, self._path, new)

    def clear(self) -> None:
        """Remove every item."""
        with self._store.lock:
            self._store.refill(self._node(), self._path, [])

    def reverse(self) -> None:
        """Reverse the order of the items."""
        with self._store.lock:
            node = self._node()
            self._store.refill(node, self._path, node[::-1])

    def sort(self, *, key: Callable[[Any], Any] | None = None, reverse: bool = False) -> None:
        """Sort the items, as `list.sort`."""
        with self._store.lock:
            node = self._node()
            values = node if key is None else [key(item) for item in self]
            order = sorted(range(len(node)), key=values.__getitem__, reverse=reverse)
            self._store.refill(node, self._path, [node[i] for i in order])

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the position of the first item that equals `value`."""
        with self._store.lock:
            node: list[Any] = self._node()
            return node.index(value, start, len(node) if stop is None else stop)

    def count(self, value: Any) -> int:
        """Return how many items equal `value`."""
        with self._store.lock:
            node: list[Any] = self._node()
            return node.count(value)

    def __add__(self, other: Iterable[Any]) -> list[Any]:
        return [*self.copy(), *other]

    def __radd__(self, other: Iterable[Any]) -> list[Any]:
        return [*other, *self.copy()]

    def __mul__(self, times: SupportsIndex) -> list[Any]:
        return [item for _ in range(operator.index(times)) for item in self.copy()]

    __rmul__ = __mul__

    def __iadd__(self, values: Iterable[Any]) -> Self:
        self.extend(values)
        return self

    def __imul__(self, times: SupportsIndex) -> Self:
        with self._store.lock:
            new = self * times
            self._store.refill(self._node(), self._path, new)
        return self


def _position(index: SupportsIndex, items: list[Any]) -> int:
    position = operator.index(index)
    if position < 0:
        position += len(items)
    if not 0 <= position < len(items):
        raise IndexError("list index out of range")
    return position
