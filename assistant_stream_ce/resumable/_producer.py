"""The task that moves the bytes of one source into a store, whoever reads them.

Two loops share a buffer: one reads the source, one writes to the store. What comes while a write
is on its way goes out with the next one, so that a slow store costs fewer round trips and not
more delay; a full buffer holds the source back. A store that never waits is written to where the
source is read, without waking anybody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass

from ._plain_store import ContextStore
from ._reading import MAX_BATCH_BYTES
from .errors import ResumableStreamError
from .in_memory import InMemoryResumableStreamStore
from .types import StreamEnd

__all__ = ("Hooks", "Producer", "ReportedError", "Source")

logger = logging.getLogger("assistant_stream_ce.resumable")

MAX_BUFFERED_BYTES = 4 * MAX_BATCH_BYTES
"""Bytes read from the source and not yet written, before the source has to wait; bytes written at
once, before everybody else gets a turn."""

CANCEL_GRACE = 5.0
"""Seconds a source has to end by itself once it was told to."""

SHUTDOWN_GRACE = 2.0
"""Seconds for the last word to the store when the process is going down."""


class ReportedError(Exception):
    """Raised by a source whose bytes have told the client of `error` and are complete."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class Source:
    """Where the bytes come from."""

    make_stream: Callable[[], AsyncIterable[bytes]]
    """Called once, in the task that reads."""

    on_cancel: Callable[[], None] | None = None
    """Makes the stream end by itself, soon; without it the stream is closed."""

    heartbeat: bytes | None = None
    """A frame to write when nothing has come for a while. It is part of the stream, so that every
    reader counts the same bytes."""

    heartbeat_interval: float | None = None


@dataclass(frozen=True)
class Hooks:
    """What the application wants to be told; see `create_resumable_stream_context`."""

    on_acquire: Callable[..., object] | None = None
    on_append: Callable[..., object] | None = None
    on_finalize: Callable[..., object] | None = None
    on_error: Callable[..., object] | None = None

    def call(self, hook: Callable[..., object] | None, /, *args: object) -> None:
        """Call `hook`; what it raises is logged and has no other effect."""
        if hook is None:
            return
        try:
            hook(*args)
        except Exception:
            logger.exception("A hook of the resumable stream context raised.")


class Producer:
    """Writes one stream. `run()` is the whole life of it."""

    def __init__(self, store: ContextStore, stream_id: str, source: Source, hooks: Hooks) -> None:
        self._store = store
        self._stream_id = stream_id
        self._source = source
        self._hooks = hooks
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._cancelled = False
        # Nothing waits there, unless somebody has made a store of their own from it.
        self._writes_at_once = type(store) is InMemoryResumableStreamStore
        self._loop = asyncio.get_running_loop()
        self._came_at = self._loop.time()
        """When the source, or the last heartbeat, has come."""
        self._beat: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        """Make the stream end early, gently if its source can."""
        if not self._cancelled:
            self._cancelled = True
            self._stop_reading()

    async def run(self) -> None:
        """Read the source to its end, write all of it and end the stream."""
        end = StreamEnd("error", "The server stopped before the stream had ended.", "lost")
        grace: float | None = SHUTDOWN_GRACE
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(lambda _: self._changed.set())
        if self._cancelled:
            self._stop_reading()
        try:
            await self._store.claim(self._stream_id, self.cancel)
            self._beat_later()
            await self._write()
            end = self._end_of_source()
            grace = None
        except Exception as error:
            end = self._end_of_error(error)
            grace = None
        finally:
            if self._beat is not None:
                self._beat.cancel()
            await self._end_reading()
            await self._finish(end, grace)

    def _stop_reading(self) -> None:
        if self._reading is None:
            return  # `run()` has not begun; it will see.
        if self._source.on_cancel is None:
            self._reading.cancel()
        else:
            self._source.on_cancel()
            asyncio.get_running_loop().call_later(CANCEL_GRACE, self._reading.cancel)

    async def _read(self) -> None:
        stream = self._source.make_stream()
        written = 0
        try:
            async for chunk in stream:
                self._came_at = self._loop.time()
                if self._writes_at_once and not self._buffer:
                    await self._store.append_many(self._stream_id, (chunk,))
                    self._tell_written((chunk,))
                    written += len(chunk)
                    if written > MAX_BUFFERED_BYTES:
                        written = 0
                        await asyncio.sleep(0)
                    continue
                self._buffer.append(chunk)
                self._buffered += len(chunk)
                self._changed.set()
                while self._buffered > MAX_BUFFERED_BYTES:
                    self._room.clear()
                    await self._room.wait()
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    async def _write(self) -> None:
        assert self._reading is not None
        while True:
            while not self._buffer:
                if self._reading.done():
                    return
                self._changed.clear()
                await self._changed.wait()
            batch = self._take()
            await self._store.append_many(self._stream_id, batch)
            self._tell_written(batch)

    def _tell_written(self, chunks: Sequence[bytes]) -> None:
        if self._hooks.on_append is not None:
            for chunk in chunks:
                self._hooks.call(self._hooks.on_append, self._stream_id, len(chunk))

    def _beat_later(self) -> None:
        """Look for silence once an interval: a timer a chunk would cost more than the chunk."""
        interval = self._source.heartbeat_interval
        if self._source.heartbeat and interval is not None:
            self._beat = self._loop.call_at(self._came_at + interval, self._on_beat, interval)

    def _on_beat(self, interval: float) -> None:
        assert self._source.heartbeat is not None
        if self._loop.time() >= self._came_at + interval:
            self._came_at = self._loop.time()
            if not self._buffer:
                self._buffer.append(self._source.heartbeat)
                self._buffered += len(self._source.heartbeat)
                self._changed.set()
        self._beat_later()

    def _take(self) -> list[bytes]:
        size = count = 0
        for chunk in self._buffer:
            if count and size + len(chunk) > MAX_BATCH_BYTES:
                break
            size += len(chunk)
            count += 1
        batch, self._buffer = self._buffer[:count], self._buffer[count:]
        self._buffered -= size
        self._room.set()
        return batch

    def _end_of_source(self) -> StreamEnd:
        assert self._reading is not None
        if self._reading.cancelled():
            message = f"Stream {self._stream_id} was cancelled."
            return StreamEnd("error", message, "cancelled")
        error = self._reading.exception()
        if error is None:
            return StreamEnd("done")
        if isinstance(error, ReportedError):
            return self._end_of_error(error.error, reported=True)
        return self._end_of_error(error)

    def _end_of_error(self, error: BaseException, *, reported: bool = False) -> StreamEnd:
        code = error.code if isinstance(error, ResumableStreamError) else "failed"
        if not (self._cancelled and code == "missing"):  # Deleted: that is why it was cancelled.
            self._hooks.call(self._hooks.on_error, self._stream_id, error)
        return StreamEnd("error", str(error) or repr(error), code, reported)

    async def _end_reading(self) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.wait({self._reading})
        if not self._reading.cancelled():
            self._reading.exception()  # Seen, or overtaken by an error of the store.

    async def _finish(self, end: StreamEnd, grace: float | None) -> None:
        try:
            async with asyncio.timeout(grace):
                await self._store.finish(self._stream_id, end)
        except ResumableStreamError as error:
            # Deleted or evicted, so there is nothing left to end.
            level = logging.DEBUG if self._cancelled else logging.WARNING
            logger.log(level, "Stream %s could not be ended: %s", self._stream_id, error)
        except Exception:
            logger.exception("Stream %s could not be ended.", self._stream_id)
        else:
            hook = self._hooks.on_finalize
            self._hooks.call(hook, self._stream_id, end.status, end.error)
