"""A model message in the mirrored state that grows while it streams.

The dict has the fields of the finished message's `model_dump()`, and grows the way LangChain
merges chunks, so that the finished message differs from it in little more than its usage. A delta
costs the same however long the message is: nothing is merged, dumped, searched or compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import add_usage
from langchain_core.utils.json import parse_partial_json

from assistant_stream_ce._json import to_json
from assistant_stream_ce.chunks import StateOperation

__all__ = ("LiveMessage",)

_TOOL_BLOCKS = frozenset({"tool_use", "input_json_delta", "function_call", "tool_call_chunk"})
"""Content blocks whose growth is a tool call's arguments, which `tool_calls` shows already."""

_FIXED = frozenset({"type", "id", "index", "name", "output_version", "model_provider"})
"""Keys whose values LangChain does not concatenate."""


class LiveMessage:
    """One streaming message, and its dict in the mirror.

    Args:
        first: The message's first chunk.
        path: Where the message stands in the state.
    """

    def __init__(self, first: AIMessageChunk, path: list[str]) -> None:
        self.value: dict[str, Any] = {
            "content": "",
            "additional_kwargs": {},
            "response_metadata": {},
            "type": "ai",
            "name": first.name,
            "id": first.id,
            "tool_calls": [],
            "invalid_tool_calls": [],
            "usage_metadata": None,
        }
        self.place = 0
        """The index in the list of messages."""
        self.done = False
        """Whether the last chunk has come."""
        self._usage: Any = None
        self._response_metadata: dict[str, Any] = {}
        self._blocks: dict[Any, int] = {}
        """A content block's `index` to its place in the list."""
        self._calls = _LiveCalls(self.value["tool_calls"])
        self.move(path)
        self.append(first)

    def move(self, path: list[str]) -> None:
        """The message stands elsewhere now."""
        self._path = path
        self.place = int(path[-1])
        self._content_path = [*path, "content"]
        self._calls.path = [*path, "tool_calls"]

    def append(self, chunk: AIMessageChunk) -> list[StateOperation]:
        """Add a chunk; returns the operations that do the same on the client."""
        operations: list[StateOperation] = []
        content = chunk.content
        if content:
            value = self.value
            if type(content) is str and type(value["content"]) is str:
                _extend(value, "content", content)
                operations.append(
                    {"type": "append-text", "path": self._content_path[:], "value": content}
                )
            else:
                self._append_blocks(content, operations)
        if chunk.tool_call_chunks:
            for piece in chunk.tool_call_chunks:
                self._calls.append(piece, operations)
        if chunk.additional_kwargs:
            self._append_kwargs(chunk.additional_kwargs, operations)
        if chunk.usage_metadata:
            self._usage = add_usage(self._usage, chunk.usage_metadata)
        if chunk.response_metadata:
            self._response_metadata.update(chunk.response_metadata)
        if chunk.chunk_position == "last":
            self.done = True
        return operations

    def rename(self, message_id: str) -> StateOperation:
        """The provider's id has come after LangChain's own."""
        self.value["id"] = message_id
        return {"type": "set", "path": [*self._path, "id"], "value": message_id}

    def completed(self) -> dict[str, Any]:
        """The finished message, as far as the chunks tell, for a stream that has no other word
        of it."""
        return {
            **self.value,
            "tool_calls": self._calls.parsed(),
            "response_metadata": to_json(self._response_metadata),
            "usage_metadata": to_json(self._usage),
        }

    def _append_blocks(self, content: Any, operations: list[StateOperation]) -> None:
        blocks: list[Any]
        if isinstance(self.value["content"], str):
            text = self.value["content"]
            blocks = self.value["content"] = [text] if text else []
            operations.append(
                {"type": "set", "path": self._content_path[:], "value": blocks.copy()}
            )
        blocks = self.value["content"]
        for delta in [content] if isinstance(content, str) else content:
            self._append_block(blocks, delta, operations)

    def _append_block(
        self, blocks: list[Any], delta: Any, operations: list[StateOperation]
    ) -> None:
        index = delta.get("index") if isinstance(delta, dict) else None
        place = self._blocks.get(index) if index is not None else None
        if isinstance(delta, str) and blocks and isinstance(blocks[-1], str):
            place = len(blocks) - 1
            _extend(blocks, place, delta)
            path = [*self._content_path, str(place)]
            operations.append({"type": "append-text", "path": path, "value": delta})
        elif place is not None and _is_same_block(blocks[place], delta):
            if delta.get("type") not in _TOOL_BLOCKS:
                path = [*self._content_path, str(place)]
                _merge(blocks[place], delta, path, operations)
        else:
            if index is not None:
                self._blocks[index] = len(blocks)
            path = [*self._content_path, str(len(blocks))]
            blocks.append(to_json(delta))
            operations.append({"type": "set", "path": path, "value": to_json(delta)})

    def _append_kwargs(self, delta: Mapping[str, Any], operations: list[StateOperation]) -> None:
        path = [*self._path, "additional_kwargs"]
        shown = {key: value for key, value in delta.items() if key != "tool_calls"}
        _merge(self.value["additional_kwargs"], shown, path, operations)


