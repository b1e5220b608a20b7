"""One run of an app, and how it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from assistant_stream_ce import RunController
from assistant_stream_ce.serialization import StreamEncoder
from assistant_stream_ce.typing import JSONValue, RunCallback

__all__ = ("ActiveRun", "Wire")


@dataclass(frozen=True, slots=True)
class Wire:
    """How a run is told to the client that has asked for it."""

    name: str
    """Names the wire: who comes back has to be able to read it."""
    encoder: StreamEncoder
    parts: bool = True
    """Whether the answer comes as parts, or as messages in the state."""
    shown: Mapping[str, JSONValue] | None = None
    """The state that the client shows already: operations are relative to it."""
    state: bool | Collection[str] | None = None
    """The state keys for this client, where they differ from the app's: a wire that carries parts
    only says `False`."""
    earlier_results: bool = False
    """Whether the client looks for the results of calls that stand in earlier answers."""
    outlives_client: bool = True
    """Whether a run may go on without a reader, where the app lets runs do so."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further response headers."""


class ActiveRun:
    """A run that goes on.

    Args:
        run_id: Names the run and its stream.
        thread_id: The thread.
        wire: How it is told.
    """

    def __init__(self, run_id: str, thread_id: str, wire: Wire) -> None:
        self.id = run_id
        self.thread_id = thread_id
        self.wire = wire
        self.readers = 0
        self.ended = asyncio.Event()
        """Set when the graph has ended and its thread is in order."""
        self.is_cancelled = False
        self.is_written = False
        """Whether all bytes of its answer are in the store."""
        self.was_read = False
        """Whether somebody has read it to its end."""
        self._controller: RunController | None = None
        self._told: str | None = None

    def cancel(self, told: str | None = None) -> None:
        """Stop the run. It ends by itself, in good order and soon; see `ended`.

        Args:
            told: What the client is told, when it has not asked for this.
        """
        if not self.is_cancelled:
            self.is_cancelled = True
            self._told = told
            if self._controller is not None:
                self._controller.cancel()

    async def execute(self, work: RunCallback, controller: RunController) -> None:
        """Do the run's work, unless it was cancelled before it could begin."""
        self._controller = controller
        if self.is_cancelled:
            controller.cancel()
        await work(controller)
        if self._told is not None:
            controller.add_error(self._told)
