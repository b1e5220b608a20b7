"""Whose words are a graph's conversation: its own, and those of subgraphs that work on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import BaseMessage

from assistant_stream_langchain.visibility import Visibility

from ._message_list import MessageList
from ._shapes import call_ids_of, is_dict, is_items
from ._structured_calls import schema_of

__all__ = ("Sharing",)

_Namespace = tuple[str, ...]


class Sharing:
    """Tells the graphs that share a conversation from those that run inside a tool.

    Args:
        messages: The conversation.
        visibility: Which tokens are shown.
    """

    def __init__(self, messages: MessageList, visibility: Visibility) -> None:
        self._messages = messages
        self._decide = visibility.decide
        self._seals = visibility.seals
        self._shared: dict[_Namespace, bool] = {(): True}
        self._speakers: set[tuple[_Namespace, Any]] = set()
        """Nodes whose model calls are not inside a tool."""
        self.tells_state = False
        """Whether the graph tells its state: then a subgraph that shares it tells its own."""

    def start_subgraph(self, namespace: _Namespace, messages: Any) -> None:
        """A subgraph tells its first state: does it go on with this conversation?

        An agent that is called by a tool does not, even when it is given the whole conversation:
        then the last message has calls without a result.
        """
        if namespace in self._shared or not is_items(messages):
            return
        ids = [message.id for message in messages if isinstance(message, BaseMessage)]
        knows_all = bool(ids) and all(name in self._messages.places for name in ids)
        self._shared[namespace] = (
            knows_all
            and self.has(namespace[:-1])
            and not self._waits_for_tools()
            and not self._seals(namespace)
        )

    def has(self, namespace: _Namespace) -> bool:
        """Whether a graph works on this conversation."""
        shared = self._shared.get(namespace)
        if shared is None:
            # Where the graph tells its state, a subgraph that shares it has told its own by now.
            shared = not (self.tells_state or self._waits_for_tools() or self._seals(namespace))
            self._shared[namespace] = shared
        return shared

    def shows(self, namespace: _Namespace, metadata: Mapping[str, Any]) -> bool:
        """Whether what a model begins to say is shown before the state has it."""
        if not self.has(namespace) or schema_of(metadata) is not None:
            return False
        if self._decide(metadata.get("tags"), metadata) == "hide":
            return False
        speaker = (namespace, metadata.get("langgraph_node"))
        if speaker not in self._speakers:
            if self._waits_for_tools():
                return False  # A tool calls a model: that is no part of the conversation.
            self._speakers.add(speaker)
        return True

    def _waits_for_tools(self) -> bool:
        answered: set[str] = set()
        for item in reversed(self._messages.items):
            if not is_dict(item) or item.get("type") != "tool":
                return not answered.issuperset(call_ids_of(item))
            answered.add(str(item.get("tool_call_id")))
        return False
