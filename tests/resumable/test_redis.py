"""What only a real Redis can do to a stream: crash, forget, evict, and lose an answer."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import uuid
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from assistant_stream_ce.resumable import (
    ManagedStreamStore,
    ResumableStreamError,
    create_resumable_stream_context,
)
from assistant_stream_ce.resumable.redis import (
    RedisResumableStreamStore,
    create_redis_resumable_stream_store,
)
from tests.resumable.reading import follow_all, join, read_until_error, until
from tests.resumable.redis_server import FlakyLine, RedisServer, RedisUsers, connect

MakeStore = Callable[..., ManagedStreamStore]


@pytest.fixture
def server(folder: Path) -> Generator[Callable[..., RedisServer], None, None]:
    """Starts a server of the test's own; it is killed at the end."""
    servers: list[RedisServer] = []

    def start(*, keeps_data: bool) -> RedisServer:
        servers.append(RedisServer(folder, keeps_data=keeps_data))
        servers[-1].start()
        return servers[-1]

    yield start
    for each in servers:
        each.kill()


def store_on(
    server: RedisServer, redis_users: RedisUsers, **options: float
) -> RedisResumableStreamStore:
    client = redis_users.client(server.socket)
    return redis_users.store(client, **{"check_interval": 0.1, **options})


def lines(count: int, pause: float) -> Callable[[], AsyncGenerator[bytes, None]]:
    async def stream() -> AsyncGenerator[bytes, None]:
        for number in range(count):
            yield b"%d\n" % number
            await asyncio.sleep(pause)

    return stream


async def test_a_restart_in_mid_stream_costs_no_byte(
    server: Callable[..., RedisServer], redis_users: RedisUsers
) -> None:
    """The server is killed twice while a process writes and two others read, one of them slow."""
    redis = server(keeps_data=True)
    producer = create_resumable_stream_context(store=store_on(redis, redis_users))
    reader = create_resumable_stream_context(store=store_on(redis, redis_users))
    own = await producer.run("s", lines(200, 0.005))

    async def read_slowly() -> bytes:
        data = b""
        async for piece in await reader.require_resume("s"):
            data += piece
            await asyncio.sleep(0.15)
        return data

    reading = [asyncio.create_task(join(own)), asyncio.create_task(read_slowly())]
    for _ in range(2):
        await asyncio.sleep(0.2)
        await redis.restart()
    expected = b"".join(b"%d\n" % number for number in range(200))
    assert await asyncio.gather(*reading) == [expected, expected]
    assert await join(await reader.require_resume("s", "100")) == expected[100:]


async def test_a_restart_that_forgets_everything_is_an_error_for_all(
    server: Callable[..., RedisServer], redis_users: RedisUsers
) -> None:
    redis = server(keeps_data=False)
    errors: list[object] = []
    producer = create_resumable_stream_context(
        store=store_on(redis, redis_users), on_error=lambda _id, error: errors.append(error)
    )
    await producer.start("writing", lines(10_000, 0.005))
    reader = create_resumable_stream_context(store=store_on(redis, redis_users))
    idle = store_on(redis, redis_users)
    await idle.acquire("idle")
    await idle.append("idle", b"and then silence")
    reading = [
        asyncio.create_task(read_until_error(await reader.require_resume(name)))
        for name in ("writing", "idle")
    ]
    await asyncio.sleep(0.1)
    await redis.restart(down_for=0)
    for data, error in await asyncio.wait_for(asyncio.gather(*reading), 5):
        assert data
        assert error.code == "missing"
    await until(lambda: errors)
    assert isinstance(errors[0], ResumableStreamError)
    assert errors[0].code == "missing"
    idle_task = asyncio.create_task(idle.finalize("idle", "done"))
    with pytest.raises(ResumableStreamError, match="Stream not found"):
        await idle_task


async def test_a_redis_that_stays_away_is_an_error_for_all(
    server: Callable[..., RedisServer], redis_users: RedisUsers
) -> None:
    redis = server(keeps_data=False)
    errors: list[object] = []
    closed = asyncio.Event()

    async def stream() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0.01)
        finally:
            closed.set()

    context = create_resumable_stream_context(
        store=store_on(redis, redis_users, retry_for=0.3),
        on_error=lambda _id, error: errors.append(error),
    )
    body = await context.run("s", stream)
    assert (await anext(body)).startswith(b"x")
    redis.kill()
    data, error = await asyncio.wait_for(read_until_error(body), 10)
    assert data.strip(b"x") == b""
    assert error.code == "unavailable"
    await asyncio.wait_for(closed.wait(), 5)
    await context.aclose()
    assert isinstance(errors[0], ResumableStreamError)
    assert errors[0].code == "unavailable"


