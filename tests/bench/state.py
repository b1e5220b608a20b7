"""State: the cost of an operation, with little and with much state around it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import assistant_stream_ce as ours

from .measure import Case
from .peers import upstream

OPERATIONS = 2_000
APPENDS = 30_000


def per_operation(
    package: Any, initial: Callable[[], object], work: Callable[[Any], Awaitable[int]]
) -> float:
    """Microseconds an operation, with the time to read the chunks it makes."""

    async def main() -> float:
        operations = 0
        seconds = 0.0

        async def run(controller: Any) -> None:
            nonlocal operations, seconds
            start = time.process_time()
            operations = await work(controller)
            seconds = time.process_time() - start

        async for _ in package.create_run(run, state=initial()):
            pass
        return seconds / operations * 1e6

    return asyncio.run(main())


def messages(count: int, length: int = 20) -> Callable[[], object]:
    """A state of `count` messages with `length` characters each."""

    def build() -> object:
        return {
            "messages": [
                {"id": f"m{n}", "type": "ai", "content": [{"type": "text", "text": "x" * length}]}
                for n in range(count)
            ]
        }

    return build


async def append_token(controller: Any) -> int:
    """`state[...] += token` on the last message, as an agent streams."""
    for _ in range(OPERATIONS):
        controller.state["messages"][-1]["content"][0]["text"] += " token"
    return OPERATIONS


async def append_state_text(controller: Any) -> int:
    """The explicit form of the same."""
    last = len(controller.state["messages"]) - 1
    for _ in range(OPERATIONS):
        controller.append_state_text(["messages", last, "content", 0, "text"], " token")
    return OPERATIONS


async def set_leaf(controller: Any) -> int:
    """Set a leaf four levels down."""
    for number in range(OPERATIONS):
        controller.state["messages"][0]["content"][0]["text"] = f"{number} is another text"
    return OPERATIONS


async def list_appends(controller: Any) -> int:
    """30,000 appends to one list; the figure is for all of them."""
    items = controller.state["items"]
    for number in range(APPENDS):
        items.append({"n": number})
    return 1


def cases() -> list[Case]:
    """What is measured of state."""
    peer = upstream()

    def case(
        name: str,
        initial: Callable[[], object],
        work: Callable[[Any], Awaitable[int]],
        goal: float | None = None,
    ) -> Case:
        return Case(
            name,
            "µs/op",
            lambda: per_operation(ours, initial, work),
            lambda: per_operation(peer, initial, work),
            goal,
        )

    many = [
        case(f"state[...] += token, {count:,} messages", messages(count), append_token, 5.0)
        for count in (10, 100, 1_000, 10_000)
    ]
    long = [
        case(f"state[...] += token, {kb} KB of text", messages(10, kb * 1024), append_token, 5.0)
        for kb in (1, 10, 100)
    ]
    others = [
        case(f"{name}, {count:,} messages", messages(count), work)
        for name, work in (("append_state_text", append_state_text), ("set a leaf", set_leaf))
        for count in (10, 10_000)
    ]
    appends = Case(
        "30,000 list appends",
        "s",
        lambda: per_operation(ours, lambda: {"items": []}, list_appends) / 1e6,
        lambda: per_operation(peer, lambda: {"items": []}, list_appends) / 1e6,
        0.05,
        repeats=3,
    )
    return [*many, *long, *others, appends]
