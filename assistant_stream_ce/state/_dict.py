"""Objects of the state, as dicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, ClassVar, Self

from assistant_stream_ce._json import to_json, type_of
from assistant_stream_ce.chunks import StateOperation

from .proxy import StateProxy

__all__ = ("StateDict",)

_MISSING: Any = object()


class StateDict(StateProxy, MutableMapping[str, Any]):
    """An object inside a run's state; behaves as a `dict` with string keys."""

    __slots__ = ()
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __getitem__(self, key: str) -> Any:
        name = key if type(key) is str else _key(key)
        value = self._node()[name]
        kind = type_of(value)
        if kind is dict or kind is list:
            return self._store.wrap((*self._path, name), value, self._generation)
        return self._settled(name) if value is None else value

    def __setitem__(self, key: str, value: object) -> None:
        name = key if type(key) is str else _key(key)
        store = self._store
        with store.lock:
            operations = store.assign(self._node(), self._path, name, value)
            if operations:
                store.emit(operations)

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __iter__(self) -> Iterator[str]:
        with self._store.lock:
            return iter(list(self._node()))

    def __reversed__(self) -> Iterator[str]:
        with self._store.lock:
            names: list[str] = list(self._node())
        return reversed(names)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, int) and not isinstance(key, bool):
            key = str(key)
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
            operations: list[StateOperation] = []
            try:
                for name, value in values.items():
                    operations += store.assign(node, self._path, name, value)
            finally:  # a refused key leaves those before it set, as in any dict
                if operations:
                    store.emit(operations)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the key's value, set first to `default` where there was none."""
        with self._store.lock:
            if key not in self:
                self[key] = default
            return self[key]

    def __or__(self, other: Any) -> dict[str, Any]:
        if not isinstance(other, Mapping):
            return NotImplemented
        return {**self.copy(), **other}

    def __ror__(self, other: Any) -> dict[str, Any]:
        if not isinstance(other, Mapping):
            return NotImplemented
        return {**other, **self.copy()}

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self


def _key(key: Any) -> str:
    """Bring a key into the form it has in JSON."""
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, int) and not isinstance(key, bool):
        return str(int(key))
    raise TypeError(f"The keys of the state are strings, not `{type(key).__name__}`")
