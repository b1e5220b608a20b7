"""The two stores, behind one fixture."""

from __future__ import annotations

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
from tests.resumable.redis_server import RedisServer, connect

MakeStore: TypeAlias = Callable[..., ManagedStreamStore]


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
async def make_redis_store(redis_server: RedisServer) -> AsyncGenerator[MakeStore, None]:
    """Makes stores in Redis; each call is like another process, with a client of its own."""
    from assistant_stream_ce.resumable.redis import create_redis_resumable_stream_store

    prefix = f"test:{uuid.uuid4().hex}"
    clients = [connect(redis_server.socket)]

    def make(**options: Any) -> ManagedStreamStore:
        clients.append(connect(redis_server.socket))
        options = {"key_prefix": prefix, "check_interval": 0.05, **options}
        return create_redis_resumable_stream_store(clients[-1], **options)

    yield make
    for client in clients:
        await client.aclose()


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
