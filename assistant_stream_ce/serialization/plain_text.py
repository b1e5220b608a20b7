"""Plain text: the answer and nothing else, for `curl` and logs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.background import BackgroundTask

from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
    ErrorChunk,
    TextDeltaChunk,
)
from assistant_stream_ce.typing import ChunkSource

from ._fields import is_fatal
from .assistant_stream_response import AssistantStreamResponse
from .heartbeat import HeartbeatOption
from .stream_encoder import StreamEncoder

__all__ = ("PlainTextEncoder", "PlainTextResponse")


class PlainTextEncoder(StreamEncoder):
    """Encodes the text of a stream as it is, and a fatal error as a line of its own.

    There are no frames and there is no heartbeat: any byte would be part of the answer.
    """

    media_type = "text/plain; charset=utf-8"

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        self._last = "\n"

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the chunk's text; empty for everything but text, a model's structured answer and
        fatal errors."""
        if isinstance(chunk, TextDeltaChunk):
            self._last = chunk.text_delta or self._last
            return chunk.text_delta
        if isinstance(chunk, DataPartChunk) and chunk.text:
            self._last = chunk.text
            return chunk.text
        if isinstance(chunk, ErrorChunk) and is_fatal(chunk):
            line_end = "" if self._last.endswith("\n") else "\n"
            self._last = "\n"
            return f"{line_end}Error: {chunk.error}\n"
        return ""

    async def encode_stream(self, stream: ChunkSource) -> AsyncGenerator[str, None]:
        """Encode a whole stream, one burst at a time."""
        async with aclosing(self._bursts(stream)) as bursts:
            async for burst in bursts:
                yield burst

    def escape(self, frames: str) -> str:
        """Return the text unchanged: there is no JSON to escape it in."""
        return frames


class PlainTextResponse(AssistantStreamResponse):
    """Sends the text of a stream as plain text."""

    def __init__(
        self,
        stream: ChunkSource,
        heartbeat: HeartbeatOption = False,
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(
            stream,
            PlainTextEncoder(),
            heartbeat,
            status_code=status_code,
            headers=headers,
            background=background,
        )
