"""The two stores, behind one fixture, and an eye on what tests leave behind."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assistant_stream_ce.resumable import (
    ManagedStreamStore,
    create_in_memory_resumable_stream_store,
)
from tests.resumable.redis_server import RedisServer, RedisUsers, Settle, WatchedConnection

MakeStore: TypeAlias = Callable[..., ManagedStreamStore]


@pytest.fixture(autouse=True)
async def settle(anyio_backend: str) -> AsyncGenerator[Settle, None]:
    """Waits for the tasks that the test has begun. None of them and no connection may stay.

    The event loop may be that of all tests, and what one of them leaves there is found, as a
    warning of the garbage collector, in any other. (`anyio_backend` is for the tests that are not
    async themselves.)
    """
    others = asyncio.all_tasks()

    async def wait() -> None:
        begun = {
            task
            for task in asyncio.all_tasks() - others
            if not str(task.get_coro()).startswith("<coroutine object TestRunner.")  # anyio's own
        }
        if begun:
            _, left = await asyncio.wait(begun, timeout=2)
            assert not left, "the test leaves tasks behind"

    yield wait
    await wait()
    assert WatchedConnection.take_open() == []


@pytest.fixture
def folder() -> Generator[Path, None, None]:
    """A folder with a path that is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="aui-") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def redis_server() -> Generator[RedisServer, None, None]:
    """A server for all tests that leave it alive."""
    with tempfile.TemporaryDirectory(prefix="aui-") as path:
        server = RedisServer(Path(path), keeps_data=False)
        server.start()
        yield server
        server.kill()


@pytest.fixture
async def redis_users(settle: Settle) -> AsyncGenerator[RedisUsers, None]:
    """Makes clients and stores, and closes them at the end."""
    users = RedisUsers()
    yield users
    await users.aclose(settle)


@pytest.fixture
def make_redis_store(redis_server: RedisServer, redis_users: RedisUsers) -> MakeStore:
    """Makes stores in Redis; each call is like another process, with a client of its own."""
    prefix = f"test:{uuid.uuid4().hex}"

    def make(**options: Any) -> ManagedStreamStore:
        options = {"key_prefix": prefix, "check_interval": 0.05, **options}
        return redis_users.store(redis_users.client(redis_server.socket), **options)

    return make


@pytest.fixture
def make_memory_store() -> MakeStore:
    """Makes stores in memory."""

    def make(**options: Any) -> ManagedStreamStore:
        return create_in_memory_resumable_stream_store(**options)

    return make


@pytest.fixture(params=["in memory", "redis"])
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    """Makes stores of the one kind, then of the other."""
    name = "make_memory_store" if request.param == "in memory" else "make_redis_store"
    make: MakeStore = request.getfixturevalue(name)
    return make


@pytest.fixture
def store(make_store: MakeStore) -> ManagedStreamStore:
    """A store with the default options."""
    return make_store()
