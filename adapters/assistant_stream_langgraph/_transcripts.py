"""What sub-agents have said inside tool calls, whole, for the cards of the calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import BaseMessage

from assistant_stream_ce._json import to_json
from assistant_stream_ce.typing import JSONValue
from assistant_stream_langchain.history import to_thread_messages

from ._shapes import as_items

__all__ = ("Transcripts",)

_Namespace = tuple[str, ...]


class Transcripts:
    """Keeps the conversation of every sub-agent until its call has a result."""

    def __init__(self) -> None:
        self._conversations: dict[str, dict[_Namespace, list[BaseMessage]]] = {}

    def settle(self, call_id: str, namespace: _Namespace, channels: Mapping[str, Any]) -> None:
        """Take a sub-agent's state: its conversation as it stands."""
        found = _messages(channels)
        if found:
            self._conversations.setdefault(call_id, {})[namespace] = found

    def extend(self, call_id: str, namespace: _Namespace, channels: Mapping[str, Any]) -> None:
        """Take what a node of a sub-agent has written."""
        known = self._conversations.setdefault(call_id, {}).setdefault(namespace, [])
        ids = {message.id for message in known}
        known.extend(m for m in _messages(channels) if m.id is None or m.id not in ids)

    def take(self, call_id: str) -> JSONValue:
        """The conversations in a call, one after the other, as messages of a thread; `None` if
        there were none."""
        conversations = self._conversations.pop(call_id, {})
        history = [message for found in conversations.values() for message in found]
        return to_json(to_thread_messages(history)) if history else None


def _messages(channels: Mapping[str, Any]) -> list[BaseMessage]:
    written = as_items(channels.get("messages"))
    return [m for m in written if isinstance(m, BaseMessage) and m.type != "remove"]
