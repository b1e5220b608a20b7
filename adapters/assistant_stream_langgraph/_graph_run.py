"""One turn of a thread: the graph's run, told to a client, and what it leaves when stopped."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START
from langgraph.types import StateSnapshot

from assistant_stream_ce import RunController
from assistant_stream_ce._json import to_json
from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_ce.typing import ChunkStream
from assistant_stream_langchain.messages import stopped_tool_message

from ._partial import PartialMessages
from ._pump import pump
from ._screen import create_screen
from ._told_before import note_told_before
from ._translator import GraphTranslator
from ._turn import Turn
from .events import EventReader, GraphEvent, open_events
from .threads import (
    Graph,
    checkpoint_id,
    is_settled,
    open_tool_calls,
    settle,
    thread_messages,
)
from .translate import graph_events

__all__ = ("GraphRun", "snapshot_events")

logger = logging.getLogger(__name__)

CLEAN_UP = 30.0
"""Seconds to leave a thread that works. A database that hangs must not hold the thread for ever."""

_Result = TypeVar("_Result")


def snapshot_events(snapshot: StateSnapshot) -> list[object]:
    """The stream of a run that ends where the thread stands and changes nothing."""
    return [((), "values", snapshot.values)]


class GraphRun:
    """Runs a turn, and makes the thread fit for the next one when it is cancelled.

    Args:
        graph: The graph.
        turn: What it is to do.
        thread: The thread's config, at its newest checkpoint.
        translator: Tells the client.
        context: The graph's runtime context.
    """

    def __init__(
        self,
        graph: Graph,
        turn: Turn,
        thread: RunnableConfig,
        translator: GraphTranslator,
        context: Any = None,
    ) -> None:
        self._graph = graph
        self._turn = turn
        self._thread = thread
        self._translator = translator
        self._context = context
        self._partial = PartialMessages()
        self._screen = create_screen(graph)

    async def __call__(self, controller: RunController) -> None:
        """Run the turn to its end, whatever that is."""
        try:
            await controller.forward(await self._chunks())
        except asyncio.CancelledError:
            state = await _in_peace(self._clean_up())
            if state is not None:
                told = to_json(controller.state)
                await controller.forward(_each(self._translator.stop(state.values, told)))

    async def _chunks(self) -> ChunkStream:
        turn = self._turn
        if turn.input is None:
            snapshot = await self._screen.snapshot(await self._graph.aget_state(turn.config))
            events: Any = open_events(snapshot_events(snapshot))
        else:
            context = {"context": self._context}
            events = graph_events(self._graph, turn.input, turn.config, context)
        prepare = partial(note_told_before, self._translator, self._graph, turn.input, turn.config)
        return pump(events, _ListenedReader(self._partial), self._translator, prepare)

    async def _clean_up(self) -> StateSnapshot | None:
        """Leave a thread that works; returns what a client may see of its state, or `None` when
        that cannot be had."""
        try:
            async with asyncio.timeout(CLEAN_UP):
                return await self._screen.snapshot(await self._settle())
        except Exception:
            logger.exception("A thread whose run was cancelled could not be put in order.")
            return None

    async def _settle(self) -> StateSnapshot:
        """Keep what the run has done and said: results of tools that had finished, messages that
        were still being said. Calls that have no result get one that says so."""
        graph, config = self._graph, self._thread
        head = await graph.aget_state(config)
        if checkpoint_id(head.config) == self._turn.head_id:
            config = self._turn.config  # It has saved nothing, so a fork is none yet.
            head = await graph.aget_state(config)
        elif not is_settled(head):
            await settle(graph, config)
            head = await graph.aget_state(config)
        messages = thread_messages(head)
        added = self._unsaved(messages)
        if added:
            config = await graph.aupdate_state(config, {"messages": added}, as_node=START)
            await settle(graph, config)
        return await graph.aget_state(self._thread)

    def _unsaved(self, messages: Sequence[BaseMessage]) -> list[AnyMessage | BaseMessage]:
        saved = {message.id for message in messages}
        given = self._turn.input
        asked = given["messages"] if isinstance(given, dict) else []
        said: list[BaseMessage] = [message for message in asked if message.id not in saved]
        if not open_tool_calls([*messages, *said]):
            said.extend(self._partial.unsaved(saved))
        return _with_results(messages, said)


class _ListenedReader(EventReader):
    """Lets somebody else hear the events, too."""

    def __init__(self, partial: PartialMessages) -> None:
        super().__init__()
        self._listen = partial.feed

    def read(self, event: Any) -> Sequence[GraphEvent]:
        events = super().read(event)
        for graph_event in events:
            self._listen(graph_event)
        return events


def _with_results(
    messages: Sequence[BaseMessage], said: Sequence[BaseMessage]
) -> list[AnyMessage | BaseMessage]:
    """`said` in the one order that models accept: each call followed by its result."""
    results = {m.tool_call_id: m for m in said if isinstance(m, ToolMessage)}

    def ended(calls: Sequence[ToolCall]) -> list[ToolMessage]:
        return [
            results.get(call["id"] or "") or stopped_tool_message(call)
            for call in calls
            if call["id"]
        ]

    ordered: list[AnyMessage | BaseMessage] = [*ended(open_tool_calls(messages))]
    for message in said:
        if not isinstance(message, ToolMessage):
            ordered.append(message)
        if isinstance(message, AIMessage):
            ordered.extend(ended(message.tool_calls))
    return ordered


async def _in_peace(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Do `work` to its end, however often whoever waits for it is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
    return task.result()


async def _each(
    chunks: Sequence[AssistantStreamChunk],
) -> AsyncGenerator[AssistantStreamChunk, None]:
    for chunk in chunks:
        yield chunk
