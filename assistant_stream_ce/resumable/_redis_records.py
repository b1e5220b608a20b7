"""What the store keeps in Redis, and the steps that change it; see `_redis_scripts`."""

from __future__ import annotations

from dataclasses import dataclass

from ._errors import stream_deleted, stream_finalized, stream_lost, stream_missing
from ._redis_follow import Info, parse_end
from ._redis_link import RedisLink
from ._redis_scripts import ACQUIRE, APPEND, CANCEL, CLAIM, DELETE, FINISH
from .errors import validate_stream_id
from .types import StreamEnd

__all__ = ("Claim", "StreamRecords")

_LINGER_MS = 10_000
"""How long the bytes of a deleted stream stay, so that its readers learn of it."""

_FIELDS = ("token", "owner", "size", "status", "error", "code", "reported")


@dataclass(frozen=True)
class Claim:
    """A stream as its writer finds it."""

    token: str
    size: int
    cancelled: bool
    """Whether somebody has asked to cancel it already."""


class StreamRecords:
    """The keys of all streams under one prefix."""

    def __init__(self, link: RedisLink, key_prefix: str) -> None:
        self._link = link
        self._prefix = key_prefix

    async def acquire(self, stream_id: str, token: str, ttl_ms: int) -> bool:
        """Create the stream; whether it is this very `token` that it has now."""
        return bool(await self._link.script(ACQUIRE, [self._info_key(stream_id)], token, ttl_ms))

    async def claim(self, stream_id: str, owner_id: str) -> Claim:
        """Make `owner_id` the process that writes the stream.

        Raises:
            ResumableStreamError: `missing` or `finalized`.
        """
        keys = [self._info_key(stream_id)]
        token, status, size, cancel = await self._link.script(CLAIM, keys, owner_id)
        if token is None:
            raise stream_missing(stream_id)
        if status != b"streaming":
            raise stream_finalized(stream_id)
        return Claim(token.decode(), int(size), cancel is not None)

    async def append(self, stream_id: str, token: str, start: int, data: bytes) -> bool:
        """Store `data` as the bytes from `start` on; whether somebody has asked to cancel.

        Raises:
            ResumableStreamError: `missing`, `finalized` or `lost`.
        """
        keys = [self._info_key(stream_id), self.log_key(stream_id, token)]
        reply = await self._link.script(APPEND, keys, token, start, start + len(data), data)
        if reply == b"missing":
            raise stream_missing(stream_id)
        if reply == b"finalized":
            raise stream_finalized(stream_id)
        if reply == b"lost":
            raise stream_lost(stream_id, "the store has forgotten bytes that it had.")
        return bool(reply == b"cancel")

    async def finish(self, stream_id: str, token: str, end: StreamEnd) -> bool:
        """End the stream; `False` when it had ended before.

        Raises:
            ResumableStreamError: `missing`.
        """
        keys = [self._info_key(stream_id), self.log_key(stream_id, token)]
        args = (token, end.status, end.error or "", end.code, "1" if end.reported else "")
        reply = await self._link.script(FINISH, keys, *args)
        if reply == b"missing":
            raise stream_missing(stream_id)
        return bool(reply == b"ok")

    async def cancel(self, stream_id: str) -> str | None:
        """Note that the stream is to be cancelled and return its owner, "" for none yet; `None`
        when it is not being produced."""
        owner_id = await self._link.script(CANCEL, [self._info_key(stream_id)])
        return None if owner_id is None else str(owner_id, "ascii")

    async def delete(self, stream_id: str) -> None:
        """Forget the stream; its bytes stay for a moment."""
        info = await self.load(stream_id)
        if info is not None:
            keys = [self._info_key(stream_id), self.log_key(stream_id, info.token)]
            error = str(stream_deleted(stream_id))
            await self._link.script(DELETE, keys, info.token, error, _LINGER_MS)

    async def load(self, stream_id: str) -> Info | None:
        """Return what is known about the stream."""
        values = await self._link.call("HMGET", self._info_key(stream_id), *_FIELDS)
        fields = dict(zip(_FIELDS, values, strict=True))
        if fields["token"] is None:
            return None
        ended = fields["status"] != b"streaming"
        return Info(
            token=fields["token"].decode(),
            owner=(fields["owner"] or b"").decode(),
            size=int(fields["size"]),
            end=parse_end({key.encode(): value for key, value in fields.items()})
            if ended
            else None,
        )

    def log_key(self, stream_id: str, token: str) -> str:
        """The key of the stream's bytes."""
        return f"{self._prefix}:{{{stream_id}}}:log:{token}"

    def _info_key(self, stream_id: str) -> str:
        validate_stream_id(stream_id)  # Here, because whatever is done with a stream comes by.
        # The braces keep the keys of one stream together on a node of a cluster.
        return f"{self._prefix}:{{{stream_id}}}:info"
