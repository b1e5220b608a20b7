"""Runs: bursts, one chunk a loop turn, threads, mixed chunks, a reader that stops."""

from __future__ import annotations

import asyncio
import threading
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import assistant_stream_ce as ours

from .measure import Case
from .peers import upstream

Callback = Callable[[Any], Awaitable[None]]

BURST = 20_000
TURNS = 5_000
STALLED = 1_000_000


HTTP_SCOPE = {"type": "http", "asgi": {"spec_version": "2.3"}}


async def receive() -> dict[str, object]:
    """The server has nothing to say until the client goes, and the client stays."""
    return await asyncio.Future()


async def send(message: object) -> None:
    """A server that takes everything at once."""


async def burst(controller: Any) -> None:
    """Everything in one loop turn."""
    append = controller.append_text
    for _ in range(BURST):
        append(" token")


async def turns(controller: Any) -> None:
    """One chunk, then one turn of the event loop."""
    for _ in range(TURNS):
        controller.append_text(" token")
        await asyncio.sleep(0)


async def threads(controller: Any) -> None:
    """Two threads side by side."""

    def work() -> None:
        for _ in range(BURST // 2):
            controller.append_text(" token")

    pair = [threading.Thread(target=work) for _ in range(2)]
    for thread in pair:
        thread.start()
    await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in pair))


async def mixed(controller: Any) -> None:
    """Text, reasoning, a tool call with arguments and a result, state."""
    controller.state = {"n": 0, "text": "x"}
    for number in range(BURST // 10):
        controller.append_text(" token")
        controller.append_reasoning(" thought")
        tool = await controller.add_tool_call("search", f"call_{number}")
        tool.append_args_text('{"q":')
        tool.append_args_text('"x"}')
        tool.set_response({"hits": number})
        controller.state["n"] = number
        controller.state["text"] += " more"
        controller.append_text(" token")
        controller.add_data({"n": number})


def per_chunk(package: Any, callback: Callback, chunks: int, response: str = "") -> float:
    """Microseconds a chunk, from the callback to the reader or to the server's `send`."""

    async def main() -> float:
        start = time.perf_counter()
        stream = package.create_run(callback)
        if response:
            await getattr(package.serialization, response)(stream)(HTTP_SCOPE, receive, send)
        else:
            async for _ in stream:
                pass
        return (time.perf_counter() - start) / chunks * 1e6

    return asyncio.run(main())


def empty_turn() -> float:
    """Microseconds of an event loop turn with nothing to do: the floor of `turns`."""

    async def main() -> float:
        start = time.perf_counter()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return (time.perf_counter() - start) / TURNS * 1e6

    return asyncio.run(main())


def stalled_reader(package: Any) -> float:
    """MiB that a run holds after 1,000,000 deltas when its reader took one chunk and stopped."""

    async def run(controller: Any) -> None:
        controller.append_text("first")
        await asyncio.sleep(0)
        for _ in range(STALLED):
            controller.append_text("tok ")

    async def main() -> float:
        stream = package.create_run(run)
        await anext(stream)
        tracemalloc.start()
        for _ in range(5):
            await asyncio.sleep(0)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        await stream.aclose()
        return held / 2**20

    return asyncio.run(main())


def cases() -> list[Case]:
    """What is measured of runs."""
    peer = upstream()
    upstream("serialization")

    def case(
        name: str, callback: Callback, chunks: int, response: str = "", goal: float | None = None
    ) -> Case:
        return Case(
            name,
            "µs/chunk",
            lambda: per_chunk(ours, callback, chunks, response),
            lambda: per_chunk(peer, callback, chunks, response),
            goal,
        )

    return [
        case("burst, chunks read one by one", burst, BURST),
        case("burst, DataStreamResponse", burst, BURST, "DataStreamResponse", 0.4),
        case("burst, AssistantTransportResponse", burst, BURST, "AssistantTransportResponse", 0.7),
        Case("an empty loop turn (the floor)", "µs", empty_turn),
        case("one a turn, chunks read one by one", turns, TURNS),
        case("one a turn, DataStreamResponse", turns, TURNS, "DataStreamResponse", 6.9),
        case(
            "one a turn, AssistantTransportResponse",
            turns,
            TURNS,
            "AssistantTransportResponse",
            7.1,
        ),
        case("two threads, DataStreamResponse", threads, BURST, "DataStreamResponse"),
        case("mixed chunks, DataStreamResponse", mixed, BURST, "DataStreamResponse"),
        case("mixed chunks, AssistantTransport", mixed, BURST, "AssistantTransportResponse"),
        Case(
            "reader stops, 1,000,000 deltas",
            "MiB",
            lambda: stalled_reader(ours),
            lambda: stalled_reader(peer),
            14.0,
            repeats=1,
        ),
    ]