class _LiveCalls:
    """The tool calls of a streaming message: their arguments grow as `partial_json`."""

    def __init__(self, calls: list[Any]) -> None:
        self.path: list[str] = []
        self._calls = calls
        self._by_id: dict[str, int] = {}
        self._by_index: dict[Any, int] = {}

    def append(self, piece: Mapping[str, Any], operations: list[StateOperation]) -> None:
        """Add one tool-call chunk."""
        args = piece.get("args") or ""
        place = self._place(piece)
        if place is None:
            self._open(piece, args, operations)
            return
        path = [*self.path, str(place)]
        call = self._calls[place]
        for key in ("id", "name"):
            if piece.get(key) and not call[key]:
                call[key] = piece[key]
                operations.append({"type": "set", "path": [*path, key], "value": piece[key]})
        if args:
            _extend(call, "partial_json", args)
            operations.append(
                {"type": "append-text", "path": [*path, "partial_json"], "value": args}
            )

    def parsed(self) -> list[Any]:
        """The calls as they are in a finished message."""
        return [
            {
                "name": call["name"],
                "args": _parse(call["partial_json"]),
                "id": call["id"],
                "type": "tool_call",
            }
            for call in self._calls
        ]

    def _place(self, piece: Mapping[str, Any]) -> int | None:
        call_id, index = piece.get("id"), piece.get("index")
        if call_id and call_id in self._by_id:
            return self._by_id[call_id]
        place = self._by_index.get(index) if index is not None else None
        if place is None and index is None and not call_id and self._calls:
            place = len(self._calls) - 1
        if place is not None and call_id and self._calls[place]["id"]:
            return None  # Some providers give every call the same index.
        return place

    def _open(self, piece: Mapping[str, Any], args: str, operations: list[StateOperation]) -> None:
        place = len(self._calls)
        call: dict[str, Any] = {
            "name": piece.get("name") or "",
            "args": {},
            "id": piece.get("id"),
            "type": "tool_call",
            "partial_json": args,
        }
        if call["id"]:
            self._by_id[call["id"]] = place
        if piece.get("index") is not None:
            self._by_index[piece["index"]] = place
        self._calls.append(call)
        path = [*self.path, str(place)]
        operations.append({"type": "set", "path": path, "value": {**call, "args": {}}})


def _extend(container: Any, key: Any, text: str) -> None:
    """Append to a string in a container, without copying it.

    CPython extends a string that has one reference in place, so the container lets go of it.
    """
    current = container[key]
    container[key] = None
    current += text
    container[key] = current


def _merge(
    into: dict[str, Any],
    delta: Mapping[str, Any],
    path: list[str],
    operations: list[StateOperation],
) -> None:
    """Merge a piece of a dict as LangChain does: strings grow, the rest is set."""
    for key, value in delta.items():
        current = into.get(key)
        if value is None or (key in _FIXED and current is not None):
            continue
        if isinstance(value, str) and isinstance(current, str):
            if value:
                _extend(into, key, value)
                operations.append({"type": "append-text", "path": [*path, key], "value": value})
        elif isinstance(value, dict) and isinstance(current, dict):
            _merge(current, value, [*path, key], operations)
        elif isinstance(value, list) and isinstance(current, list):
            _merge_items(current, value, [*path, key], operations)
        elif value != current:
            into[key] = to_json(value)
            operations.append({"type": "set", "path": [*path, key], "value": to_json(value)})


def _merge_items(
    into: list[Any], delta: list[Any], path: list[str], operations: list[StateOperation]
) -> None:
    """Merge a piece of a list, such as the summary of a reasoning block: by `index`."""
    for item in delta:
        index = item.get("index") if isinstance(item, dict) else None
        place = next(
            (
                place
                for place, known in enumerate(into)
                if index is not None and isinstance(known, dict) and known.get("index") == index
            ),
            None,
        )
        if place is not None:
            _merge(into[place], item, [*path, str(place)], operations)
        else:
            operations.append(
                {"type": "set", "path": [*path, str(len(into))], "value": to_json(item)}
            )
            into.append(to_json(item))


def _is_same_block(block: Any, delta: Mapping[str, Any]) -> bool:
    return not (block.get("id") and delta.get("id") and block["id"] != delta["id"])


def _parse(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except json.JSONDecodeError:
        return parse_partial_json(text) if text.lstrip().startswith("{") else {}
