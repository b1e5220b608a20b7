"""A thread as a client sees it when it comes back."""

from __future__ import annotations

from collections.abc import Collection

from langgraph.types import StateSnapshot

from assistant_stream_ce.chunks import UpdateStateChunk
from assistant_stream_ce.state import apply_operations
from assistant_stream_ce.typing import JSONValue

from ._graph_run import snapshot_events
from ._questions import Questions
from .translate import from_langgraph_events

__all__ = ("thread_history",)


async def thread_history(
    thread_id: str,
    snapshot: StateSnapshot,
    questions: Questions,
    state: bool | Collection[str],
    run_id: str | None,
) -> dict[str, JSONValue]:
    """What `GET /threads/{id}/state` answers; `runId` is of the run that goes on.

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
        "runId": run_id,
        "interrupts": questions.to_json(),
    }
