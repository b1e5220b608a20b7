"""Cuts a stream of bytes into lines, however it arrives."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from assistant_stream_ce.errors import StreamDecodeError

__all__ = ("LineReader",)

_LINE_END = re.compile(r"\r\n|\r|\n")


class LineReader:
    """Lines end with LF, CRLF or CR. Bytes that are no UTF-8 become U+FFFD, and a byte order mark
    at the very beginning is left out, as the clients' `TextDecoder` does it.

    Args:
        max_length: How many characters a line may have.
    """

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._pieces: list[str] = []
        self._length = 0
        self._skip_line_feed = False

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield the lines that are whole now.

        Raises:
            StreamDecodeError: A line is too long.
        """
        return self._split(self._decoder.decode(data))

    def end(self) -> str:
        """Return the rest, which no line end follows.

        Raises:
            StreamDecodeError: It is too long.
        """
        self._keep(self._decoder.decode(b"", final=True))
        return self._take()

    def _split(self, text: str) -> Iterator[str]:
        if not text:
            return
        if self._skip_line_feed and text[0] == "\n":
            text = text[1:]
        self._skip_line_feed = text.endswith("\r")
        *lines, rest = _LINE_END.split(text)
        for line in lines:
            self._keep(line)
            yield self._take()
        self._keep(rest)

    def _keep(self, piece: str) -> None:
        if piece:
            self._length += len(piece)
            if self._length > self._max_length:
                raise StreamDecodeError(
                    f"A frame of the stream is longer than {self._max_length} characters; if the "
                    "server means it, raise the decoder's `max_frame_size`"
                )
            self._pieces.append(piece)

    def _take(self) -> str:
        line = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return line