async def test_a_lost_answer_doubles_nothing(
    redis_server: RedisServer, folder: Path, redis_users: RedisUsers
) -> None:
    """Commands arrive and their answers do not: every step is repeated without harm."""
    async with FlakyLine(redis_server.socket, folder / "line.sock") as line:
        client = redis_users.client(line.socket)
        store = redis_users.store(client, key_prefix=f"flaky:{folder.name}")
        line.lose_answers = 1
        assert await store.acquire("s") == "producer"
        assert await store.acquire("s") == "consumer"
        await store.claim("s")
        for number in range(30):
            line.lose_answers = number % 3
            await store.append("s", b"%d;" % number)
            assert line.lose_answers == 0
        line.lose_answers = 1
        await store.finalize("s", "done")
        assert line.lose_answers == 0
        expected = b"".join(b"%d;" % number for number in range(30))
        assert await follow_all(store) == expected
        line.lose_answers = 1
        await store.delete("s")
        assert await store.status("s") == "missing"


@pytest.mark.parametrize(
    ("evicted", "code"), [("*", "missing"), ("*:info", "missing"), ("*:log:*", "lost")]
)
async def test_an_evicted_stream_is_an_error_and_not_silence(
    make_redis_store: MakeStore, redis_server: RedisServer, evicted: str, code: str
) -> None:
    """Redis evicts key by key. The reader waits; another one comes later."""
    store, other = make_redis_store(), make_redis_store()
    errors: list[object] = []
    context = create_resumable_stream_context(
        store=store, on_error=lambda _id, error: errors.append(error)
    )
    more = asyncio.Event()

    async def stream() -> AsyncGenerator[bytes, None]:
        yield b"one "
        await more.wait()
        yield b"two "
        yield b"three"

    stream_id = uuid.uuid4().hex
    body = await context.run(stream_id, stream)
    assert await anext(body) == b"one "
    client = connect(redis_server.socket)
    keys = [key async for key in client.scan_iter(match=f"*{{{stream_id}}}{evicted}")]
    assert keys
    await client.delete(*keys)
    await client.aclose()
    if code == "lost":
        more.set()
    _, error = await asyncio.wait_for(read_until_error(body), 5)
    assert error.code == code
    more.set()
    await until(lambda: errors)
    with pytest.raises(ResumableStreamError) as caught:
        await follow_all(other, stream_id)
    assert caught.value.code == code


async def test_an_evicted_beginning_is_an_error_for_who_reads_it(
    make_redis_store: MakeStore, redis_server: RedisServer
) -> None:
    store = make_redis_store()
    stream_id = uuid.uuid4().hex
    await store.acquire(stream_id)
    for chunk in (b"one ", b"two ", b"three"):
        await store.append(stream_id, chunk)
    client = connect(redis_server.socket)
    async for key in client.scan_iter(match=f"*{{{stream_id}}}:log:*"):
        await client.xtrim(key, maxlen=1, approximate=False)
    await client.aclose()
    await store.finalize(stream_id, "done")
    with pytest.raises(ResumableStreamError, match="bytes 0 to 8 are gone") as caught:
        await follow_all(store, stream_id)
    assert caught.value.code == "lost"
    assert await follow_all(store, stream_id, cursor="8") == b"three"


async def test_whatever_redis_has_lost_is_found_out(
    make_redis_store: MakeStore, redis_server: RedisServer, redis_users: RedisUsers
) -> None:
    """Bytes gone while nobody writes, a size that shrank, an end that is missing."""
    store = make_redis_store()
    client = redis_users.client(redis_server.socket)

    async def begin() -> tuple[str, bytes, bytes]:
        stream_id = uuid.uuid4().hex
        await store.acquire(stream_id)
        await store.append(stream_id, b"one")
        pattern = f"*{{{stream_id}}}*"
        log, info = sorted([key async for key in client.scan_iter(pattern)], key=len)[::-1]
        return stream_id, log, info

    stream_id, log, _ = await begin()
    await client.delete(log)
    with pytest.raises(ResumableStreamError, match="evicted its bytes"):
        await follow_all(store, stream_id)

    stream_id, _, info = await begin()
    reading = store.follow(stream_id)
    await anext(reading)
    await client.hset(info, "size", "2")
    with pytest.raises(ResumableStreamError, match="forgotten bytes"):
        await anext(reading)
    with pytest.raises(ResumableStreamError, match="forgotten bytes"):
        await store.append(stream_id, b"two")

    stream_id, log, _ = await begin()
    await store.finalize(stream_id, "done")
    await client.xdel(log, "3-1")
    assert await follow_all(store, stream_id) == b"one"


