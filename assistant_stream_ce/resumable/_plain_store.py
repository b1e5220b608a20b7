"""Any store of upstream's six methods, made into one that a context can work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ._reading import Batches
from .types import (
    ManagedStreamStore,
    ResumableStreamInfo,
    ResumableStreamRole,
    ResumableStreamStatus,
    ResumableStreamStore,
    StreamEnd,
)

__all__ = ("ContextStore", "PlainStore", "adapt_store")


class PlainStore:
    """The wrapped store, with cancel by id within this process and without sizes."""

    def __init__(self, store: ResumableStreamStore) -> None:
        self._store = store
        self._on_cancel: dict[str, Callable[[], None]] = {}

    async def acquire(self, stream_id: str, *, ttl_ms: int | None = None) -> ResumableStreamRole:
        return await self._store.acquire(stream_id, ttl_ms=ttl_ms)

    async def claim(self, stream_id: str, on_cancel: Callable[[], None] | None = None) -> None:
        if on_cancel is not None:
            self._on_cancel[stream_id] = on_cancel

    async def append_many(self, stream_id: str, chunks: Sequence[bytes]) -> None:
        for chunk in chunks:
            await self._store.append(stream_id, chunk)

    async def finish(self, stream_id: str, end: StreamEnd) -> None:
        self._on_cancel.pop(stream_id, None)
        await self._store.finalize(stream_id, end.status, end.error)

    async def follow(self, stream_id: str, cursor: str = "") -> Batches:
        signal = asyncio.Event()
        entries = self._store.read(stream_id, cursor, signal)
        try:
            async for entry in entries:
                yield (entry,)
        finally:
            signal.set()
            close = getattr(entries, "aclose", None)
            if close is not None:
                await close()

    async def status(self, stream_id: str) -> ResumableStreamStatus:
        return await self._store.status(stream_id)

    async def info(self, stream_id: str) -> ResumableStreamInfo:
        return ResumableStreamInfo(await self._store.status(stream_id))

    async def cancel(self, stream_id: str) -> bool:
        on_cancel = self._on_cancel.pop(stream_id, None)
        if on_cancel is None:
            return False
        on_cancel()
        return True

    async def delete(self, stream_id: str) -> None:
        await self._store.delete(stream_id)


ContextStore = ManagedStreamStore | PlainStore
"""What a context works with."""


def adapt_store(store: ResumableStreamStore) -> ContextStore:
    """Return `store` itself when it can do all that a context offers, or wrap it."""
    return store if isinstance(store, ManagedStreamStore) else PlainStore(store)
