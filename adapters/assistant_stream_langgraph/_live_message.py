"""A model message in the mirrored state that grows while it streams.

The dict has the fields of the finished message's `model_dump()`, and grows the way LangChain
merges chunks, so that the finished message differs from it in little more than its usage. A delta
costs the same however long the message is: nothing is merged, dumped, searched or compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import add_usage

from assistant_stream_ce._json import copy_json, to_json

from ._growth import Operations, extend, grow, put
from ._live_calls import LiveCalls
from ._shapes import as_items, is_dict, is_list, is_mapping

__all__ = ("LiveMessage",)

_TOOL_BLOCKS = frozenset({"tool_use", "input_json_delta", "function_call", "tool_call_chunk"})
"""Content blocks whose growth is a tool call's arguments, which `tool_calls` shows already."""

_TEXTS = frozenset({"text", "thinking", "reasoning"})
"""Types of content blocks that have their text under the type's name."""


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
        self.origin: tuple[tuple[str, ...], str | None] = ((), None)
        """The namespace and the node that it is streamed in."""
        self.task: str | None = None
        """The task that it is streamed in, by the names around it."""
        self.about: Mapping[str, Any] = {}
        """What LangGraph tells of the model call."""
        self.has_two_names = False
        """Whether it has come under LangChain's id and under the provider's."""
        self.is_named = False
        """Whether its node has written it under an id that it has."""
        self.done = False
        """Whether the last chunk has come."""
        self.settled = False
        """Whether an update or the state has taken its place."""
        self._calls = LiveCalls(self.value["tool_calls"])
        self._blocks: dict[Any, int] = {}
        """A content block's `index` to its place in the list."""
        self._untold: list[tuple[int, Mapping[str, Any]]] = []
        """Growth of blocks that is shown elsewhere: the place, the piece."""
        self._usage: Any = None
        self._response_metadata: dict[str, Any] = {}
        self.move(path)
        self.append(first)

    def move(self, path: list[str]) -> None:
        """Stand elsewhere from now on."""
        self.place = int(path[-1])
        self._path = path
        self._content_path = [*path, "content"]
        self._calls.move([*path, "tool_calls"])

    def next_text(self, fields: Mapping[str, Any]) -> tuple[list[str], str] | None:
        """Add a chunk that is a piece of one text and nothing else, as most are; returns the
        text's path and the piece. With any other nothing is done.

        Args:
            fields: What `vars()` gives of the chunk: pydantic makes each attribute dear.
        """
        if (
            fields["additional_kwargs"]
            or fields["usage_metadata"]
            or fields["chunk_position"] is not None
        ):
            return None
        content, pieces = fields["content"], fields["tool_call_chunks"]
        if pieces:
            appended = self._next_args(content, pieces)
        elif type(content) is str:
            appended = self._next_content(content)
        else:
            appended = self._next_in_block(content)
        if appended is not None and fields["response_metadata"]:
            self._response_metadata.update(fields["response_metadata"])
        return appended

    def append(self, chunk: AIMessageChunk) -> Operations:
        """Add a chunk; returns the operations that do the same on the client."""
        operations: Operations = []
        content: Any = chunk.content
        if content:
            value = self.value
            if type(content) is str and type(value["content"]) is str:
                extend(value, "content", content)
                path = self._content_path[:]
                operations.append({"type": "append-text", "path": path, "value": content})
            else:
                self._append_blocks(as_items(content), operations)
        for piece in chunk.tool_call_chunks:
            self._calls.append(piece, operations)
        if chunk.additional_kwargs:
            self._append_kwargs(chunk.additional_kwargs, operations)
        if chunk.usage_metadata:
            self._usage = add_usage(self._usage, chunk.usage_metadata)
        if chunk.response_metadata:
            self._response_metadata.update(chunk.response_metadata)
        if chunk.chunk_position is not None:
            self.done = True
        return operations

    def rename(self, message_id: str, operations: Operations) -> None:
        """Take the provider's id, which has come after LangChain's own."""
        put(self.value, "id", message_id, self._path, operations)

    def says(self, message: Mapping[str, Any]) -> bool:
        """Whether a finished message, as a dict, has the same content and calls."""
        ids = [call["id"] for call in self.value["tool_calls"]]
        return (
            message["type"] == "ai"
            and message["content"] == self.value["content"]
            and [call["id"] for call in message["tool_calls"]] == ids
        )

    def finished(self) -> dict[str, Any]:
        """The finished message, as far as the chunks tell, for a stream that has no other word
        of it."""
        content = copy_json(self.value["content"])
        for place, delta in self._untold:
            if is_list(content):
                grow(content[place], delta, [], [])
        return {
            **self.value,
            "content": content,
            "tool_calls": self._calls.finished(),
            "response_metadata": to_json(self._response_metadata),
            "usage_metadata": to_json(self._usage),
        }

    def _next_args(self, content: Any, pieces: list[Any]) -> tuple[list[str], str] | None:
        """A piece of a call's arguments, which the content's only block may repeat."""
        if not content:
            return self._calls.next_args(pieces)
        delta = content[0] if is_list(content) and len(content) == 1 else None
        if not is_dict(delta) or delta.get("id") or delta.get("type") != "input_json_delta":
            return None
        place = self._blocks.get(delta.get("index"))
        appended = None if place is None else self._calls.next_args(pieces)
        if appended is not None and place is not None:
            self._untold.append((place, delta))
        return appended

    def _next_content(self, text: str) -> tuple[list[str], str] | None:
        value = self.value
        grown = value["content"]
        if not text or type(grown) is not str:
            return None
        value["content"] = None  # As in `extend`.
        grown += text
        value["content"] = grown
        return self._content_path, text

    def _next_in_block(self, content: list[Any]) -> tuple[list[str], str] | None:
        """A piece of the text of a block that is there: it has an index, a type and that text."""
        delta = content[0] if len(content) == 1 else None
        if not is_dict(delta) or len(delta) != 3:
            return None
        key, index = delta.get("type"), delta.get("index")
        if type(key) is not str or key not in _TEXTS or index not in self._blocks:
            return None
        text = delta.get(key)
        if type(text) is not str or not text:
            return None
        place = self._blocks[index]
        block = self.value["content"][place]
        if type(block.get(key)) is not str or block.get("type") != key:
            return None
        extend(block, key, text)
        return [*self._content_path, str(place), key], text

    def _append_blocks(self, deltas: Any, operations: Operations) -> None:
        content: Any = self.value["content"]
        if not is_list(content):
            put(self.value, "content", [content] if content else [], self._path, operations)
        blocks: Any = self.value["content"]
        for delta in deltas:
            if isinstance(delta, str):
                self._append_text(blocks, delta, operations)
            else:
                self._append_block(blocks, delta, operations)

    def _append_text(self, blocks: list[Any], text: str, operations: Operations) -> None:
        if blocks and isinstance(blocks[-1], str):
            extend(blocks, -1, text)
            path = [*self._content_path, str(len(blocks) - 1)]
            operations.append({"type": "append-text", "path": path, "value": text})
        elif text:
            put(blocks, len(blocks), text, self._content_path, operations)

    def _append_block(self, blocks: list[Any], delta: Any, operations: Operations) -> None:
        index = delta.get("index") if is_mapping(delta) else None
        place = self._blocks.get(index) if index is not None else None
        if place is not None and _goes_on(blocks[place], delta):
            if delta.get("type") in _TOOL_BLOCKS:
                self._untold.append((place, delta))
            else:
                grow(blocks[place], delta, [*self._content_path, str(place)], operations)
            return
        if index is not None:
            self._blocks[index] = len(blocks)
        put(blocks, len(blocks), delta, self._content_path, operations)

    def _append_kwargs(self, delta: Mapping[str, Any], operations: Operations) -> None:
        # Some clients repeat the calls of `tool_call_chunks` here.
        shown = {key: value for key, value in delta.items() if key != "tool_calls"}
        path = [*self._path, "additional_kwargs"]
        grow(self.value["additional_kwargs"], shown, path, operations)


def _goes_on(block: Mapping[str, Any], delta: Mapping[str, Any]) -> bool:
    """Whether a block with the same index is the same block."""
    return not (block.get("id") and delta.get("id") and block["id"] != delta["id"])
