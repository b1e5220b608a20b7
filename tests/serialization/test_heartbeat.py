"""Heartbeats without a response; those of responses are in `test_response.py`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator

import pytest

from assistant_stream_ce.serialization.heartbeat import (
    DEFAULT_HEARTBEAT_INTERVAL,
    add_heartbeat,
    resolve_heartbeat_interval,
)


@pytest.mark.parametrize(
    ("heartbeat", "interval"),
    [
        (True, DEFAULT_HEARTBEAT_INTERVAL),
        (False, None),
        (None, None),
        (0, None),
        (5, 5.0),
        (0.5, 0.5),
    ],
)
def test_the_interval_of_an_option(heartbeat: float | bool | None, interval: float | None) -> None:
    assert resolve_heartbeat_interval(heartbeat) == interval


@pytest.mark.parametrize("heartbeat", [-1, math.inf, math.nan, -math.inf])
def test_an_option_that_makes_no_sense_is_refused(heartbeat: float) -> None:
    with pytest.raises(ValueError, match="`heartbeat` must be a positive number"):
        resolve_heartbeat_interval(heartbeat)


async def test_heartbeats_fill_the_gaps_and_nothing_is_lost() -> None:
    async def frames() -> AsyncGenerator[str, None]:
        for number in range(4):
            yield str(number)
            await asyncio.sleep(0.03 * number)

    seen = [frame async for frame in add_heartbeat(frames(), 0.02, "-")]

    assert [frame for frame in seen if frame != "-"] == ["0", "1", "2", "3"]
    assert seen.count("-") >= 4
    assert seen[:2] == ["0", "1"]


async def test_an_exception_of_the_frames_is_raised() -> None:
    async def frames() -> AsyncGenerator[str, None]:
        yield "0"
        raise ValueError("boom")

    seen = []
    with pytest.raises(ValueError, match="boom"):
        async for frame in add_heartbeat(frames(), 1):
            seen.append(frame)
    assert seen == ["0"]


@pytest.mark.parametrize("after", [1, 2])
async def test_closing_closes_the_frames_in_whatever_they_do(after: int) -> None:
    closed = False

    async def frames() -> AsyncGenerator[str, None]:
        nonlocal closed
        try:
            yield "0"
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            closed = True

    beating = add_heartbeat(frames(), 0.01, "-")
    for _ in range(after):
        await anext(beating)
    await beating.aclose()

    assert closed
