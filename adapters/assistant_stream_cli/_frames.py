"""Any wire, from bytes to frames that can be shown, and to the chunks that they carry.

Unlike a decoder this goes on after what makes no sense, and says what that was. Which wire it is
shows in the first frame.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from assistant_stream_ce import (
    AssistantStreamChunk,
    AssistantTransportDecoder,
    DataStreamDecoder,
    StreamDecodeError,
    StreamDecoder,
)

from ._foreign import AGUIEvents, MalformedEventError, OpenAIEvents, UIMessageEvents

__all__ = ("Frame", "FrameReader")

MAX_LINE = 16 * 2**20
"""Characters, as the decoders have it."""

_SSE_FIELD = re.compile(r"(data|event|id|retry)?:")
_DATA_STREAM_FRAME = re.compile(r'[0-9a-z]+(-[a-z]+)*:["\[{\dtfn]')

DONE = "[DONE]"
PAGE = "a page"

_TRANSPORT_TYPES = frozenset(
    {
        "annotations",
        "data",
        "error",
        "message-finish",
        "part-start",
        "step-finish",
        "step-start",
        "update-state",
    }
)
"""What an assistant-transport stream can begin with; all but `error` are its alone."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a wire."""

    kind: str
    """What it is, in the words of its wire, or of the chunk that it carries."""
    payload: str
    """As it is on the wire."""
    chunks: tuple[AssistantStreamChunk, ...] = ()
    problems: tuple[str, ...] = ()
    """What is wrong with it."""


class Translator(Protocol):
    """What the clients of a wire make of its events."""

    def take(self, event: dict[str, object]) -> list[AssistantStreamChunk]:
        """Return the chunks of an event."""
        ...

    def end(self, *, done: bool) -> list[str]:
        """Return what is wrong with where the stream has ended."""
        ...


