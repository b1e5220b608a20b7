"""The context: one producer, which outlives its readers, and what ends it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant_stream_ce.resumable import (
    CancellationSignal,
    InMemoryResumableStreamStore,
    ManagedStreamStore,
    ResumableStreamContext,
    ResumableStreamEntry,
    ResumableStreamError,
    ResumableStreamInfo,
    ResumableStreamRole,
    ResumableStreamStatus,
    create_in_memory_resumable_stream_store,
    create_resumable_stream_context,
)
from tests.resumable.reading import join, read_until_error, until, until_status

MakeStore = Callable[..., ManagedStreamStore]


class Source:
    """Bytes that come when the test says so."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.started = 0
        self.closed = False

    def give(self, *chunks: bytes | Exception | None) -> None:
        for chunk in chunks:
            self.queue.put_nowait(chunk)

    async def stream(self) -> AsyncGenerator[bytes, None]:
        self.started += 1
        try:
            while (chunk := await self.queue.get()) is not None:
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
        finally:
            self.closed = True


def source_of(*chunks: bytes | Exception | None) -> Source:
    source = Source()
    source.give(*chunks)
    return source


@pytest.fixture
def context(store: ManagedStreamStore) -> ResumableStreamContext:
    return create_resumable_stream_context(store=store)


async def test_a_second_caller_joins_the_first(context: ResumableStreamContext) -> None:
    source, other = source_of(b"one "), source_of(b"never")
    first = await context.run("s", source.stream)
    second = await context.run("s", other.stream)
    assert await anext(second) == b"one "
    source.give(b"two", None)
    assert await join(first) == b"one two"
    assert await join(second) == b"two"
    assert (source.started, other.started) == (1, 0)


async def test_the_producer_outlives_its_reader(context: ResumableStreamContext) -> None:
    source = source_of(b"one ")
    stream = await context.run("s", source.stream)
    assert await anext(stream) == b"one "
    await stream.aclose()
    source.give(b"two ", b"three", None)
    await until_status(context, "s", "done")
    replay = await context.require_resume("s")
    assert await join(replay) == b"one two three"
    assert await join(await context.require_resume("s", "4")) == b"two three"


async def test_start_needs_no_reader_at_all(context: ResumableStreamContext) -> None:
    assert await context.start("s", source_of(b"x", None).stream) == "producer"
    assert await context.start("s", source_of().stream) == "consumer"
    await until_status(context, "s", "done")
    assert await context.info("s") == ResumableStreamInfo("done", 1)


async def test_resuming_what_is_not_there(context: ResumableStreamContext) -> None:
    assert await context.resume("s") is None
    with pytest.raises(ResumableStreamError, match="not found: s") as caught:
        await context.require_resume("s")
    assert caught.value.code == "missing"


async def test_the_error_of_the_source_reaches_every_reader_after_the_bytes(
    store: ManagedStreamStore,
) -> None:
    errors: list[object] = []
    context = create_resumable_stream_context(
        store=store, on_error=lambda stream_id, error: errors.append((stream_id, error))
    )
    boom = ValueError("boom")
    first = await context.run("s", source_of(b"partial", boom).stream)
    for stream in (first, await context.require_resume("s")):
        data, error = await read_until_error(stream)
        assert (data, error.code, str(error)) == (b"partial", "failed", "boom")
    assert errors == [("s", boom)]
    assert await context.info("s") == ResumableStreamInfo("error", 7, "boom")


async def test_a_source_that_cannot_be_made(context: ResumableStreamContext) -> None:
    def make_stream() -> AsyncIterator[bytes]:
        raise LookupError

    data, error = await read_until_error(await context.run("s", make_stream))
    assert (data, error.code, str(error)) == (b"", "failed", "LookupError()")


