"""Chunks without an id: those of one model call are one message, and go by one name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessageChunk

__all__ = ("Nameless",)

_Call = tuple[Any, ...]

_TOLD = ("langgraph_node", "langgraph_checkpoint_ns", "run_id", "ls_provider", "ls_model_name")
"""What tells one model call from another."""


class Nameless:
    """Names the chunks of one stream that have no id.

    LangChain gives one to every chunk, so these have been recorded without, or are of somebody
    else's making.
    """

    def __init__(self) -> None:
        self._names: dict[_Call, str] = {}
        """What the message of a model call goes by that is not complete yet."""

    def named(
        self, namespace: tuple[str, ...], chunk: AIMessageChunk, metadata: Mapping[str, Any]
    ) -> AIMessageChunk:
        """The chunk itself if it has an id, or else a copy that has one."""
        call = (namespace, *map(metadata.get, _TOLD))
        name = chunk.id or self._names.get(call) or f"msg_{uuid4().hex}"
        if chunk.chunk_position is None:
            self._names[call] = name
        else:
            self._names.pop(call, None)
        return chunk if chunk.id else chunk.model_copy(update={"id": name})

    def end(self, namespace: tuple[str, ...]) -> None:
        """A node has ended: what comes without an id is another message."""
        if self._names:
            self._names = {call: n for call, n in self._names.items() if call[0] != namespace}
