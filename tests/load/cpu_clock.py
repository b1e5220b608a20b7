"""The gaps that a package itself makes between chunks, whatever else the machine does.

Two hundred streams in this process, on an event loop whose time is the CPU time of the process, and
which does not wait but moves its clock forward. Sockets and other processes have no part in it.
"""

from __future__ import annotations

import asyncio
import selectors
import statistics
import time
from itertools import pairwise
from types import ModuleType
from typing import Any

STREAMS = 200
CHUNKS = 50
PACE = 0.02
"""Seconds between two chunks of a stream."""


class _Clock(selectors.DefaultSelector):
    """Waits for nothing: what would have been waited for is added to the time."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found and timeout:
            self.skipped += timeout
        return found


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Clock()
        super().__init__(self._clock)

    def time(self) -> float:
        return time.process_time() + self._clock.skipped


def p99_gap(package: ModuleType) -> float:
    """Milliseconds between two sends of a data stream response, at the 99th percentile."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(_p99_gap(package))


async def _p99_gap(package: ModuleType) -> float:
    sent: list[list[float]] = [[] for _ in range(STREAMS)]
    await asyncio.gather(*(_stream(package, times) for times in sent))
    gaps = [later - earlier for times in sent for earlier, later in pairwise(times)]
    return statistics.quantiles(gaps, n=100)[98] * 1e3


async def _stream(package: Any, times: list[float]) -> None:
    loop = asyncio.get_running_loop()
    never = asyncio.Event()

    async def run(controller: Any) -> None:
        for _ in range(CHUNKS):
            controller.append_text(" token")
            await asyncio.sleep(PACE)

    async def receive() -> Any:
        await never.wait()

    async def send(message: Any) -> None:
        if message.get("body"):
            times.append(loop.time())

    response = package.serialization.DataStreamResponse(package.create_run(run))
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "asgi": {}}
    await response(scope, receive, send)
