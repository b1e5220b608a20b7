"""How the store talks to Redis: again after a failure that passes, and blocking reads on
connections of their own."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias, TypeVar

from redis import exceptions

from ._redis_scripts import Script
from .errors import ResumableStreamError

__all__ = ("BlockingReader", "RedisLikeClient", "RedisLink", "RedisValue", "check_client")

logger = logging.getLogger("assistant_stream_ce.resumable")

_PASSING = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.ClusterDownError,
)
"""What a restart, a failover or a short outage looks like."""

_LASTING = (exceptions.AuthenticationError, exceptions.AuthorizationError)
"""Those among them that no repetition helps."""

_FIRST_DELAY = 0.05
_MAX_DELAY = 1.0

_ANSWER_GRACE = 5.0
"""Seconds by which the answer to a blocking read may be late before its connection is dead."""

RedisValue: TypeAlias = "bytes | str | int | float"

Entry: TypeAlias = tuple[bytes, Mapping[bytes, bytes]]
"""An entry of a Redis stream: its id and its fields."""

_T = TypeVar("_T")


class RedisLikeClient(Protocol):
    """What the store needs of a client; `redis.asyncio.Redis` has it."""

    @property
    def connection_pool(self) -> Any:
        """A pool whose `make_connection()` returns a connection that is nobody else's."""
        ...

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and return its parsed answer."""
        ...


class RedisLink:
    """Sends commands, again and again for `retry_for` seconds while Redis is away.

    Every command that goes through here can be sent twice without harm.
    """

    def __init__(self, client: RedisLikeClient, *, retry_for: float) -> None:
        self._client = client
        self._retry_for = retry_for

    async def call(self, *args: RedisValue) -> Any:
        """Send one command.

        Raises:
            ResumableStreamError: `unavailable`.
        """
        return await self.retry(lambda: self._client.execute_command(*args))

    async def script(self, script: Script, keys: Sequence[str], *args: RedisValue) -> Any:
        """Run `script`, which Redis may have forgotten since it was restarted."""

        async def run() -> Any:
            execute = self._client.execute_command
            try:
                return await execute("EVALSHA", script.sha, len(keys), *keys, *args)
            except exceptions.NoScriptError:
                return await execute("EVAL", script.source, len(keys), *keys, *args)

        return await self.retry(run)

    async def entries(self, key: str, start: str, count: int) -> Sequence[Entry]:
        """Return the entries of `key` that are there now, from the id `start` on."""
        return parse_entries(await self.call("XRANGE", key, start, "+", "COUNT", count))

    async def retry(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Await `attempt()` until it gets through."""
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        delay = _FIRST_DELAY
        while True:
            try:
                with _cancellation_kept():
                    return await attempt()
            except _PASSING as error:
                if deadline is None:
                    logger.warning("Redis does not answer (%s); trying again.", error)
                    deadline = loop.time() + self._retry_for
                if isinstance(error, _LASTING) or loop.time() + delay > deadline:
                    raise _unavailable(error) from error
            except exceptions.RedisError as error:
                raise _unavailable(error) from error
            await asyncio.sleep(delay)
            delay = min(2 * delay, _MAX_DELAY)

    def blocking_reader(self) -> BlockingReader:
        """A reader of Redis streams that waits in Redis for what comes."""
        return BlockingReader(self._client)


class BlockingReader:
    """Blocking reads, on a connection that is made when first needed.

    It is not one of the pool's: a pool has a limit, and readers that sit in it, waiting, would
    keep the writers out.
    """

    def __init__(self, client: RedisLikeClient) -> None:
        self._pool: Any = client.connection_pool
        self._connection: Any = None

    async def read(self, key: str, after: str, block: float, count: int) -> Sequence[Entry]:
        """Return entries of `key` after the id `after`, waiting for them up to `block` seconds.

        Raises:
            RedisError: The connection broke; the next read makes a new one.
        """
        if self._connection is None:
            self._connection = self._pool.make_connection()
        connection = self._connection
        milliseconds = max(1, round(block * 1000))
        try:
            with _cancellation_kept():
                await connection.connect()
                await connection.send_command(
                    "XREAD", "COUNT", count, "BLOCK", milliseconds, "STREAMS", key, after
                )
            reply = await connection.read_response(timeout=block + _ANSWER_GRACE)
        except BaseException:
            # `aclose()` may have come while this was connecting, and found nothing to close.
            self._connection = None
            await connection.disconnect(nowait=True)
            raise
        if not reply:
            return ()
        # One pair of key and entries in a list or, with RESP3, in a map.
        return parse_entries(*(reply.values() if isinstance(reply, dict) else reply[0][1:]))

    async def aclose(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


@contextmanager
def _cancellation_kept() -> Generator[None, None, None]:
    """Raise the cancellation that the block has swallowed.

    redis-py writes under `asyncio.wait_for`, which before Python 3.12 forgets a cancellation that
    comes in the moment the write is done; what then follows may wait for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        yield
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError


def check_client(client: RedisLikeClient) -> None:
    """Check that `client` can be used.

    Raises:
        TypeError: It is no asyncio client of redis-py.
        ValueError: It decodes what it reads.
    """
    pool: Any = getattr(client, "connection_pool", None)
    if not inspect.iscoroutinefunction(getattr(client, "execute_command", None)) or not hasattr(
        pool, "make_connection"
    ):
        raise TypeError(
            "The Redis store needs a `redis.asyncio.Redis` client (or anything with its "
            f"`execute_command` and `connection_pool`), not {type(client).__name__}"
        )
    if getattr(pool, "connection_kwargs", {}).get("decode_responses"):
        raise ValueError(
            "The Redis client must be made without decode_responses: the bytes of a stream are "
            "not text"
        )


def parse_entries(entries: Any) -> Sequence[Entry]:
    """Entries in each of their forms: the fields flat, or a dict when the client parsed them."""
    return [(entry_id, _fields(fields)) for entry_id, fields in entries or ()]


def _fields(fields: Any) -> Mapping[bytes, bytes]:
    parsed: Mapping[bytes, bytes] = fields
    return parsed if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))


def _unavailable(error: exceptions.RedisError) -> ResumableStreamError:
    return ResumableStreamError("unavailable", f"The Redis store cannot be used: {error}")
