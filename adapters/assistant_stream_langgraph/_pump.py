"""A graph's run in a task of its own, read through a channel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio

from assistant_stream_ce._channel import Channel, register_channel
from assistant_stream_ce.chunks import AssistantStreamChunk, UpdateStateChunk
from assistant_stream_ce.errors import ENDS_THE_PROGRAM
from assistant_stream_ce.typing import ChunkStream

from ._translator import GraphTranslator
from .events import EventReader

__all__ = ("pump",)

logger = logging.getLogger(__name__)

CANCEL_AGAIN = 5.0
"""Seconds after which a graph that has swallowed its cancellation is cancelled again."""


def pump(
    events: AsyncIterator[object],
    reader: EventReader,
    translator: GraphTranslator,
    prepare: Callable[[], Awaitable[None]] | None = None,
) -> ChunkStream:
    """The chunks of a graph's events.

    The events are read in a task that the returned generator owns. A graph is not held back by a
    reader that lags, so what waits is kept as chunks, which melt together, and not as events; a
    response sends what is ready at once; and a cancelled scope around the reader does not reach
    into the graph, whose subgraphs would be left running: it is closed instead.

    Args:
        events: The graph's events.
        reader: Reads them.
        translator: Makes chunks of them.
        prepare: What has to be done before the first event is asked for.
    """
    channel = Channel()
    stream = _read(channel, events, reader, translator, prepare)
    register_channel(stream, channel)
    return stream


async def _read(
    channel: Channel,
    events: AsyncIterator[object],
    reader: EventReader,
    translator: GraphTranslator,
    prepare: Callable[[], Awaitable[None]] | None,
) -> ChunkStream:
    channel.bind()
    task = asyncio.create_task(_translate(channel, events, reader, translator, prepare))
    ended = False
    try:
        while True:
            chunk: AssistantStreamChunk | None = channel.pop()
            if chunk is not None:
                yield chunk
            elif channel.closed:
                break
            else:
                await channel.wait()
        ended = True
    finally:
        if not ended:
            channel.abandon()
            await _stop(task)
    error = await task
    if error is not None:
        raise error


async def _translate(
    channel: Channel,
    events: AsyncIterator[object],
    reader: EventReader,
    translator: GraphTranslator,
    prepare: Callable[[], Awaitable[None]] | None,
) -> BaseException | None:
    """Fill the channel and close it. Returns the graph's error, so that none goes unretrieved
    when the reader has gone."""
    error: BaseException | None = None
    read, tell, feed = reader.read, translator.short_way(channel), translator.feed
    translator.start()
    try:
        if prepare is not None:
            await prepare()
        async for raw in events:
            for event in read(raw):
                if event[1] == "messages" and tell(event):
                    continue
                for chunk in feed(event):
                    _put(channel, chunk)
        for chunk in translator.finish():
            _put(channel, chunk)
    except (asyncio.CancelledError, *ENDS_THE_PROGRAM):
        raise
    except BaseException as exception:
        error = exception
        for chunk in translator.fail():
            _put(channel, chunk)
    finally:
        channel.close()
        # A loop that is left early does not close what it loops over.
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
    return error


def _put(channel: Channel, chunk: AssistantStreamChunk) -> None:
    if type(chunk) is UpdateStateChunk:
        channel.put_operations(chunk.operations)
    else:
        channel.put(chunk)


async def _stop(task: asyncio.Task[BaseException | None]) -> None:
    """Cancel the task and wait until the graph has ended, whatever happens around the reader; being
    cancelled meanwhile cancels the graph again."""
    is_cancelled = False
    with anyio.CancelScope(shield=True):
        while not task.done():
            task.cancel()
            try:
                await asyncio.wait({task}, timeout=CANCEL_AGAIN)
            except asyncio.CancelledError:
                is_cancelled = True
    error = None if task.cancelled() else task.exception() or task.result()
    if error is not None:
        logger.warning("The graph of a stream that was closed raised.", exc_info=error)
    if is_cancelled:
        raise asyncio.CancelledError
