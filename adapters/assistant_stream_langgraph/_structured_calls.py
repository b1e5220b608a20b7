"""Model calls inside a graph that are asked for structured output.

What such a model says is a value for the graph, not text for the reader. The stream of a graph
does not tell these calls from others, so a callback notes it where the stream can be seen to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks

from assistant_stream_ce.chunks import DataPartChunk
from assistant_stream_langchain._results import json_value
from assistant_stream_langchain._structured import (
    native_schema_name,
    schema_name,
    structured_value,
)

__all__ = ("StructuredAnswer", "StructuredCalls", "native_schema_of", "schema_of")

_SCHEMA = "assistant_stream_schema"
_NATIVE_SCHEMA = "assistant_stream_native_schema"


class StructuredCalls(BaseCallbackHandler):
    """Notes in the metadata of a model call that it is asked for structured output.

    LangGraph gives the metadata with every token, and tells nothing else of what was asked.
    """

    run_inline = True

    @property
    def ignore_llm(self) -> bool:
        """Every token would pass through here otherwise."""
        return True

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A chat model is called."""
        if metadata is None:
            return
        name = schema_name(kwargs.get("options"))
        if name is not None:
            metadata[_SCHEMA] = name
            return
        name = native_schema_name(kwargs.get("invocation_params"))
        if name is not None:
            metadata[_NATIVE_SCHEMA] = name


def schema_of(metadata: Mapping[str, Any]) -> str | None:
    """The name of the schema that a model call is asked to fill, if it is."""
    return metadata.get(_SCHEMA)


def native_schema_of(metadata: Mapping[str, Any]) -> str | None:
    """The name of the schema that the text of a model call is to fill, if it calls no tool. Its
    message is part of the conversation all the same."""
    return metadata.get(_NATIVE_SCHEMA)


class StructuredAnswer:
    """The answer of one such call, told as a data part once it is complete."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._chunks: list[AIMessageChunk] = []
        self._told = False

    def take(
        self, message: AIMessage, parent_id: str | None, whole: bool
    ) -> tuple[AIMessage, tuple[DataPartChunk, ...]]:
        """What is left of `message` for the account of the run, and the value if it is complete."""
        kept: Any = {
            "content": "",
            "id": message.id,
            "usage_metadata": message.usage_metadata,
            "response_metadata": message.response_metadata,
        }
        if whole or not isinstance(message, AIMessageChunk):
            return AIMessage(**kept), self._tell(message, parent_id)
        self._chunks.append(message)
        data: tuple[DataPartChunk, ...] = ()
        if message.chunk_position == "last":
            data = self._tell(add_ai_message_chunks(*self._chunks), parent_id)
        return AIMessageChunk(**kept, chunk_position=message.chunk_position), data

    def _tell(self, message: AIMessage, parent_id: str | None) -> tuple[DataPartChunk, ...]:
        if self._told:
            return ()
        self._told = True
        self._chunks.clear()
        value = json_value(structured_value(message))
        return (DataPartChunk(self._name, value, message.id, parent_id),)