async def test_what_redis_refuses_is_an_error_at_once(
    make_redis_store: MakeStore, redis_server: RedisServer, redis_users: RedisUsers
) -> None:
    client = redis_users.client(redis_server.socket)
    store = redis_users.store(client, key_prefix="refused")
    await client.set("refused:{s}:info", "no hash")
    async with asyncio.timeout(1):
        with pytest.raises(ResumableStreamError, match="WRONGTYPE") as caught:
            await store.status("s")
    assert caught.value.code == "unavailable"


async def test_a_slow_reader_holds_nothing_but_its_place(make_redis_store: MakeStore) -> None:
    """It reads 20 MB with pauses; what it has not read stays in Redis."""
    store, other = make_redis_store(), make_redis_store()
    context = create_resumable_stream_context(store=store)
    chunk = bytes(range(256)) * 256

    async def stream() -> AsyncGenerator[bytes, None]:
        for _ in range(300):
            yield chunk

    await context.start("s", stream)
    total = largest = 0
    async for batch in other.follow("s"):
        size = sum(len(entry.chunk) for entry in batch)
        assert b"".join(entry.chunk for entry in batch) == chunk * (size // len(chunk))
        total += size
        largest = max(largest, size)
        await asyncio.sleep(0.002)
    assert total == 300 * len(chunk)
    assert largest <= 5_000_000


async def test_writes_are_batched(make_redis_store: MakeStore, redis_server: RedisServer) -> None:
    client = connect(redis_server.socket)
    context = create_resumable_stream_context(store=make_redis_store())

    async def stream() -> AsyncGenerator[bytes, None]:
        for number in range(2000):
            yield b"%d," % number
            if number % 20 == 0:
                await asyncio.sleep(0)

    await client.config_resetstat()
    body = await context.run("s", stream)
    assert await join(body) == b"".join(b"%d," % number for number in range(2000))
    stats = await client.info("commandstats")
    await client.aclose()
    assert stats["cmdstat_evalsha"]["calls"] < 200


async def test_cancel_by_id_reaches_an_idle_producer_in_another_process(
    make_redis_store: MakeStore,
) -> None:
    context = create_resumable_stream_context(store=make_redis_store())
    elsewhere = create_resumable_stream_context(store=make_redis_store())
    closed = asyncio.Event()

    async def stream() -> AsyncGenerator[bytes, None]:
        try:
            yield b"thinking"
            await asyncio.sleep(60)
        finally:
            closed.set()

    body = await context.run("s", stream)
    assert await anext(body) == b"thinking"
    assert await elsewhere.cancel("s") is True
    await asyncio.wait_for(closed.wait(), 2)
    _, error = await read_until_error(body)
    assert error.code == "cancelled"
    assert await elsewhere.cancel("s") is False


async def test_a_stream_may_be_acquired_here_and_written_there(
    make_redis_store: MakeStore,
) -> None:
    """A web process acquires and reads, a worker writes."""
    web, worker = make_redis_store(), make_redis_store()
    assert await web.acquire("s") == "producer"
    reading = asyncio.create_task(follow_all(web))
    told: list[bool] = []
    await worker.claim("s", lambda: told.append(True))
    await worker.append("s", b"from the worker")
    assert await web.cancel("s") is True
    await until(lambda: told)
    await worker.finalize("s", "done")
    assert await reading == b"from the worker"


async def test_a_cancel_before_the_claim_is_not_forgotten(make_redis_store: MakeStore) -> None:
    store = make_redis_store()
    await store.acquire("s")
    assert await store.cancel("s") is True
    told: list[bool] = []
    await store.claim("s", lambda: told.append(True))
    assert told == [True]
    await store.finalize("s", "done")


async def test_a_store_that_writes_nothing_does_nothing(make_redis_store: MakeStore) -> None:
    """After the last stream the client may be closed at once."""
    before = asyncio.all_tasks()
    store = make_redis_store()
    for name in ("a", "b", "c"):
        await store.acquire(name)
        await store.append(name, b"x")
    await asyncio.gather(store.finalize("a", "done"), store.delete("b"))
    assert asyncio.all_tasks() != before, "it is alive for the sake of the third"
    await store.finalize("c", "done")
    assert asyncio.all_tasks() == before


async def test_a_store_that_is_closed_leaves_its_streams_to_others(
    redis_server: RedisServer, redis_users: RedisUsers, make_redis_store: MakeStore
) -> None:
    before = asyncio.all_tasks()
    prefix = f"closed:{uuid.uuid4().hex}"
    client = redis_users.client(redis_server.socket)
    store = redis_users.store(client, key_prefix=prefix, lease=0.2)
    await store.acquire("s")
    await store.append("s", b"unfinished")
    await store.aclose()
    await client.aclose()
    assert asyncio.all_tasks() == before
    other = make_redis_store(key_prefix=prefix, lease=0.2)
    data = b""
    with pytest.raises(ResumableStreamError, match=r"has stopped|has died") as caught:
        async for batch in other.follow("s"):
            data += b"".join([entry.chunk for entry in batch])
    assert (data, caught.value.code) == (b"unfinished", "lost")
    await store.aclose()


async def test_a_producer_that_is_killed_is_noticed(
    redis_server: RedisServer, redis_users: RedisUsers, folder: Path
) -> None:
    prefix = f"killed:{folder.name}"
    script = f"""
        import asyncio
        from redis.asyncio import Redis
        from assistant_stream_ce.resumable import create_resumable_stream_context
        from assistant_stream_ce.resumable.redis import create_redis_resumable_stream_store

        async def stream():
            yield b"a few bytes"
            await asyncio.sleep(60)

        async def main():
            client = Redis(unix_socket_path={str(redis_server.socket)!r})
            store = create_redis_resumable_stream_store(client, key_prefix={prefix!r}, lease=0.3)
            context = create_resumable_stream_context(store=store)
            await anext(await context.run("s", stream))
            print("stored", flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(script)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"stored\n"
    client = redis_users.client(redis_server.socket)
    store = redis_users.store(client, key_prefix=prefix, lease=0.3)
    context = create_resumable_stream_context(store=store)
    body = await context.require_resume("s")
    assert await anext(body) == b"a few bytes"
    await asyncio.sleep(0.5)
    assert await context.status("s") == "streaming", "a living producer may be silent"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    _, error = await asyncio.wait_for(read_until_error(body), 5)
    assert error.code == "lost"
    assert await context.status("s") == "error"
    _, error = await read_until_error(await context.require_resume("s"))
    assert (error.code, str(error)) == ("lost", "The producer of stream s has died.")


async def test_readers_that_wait_take_no_connection_of_the_pool(
    redis_server: RedisServer, redis_users: RedisUsers
) -> None:
    client = redis_users.client(redis_server.socket, max_connections=2)
    store = redis_users.store(client, key_prefix="pool")
    await store.acquire("s")
    readers: list[asyncio.Task[bytes]] = []
    for _ in range(10):
        readers.append(asyncio.create_task(follow_all(store)))
        await asyncio.sleep(0.01)
    await store.append("s", b"x")
    await store.finalize("s", "done")
    assert await asyncio.gather(*readers) == [b"x"] * 10
    await store.delete("s")


@pytest.mark.parametrize("protocol", [2, 3])
async def test_both_protocols_of_redis(
    redis_server: RedisServer, redis_users: RedisUsers, protocol: int
) -> None:
    client = redis_users.client(redis_server.socket, protocol=protocol)
    store = redis_users.store(client, key_prefix=f"resp{protocol}")
    await store.acquire("s")
    await store.append("s", b"one ")
    reading = asyncio.create_task(follow_all(store))
    await asyncio.sleep(0.02)
    await store.append("s", b"two")
    await store.finalize("s", "done")
    assert await reading == b"one two"
    await store.delete("s")


def test_clients_that_cannot_work_are_refused(redis_server: RedisServer) -> None:
    path = str(redis_server.socket)
    with pytest.raises(ValueError, match="decode_responses"):
        create_redis_resumable_stream_store(Redis(unix_socket_path=path, decode_responses=True))
    with pytest.raises(TypeError, match=r"redis\.asyncio\.Redis"):
        create_redis_resumable_stream_store(object())  # type: ignore[arg-type]


def test_without_redis_installed_the_message_names_the_extra() -> None:
    script = """
        import sys
        sys.modules["redis"] = None
        from assistant_stream_ce.resumable import *
        create_in_memory_resumable_stream_store()
        try:
            from assistant_stream_ce.resumable import create_redis_resumable_stream_store
        except ImportError as error:
            assert "pip install 'assistant-stream-ce[redis]'" in str(error), error
        else:
            raise SystemExit("imported")
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
