"""`StreamEncoder`: the base of every wire."""

from __future__ import annotations

import asyncio
import copy
import logging
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import ClassVar

import anyio

from assistant_stream_ce._channel import ready_source
from assistant_stream_ce.chunks import AssistantStreamChunk, ErrorChunk
from assistant_stream_ce.errors import ENDS_THE_PROGRAM
from assistant_stream_ce.typing import ChunkSource

from ._fields import is_fatal
from ._sse import SSE_HEARTBEAT, SSE_MEDIA_TYPE

__all__ = ("STREAM_FAILED", "StreamEncoder")

logger = logging.getLogger(__name__)

STREAM_FAILED = "Something went wrong while the answer was being streamed."
"""What the client is told when a stream raises and has not said why: nothing internal."""

# Legal inside JSON strings, but Python's `str.splitlines` (and with it httpx's `iter_lines`)
# breaks a line at the first three, and a lone surrogate has no UTF-8 form.
_ESCAPED = re.compile("[\x85\u2028\u2029\ud800-\udfff]")


class StreamEncoder:
    """Turns chunks into the frames of one wire; does no I/O.

    A wire of your own overrides `encode_chunk` and, where it has something to close or a
    terminator, `encode_end` and `reset`. An encoder that cannot work chunk by chunk overrides
    `encode_stream` instead.

    One instance may encode any number of streams: each gets a fresh copy.
    """

    media_type: ClassVar[str] = "text/plain; charset=utf-8"
    """The Content-Type."""

    headers: ClassVar[Mapping[str, str]] = {}
    """Further response headers that the wire's clients look at."""

    heartbeat: ClassVar[str | None] = None
    """A frame that clients skip, to send while the stream is idle; `None` when there is none."""

    frame_end: ClassVar[str] = "\n"
    """What a frame ends with and does not contain; `encode_stream` divides bursts there."""

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        return

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`, in one string; empty when there are none."""
        raise NotImplementedError(
            f"`{type(self).__name__}` must override `encode_chunk`, or `encode_stream`"
        )

    def encode_end(self) -> str:
        """Return the frames that close what is open, and the terminator if the wire has one."""
        return ""

    async def encode_stream(self, stream: ChunkSource) -> AsyncGenerator[str, None]:
        """Encode a whole stream, one frame at a time.

        The wire is always complete. When the stream raises, what is open is closed, an error
        frame tells the client (unless the stream has said the error itself), the terminator
        follows, and the exception is logged with its traceback instead of raised.

        The stream is closed when this generator is.
        """
        end = self.frame_end
        async with aclosing(self._bursts(stream)) as bursts:
            async for burst in bursts:
                *frames, rest = burst.split(end)
                for frame in frames:
                    yield frame + end
                if rest:
                    yield rest

    def encode_bursts(self, stream: ChunkSource) -> AsyncGenerator[str, None]:
        """Encode like `encode_stream`, with the frames that are ready together in one string.

        This is what a response sends.
        """
        if type(self).encode_stream is not StreamEncoder.encode_stream:
            return self.encode_stream(stream)
        return self._bursts(stream)

    def escape(self, frames: str) -> str:
        """Escape what not every client reads right; for frames of JSON, and done at no cost for
        ASCII. A wire whose frames are not JSON overrides this."""
        if frames.isascii():
            return frames
        return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", frames)

    def get_media_type(self) -> str:
        """Return `media_type`; upstream's name for it."""
        return self.media_type

    def get_keepalive_token(self) -> str | None:
        """Return `heartbeat`, or a comment for server-sent events; upstream's name for it."""
        if self.heartbeat is None and self.get_media_type().startswith(SSE_MEDIA_TYPE):
            return SSE_HEARTBEAT
        return self.heartbeat

    async def _bursts(self, stream: ChunkSource) -> AsyncGenerator[str, None]:
        encoder = copy.copy(self)
        encoder.reset()
        encode = encoder.encode_chunk
        take_ready = ready_source(stream)
        frames: list[str] = []
        told = False  # whether the stream has said itself that it failed
        try:
            async for chunk in stream:
                burst = encode(chunk)
                told = told or (type(chunk) is ErrorChunk and _is_failure(chunk))
                ready = take_ready()
                if ready:
                    told = told or (ErrorChunk in map(type, ready) and any(map(_is_failure, ready)))
                    # Frames made before a chunk that cannot be encoded stay in the list.
                    frames.append(burst)
                    frames.extend(map(encode, ready))
                    burst = "".join(frames)
                    frames.clear()
                if burst:
                    yield self.escape(burst)
        except ENDS_THE_PROGRAM:
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _is_being_cancelled():
                raise
            logger.exception("The stream raised; the client gets a complete wire all the same.")
            frames = [frame for frame in frames if type(frame) is str]  # what is not, has raised
            if not told:
                frames.append(encode(ErrorChunk(STREAM_FAILED)))
        finally:
            await _close(stream)
        frames.append(encoder.encode_end())
        last = "".join(frames)
        if last:
            yield self.escape(last)


def _is_being_cancelled() -> bool:
    """Whether this task is cancelled, and not only something that the stream waited for."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _is_failure(chunk: AssistantStreamChunk) -> bool:
    return isinstance(chunk, ErrorChunk) and is_fatal(chunk)


async def _close(stream: ChunkSource) -> None:
    """Close the stream if it can be closed, undisturbed by a scope that has been cancelled."""
    aclose = getattr(stream, "aclose", None)
    if aclose is None:
        return
    with anyio.CancelScope(shield=True):
        try:
            await aclose()
        except Exception:
            logger.exception("Closing the stream raised.")
