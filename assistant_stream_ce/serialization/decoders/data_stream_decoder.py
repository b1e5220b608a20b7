"""The data stream, from bytes to chunks.

Mirrors `core/serialization/data-stream/DataStream.ts` (`DataStreamDecoder`) of the npm package
`assistant-stream` 0.3.44.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from assistant_stream_ce._json import dumps
from assistant_stream_ce.chunks import (
    AnnotationsChunk,
    DataChunk,
    ErrorChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce.errors import StreamDecodeError
from assistant_stream_ce.typing import JSONValue

from . import _fields
from ._fields import Fields, InvalidFieldError
from ._json_frame import InvalidJSONError, parse_json
from .stream_decoder import StreamDecoder

__all__ = ("DataStreamDecoder",)

_LISTS = frozenset({"2", "8", "aui-state"})
_OBJECTS = frozenset(
    {
        "b",
        "c",
        "9",
        "a",
        "h",
        "k",
        "aui-text-delta",
        "aui-reasoning-delta",
        "aui-reasoning-part-start",
    }
)
"""The client trips, in both modes, over what is no list, and over null instead of an object."""


class DataStreamDecoder(StreamDecoder):
    """Decodes an assistant-ui data stream.

    In strict mode, the default, an unknown frame, a tool call that begins twice and a frame of an
    unknown tool call raise; otherwise they are left out. A stream that ends within a line raises in
    both modes, and so does a frame that the client's code would trip over. A frame that lacks what
    its chunk needs, where the client would show `undefined`, raises in strict mode.

    An error has no severity on this wire. One that comes while the arguments of a call are open is
    a warning: a server closes them before an error that ends the run.
    """

    def reset(self) -> None:
        """Forget the stream decoded so far."""
        super().reset()
        self._calls: set[str] = set()
        self._open: dict[str, bool] = {}
        """The calls whose arguments are open, and whether any have come."""
        self._answered: set[str] = set()

    def _take_line(self, line: str) -> None:
        code, colon, rest = line.partition(":")
        if not colon:
            if line.strip():
                self._refuse("A line has no colon", line, fatal=False)
            return
        try:
            value = parse_json(rest)
        except InvalidJSONError:
            self._refuse("A frame is not JSON", line, fatal=False)
            return
        take = self._FRAMES.get(code)
        if take is None:
            self._refuse(f"Unknown frame type `{code[:50]}`", line)
            return
        try:
            take(self, value)
        except InvalidFieldError as error:
            reason = f"A frame of type `{code}` is not as it must be, {error}"
            if code in _LISTS or (code in _OBJECTS and value is None):
                raise StreamDecodeError(f"{reason}: {line[:200]}") from error
            self._refuse(reason, line)

    def _take_end(self, rest: str) -> None:
        if rest:
            raise StreamDecodeError(f"The stream ended within a line: {rest[:200]}")
        self._close_calls()

    # -- Text --------------------------------------------------------------------------------

    def _text(self, value: JSONValue) -> None:
        self._put(TextDeltaChunk(_string(value)))

    def _reasoning(self, value: JSONValue) -> None:
        self._put(ReasoningDeltaChunk(_string(value)))

    def _text_delta(self, value: JSONValue) -> None:
        fields = _object(value)
        self._put(TextDeltaChunk(_fields.text(fields, "textDelta"), _fields.parent_id(fields)))

    def _reasoning_delta(self, value: JSONValue) -> None:
        fields = _object(value)
        delta = _fields.text(fields, "reasoningDelta")
        self._put(ReasoningDeltaChunk(delta, _fields.parent_id(fields)))

    def _reasoning_part_start(self, value: JSONValue) -> None:
        fields = _object(value)
        summary = _fields.optional_text(fields, "unstable_summary")
        self._put(ReasoningPartStartChunk(summary, _fields.parent_id(fields)))

    # -- Tool calls ----------------------------------------------------------------------------

    def _begin(self, value: JSONValue) -> None:
        fields = _object(value)
        call = _fields.text(fields, "toolCallId")
        if call in self._calls:
            self._refuse("A tool call begins twice", call)
            return
        self._begin_call(call, fields, _fields.parent_id(fields))

    def _args(self, value: JSONValue) -> None:
        fields = _object(value)
        call = _fields.text(fields, "toolCallId")
        if call not in self._calls:
            self._refuse("A piece of arguments is of an unknown tool call", call)
            return
        if call not in self._open:
            self._refuse("A piece of arguments comes after their end", call, fatal=False)
            return
        if fields.get("argsTextDelta") is None:
            raise StreamDecodeError(f"A piece of arguments has no text: {call[:200]}")
        delta = _fields.text(fields, "argsTextDelta")
        if delta:
            self._open[call] = True
            self._put(ToolCallDeltaChunk(call, delta))
        if fields.get("isFinal") is True:
            self._close_call(call)

    def _whole_call(self, value: JSONValue) -> None:
        fields = _object(value)
        call = _fields.text(fields, "toolCallId")
        if call not in self._calls:
            self._begin_call(call, fields, None)
            if "args" in fields:
                self._open[call] = True
                self._put(ToolCallDeltaChunk(call, dumps(_as_javascript(fields["args"]))))
        self._close_call(call)

    def _result(self, value: JSONValue) -> None:
        fields = _object(value)
        call = _fields.text(fields, "toolCallId")
        if call not in self._calls:
            self._refuse("A result is of an unknown tool call", call)
        elif call not in self._answered:
            self._answered.add(call)
            self._close_call(call)
            result = fields.get("result", "<no result>")  # the client's own words
            is_error = bool(fields.get("isError"))
            self._put(ToolResultChunk(call, result, fields.get("artifact"), is_error))

    def _begin_call(self, call: str, fields: Fields, parent_id: str | None) -> None:
        self._put(ToolCallBeginChunk(call, _fields.text(fields, "toolName"), parent_id))
        self._calls.add(call)
        self._open[call] = False

    def _close_call(self, call: str) -> None:
        if call in self._open:
            last = "" if self._open.pop(call) else "{}"
            self._put(ToolCallArgsTextFinishChunk(call, last))

    def _close_calls(self) -> None:
        for call in list(self._open):
            self._close_call(call)

    # -- Everything else -----------------------------------------------------------------------

    def _data(self, value: JSONValue) -> None:
        self._put(*map(DataChunk, _fields.items(value)))

    def _annotations(self, value: JSONValue) -> None:
        self._put(AnnotationsChunk(_fields.items(value)))

    def _data_part(self, value: JSONValue) -> None:
        self._put(_fields.data_part(_object(value)))

    def _source(self, value: JSONValue) -> None:
        self._put(_fields.source(_object(value)))

    def _file(self, value: JSONValue) -> None:
        self._put(_fields.file(_object(value)))

    def _error_frame(self, value: JSONValue) -> None:
        # This wire carries no severity, but a server closes the arguments before a fatal error.
        self._put(ErrorChunk(_fields.error_text(value), severity="warning" if self._open else None))

    def _state(self, value: JSONValue) -> None:
        self._put(UpdateStateChunk(_fields.operations(value)))

    def _start_step(self, value: JSONValue) -> None:
        self._put(StepStartChunk(_fields.optional_text(_spread(value), "messageId") or ""))

    def _finish_step(self, value: JSONValue) -> None:
        self._close_calls()
        self._put(_fields.step_finish(_spread(value)))

    def _finish_message(self, value: JSONValue) -> None:
        self._close_calls()
        self._put(_fields.message_finish(_spread(value)))

    def _ignore(self, value: JSONValue) -> None:
        """Reasoning signatures and redacted reasoning: the client has no use for them either."""

    _FRAMES: ClassVar[dict[str, Callable[[DataStreamDecoder, JSONValue], None]]] = {
        "0": _text,
        "g": _reasoning,
        "b": _begin,
        "c": _args,
        "9": _whole_call,
        "a": _result,
        "2": _data,
        "8": _annotations,
        "3": _error_frame,
        "f": _start_step,
        "e": _finish_step,
        "d": _finish_message,
        "h": _source,
        "k": _file,
        "i": _ignore,
        "j": _ignore,
        "aui-text-delta": _text_delta,
        "aui-reasoning-delta": _reasoning_delta,
        "aui-reasoning-part-start": _reasoning_part_start,
        "aui-data": _data_part,
        "aui-state": _state,
    }


def _string(value: JSONValue) -> str:
    if not isinstance(value, str):
        raise InvalidFieldError("it is not a text")
    return value


def _object(value: JSONValue) -> Fields:
    if not isinstance(value, dict):
        raise InvalidFieldError("it is not an object")
    return value


def _spread(value: JSONValue) -> Fields:
    return value if isinstance(value, dict) else {}


def _as_javascript(value: JSONValue) -> JSONValue:
    """JavaScript writes whole numbers without a fraction."""
    if isinstance(value, dict):
        return {key: _as_javascript(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_javascript(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
