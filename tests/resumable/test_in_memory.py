"""What only the store in memory has: its limits, its clock, its sweeper."""

from __future__ import annotations

import asyncio

import pytest

from assistant_stream_ce.resumable import (
    ResumableStreamError,
    create_in_memory_resumable_stream_store,
)
from tests.resumable.reading import follow_all, read_all


class Clock:
    """Milliseconds, as upstream's `now` has them."""

    def __init__(self) -> None:
        self.milliseconds = 1000.0

    def __call__(self) -> float:
        return self.milliseconds


async def test_finished_streams_make_room_for_new_ones_the_oldest_first() -> None:
    clock = Clock()
    store = create_in_memory_resumable_stream_store(max_streams=3, now=clock)
    for name in ("writing", "old", "new"):
        await store.acquire(name)
        await store.append(name, name.encode())
        clock.milliseconds += 1
    await store.finalize("new", "done")
    clock.milliseconds += 1
    await store.finalize("old", "done")
    reading = asyncio.create_task(follow_all(store, "new"))
    await asyncio.sleep(0)
    assert await store.acquire("newer") == "producer"
    assert await reading == b"new", "who reads it already may go on"
    statuses = [await store.status(name) for name in ("writing", "old", "new", "newer")]
    assert statuses == ["streaming", "done", "missing", "streaming"]
    assert await store.acquire("newest") == "producer"
    with pytest.raises(ResumableStreamError, match="maxStreams exceeded: 3 streams") as caught:
        await store.acquire("one-too-many")
    assert caught.value.code == "too-many"


async def test_too_many_entries() -> None:
    store = create_in_memory_resumable_stream_store(max_entries_per_stream=2)
    await store.acquire("s")
    await store.append_many("s", [b"a", b"b"])
    await store.append("s", b"c")
    with pytest.raises(ResumableStreamError, match="Stream exceeded maxEntriesPerStream: s"):
        await store.append("s", b"d")
    await store.finalize("s", "done")
    assert await read_all(store) == b"abc"


async def test_streams_expire_by_the_clock_that_was_given() -> None:
    clock = Clock()
    store = create_in_memory_resumable_stream_store(default_ttl_ms=100, now=clock)
    await store.acquire("s")
    clock.milliseconds += 99
    assert await store.status("s") == "streaming"
    clock.milliseconds += 1
    assert await store.status("s") == "missing"


async def test_a_reader_drains_a_stream_that_expired_meanwhile() -> None:
    clock = Clock()
    store = create_in_memory_resumable_stream_store(default_ttl=0.1, now=clock)
    await store.acquire("s")
    await store.append("s", b"x" * 200_000)
    await store.append("s", b"y")
    batches = store.follow("s")
    assert len((await anext(batches))[0].chunk) == 200_000
    clock.milliseconds += 1000
    assert await store.status("s") == "missing"
    assert [entry.chunk for entry in await anext(batches)] == [b"y"]
    with pytest.raises(ResumableStreamError, match="expired") as caught:
        await anext(batches)
    assert caught.value.code == "missing"


async def test_the_sweeper_forgets_what_nobody_asks_for() -> None:
    store = create_in_memory_resumable_stream_store(default_ttl=0.02, gc_interval=0.01)
    await store.acquire("s")
    await store.append("s", b"x")
    reading = asyncio.create_task(follow_all(store))
    await asyncio.sleep(0)
    with pytest.raises(ResumableStreamError, match="expired"):
        await reading
    store.dispose()
    await store.acquire("t")
    store.dispose()
