"""A thread as a client sees it when it comes back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from langgraph.types import StateSnapshot

from assistant_stream_ce.chunks import UpdateStateChunk
from assistant_stream_ce.state import apply_operations
from assistant_stream_ce.typing import JSONValue

from ._graph_run import snapshot_events
from ._questions import Questions
from .translate import from_langgraph_events

__all__ = ("thread_history", "with_approvals")


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


def with_approvals(
    messages: Iterable[Mapping[str, Any]], questions: Questions
) -> list[dict[str, Any]]:
    """The AI SDK's messages, with the calls that a person has to allow asking for that."""
    interrupts: Any = questions.to_json()
    asked = {
        action["tool_call_id"]: action["id"]
        for interrupt in interrupts
        for action in interrupt.get("actions", ())
        if "approve" in action["allowed_decisions"]
    }

    def part_of(part: Mapping[str, Any]) -> dict[str, Any]:
        call_id = part.get("toolCallId")
        if call_id not in asked or part.get("state") != "input-available":
            return dict(part)
        return {**part, "state": "approval-requested", "approval": {"id": asked[call_id]}}

    return [
        {**message, "parts": [part_of(part) for part in message.get("parts", ())]}
        for message in messages
    ]
