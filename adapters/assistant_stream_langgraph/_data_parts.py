"""What is no message: what nodes and tools write to the stream, and the questions of a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from assistant_stream_ce.chunks import DataPartChunk
from assistant_stream_langchain import MessageTranslator

from ._custom import UIMessages, custom_data_part
from ._routes import Routes
from ._tool_progress import RunningTasks, call_named_in, output_delta, output_part
from .subgraphs import ToolCallOwners

__all__ = ("DataParts",)


class DataParts:
    """Makes data parts, each under the call that it belongs to.

    Args:
        messages: Knows which calls are shown and wait for a result.
        routes: Knows what is hidden.
        owners: Knows in which calls agents run.
        running: Knows which tasks run.
    """

    def __init__(
        self,
        messages: MessageTranslator,
        routes: Routes,
        owners: ToolCallOwners,
        running: RunningTasks,
    ) -> None:
        self._messages = messages
        self._routes = routes
        self._owners = owners
        self._running = running
        self._ui_messages = UIMessages()
        self._asked: set[str] = set()

    @property
    def has_asked(self) -> bool:
        """Whether the run has paused with a question."""
        return bool(self._asked)

    def custom(self, namespace: tuple[str, ...], payload: Any) -> DataPartChunk | None:
        """What a node or a tool has written with `get_stream_writer()`."""
        action = self._routes.action_in(namespace)
        if action == "hide":
            return None
        owner = call_named_in(payload)
        if owner is None or not self._messages.waits_for(owner):
            owner = self._running.only_call(namespace, self._owners.waiting_in(namespace))
            owner = owner or self._owners.owner_of(namespace)
        part = custom_data_part(self._ui_messages.complete(payload))
        return _under(owner if action == "nest" else None, part)

    def tool_output(self, payload: Any) -> DataPartChunk | None:
        """A piece of what a tool puts out while it runs."""
        told = output_delta(payload)
        if told is None or not self._messages.waits_for(told[0]):
            return None  # A call that is not shown has no place for its output.
        return _under(told[0], output_part(told[1]))

    def interrupts(
        self, namespace: tuple[str, ...], interrupts: Iterable[Any]
    ) -> tuple[str | None, list[DataPartChunk]]:
        """The call that these questions are asked in, and those that were not told before."""
        # A subgraph's interrupt is told again by every graph around it, the subgraph first.
        parent_id = self._owners.owner_of(namespace)
        if parent_id is not None and not self._messages.waits_for(parent_id):
            parent_id = None  # Its card is hidden, or in an earlier answer. The question is not.
        parts: list[DataPartChunk] = []
        for interrupt in interrupts:
            if interrupt["id"] not in self._asked:
                self._asked.add(interrupt["id"])
                parts.append(DataPartChunk("interrupt", interrupt, interrupt["id"], parent_id))
        return parent_id, parts


def _under(parent_id: str | None, part: DataPartChunk | None) -> DataPartChunk | None:
    if part is not None:
        part.parent_id = parent_id
    return part
