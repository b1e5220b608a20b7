"""Real HTTP on uvicorn, over the loopback interface, the server in a process of its own."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

from .measure import Case
from .server import CHUNKS, PACED, Server, running

STREAMS = 200

SMALL_BUFFER = 65_536
"""Bytes; so that the kernel does not take in all that a client leaves unread."""


async def server_cpu(server: Server, path: str, chunks: int) -> float:
    """Microseconds of the server's CPU a chunk."""
    before = await server.stats()
    await server.read(path)
    after = await server.stats()
    return (after["cpu"] - before["cpu"]) / chunks * 1e6


async def wall(server: Server, path: str, chunks: int) -> float:
    """Microseconds a chunk, from the request to the last byte."""
    start = time.perf_counter()
    await server.read(path)
    return (time.perf_counter() - start) / chunks * 1e6


async def first_byte(server: Server, path: str) -> float:
    """Milliseconds from the request to the first byte of the body; the median of some."""
    seconds: list[float] = []
    for _ in range(15):
        start = time.perf_counter()
        reader, writer = await server.open(path)
        await reader.readuntil(b"\r\n\r\n")
        await reader.read(1)
        seconds.append(time.perf_counter() - start)
        writer.close()
    return statistics.median(seconds) * 1e3


async def _arrivals(server: Server, path: str) -> list[float]:
    reader, writer = await server.open(path)
    times: list[float] = []
    while await reader.read(65536):
        times.append(time.perf_counter())
    writer.close()
    return times


async def crowd_gap(server: Server, path: str) -> float:
    """Milliseconds between two arrivals at one of many clients, at the 99th percentile."""
    arrivals = await asyncio.gather(*(_arrivals(server, path) for _ in range(STREAMS)))
    gaps = [b - a for times in arrivals for a, b in pairwise(times[1:])]
    return statistics.quantiles(gaps, n=100)[98] * 1e3


async def crowd_cpu(server: Server, path: str) -> float:
    """Microseconds of the server's CPU a chunk, with many clients."""
    before = await server.stats()
    await asyncio.gather(*(server.read(path) for _ in range(STREAMS)))
    after = await server.stats()
    return (after["cpu"] - before["cpu"]) / (STREAMS * PACED) * 1e6


async def crowd_wall(server: Server, path: str) -> float:
    """Microseconds a chunk, of many clients who are sent all at once as fast as it goes."""
    start = time.perf_counter()
    await asyncio.gather(*(server.read(path) for _ in range(STREAMS // 10)))
    return (time.perf_counter() - start) / (STREAMS // 10 * CHUNKS // 4) * 1e6


def crowd_memory(package: str, path: str) -> float:
    """MiB that a new server grows by at its peak, with many clients."""

    async def main(server: Server) -> float:
        await server.read(path)
        before = await server.stats()
        await asyncio.gather(*(server.read(path) for _ in range(STREAMS)))
        return (await server.stats())["peak"] - before["rss"]

    return _with_new_server(package, main)


def stalled_memory(package: str, path: str) -> float:
    """MiB that a new server grows by when its client stops reading and 1,000,000 chunks come."""

    async def main(server: Server) -> float:
        await server.read(path.replace("stalled", "paced"))
        before = await server.stats()
        reader, writer = await server.open(path, buffer=SMALL_BUFFER)
        await reader.readuntil(b"\r\n\r\n")
        idle = 0
        last = await server.stats()
        while idle < 5:  # Until the callback has emitted everything and waits.
            await asyncio.sleep(0.2)
            now = await server.stats()
            idle = idle + 1 if now["cpu"] - last["cpu"] < 0.02 else 0
            last = now
        writer.transport.abort()
        return last["peak"] - before["rss"]

    return _with_new_server(package, main, SMALL_BUFFER)


def _with_new_server(
    package: str, main: Callable[[Server], Coroutine[Any, Any, float]], send_buffer: int = 0
) -> float:
    server = Server(package, send_buffer)
    try:
        return asyncio.run(main(server))
    finally:
        server.close()


def cases() -> list[Case]:
    """What is measured over HTTP."""

    def case(
        name: str,
        unit: str,
        work: Callable[[Server, str], Coroutine[Any, Any, float]],
        path: str,
        repeats: int = 5,
    ) -> Case:
        def run(package: str) -> float:
            return asyncio.run(work(running(package), path))

        peer = None if path.startswith("raw") else lambda: run("upstream")
        return Case(name, unit, lambda: run("ours"), peer, repeats=repeats)

    def per_chunk(
        of: Callable[[Server, str, int], Coroutine[Any, Any, float]], chunks: int = CHUNKS
    ) -> Callable[[Server, str], Coroutine[Any, Any, float]]:
        return lambda server, path: of(server, path, chunks)

    data, transport = "DataStreamResponse", "AssistantTransportResponse"
    cpu, seen = "µs CPU/chunk", "µs/chunk"
    return [
        case("raw ASGI app, a send a chunk (the floor)", cpu, per_chunk(server_cpu), "raw/burst"),
        case("burst, DataStreamResponse", cpu, per_chunk(server_cpu), f"{data}/burst"),
        case("burst, AssistantTransportResponse", cpu, per_chunk(server_cpu), f"{transport}/burst"),
        case("bursts of 8, DataStreamResponse", cpu, per_chunk(server_cpu), f"{data}/eights"),
        case(
            "one a turn, DataStreamResponse",
            cpu,
            per_chunk(server_cpu, CHUNKS // 4),
            f"{data}/turns",
        ),
        case("raw ASGI app, until the last byte", seen, per_chunk(wall), "raw/burst"),
        case("burst, until the last byte", seen, per_chunk(wall), f"{data}/burst"),
        case("first byte, raw ASGI app", "ms", first_byte, "raw/one"),
        case("first byte, DataStreamResponse", "ms", first_byte, f"{data}/paced"),
        case(f"{STREAMS} streams at 50 chunks/s each", cpu, crowd_cpu, f"{data}/paced", 3),
        case(f"{STREAMS} streams, p99 gap", "ms", crowd_gap, f"{data}/paced", 3),
        case(f"{STREAMS // 10} streams, flat out", seen, crowd_wall, f"{data}/turns", 3),
        Case(
            f"{STREAMS} streams, peak memory",
            "MiB",
            lambda: crowd_memory("ours", f"{data}/paced"),
            lambda: crowd_memory("upstream", f"{data}/paced"),
            repeats=1,
        ),
        Case(
            "client stops reading, 1,000,000 chunks",
            "MiB",
            lambda: stalled_memory("ours", f"{data}/stalled"),
            lambda: stalled_memory("upstream", f"{data}/stalled"),
            15.0,
            repeats=1,
        ),
    ]
