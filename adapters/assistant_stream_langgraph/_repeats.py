"""What a run tells again of the step that it goes on from.

LangGraph marks an update as cached when a node's writes were there already: because the run goes
on from a pause and the node had run beside it, or because they come from the cache of the node
(`cache_policy`). The first was told before the pause; the second is as new as any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assistant_stream_langchain import Place

from ._channels import is_cached

__all__ = ("Repeats",)

_Namespace = tuple[str, ...]
_Write = tuple[Place, Mapping[str, Any]]


class Repeats:
    """Tells the two apart. A repetition comes first in its graph, in the run's first step, and
    beside a node that had paused and now runs, or pauses once more.

    Args:
        expected: Whether the run may go on from a pause.
    """

    def __init__(self, *, expected: bool = True) -> None:
        self._expected = expected
        self._past_start: set[_Namespace] = set()
        """Graphs that are past the step in which they began."""
        self._awake: set[_Namespace] = set()
        """Graphs in which a node has run."""
        self._held: dict[_Namespace, list[_Write]] = {}
        """What may be either."""

    def has(self, namespace: _Namespace, update: Any) -> bool:
        """Whether an update may be a repetition."""
        if not is_cached(update):
            self._awake.add(namespace)
            return False
        return (
            self._expected
            and namespace not in self._awake
            and self._past_start.isdisjoint({(), namespace})
        )

    def hold(self, place: Place, channels: Mapping[str, Any]) -> None:
        """Keep what a node has written until it is known what it is."""
        self._held.setdefault(place.namespace, []).append((place, channels))

    def confirm(self, namespace: _Namespace) -> Sequence[_Write]:
        """What is known for a repetition now that something else has happened in a graph."""
        return self._held.pop(namespace, ())

    def end_step(self, namespace: _Namespace) -> None:
        """A graph tells its state after a step. What is still held is from a cache, and in it."""
        self._past_start.add(namespace)
        self._held.pop(namespace, None)

    def release(self) -> Sequence[_Write]:
        """What is still held at the end of a run that did not pause: it is from a cache."""
        return [write for writes in self._held.values() for write in writes]
