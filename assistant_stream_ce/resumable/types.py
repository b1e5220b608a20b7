"""The Protocols and values of resumable streams.

`ResumableStreamStore` is upstream's: six methods are a store. `ManagedStreamStore` adds what the
stores of this package can do beyond that: batches, endings with a reason, sizes, cancel by id.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from assistant_stream_ce.typing import CancellationSignal

from .errors import ResumableStreamErrorCode

__all__ = (
    "CancellationSignal",
    "ManagedStreamStore",
    "ResumableStreamEntry",
    "ResumableStreamInfo",
    "ResumableStreamRole",
    "ResumableStreamStatus",
    "ResumableStreamStore",
    "StreamEnd",
)

ResumableStreamRole: TypeAlias = Literal["producer", "consumer"]
"""Whether a caller of `acquire` is to produce the stream or found it there."""

ResumableStreamStatus: TypeAlias = Literal["streaming", "done", "error", "missing"]


@dataclass(frozen=True)
class ResumableStreamEntry:
    """A piece of a stream as it is read."""

    cursor: str
    """Where to go on after this piece."""

    chunk: bytes


@dataclass(frozen=True)
class ResumableStreamInfo:
    """What a store knows about a stream."""

    status: ResumableStreamStatus

    size: int | None = None
    """Bytes stored so far; `None` when the store does not count them."""

    error: str | None = None
    """What went wrong, with the status `error`."""


@dataclass(frozen=True)
class StreamEnd:
    """How a stream has ended."""

    status: Literal["done", "error"]

    error: str | None = None

    code: ResumableStreamErrorCode = "failed"
    """What readers get as the error's code; with the status `error`."""

    reported: bool = False
    """Whether the stream's bytes tell the client of the error, and are complete."""


class ResumableStreamStore(Protocol):
    """Keeps the bytes of streams for a while; upstream's Protocol."""

    async def acquire(self, stream_id: str, *, ttl_ms: int | None = None) -> ResumableStreamRole:
        """Create the stream. Exactly one caller is told `producer`, all later ones `consumer`."""
        ...

    async def append(self, stream_id: str, chunk: bytes) -> None:
        """Add bytes at the end; the time to live starts anew."""
        ...

    async def finalize(
        self, stream_id: str, status: Literal["done", "error"], error: str | None = None
    ) -> None:
        """End the stream. Ending it again changes nothing."""
        ...

    def read(
        self, stream_id: str, cursor: str, signal: CancellationSignal
    ) -> AsyncIterator[ResumableStreamEntry]:
        """Yield what comes after `cursor` (empty: everything), then follow until the end.

        Ends quietly when `signal` is set, and when the stream is deleted. Raises when the stream
        ended with an error.
        """
        ...

    async def status(self, stream_id: str) -> ResumableStreamStatus:
        """Return how the stream stands."""
        ...

    async def delete(self, stream_id: str) -> None:
        """Forget the stream, whether it is there or not."""
        ...


@runtime_checkable
class ManagedStreamStore(ResumableStreamStore, Protocol):
    """A store that can do all that a `ResumableStreamContext` offers."""

    async def claim(self, stream_id: str, on_cancel: Callable[[], None] | None = None) -> None:
        """Say that this process writes the stream now.

        Args:
            stream_id: A stream that has been acquired.
            on_cancel: Called, once at most, when somebody asks to cancel the stream.
        """
        ...

    async def append_many(self, stream_id: str, chunks: Sequence[bytes]) -> None:
        """Add `chunks` in one go."""
        ...

    async def finish(self, stream_id: str, end: StreamEnd) -> None:
        """End the stream. Ending it again changes nothing."""
        ...

    def follow(
        self, stream_id: str, cursor: str = ""
    ) -> AsyncGenerator[Sequence[ResumableStreamEntry], None]:
        """Like `read`, in batches of what is there. Raises when the stream is deleted."""
        ...

    async def info(self, stream_id: str) -> ResumableStreamInfo:
        """Return what is known about the stream."""
        ...

    async def cancel(self, stream_id: str) -> bool:
        """Ask whoever produces the stream to stop; `False` when it is not being produced."""
        ...
