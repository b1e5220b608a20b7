"""A store in the memory of one process: for development, tests and servers with one worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Literal

from assistant_stream_ce.typing import CancellationSignal

from ._errors import (
    chunk_too_large,
    cursor_too_far,
    parse_cursor,
    resolve_seconds,
    stream_deleted,
    stream_finalized,
    stream_missing,
    stream_too_large,
    stream_vanished,
)
from ._memory_stream import MemoryStream
from ._reading import Batches, Stopping, end_error, read_entries
from .errors import DEFAULT_TTL, ResumableStreamError, validate_stream_id
from .types import (
    ResumableStreamEntry,
    ResumableStreamInfo,
    ResumableStreamRole,
    ResumableStreamStatus,
    StreamEnd,
)

__all__ = ("InMemoryResumableStreamStore", "create_in_memory_resumable_stream_store")


class InMemoryResumableStreamStore:
    """Keeps streams in memory; see `create_in_memory_resumable_stream_store`."""

    def __init__(
        self,
        *,
        default_ttl: float,
        clock: Callable[[], float],
        max_chunk_bytes: int | None,
        max_bytes_per_stream: int | None,
        max_entries_per_stream: int | None,
        max_streams: int | None,
        gc_interval: float | None,
    ) -> None:
        self._streams: dict[str, MemoryStream] = {}
        self._default_ttl = default_ttl
        self._clock = clock
        self._max_chunk_bytes = max_chunk_bytes
        self._max_bytes = max_bytes_per_stream
        self._max_entries = max_entries_per_stream
        self._max_streams = max_streams
        self._gc_interval = gc_interval
        self._gc: asyncio.TimerHandle | None = None

    async def acquire(self, stream_id: str, *, ttl_ms: int | None = None) -> ResumableStreamRole:
        """Create the stream, or find it there.

        Raises:
            ResumableStreamError: `too-many` when `max_streams` are being written; `invalid-id`.
        """
        validate_stream_id(stream_id)
        self._sweep()
        if stream_id in self._streams:
            return "consumer"
        self._make_room()
        ttl = self._default_ttl if ttl_ms is None else ttl_ms / 1000
        self._streams[stream_id] = MemoryStream(ttl, self._clock() + ttl)
        self._sweep_later()
        return "producer"

    async def claim(self, stream_id: str, on_cancel: Callable[[], None] | None = None) -> None:
        """Say what to call when somebody cancels the stream."""
        self._writable(stream_id).on_cancel = on_cancel

    async def append(self, stream_id: str, chunk: bytes) -> None:
        """Add bytes at the end; the time to live starts anew.

        Raises:
            ResumableStreamError: `missing`, `finalized`, or `too-large` for one of the limits.
        """
        await self.append_many(stream_id, (chunk,))

    async def append_many(self, stream_id: str, chunks: Sequence[bytes]) -> None:
        """Add `chunks` as one entry; raises what `append` raises."""
        stream = self._writable(stream_id)
        self._check_limits(stream_id, stream, chunks)
        data = b"".join(chunks)
        stream.expires_at = self._clock() + stream.ttl
        if data:
            stream.add(data)

    async def finalize(
        self, stream_id: str, status: Literal["done", "error"], error: str | None = None
    ) -> None:
        """End the stream; raises `missing` when there is none."""
        await self.finish(stream_id, StreamEnd(status, error))

    async def finish(self, stream_id: str, end: StreamEnd) -> None:
        """End the stream; raises `missing` when there is none."""
        stream = self._get(stream_id)
        if stream.end is None:
            stream.expires_at = self._clock() + stream.ttl
            stream.finish(end)

    def read(
        self, stream_id: str, cursor: str, signal: CancellationSignal
    ) -> AsyncGenerator[ResumableStreamEntry, None]:
        """Yield what comes after `cursor`, then follow until the end or until `signal` is set."""
        return read_entries(lambda stopping: self._batches(stream_id, cursor, stopping), signal)

    def follow(self, stream_id: str, cursor: str = "") -> Batches:
        """Yield what comes after `cursor` in batches, then follow until the end."""
        return self._batches(stream_id, cursor, None)

    async def status(self, stream_id: str) -> ResumableStreamStatus:
        """Return how the stream stands."""
        return (await self.info(stream_id)).status

    async def info(self, stream_id: str) -> ResumableStreamInfo:
        """Return status, size and error of the stream."""
        stream = self._find(stream_id)
        if stream is None:
            return ResumableStreamInfo("missing")
        if stream.end is None:
            return ResumableStreamInfo("streaming", stream.size)
        return ResumableStreamInfo(stream.end.status, stream.size, stream.end.error)

    async def cancel(self, stream_id: str) -> bool:
        """Ask the producer to stop; `False` when the stream is not being produced."""
        stream = self._find(stream_id)
        if stream is None or stream.end is not None:
            return False
        on_cancel, stream.on_cancel = stream.on_cancel, None
        if on_cancel is not None:
            on_cancel()
        return True

    async def delete(self, stream_id: str) -> None:
        """Forget the stream. Who reads a finished one may still read it to its end."""
        validate_stream_id(stream_id)
        stream = self._streams.pop(stream_id, None)
        if stream is not None:
            stream.finish(StreamEnd("error", str(stream_deleted(stream_id)), "deleted"))

    def dispose(self) -> None:
        """Stop looking for expired streams."""
        if self._gc is not None:
            self._gc.cancel()
        self._gc = None
        self._gc_interval = None

    async def _batches(self, stream_id: str, cursor: str, stopping: Stopping | None) -> Batches:
        offset = parse_cursor(cursor)
        stream = self._get(stream_id)
        if offset > stream.size:
            raise cursor_too_far(stream_id, offset, stream.size)
        while stopping is None or not stopping.done():
            batch = stream.batch(offset)
            if batch:
                yield batch
                offset = int(batch[-1].cursor)
            elif stream.end is not None:
                error = end_error(stream_id, stream.end)
                if error is not None:
                    raise error
                return
            else:
                await stream.changed(stream.expires_at - self._clock(), stopping)
                self._find(stream_id)  # Ends the stream if it has expired.

    def _find(self, stream_id: str) -> MemoryStream | None:
        validate_stream_id(stream_id)
        stream = self._streams.get(stream_id)
        if stream is not None and stream.expires_at <= self._clock():
            self._expire(stream_id)
            return None
        return stream

    def _get(self, stream_id: str) -> MemoryStream:
        stream = self._find(stream_id)
        if stream is None:
            raise stream_missing(stream_id)
        return stream

    def _writable(self, stream_id: str) -> MemoryStream:
        stream = self._get(stream_id)
        if stream.end is not None:
            raise stream_finalized(stream_id)
        return stream

    def _check_limits(self, stream_id: str, stream: MemoryStream, chunks: Sequence[bytes]) -> None:
        for chunk in chunks:
            if self._max_chunk_bytes is not None and len(chunk) > self._max_chunk_bytes:
                raise chunk_too_large(stream_id, len(chunk), self._max_chunk_bytes)
        if self._max_entries is not None and len(stream.chunks) >= self._max_entries:
            raise ResumableStreamError(
                "too-large",
                f"Stream exceeded maxEntriesPerStream: {stream_id} "
                f"(`max_entries_per_stream` is {self._max_entries})",
            )
        size = stream.size + sum(map(len, chunks))
        if self._max_bytes is not None and size > self._max_bytes:
            raise stream_too_large(stream_id, size, self._max_bytes)

    def _make_room(self) -> None:
        """Forget the finished streams that would expire first, until one more stream fits."""
        if self._max_streams is None or len(self._streams) < self._max_streams:
            return
        finished = sorted(
            (stream.expires_at, stream_id)
            for stream_id, stream in self._streams.items()
            if stream.end is not None
        )
        for _, stream_id in finished[: len(self._streams) - self._max_streams + 1]:
            del self._streams[stream_id]
        if len(self._streams) >= self._max_streams:
            raise ResumableStreamError(
                "too-many",
                f"maxStreams exceeded: {len(self._streams)} streams are being written, and "
                f"`max_streams` is {self._max_streams}",
            )

    def _sweep(self) -> None:
        now = self._clock()
        expired = [key for key, stream in self._streams.items() if stream.expires_at <= now]
        for stream_id in expired:
            self._expire(stream_id)

    def _expire(self, stream_id: str) -> None:
        stream = self._streams.pop(stream_id)
        stream.finish(StreamEnd("error", str(stream_vanished(stream_id)), "missing"))

    def _sweep_later(self) -> None:
        if self._gc_interval is not None and self._gc is None and self._streams:
            loop = asyncio.get_running_loop()
            self._gc = loop.call_later(self._gc_interval, self._on_timer)

    def _on_timer(self) -> None:
        self._gc = None
        self._sweep()
        self._sweep_later()


def create_in_memory_resumable_stream_store(
    *,
    default_ttl_ms: float | None = None,
    now: Callable[[], float] | None = None,
    max_chunk_bytes: int | None = None,
    max_entries_per_stream: int | None = None,
    max_streams: int | None = None,
    gc_interval_ms: float | None = None,
    default_ttl: float | None = None,
    max_bytes_per_stream: int | None = None,
    gc_interval: float | None = None,
) -> InMemoryResumableStreamStore:
    """Create a store in memory, for one process and one event loop.

    Args:
        default_ttl_ms: `default_ttl` in milliseconds; upstream's unit.
        now: A clock in milliseconds, upstream's unit; for tests.
        max_chunk_bytes: The most bytes one append may have.
        max_entries_per_stream: The most appends to one stream.
        max_streams: The most streams kept. Finished ones make room for new ones, those first
            that would expire first; when all are being written, `acquire` raises `too-many`.
        gc_interval_ms: `gc_interval` in milliseconds; upstream's unit.
        default_ttl: Seconds a stream is kept after it was last written to; 24 hours by default.
        max_bytes_per_stream: The most bytes one stream may have.
        gc_interval: Seconds between looks for expired streams. Without it they are forgotten
            when they are asked for and when a new stream is created.
    """
    ttl = resolve_seconds(default_ttl, default_ttl_ms, DEFAULT_TTL, "default_ttl")
    return InMemoryResumableStreamStore(
        default_ttl=ttl or DEFAULT_TTL,
        clock=time.monotonic if now is None else lambda: now() / 1000,
        max_chunk_bytes=max_chunk_bytes,
        max_bytes_per_stream=max_bytes_per_stream,
        max_entries_per_stream=max_entries_per_stream,
        max_streams=max_streams,
        gc_interval=resolve_seconds(gc_interval, gc_interval_ms, None, "gc_interval"),
    )
