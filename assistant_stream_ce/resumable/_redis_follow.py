"""Reading one stream from Redis: what is there, then what comes, each byte once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._errors import cursor_too_far, parse_cursor, stream_lost, stream_missing, stream_vanished
from ._reading import Batches, Stopping, end_error
from ._redis_link import BlockingReader, Entry, RedisLink
from .types import ResumableStreamEntry, StreamEnd

__all__ = ("Follower", "Info", "parse_end")

_COUNT = 32
"""Entries to fetch at once. An entry is a write of the producer, and those are batched."""

_SOON = 0.01


@dataclass(frozen=True)
class Info:
    """The hash of a stream; see `_redis_scripts`."""

    token: str
    owner: str
    """The process that writes it; empty before there is one."""
    size: int
    end: StreamEnd | None


def parse_end(fields: Mapping[bytes, bytes | None]) -> StreamEnd:
    """How a stream has ended, from its hash or its last entry."""

    def text(name: bytes) -> str:
        return (fields.get(name) or b"").decode(errors="replace")

    if text(b"status") == "done":
        return StreamEnd("done")
    code: Any = text(b"code") or "failed"
    return StreamEnd("error", text(b"error") or None, code, bool(fields.get(b"reported")))


class Follower:
    """One reader of one stream.

    Args:
        link: To Redis.
        stream_id: For messages.
        log_key: The key of the stream's entries, from its token.
        load: Returns the stream's hash as it is then, or `None`.
        is_dead: Whether the process that writes the stream has died.
        check_interval: Seconds of silence after which the stream is looked after.
    """

    def __init__(
        self,
        link: RedisLink,
        stream_id: str,
        *,
        log_key: Callable[[str], str],
        load: Callable[[], Awaitable[Info | None]],
        is_dead: Callable[[Info], Awaitable[bool]],
        check_interval: float,
    ) -> None:
        self._link = link
        self._stream_id = stream_id
        self._log_key = log_key
        self._load = load
        self._is_dead = is_dead
        self._check_interval = check_interval
        self._token = ""
        self._log = ""
        self._offset = 0
        self._end: StreamEnd | None = None

    async def batches(self, cursor: str, stopping: Stopping | None) -> Batches:
        """Yield what the stream has after `cursor`, then follow it to its end."""
        await self._begin(cursor)
        reader = self._link.blocking_reader()
        try:
            entries = await self._link.entries(self._log, f"{self._offset}-1", _COUNT)
            while True:
                batch = self._take(entries)
                if batch:
                    yield batch
                elif self._end is None:
                    await self._look_after()
                if self._end is not None:
                    break
                entries = await self._next(reader, stopping)
                if stopping is not None and stopping.done():
                    return
        finally:
            await reader.aclose()
        error = end_error(self._stream_id, self._end)
        if error is not None:
            raise error

    async def _begin(self, cursor: str) -> None:
        self._offset = parse_cursor(cursor)
        info = await self._load()
        if info is None:
            raise stream_missing(self._stream_id)
        if self._offset > info.size:
            raise cursor_too_far(self._stream_id, self._offset, info.size)
        self._token = info.token
        self._log = self._log_key(info.token)

    async def _next(self, reader: BlockingReader, stopping: Stopping | None) -> Sequence[Entry]:
        """Wait for entries; returns none when none has come for a while."""
        block = self._check_interval

        async def attempt() -> Sequence[Entry]:
            nonlocal block
            # Redis may come back without the stream: after a failure, look soon.
            once, block = block, _SOON
            return await reader.read(self._log, f"{self._offset}-0", once, _COUNT)

        if stopping is None:
            return await self._link.retry(attempt)
        waiting = asyncio.ensure_future(self._link.retry(attempt))
        try:
            both: set[asyncio.Future[Any]] = {waiting, stopping}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else ()
        finally:
            waiting.cancel()
            await asyncio.wait({waiting})

    def _take(self, entries: Sequence[Entry]) -> list[ResumableStreamEntry]:
        """The new bytes in `entries`, up to the end or to a gap."""
        batch: list[ResumableStreamEntry] = []
        for entry_id, fields in entries:
            number, _, kind = entry_id.decode().partition("-")
            end = int(number)
            chunk = fields.get(b"c", b"")
            start = end - len(chunk)
            if kind == "1":
                self._end = parse_end(fields)
            if start > self._offset and (self._end is None or self._end.status == "done"):
                why = f"the bytes {self._offset} to {start} are gone; did the store evict them?"
                self._end = StreamEnd("error", str(stream_lost(self._stream_id, why)), "lost")
            if self._end is not None:
                break
            if end > self._offset:
                batch.append(ResumableStreamEntry(number, chunk[self._offset - start :]))
                self._offset = end
        return batch

    async def _look_after(self) -> None:
        """After a silence: find out whether there is anything left to wait for."""
        info = await self._load()
        if info is None or info.token != self._token:
            raise stream_vanished(self._stream_id)
        if info.size < self._offset:
            raise stream_lost(self._stream_id, "the store has forgotten bytes that it had.")
        if info.size > self._offset:
            if not await self._link.call("EXISTS", self._log):
                raise stream_lost(self._stream_id, "the store has evicted its bytes.")
        elif info.end is not None:
            self._end = info.end
        elif await self._is_dead(info):
            why = "the process that produced it has stopped."
            raise stream_lost(self._stream_id, why)
