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
    timer: asyncio.TimerHandle | None = None
    """Wakes the waiters when the stream may have expired: one for all, and not one a wait."""

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
            if self.timer is not None:
                self.timer.cancel()
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
        """Return when something was added or has ended, after `seconds` or before, or on
        `stopping`."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()

        def stop(_: object) -> None:
            if not waiter.done():
                waiter.set_result(None)

        self.waiters.add(waiter)
        if self.timer is None:
            self.timer = loop.call_later(seconds, self._on_time)
        if stopping is not None:
            stopping.add_done_callback(stop)
        try:
            await waiter
        finally:
            self.waiters.discard(waiter)
            if stopping is not None:
                stopping.remove_done_callback(stop)

    def _on_time(self) -> None:
        self.timer = None
        self.wake()
