"""A graph's state, mirrored to the client as true deltas."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.types import Overwrite

from assistant_stream_ce._json import copy_json, to_json
from assistant_stream_ce.chunks import StateOperation
from assistant_stream_ce.errors import NotJSONError
from assistant_stream_ce.state.operations import diff
from assistant_stream_ce.typing import JSONValue
from assistant_stream_langchain.visibility import Visibility

from ._channels import channels_of, returned_messages, update_writes
from ._conversation import Conversation
from ._growth import extend
from ._shapes import is_mapping
from ._update_task import task_of
from .events import GraphEvent

__all__ = ("StateMirror",)

logger = logging.getLogger(__name__)

_ABSENT: Any = object()


class StateMirror:
    """Keeps a copy of what the client shows, and tells it what to change.

    `values` events are the truth. Between them tokens grow the messages, and a node's `updates`
    bring its messages as soon as it is done. In a stream without `values` a node's write to a
    channel is taken as the channel's new value.

    Args:
        initial_state: What the client shows before the run.
        keys: The channels to mirror; `None` for all.
        messages: Whether the channel of messages is mirrored, token by token.
        interrupts_key: The key for the interrupts that wait for an answer; `None` for no such
            key.
        visibility: Whose tokens are shown in that channel before the state has them.
        messages_key: The channel of messages.
        left_out: Channels that are not mirrored, unless `keys` names them.
        fleeting: Channels that may be gone since the client has seen them.
    """

    def __init__(
        self,
        initial_state: JSONValue = None,
        *,
        keys: Collection[str] | None = None,
        messages: bool = False,
        interrupts_key: str | None = "interrupts",
        visibility: Visibility | None = None,
        messages_key: str = "messages",
        left_out: Collection[str] = (),
        fleeting: Collection[str] = (),
    ) -> None:
        initial = to_json(initial_state)
        self._value: dict[str, Any] = initial if isinstance(initial, dict) else {}
        self._root_is_foreign = not (initial is None or isinstance(initial, dict))
        self._keys = None if keys is None else frozenset(keys)
        self._left_out = {messages_key, *left_out}
        self._interrupts_key = interrupts_key
        self._stale_interrupts = bool(interrupts_key and self._value.get(interrupts_key))
        self._messages_key = messages_key
        self._conversation: Conversation | None = None
        if messages:
            self._conversation = Conversation(
                self._value.get(messages_key), visibility or Visibility(), messages_key
            )
        self._predicted: dict[str, Any] = {}
        """What the graph's channels held that now show a prediction."""
        self._graph_keys = {key for key in fleeting if self._is_mirrored(key)}
        self._has_values = self._has_updates = False
        self._without_form: set[str] = set()

    @property
    def value(self) -> JSONValue:
        """What the client shows once all operations have reached it. Not to be changed."""
        conversation = self._conversation
        if conversation is None or conversation.value is None:
            return self._value
        return {**self._value, self._messages_key: conversation.value}

    def feed(self, event: GraphEvent) -> list[StateOperation]:
        """The operations for one event."""
        namespace, mode, payload = event
        conversation = self._conversation
        if mode == "messages":
            if conversation is None:
                return []
            operations = conversation.on_message(namespace, payload)
            return self._first(operations) if self._root_is_foreign else operations
        operations = []
        if mode in ("values", "output"):
            channels = channels_of(payload)
            if channels is None:
                return self._on_returned(namespace, payload)
            if namespace:
                if conversation is not None:
                    conversation.start_subgraph(namespace, channels.get(self._messages_key))
                return []
            operations = self._on_values(channels)
        elif mode == "input":
            operations = self._on_input(namespace, payload)
        elif mode in ("updates", "interrupts"):
            if conversation is not None:
                conversation.told_by_graph = True
            if mode == "updates":
                operations = self._on_updates(namespace, payload)
            else:
                operations = self._on_interrupts(payload)
        return self._first(operations)

    def _on_returned(self, namespace: tuple[str, ...], payload: Any) -> list[StateOperation]:
        """What a workflow has returned in place of a state: its update has told it, if the stream
        has updates."""
        if self._conversation is None or self._has_updates or namespace:
            return []
        returned = returned_messages(payload)
        return self._first(self._conversation.on_update((), None, returned)) if returned else []

    def next_text(self, message: BaseMessage) -> tuple[list[str], str] | None:
        """What a streamed message adds to a text that grows already: the text's path, the piece.

        `None` says that nothing was done, and that `feed` has to look at it.
        """
        # A text that grows stands in an object by now, whatever the root was.
        return None if self._conversation is None else self._conversation.next_text(message)

    def finish(self) -> list[StateOperation]:
        """What is still to change after the last event."""
        operations = self._conversation.finish() if self._conversation is not None else []
        operations.extend(self._clear_interrupts())
        operations.extend(self.take_back())
        return self._first(operations)

    def predict(self, key: str, text: str, *, is_first: bool) -> list[StateOperation]:
        """Show text in a channel that the graph is going to write there, until it does."""
        if not self._is_mirrored(key):
            return []
        if is_first:
            self._predicted.setdefault(key, self._value.get(key, _ABSENT))
            return self._first(self._replace(key, text))
        if key not in self._predicted:
            return []  # The graph has written there since.
        extend(self._value, key, text)
        return [{"type": "append-text", "path": [key], "value": text}]

    def take_back(self) -> list[StateOperation]:
        """Undo the predictions of which nothing has come, and is not going to."""
        predicted, self._predicted = self._predicted, {}
        if self._conversation is not None and self._conversation.value is not None:
            self._value[self._messages_key] = self._conversation.value  # Tokens go past this copy.
        operations: list[StateOperation] = []
        for key, held in predicted.items():
            if held is not _ABSENT:
                operations.extend(self._replace(key, held))
                continue
            del self._value[key]
            operations = [{"type": "set", "path": [], "value": copy_json(self._value)}]
        return operations

    def _first(self, operations: list[StateOperation]) -> list[StateOperation]:
        """Complete a batch: a client whose state is no object gets one first, and interrupts that
        were answered go with the first change."""
        if operations and self._root_is_foreign:
            self._root_is_foreign = False
            operations.insert(0, {"type": "set", "path": [], "value": {}})
        if operations and self._stale_interrupts:
            operations.extend(self._clear_interrupts())
        return operations

    def _on_values(
        self, channels: Mapping[str, Any], *, whole: bool = True
    ) -> list[StateOperation]:
        self._has_values = True
        operations: list[StateOperation] = []
        for key, value in channels.items():
            if key == self._messages_key and self._conversation is not None:
                operations.extend(self._conversation.on_values(value))
                self._value[key] = self._conversation.value
            elif self._is_mirrored(key):
                operations.extend(self._set(key, value))
        if not whole:
            self._graph_keys.update(channels)
            return operations
        # A channel that empties itself is gone from the state, which only the root can say.
        gone = {key for key in self._graph_keys if key not in channels and key in self._value}
        self._graph_keys = set(channels)
        if self._messages_key not in channels and self._conversation is not None:
            gone.update({self._messages_key} if self._conversation.withdraw() else ())
        if gone:
            for key in gone:
                if key in self._predicted:
                    self._predicted[key] = _ABSENT  # What is shown there is not the graph's.
                else:
                    self._value.pop(key, None)
            return [{"type": "set", "path": [], "value": copy_json(self._value)}]
        return operations

    def _on_input(self, namespace: tuple[str, ...], payload: Any) -> list[StateOperation]:
        """The state before a step, or the part of it that a node reads."""
        channels = channels_of(payload) or {}
        if namespace:
            if self._conversation is not None:
                self._conversation.start_subgraph(namespace, channels.get(self._messages_key))
            return []
        return self._on_values(channels, whole=False)

    def _on_updates(self, namespace: tuple[str, ...], payload: Any) -> list[StateOperation]:
        self._has_updates = True
        operations: list[StateOperation] = []
        task = task_of(payload)
        for node, channels in update_writes(payload):
            for key, value in channels.items():
                if key == self._messages_key and self._conversation is not None:
                    operations.extend(self._conversation.on_update(namespace, node, value, task))
                    self._value[self._messages_key] = self._conversation.value
                elif not namespace and not self._has_values and self._is_mirrored(key):
                    operations.extend(self._set(key, value))
                    self._graph_keys.add(key)
        return operations

    def _on_interrupts(self, interrupts: Iterable[Any]) -> list[StateOperation]:
        key = self._interrupts_key
        if key is None:
            return []
        shown: list[Any] = [] if self._stale_interrupts else list(self._value.get(key) or ())
        known = {item.get("id") for item in shown if is_mapping(item)}
        shown.extend(copy_json(item) for item in interrupts if item["id"] not in known)
        self._stale_interrupts = False
        return self._replace(key, shown)

    def _clear_interrupts(self) -> list[StateOperation]:
        if not self._stale_interrupts or self._interrupts_key is None:
            return []
        self._stale_interrupts = False
        return self._replace(self._interrupts_key, [])

    def _set(self, key: str, value: object) -> list[StateOperation]:
        if isinstance(value, Overwrite):
            value = value.value
        try:
            new = to_json(value)
            if key in self._predicted:
                if new == self._predicted[key]:
                    return []  # The graph has not come to it.
                del self._predicted[key]
            return self._replace(key, new)
        except NotJSONError as error:
            if key not in self._without_form:
                self._without_form.add(key)
                logger.warning("The channel `%s` is not mirrored: %s", key, error)
            return []

    def _replace(self, key: str, new: JSONValue) -> list[StateOperation]:
        known = key in self._value
        old, self._value[key] = self._value.get(key), new
        if known:
            return diff(old, new, (key,))
        return [{"type": "set", "path": [key], "value": copy_json(new)}]

    def _is_mirrored(self, key: str) -> bool:
        if key.startswith("__") or key == self._interrupts_key:
            return False
        return key not in self._left_out if self._keys is None else key in self._keys
