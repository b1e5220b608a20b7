"""`StreamDecoder`: the base of the decoders."""

from __future__ import annotations

import copy
import logging
from collections.abc import AsyncGenerator, AsyncIterable

from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_ce.errors import StreamDecodeError

from ._lines import LineReader

__all__ = ("MAX_FRAME_SIZE", "StreamDecoder")

logger = logging.getLogger(__name__)

MAX_FRAME_SIZE = 16 * 2**20
"""How many characters one frame may have, unless the decoder is told otherwise."""

_MAX_REPORTS = 20


class StreamDecoder:
    """Turns the bytes of one wire into chunks; does no I/O.

    What arrives may be split anywhere. What a client would only warn about is left out, and
    reported in the log once per reason. What a client would fail at raises, once everything
    before it has been returned, and from then on every call raises it again.

    Args:
        strict: The clients' own setting, and like theirs on by default. When it is off, frames
            that make no sense are left out where the client leaves them out.
        max_frame_size: How many characters one frame may have. It bounds the memory.
    """

    def __init__(self, *, strict: bool = True, max_frame_size: int = MAX_FRAME_SIZE) -> None:
        self.strict = strict
        self.max_frame_size = max_frame_size
        self.reset()

    def reset(self) -> None:
        """Forget the stream decoded so far."""
        self._lines = LineReader(self.max_frame_size)
        self._error: StreamDecodeError | None = None
        self._chunks: list[AssistantStreamChunk] = []
        self._reported: set[str] = set()

    def feed(self, data: bytes) -> list[AssistantStreamChunk]:
        """Return the chunks that `data` completes.

        Raises:
            StreamDecodeError: The client would fail here, or a frame is too long.
        """
        if self._error is None:
            try:
                for line in self._lines.feed(data):
                    self._take_line(line)
            except StreamDecodeError as error:
                self._error = error
        return self._decoded()

    def end(self) -> list[AssistantStreamChunk]:
        """Return the chunks that come with the end of the stream.

        Raises:
            StreamDecodeError: The stream has been cut off.
        """
        if self._error is None:
            try:
                self._take_end(self._lines.end())
            except StreamDecodeError as error:
                self._error = error
        return self._decoded()

    async def decode_stream(
        self, source: AsyncIterable[bytes]
    ) -> AsyncGenerator[AssistantStreamChunk, None]:
        """Decode a whole body, with a fresh copy of this decoder.

        Raises:
            StreamDecodeError: As `feed` and `end` do, after the chunks before it.
        """
        decoder = copy.copy(self)
        decoder.reset()
        try:
            async for data in source:
                for chunk in decoder.feed(data):
                    yield chunk
            # An error that was held back comes here.
            for chunk in decoder.end():
                yield chunk
        finally:
            aclose = getattr(source, "aclose", None)
            if aclose is not None:
                await aclose()

    def _take_line(self, line: str) -> None:
        """Take a line, without its end."""
        raise NotImplementedError(f"`{type(self).__name__}` must override `_take_line`")

    def _take_end(self, rest: str) -> None:
        """Take the end of the stream, and what followed the last line."""
        raise NotImplementedError(f"`{type(self).__name__}` must override `_take_end`")

    def _put(self, *chunks: AssistantStreamChunk) -> None:
        self._chunks += chunks

    def _refuse(self, reason: str, frame: object, *, fatal: bool = True) -> None:
        """Deal with a frame that makes no sense: what is fatal is so in strict mode only.

        Raises:
            StreamDecodeError: It is, and the decoder is strict.
        """
        if fatal and self.strict:
            raise StreamDecodeError(f"{reason}: {_excerpt(frame)}")
        if reason not in self._reported and len(self._reported) < _MAX_REPORTS:
            self._reported.add(reason)
            logger.warning("Left out a frame. %s: %s", reason, _excerpt(frame))

    def _decoded(self) -> list[AssistantStreamChunk]:
        chunks, self._chunks = self._chunks, []
        if self._error is not None and not chunks:
            raise self._error
        return chunks


def _excerpt(frame: object) -> str:
    return str(frame)[:200]
