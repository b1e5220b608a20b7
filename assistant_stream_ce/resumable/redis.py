"""A store in Redis, for any number of processes; needs the extra `redis`.

Streams survive the process that reads them and a restart of Redis that keeps its data (AOF). What
a reader gets is checked byte by byte: whatever Redis loses, evicts or forgets ends in an error
that says so.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Literal

from assistant_stream_ce.typing import CancellationSignal

try:
    from ._redis_follow import Follower, Info
    from ._redis_link import RedisLikeClient, RedisLink, check_client
    from ._redis_owner import OwnedStream, Owner, Vigil
    from ._redis_records import StreamRecords
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "redis":
        raise
    raise ImportError(
        "The Redis store needs the package `redis`: pip install 'assistant-stream-ce[redis]'"
    ) from error
from ._errors import chunk_too_large, resolve_seconds, stream_missing, stream_too_large
from ._reading import Batches, Stopping, read_entries
from .errors import DEFAULT_TTL, ResumableStreamError
from .types import (
    ResumableStreamEntry,
    ResumableStreamInfo,
    ResumableStreamRole,
    ResumableStreamStatus,
    StreamEnd,
)

__all__ = (
    "DEFAULT_KEY_PREFIX",
    "RedisLikeClient",
    "RedisResumableStreamStore",
    "create_redis_resumable_stream_store",
)

DEFAULT_KEY_PREFIX = "aui:resumable"

DEFAULT_CHECK_INTERVAL = 5.0
"""Seconds of silence after which a reader looks whether its stream is still there."""

DEFAULT_LEASE = 15.0
"""Seconds after which a process that has given no sign of life is taken for dead."""

DEFAULT_RETRY_FOR = 30.0
"""Seconds for which commands are tried again while Redis is away."""


class RedisResumableStreamStore:
    """Keeps streams in Redis; see `create_redis_resumable_stream_store`."""

    def __init__(
        self,
        client: RedisLikeClient,
        *,
        key_prefix: str = DEFAULT_KEY_PREFIX,
        default_ttl_ms: float | None = None,
        poll_interval_ms: float | None = None,
        max_chunk_bytes: int | None = None,
        default_ttl: float | None = None,
        check_interval: float | None = None,
        max_bytes_per_stream: int | None = None,
        lease: float = DEFAULT_LEASE,
        retry_for: float = DEFAULT_RETRY_FOR,
    ) -> None:
        check_client(client)
        ttl = resolve_seconds(default_ttl, default_ttl_ms, DEFAULT_TTL, "default_ttl")
        interval = resolve_seconds(
            check_interval, poll_interval_ms, DEFAULT_CHECK_INTERVAL, "check_interval"
        )
        self._link = RedisLink(client, retry_for=retry_for)
        self._records = StreamRecords(self._link, key_prefix)
        self._owner = Owner(self._link, key_prefix, lease)
        self._ttl_ms = _milliseconds((ttl or DEFAULT_TTL) * 1000)
        self._lease = lease
        self._check_interval = min(interval or DEFAULT_CHECK_INTERVAL, lease / 3)
        self._max_chunk_bytes = max_chunk_bytes
        self._max_bytes = max_bytes_per_stream

    async def acquire(self, stream_id: str, *, ttl_ms: int | None = None) -> ResumableStreamRole:
        """Create the stream, or find it there.

        Raises:
            ResumableStreamError: `invalid-id`, or `unavailable`, here and in all other methods.
        """
        ttl = self._ttl_ms if ttl_ms is None else _milliseconds(ttl_ms)
        acquired = await self._records.acquire(stream_id, uuid.uuid4().hex, ttl)
        return "producer" if acquired else "consumer"

    async def claim(self, stream_id: str, on_cancel: Callable[[], None] | None = None) -> None:
        """Say that this process writes the stream; until its end it says that it is alive."""
        await self._claim(stream_id, on_cancel)

    async def append(self, stream_id: str, chunk: bytes) -> None:
        """Add bytes at the end; the time to live starts anew.

        Raises:
            ResumableStreamError: `missing`, `finalized`, `lost`, or `too-large` for a limit.
        """
        await self.append_many(stream_id, (chunk,))

    async def append_many(self, stream_id: str, chunks: Sequence[bytes]) -> None:
        """Add `chunks` as one entry, in one round trip; raises what `append` raises."""
        # Who appends without having claimed the stream does so now.
        stream = self._owner.streams.get(stream_id) or await self._claim(stream_id, None)
        data = b"".join(chunks)
        async with stream.lock:
            self._check_limits(stream_id, chunks, stream.offset + len(data))
            if not data:
                return
            try:
                cancelled = await self._records.append(stream_id, stream.token, stream.offset, data)
            except ResumableStreamError as error:
                if error.code in {"missing", "finalized"}:
                    await self._owner.remove(stream_id)
                raise
            stream.offset += len(data)
        if cancelled:
            stream.cancel()

    async def finalize(
        self, stream_id: str, status: Literal["done", "error"], error: str | None = None
    ) -> None:
        """End the stream; raises `missing` when there is none."""
        await self.finish(stream_id, StreamEnd(status, error))

    async def finish(self, stream_id: str, end: StreamEnd) -> None:
        """End the stream; raises `missing` when there is none."""
        stream = self._owner.streams.get(stream_id)
        try:
            token = stream.token if stream is not None else (await self._get(stream_id)).token
            await self._records.finish(stream_id, token, end)
        finally:
            await self._owner.remove(stream_id)

    def read(
        self, stream_id: str, cursor: str, signal: CancellationSignal
    ) -> AsyncGenerator[ResumableStreamEntry, None]:
        """Yield what comes after `cursor`, then follow until the end or until `signal` is set."""
        return read_entries(lambda stopping: self._batches(stream_id, cursor, stopping), signal)

    def follow(self, stream_id: str, cursor: str = "") -> Batches:
        """Yield what comes after `cursor` in batches, then follow until the end.

        Raises:
            ResumableStreamError: With the code of the stream's end; `missing` when it is gone,
                `lost` when bytes of it are gone or its producer has died.
        """
        return self._batches(stream_id, cursor, None)

    async def status(self, stream_id: str) -> ResumableStreamStatus:
        """Return how the stream stands."""
        return (await self.info(stream_id)).status

    async def info(self, stream_id: str) -> ResumableStreamInfo:
        """Return status, size and error of the stream."""
        info = await self._records.load(stream_id)
        if info is None:
            return ResumableStreamInfo("missing")
        if info.end is None:
            return ResumableStreamInfo("streaming", info.size)
        return ResumableStreamInfo(info.end.status, info.size, info.end.error)

    async def cancel(self, stream_id: str) -> bool:
        """Ask the producer to stop; `False` when the stream is not being produced."""
        owner_id = await self._records.cancel(stream_id)
        if owner_id is None:
            return False
        stream = self._owner.streams.get(stream_id)
        if stream is not None:
            stream.cancel()
        elif owner_id:
            await self._owner.ask_to_cancel(owner_id, stream_id)
        return True

    async def delete(self, stream_id: str) -> None:
        """Forget the stream. Its readers have a few seconds to read what is there."""
        await self._records.delete(stream_id)
        await self._owner.remove(stream_id)

    async def aclose(self) -> None:
        """Stop saying that this process is alive; to be awaited before the client is closed.

        Streams that it still writes are taken for lost after the lease. A context's producers need
        no such call: when the last of them has ended, so has all that the store does by itself.
        """
        await self._owner.aclose()

    def _batches(self, stream_id: str, cursor: str, stopping: Stopping | None) -> Batches:
        vigil = Vigil(self._owner, self._lease)

        async def is_dead(info: Info) -> bool:
            if not (info.owner and await vigil.is_dead(info.owner)):
                return False
            # The other readers need not wait as long, and should it live after all it must stop.
            end = StreamEnd("error", f"The producer of stream {stream_id} has died.", "lost")
            return await self._records.finish(stream_id, info.token, end)

        follower = Follower(
            self._link,
            stream_id,
            log_key=lambda token: self._records.log_key(stream_id, token),
            load=lambda: self._records.load(stream_id),
            is_dead=is_dead,
            check_interval=self._check_interval,
        )
        return follower.batches(cursor, stopping)

    async def _get(self, stream_id: str) -> Info:
        info = await self._records.load(stream_id)
        if info is None:
            raise stream_missing(stream_id)
        return info

    async def _claim(self, stream_id: str, on_cancel: Callable[[], None] | None) -> OwnedStream:
        if not self._owner.streams:
            await self._owner.show_alive()
        claim = await self._records.claim(stream_id, self._owner.id)
        stream = OwnedStream(claim.token, claim.size, on_cancel)
        self._owner.add(stream_id, stream)
        if claim.cancelled:
            stream.cancel()
        return stream

    def _check_limits(self, stream_id: str, chunks: Sequence[bytes], size: int) -> None:
        for chunk in chunks:
            if self._max_chunk_bytes is not None and len(chunk) > self._max_chunk_bytes:
                raise chunk_too_large(stream_id, len(chunk), self._max_chunk_bytes)
        if self._max_bytes is not None and size > self._max_bytes:
            raise stream_too_large(stream_id, size, self._max_bytes)


def create_redis_resumable_stream_store(
    client: RedisLikeClient,
    *,
    key_prefix: str = DEFAULT_KEY_PREFIX,
    default_ttl_ms: float | None = None,
    poll_interval_ms: float | None = None,
    max_chunk_bytes: int | None = None,
    default_ttl: float | None = None,
    check_interval: float | None = None,
    max_bytes_per_stream: int | None = None,
    lease: float = DEFAULT_LEASE,
    retry_for: float = DEFAULT_RETRY_FOR,
) -> RedisResumableStreamStore:
    """Create a store over a `redis.asyncio.Redis`, which stays the caller's to close.

    Close it last: after `aclose()` of the contexts, or of the store when it is used without one.

    A reader that waits for a stream to go on has a connection of its own, beside the client's
    pool, and so has every process while it writes.

    Args:
        client: Made without `decode_responses`.
        key_prefix: What the keys begin with.
        default_ttl_ms: `default_ttl` in milliseconds; upstream's unit.
        poll_interval_ms: `check_interval` in milliseconds; upstream's name, though reads block
            and do not poll.
        max_chunk_bytes: The most bytes one append may have.
        default_ttl: Seconds a stream is kept after it was last written to; 24 hours by default.
        check_interval: Seconds of silence after which a reader looks whether its stream is still
            there and its producer alive; 5 by default, a third of `lease` at most.
        max_bytes_per_stream: The most bytes one stream may have.
        lease: Seconds after which a process that has given no sign of life is taken for dead.
        retry_for: Seconds for which commands are tried again while Redis is away.

    Raises:
        TypeError: `client` is no asyncio client of redis-py.
        ValueError: The client decodes what it reads, and the bytes of a stream are no text.
    """
    return RedisResumableStreamStore(
        client,
        key_prefix=key_prefix,
        default_ttl_ms=default_ttl_ms,
        poll_interval_ms=poll_interval_ms,
        max_chunk_bytes=max_chunk_bytes,
        default_ttl=default_ttl,
        check_interval=check_interval,
        max_bytes_per_stream=max_bytes_per_stream,
        lease=lease,
        retry_for=retry_for,
    )


def _milliseconds(value: float) -> int:
    return max(1, math.ceil(value))
