"""The user's view of a run's state: reads like dicts and lists, writes as operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from assistant_stream_ce._json import copy_json, type_of
from assistant_stream_ce.errors import StateOperationError

from ._path import Path, show_path
from .operations import lookup

if TYPE_CHECKING:
    from ._store import StateStore

__all__ = ("StateProxy", "is_view")

# `Any` in this module is a piece of the user's own state: with `JSONValue` instead, a type
# checker would refuse `state["messages"][0]["text"] += "!"`, which is what a proxy is for.

_Path: TypeAlias = tuple[str, ...]


def is_view(value: object, store: StateStore, path: Path) -> bool:
    """Whether `value` is the proxy of exactly that place in that state."""
    return isinstance(value, StateProxy) and value.is_view_of(store, path)


class StateProxy:
    """A live view of one object or list inside a run's state.

    It stands for the place, not for the value that was there when it was made: reading always
    shows what is there now. Every write becomes state operations, and a written value is copied,
    so later changes of the value do not reach the state.
    """

    __slots__ = ("_generation", "_path", "_store", "_value")
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # mutable, as dict and list

    def __init__(self, store: StateStore, path: _Path, value: Any, generation: int) -> None:
        self._store = store
        self._path = path
        self._value = value
        self._generation = generation

    def is_view_of(self, store: StateStore, path: Path) -> bool:
        """Whether this is the proxy of exactly that place in that state."""
        return self._store is store and list(self._path) == [str(segment) for segment in path]

    def copy(self) -> Any:
        """Return the value as plain Python, copied in depth."""
        with self._store.lock:
            return copy_json(self._node())

    def _node(self) -> Any:
        """Return the live container.

        Reading one item takes no lock: each step is atomic, and a container that was replaced
        meanwhile never changes again. Writing, and reading several items, does.
        """
        store = self._store
        if self._generation != store.generation:
            with store.lock:
                self._value = self._find()
                self._generation = store.generation
        return self._value

    def _settled(self, key: Any) -> Any:
        """Read again an item that was `None`: it may have been a text that is being extended."""
        with self._store.lock:
            return self._node()[key]

    def _find(self) -> Any:
        kind = type_of(self._value)
        try:
            node = lookup(self._store.root, self._path)
        except KeyError:
            node = None
        if type(node) is not kind:
            raise StateOperationError(
                f"There is no {kind.__name__} at `{show_path(self._path)}` any more", self._path
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
