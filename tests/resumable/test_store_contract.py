"""What every store does, in memory and in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable

import pytest

from assistant_stream_ce.errors import AssistantStreamError
from assistant_stream_ce.resumable import (
    ManagedStreamStore,
    ResumableStreamEntry,
    ResumableStreamError,
    ResumableStreamInfo,
    ResumableStreamStore,
    StreamEnd,
    validate_stream_id,
)
from tests.resumable.reading import follow_all, read_all, until

MakeStore = Callable[..., ManagedStreamStore]


async def fails_with(code: str, reading: AsyncIterable[object]) -> None:
    """Read on and expect the error."""
    with pytest.raises(ResumableStreamError) as caught:
        async for _ in reading:
            pass
    assert caught.value.code == code


async def begin(store: ResumableStreamStore, *chunks: bytes, stream_id: str = "s") -> None:
    """Acquire a stream and write to it."""
    assert await store.acquire(stream_id) == "producer"
    for chunk in chunks:
        await store.append(stream_id, chunk)


async def test_one_caller_is_the_producer_also_after_the_end(store: ManagedStreamStore) -> None:
    roles = await asyncio.gather(*[store.acquire("s") for _ in range(5)])
    assert sorted(roles) == ["consumer"] * 4 + ["producer"]
    await store.finalize("s", "done")
    assert await store.acquire("s") == "consumer"
    assert await store.acquire("t") == "producer"


@pytest.mark.parametrize("stream_id", ["a", "A-z_9.:", "x" * 256])
def test_good_ids(stream_id: str) -> None:
    validate_stream_id(stream_id)


@pytest.mark.parametrize("stream_id", ["", "x" * 257, "a b", "a\n", "ä", "a/b", "{a}", "\x00"])
async def test_bad_ids_are_refused_everywhere(store: ManagedStreamStore, stream_id: str) -> None:
    calls = (
        lambda: store.acquire(stream_id),
        lambda: store.claim(stream_id),
        lambda: store.append(stream_id, b"x"),
        lambda: store.finalize(stream_id, "done"),
        lambda: store.status(stream_id),
        lambda: store.info(stream_id),
        lambda: store.cancel(stream_id),
        lambda: store.delete(stream_id),
        lambda: follow_all(store, stream_id),
        lambda: read_all(store, stream_id),
    )
    for call in calls:
        with pytest.raises(ResumableStreamError) as caught:
            await call()
        assert caught.value.code == "invalid-id"


async def test_a_reader_gets_what_is_there_and_then_what_comes(store: ManagedStreamStore) -> None:
    await begin(store, b"one ", b"two ")
    seen: list[bytes] = []

    async def read() -> None:
        async for entry in store.read("s", "", asyncio.Event()):
            seen.append(entry.chunk)

    reading = asyncio.create_task(read())
    await until(lambda: len(seen) == 2)
    await store.append("s", b"three ")
    await until(lambda: len(seen) == 3)
    await store.append_many("s", [b"four ", b"five"])
    await store.finalize("s", "done")
    await reading
    assert seen == [b"one ", b"two ", b"three ", b"four five"]


async def test_every_byte_value_survives(store: ManagedStreamStore) -> None:
    data = bytes(range(256)) * 3
    await begin(store, data[:300], data[300:301], b"", data[301:])
    await store.finalize("s", "done")
    assert await read_all(store) == data
    assert await follow_all(store) == data


async def test_a_cursor_is_the_number_of_bytes_read_and_any_number_will_do(
    store: ManagedStreamStore,
) -> None:
    data = '0:"häl"\n0:"lo"\n'.encode()
    await begin(store, data[:4], data[4:5], data[5:])
    live = [asyncio.create_task(follow_all(store, cursor=str(i))) for i in range(len(data) + 1)]
    await asyncio.sleep(0)
    await store.append("s", b"end")
    await store.finalize("s", "done")
    assert await asyncio.gather(*live) == [data[i:] + b"end" for i in range(len(data) + 1)]
    replayed = [await read_all(store, cursor=str(i)) for i in range(len(data) + 1)]
    assert replayed == [data[i:] + b"end" for i in range(len(data) + 1)]


async def test_an_entrys_cursor_leads_to_the_next_entry(store: ManagedStreamStore) -> None:
    await begin(store, b"a", b"bb", b"ccc")
    await store.finalize("s", "done")
    entries: list[ResumableStreamEntry] = []
    async for entry in store.read("s", "", asyncio.Event()):
        entries.append(entry)
    assert [entry.chunk for entry in entries] == [b"a", b"bb", b"ccc"]
    assert await read_all(store, cursor=entries[0].cursor) == b"bbccc"
    assert await read_all(store, cursor=entries[-1].cursor) == b""


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "1-0", "٣", "9" * 30, "4"])
async def test_a_cursor_that_cannot_be_is_refused(store: ManagedStreamStore, cursor: str) -> None:
    await begin(store, b"abc")
    await fails_with("invalid-cursor", store.follow("s", cursor))


async def test_readers_of_every_pace_get_the_same_bytes(store: ManagedStreamStore) -> None:
    await store.acquire("s")
    total = 60

    async def read(pause: int) -> bytes:
        data = b""
        async for batch in store.follow("s"):
            data += b"".join(entry.chunk for entry in batch)
            for _ in range(pause):
                await asyncio.sleep(0)
        return data

    readers = [asyncio.create_task(read(pause)) for pause in (0, 1, 7, 50)]
    for number in range(total):
        await store.append("s", b"%d;" % number)
    await store.finalize("s", "done")
    expected = b"".join(b"%d;" % number for number in range(total))
    assert await asyncio.gather(*readers) == [expected] * 4


async def test_an_error_comes_after_all_the_bytes(store: ManagedStreamStore) -> None:
    await begin(store, b"partial")
    await store.finalize("s", "error", "boom")
    seen: list[bytes] = []
    with pytest.raises(AssistantStreamError, match="boom") as caught:
        async for entry in store.read("s", "", asyncio.Event()):
            seen.append(entry.chunk)
    assert seen == [b"partial"]
    assert isinstance(caught.value, ResumableStreamError)
    assert (caught.value.code, caught.value.reported) == ("failed", False)


async def test_an_end_keeps_its_reason(store: ManagedStreamStore) -> None:
    await begin(store, b"all of it")
    await store.finish("s", StreamEnd("error", "bööm", "too-large", reported=True))
    with pytest.raises(ResumableStreamError, match="bööm") as caught:
        await follow_all(store)
    assert (caught.value.code, caught.value.reported) == ("too-large", True)
    assert await store.info("s") == ResumableStreamInfo("error", 9, "bööm")


async def test_status_and_size(store: ManagedStreamStore) -> None:
    assert await store.info("s") == ResumableStreamInfo("missing")
    await begin(store)
    assert await store.info("s") == ResumableStreamInfo("streaming", 0)
    await store.append("s", b"12345")
    assert await store.info("s") == ResumableStreamInfo("streaming", 5)
    assert await store.status("s") == "streaming"
    await store.finalize("s", "done")
    assert await store.info("s") == ResumableStreamInfo("done", 5)


async def test_nothing_is_written_after_the_end(store: ManagedStreamStore) -> None:
    await begin(store, b"x")
    await store.finalize("s", "done")
    await store.finalize("s", "error", "too late")
    with pytest.raises(ResumableStreamError, match="already finalized") as caught:
        await store.append("s", b"y")
    assert caught.value.code == "finalized"
    assert await store.info("s") == ResumableStreamInfo("done", 1)
    assert await read_all(store) == b"x"


async def test_a_stream_that_is_not_there(store: ManagedStreamStore) -> None:
    await store.delete("s")
    assert await store.status("s") == "missing"
    assert await store.cancel("s") is False
    for call in (
        lambda: store.append("s", b"x"),
        lambda: store.finalize("s", "done"),
        lambda: store.claim("s"),
        lambda: read_all(store),
        lambda: follow_all(store),
    ):
        with pytest.raises(RuntimeError, match="Stream not found: s") as caught:
            await call()
        assert isinstance(caught.value, ResumableStreamError)
        assert caught.value.code == "missing"


async def test_deleting_ends_the_readers(store: ManagedStreamStore) -> None:
    await begin(store, b"x")
    seen: list[str] = []

    async def read() -> None:
        async for _ in store.read("s", "", asyncio.Event()):
            seen.append("entry")

    async def follow() -> None:
        async for _ in store.follow("s"):
            seen.append("batch")

    quiet, told = asyncio.create_task(read()), asyncio.create_task(follow())
    await until(lambda: len(seen) == 2)
    await store.delete("s")
    await quiet
    with pytest.raises(ResumableStreamError) as caught:
        await told
    assert caught.value.code == "deleted"
    assert sorted(seen) == ["batch", "entry"]
    assert await store.status("s") == "missing"


async def test_a_stream_of_the_same_id_has_nothing_of_the_deleted_one(
    store: ManagedStreamStore,
) -> None:
    await begin(store, b"old")
    seen: list[bytes] = []

    async def read() -> None:
        async for entry in store.read("s", "", asyncio.Event()):
            seen.append(entry.chunk)

    reading = asyncio.create_task(read())
    await until(lambda: seen)
    await store.delete("s")
    await begin(store, b"new stream")
    await store.finalize("s", "done")
    await reading
    assert seen == [b"old"]
    assert await read_all(store) == b"new stream"


@pytest.mark.parametrize("waiting", [True, False])
async def test_a_reader_stops_on_its_signal(store: ManagedStreamStore, waiting: bool) -> None:
    await begin(store, b"x")
    signal = asyncio.Event()
    if not waiting:
        signal.set()
    seen: list[bytes] = []

    async def read() -> None:
        async for entry in store.read("s", "", signal):
            seen.append(entry.chunk)

    reading = asyncio.create_task(read())
    if waiting:
        await until(lambda: seen)
    signal.set()
    await asyncio.wait_for(reading, 1)
    assert seen == ([b"x"] if waiting else [])


async def test_a_signal_counts_between_two_entries(store: ManagedStreamStore) -> None:
    await begin(store, b"x", b"y")
    signal = asyncio.Event()
    seen: list[bytes] = []
    async for entry in store.read("s", "", signal):
        seen.append(entry.chunk)
        signal.set()
    assert seen == [b"x"]


async def test_a_reader_that_stops_leaves_no_task_behind(store: ManagedStreamStore) -> None:
    await begin(store, b"x")
    before = asyncio.all_tasks()
    reading = asyncio.create_task(follow_all(store))
    await asyncio.sleep(0.02)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    entries = store.read("s", "", asyncio.Event())
    async for _ in entries:
        break
    await entries.aclose()  # type: ignore[attr-defined]
    await store.finalize("s", "done")
    await asyncio.sleep(0.02)
    assert asyncio.all_tasks() <= before


async def test_an_expired_stream_is_missing_and_its_waiting_reader_is_told(
    make_store: MakeStore,
) -> None:
    store = make_store(default_ttl=0.08)
    await begin(store, b"x")
    reading = asyncio.create_task(follow_all(store))
    with pytest.raises(ResumableStreamError) as caught:
        await asyncio.wait_for(reading, 5)
    assert caught.value.code == "missing"
    assert await store.status("s") == "missing"
    assert await store.acquire("s") == "producer"


async def test_writing_renews_the_time_to_live(make_store: MakeStore) -> None:
    store = make_store()
    await store.acquire("s", ttl_ms=300)
    for _ in range(4):
        await asyncio.sleep(0.1)
        await store.append("s", b"x")
    await store.finalize("s", "done")
    assert await read_all(store) == b"xxxx"


async def test_too_much_is_refused(make_store: MakeStore) -> None:
    store = make_store(max_chunk_bytes=4, max_bytes_per_stream=10)
    await begin(store, b"1234", b"5678")
    for chunk, match in ((b"12345", "Chunk exceeds maxChunkBytes: 5"), (b"123", "have 11 bytes")):
        with pytest.raises(ResumableStreamError, match=match) as caught:
            await store.append("s", chunk)
        assert caught.value.code == "too-large"
    with pytest.raises(ResumableStreamError, match="have 12 bytes"):
        await store.append_many("s", [b"12", b"34"])
    await store.append("s", b"90")
    await store.finalize("s", "done")
    assert await read_all(store) == b"1234567890"


async def test_cancelling_tells_the_producer_once(store: ManagedStreamStore) -> None:
    told: list[str] = []
    await begin(store)
    await store.claim("s", lambda: told.append("stop"))
    assert await store.cancel("s") is True
    assert await store.cancel("s") is True
    await asyncio.sleep(0.02)
    assert told == ["stop"]
    await store.finalize("s", "done")
    assert await store.cancel("s") is False


async def test_appends_side_by_side_lose_nothing(store: ManagedStreamStore) -> None:
    await begin(store)
    await store.claim("s")
    await asyncio.gather(*[store.append("s", b"<%d>" % number) for number in range(20)])
    await store.finalize("s", "done")
    data = await read_all(store)
    assert sorted(data.strip(b"<>").split(b"><"), key=int) == [b"%d" % n for n in range(20)]