async def test_hooks_see_everything_and_may_fail(
    store: ManagedStreamStore, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[object, ...]] = []

    def hook(*args: object) -> None:
        seen.append(args)
        raise RuntimeError("in a hook")

    tasks: list[asyncio.Task[None]] = []
    context = create_resumable_stream_context(
        store=store,
        wait_until=tasks.append,
        on_acquire=hook,
        on_append=hook,
        on_finalize=hook,
        on_error=hook,
    )
    await context.start("s", source_of(b"ab", b"cde", OSError("disk")).stream)
    await context.start("s", source_of().stream)
    await asyncio.gather(*tasks)
    assert len(tasks) == 1
    assert sorted(seen[:2]) == [("s", "consumer"), ("s", "producer")]
    assert seen[2:4] == [("s", 2), ("s", 3)]
    assert seen[4][0] == "s"
    assert str(seen[4][1]) == "disk"
    assert seen[5:] == [("s", "error", "disk")]
    assert {record.getMessage() for record in caplog.records} == {
        "A hook of the resumable stream context raised."
    }


async def test_cancelling_closes_the_source_and_tells_the_readers(
    context: ResumableStreamContext,
) -> None:
    source = source_of(b"half")
    stream = await context.run("s", source.stream)
    assert await anext(stream) == b"half"
    assert await context.cancel("s") is True
    data, error = await read_until_error(stream)
    assert (data, error.code) == (b"", "cancelled")
    assert source.closed
    assert await context.cancel("s") is False
    _, error = await read_until_error(await context.require_resume("s"))
    assert error.code == "cancelled"


async def test_a_source_that_can_end_by_itself_ends_well(context: ResumableStreamContext) -> None:
    source = source_of(b"half ")
    await context.start("s", source.stream, on_cancel=lambda: source.give(b"and a good end", None))
    stream = await context.require_resume("s")
    assert await anext(stream) == b"half "
    assert await context.cancel("s")
    assert await join(stream) == b"and a good end"
    assert await context.status("s") == "done"


