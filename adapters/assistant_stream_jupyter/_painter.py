"""When the view is drawn again: often enough to look live, seldom enough to cost little."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

__all__ = ("Painter",)

INTERVAL = 0.05
"""Seconds between two updates at least: 20 a second."""

SHARE = 4
"""An update that takes long is followed by a pause this many times as long."""

BYTES_PER_SECOND = 2_000_000
"""What a front end is sent in a second at most, as characters."""


class Painter:
    """Calls `paint` soon after something has changed.

    Args:
        paint: Draws, and returns how many characters it has sent.
        interval: Seconds between two calls at least.
    """

    def __init__(self, paint: Callable[[], int], interval: float = INTERVAL) -> None:
        self._paint = paint
        self._interval = max(interval, INTERVAL)
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def touch(self) -> None:
        """Say that something has changed; costs next to nothing when it is too early to draw."""
        if self._timer is not None and time.monotonic() < self._next:
            return
        now = time.monotonic()
        if now >= self._next:
            self.draw()
        else:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._next - now, self.draw)

    def draw(self) -> None:
        """Draw now."""
        self.stop()
        begin = time.monotonic()
        sent = self._paint()
        end = time.monotonic()
        pause = max(self._interval, SHARE * (end - begin), sent / BYTES_PER_SECOND)
        self._next = end + pause

    def stop(self) -> None:
        """Forget the drawing that is planned."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
