"""Events of a LangGraph server: the parts of `langgraph_sdk`, whose messages are dicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk

from assistant_stream_ce.errors import AssistantStreamError

from ._revive import as_message
from ._shapes import is_items, is_mapping

__all__ = ("ServerEvents", "is_server_event")

_Event: TypeAlias = tuple[tuple[str, ...], str, Any]

_SILENT = frozenset({"end", "feedback", "heartbeat", "metadata"})


def is_server_event(event: Any) -> bool:
    """Whether `event` is a part of `langgraph_sdk`: an event's name, data, and perhaps an id."""
    return isinstance(getattr(event, "event", None), str) and hasattr(event, "data")


class ServerEvents:
    """Reads the parts of one run.

    Args:
        read: Reads a graph event, or one of `astream_events`, that stands in a part.
    """

    def __init__(self, read: Callable[[Any], Sequence[_Event]]) -> None:
        self._read = read
        self._seen: dict[str, tuple[str, list[str]]] = {}
        """By message: the text, and the arguments of each call, that have come."""
        self._metadata: dict[str, Mapping[str, Any]] = {}
        """By message, as it is told before the first of it."""

    def read(self, event: Any) -> Sequence[_Event]:
        """The graph events in a part.

        Raises:
            AssistantStreamError: The part tells that the run has failed.
        """
        # "messages|tools:<task id>": a server puts the namespace behind the mode.
        mode, *namespace = event.event.split("|")
        if mode in _SILENT:
            return ()
        if mode == "error":
            raise AssistantStreamError(_error_text(event.data))
        if mode == "messages/metadata":
            self._learn(event.data)
            return ()
        if mode in ("messages/partial", "messages/complete"):
            return self._on_messages(tuple(namespace), event.data, mode == "messages/complete")
        if mode == "events":
            return self._read(event.data)
        return self._read((tuple(namespace), mode, event.data))

    def _on_messages(
        self, namespace: tuple[str, ...], data: Any, is_complete: bool
    ) -> Sequence[_Event]:
        """Messages as they stand so far, told again with every token."""
        events: list[_Event] = []
        for item in data if is_items(data) else ():
            message = as_message(item)
            if isinstance(message, AIMessage) and not is_complete:
                message = self._grown(message)
            if message is not None:
                metadata = self._metadata.get(message.id or "", {})
                events.append((namespace, "messages", (message, metadata)))
        return events

    def _learn(self, data: Any) -> None:
        """Learn where messages come from: `{message id: {"metadata": {...}}}`."""
        for message_id, told in data.items() if is_mapping(data) else ():
            metadata = told.get("metadata") if is_mapping(told) else None
            if is_mapping(metadata):
                self._metadata[str(message_id)] = metadata

    def _grown(self, message: AIMessage) -> AIMessageChunk | None:
        """What a message has grown by; blocks are told when the message is complete."""
        text, args = self._seen.get(message.id or "", ("", []))
        content: Any = message.content
        now = content if isinstance(content, str) else text
        pieces: Sequence[Any] = getattr(message, "tool_call_chunks", ())
        grown = [
            {**piece, "args": (piece["args"] or "")[len(args[place]) if place < len(args) else 0 :]}
            for place, piece in enumerate(pieces)
        ]
        self._seen[message.id or ""] = (now, [piece["args"] or "" for piece in pieces])
        new = [piece for place, piece in enumerate(grown) if piece["args"] or place >= len(args)]
        if not new and len(now) <= len(text):
            return None
        chunks: Any = new
        return AIMessageChunk(content=now[len(text) :], id=message.id, tool_call_chunks=chunks)


def _error_text(data: Any) -> str:
    fields: Mapping[Any, Any] = data if is_mapping(data) else {}
    kind, text = fields.get("error"), fields.get("message")
    return f"The server's run failed: {text or kind or data}"
