"""A thread as a client sees it when it comes back."""

from __future__ import annotations

from collections.abc import Collection

from langgraph.types import StateSnapshot

from assistant_stream_ce.chunks import UpdateStateChunk
from assistant_stream_ce.state import apply_operations
from assistant_stream_ce.typing import JSONValue

from .interrupts import interrupt_to_json
from .translate import from_langgraph_events

__all__ = ("snapshot_events", "thread_history")


def snapshot_events(snapshot: StateSnapshot) -> list[object]:
    """The stream of a run that ends where the thread stands and changes nothing."""
    return [((), "values", snapshot.values)]


async def thread_history(
    thread_id: str, snapshot: StateSnapshot, state: bool | Collection[str]
) -> dict[str, JSONValue]:
    """What `GET /threads/{id}/state` answers.

    The values come out of the translator of live runs, so that a page shows the same whether it
    has watched the run or not.
    """
    values: JSONValue = None
    events = snapshot_events(snapshot)
    async for chunk in from_langgraph_events(events, parts=False, state=state):
        if isinstance(chunk, UpdateStateChunk):
            values = apply_operations(values, chunk.operations)
    return {
        "threadId": thread_id,
        "values": values or {},
        "interrupts": [interrupt_to_json(interrupt) for interrupt in snapshot.interrupts],
    }
