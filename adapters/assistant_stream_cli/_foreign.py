"""The wires of other projects' clients, from events to chunks: as much as a view needs.

The AI SDK's UI message stream, AG-UI and OpenAI's chat completions. What an event carries that no
chunk has is left out; an event that its own clients would trip over raises.
"""

from __future__ import annotations

from typing import cast

from assistant_stream_ce import (
    AssistantStreamChunk,
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    ReasoningDeltaChunk,
    SourceChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce._json import dumps
from assistant_stream_ce.typing import JSONValue

__all__ = ("AGUIEvents", "MalformedEventError", "OpenAIEvents", "UIMessageEvents")

Event = dict[str, object]
Chunks = list[AssistantStreamChunk]


class MalformedEventError(ValueError):
    """Raised when an event lacks what it must have, or comes where it must not."""


def _text(event: Event, key: str) -> str:
    value = event.get(key)
    if not isinstance(value, str):
        raise MalformedEventError(f"`{key}` is not a text")
    return value


def _json(value: object) -> JSONValue:
    return cast("JSONValue", value)  # it was read from JSON


class _ToolCalls:
    """The calls of a stream, and which of them have their arguments."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._open: set[str] = set()

    def begin(self, call: str, name: str) -> Chunks:
        if call in self._known:
            raise MalformedEventError(f"the tool call {call!r} has begun already")
        self._known.add(call)
        self._open.add(call)
        return [ToolCallBeginChunk(call, name)]

    def append(self, call: str, delta: str) -> Chunks:
        if call not in self._open:
            raise MalformedEventError(f"the arguments of {call!r} are not open")
        return [ToolCallDeltaChunk(call, delta)]

    def finish(self, call: str) -> Chunks:
        if call not in self._open:
            raise MalformedEventError(f"the arguments of {call!r} are not open")
        self._open.discard(call)
        return [ToolCallArgsTextFinishChunk(call)]

    def whole(self, call: str, name: str, args: object) -> Chunks:
        """Take a call whose arguments are there at once, or have streamed already."""
        if call in self._open:
            return self.finish(call)
        if call in self._known:
            return []
        return [*self.begin(call, name), *self.append(call, dumps(args)), *self.finish(call)]

    def result(self, call: str, value: object, *, is_error: bool = False) -> Chunks:
        if call not in self._known:
            raise MalformedEventError(f"there is no tool call {call!r}")
        closing = self.finish(call) if call in self._open else []
        return [*closing, ToolResultChunk(call, _json(value), is_error=is_error)]

    def problems(self) -> list[str]:
        return [f"The arguments of {call!r} never end" for call in sorted(self._open)]


class UIMessageEvents:
    """The UI message stream of AI SDK 5 and newer."""

    def __init__(self) -> None:
        self._calls = _ToolCalls()
        self._open: set[tuple[str, str]] = set()
        self._finished = False

    def take(self, event: Event) -> Chunks:
        """Return the chunks of an event."""
        kind = _text(event, "type")
        if kind.startswith(("text-", "reasoning-")):
            part_kind, _, step = kind.partition("-")
            return self._take_text(part_kind, step, event)
        if kind.startswith("tool-"):
            return self._take_tool(kind, event)
        if kind.startswith("data-"):
            part_id = event.get("id")
            known = part_id if isinstance(part_id, str) else None
            return [DataPartChunk(kind.removeprefix("data-"), _json(event.get("data")), known)]
        match kind:
            case "source-url":
                title = event.get("title")
                shown = title if isinstance(title, str) else None
                return [
                    SourceChunk(_text(event, "sourceId"), _text(event, "url"), "url", title=shown)
                ]
            case "file":
                return [FileChunk(_text(event, "url"), _text(event, "mediaType"))]
            case "error":
                return [ErrorChunk(_text(event, "errorText"))]
            case "finish" | "abort":
                self._finished = True
            case _:
                pass
        return []

    def end(self, *, done: bool) -> list[str]:
        """Return what is wrong with where the stream has ended."""
        problems = [f"The {kind} part {part!r} never ends" for kind, part in sorted(self._open)]
        problems.extend(self._calls.problems())
        if not self._finished:
            problems.append("There is no `finish`")
        if not done:
            problems.append("There is no `[DONE]`")
        return problems

    def _take_text(self, kind: str, step: str, event: Event) -> Chunks:
        part = (kind, _text(event, "id"))
        if step == "start":
            self._open.add(part)
            return []
        if part not in self._open:
            raise MalformedEventError(f"the {kind} part {part[1]!r} is not open")
        if step == "end":
            self._open.discard(part)
            return []
        delta = _text(event, "delta")
        return [TextDeltaChunk(delta) if kind == "text" else ReasoningDeltaChunk(delta)]

    def _take_tool(self, kind: str, event: Event) -> Chunks:
        call = _text(event, "toolCallId")
        match kind:
            case "tool-input-start":
                return self._calls.begin(call, _text(event, "toolName"))
            case "tool-input-delta":
                return self._calls.append(call, _text(event, "inputTextDelta"))
            case "tool-input-available" | "tool-input-error":
                return self._calls.whole(call, _text(event, "toolName"), event.get("input"))
            case "tool-output-available":
                return self._calls.result(call, event.get("output"))
            case "tool-output-error":
                return self._calls.result(call, _text(event, "errorText"), is_error=True)
            case _:
                return []


class AGUIEvents:
    """AG-UI."""

    def __init__(self) -> None:
        self._calls = _ToolCalls()
        self._started = False
        self._ended = False

    def take(self, event: Event) -> Chunks:
        """Return the chunks of an event."""
        kind = _text(event, "type")
        if not self._started and kind not in {"RUN_STARTED", "RUN_ERROR"}:
            raise MalformedEventError("the first event is not `RUN_STARTED`")
        if self._ended and kind != "RUN_STARTED":
            raise MalformedEventError("it comes after the end of the run")
        self._started = True
        if kind.startswith("TOOL_CALL_"):
            return self._take_tool(kind, event)
        match kind:
            case "TEXT_MESSAGE_CONTENT" | "TEXT_MESSAGE_CHUNK":
                return [TextDeltaChunk(_text(event, "delta"))]
            case "REASONING_MESSAGE_CONTENT" | "THINKING_TEXT_MESSAGE_CONTENT":
                return [ReasoningDeltaChunk(_text(event, "delta"))]
            case "STATE_SNAPSHOT":
                state = _json(event.get("snapshot"))
                return [UpdateStateChunk([{"type": "set", "path": [], "value": state}])]
            case "CUSTOM":
                return [DataPartChunk(_text(event, "name"), _json(event.get("value")))]
            case "RUN_ERROR":
                self._ended = True
                return [ErrorChunk(_text(event, "message"))]
            case "RUN_FINISHED":
                self._ended = True
            case "RUN_STARTED":
                self._ended = False
            case _:
                pass
        return []

    def end(self, *, done: bool) -> list[str]:
        """Return what is wrong with where the stream has ended."""
        ended = [] if self._ended else ["There is neither `RUN_FINISHED` nor `RUN_ERROR`"]
        return [*self._calls.problems(), *ended]

    def _take_tool(self, kind: str, event: Event) -> Chunks:
        call = _text(event, "toolCallId")
        match kind:
            case "TOOL_CALL_START":
                return self._calls.begin(call, _text(event, "toolCallName"))
            case "TOOL_CALL_ARGS":
                return self._calls.append(call, _text(event, "delta"))
            case "TOOL_CALL_END":
                return self._calls.finish(call)
            case "TOOL_CALL_RESULT":
                return self._calls.result(call, event.get("content"))
            case _:
                return []


class OpenAIEvents:
    """OpenAI's chat completions."""

    def __init__(self) -> None:
        self._calls = _ToolCalls()
        self._by_index: dict[int, str] = {}
        self._finished = False

    def take(self, event: Event) -> Chunks:
        """Return the chunks of an event."""
        error = event.get("error")
        if error is not None:
            told = error if isinstance(error, str) else _object(error).get("message")
            self._finished = True
            return [ErrorChunk(str(told))]
        found: Chunks = []
        for choice in _objects(event, "choices")[:1]:
            found.extend(self._take_delta(_object(choice.get("delta", {}))))
            if choice.get("finish_reason"):
                self._finished = True
                for call in self._by_index.values():
                    found.extend(self._calls.finish(call))
                self._by_index.clear()
        return found

    def end(self, *, done: bool) -> list[str]:
        """Return what is wrong with where the stream has ended."""
        problems = [] if self._finished else ["No choice has a `finish_reason`"]
        return problems if done else [*problems, "There is no `[DONE]`"]

    def _take_delta(self, delta: Event) -> Chunks:
        found: Chunks = []
        for key in ("reasoning_content", "reasoning"):
            if delta.get(key):
                found.append(ReasoningDeltaChunk(_text(delta, key)))
                break
        for key in ("content", "refusal"):
            if delta.get(key):
                found.append(TextDeltaChunk(_text(delta, key)))
        for call in _objects(delta, "tool_calls"):
            found.extend(self._take_call(call))
        return found

    def _take_call(self, call: Event) -> Chunks:
        index = call.get("index")
        if not isinstance(index, int):
            raise MalformedEventError("a tool call has no `index`")
        function = _object(call.get("function", {}))
        found: Chunks = []
        if index not in self._by_index:
            call_id = _text(call, "id")
            found.extend(self._calls.begin(call_id, _text(function, "name")))
            self._by_index[index] = call_id
        if function.get("arguments"):
            found.extend(self._calls.append(self._by_index[index], _text(function, "arguments")))
        return found


def _object(value: object) -> Event:
    if not isinstance(value, dict):
        raise MalformedEventError("something in it is not an object")
    return cast("Event", value)


def _objects(event: Event, key: str) -> list[Event]:
    value = event.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedEventError(f"`{key}` is not a list")
    return [_object(item) for item in cast("list[object]", value)]
