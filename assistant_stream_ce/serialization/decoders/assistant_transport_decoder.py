"""Assistant transport, from bytes to chunks.

Mirrors `core/serialization/assistant-transport/AssistantTransport.ts` (`AssistantTransportDecoder`)
of the npm package `assistant-stream` 0.3.44, and of its accumulator what a part's index addresses.
"""

from __future__ import annotations

from typing import cast

from assistant_stream_ce.chunks import (
    AnnotationsChunk,
    DataChunk,
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
from assistant_stream_ce.typing import JSONValue

from . import _fields
from ._events import EventReader
from ._fields import Fields, InvalidFieldError
from ._json_frame import InvalidJSONError, parse_json
from .stream_decoder import StreamDecoder

__all__ = ("AssistantTransportDecoder",)

_DONE = "[DONE]"

_MESSAGE = frozenset(
    {
        "part-start",
        "annotations",
        "data",
        "step-start",
        "step-finish",
        "message-finish",
        "error",
        "update-state",
    }
)
_PART_ADDRESSED = frozenset({"part-finish", "tool-call-args-text-finish", "text-delta", "result"})

_TYPES = _MESSAGE | _PART_ADDRESSED

_REQUIRED: dict[str, tuple[str, type]] = {
    "part-start": ("part", dict),
    "text-delta": ("textDelta", str),
    "annotations": ("annotations", list),
    "data": ("data", list),
    "step-finish": ("finishReason", str),
    "message-finish": ("finishReason", str),
    "update-state": ("operations", list),
}


class _Part:
    """A part of the message, as far as later frames can address it."""

    __slots__ = ("answered", "args_open", "kind", "parent_id", "tool_call_id")

    def __init__(self, kind: str, parent_id: str | None) -> None:
        self.kind = kind
        self.parent_id = parent_id
        self.tool_call_id = ""
        self.args_open = True
        self.answered = False


class AssistantTransportDecoder(StreamDecoder):
    """Decodes assistant transport.

    In strict mode, the default, a named event and a stream without `[DONE]` raise; otherwise they
    are left out, and nothing comes after `[DONE]`. A chunk that makes no sense is left out in both
    modes.

    A chunk here says what is in a part, not which part it is: text for a part that another one has
    followed opens a part of its own, two texts in a row are one, and of two results of one call the
    first counts.
    """

    def reset(self) -> None:
        """Forget the stream decoded so far."""
        super().reset()
        self._events = EventReader(self.max_frame_size)
        self._done = False
        self._parts: list[_Part] = []
        self._calls: set[str] = set()

    def _take_line(self, line: str) -> None:
        event = None if self._done else self._events.take_line(line)
        if event is None:
            return
        name, data = event
        if name != "message":
            self._refuse(f"Unknown event `{name[:50]}`", data)
        elif data == _DONE:
            self._done = True
        else:
            self._take_data(data)

    def _take_end(self, rest: str) -> None:
        if not self._done:
            self._refuse(f"The stream ended without `{_DONE}`", rest)

    def _take_data(self, data: str) -> None:
        try:
            fields = parse_json(data)
        except InvalidJSONError:
            self._leave_out("A chunk is not JSON", data)
            return
        problem = "It is not an object" if not isinstance(fields, dict) else _problem(fields)
        if problem or not isinstance(fields, dict):
            self._leave_out(f"A chunk makes no sense, {problem}", data)
            return
        try:
            self._take_chunk(str(fields["type"]), fields)
        except InvalidFieldError as error:
            self._leave_out(f"A chunk of type `{fields['type']}` lacks something, {error}", data)

    def _leave_out(self, reason: str, frame: object) -> None:
        self._refuse(reason, frame, fatal=False)

    def _take_chunk(self, kind: str, fields: Fields) -> None:
        match kind:
            case "part-start":
                self._start_part(cast("Fields", fields["part"]))
            case "update-state":
                self._put(UpdateStateChunk(_fields.operations(fields["operations"])))
            case "data":
                self._put(*map(DataChunk, _fields.items(fields["data"])))
            case "annotations":
                self._put(AnnotationsChunk(_fields.items(fields["annotations"])))
            case "step-start":
                self._put(StepStartChunk(_fields.optional_text(fields, "messageId") or ""))
            case "step-finish":
                self._put(_fields.step_finish(fields))
            case "message-finish":
                self._put(_fields.message_finish(fields))
            case "error":
                self._put(_fields.error(fields))
            case _:
                self._take_part_chunk(kind, fields)

    # -- Parts ---------------------------------------------------------------------------------

    def _start_part(self, part: Fields) -> None:
        kind, parent_id = part.get("type"), _fields.parent_id(part)
        # Whatever the part is, later indices count it.
        state = _Part(str(kind), parent_id)
        self._parts.append(state)
        match kind:
            case "text":
                self._put(TextDeltaChunk("", parent_id))
            case "reasoning":
                summary = _fields.optional_text(part, "unstable_summary")
                self._put(ReasoningPartStartChunk(summary, parent_id))
            case "tool-call":
                self._start_call(state, part)
            case "source":
                self._put(_fields.source(part))
            case "file":
                self._put(_fields.file(part))
            case "data":
                self._put(_fields.data_part(part))
            case _:
                self._leave_out("A part is of an unknown type", kind)
                state.kind = "reasoning"  # what the client puts in its place
                self._put(ReasoningPartStartChunk())

    def _start_call(self, state: _Part, part: Fields) -> None:
        call = _fields.text(part, "toolCallId")
        name = _fields.text(part, "toolName")
        if call in self._calls:
            self._leave_out("A tool call begins twice", call)
            return
        self._calls.add(call)
        state.tool_call_id = call
        self._put(ToolCallBeginChunk(call, name, state.parent_id))

    def _take_part_chunk(self, kind: str, fields: Fields) -> None:
        path = _fields.items(fields["path"])
        index = path[0] if len(path) == 1 else None
        if not isinstance(index, int | float) or index >= len(self._parts):
            self._leave_out(f"A chunk of type `{kind}` is of no part that there is", path)
            return
        part = self._parts[int(index)]
        if kind == "text-delta":
            self._take_delta(part, _fields.text(fields, "textDelta"))
        elif kind == "part-finish":
            return  # The next part, or the call's result, says it.
        elif not part.tool_call_id:
            self._leave_out(f"A chunk of type `{kind}` is of a part that is no tool call", path)
        elif kind == "result":
            self._take_result(part, fields)
        elif part.args_open:
            part.args_open = False
            self._put(ToolCallArgsTextFinishChunk(part.tool_call_id))

    def _take_delta(self, part: _Part, delta: str) -> None:
        if part.kind == "text":
            self._put(TextDeltaChunk(delta, part.parent_id))
        elif part.kind == "reasoning":
            self._put(ReasoningDeltaChunk(delta, part.parent_id))
        elif not part.tool_call_id:
            self._leave_out("A delta is of a part that has no text", part.kind)
        elif part.args_open:
            self._put(ToolCallDeltaChunk(part.tool_call_id, delta))
        else:
            self._leave_out("A piece of arguments comes after their end", part.tool_call_id)

    def _take_result(self, part: _Part, fields: Fields) -> None:
        if part.answered:
            self._leave_out("A tool call has a second result", part.tool_call_id)
            return
        part.answered = True
        if part.args_open:
            part.args_open = False
            self._put(ToolCallArgsTextFinishChunk(part.tool_call_id))
        self._put(
            ToolResultChunk(
                part.tool_call_id,
                fields.get("result"),
                fields.get("artifact"),
                fields.get("isError") is True,
                fields.get("modelContent"),
                fields.get("messages"),
            )
        )


def _problem(chunk: Fields) -> str | None:
    """What is wrong with a chunk, if something is."""
    kind = chunk.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        return f"its type is `{str(kind)[:50]}`"
    field, field_type = _REQUIRED.get(kind, (None, None))
    if (
        field is not None
        and field_type is not None
        and not isinstance(chunk.get(field), field_type)
    ):
        return f"`{field}` of `{kind}` is missing or of another type"
    if kind == "result" and "isError" in chunk and not isinstance(chunk["isError"], bool):
        return "`isError` is neither true nor false"
    if "path" not in chunk:
        return f"`{kind}` has no path" if kind in _PART_ADDRESSED else None
    path = chunk["path"]
    if isinstance(path, list) and all(map(_is_index, path)):
        return None
    return "its path is none"


def _is_index(value: JSONValue) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value >= 0 and value == int(value)
