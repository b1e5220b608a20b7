"""The frames of AG-UI events, in the fields that both versions of the client know.

Mirrors `events.ts` of the npm package `@ag-ui/core` 1.0.0. An optional field that has no value is
left out: the clients refuse `null`.
"""

from __future__ import annotations

from collections.abc import Mapping

from assistant_stream_ce._json import dumps, json_string
from assistant_stream_ce.chunks import ToolResultChunk
from assistant_stream_ce.typing import JSONValue

from ._sse import sse_frame

__all__ = ("Fields", "OpenReasoning", "OpenText", "args", "event", "result", "tag")

Fields = dict[str, JSONValue]


def event(event_type: str, fields: Mapping[str, object]) -> str:
    """Return the frame of one event."""
    return sse_frame(dumps({"type": event_type, **fields}))


def tag(agent: str | None) -> Fields:
    """The field that names the sub-agent an event belongs to."""
    return {} if agent is None else {"subagentRunId": agent}


def args(tool_call_id: str, delta: str) -> str:
    """Return the frame of a piece of arguments; none for an empty piece, which older clients
    refuse."""
    if not delta:
        return ""
    call, text = json_string(tool_call_id), json_string(delta)
    return f'data: {{"type":"TOOL_CALL_ARGS","toolCallId":{call},"delta":{text}}}\n\n'


def result(chunk: ToolResultChunk, message_id: str, agent: str | None) -> str:
    """Return the frame of a tool's result, which is a message of its own."""
    content = chunk.result if isinstance(chunk.result, str) else dumps(chunk.result)
    return event(
        "TOOL_CALL_RESULT",
        {
            "messageId": message_id,
            "toolCallId": chunk.tool_call_id,
            "content": content,  # a string: the older client reads nothing else
            "role": "tool",
            **tag(agent),
        },
    )


class OpenText:
    """A stretch of text that is open in an assistant message."""

    def __init__(self, message_id: str, agent: str | None) -> None:
        self._fields: Fields = {"messageId": message_id, **tag(agent)}
        self._head = dumps(self._fields)[1:-1]

    def start(self) -> str:
        """Return the frames that open it."""
        return event("TEXT_MESSAGE_START", {**self._fields, "role": "assistant"})

    def delta(self, delta: str) -> str:
        """Return the frame of a piece; none for an empty piece, which older clients refuse."""
        return self._content("TEXT_MESSAGE_CONTENT", delta)

    def end(self) -> str:
        """Return the frames that close it."""
        return event("TEXT_MESSAGE_END", self._fields)

    def _content(self, event_type: str, delta: str) -> str:
        if not delta:
            return ""
        return f'data: {{"type":"{event_type}",{self._head},"delta":{json_string(delta)}}}\n\n'


class OpenReasoning(OpenText):
    """A reasoning message that is open, in a span of its own."""

    def start(self) -> str:
        """Return the frames that open it."""
        return event("REASONING_START", self._fields) + event(
            "REASONING_MESSAGE_START", {**self._fields, "role": "reasoning"}
        )

    def delta(self, delta: str) -> str:
        """Return the frame of a piece; none for an empty one."""
        return self._content("REASONING_MESSAGE_CONTENT", delta)

    def end(self) -> str:
        """Return the frames that close it."""
        return event("REASONING_MESSAGE_END", self._fields) + event("REASONING_END", self._fields)
