"""The `messages` channel in the mirrored state, growing token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessageChunk,
    BaseMessage,
    RemoveMessage,
)
from langgraph.types import Overwrite

from assistant_stream_ce.chunks import StateOperation
from assistant_stream_ce.typing import JSONValue
from assistant_stream_langchain._results import json_value
from assistant_stream_langchain.visibility import Visibility

from ._channels import Returned
from ._live_message import LiveMessage
from ._message_dumps import MessageDumps
from ._message_list import REMOVE_ALL, MessageList
from ._revive import written_items, written_message
from ._shapes import id_of, is_items
from ._sharing import Sharing
from ._twins import named_again, twin
from ._workflows import is_of_call

__all__ = ("Conversation",)


class Conversation:
    """The list of message dicts that the client shows.

    Streaming messages grow at the end of the list. A node's update brings its messages in their
    final form, merged by id, and the graph's state then settles list and order.

    Only what is going to be in the graph's own `messages` is shown: tokens of the graph's nodes
    and of subgraphs that work on the same conversation, not those of an agent inside a tool.

    Args:
        initial: What the client shows before the run.
        visibility: Which tokens are shown; a message that is in the state is shown in any case.
        key: The channel.
    """

    def __init__(self, initial: JSONValue, visibility: Visibility, key: str = "messages") -> None:
        self._list = MessageList(initial, key)
        self._sharing = Sharing(self._list, visibility)
        self._is_of_run = initial is None
        """Whether it is the run's, and not only what the client had before."""
        self._live: dict[str, LiveMessage | None] = {}
        """Streaming messages by every id they have; `None` for those that are not shown."""
        self._written_by: dict[str | None, str] = {}
        """The task whose node has written a message that no model has streamed, by its id."""
        self._unordered: set[str | None] = set()
        """The ids of such messages whose place among the others no update has told."""
        self._dumps = MessageDumps()
        self._is_absent = False
        """Whether the graph's state is known to have no such channel."""
        self.told_by_graph = False
        """Whether the stream has `updates` or `values`, which know what goes to `messages`."""
        self._last_values: Any = None

    @property
    def value(self) -> Any:
        """What the client shows. Not to be changed."""
        return self._list.value

    def next_text(self, message: BaseMessage) -> tuple[list[str], str] | None:
        """What `on_message` would append, if that is all that it would do: the path, the text.
        `None` if it may be more than that, and then nothing was done."""
        if type(message) is not AIMessageChunk:
            return None
        fields = message.__dict__
        live = self._live.get(fields["id"])
        return None if live is None or live.done else live.next_text(fields)

    def on_message(self, namespace: tuple[str, ...], payload: Any) -> list[StateOperation]:
        """A token, or a whole message from a node."""
        message, metadata = payload
        if isinstance(message, AIMessageChunk):
            message_id = message.id
            if message_id in self._live:
                live = self._live[message_id]
                if live is None:
                    return []
                if not live.done:
                    return live.append(message)
                if not (message.content or message.tool_call_chunks):
                    return [] if live.settled else live.append(message)
            return self._start(namespace, message, metadata)
        task = metadata.get("langgraph_checkpoint_ns")
        if task and message.id:
            self._written_by[message.id] = task
        if self.told_by_graph or not self._sharing.has(namespace) or message.id == REMOVE_ALL:
            return []  # Of what is written after a removal of all, this mode tells the new only.
        self._unordered.add(message.id)
        return self._merge(message, namespace, metadata.get("langgraph_node"), task)

    def on_update(
        self, namespace: tuple[str, ...], node: str | None, written: Any, task: str | None = None
    ) -> list[StateOperation]:
        """What a node has written to `messages`, in which task if that is known."""
        if not self._sharing.has(namespace):
            return []
        if isinstance(written, Overwrite):
            if self._last_values is not None:
                return []
            return self._list.settle(self._to_json(written.value))
        operations: list[StateOperation] = []
        items = written_items(written)
        self._take_names(items)
        known = self._told_names() if self._last_values is None else set[str]()
        gives_back = any(getattr(message, "id", None) in known for message in items)
        if isinstance(written, Returned) and (
            gives_back or any(m.type == "human" for m in written)
        ):
            return self._take_returned(written, namespace, node, task)
        for message in items:
            # A subgraph removes from its own copy: what it gives back is merged into the list.
            if not (namespace and isinstance(message, RemoveMessage)):
                merged = self._merge(message, namespace, node, task, gives_back=gives_back)
                operations.extend(merged)
        if self._last_values is None and not namespace:
            operations.extend(self._put_in_order(items, known))
            self._unordered.difference_update(getattr(message, "id", None) for message in items)
        return operations

    def _take_returned(
        self, written: Returned, namespace: tuple[str, ...], node: str | None, task: str | None
    ) -> list[StateOperation]:
        """What a workflow returns is its conversation: what is known too, in its own order."""
        operations: list[StateOperation] = []
        places: list[int] = []
        for message in written:
            value = self._dumps.to_json(message)
            place = None if value["id"] else self._list.place_of_equal(value, places)
            if place is None:
                operations.extend(self._merge(message, namespace, node, task))
                place = self._list.places.get(message.id or "", len(self._list.items) - 1)
            if place not in places:
                places.append(place)
        if self._last_values is None and not namespace:
            operations.extend(self._list.put_in_order(places))
        return operations

    def _told_names(self) -> set[str]:
        """The ids of the messages that the graph itself has told."""
        others = (*self._list.visitors, *(live.value for live in self._list.growing))
        return self._list.places.keys() - {item["id"] for item in others} - self._unordered

    def _put_in_order(self, written: Sequence[Any], known: set[str]) -> list[StateOperation]:
        """Of a node's new messages one may have been streamed, or told inside, before another."""
        names = [m.id for m in written if isinstance(m, BaseMessage) and m.id not in known]
        known_places = self._list.places
        return self._list.put_in_order(
            [known_places[name] for name in dict.fromkeys(names) if name in known_places]
        )

    def on_values(self, messages: Any) -> list[StateOperation]:
        """What the graph's state holds."""
        self.told_by_graph = True
        self._is_absent, self._is_of_run = False, True
        self._last_values = messages
        self._sharing.tells_state = messages is not None
        # A step ends when all its tasks have, so nothing is streaming now.
        for live in self._list.growing[:]:
            self._list.release(live)
        return self._list.settle(self._to_json(messages))

    def _to_json(self, messages: Any) -> Any:
        return (self._dumps.list_to_json if is_items(messages) else json_value)(messages)

    def withdraw(self) -> bool:
        """The graph's state has no such channel, so nothing is shown of it until it has. Returns
        whether there is something to be taken back."""
        self._is_absent = True
        if not self._is_of_run or self.value is None:
            return False
        self._list.clear()
        return True

    def start_subgraph(self, namespace: tuple[str, ...], messages: Any) -> None:
        """A subgraph tells its first state."""
        self._sharing.start_subgraph(namespace, messages)

    def finish(self) -> list[StateOperation]:
        """Complete what only its chunks have told, and check the last state to the letter."""
        if self._last_values is not None:
            # A node may have changed a message in place after the state was told.
            self._dumps.forget()
            return self.on_values(self._last_values)
        unsettled, self._list.growing = self._list.growing, []
        if self.told_by_graph:
            # Their nodes have ended and have put them somewhere else.
            # What the task of a workflow has said is what it has returned, as far as one can know.
            lost = [live for live in unsettled if not (live.done and is_of_call(live.about))]
            gone = {id(item) for item in (*(live.value for live in lost), *self._list.visitors)}
            kept = [item for item in self._list.items if id(item) not in gone]
            return self._list.settle(kept) if gone else []
        operations: list[StateOperation] = []
        for live in unsettled:
            operations.extend(self._list.put(live.place, live.finished()))
        return operations

    def _start(
        self, namespace: tuple[str, ...], chunk: AIMessageChunk, metadata: Mapping[str, Any]
    ) -> list[StateOperation]:
        message_id = chunk.id or ""
        if self._is_absent or not self._sharing.shows(namespace, metadata):
            self._live[message_id] = None
            return []
        growing = named_again(self._list.growing, namespace, message_id, metadata)
        if growing is not None:
            self._live[message_id] = growing
            growing.has_two_names = True
            operations = growing.append(chunk)
            if not message_id.startswith("lc_"):
                del self._list.places[growing.value["id"]]
                growing.rename(message_id, operations)
                self._list.places[message_id] = growing.place
            return operations
        operations = self._list.open()
        place = self._list.places.get(message_id, len(self.value))
        live = LiveMessage(chunk, [self._list.key, str(place)])
        live.origin = (namespace, metadata.get("langgraph_node"))
        live.task, live.about = metadata.get("langgraph_checkpoint_ns"), metadata
        self._live[message_id] = live
        operations.extend(self._list.start(live))
        return operations

    def _merge(
        self,
        message: Any,
        namespace: tuple[str, ...],
        node: str | None,
        task: str | None = None,
        *,
        gives_back: bool = False,
    ) -> list[StateOperation]:
        """Put a whole message in its place by id, as LangGraph's own reducer does. One of a write
        that `gives_back` the conversation may have got its id since it was told."""
        waits_for_state = self._last_values is not None
        if isinstance(message, RemoveMessage):
            # The list in the state is the better word on what is left.
            return [] if waits_for_state else self._list.remove(message.id)
        if not isinstance(message, BaseMessage):
            message = None if waits_for_state else written_message(message)
        if message is None:
            return []
        value = self._dumps.to_json(message)
        place = self._list.places.get(message.id or "")
        if place is None:
            task = task or self._written_by.get(message.id)
            streamed = twin(self._list.growing, value, namespace, node, task)
            if streamed is not None:
                place = streamed.place
            else:
                place = self._place_of_same(value, gives_back)
            if place is not None:
                value = {**value, "id": message.id or id_of(self.value[place])}
            elif message.id is None and waits_for_state:
                return []
        is_visitor = namespace and not waits_for_state
        if is_visitor and not self._list.is_inside_only(place):
            return []  # What becomes of the graph's own message it tells when it has ended.
        operations = self._list.put(place, value)
        if is_visitor:
            self._list.visitors.add(value)
        elif message.id is None:
            self._list.nameless.add(value)
        return operations

    def _place_of_same(self, value: Mapping[str, Any], gives_back: bool) -> int | None:
        """Where the same message stands under another id, or none."""
        place = self._list.visitors.place_of(value, self._list.items)
        if place is None and gives_back and value["id"]:
            place = self._list.nameless.place_of(value, self._list.items)
        return place

    def _take_names(self, written: Sequence[Any]) -> None:
        """A streamed message that a node has written under the id that it has is no other one of
        those beside it."""
        for message in written:
            live = self._live.get(getattr(message, "id", None) or "")
            if live is not None:
                live.is_named = True
