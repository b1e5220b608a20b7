"""What the store in memory keeps of one stream."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from ._reading import MAX_BATCH_BYTES, Stopping
from .types import ResumableStreamEntry, StreamEnd

__all__ = ("MemoryStream",)


@dataclass(slots=True, eq=False)
class MemoryStream:
    """One stream, and those who wait for it to go on."""

    ttl: float
    expires_at: float
    chunks: list[bytes] = field(default_factory=list[bytes])
    offsets: list[int] = field(default_factory=list[int])
    """Where each chunk ends, counted in bytes from the start of the stream."""
    end: StreamEnd | None = None
    on_cancel: Callable[[], None] | None = None
    waiters: set[asyncio.Future[None]] = field(default_factory=set[asyncio.Future[None]])

    @property
    def size(self) -> int:
        return self.offsets[-1] if self.offsets else 0

    def add(self, data: bytes) -> None:
        self.offsets.append(self.size + len(data))
        self.chunks.append(data)
        self.wake()

    def finish(self, end: StreamEnd) -> None:
        if self.end is None:
            self.end = end
            self.on_cancel = None
            self.wake()

    def batch(self, offset: int) -> list[ResumableStreamEntry]:
        """What comes after the first `offset` bytes, or the beginning of it."""
        entries: list[ResumableStreamEntry] = []
        taken = 0
        for index in range(bisect_right(self.offsets, offset), len(self.chunks)):
            chunk, end = self.chunks[index], self.offsets[index]
            if end - len(chunk) < offset:
                chunk = chunk[offset - end :]
            entries.append(ResumableStreamEntry(str(end), chunk))
            taken += len(chunk)
            if taken >= MAX_BATCH_BYTES:
                break
        return entries

    def wake(self) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.waiters.clear()

    async def changed(self, seconds: float, stopping: Stopping | None) -> None:
        """Return when something was added or has ended, after `seconds`, or on `stopping`."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()

        def wake(_: object = None) -> None:
            if not waiter.done():
                waiter.set_result(None)

        self.waiters.add(waiter)
        timer = loop.call_later(seconds, wake)
        if stopping is not None:
            stopping.add_done_callback(wake)
        try:
            await waiter
        finally:
            timer.cancel()
            self.waiters.discard(waiter)
            if stopping is not None:
                stopping.remove_done_callback(wake)
