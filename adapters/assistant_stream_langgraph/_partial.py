"""What a run had said when it was stopped, kept in its thread.

LangGraph saves what a node has returned. What a model was still saying, and what a subgraph had
said, is gone when the run is cancelled, though the user has read it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks

from assistant_stream_langchain._turns import CANCELLED
from assistant_stream_langchain.visibility import Visibility

from ._channels import channels_of, messages_in, update_writes
from ._shapes import as_items, is_items
from ._structured_calls import schema_of
from .events import GraphEvent
from .subgraphs import ToolCallOwners, base_of

__all__ = ("PartialMessages",)


@dataclass(slots=True)
class _Spoken:
    """A message as far as it has come."""

    chunks: list[AIMessageChunk] = field(default_factory=list[AIMessageChunk])
    whole: BaseMessage | None = None


class PartialMessages:
    """Listens to a run, and knows what has been said that its state does not have.

    What counts is what is going to be in the graph's own `messages`: what its nodes say, and
    subgraphs that work on the same conversation, but not an agent inside a tool.
    """

    def __init__(self, visibility: Visibility | None = None) -> None:
        self._decide = (visibility or Visibility()).decide
        self._spoken: dict[str, _Spoken] = {}
        self._by_task: dict[Any, tuple[str, _Spoken]] = {}
        self._tool_tasks: set[str] = set()
        self._tasks = ToolCallOwners()
        self._ids: set[str | None] = set()
        """The ids of the messages in the graph's state."""
        self._shared: dict[tuple[str, ...], bool] = {(): True}

    def feed(self, event: GraphEvent) -> None:
        """Take the next event of the run."""
        namespace, mode, payload = event
        if mode == "messages":
            message, metadata = payload
            spoken = self._spoken.get(message.id)
            if spoken is not None and isinstance(message, AIMessageChunk):
                spoken.chunks.append(message)
            elif self._is_kept(namespace, message, metadata):
                self._begin(namespace, message, metadata)
        elif mode == "values":
            self._on_values(namespace, channels_of(payload) or {})
        elif mode == "updates":
            self._on_updates(namespace, payload)
        elif mode == "tasks" and self._tasks.start_task(payload):
            self._tool_tasks.add(payload["id"])

    def unsaved(self, saved: Collection[str | None]) -> list[BaseMessage]:
        """What was said and is not among the messages of the state, whose ids are `saved`.

        A message that was stopped has the finish reason `cancelled`. It is its text, and the calls
        whose names had come: providers refuse a thought without its signature, and half a call of
        a tool of their own.
        """
        messages: list[BaseMessage] = []
        calls: set[str | None] = set()
        # One that has changed its id is there under both.
        for spoken in {id(spoken): spoken for spoken in self._spoken.values()}.values():
            message = _finished(spoken)
            if message is None or message.id in saved:
                continue
            if isinstance(message, ToolMessage):
                if message.tool_call_id not in calls:
                    continue
            elif isinstance(message, AIMessage):
                calls.update(call["id"] for call in message.tool_calls)
            messages.append(message)
        return messages

    def _begin(
        self, namespace: tuple[str, ...], message: BaseMessage, metadata: Mapping[str, Any]
    ) -> None:
        if not message.id or message.id in self._ids:
            return
        if not isinstance(message, AIMessageChunk):
            if isinstance(message, AIMessage | ToolMessage):
                self._spoken[message.id] = _Spoken(whole=message)
            return
        task = (namespace, metadata.get("langgraph_checkpoint_ns"))
        known_as, spoken = self._by_task.get(task, ("", None))
        # A provider's own id may come after LangChain's, and mean the same message.
        is_same = known_as.startswith("lc_") != message.id.startswith("lc_")
        if spoken is None or not is_same or spoken.chunks[-1].chunk_position is not None:
            spoken = _Spoken()
        self._by_task[task] = (message.id, spoken)
        spoken.chunks.append(message)
        self._spoken[message.id] = spoken

    def _on_values(self, namespace: tuple[str, ...], channels: Mapping[str, Any]) -> None:
        messages = _messages(channels.get("messages"))
        ids = {message.id for message in messages}
        if not namespace:
            # A step ends when all its tasks have, so nothing is being said now.
            self._ids = ids
            self._spoken.clear()
            self._by_task.clear()
        elif namespace not in self._shared:
            self._shared[namespace] = bool(ids) and ids <= self._ids

    def _on_updates(self, namespace: tuple[str, ...], payload: Any) -> None:
        """Version 3 of `astream_events` has no results of tools among the messages."""
        for node, channels in update_writes(payload):
            around: dict[str, Any] = {"langgraph_checkpoint_ns": "|".join((*namespace, node))}
            for message in messages_in(channels):
                if message.id in self._spoken or not isinstance(message, ToolMessage):
                    continue
                if self._is_kept(namespace, message, around):
                    self._begin(namespace, message, around)

    def _is_kept(
        self, namespace: tuple[str, ...], message: BaseMessage, metadata: Mapping[str, Any]
    ) -> bool:
        segments = str(metadata.get("langgraph_checkpoint_ns", "")).split("|")
        if isinstance(message, ToolMessage):
            segments.pop()  # What its own tool says.
        if any(segment.rpartition(":")[2] in self._tool_tasks for segment in segments):
            return False
        parents = (namespace[:length] for length in range(len(namespace) + 1))
        if not all(self._shared.get(base_of(parent), True) for parent in parents):
            return False
        if schema_of(metadata) is not None:
            return False
        return self._decide(metadata.get("tags"), metadata) != "hide"


def _messages(value: Any) -> Sequence[BaseMessage]:
    items: Iterable[Any] = as_items(value) if is_items(value) else ()
    return [item for item in items if isinstance(item, BaseMessage)]


def _finished(spoken: _Spoken) -> BaseMessage | None:
    if spoken.whole is not None:
        return spoken.whole
    if not spoken.chunks:
        return None
    merged = add_ai_message_chunks(spoken.chunks[0], *spoken.chunks[1:])
    if merged.chunk_position is not None:
        return AIMessage(
            content=merged.content,
            additional_kwargs=merged.additional_kwargs,
            response_metadata=merged.response_metadata,
            name=merged.name,
            id=merged.id,
            tool_calls=merged.tool_calls,
            invalid_tool_calls=merged.invalid_tool_calls,
            usage_metadata=merged.usage_metadata,
        )
    calls = [call for call in merged.tool_calls if call["id"] and call["name"]]
    if not merged.text and not calls:
        return None
    return AIMessage(
        content=str(merged.text),
        response_metadata={"finish_reason": CANCELLED},
        name=merged.name,
        id=merged.id,
        tool_calls=calls,
        usage_metadata=merged.usage_metadata,
    )