async def test_deleting_stops_the_producer(
    store: ManagedStreamStore, caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[object] = []
    context = create_resumable_stream_context(
        store=store, on_error=lambda *args: errors.append(args)
    )
    source = source_of(b"half")
    stream = await context.run("s", source.stream)
    assert await anext(stream) == b"half"
    await context.delete("s")
    _, error = await read_until_error(stream)
    assert error.code in {"deleted", "cancelled"}
    assert await context.resume("s") is None
    await until(lambda: source.closed)
    await context.aclose()
    assert errors == []
    assert caplog.records == []


async def test_closing_the_context_ends_all_that_is_produced_in_it(
    store: ManagedStreamStore,
) -> None:
    context = create_resumable_stream_context(store=store)
    sources = {name: source_of(b"half") for name in ("a", "b")}
    for name, source in sources.items():
        await context.start(name, source.stream)
    await until(lambda: all(source.started for source in sources.values()))
    await context.aclose()
    assert all(source.closed for source in sources.values())
    assert await context.status("a") == await context.status("b") == "error"
    await context.aclose()


async def test_a_producer_that_is_cancelled_from_outside_says_so(
    store: ManagedStreamStore,
) -> None:
    tasks: list[asyncio.Task[None]] = []
    context = create_resumable_stream_context(store=store, wait_until=tasks.append)
    source = source_of(b"half")
    stream = await context.run("s", source.stream)
    assert await anext(stream) == b"half"
    tasks[0].cancel()
    data, error = await read_until_error(stream)
    assert (data, error.code) == (b"", "lost")
    assert "server stopped" in str(error)
    assert source.closed


async def test_a_limit_ends_the_stream_with_an_error(make_store: MakeStore) -> None:
    errors: list[object] = []
    context = create_resumable_stream_context(
        store=make_store(max_bytes_per_stream=10),
        on_error=lambda _id, error: errors.append(error),
    )
    source = source_of(b"1234567890")
    stream = await context.run("s", source.stream)
    assert await anext(stream) == b"1234567890"
    source.give(b"more")
    data, error = await read_until_error(stream)
    assert (data, error.code) == (b"", "too-large")
    assert "`max_bytes_per_stream` is 10" in str(error)
    assert source.closed
    assert len(errors) == 1


async def test_heartbeats_are_part_of_the_stream(context: ResumableStreamContext) -> None:
    source = source_of(b"a")
    await context.start("s", source.stream, heartbeat=b"~", heartbeat_interval=0.02)
    stream = await context.require_resume("s")
    data = await anext(stream)
    while data.count(b"~") < 2:
        data += await anext(stream)
    source.give(b"b", None)
    data += await join(stream)
    assert data.strip(b"ab") == b"~" * (len(data) - 2)
    assert await join(await context.require_resume("s")) == data


@pytest.mark.parametrize("option", ["ttl", "ttl_ms"])
async def test_the_time_to_live_of_a_context(store: ManagedStreamStore, option: str) -> None:
    ttl = {"ttl": 0.25} if option == "ttl" else {"ttl_ms": 250}
    context = create_resumable_stream_context(store=store, **ttl)
    assert await join(await context.run("s", source_of(b"x", None).stream)) == b"x"
    assert await context.status("s") == "done"
    await until_status(context, "s", "missing")


def test_a_duration_is_given_once_and_is_positive() -> None:
    store = create_in_memory_resumable_stream_store()
    with pytest.raises(ValueError, match="not both"):
        create_resumable_stream_context(store=store, ttl=1, ttl_ms=1000)
    with pytest.raises(ValueError, match="`ttl` must be positive"):
        create_resumable_stream_context(store=store, ttl_ms=0)


class SlowStore(InMemoryResumableStreamStore):
    """A store whose writes wait for the test."""

    def __init__(self) -> None:
        super().__init__(
            default_ttl=60,
            clock=time.monotonic,
            max_chunk_bytes=None,
            max_bytes_per_stream=None,
            max_entries_per_stream=None,
            max_streams=None,
            gc_interval=None,
        )
        self.writes: list[Sequence[bytes]] = []
        self.gate = asyncio.Event()

    async def append_many(self, stream_id: str, chunks: Sequence[bytes]) -> None:
        self.writes.append(chunks)
        await self.gate.wait()
        await super().append_many(stream_id, chunks)


async def test_what_comes_during_a_write_goes_out_with_the_next() -> None:
    slow = SlowStore()
    context = create_resumable_stream_context(store=slow)
    source = source_of(b"first")
    await context.start("s", source.stream)
    await until(lambda: slow.writes)
    source.give(*[b"%d" % number for number in range(10)], None)
    await until(lambda: source.closed)
    slow.gate.set()
    assert await join(await context.require_resume("s")) == b"first0123456789"
    assert [len(write) for write in slow.writes] == [1, 10]


async def test_a_slow_store_holds_the_source_back() -> None:
    slow = SlowStore()
    context = create_resumable_stream_context(store=slow)
    given = 0

    async def stream() -> AsyncGenerator[bytes, None]:
        nonlocal given
        for _ in range(100):
            given += 1
            yield b"x" * 65536

    await context.start("s", stream)
    await until(lambda: slow.writes)
    await asyncio.sleep(0.02)
    assert given < 15
    slow.gate.set()
    await until_status(context, "s", "done")
    assert given == 100
    assert (await context.info("s")).size == 100 * 65536


async def test_a_source_that_never_waits_leaves_the_others_their_turns() -> None:
    context = create_resumable_stream_context(store=create_in_memory_resumable_stream_store())
    turns = 0

    async def stream() -> AsyncGenerator[bytes, None]:
        for _ in range(100):
            yield b"x" * 65536

    await context.start("s", stream)
    while await context.status("s") == "streaming":
        turns += 1
        await asyncio.sleep(0)
    assert turns > 10
    assert (await context.info("s")).size == 100 * 65536


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    chunks=st.lists(st.binary(max_size=12), max_size=20),
    pauses=st.lists(st.integers(0, 3), min_size=1),
    cursor=st.integers(0, 40),
)
async def test_any_reader_of_any_stream_gets_every_byte_once(
    chunks: list[bytes], pauses: list[int], cursor: int
) -> None:
    context = create_resumable_stream_context(store=create_in_memory_resumable_stream_store())
    data = b"".join(chunks)

    async def stream() -> AsyncGenerator[bytes, None]:
        for index, chunk in enumerate(chunks):
            for _ in range(pauses[index % len(pauses)]):
                await asyncio.sleep(0)
            yield chunk

    live = await context.run("s", stream)
    assert await join(live) == data
    cursor = min(cursor, len(data))
    assert await join(await context.require_resume("s", str(cursor))) == data[cursor:]


