"""The parts of a message while it grows, and what the client has of them at any moment."""

from __future__ import annotations

from typing import Literal, TypeAlias, assert_never

from ._json import copy_json, to_json
from ._partial_json import PartialJSON
from .chunks import (
    DataPartChunk,
    FileChunk,
    SourceChunk,
    ToolCallBeginChunk,
    ToolResultChunk,
)
from .message import (
    DataPart,
    FilePart,
    MessagePart,
    PartStatus,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCallPart,
)

__all__ = ("PartState", "TextKind", "TextState", "ToolCallState", "WholePart")

TextKind: TypeAlias = Literal["text", "reasoning"]


def _part_status(finished: bool) -> PartStatus:
    return {"type": "complete", "reason": "unknown"} if finished else {"type": "running"}


class TextState:
    """A text or reasoning part."""

    __slots__ = ("finished", "kind", "parent_id", "pieces", "summary")

    def __init__(self, kind: TextKind, parent_id: str | None, summary: str | None) -> None:
        self.kind: TextKind = kind
        self.parent_id = parent_id
        self.summary = summary
        self.pieces: list[str] = []
        self.finished = False

    def snapshot(self) -> MessagePart:
        """Return the part as the client has it."""
        self.pieces = ["".join(self.pieces)]
        part: TextPart | ReasoningPart
        if self.kind == "text":
            part = {"type": "text", "text": self.pieces[0], "status": _part_status(self.finished)}
        else:
            part = {
                "type": "reasoning",
                "text": self.pieces[0],
                "status": _part_status(self.finished),
            }
            if self.summary is not None:
                part["unstable_summary"] = self.summary
        if self.parent_id is not None:
            part["parentId"] = self.parent_id
        return part


class ToolCallState:
    """A tool-call part."""

    __slots__ = ("_chunk", "_result", "args", "finished", "state")

    def __init__(self, chunk: ToolCallBeginChunk) -> None:
        self._chunk = chunk
        self._result: ToolResultChunk | None = None
        self.args = PartialJSON()
        self.state: Literal["partial-call", "call", "result"] = "partial-call"
        self.finished = False

    def finish_args(self, last_piece: str) -> None:
        """Take the last piece of the arguments."""
        self.args.append(last_piece)
        self.state = "call"

    def set_result(self, chunk: ToolResultChunk) -> None:
        """Take the result, which ends the part."""
        self._result = chunk
        self.state = "result"
        self.finished = True

    def snapshot(self) -> MessagePart:
        """Return the part as the client has it."""
        status = _part_status(self.finished)
        if not self.finished:
            status["isArgsComplete"] = self.state == "call"
        part: ToolCallPart = {
            "type": "tool-call",
            "state": self.state,
            "status": status,
            "toolCallId": self._chunk.tool_call_id,
            "toolName": self._chunk.tool_name,
            "argsText": self.args.text,
            "args": copy_json(self.args.value),
        }
        if self._chunk.parent_id:
            part["parentId"] = self._chunk.parent_id
        if self._result is not None:
            self._put_result(part, self._result)
        return part

    def _put_result(self, part: ToolCallPart, chunk: ToolResultChunk) -> None:
        part["result"] = to_json(chunk.result)
        part["isError"] = chunk.is_error
        if chunk.artifact is not None:
            part["artifact"] = to_json(chunk.artifact)
        if chunk.model_content is not None:
            part["modelContent"] = to_json(chunk.model_content)
        if chunk.messages is not None:
            part["messages"] = to_json(chunk.messages)


class WholePart:
    """A part that arrives in one piece."""

    __slots__ = ("_chunk",)

    def __init__(self, chunk: SourceChunk | FileChunk | DataPartChunk) -> None:
        self._chunk = chunk

    def snapshot(self) -> MessagePart:
        """Return the part as the client has it."""
        chunk = self._chunk
        status = _part_status(finished=True)
        part: SourcePart | FilePart | DataPart
        match chunk:
            case SourceChunk():
                part = {
                    "type": "source",
                    "sourceType": chunk.source_type,
                    "id": chunk.id,
                    "url": chunk.url,
                    "status": status,
                }
                if chunk.title:
                    part["title"] = chunk.title
            case FileChunk():
                part = {
                    "type": "file",
                    "data": chunk.data,
                    "mimeType": chunk.mime_type,
                    "status": status,
                }
            case DataPartChunk():
                part = {
                    "type": "data",
                    "name": chunk.name,
                    "data": to_json(chunk.data),
                    "status": status,
                }
            case _:
                assert_never(chunk)
        if chunk.parent_id:
            part["parentId"] = chunk.parent_id
        return part


PartState: TypeAlias = TextState | ToolCallState | WholePart
