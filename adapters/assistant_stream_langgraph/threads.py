"""The conversation threads of a graph: one run at a time, and always fit for the next one."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeGuard, cast

import anyio
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.pregel import Pregel
from langgraph.types import StateSnapshot

from assistant_stream_ce.errors import AssistantStreamError, RequestError

__all__ = (
    "Graph",
    "GraphError",
    "ThreadGate",
    "is_graph",
    "open_tool_calls",
    "settle",
    "thread_exists",
    "thread_messages",
)

Graph: TypeAlias = Pregel[Any, Any, Any, Any]
"""A compiled graph. Its state, context, input and output are the user's: `Any`."""


def is_graph(value: object) -> TypeGuard[Graph]:
    """Whether `value` is a compiled graph."""
    return isinstance(value, Pregel)


class GraphError(AssistantStreamError):
    """Raised when there is no graph to serve: it cannot be loaded, or cannot hold a thread."""


@dataclass(slots=True)
class _Entry:
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    users: int = 0


class ThreadGate:
    """Lets one run at a time into each thread, within this process.

    A client that stops a run and asks again at once comes before the server has seen the first
    connection close: hence a request waits for a moment before it is refused.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._entries: dict[str, _Entry] = {}

    @asynccontextmanager
    async def enter(self, thread_id: str) -> AsyncGenerator[None, None]:
        """Hold the thread while the block runs.

        Raises:
            RequestError: Another run still holds it after `patience` seconds (409).
        """
        entry = self._entries.setdefault(thread_id, _Entry())
        entry.users += 1
        try:
            await self._acquire(entry.lock, thread_id)
            try:
                yield
            finally:
                entry.lock.release()
        finally:
            entry.users -= 1
            if not entry.users:
                del self._entries[thread_id]

    async def _acquire(self, lock: anyio.Lock, thread_id: str) -> None:
        try:
            lock.acquire_nowait()  # Without patience, the wait below would end before it began.
            return
        except anyio.WouldBlock:
            pass
        try:
            with anyio.fail_after(self._patience):
                await lock.acquire()
        except TimeoutError as error:
            raise RequestError(
                f"Thread {thread_id!r} is busy with another run; wait for its end, then try again.",
                status_code=409,
            ) from error


def thread_exists(snapshot: StateSnapshot) -> bool:
    """Whether `snapshot` is of a thread that has run before: LangGraph knows no other sign."""
    return snapshot.created_at is not None


def thread_messages(snapshot: StateSnapshot) -> list[BaseMessage]:
    """The messages in `snapshot`."""
    values: Any = snapshot.values
    fields = cast("dict[str, Any]", values) if isinstance(values, dict) else {}
    messages: Iterable[object] = fields.get("messages", ())
    return [message for message in messages if isinstance(message, BaseMessage)]


def open_tool_calls(messages: Sequence[BaseMessage]) -> list[ToolCall]:
    """The tool calls of the last turn that have no result, in order.

    Models refuse a conversation with such a call in it. Calls further back are left alone: a
    result for them could only be appended in the wrong place.
    """
    answered: set[str] = set()
    for message in reversed(messages):
        match message:
            case ToolMessage():
                answered.add(message.tool_call_id)
            case AIMessage():
                return [call for call in message.tool_calls if call["id"] not in answered]
            case _:
                break
    return []


async def settle(graph: Graph, config: RunnableConfig) -> RunnableConfig:
    """End what an interrupted or cancelled run has left to do, and return the thread's config.

    The results of the tools that had finished are kept: without this they would be lost with the
    tasks that LangGraph drops when it gets new input.
    """
    return await graph.aupdate_state(config, None, as_node=END)
