"""Neighbouring deltas that become one.

Both classes keep the pieces apart until somebody asks for the whole, so that a text that grows by
many pieces is put together once.
"""

from __future__ import annotations

from typing import TypeAlias

from .chunks import (
    AssistantStreamChunk,
    ReasoningDeltaChunk,
    StateOperation,
    TextDeltaChunk,
    ToolCallDeltaChunk,
)

__all__ = ("PIECE_COST", "Delta", "DeltaChunk", "MeltingDelta", "MeltingText", "delta_chunk")

MERGED_LENGTH = 4096
"""Characters from which on a merged delta takes no more."""

PIECE_COST = 2
"""Characters that a piece counts besides its own, so that empty ones do not pile up either."""

DeltaChunk = TextDeltaChunk | ReasoningDeltaChunk | ToolCallDeltaChunk

Delta: TypeAlias = tuple[type[DeltaChunk], str, str | None]
"""A delta before it is a chunk, which it need not become: its kind, its text, and the id of the
parent or of the tool call."""


class MeltingDelta:
    """Neighbouring deltas of one part on their way to become one chunk."""

    __slots__ = ("key", "kind", "pieces", "room")

    def __init__(self, kind: type[DeltaChunk], key: str | None, delta: str) -> None:
        self.kind = kind
        self.key = key
        """What tells the part from others of its kind: the parent's id, or the tool call's."""
        self.pieces = [delta]
        self.room = MERGED_LENGTH - len(delta)
        """Characters that still fit; the last piece may be longer."""

    @classmethod
    def of(cls, chunk: AssistantStreamChunk) -> MeltingDelta | None:
        """The beginning of a tail, or `None` when `chunk` is not a delta."""
        if isinstance(chunk, DeltaChunk):
            return cls(type(chunk), *_key_and_delta(chunk))
        return None

    def add(self, chunk: AssistantStreamChunk) -> bool:
        """Take `chunk` in, if it continues the same part and there is room."""
        if type(chunk) is not self.kind or self.room <= 0:
            return False
        key, delta = _key_and_delta(chunk)
        if key != self.key:
            return False
        self.pieces.append(delta)
        self.room -= len(delta) + PIECE_COST
        return True

    def chunk(self) -> DeltaChunk:
        """The one chunk that says the same."""
        return delta_chunk(self.kind, "".join(self.pieces), self.key)


class MeltingText:
    """Neighbouring texts for one path of the state on their way to become one operation."""

    __slots__ = ("path", "pieces", "room")

    def __init__(self, path: list[str], text: str) -> None:
        self.path = path
        self.pieces = [text]
        self.room = MERGED_LENGTH - len(text)
        """Characters that still fit; the last piece may be longer."""

    def add(self, operation: StateOperation) -> bool:
        """Take `operation` in, if it appends at the same path and there is room."""
        if operation["type"] != "append-text" or self.room <= 0:
            return False
        if operation["path"] != self.path:
            return False
        self.pieces.append(operation["value"])
        self.room -= len(operation["value"]) + PIECE_COST
        return True

    def operation(self) -> StateOperation:
        """The one operation that says the same."""
        return {"type": "append-text", "path": self.path, "value": "".join(self.pieces)}


def delta_chunk(kind: type[DeltaChunk], delta: str, key: str | None) -> DeltaChunk:
    """The chunk of a delta."""
    if kind is ToolCallDeltaChunk:
        return ToolCallDeltaChunk(key or "", delta)
    if kind is TextDeltaChunk:
        return TextDeltaChunk(delta, key)
    return ReasoningDeltaChunk(delta, key)


def _key_and_delta(chunk: AssistantStreamChunk) -> tuple[str | None, str]:
    if type(chunk) is TextDeltaChunk:
        return chunk.parent_id, chunk.text_delta
    if type(chunk) is ToolCallDeltaChunk:
        return chunk.tool_call_id, chunk.args_text_delta
    assert isinstance(chunk, ReasoningDeltaChunk), "only deltas melt together"
    return chunk.parent_id, chunk.reasoning_delta
