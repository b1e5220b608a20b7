"""This process as the owner of the streams that it writes.

While it writes any, the owner says that it is alive, by a key that expires, and listens on a Redis
stream of its own for those who want one of its streams cancelled. One blocking read does both: it
waits for a word and returns in time for the next sign of life.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from ._redis_link import RedisLink
from .errors import ResumableStreamError

__all__ = ("OwnedStream", "Owner", "Vigil")

logger = logging.getLogger("assistant_stream_ce.resumable")

_RETRY_DELAY = 0.2


@dataclass
class OwnedStream:
    """A stream that this process writes."""

    token: str
    offset: int
    """Bytes that are stored."""
    on_cancel: Callable[[], None] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while bytes are added, because an append names the place it goes to."""

    def cancel(self) -> None:
        """Pass the wish to cancel on, once."""
        on_cancel, self.on_cancel = self.on_cancel, None
        if on_cancel is not None:
            on_cancel()


class Owner:
    """Keeps the sign of life going while there are streams."""

    def __init__(self, link: RedisLink, key_prefix: str, lease: float) -> None:
        self.id = uuid.uuid4().hex
        self.streams: dict[str, OwnedStream] = {}
        self._link = link
        self._prefix = key_prefix
        self._lease = lease
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    def add(self, stream_id: str, stream: OwnedStream) -> None:
        """Own the stream from now on."""
        self.streams[stream_id] = stream
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._attend())

    async def remove(self, stream_id: str) -> None:
        """Own the stream no longer."""
        self.streams.pop(stream_id, None)
        if not self.streams:
            await self.aclose()

    async def aclose(self) -> None:
        """Own nothing any more, and return when nothing here uses the client.

        A task that is cancelled and left alone may still send a command, and a client that was
        closed in the meantime opens a connection for it that nobody closes.
        """
        self.streams.clear()
        if self._task is not None:
            self._task.cancel()
            self._ending.add(self._task)
            self._task.add_done_callback(self._ending.discard)
            self._task = None
        if self._ending:
            await asyncio.wait(set(self._ending))

    async def show_alive(self) -> None:
        """Say that this process lives, for the length of the lease."""
        milliseconds = round(self._lease * 1000)
        await self._link.call("SET", self._alive_key(self.id), "1", "PX", milliseconds)

    async def is_alive(self, owner_id: str) -> bool:
        """Whether the process of that id has said lately that it lives."""
        return bool(await self._link.call("EXISTS", self._alive_key(owner_id)))

    async def ask_to_cancel(self, owner_id: str, stream_id: str) -> None:
        """Tell the process of that id that somebody wants its stream cancelled."""
        key = self._control_key(owner_id)
        await self._link.call("XADD", key, "MAXLEN", "~", 1000, "*", "cancel", stream_id)
        await self._link.call("PEXPIRE", key, round(self._lease * 4000))

    async def _attend(self) -> None:
        reader = self._link.blocking_reader()
        after = "0-0"
        try:
            while True:
                try:
                    await self.show_alive()
                    entries = await reader.read(
                        self._control_key(self.id), after, self._lease / 3, 100
                    )
                except (RedisError, ResumableStreamError, OSError) as error:
                    logger.warning("Redis does not hear from this process: %s", error)
                    await asyncio.sleep(_RETRY_DELAY)
                    continue
                for entry_id, fields in entries:
                    after = entry_id.decode()
                    stream = self.streams.get(fields[b"cancel"].decode())
                    if stream is not None:
                        stream.cancel()
        finally:
            await reader.aclose()

    def _alive_key(self, owner_id: str) -> str:
        return f"{self._prefix}:owner:{owner_id}:alive"

    def _control_key(self, owner_id: str) -> str:
        return f"{self._prefix}:owner:{owner_id}:control"


class Vigil:
    """Decides whether the process that writes a stream has died.

    It has when there was no sign of life for a whole lease of watching: a sign that a restart of
    Redis has swallowed is given again within that time.
    """

    def __init__(self, owner: Owner, lease: float) -> None:
        self._owner = owner
        self._lease = lease
        self._silent_since: float | None = None

    async def is_dead(self, owner_id: str) -> bool:
        """Look once, and say what follows from all looks so far."""
        if await self._owner.is_alive(owner_id):
            self._silent_since = None
            return False
        now = asyncio.get_running_loop().time()
        if self._silent_since is None:
            self._silent_since = now
        return now - self._silent_since >= self._lease
