"""The user's view of a run's state: reads like dicts and lists, writes as operations."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsIndex, TypeAlias, cast

from .._json import copy_json, to_json
from ..errors import StateOperationError

if TYPE_CHECKING:
    from ._store import StateStore

__all__ = ("StateDict", "StateList", "StateProxy")

# `Any` in this module is a piece of the user's own state: with `JSONValue` instead, a type
# checker would refuse `state["messages"][0]["text"] += "!"`, which is what a proxy is for.

_Path: TypeAlias = tuple[str | int, ...]

_MISSING: Any = object()


def wrap(store: StateStore, path: _Path, value: Any) -> Any:
    """Return the proxy for a container of the state; a scalar stands for itself."""
    if type(value) is dict:
        return StateDict(store, path)
    if type(value) is list:
        return StateList(store, path)
    return value


def is_view(value: object, store: StateStore, path: Iterable[str | int]) -> bool:
    """Whether `value` is the proxy of exactly that place in that state."""
    return isinstance(value, StateProxy) and value.is_view_of(store, path)


class StateProxy:
    """A live view of one object or list inside a run's state.

    It stands for the place, not for the value that was there when it was made: reading always
    shows what is there now. Every write becomes state operations, and a written value is copied,
    so later changes of the value do not reach the state.
    """

    __slots__ = ("_path", "_store")
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # mutable, as dict and list

    def __init__(self, store: StateStore, path: _Path) -> None:
        self._store = store
        self._path = path

    def is_view_of(self, store: StateStore, path: Iterable[str | int]) -> bool:
        """Whether this is the proxy of exactly that place in that state."""
        return self._store is store and list(map(str, self._path)) == list(map(str, path))

    def copy(self) -> Any:
        """Return the value as plain Python, copied in depth."""
        with self._store.lock:
            return copy_json(self._node())

    def _node(self) -> Any:
        raise NotImplementedError

    def _find(self, kind: type) -> Any:
        node: Any = self._store.root
        try:
            for key in self._path:
                node = node[key]
        except (KeyError, IndexError, TypeError):
            node = None
        if type(node) is not kind:
            place = ".".join(map(str, self._path)) or "the root"
            raise StateOperationError(
                f"There is no {kind.__name__} at `{place}` of the state any more", self._path
            )
        return node

    def __to_json__(self) -> Any:
        return self.copy()

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, object]) -> Any:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return copy_json, (self.copy(),)

    def __repr__(self) -> str:
        with self._store.lock:
            return repr(self._node())

    def __len__(self) -> int:
        return len(self._node())

    def __eq__(self, other: object) -> bool:
        plain = other.copy() if isinstance(other, StateProxy) else other
        with self._store.lock:
            return bool(self._node() == plain)


class StateDict(StateProxy, MutableMapping[str, Any]):
    """An object inside a run's state; behaves as a `dict` with string keys."""

    __slots__ = ()
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def _node(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self._find(dict))

    def __getitem__(self, key: str) -> Any:
        name = key if type(key) is str else _key(key)
        with self._store.lock:
            value = self._node()[name]
        return wrap(self._store, (*self._path, name), value)

    def __setitem__(self, key: str, value: object) -> None:
        name = key if type(key) is str else _key(key)
        store = self._store
        with store.lock:
            if is_view(value, store, (*self._path, name)):
                return  # `state["items"] += [...]` assigns the proxy it has just changed
            store.commit(store.assign(self._node(), self._path, name, value))

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __iter__(self) -> Iterator[str]:
        with self._store.lock:
            return iter(list(self._node()))

    def __reversed__(self) -> Iterator[str]:
        with self._store.lock:
            return reversed(list(self._node()))

    def __contains__(self, key: object) -> bool:
        if isinstance(key, int):
            key = _key(key)
        return isinstance(key, str) and key in self._node()

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        """Remove a key and return its value as plain Python."""
        name = key if type(key) is str else _key(key)
        with self._store.lock:
            node = self._node()
            if name not in node:
                if default is _MISSING:
                    raise KeyError(key)
                return default
            rest = {other: value for other, value in node.items() if other != name}
            value = node[name]
            self._store.refill(node, self._path, rest)
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the last key and return it with its value as plain Python."""
        with self._store.lock:
            name = next(reversed(self), None)
            if name is None:
                raise KeyError("popitem(): dictionary is empty")
            return name, self.pop(name)

    def clear(self) -> None:
        """Remove every key."""
        with self._store.lock:
            self._store.refill(self._node(), self._path, {})

    def update(self, other: Any = (), /, **kwargs: Any) -> None:
        """Set several keys, as `dict.update`; the operations are emitted together."""
        values = {_key(key): to_json(value) for key, value in dict(other, **kwargs).items()}
        store = self._store
        with store.lock:
            node = self._node()
            operations = [
                operation
                for name, value in values.items()
                for operation in store.assign(node, self._path, name, value)
            ]
            store.commit(operations)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the key's value, set first to `default` where there was none."""
        with self._store.lock:
            if key not in self:
                self[key] = default
            return self[key]

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(other, Mapping):
            return NotImplemented
        return {**self.copy(), **other}

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(other, Mapping):
            return NotImplemented
        return {**other, **self.copy()}

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self


class StateList(StateProxy, MutableSequence[Any]):
    """A list inside a run's state; behaves as a `list`."""

    __slots__ = ()
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def _node(self) -> list[Any]:
        return cast("list[Any]", self._find(list))

    def _item(self, index: int, value: Any) -> Any:
        return wrap(self._store, (*self._path, index), value)

    def __getitem__(self, index: Any) -> Any:
        with self._store.lock:
            node = self._node()
            if isinstance(index, slice):
                return [self._item(i, node[i]) for i in range(*index.indices(len(node)))]
            position = _position(index, node)
            value = node[position]
        return self._item(position, value)

    def __setitem__(self, index: Any, value: Any) -> None:
        store = self._store
        with store.lock:
            node = self._node()
            if isinstance(index, slice):
                new = node.copy()
                new[index] = [to_json(item) for item in value]
                store.refill(node, self._path, new)
                return
            position = _position(index, node)
            if not is_view(value, store, (*self._path, position)):
                store.commit(store.assign(node, self._path, position, value))

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
            node = self._node()
            store.commit(store.assign(node, self._path, len(node), value))

    def extend(self, values: Iterable[Any]) -> None:
        """Add items at the end; the operations are emitted together."""
        snapshots = [to_json(value) for value in values]
        store = self._store
        with store.lock:
            node = self._node()
            operations = [
                operation
                for value in snapshots
                for operation in store.assign(node, self._path, len(node), value)
            ]
            store.commit(operations)

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
            node = self._node()
            return node.index(value, start, len(node) if stop is None else stop)

    def count(self, value: Any) -> int:
        """Return how many items equal `value`."""
        with self._store.lock:
            return self._node().count(value)

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


def _key(key: Any) -> str:
    """Bring a key into the form it has in JSON."""
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, int) and not isinstance(key, bool):
        return str(int(key))
    raise TypeError(f"The keys of the state are strings, not `{type(key).__name__}`")


def _position(index: SupportsIndex, items: list[Any]) -> int:
    position = operator.index(index)
    if position < 0:
        position += len(items)
    if not 0 <= position < len(items):
        raise IndexError("list index out of range")
    return position