class FrameReader:
    """Reads the bytes of one stream, split anywhere."""

    def __init__(self) -> None:
        self.wire = ""
        """The name of the wire; empty until it is known."""
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._event: list[str] = []
        self._is_sse = False
        self._done = False
        self._is_told = False
        self._decoder: StreamDecoder | None = None
        self._notes: list[str] = []
        self._translator: Translator | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes."""
        *lines, self._rest = (self._rest + self._text.decode(data)).split("\n")
        frames = [frame for line in lines for frame in self._line(line.removesuffix("\r"))]
        if len(self._rest) > MAX_LINE:
            frames.append(Frame("?", self._rest[:1000], problems=("A line never ends",)))
            self._rest = ""
        return frames

    def end(self) -> list[Frame]:
        """Return what the end of the stream completes."""
        rest, self._rest = self._rest + self._text.decode(b"", final=True), ""
        frames: list[Frame] = []
        cut = bool(rest) or bool(self._event)
        if self._decoder is None and rest and not self._is_sse:
            frames.extend(self._line(rest))  # a text needs no line end
            cut = False
        problems: list[str] = []
        if cut:
            problems.append("The stream was cut off within a frame")
        if self._decoder is not None and not cut:
            problems.extend(self._decode(self._decoder.end)[1])
        if self._translator is not None:
            problems.extend(self._translator.end(done=self._done))
        if problems:
            payload = "\n".join([*self._event, rest]).strip()
            frames.append(Frame("end", payload, problems=tuple(problems)))
        return frames

    def _line(self, line: str) -> list[Frame]:
        if not self.wire and not self._is_sse and line.strip():
            self._recognise(line)
        if self._is_sse:
            return self._sse_line(line)
        if self.wire == "data-stream":
            return [self._data_stream_frame(line)]
        if not self.wire:
            return []
        return [self._text_frame(line)]

    def _recognise(self, line: str) -> None:
        if _SSE_FIELD.match(line):
            self._is_sse = True
        elif _DATA_STREAM_FRAME.match(line):
            self.wire, self._decoder = "data-stream", _noting(DataStreamDecoder, self._notes)
        elif line.lstrip().startswith("<"):
            self.wire = PAGE
        elif line.lstrip().startswith(("{", "[")):
            self.wire = "JSON"
        else:
            self.wire = "plain-text"

    def _text_frame(self, line: str) -> Frame:
        is_told, self._is_told = self._is_told, True
        if self.wire == "plain-text" or is_told:
            return Frame("text", line)
        hint = "; a server is asked with --message" if self.wire == PAGE else ""
        return Frame("text", line, problems=(f"This is no stream but {self.wire}{hint}",))

    # -- Data stream ---------------------------------------------------------------------------

    def _data_stream_frame(self, line: str) -> Frame:
        if not line.strip():
            return Frame("heartbeat", "")
        code, _, payload = line.partition(":")
        chunks, problems = self._feed_decoder(f"{line}\n")
        kind = chunks[0].type if chunks else code[:50]
        return Frame(kind, payload, tuple(chunks), tuple(problems))

    # -- Server-sent events --------------------------------------------------------------------

    def _sse_line(self, line: str) -> list[Frame]:
        if line:
            if line.startswith(":"):
                return [Frame("heartbeat", line[1:].strip())]
            self._event.append(line)
            return []
        event, self._event = self._event, []
        return [self._sse_frame(event)] if event else []

    def _sse_frame(self, lines: list[str]) -> Frame:
        fields = [line.partition(":") for line in lines]
        payload = "\n".join(value.removeprefix(" ") for name, _, value in fields if name == "data")
        if self._done:
            return Frame("event", payload, problems=(f"Something comes after `{DONE}`",))
        event = _json_object(payload)
        if not self.wire and event is not None:
            self._recognise_event(event)
        if payload.strip() == DONE:
            self._done = True
        if self._decoder is not None:
            chunks, problems = self._feed_decoder("\n".join([*lines, "", ""]))
            kind = str(event.get("type", "event")) if event is not None else "event"
            kind = chunks[0].type if chunks else kind
            return Frame(DONE if self._done else kind, payload, tuple(chunks), tuple(problems))
        if self._done:
            return Frame(DONE, payload)
        if event is None:
            return Frame("event", payload, problems=("It is not a JSON object",))
        return self._translated(event, payload)

    def _recognise_event(self, event: dict[str, object]) -> None:
        kind = event.get("type")
        if "choices" in event or event.get("object") == "chat.completion.chunk":
            self.wire, self._translator = "openai", OpenAIEvents()
        elif isinstance(kind, str) and kind.isupper():
            self.wire, self._translator = "ag-ui", AGUIEvents()
        elif kind in _TRANSPORT_TYPES and "errorText" not in event:
            self.wire = "assistant-transport"
            self._decoder = _noting(AssistantTransportDecoder, self._notes)
        elif isinstance(kind, str):
            self.wire, self._translator = "ui-message-stream", UIMessageEvents()
        elif "error" in event:
            self.wire, self._translator = "openai", OpenAIEvents()

    def _translated(self, event: dict[str, object], payload: str) -> Frame:
        kind = event.get("type") or event.get("object")
        kind = kind[:50] if isinstance(kind, str) else "event"
        if self._translator is None:
            return Frame(kind, payload, problems=("No known wire has such an event",))
        try:
            return Frame(kind, payload, tuple(self._translator.take(event)))
        except MalformedEventError as error:
            return Frame(kind, payload, problems=(str(error),))

    # -- Decoders ------------------------------------------------------------------------------

    def _feed_decoder(self, text: str) -> tuple[list[AssistantStreamChunk], list[str]]:
        decoder = self._decoder
        assert decoder is not None
        return self._decode(lambda: decoder.feed(text.encode("utf-8", "replace")))

    def _decode(
        self, decode: Callable[[], list[AssistantStreamChunk]]
    ) -> tuple[list[AssistantStreamChunk], list[str]]:
        chunks: list[AssistantStreamChunk] = []
        self._notes.clear()
        try:
            chunks = decode()
        except StreamDecodeError as error:
            self._notes.append(str(error))
            # A decoder that has raised raises for ever; the rest of the stream is shown all the
            # same, as far as it can be read on its own.
            if self._decoder is not None:
                self._decoder.reset()
        return chunks, list(self._notes)


def _noting(decoder: type[StreamDecoder], notes: list[str]) -> StreamDecoder:
    """Make a decoder that leaves out what makes no sense, and writes down why."""

    class Noting(decoder):  # type: ignore[misc, valid-type]
        def _refuse(self, reason: str, frame: object, *, fatal: bool = True) -> None:
            notes.append(reason)

    return cast("StreamDecoder", Noting(strict=False))


def _json_object(text: str) -> dict[str, object] | None:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None
