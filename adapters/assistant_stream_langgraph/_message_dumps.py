"""Messages as dicts, each dumped once as long as it stays the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from assistant_stream_ce._json import to_json
from assistant_stream_ce.errors import NotJSONError
from assistant_stream_langchain._results import json_value

__all__ = ("MessageDumps",)


class MessageDumps:
    """Remembers the dicts of message objects: a graph tells its whole conversation every step."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[BaseMessage, dict[str, Any], Any]] = {}
        """By identity: the message, its fields when it was dumped, the dump."""

    def to_json(self, message: Any) -> Any:
        """The dict of a message, the same one as last time if the message is.

        A glance at the fields decides that; what has changed within one goes unseen until
        `forget()`. What is no message is simply converted.
        """
        if not isinstance(message, BaseMessage):
            return json_value(message)
        fields = vars(message)
        known = self._known.get(id(message))
        if known is not None and known[0] is message and known[1] == fields:
            return known[2]
        dump = _dump(message)
        self._known[id(message)] = (message, dict(fields), dump)
        return dump

    def list_to_json(self, messages: Sequence[Any]) -> list[Any]:
        """The dicts of a whole conversation. What is in it no more is forgotten in time: the
        messages of a stream that has come over a network are new objects in every state."""
        dumps = [self.to_json(message) for message in messages]
        if len(self._known) > 2 * len(messages):
            held = {id(message) for message in messages}
            self._known = {key: known for key, known in self._known.items() if key in held}
        return dumps

    def forget(self) -> None:
        """Dump every message anew from now on."""
        self._known.clear()


def _dump(message: BaseMessage) -> Any:
    """The dict of a message; what has no JSON form in it, as an artifact may have none, is told
    by its text."""
    try:
        return to_json(message)
    except NotJSONError:
        return to_json(
            message.model_copy(update={k: json_value(v) for k, v in vars(message).items()})
        )
