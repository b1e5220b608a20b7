"""Messages that nodes have written as dicts or pairs: no token tells them, and only the state has
them as messages, without a word on who has written which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import BaseMessage

from assistant_stream_langchain import Place

from ._revive import written_items, written_message

__all__ = ("ForeignWrites",)


class ForeignWrites:
    """Where such messages were written, until the next state.

    Args:
        key: The channel of messages.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._written: dict[tuple[str, ...], list[tuple[BaseMessage, Place]]] = {}

    def note(self, place: Place, channels: Mapping[str, Any]) -> None:
        """A node has written to channels."""
        for item in written_items(channels.get(self._key, [])):
            message = None if isinstance(item, BaseMessage) else written_message(item)
            if message is not None:
                self._written.setdefault(place.namespace, []).append((message, place))

    def place_of(self, message: BaseMessage, place: Place) -> Place:
        """Where a message of the state at `place` was written, as far as that is known."""
        written = self._written.get(place.namespace, []) if place.node is None else []
        for item in written:
            found, origin = item
            is_same = found.type == message.type and found.text == message.text
            if is_same and found.id in (None, message.id):
                written.remove(item)  # The next one that says the same is another.
                return origin
        return place

    def settle(self, namespace: tuple[str, ...]) -> None:
        """The state has told what was written."""
        self._written.pop(namespace, None)