class SixMethods:
    """A store as somebody wrote it for upstream: only what its Protocol asks for."""

    def __init__(self) -> None:
        self._entries: dict[str, list[bytes]] = {}
        self._ends: dict[str, tuple[str, str | None]] = {}

    async def acquire(self, stream_id: str, *, ttl_ms: int | None = None) -> ResumableStreamRole:
        if stream_id in self._entries:
            return "consumer"
        self._entries[stream_id] = []
        return "producer"

    async def append(self, stream_id: str, chunk: bytes) -> None:
        self._entries[stream_id].append(chunk)

    async def finalize(
        self, stream_id: str, status: Literal["done", "error"], error: str | None = None
    ) -> None:
        self._ends[stream_id] = (status, error)

    async def read(
        self, stream_id: str, cursor: str, signal: CancellationSignal
    ) -> AsyncGenerator[ResumableStreamEntry, None]:
        index = int(cursor or "0")
        while not signal.is_set():
            entries = self._entries[stream_id]
            if index < len(entries):
                index += 1
                yield ResumableStreamEntry(str(index), entries[index - 1])
            elif stream_id in self._ends:
                status, error = self._ends[stream_id]
                if status == "error":
                    raise RuntimeError(error)
                return
            else:
                await asyncio.sleep(0.001)

    async def status(self, stream_id: str) -> ResumableStreamStatus:
        if stream_id not in self._entries:
            return "missing"
        return "streaming" if stream_id not in self._ends else "done"

    async def delete(self, stream_id: str) -> None:
        self._entries.pop(stream_id, None)


async def test_a_store_written_for_upstream_works(caplog: pytest.LogCaptureFixture) -> None:
    context = create_resumable_stream_context(store=SixMethods())
    source = source_of(b"one ")
    stream = await context.run("s", source.stream)
    assert await anext(stream) == b"one "
    source.give(b"two", None)
    assert await join(stream) == b"two"
    assert await join(await context.require_resume("s", "1")) == b"two"
    assert await context.info("s") == ResumableStreamInfo("done")
    assert await context.cancel("s") is False
    await context.delete("s")
    assert await context.resume("s") is None

    source = source_of(b"half")
    stream = await context.run("t", source.stream)
    assert await anext(stream) == b"half"
    assert await context.cancel("t") is True
    with pytest.raises(RuntimeError, match="cancelled"):
        await join(stream)
    assert source.closed
    assert caplog.records == []


async def test_an_end_that_cannot_be_stored_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(SixMethods):
        async def finalize(
            self, stream_id: str, status: Literal["done", "error"], error: str | None = None
        ) -> None:
            await super().finalize(stream_id, status, error)
            raise OSError("disk full")

    context = create_resumable_stream_context(store=Broken())
    with caplog.at_level(logging.WARNING):
        assert await join(await context.run("s", source_of(b"x", None).stream)) == b"x"
        await context.aclose()
    assert [record.getMessage() for record in caplog.records] == ["Stream s could not be ended."]
