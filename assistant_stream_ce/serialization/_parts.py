"""The parts of one message as they open and close on a wire.

Clients that address a part by its index (assistant transport) or by an id (AI SDK, AG-UI) need to
be told when a part begins and ends; chunks only say what is in it. These are the rules, the same
that the TypeScript `DataStreamDecoder` (`assistant-stream` 0.3.44, `core/modules/
assistant-stream.ts`) applies to a wire that does not frame its parts, so a message looks the same
whichever wire it came over:

- At most one text or reasoning part is open. A delta extends it when it is of the same kind and
  has the same parent; any other part that opens closes it.
- Steps, data items, annotations and state operations do not close it.
- A tool call's part stays open, whatever opens beside it, until its result or the stream's end.
"""

from __future__ import annotations

from typing import Literal

from assistant_stream_ce._lifecycle import ToolCallLedger

__all__ = ("PartTracker", "TextKind")

TextKind = Literal["text", "reasoning"]


class PartTracker:
    """Which parts of the message are open, and at which index each stands."""

    __slots__ = ("_count", "_kind", "_parent_id", "_tool_calls", "ledger", "text_index")

    def __init__(self) -> None:
        self.ledger = ToolCallLedger()
        """The order of a tool call's chunks; ask it before a part of a call is touched."""
        self.text_index: int | None = None
        """The index of the open text or reasoning part."""
        self._kind: TextKind = "text"
        self._parent_id: str | None = None
        self._tool_calls: dict[str, int] = {}
        self._count = 0

    def extends(self, kind: TextKind, parent_id: str | None) -> bool:
        """Whether a delta of this kind and parent belongs to the open text or reasoning part."""
        return self.text_index is not None and self._kind == kind and self._parent_id == parent_id

    def open_text(self, kind: TextKind, parent_id: str | None) -> int:
        """Open a text or reasoning part and return its index."""
        self.text_index = index = self.open_part()
        self._kind = kind
        self._parent_id = parent_id
        return index

    def open_part(self) -> int:
        """Open a part that is neither text nor a tool call, and return its index."""
        index = self._count
        self._count += 1
        return index

    def open_tool_call(self, tool_call_id: str) -> int:
        """Open a tool call's part and return its index."""
        index = self._tool_calls[tool_call_id] = self.open_part()
        return index

    def tool_call_index(self, tool_call_id: str) -> int:
        """The index of a tool call's open part."""
        return self._tool_calls[tool_call_id]

    def close_text(self) -> int | None:
        """Close the open text or reasoning part; returns its index, or `None` when none is."""
        index, self.text_index = self.text_index, None
        return index

    def close_tool_call(self, tool_call_id: str) -> int:
        """Close a tool call's part and return its index."""
        return self._tool_calls.pop(tool_call_id)

    def close_tool_calls(self) -> list[int]:
        """Close the parts of all tool calls and return their indices, in order."""
        indices = sorted(self._tool_calls.values())
        self._tool_calls.clear()
        return indices
