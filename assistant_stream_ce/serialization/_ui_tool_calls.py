"""The tool calls of one message on the AI SDK's wire.

Mirrors the `tool-*` cases of `ui/process-ui-message-stream.ts` in the npm package `ai`. A client
looks for the part of a call only in the step that began it, as long as its input is not complete.
"""

from __future__ import annotations

import json

from assistant_stream_ce._json import dumps, json_string
from assistant_stream_ce.chunks import (
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolResultChunk,
)
from assistant_stream_ce.errors import NotJSONError
from assistant_stream_ce.typing import JSONValue

from . import _fields
from ._ui_frames import provider_metadata, ui_frame

__all__ = ("UIToolCalls",)

NOT_JSON = "The arguments of the call are not valid JSON."


class UIToolCalls:
    """Makes the frames of tool calls whose chunks come in a legal order.

    Args:
        flags: Fields that every chunk of a call repeats; a client that misses one takes the chunk
            for another call's.
    """

    def __init__(self, flags: _fields.Fields) -> None:
        self._flags = flags
        self._streaming: dict[str, _Call] = {}
        self._not_json: dict[str, _Call] = {}
        self._waiting: set[str] = set()

    @property
    def is_streaming(self) -> bool:
        """Whether the arguments of some call are still coming."""
        return bool(self._streaming)

    @property
    def is_waiting(self) -> bool:
        """Whether some call has no result yet."""
        return bool(self._waiting)

    def failed(self) -> list[ToolResultChunk]:
        """What to tell of the calls that have no result and arguments that are no JSON."""
        return [ToolResultChunk(call_id, NOT_JSON, is_error=True) for call_id in self._not_json]

    def begin(self, chunk: ToolCallBeginChunk) -> str:
        """Open the part of a call."""
        call = _Call(chunk)
        self._streaming[call.id] = call
        self._waiting.add(call.id)
        fields: _fields.Fields = {"toolCallId": call.id, "toolName": call.name, **self._flags}
        return ui_frame("tool-input-start", fields)

    def delta(self, tool_call_id: str, delta: str) -> str:
        """Extend the arguments of a call."""
        self._streaming[tool_call_id].args.append(delta)
        call, text = json_string(tool_call_id), json_string(delta)
        fields = f'"toolCallId":{call},"inputTextDelta":{text}'
        return f'data: {{"type":"tool-input-delta",{fields}}}\n\n'

    def finish_args(self, chunk: ToolCallArgsTextFinishChunk) -> str:
        """Close the arguments of a call.

        Arguments that are no JSON wait for the result, which tells what they are: a text for the
        tool when it succeeded, and a fault of the model's when it failed.
        """
        delta = chunk.args_text_delta
        last = self.delta(chunk.tool_call_id, delta) if delta else ""
        call = self._streaming.pop(chunk.tool_call_id)
        try:
            return last + self._input(call, json.loads(call.text))
        except (ValueError, NotJSONError, RecursionError):  # the last two: nested too deeply
            self._not_json[call.id] = call
            return last

    def answer(self, chunk: ToolResultChunk) -> str:
        """Say what is left to say of a call's arguments, before its result."""
        self._waiting.discard(chunk.tool_call_id)
        call = self._not_json.pop(chunk.tool_call_id, None)
        if call is None:
            return ""
        if not chunk.is_error:
            return self._input(call, call.text)
        fields: _fields.Fields = {"input": call.text, "errorText": _error_text(chunk)}
        return ui_frame("tool-input-error", {**self._input_fields(call), **fields})

    def result(self, chunk: ToolResultChunk) -> str:
        """Give a call its result."""
        fields: _fields.Fields = {"toolCallId": chunk.tool_call_id, **self._flags}
        if chunk.is_error:
            return ui_frame("tool-output-error", {**fields, "errorText": _error_text(chunk)})
        return ui_frame("tool-output-available", {**fields, "output": chunk.result})

    def _input(self, call: _Call, value: JSONValue) -> str:
        return ui_frame("tool-input-available", {**self._input_fields(call), "input": value})

    def _input_fields(self, call: _Call) -> _fields.Fields:
        ids: _fields.Fields = {"toolCallId": call.id, "toolName": call.name}
        return {**ids, **self._flags, **provider_metadata(call.parent_id)}


class _Call:
    __slots__ = ("args", "id", "name", "parent_id")

    def __init__(self, chunk: ToolCallBeginChunk) -> None:
        self.id = chunk.tool_call_id
        self.name = chunk.tool_name
        self.parent_id = chunk.parent_id
        self.args: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.args)


def _error_text(chunk: ToolResultChunk) -> str:
    return chunk.result if isinstance(chunk.result, str) else dumps(chunk.result)
