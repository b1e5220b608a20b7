"""The `messages` channel in the mirrored state, growing token by token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage, RemoveMessage
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.types import Overwrite

from assistant_stream_ce._json import copy_json, to_json
from assistant_stream_ce.chunks import StateOperation
from assistant_stream_ce.state.operations import diff
from assistant_stream_ce.typing import JSONValue
from assistant_stream_langchain.visibility import Visibility

from ._live_message import LiveMessage

__all__ = ("Conversation",)

PATH = "messages"


class _Known:
    """A message object, and its dict in the mirror."""

    __slots__ = ("fields", "message", "value")

    def __init__(self, message: BaseMessage, value: Any) -> None:
        self.message = message
        self.fields = dict(message.__dict__)
        self.value = value

    def holds(self, message: BaseMessage) -> bool:
        """Whether `value` is still this message, as far as a glance tells."""
        return self.message is message and self.fields == message.__dict__


class Conversation:
    """The list of message dicts that the client shows.

    Streaming messages grow at the end of the list. A node's update brings its messages in their
    final form, merged by id, and the graph's state then settles list and order.

    Only what is going to be in the graph's own `messages` is shown: tokens of the graph's nodes
    and of subgraphs that work on the same conversation, not those of an agent inside a tool.

    Args:
        initial: What the client shows before the run.
        visibility: Which tokens are shown; a message that is in the state is shown in any case.
    """

    def __init__(self, initial: JSONValue, visibility: Visibility) -> None:
        self.value: Any = initial
        self._decide = visibility.decide
        self._places: dict[str, int] = {}
        self._live: dict[str, LiveMessage | None] = {}
        """Streaming messages by every id they have; `None` for those that are not shown."""
        self._growing: dict[Any, LiveMessage] = {}
        """The message that each task is streaming, for a second id of it."""
        self._known: dict[int, _Known] = {}
        self._shared: dict[tuple[str, ...], bool] = {(): True}
        self._speakers: set[tuple[tuple[str, ...], Any]] = set()
        """Nodes whose model calls are not inside a tool."""
        self._told_by_graph = False
        """Whether the stream has `updates` or `values`, which know what goes to `messages`."""
        self._last_values: Any = None
        self._index()

    def on_message(self, namespace: tuple[str, ...], payload: Any) -> list[StateOperation]:
        """A token, or a whole message from a node."""
        message, metadata = payload
        if isinstance(message, AIMessageChunk):
            message_id = message.id
            if message_id in self._live:
                live = self._live[message_id]
                if live is None:
                    return []
                if not live.done or not (message.content or message.tool_call_chunks):
                    return live.append(message)
            return self._start(namespace, message, metadata)
        if self._told_by_graph or not self._is_shared(namespace):
            return []
        return self._merge(message)

    def on_update(self, namespace: tuple[str, ...], written: Any) -> list[StateOperation]:
        """What a node has written to `messages`."""
        self._told_by_graph = True
        if not self._is_shared(namespace):
            return []
        if isinstance(written, Overwrite):
            return [] if self._last_values is not None else self._settle(to_json(written.value))
        operations: list[StateOperation] = []
        for message in written if isinstance(written, (list, tuple)) else (written,):
            operations.extend(self._merge(message))
        return operations

    def on_values(self, messages: Any) -> list[StateOperation]:
        """What the graph's state holds."""
        self._told_by_graph = True
        self._last_values = messages
        growing = [live for live in self._growing.values() if not live.done]
        if isinstance(messages, (list, tuple)):
            new: Any = [self._to_json(message) for message in messages]
            ids = {item.get("id") for item in new if isinstance(item, dict)}
            new.extend(live.value for live in growing if live.value["id"] not in ids)
        else:
            new = to_json(messages)
        operations = self._settle(new)
        self._index()
        for live in growing:
            live.move([PATH, str(self._places.get(live.value["id"], 0))])
        return operations

    def start_subgraph(self, namespace: tuple[str, ...], messages: Any) -> None:
        """A subgraph tells its first state: does it go on with this conversation?

        An agent that is called by a tool does not, even when it is given the whole conversation:
        then the last message has calls without a result.
        """
        if namespace in self._shared or not isinstance(messages, (list, tuple)):
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
            self._known.clear()
            self._growing.clear()
            return self.on_values(self._last_values)
        operations: list[StateOperation] = []
        for live in {id(live): live for live in self._live.values() if live}.values():
            operations.extend(self._put(live.value["id"], live.completed()))
        return operations

    def _start(
        self, namespace: tuple[str, ...], chunk: AIMessageChunk, metadata: Mapping[str, Any]
    ) -> list[StateOperation]:
        message_id = chunk.id or ""
        if not self._is_shown(namespace, metadata):
            self._live[message_id] = None
            return []
        task = (namespace, metadata.get("langgraph_checkpoint_ns"))
        growing = self._growing.get(task)
        if growing is not None and not growing.done and _is_other_name(growing, message_id):
            self._live[message_id] = growing
            operations = growing.append(chunk)
            if not message_id.startswith("lc_"):
                del self._places[growing.value["id"]]
                operations.append(growing.rename(message_id))
                self._places[message_id] = growing.place
            return operations
        operations = self._open_list()
        place = self._places.get(message_id, len(self.value))
        live = LiveMessage(chunk, [PATH, str(place)])
        self._live[message_id] = self._growing[task] = live
        operations.extend(self._put_at(place, live.value))
        return operations

    def _merge(self, message: Any) -> list[StateOperation]:
        """Put a whole message in its place by id, as LangGraph's own reducer does."""
        if isinstance(message, RemoveMessage):
            # The list in the state is the better word on what is left.
            return [] if self._last_values is not None else self._remove(message.id)
        value = self._to_json(message)
        if not isinstance(value, dict) or not value.get("id"):
            return []
        return self._put(value["id"], value)

    def _put(self, message_id: str, value: Any) -> list[StateOperation]:
        operations = self._open_list()
        place = self._places.get(message_id, len(self.value))
        live = self._live.get(message_id)
        if live is not None:
            live.done = True
        operations.extend(self._put_at(place, value))
        return operations

    def _put_at(self, place: int, value: Any) -> list[StateOperation]:
        path = [PATH, str(place)]
        if value.get("id"):
            self._places[value["id"]] = place
        if place < len(self.value):
            old, self.value[place] = self.value[place], value
            return diff(old, value, path)
        self.value.append(value)
        return [{"type": "set", "path": path, "value": copy_json(value)}]

    def _remove(self, message_id: str | None) -> list[StateOperation]:
        if message_id == REMOVE_ALL_MESSAGES:
            return self._settle([])
        if message_id not in self._places:
            return []
        place = self._places[message_id]
        return self._settle(self.value[:place] + self.value[place + 1 :])

    def _settle(self, new: Any) -> list[StateOperation]:
        """Make `new` the list; messages that are in their place already cost nothing."""
        old, self.value = self.value, new
        if not (isinstance(old, list) and isinstance(new, list)) or len(new) < len(old):
            self._index()
            if old == new and isinstance(old, type(new)):
                return []
            return [{"type": "set", "path": [PATH], "value": copy_json(new)}]
        operations: list[StateOperation] = []
        for place, value in enumerate(new):
            path = [PATH, str(place)]
            if place >= len(old):
                operations.append({"type": "set", "path": path, "value": copy_json(value)})
            elif old[place] is not value:
                operations.extend(diff(old[place], value, path))
        self._index()
        return operations

    def _open_list(self) -> list[StateOperation]:
        """Before the first message, when the client has no list."""
        if isinstance(self.value, list):
            return []
        self.value = []
        self._index()
        return [{"type": "set", "path": [PATH], "value": []}]

    def _index(self) -> None:
        items: Iterable[Any] = self.value if isinstance(self.value, list) else ()
        self._places = {
            item["id"]: place
            for place, item in enumerate(items)
            if isinstance(item, dict) and item.get("id")
        }

    def _to_json(self, message: Any) -> Any:
        if not isinstance(message, BaseMessage):
            return to_json(message)
        known = self._known.get(id(message))
        if known is None or not known.holds(message):
            known = self._known[id(message)] = _Known(message, to_json(message))
        return known.value

    def _is_shared(self, namespace: tuple[str, ...]) -> bool:
        # Without its state nothing tells where a subgraph's messages go.
        return self._shared.get(namespace, False)

    def _is_shown(self, namespace: tuple[str, ...], metadata: Mapping[str, Any]) -> bool:
        if not self._is_shared(namespace) or self._decide(metadata.get("tags"), metadata) == "hide":
            return False
        speaker = (namespace, metadata.get("langgraph_node"))
        if speaker not in self._speakers:
            if self._waits_for_tools():
                return False  # A tool calls a model: that is no part of the conversation.
            self._speakers.add(speaker)
        return True

    def _waits_for_tools(self) -> bool:
        answered: set[Any] = set()
        items: list[Any] = self.value if isinstance(self.value, list) else []
        for item in reversed(items):
            if item.get("type") == "tool":
                answered.add(item.get("tool_call_id"))
            else:
                calls = item.get("tool_calls") or ()
                return any(call.get("id") not in answered for call in calls)
        return False


def _is_other_name(live: LiveMessage, message_id: str) -> bool:
    """Whether a new id may be a second one of a message: LangChain's own, and the provider's."""
    return message_id.startswith("lc_") != str(live.value["id"]).startswith("lc_")
