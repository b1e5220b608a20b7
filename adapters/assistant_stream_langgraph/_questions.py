"""What interrupts are about: the messages with the tool calls, and the call that one was raised in.

LangGraph says nothing about that. In a run, the `tasks` stream mode tells the call of a task, and
the id of an interrupt comes from the task's namespace; of a thread that waits, the checkpoint has
the inputs of its tasks.
"""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Interrupt, StateSnapshot

from assistant_stream_ce.typing import JSONValue

from ._channels import channels_of, messages_in, update_writes
from ._shapes import is_items
from .events import GraphEvent
from .frontend_tools import is_frontend_interrupt
from .interrupts import interrupt_to_json
from .subgraphs import calls_in
from .threads import Graph, thread_messages

__all__ = ("LiveQuestions", "Questions", "open_questions")

ASKED_IN_ONE_TASK = 16
"""Interrupts that one task may have answered and still be known by the next one's id."""


@dataclass(frozen=True, slots=True)
class Questions:
    """The interrupts of a thread that wait, and what they are about."""

    interrupts: Sequence[Any] = ()
    """LangGraph's own."""
    messages: Sequence[BaseMessage] = ()
    """The messages of the thread, and of the subgraphs that wait."""
    calls: Mapping[str, str] = field(default_factory=dict[str, str])
    """By the interrupt's id the tool call in which it was raised."""

    def to_json(self) -> list[JSONValue]:
        """The interrupts as a client sees them."""
        return [
            interrupt_to_json(interrupt, self.messages, self.calls.get(interrupt.id))
            for interrupt in self.interrupts
            if not is_frontend_interrupt(interrupt)
        ]


async def open_questions(
    graph: Graph, config: RunnableConfig, snapshot: StateSnapshot
) -> Questions:
    """Return what waits in a thread that stands at `snapshot`."""
    if not snapshot.interrupts:
        return Questions(messages=thread_messages(snapshot))
    whole = await graph.aget_state(config, subgraphs=True)
    return Questions(snapshot.interrupts, _messages(whole), await _calls(graph, snapshot))


class LiveQuestions:
    """Listens to a run for what its interrupts are about."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, ...], Mapping[str, Any]] = {}
        """By namespace the last state that was told."""
        self._updates: list[Mapping[str, Any]] = []
        """What nodes have written since the graph's own state was told."""
        self._tasks: dict[str, str] = {}
        """The namespaces of tasks that run a tool call, and the call."""

    def feed(self, event: GraphEvent) -> None:
        """Take the next event; tokens need not come here."""
        namespace, mode, payload = event
        if mode in ("values", "input"):
            channels = channels_of(payload)
            if channels is not None:
                self._states[namespace] = channels
                if not namespace:
                    self._updates.clear()
        elif mode == "updates":
            self._updates.extend((channels for _, channels in update_writes(payload)))
        elif mode == "tasks" and "input" in payload:
            calls = calls_in(payload["input"])
            if len(calls) == 1:
                task = f"{payload.get('name')}:{payload.get('id')}"
                self._tasks["|".join((*namespace, task))] = calls[0]

    def show(self, interrupts: Iterable[Any]) -> list[dict[str, JSONValue]]:
        """The interrupts as a client sees them."""
        messages = [
            message
            for channels in (*self._states.values(), *self._updates)
            for message in messages_in(channels)
        ]
        calls = {
            interrupt_id: call
            for task, call in self._tasks.items()
            for interrupt_id in _interrupt_ids(task)
        }
        return [
            interrupt_to_json(item, messages, calls.get(item.id))
            for item in interrupts
            if not is_frontend_interrupt(item)
        ]


def _interrupt_ids(task: str) -> Iterable[str]:
    """The ids that the interrupts of a task have, one after the other."""
    yield Interrupt.from_ns(None, task).id
    for answered in range(1, ASKED_IN_ONE_TASK):
        yield Interrupt.from_ns(None, f"{task}|{answered}").id


def _messages(snapshot: StateSnapshot) -> list[BaseMessage]:
    messages = thread_messages(snapshot)
    for task in snapshot.tasks:
        if isinstance(task.state, StateSnapshot):
            messages.extend(_messages(task.state))
    return messages


async def _calls(graph: Graph, snapshot: StateSnapshot) -> dict[str, str]:
    checkpointer = cast("object", graph.checkpointer)
    if not isinstance(checkpointer, BaseCheckpointSaver):
        return {}
    found = await checkpointer.aget_tuple(snapshot.config)
    sent: Any = None if found is None else found.checkpoint["channel_values"].get("__pregel_tasks")
    inputs = [getattr(send, "arg", None) for send in sent] if is_items(sent) else []
    calls: dict[str, str] = {}
    for task in snapshot.tasks:
        # The path of a task that was sent is its place among those.
        path = cast("tuple[Any, ...]", task.path)
        place = path[1] if len(path) > 1 else None
        if not isinstance(place, int) or not 0 <= place < len(inputs):
            continue
        called = calls_in(inputs[place])
        if len(called) == 1:
            calls.update({interrupt.id: called[0] for interrupt in task.interrupts})
    return calls
