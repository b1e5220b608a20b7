"""`create_resumable_stream_context`: streams whose producer outlives the client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Literal, TypeAlias

from ._errors import resolve_seconds, stream_missing
from ._plain_store import adapt_store
from ._producer import Hooks, Producer, Source
from .types import (
    ResumableStreamInfo,
    ResumableStreamRole,
    ResumableStreamStatus,
    ResumableStreamStore,
)

__all__ = (
    "MakeStream",
    "OnAcquire",
    "OnAppend",
    "OnError",
    "OnFinalize",
    "ResumableStreamContext",
    "WaitUntil",
    "create_resumable_stream_context",
)

logger = logging.getLogger("assistant_stream_ce.resumable")

MakeStream: TypeAlias = Callable[[], AsyncIterator[bytes]]
WaitUntil: TypeAlias = "Callable[[asyncio.Task[None]], None]"
OnAcquire: TypeAlias = Callable[[str, ResumableStreamRole], None]
OnAppend: TypeAlias = Callable[[str, int], None]
OnFinalize: TypeAlias = Callable[[str, Literal["done", "error"], str | None], None]
OnError: TypeAlias = Callable[[str, object], None]


class ResumableStreamContext:
    """Produces streams into a store and reads them from it; see
    `create_resumable_stream_context`."""

    def __init__(
        self,
        store: ResumableStreamStore,
        *,
        ttl: float | None = None,
        wait_until: WaitUntil | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self._store = adapt_store(store)
        self._ttl_ms = None if ttl is None else max(1, round(ttl * 1000))
        self._wait_until = wait_until
        self._hooks = hooks or Hooks()
        self._producers: dict[asyncio.Task[None], Producer] = {}

    async def run(self, stream_id: str, make_stream: MakeStream) -> AsyncGenerator[bytes, None]:
        """Produce the stream unless that has begun already, and read it from its start.

        The reader may go: the producer goes on, in a task of its own.

        Args:
            stream_id: 1 to 256 of the characters `A-Z a-z 0-9 _ . : -`.
            make_stream: Returns the source of the bytes; called by the first caller only.

        Raises:
            ResumableStreamError: `invalid-id`, or `too-many` or `unavailable` from the store.
        """
        await self.start(stream_id, make_stream)
        return self._read(stream_id, "")

    async def start(
        self,
        stream_id: str,
        make_stream: MakeStream,
        *,
        on_cancel: Callable[[], None] | None = None,
        heartbeat: bytes | None = None,
        heartbeat_interval: float | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> ResumableStreamRole:
        """Produce the stream unless that has begun already, and return at once.

        Args:
            stream_id: As for `run`.
            make_stream: As for `run`.
            on_cancel: Called when the stream is cancelled; it makes the source end by itself,
                in good order. Without it the source is closed.
            heartbeat: What to write when the source has given nothing for `heartbeat_interval`
                seconds. It becomes part of the stream.
            heartbeat_interval: See `heartbeat`.
            on_end: Called once when the producer of the stream has ended, for whatever reason,
                even when it had not come to ask for the source. Not called for a `consumer`.

        Returns:
            `producer` for the first caller, `consumer` for all later ones.
        """
        role = await self._store.acquire(stream_id, ttl_ms=self._ttl_ms)
        self._hooks.call(self._hooks.on_acquire, stream_id, role)
        if role == "producer":
            source = Source(make_stream, on_cancel, heartbeat, heartbeat_interval)
            self._produce(Producer(self._store, stream_id, source, self._hooks), on_end)
        return role

    async def resume(self, stream_id: str, cursor: str = "") -> AsyncGenerator[bytes, None] | None:
        """Read the stream from `cursor`, then follow it; `None` when there is no such stream.

        Args:
            stream_id: The stream.
            cursor: The number of bytes that the reader has already; empty for none.
        """
        if await self.status(stream_id) == "missing":
            return None
        return self._read(stream_id, cursor)

    async def require_resume(self, stream_id: str, cursor: str = "") -> AsyncGenerator[bytes, None]:
        """Like `resume`; raises `ResumableStreamError` (`missing`) when there is no such stream."""
        stream = await self.resume(stream_id, cursor)
        if stream is None:
            raise stream_missing(stream_id)
        return stream

    async def status(self, stream_id: str) -> ResumableStreamStatus:
        """Return `streaming`, `done`, `error` or `missing`."""
        return await self._store.status(stream_id)

    async def info(self, stream_id: str) -> ResumableStreamInfo:
        """Return status, size in bytes and error of the stream."""
        return await self._store.info(stream_id)

    async def cancel(self, stream_id: str) -> bool:
        """Stop the producer of the stream, whichever process it runs in.

        Its readers get what there is, and a well-formed end if the source can make one; else
        `ResumableStreamError` with the code `cancelled`.

        Returns:
            Whether the stream was being produced.
        """
        return await self._store.cancel(stream_id)

    async def delete(self, stream_id: str) -> None:
        """Stop the producer of the stream and forget all of it."""
        await self._store.cancel(stream_id)
        await self._store.delete(stream_id)

    async def aclose(self) -> None:
        """Cancel what is being produced here and wait for its end; for the server's shutdown."""
        for producer in self._producers.values():
            producer.cancel()
        if self._producers:
            await asyncio.wait(set(self._producers))

    def _produce(self, producer: Producer, on_end: Callable[[], None] | None) -> None:
        task = asyncio.create_task(producer.run())
        self._producers[task] = producer
        task.add_done_callback(self._forget)
        if on_end is not None:
            task.add_done_callback(lambda _: on_end())
        if self._wait_until is not None:
            self._wait_until(task)

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._producers[task]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("A producer of resumable streams failed.", exc_info=error)

    async def _read(self, stream_id: str, cursor: str) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._store.follow(stream_id, cursor)) as batches:
            async for batch in batches:
                yield b"".join([entry.chunk for entry in batch])


def create_resumable_stream_context(
    *,
    store: ResumableStreamStore,
    ttl_ms: int | None = None,
    wait_until: WaitUntil | None = None,
    on_acquire: OnAcquire | None = None,
    on_append: OnAppend | None = None,
    on_finalize: OnFinalize | None = None,
    on_error: OnError | None = None,
    ttl: float | None = None,
) -> ResumableStreamContext:
    """Create what produces streams into `store` and reads them from it.

    Args:
        store: Where the bytes are kept; any object with the six methods of
            `ResumableStreamStore`.
        ttl_ms: `ttl` in milliseconds; upstream's unit.
        wait_until: Gets the task of every producer, for a host that ends a process early.
        on_acquire: Called with the stream's id and the role of the caller.
        on_append: Called with the stream's id and the length of each chunk, once it is stored.
        on_finalize: Called with the stream's id, `done` or `error`, and the error's text.
        on_error: Called with the stream's id and the exception of its source, or of the store.
        ttl: Seconds a stream is kept after it was last written to; the store's by default.
    """
    return ResumableStreamContext(
        store,
        ttl=resolve_seconds(ttl, ttl_ms, None, "ttl"),
        wait_until=wait_until,
        hooks=Hooks(on_acquire, on_append, on_finalize, on_error),
    )
