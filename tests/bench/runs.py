"""Runs: bursts, one chunk a loop turn, threads, mixed chunks, a reader that stops."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import assistant_stream_ce as ours

from .measure import Case
from .memory import ROOT, stalled_reader
from .peers import upstream

Callback = Callable[[Any], Awaitable[None]]

BURST = 20_000
TURNS = 5_000

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


async def eights(controller: Any) -> None:
    """Eight chunks, then one turn of the event loop."""
    for _ in range(TURNS // 8):
        for _ in range(8):
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


def per_chunk(
    package: Any,
    callback: Callback,
    chunks: int,
    response: str = "",
    clock: Callable[[], float] = time.process_time,
) -> float:
    """Microseconds a chunk, from the callback to the reader or to the server's `send`."""

    async def main() -> float:
        start = clock()
        stream = package.create_run(callback)
        if response:
            await getattr(package.serialization, response)(stream)(HTTP_SCOPE, receive, send)
        else:
            async for _ in stream:
                pass
        return (clock() - start) / chunks * 1e6

    return asyncio.run(main())


def sends_per_chunk(package: Any) -> float:
    """How often `send` is called for a chunk when they come eight at a time."""
    sends = 0

    async def count(message: Any) -> None:
        nonlocal sends
        sends += bool(message.get("body"))

    async def main() -> None:
        response = package.serialization.DataStreamResponse(package.create_run(eights))
        await response(HTTP_SCOPE, receive, count)

    asyncio.run(main())
    return sends / TURNS


def empty_turn() -> float:
    """Microseconds of an event loop turn with nothing to do: the floor of `turns`."""

    async def main() -> float:
        start = time.process_time()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return (time.process_time() - start) / TURNS * 1e6

    return asyncio.run(main())


def cases() -> list[Case]:
    """What is measured of runs."""
    peer = upstream()
    upstream("serialization")

    def case(
        name: str,
        callback: Callback,
        chunks: int,
        response: str = "",
        goal: float | None = None,
        clock: Callable[[], float] = time.process_time,
    ) -> Case:
        return Case(
            name,
            "µs/chunk",
            lambda: per_chunk(ours, callback, chunks, response, clock),
            lambda: per_chunk(peer, callback, chunks, response, clock),
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
        case(
            "two threads, until the last send",
            threads,
            BURST,
            "DataStreamResponse",
            clock=time.perf_counter,
        ),
        case("mixed chunks, DataStreamResponse", mixed, BURST, "DataStreamResponse"),
        case("mixed chunks, AssistantTransport", mixed, BURST, "AssistantTransportResponse"),
        Case(
            "sends a chunk, in bursts of 8",
            "sends",
            lambda: sends_per_chunk(ours),
            lambda: sends_per_chunk(peer),
            0.13,
            repeats=1,
        ),
        Case(
            "reader stops, 1,000,000 deltas, peak",
            "MiB",
            lambda: stalled_reader("assistant_stream_ce", str(ROOT)),
            lambda: stalled_reader("assistant_stream", os.environ["ASSISTANT_STREAM_UPSTREAM"]),
            14.0,
            repeats=1,
        ),
    ]
