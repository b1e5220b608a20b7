"""`tee`: one run for several readers."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator
from types import TracebackType

import anyio

from ._channel import Channel, register_channel, take_ready
from .chunks import AssistantStreamChunk
from .typing import ChunkSource, ChunkStream

__all__ = ("tee",)


def tee(stream: ChunkSource, n: int = 2) -> tuple[ChunkStream, ...]:
    """Split a stream into `n` streams that each give all of its chunks.

    So one run can feed several encoders: one answer for the client, one for a log, for example.
    Use only what this returns from then on, not `stream`.

    The slowest reader sets the pace: `stream` is not asked for more while a reader is behind.
    Close a stream that you do not read to its end; when all have been closed, `stream` is closed,
    and that has happened when `aclose()` returns. An exception of `stream` is raised by each.

    Args:
        stream: The chunks, from `create_run` or any other async iterable.
        n: How many streams to return.
    """
    if n < 1:
        raise ValueError(f"`n` must be at least 1, not {n}")
    channels = tuple(Channel() for _ in range(n))
    source = _Source(stream, channels)
    return tuple(_Branch(source, channel) for channel in channels)


class _Source:
    """Moves chunks from the stream to the channels of its readers."""

    def __init__(self, stream: ChunkSource, channels: tuple[Channel, ...]) -> None:
        self.channels = channels
        """Those of the readers that are still there; replaced and never changed, because a reader
        can be collected as garbage at any moment."""
        self.error: Exception | None = None
        self._stream = stream
        self._is_closing = False
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to read, if nobody has asked for that before."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            for channel in self.channels:
                channel.bind()
            self._task = asyncio.create_task(self._read())

    def leave(self, channel: Channel) -> None:
        """Go on without the reader of `channel`; end when it was the last."""
        channel.close()  # wakes a reader that is waiting
        channel.abandon()
        self.channels = tuple(other for other in self.channels if other is not channel)
        if self.channels or self._task is None or self._loop is None or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._stop)

    async def ended(self) -> None:
        """Return once the stream is closed, if there are no readers left."""
        if self.channels:
            return
        with anyio.CancelScope(shield=True):
            if self._task is not None:
                await asyncio.wait({self._task})
            await _close(self._stream)  # Nobody may ever have asked for a chunk.

    def _stop(self) -> None:
        if self._task is not None and not self._is_closing:
            self._task.cancel()

    async def _read(self) -> None:
        try:
            async for chunk in self._stream:
                for ready in (chunk, *take_ready(self._stream)):
                    for channel in self.channels:
                        channel.put(ready)
                for channel in self.channels:
                    await channel.drain()
                if not self.channels:
                    break
        except Exception as error:
            self.error = error
        finally:
            self._is_closing = True
            try:
                await _close(self._stream)
            finally:
                for channel in self.channels:
                    channel.close()


class _Branch(AsyncGenerator[AssistantStreamChunk, None]):
    """One of the streams. A class, because a generator that has not started cannot notice that it
    is closed."""

    def __init__(self, source: _Source, channel: Channel) -> None:
        self._source = source
        self._channel = channel
        self._has_ended = False
        weakref.finalize(self, source.leave, channel).atexit = False
        register_channel(self, channel)

    async def __anext__(self) -> AssistantStreamChunk:
        self._source.start()
        while not self._has_ended:
            chunk = self._channel.pop()
            if chunk is not None:
                return chunk
            if self._channel.closed:
                await self.aclose()
                if self._source.error is not None:
                    raise self._source.error
            else:
                await self._channel.wait()
        raise StopAsyncIteration

    async def asend(self, value: None, /) -> AssistantStreamChunk:
        return await self.__anext__()

    async def athrow(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
        /,
    ) -> AssistantStreamChunk:
        await self.aclose()
        raise typ

    async def aclose(self) -> None:
        self._has_ended = True
        self._source.leave(self._channel)
        await self._source.ended()


async def _close(stream: ChunkSource) -> None:
    aclose = getattr(stream, "aclose", None)
    if aclose is not None:
        await aclose()
