"""State operations as JSON Patch (RFC 6902), for wires whose clients know nothing else."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from assistant_stream_ce.chunks import StateOperation
from assistant_stream_ce.errors import StateOperationError
from assistant_stream_ce.state import StateStore
from assistant_stream_ce.typing import JSONValue

__all__ = ("PatchOperation", "PatchedState")

logger = logging.getLogger(__name__)

Path = Sequence[str]


class PatchOperation(TypedDict):
    """One operation of a JSON Patch."""

    op: Literal["add", "replace"]
    path: str
    value: NotRequired[JSONValue]


class PatchedState:
    """The state that a client has, and the patches that keep it so.

    JSON Patch cannot append to a string, so what grows is replaced whole; several operations on
    one path in a batch become one.

    Args:
        initial: The state that the client has before the first operation.
    """

    def __init__(self, initial: JSONValue) -> None:
        self._store = StateStore(initial, _keep_quiet)
        self._warned = False

    def snapshot(self) -> JSONValue:
        """Return a copy of the state."""
        return self._store.snapshot()

    def patch(self, operations: Sequence[StateOperation]) -> list[PatchOperation] | None:
        """Apply `operations`; returns the patch that does the same, or `None` when the root was
        replaced and only a snapshot will do. An operation that does not apply is left out, with
        one warning."""
        patch: list[PatchOperation] = []
        last: list[str] | None = None
        whole = False
        for operation in operations:
            path = list(operation["path"])
            place, exists = self._place(path)
            if not self._apply(operation):
                continue
            if not path or not place:
                whole = True
                continue
            value = self._store.get(place)
            if patch and last == place:
                patch[-1]["value"] = value
                continue
            patch.append(_operation(place, exists, value))
            last = place
        return None if whole else patch

    def _apply(self, operation: StateOperation) -> bool:
        try:
            self._store.apply([operation])
        except StateOperationError as error:
            if not self._warned:
                self._warned = True
                logger.warning("Left out a state operation that does not apply: %s", error)
            return False
        return True

    def _place(self, path: list[str]) -> tuple[list[str], bool]:
        """The deepest place on `path` that a patch can address, and whether something is there.

        That is where the path first leads nowhere, or through a `null` that the operation turns
        into an object.
        """
        current = self._store.value
        for depth, key in enumerate(path):
            if isinstance(current, dict) and key in current:
                current = current[key]
            elif isinstance(current, list) and key.isdecimal() and int(key) < len(current):
                current = current[int(key)]
            elif isinstance(current, dict | list):
                return path[: depth + 1], False
            else:
                return path[:depth], True
        return path, True


def _operation(place: list[str], exists: bool, value: JSONValue) -> PatchOperation:
    pointer = "".join(f"/{_escaped(segment)}" for segment in place)
    return {"op": "replace" if exists else "add", "path": pointer, "value": value}


def _escaped(segment: str) -> str:
    return segment.replace("~", "~0").replace("/", "~1")


def _keep_quiet(operations: list[StateOperation]) -> None:
    """The patch is the message; nobody listens for the operations."""
