"""The conversation threads of a graph: one run at a time, and always fit for the next one."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from math import isinf
from typing import Any, TypeAlias, TypeGuard, cast
from weakref import WeakKeyDictionary

from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels import EphemeralValue, UntrackedValue
from langgraph.graph import END
from langgraph.pregel import Pregel
from langgraph.types import Command, StateSnapshot

from assistant_stream_ce.errors import AssistantStreamError, RequestError

__all__ = (
    "Graph",
    "GraphError",
    "ThreadGate",
    "at_checkpoint",
    "checkpoint_id",
    "fleeting_channels",
    "goes_on",
    "is_graph",
    "is_settled",
    "open_tool_calls",
    "settle",
    "thread_exists",
    "thread_messages",
    "untracked_channels",
)

Graph: TypeAlias = Pregel[Any, Any, Any, Any]
"""A compiled graph. Its state, context, input and output are the user's: `Any`."""


def is_graph(value: object) -> TypeGuard[Graph]:
    """Whether `value` is a compiled graph."""
    return isinstance(value, Pregel)


def goes_on(input: object) -> bool:
    """Whether a run with this input goes on from where its thread stands."""
    return input is None or isinstance(input, Command)


def untracked_channels(graph: object) -> frozenset[str]:
    """The channels of a graph that no checkpoint holds, such as the counters of middleware. A
    stream tells their values, but they are no part of a thread's state."""
    channels: dict[str, Any] = getattr(graph, "channels", {}) if is_graph(graph) else {}
    return frozenset(k for k, channel in channels.items() if isinstance(channel, UntrackedValue))


def fleeting_channels(graph: object) -> frozenset[str]:
    """The channels of a graph that hold a value for one step, such as where middleware jumps to.
    A thread that ended with such a step has it in its state until the next run."""
    channels: dict[str, Any] = getattr(graph, "channels", {}) if is_graph(graph) else {}
    return frozenset(k for k, channel in channels.items() if isinstance(channel, EphemeralValue))


class GraphError(AssistantStreamError):
    """Raised when there is no graph to serve: it cannot be loaded, or cannot hold a thread."""


@dataclass(slots=True)
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    give_way: Callable[[], None] | None = None


_Entries: TypeAlias = dict[str, _Entry]

_shared: WeakKeyDictionary[object, WeakKeyDictionary[asyncio.AbstractEventLoop, _Entries]] = (
    WeakKeyDictionary()
)
"""What gates share that let runs into the same threads, by who keeps these. A lock is of one
event loop."""


class ThreadGate:
    """Lets one run at a time into each thread, within this process.

    A client that stops a run and asks again at once comes before the server has seen the first
    connection close: hence a request waits for a moment before it is refused. Who waits is let in
    in order.

    Args:
        patience: Seconds that a request waits; 0 refuses it at once, infinity lets it wait for
            as long as its client does.
        keeper: What keeps the threads, a checkpointer. The gates of one keeper let one run at a
            time into a thread between them, within one event loop.
    """

    def __init__(self, patience: float, keeper: object = None) -> None:
        self._patience = patience
        self._entries: _Entries = {}
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, _Entries] | None = None
        with suppress(TypeError):  # One that cannot be a key, like `None`, shares nothing.
            self._by_loop = _shared.setdefault(keeper, WeakKeyDictionary())

    @asynccontextmanager
    async def enter(self, thread_id: str) -> AsyncGenerator[None, None]:
        """Hold the thread while the block runs; raises what `hold` raises."""
        release = await self.hold(thread_id)
        try:
            yield
        finally:
            release()

    async def hold(self, thread_id: str) -> Callable[[], None]:
        """Hold the thread until what is returned is called, from any task; a second call of it
        has no effect.

        Raises:
            RequestError: Another run still holds it after `patience` seconds (409).
        """
        entries = self._open()
        entry = entries.setdefault(thread_id, _Entry())
        entry.users += 1
        if entry.give_way is not None:
            entry.give_way()
        try:
            if entry.users == 1:
                await entry.lock.acquire()  # At once; a timeout of 0 would end before it began.
            else:
                await self._acquire(entry.lock, thread_id)
        except BaseException:
            _leave(entries, thread_id)
            raise
        is_held = True

        def release() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                entry.give_way = None
                entry.lock.release()
                _leave(entries, thread_id)

        return release

    def is_awaited(self, thread_id: str) -> bool:
        """Whether somebody waits for the thread while another holds it."""
        entry = self._open().get(thread_id)
        return entry is not None and entry.users > 1

    def when_awaited(self, thread_id: str, give_way: Callable[[], None]) -> None:
        """Have `give_way` called whenever somebody comes to wait for the thread that is held."""
        entry = self._open().get(thread_id)
        if entry is not None:
            entry.give_way = give_way

    def _open(self) -> _Entries:
        if self._by_loop is None:
            return self._entries
        return self._by_loop.setdefault(asyncio.get_running_loop(), {})

    async def _acquire(self, lock: asyncio.Lock, thread_id: str) -> None:
        try:
            async with asyncio.timeout(None if isinf(self._patience) else self._patience):
                await lock.acquire()
        except TimeoutError as error:
            raise RequestError(
                f"Thread {thread_id!r} is busy with another run; wait for its end, then try again.",
                status_code=409,
            ) from error


def _leave(entries: _Entries, thread_id: str) -> None:
    entry = entries[thread_id]
    entry.users -= 1
    if not entry.users:
        del entries[thread_id]


def checkpoint_id(config: RunnableConfig) -> str | None:
    """The id of the checkpoint that `config` names, if it names one."""
    found: object = config.get("configurable", {}).get("checkpoint_id")
    return found if isinstance(found, str) else None


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

    The results of the tools that had finished are kept, and what a model had said when the server
    died before it could save the step: without this they would be lost with the tasks that
    LangGraph drops when it gets new input.
    """
    config = at_checkpoint(config, await graph.aupdate_state(config, None, as_node=END))
    # A task that had finished may have called for others.
    while (await graph.aget_state(config)).tasks:
        config = at_checkpoint(config, await graph.aupdate_state(config, None, as_node=END))
    return config


def is_settled(snapshot: StateSnapshot) -> bool:
    """Whether nothing is left to do. A task that has finished, in a step that was never saved, is
    not among the `next`."""
    return not snapshot.tasks


def at_checkpoint(config: RunnableConfig, checkpoint_config: RunnableConfig) -> RunnableConfig:
    """Return `config` for the checkpoint that LangGraph has named."""
    checkpoint = checkpoint_config.get("configurable", {})
    config = config.copy()
    config["configurable"] = {**config.get("configurable", {}), **checkpoint}
    return config
