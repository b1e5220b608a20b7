"""A real redis-server for tests: started, killed and started again; and a line that breaks."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self, TypeAlias

import pytest
from redis.asyncio import Redis, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff

from assistant_stream_ce.resumable.redis import (
    RedisResumableStreamStore,
    create_redis_resumable_stream_store,
)

__all__ = ("FlakyLine", "RedisServer", "RedisUsers", "Settle", "WatchedConnection", "connect")

Settle: TypeAlias = Callable[[], Awaitable[None]]
"""Waits for the tasks of a test."""


class WatchedConnection(UnixDomainSocketConnection):
    """A connection that a test cannot forget to close."""

    made: ClassVar[set[WatchedConnection]] = set()

    async def _connect(self) -> None:
        self.made.add(self)
        await super()._connect()  # type: ignore[no-untyped-call]

    @classmethod
    def take_open(cls) -> list[WatchedConnection]:
        """Those that are open, once."""
        still_open = [connection for connection in cls.made if connection.is_connected]
        cls.made.clear()
        return still_open


def connect(path: Path | str, **options: Any) -> Redis:
    """A client of the server behind a unix socket. It reconnects quickly, to keep tests short."""
    options = {"retry": Retry(ConstantBackoff(0.02), 1), **options}
    client = Redis(unix_socket_path=str(path), **options)
    client.connection_pool.connection_class = WatchedConnection
    return client


class RedisUsers:
    """The clients and stores of one test."""

    def __init__(self) -> None:
        self.clients: list[Redis] = []
        self.stores: list[RedisResumableStreamStore] = []

    def client(self, socket: Path, **options: Any) -> Redis:
        """A client of the server there."""
        self.clients.append(connect(socket, **options))
        return self.clients[-1]

    def store(self, client: Redis, **options: Any) -> RedisResumableStreamStore:
        """A store that uses `client`."""
        self.stores.append(create_redis_resumable_stream_store(client, **options))
        return self.stores[-1]

    async def aclose(self, settle: Settle) -> None:
        """Close them in an order that leaves nothing open."""
        try:
            for store in self.stores:
                await store.aclose()
            await settle()
        finally:
            for client in self.clients:
                await client.aclose()


class RedisServer:
    """A server on a unix socket in `folder`, which must have a short path."""

    def __init__(self, folder: Path, *, keeps_data: bool) -> None:
        executable = shutil.which("redis-server")
        if executable is None:
            _unavailable("redis-server is not installed (apt-get install redis-server)")
        self.socket = folder / "redis.sock"
        persistence = ["--appendonly", "yes", "--appendfsync", "always"] if keeps_data else []
        self._command = [
            executable,
            *("--port", "0"),
            *("--unixsocket", str(self.socket)),
            *("--dir", str(folder)),
            *("--save", ""),
            *persistence,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self.socket.exists():
            assert self._process.poll() is None, "redis-server ended at once"
            assert time.monotonic() < deadline, "redis-server does not come up"
            time.sleep(0.005)

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    async def restart(self, *, down_for: float = 0.1) -> None:
        """Crash the server and start it again."""
        await asyncio.to_thread(self.kill)
        await asyncio.sleep(down_for)
        await asyncio.to_thread(self.start)


class FlakyLine:
    """A line to a server that can lose the answers to the commands it has passed on."""

    def __init__(self, server: Path, socket: Path) -> None:
        self.socket = socket
        self.lose_answers = 0
        """How many of the next answers are lost; the connection breaks each time."""
        self._server = server
        self._listener: asyncio.Server | None = None
        self._ends: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_unix_server(self._serve, self.socket)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()
        for task in self._ends:
            task.cancel()
        await asyncio.gather(*self._ends, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(self._server)
        pumps = [
            asyncio.create_task(self._pump(reader, to_server, answers=False)),
            asyncio.create_task(self._pump(from_server, writer, answers=True)),
        ]
        self._ends.update(pumps)
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, to_server):
            end.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        while data := await reader.read(65536):
            if answers and self.lose_answers and not data.startswith((b"*", b"%", b"+OK")):
                self.lose_answers -= 1
                return
            writer.write(data)


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (CI must run these tests)", pytrace=False)
    pytest.skip(reason)
