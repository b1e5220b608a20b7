"""Which task an update is from.

LangGraph names the node of an update and not its task, and a node that is sent several pieces of
work runs in several at once. In the `tasks` stream mode the end of a task comes right after what it
has written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._channels import is_cached
from ._shapes import is_mapping
from ._update_task import of_task
from .events import GraphEvent

__all__ = ("TaskUpdates",)


class TaskUpdates:
    """Holds an update back until the end of its task, where a stream tells that."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, ...], set[str]] = {}
        """The ids of the tasks that have begun, by namespace."""
        self._held: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
        """Updates by namespace, hardly ever more than one."""

    def read(self, event: GraphEvent) -> Sequence[GraphEvent]:
        """What is to be read now of `event` and of what was held."""
        namespace, mode, payload = event
        if mode == "updates" and self._is_waiting(namespace, payload):
            self._held.setdefault(namespace, []).append(payload)
            return ()
        if mode == "tasks":
            return (*self._on_task(namespace, payload), event)
        if mode == "values" and namespace in self._held:
            return (*self._release(namespace), event)
        return (event,)

    def release(self) -> Sequence[GraphEvent]:
        """What is still held, of which no task has ended."""
        return [event for namespace in [*self._held] for event in self._release(namespace)]

    def _is_waiting(self, namespace: tuple[str, ...], payload: Any) -> bool:
        running = self._running.get(namespace)
        return bool(running) and is_mapping(payload) and not is_cached(payload)

    def _on_task(self, namespace: tuple[str, ...], payload: Any) -> Sequence[GraphEvent]:
        running = self._running.setdefault(namespace, set())
        if "triggers" in payload:
            running.add(payload["id"])
            return ()
        if payload.get("id") not in running:
            return ()
        running.discard(payload["id"])
        name, held = payload.get("name"), self._held.get(namespace, [])
        place = next((n for n, update in enumerate(held) if name in update), None)
        if place is None:
            return ()
        task = "|".join((*namespace, f"{name}:{payload['id']}"))
        return ((namespace, "updates", of_task(held.pop(place), task)),)

    def _release(self, namespace: tuple[str, ...]) -> Sequence[GraphEvent]:
        return [(namespace, "updates", update) for update in self._held.pop(namespace)]
