"""Small steps that the tests share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable

import pytest

from assistant_stream_ce.resumable import (
    ManagedStreamStore,
    ResumableStreamContext,
    ResumableStreamError,
    ResumableStreamStore,
)

__all__ = ("follow_all", "join", "read_all", "read_until_error", "until", "until_status")


async def join(stream: AsyncIterable[bytes]) -> bytes:
    """All that `stream` has."""
    return b"".join([piece async for piece in stream])


async def read_all(store: ResumableStreamStore, stream_id: str = "s", cursor: str = "") -> bytes:
    """Read to the end with upstream's method."""
    entries = store.read(stream_id, cursor, asyncio.Event())
    return b"".join([entry.chunk async for entry in entries])


async def follow_all(store: ManagedStreamStore, stream_id: str = "s", cursor: str = "") -> bytes:
    """Read to the end with ours."""
    batches = store.follow(stream_id, cursor)
    return b"".join([entry.chunk async for batch in batches for entry in batch])


async def read_until_error(stream: AsyncIterable[bytes]) -> tuple[bytes, ResumableStreamError]:
    """What `stream` has, and the error that it must end with."""
    data = b""
    with pytest.raises(ResumableStreamError) as caught:
        async for piece in stream:
            data += piece
    return data, caught.value


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that happens in its own time."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.002)


async def until_status(context: ResumableStreamContext, stream_id: str, status: str) -> None:
    """Wait until the stream stands like this."""
    async with asyncio.timeout(10):
        while await context.status(stream_id) != status:  # noqa: ASYNC110 - see `until`
            await asyncio.sleep(0.002)
