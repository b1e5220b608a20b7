"""The state classes that `assistant_stream` has beside its proxy, for code that uses them.

Each is a few lines over the one `StateStore`, so its rules hold here too: what the client would
refuse is refused, and values are copied on the way in and out.
"""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable, Sequence
from typing import Any

from assistant_stream_ce.chunks import StateOperation, UpdateStateChunk
from assistant_stream_ce.errors import StateOperationError
from assistant_stream_ce.typing import JSONValue

from ._path import Path, wire_path
from ._store import StateStore
from .operations import apply_in_place, lookup
from .proxy import StateProxy

__all__ = (
    "AssistantState",
    "Flusher",
    "StateDraft",
    "StateManager",
    "StateProxy",
    "deep_apply",
    "lookup_state",
)

lookup_state = lookup


def deep_apply(target: Any, path: Path, op: StateOperation) -> Any:
    """Return what `target` becomes under one operation at `path`, sharing what stays the same.

    Raises:
        KeyError: The path of a `set` leads nowhere.
        TypeError: There is no string to append to.
    """
    operation: Any = {**op, "path": wire_path(path)}
    try:
        return apply_in_place(_copy_along(target, path), operation)[0]
    except StateOperationError as error:
        kind = TypeError if op["type"] == "append-text" else KeyError
        raise kind(str(error)) from error


def _copy_along(root: Any, path: Path) -> Any:
    """Copy the containers on a path, and only these."""
    result: Any = copy.copy(root)
    node = result
    for segment in path[:-1]:
        try:
            child: Any = copy.copy(lookup(node, [segment]))
        except KeyError:
            break
        node[int(segment) if isinstance(node, list) else str(segment)] = child
        node = child
    return result


class AssistantState:
    """A state that tells its changes to nobody but the draft made of it last."""

    def __init__(self, initial_state: object = None) -> None:
        self.store = StateStore(initial_state, _ignore)

    @property
    def state(self) -> JSONValue:
        """A copy of the value."""
        return self.store.snapshot()

    def apply(self, operations: Sequence[StateOperation]) -> None:
        """Apply operations that came from somewhere else; the draft is not told."""
        with self.store.lock:
            emit, self.store.emit = self.store.emit, _ignore
            try:
                self.store.apply(operations)
            finally:
                self.store.emit = emit

    def lookup(self, path: Path) -> JSONValue:
        """Return a copy of what is at `path`, or raise `KeyError`."""
        return self.store.get(path)

    def draft(self, on_operations: Callable[[list[StateOperation]], None]) -> Any:
        """Return a proxy whose writes are told to `on_operations`."""
        self.store.emit = on_operations
        return self.store.proxy


def _ignore(operations: list[StateOperation]) -> None:
    pass


class StateDraft:
    """Writes to a state and tells what it wrote."""

    def __init__(
        self, state: AssistantState, on_operations: Callable[[list[StateOperation]], None]
    ) -> None:
        self._store = state.store
        self._store.emit = on_operations

    def add_operations(self, operations: Sequence[StateOperation]) -> None:
        """Apply operations and tell them."""
        self._store.apply(operations)

    def append_text(self, path: Path, value: str) -> None:
        """Append to the string at `path`."""
        self._store.append_text(path, value)

    def get_value_at_path(self, path: Path) -> JSONValue:
        """Return a copy of what is at `path`, or raise `KeyError`."""
        return self._store.get(path)


class Flusher:
    """Gathers operations until it is flushed."""

    def __init__(
        self,
        emit: Callable[[list[StateOperation]], None],
        schedule: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        """Args: `emit` takes a batch; `schedule` is asked once a batch to call `flush` soon."""
        self._emit = emit
        self._schedule = schedule
        self._pending: list[StateOperation] = []
        self._lock = threading.RLock()

    def add(self, operations: Sequence[StateOperation]) -> None:
        """Add operations to the batch."""
        with self._lock:
            is_first = not self._pending
            self._pending.extend(operations)
        if is_first and operations and self._schedule is not None:
            self._schedule(self.flush)

    def flush(self) -> None:
        """Emit the batch, when there is one."""
        with self._lock:
            batch, self._pending = self._pending, []
        if batch:
            self._emit(batch)


class StateManager(StateDraft):
    """A state whose changes leave as one `UpdateStateChunk` a turn of the event loop."""

    def __init__(
        self, put_chunk_callback: Callable[[UpdateStateChunk], None], state_data: object = None
    ) -> None:
        loop = asyncio.get_running_loop()
        self._flusher = Flusher(
            lambda operations: put_chunk_callback(UpdateStateChunk(operations)),
            loop.call_soon_threadsafe,
        )
        super().__init__(AssistantState(state_data), self._flusher.add)

    @property
    def state(self) -> Any:
        """The proxy, or the value itself when it is a scalar."""
        return self._store.proxy

    @property
    def state_data(self) -> JSONValue:
        """A copy of the value."""
        return self._store.snapshot()

    def flush(self) -> None:
        """Emit what waits."""
        self._flusher.flush()
