"""The list of message dicts that the client shows, and the operations that change it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from assistant_stream_ce._json import copy_json
from assistant_stream_ce.chunks import StateOperation
from assistant_stream_ce.state.operations import diff
from assistant_stream_ce.typing import JSONValue

from ._live_message import LiveMessage
from ._shapes import id_of, is_list
from ._visitors import Visitors, in_order

__all__ = ("REMOVE_ALL", "MessageList")

REMOVE_ALL = "__remove_all__"
"""The id with which `RemoveMessage` means every message; LangGraph's `REMOVE_ALL_MESSAGES`."""


class MessageList:
    """Knows where each message stands, those too that still grow there.

    Args:
        initial: What the client shows before the run.
        key: The channel.
    """

    def __init__(self, initial: JSONValue, key: str) -> None:
        self.value: Any = initial
        self.key = key
        self.places: dict[str, int] = {}
        """Where the messages stand, by their ids."""
        self.growing: list[LiveMessage] = []
        """The streamed messages that no update or state has settled."""
        self.visitors = Visitors()
        self.nameless = Visitors()
        """The dicts of messages that a node has written without an id. They have got one since."""
        self._index()

    @property
    def items(self) -> list[Any]:
        """The messages; none where the channel has another form."""
        return self.value if is_list(self.value) else []

    def open(self) -> list[StateOperation]:
        """Before the first message, when the client has no list."""
        if is_list(self.value):
            return []
        self.value = []
        self._index()
        return [{"type": "set", "path": [self.key], "value": []}]

    def clear(self) -> None:
        """The graph has no such channel any more."""
        self.value = None
        self._index()

    def put(self, place: int | None, value: Any) -> list[StateOperation]:
        """Put a whole message where it has to stand, by default at the end."""
        operations = self.open()
        if place is None:
            place = len(self.value)
        for live in [live for live in self.growing if live.place == place]:
            self.release(live)
        operations.extend(self._put_at(place, value))
        return operations

    def start(self, live: LiveMessage) -> list[StateOperation]:
        """Put a message that begins to grow at its place."""
        self.growing.append(live)
        return self._put_at(live.place, live.value)

    def settle(self, new: Any) -> list[StateOperation]:
        """Make `new` the list; messages that are in their place already cost nothing."""
        old, self.value = self.value, new
        self._index()
        if not (is_list(old) and is_list(new)) or len(new) < len(old):
            if old == new and type(old) is type(new):
                return []
            return [{"type": "set", "path": [self.key], "value": copy_json(new)}]
        operations: list[StateOperation] = []
        for place, value in enumerate(new):
            path = [self.key, str(place)]
            if place >= len(old):
                operations.append({"type": "set", "path": path, "value": copy_json(value)})
            elif old[place] is not value:
                operations.extend(diff(old[place], value, path))
        return operations

    def put_in_order(self, places: Sequence[int]) -> list[StateOperation]:
        """Let the messages at these places stand in this order; they keep the places between
        them."""
        return [] if places == sorted(places) else self.settle(in_order(self.items, places))

    def remove(self, message_id: str | None) -> list[StateOperation]:
        """Take a message out, or with `REMOVE_ALL` every one."""
        if message_id == REMOVE_ALL:
            return self.settle([])
        kept = [item for item in self.items if id_of(item) != message_id]
        return self.settle(kept) if len(kept) < len(self.items) else []

    def place_of_equal(self, value: object, but: Collection[int]) -> int | None:
        """Where the same stands, apart from the places in `but`, or none."""
        places = (n for n, item in enumerate(self.items) if n not in but and item == value)
        return next(places, None)

    def is_inside_only(self, place: int | None) -> bool:
        """Whether the graph itself has not told the message that stands there."""
        if place is None or any(live.place == place for live in self.growing):
            return True
        return self.value[place] in self.visitors

    def release(self, live: LiveMessage) -> None:
        """Another dict has taken the place of a streamed message, or none has."""
        live.done = live.settled = True
        self.growing.remove(live)

    def _put_at(self, place: int, value: Any) -> list[StateOperation]:
        path = [self.key, str(place)]
        if value.get("id"):
            self.places[value["id"]] = place
        if place < len(self.value):
            old, self.value[place] = self.value[place], value
            self.visitors.forget(old)
            self.nameless.forget(old)
            old_id = id_of(old)
            if old_id != value.get("id") and self.places.get(old_id or "") == place:
                del self.places[old_id or ""]  # The other may still come.
            return diff(old, value, path)
        self.value.append(value)
        return [{"type": "set", "path": path, "value": copy_json(value)}]

    def _index(self) -> None:
        """Learn where every message stands."""
        self.places.clear()
        for place, item in enumerate(self.items):
            message_id = id_of(item)
            if message_id is not None:
                self.places[message_id] = place
        for live in self.growing[:]:
            if live.value["id"] in self.places:
                live.move([self.key, str(self.places[live.value["id"]])])
            else:
                self.release(live)
