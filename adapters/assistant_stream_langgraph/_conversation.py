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

from assistant_stream_ce._json import copy_json, to_json
from assistant_stream_ce.chunks import StateOperation
from assistant_stream_ce.state.operations import diff
from assistant_stream_ce.typing import JSONValue
from assistant_stream_langchain.visibility import Visibility

from ._live_message import LiveMessage
from ._message_dumps import MessageDumps
from ._revive import written_items, written_message
from ._shapes import call_ids_of, id_of, is_dict, is_items, is_list
from ._structured_calls import schema_of
from ._visitors import Visitors, in_order

__all__ = ("Conversation",)

REMOVE_ALL = "__remove_all__"
"""The id with which `RemoveMessage` means every message; LangGraph's `REMOVE_ALL_MESSAGES`."""


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
        self.value: Any = initial
        self._key = key
        self._is_of_run = initial is None
        """Whether it is the run's, and not only what the client had before."""
        self._decide = visibility.decide
        self._places: dict[str, int] = {}
        self._live: dict[str, LiveMessage | None] = {}
        """Streaming messages by every id they have; `None` for those that are not shown."""
        self._growing: list[LiveMessage] = []
        """The streamed messages that no update or state has settled."""
        self._written_by: dict[str | None, str] = {}
        """The task whose node has written a message that no model has streamed, by its id."""
        self._dumps = MessageDumps()
        self._shared: dict[tuple[str, ...], bool] = {(): True}
        self._speakers: set[tuple[tuple[str, ...], Any]] = set()
        """Nodes whose model calls are not inside a tool."""
        self._is_absent = False
        """Whether the graph's state is known to have no such channel."""
        self.told_by_graph = False
        """Whether the stream has `updates` or `values`, which know what goes to `messages`."""
        self._visitors = Visitors()
        self._nameless = Visitors()
        """The dicts of messages that a node has written without an id. They have got one since."""
        self._last_values: Any = None
        self._index()

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
        if self.told_by_graph or not self._is_shared(namespace) or message.id == REMOVE_ALL:
            return []  # Of what is written after a removal of all, this mode tells the new only.
        return self._merge(message, namespace, metadata.get("langgraph_node"), task)

    def on_update(
        self, namespace: tuple[str, ...], node: str, written: Any, task: str | None = None
    ) -> list[StateOperation]:
        """What a node has written to `messages`, in which task if that is known."""
        if not self._is_shared(namespace):
            return []
        if isinstance(written, Overwrite):
            return [] if self._last_values is not None else self._settle(to_json(written.value))
        operations: list[StateOperation] = []
        items = written_items(written)
        self._take_names(items)
        known = self._told_names() if self._last_values is None else set[str]()
        gives_back = any(getattr(message, "id", None) in known for message in items)
        for message in items:
            # A subgraph removes from its own copy: what it gives back is merged into the list.
            if not (namespace and isinstance(message, RemoveMessage)):
                merged = self._merge(message, namespace, node, task, gives_back=gives_back)
                operations.extend(merged)
        if self._last_values is None and not namespace:
            operations.extend(self._put_in_order(items, known))
        return operations

    def _told_names(self) -> set[str]:
        """The ids of the messages that the graph itself has told."""
        others = (*self._visitors, *(live.value for live in self._growing))
        return self._places.keys() - {item["id"] for item in others}

    def _put_in_order(self, written: Sequence[Any], known: set[str]) -> list[StateOperation]:
        """Of a node's new messages one may have been streamed, or told inside, before another."""
        names = [m.id for m in written if isinstance(m, BaseMessage) and m.id not in known]
        places = [self._places[name] for name in dict.fromkeys(names) if name in self._places]
        if places == sorted(places):
            return []
        return self._settle(in_order(self._items(), places))

    def on_values(self, messages: Any) -> list[StateOperation]:
        """What the graph's state holds."""
        self.told_by_graph = True
        self._is_absent, self._is_of_run = False, True
        self._last_values = messages
        # A step ends when all its tasks have, so nothing is streaming now.
        for live in self._growing[:]:
            self._release(live)
        if is_items(messages):
            return self._settle([self._dumps.to_json(message) for message in messages])
        return self._settle(to_json(messages))

    def withdraw(self) -> bool:
        """The graph's state has no such channel, so nothing is shown of it until it has. Returns
        whether there is something to be taken back."""
        self._is_absent = True
        if not self._is_of_run or self.value is None:
            return False
        self.value = None
        self._index()
        return True

    def start_subgraph(self, namespace: tuple[str, ...], messages: Any) -> None:
        """A subgraph tells its first state: does it go on with this conversation?

        An agent that is called by a tool does not, even when it is given the whole conversation:
        then the last message has calls without a result.
        """
        if namespace in self._shared or not is_items(messages):
            return
        ids = [message.id for message in messages if isinstance(message, BaseMessage)]
        knows_all = bool(ids) and all(message_id in self._places for message_id in ids)
        self._shared[namespace] = (
            knows_all and self._is_shared(namespace[:-1]) and not self._waits_for_tools()
        )

    def finish(self) -> list[StateOperation]:
        """Complete what only its chunks have told, and check the last state to the letter."""
        if self._last_values is not None:
            # A node may have changed a message in place after the state was told.
            self._dumps.forget()
            return self.on_values(self._last_values)
        unsettled, self._growing = self._growing, []
        if self.told_by_graph:
            # Their nodes have ended and have put them somewhere else.
            gone = {id(item) for item in (*(live.value for live in unsettled), *self._visitors)}
            kept = [item for item in self._items() if id(item) not in gone]
            return self._settle(kept) if gone else []
        operations: list[StateOperation] = []
        for live in unsettled:
            operations.extend(self._put(live.place, live.finished()))
        return operations

    def _start(
        self, namespace: tuple[str, ...], chunk: AIMessageChunk, metadata: Mapping[str, Any]
    ) -> list[StateOperation]:
        message_id = chunk.id or ""
        if not self._is_shown(namespace, metadata):
            self._live[message_id] = None
            return []
        growing = self._named_again(namespace, message_id, metadata)
        if growing is not None:
            self._live[message_id] = growing
            growing.has_two_names = True
            operations = growing.append(chunk)
            if not message_id.startswith("lc_"):
                del self._places[growing.value["id"]]
                growing.rename(message_id, operations)
                self._places[message_id] = growing.place
            return operations
        operations = self._open_list()
        place = self._places.get(message_id, len(self.value))
        live = LiveMessage(chunk, [self._key, str(place)])
        live.origin = (namespace, metadata.get("langgraph_node"))
        live.task, live.about = metadata.get("langgraph_checkpoint_ns"), metadata
        self._live[message_id] = live
        self._growing.append(live)
        operations.extend(self._put_at(place, live.value))
        return operations

    def _named_again(
        self, namespace: tuple[str, ...], message_id: str, metadata: Mapping[str, Any]
    ) -> LiveMessage | None:
        """The message that an unknown id is the second one of. A task may ask several models at
        the same time: of another one other things are told."""
        task = metadata.get("langgraph_checkpoint_ns")
        found = [
            live
            for live in self._growing
            if not live.done
            and (live.origin[0], live.task) == (namespace, task)
            and _is_other_name(live, message_id)
            and (live.about is metadata or (live.about == metadata and not live.has_two_names))
        ]
        if len(found) > 1:
            found = [live for live in found if live.about is metadata]
        return found[0] if len(found) == 1 else None

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
            return [] if waits_for_state else self._remove(message.id)
        if not isinstance(message, BaseMessage):
            message = None if waits_for_state else written_message(message)
        if message is None:
            return []
        value = self._dumps.to_json(message)
        place = self._places.get(message.id or "")
        if place is None:
            twin = self._twin(value, namespace, node, task or self._written_by.get(message.id))
            place = twin.place if twin is not None else self._place_of_same(value, gives_back)
            if place is not None:
                value = {**value, "id": message.id or id_of(self.value[place])}
            elif message.id is None and waits_for_state:
                return []
        is_visitor = namespace and not waits_for_state
        if is_visitor and not self._is_inside_only(place):
            return []  # What becomes of the graph's own message it tells when it has ended.
        operations = self._put(place, value)
        if is_visitor:
            self._visitors.add(value)
        elif message.id is None:
            self._nameless.add(value)
        return operations

    def _place_of_same(self, value: Mapping[str, Any], gives_back: bool) -> int | None:
        """Where the same message stands under another id, or none."""
        place = self._visitors.place_of(value, self._items())
        if place is None and gives_back and value["id"]:
            place = self._nameless.place_of(value, self._items())
        return place

    def _is_inside_only(self, place: int | None) -> bool:
        """Whether the graph itself has not told the message that stands there."""
        if place is None or any(live.place == place for live in self._growing):
            return True
        return self.value[place] in self._visitors

    def _take_names(self, written: Sequence[Any]) -> None:
        """A streamed message that a node has written under the id that it has is no other one of
        those beside it."""
        for message in written:
            live = self._live.get(getattr(message, "id", None) or "")
            if live is not None:
                live.is_named = True

    def _twin(
        self,
        value: Mapping[str, Any],
        namespace: tuple[str, ...],
        node: str | None,
        task: str | None,
    ) -> LiveMessage | None:
        """The streamed message that a node has rebuilt under another id; of several that say the
        same, one that can go by that id as well.

        Nodes that run side by side may say the same words: where the stream tells the task that
        has written a message, only what that task has streamed can be the same message.
        """
        message_id = value.get("id")
        twins = [
            live
            for live in self._growing
            if not live.is_named
            and live.says(value)
            and _is_from(live, namespace, node)
            and _is_in_task(live, task)
        ]
        likely = (live for live in twins if not message_id or _is_other_name(live, message_id))
        return next(likely, twins[0] if twins else None)

    def _put(self, place: int | None, value: Any) -> list[StateOperation]:
        operations = self._open_list()
        if place is None:
            place = len(self.value)
        for live in [live for live in self._growing if live.place == place]:
            self._release(live)
        operations.extend(self._put_at(place, value))
        return operations

    def _put_at(self, place: int, value: Any) -> list[StateOperation]:
        path = [self._key, str(place)]
        if value.get("id"):
            self._places[value["id"]] = place
        if place < len(self.value):
            old, self.value[place] = self.value[place], value
            self._visitors.forget(old)
            self._nameless.forget(old)
            old_id = id_of(old)
            if old_id != value.get("id") and self._places.get(old_id or "") == place:
                del self._places[old_id or ""]  # The other may still come.
            return diff(old, value, path)
        self.value.append(value)
        return [{"type": "set", "path": path, "value": copy_json(value)}]

    def _remove(self, message_id: str | None) -> list[StateOperation]:
        if message_id == REMOVE_ALL:
            return self._settle([])
        kept = [item for item in self._items() if id_of(item) != message_id]
        return self._settle(kept) if len(kept) < len(self._items()) else []

    def _settle(self, new: Any) -> list[StateOperation]:
        """Make `new` the list; messages that are in their place already cost nothing."""
        old, self.value = self.value, new
        self._index()
        if not (is_list(old) and is_list(new)) or len(new) < len(old):
            if old == new and type(old) is type(new):
                return []
            return [{"type": "set", "path": [self._key], "value": copy_json(new)}]
        operations: list[StateOperation] = []
        for place, value in enumerate(new):
            path = [self._key, str(place)]
            if place >= len(old):
                operations.append({"type": "set", "path": path, "value": copy_json(value)})
            elif old[place] is not value:
                operations.extend(diff(old[place], value, path))
        return operations

    def _open_list(self) -> list[StateOperation]:
        """Before the first message, when the client has no list."""
        if is_list(self.value):
            return []
        self.value = []
        self._index()
        return [{"type": "set", "path": [self._key], "value": []}]

    def _items(self) -> list[Any]:
        return self.value if is_list(self.value) else []

    def _index(self) -> None:
        """Learn where every message stands."""
        self._places.clear()
        for place, item in enumerate(self._items()):
            message_id = id_of(item)
            if message_id is not None:
                self._places[message_id] = place
        for live in self._growing[:]:
            if live.value["id"] in self._places:
                live.move([self._key, str(self._places[live.value["id"]])])
            else:
                self._release(live)

    def _release(self, live: LiveMessage) -> None:
        """Another dict has taken the place of a streamed message, or none has."""
        live.done = live.settled = True
        self._growing.remove(live)

    def _is_shared(self, namespace: tuple[str, ...]) -> bool:
        shared = self._shared.get(namespace)
        if shared is None:
            # Where the graph tells its state, a subgraph that shares it has told its own by now.
            shared = self._last_values is None and not self._waits_for_tools()
            self._shared[namespace] = shared
        return shared

    def _is_shown(self, namespace: tuple[str, ...], metadata: Mapping[str, Any]) -> bool:
        if self._is_absent or not self._is_shared(namespace) or schema_of(metadata) is not None:
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
        for item in reversed(self._items()):
            if not is_dict(item) or item.get("type") != "tool":
                return not answered.issuperset(call_ids_of(item))
            answered.add(str(item.get("tool_call_id")))
        return False


def _is_from(live: LiveMessage, namespace: tuple[str, ...], node: str | None) -> bool:
    """Whether a message was streamed in a node, or in a graph inside it."""
    inner, speaker = live.origin
    if node is None or speaker is None:
        return True
    if inner == namespace:
        return speaker == node
    depth = len(namespace)
    return inner[:depth] == namespace and inner[depth].split(":")[0] == node


def _is_in_task(live: LiveMessage, task: str | None) -> bool:
    """Whether a message was streamed in a task, or in a graph inside it."""
    return not (task and live.task) or f"{live.task}|".startswith(f"{task}|")


def _is_other_name(live: LiveMessage, message_id: str) -> bool:
    """Whether a new id may be a second one of a message: LangChain's own, and the provider's."""
    return message_id.startswith("lc_") != str(live.value["id"]).startswith("lc_")
