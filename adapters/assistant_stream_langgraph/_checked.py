"""Events as the translators may rely on them. A recorded stream, or one of a server, can hold
anything: what is no event is left out here, and of an event what is not of its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from langchain_core.messages import AIMessageChunk, BaseMessage

from ._nameless import Nameless
from ._shapes import is_items, is_mapping, is_tuple

__all__ = ("Checks", "is_namespace")

_Event: TypeAlias = tuple[tuple[str, ...], str, Any]

_NAMES = (
    "langgraph_node",
    "langgraph_checkpoint_ns",
    "checkpoint_ns",
    "run_id",
    "ls_provider",
    "ls_model_name",
    "assistant_stream_schema",
    "assistant_stream_native_schema",
)
"""What is a text in the metadata of a message, if it is there."""

_MAPPINGS = frozenset({"checkpoints", "debug", "input", "tasks", "tools", "updates"})
"""The modes whose payloads are mappings."""

_MAX_KNOWN = 64
"""So many model calls are remembered: a recording may have other metadata with every token."""


def is_namespace(value: Any) -> bool:
    """Whether `value` is a namespace: the names of the tasks around a graph."""
    return is_tuple(value) and all(isinstance(segment, str) for segment in value)


class Checks:
    """Checks the events of one stream."""

    def __init__(self) -> None:
        self._names = Nameless()
        self._known: dict[int, tuple[Any, Any]] = {}
        """The namespaces and metadata with which nothing is wrong, by the identity of the last:
        the tokens of a model call often have the same, and models may speak in turns."""

    def knows(self, namespace: Any, message: Any, metadata: Any) -> bool:
        """Whether nothing can be wrong with a token, as one of the same call had been checked."""
        known = self._known.get(id(metadata))
        is_known = known is not None and known[0] == namespace
        return is_known and message.__class__ is AIMessageChunk and bool(message.id)

    def checked(self, event: _Event) -> _Event | None:
        """The event with nothing in it that has another type than it should; `None` if it is
        none. A chunk without an id is given one."""
        namespace, mode, payload = event
        if not is_namespace(namespace):
            return None
        if mode == "messages":
            return self._checked_message(event)
        if mode in ("updates", "values"):
            self._names.end(namespace)
        if mode in _MAPPINGS and not is_mapping(payload):
            return None
        if mode == "tasks" and not _is_task(payload):
            return None
        return event

    def _checked_message(self, event: _Event) -> _Event | None:
        namespace, mode, pair = event
        if not (is_items(pair) and len(pair) == 2 and isinstance(pair[0], BaseMessage)):
            return None
        message, metadata = pair
        if self.knows(namespace, message, metadata):
            return event
        about = _checked_metadata(metadata)
        if about is metadata:
            if len(self._known) == _MAX_KNOWN:
                self._known.clear()
            self._known[id(metadata)] = (namespace, metadata)
        if isinstance(message, AIMessageChunk):
            message = self._names.named(namespace, message, about)
        if message is pair[0] and about is metadata:
            return event
        return (namespace, mode, (message, about))


def _checked_metadata(metadata: Any) -> Mapping[str, Any]:
    """The metadata itself, where nothing is wrong with it: who has the same is the same call."""
    if not is_mapping(metadata):
        return {}
    odd = {key for key in _NAMES if not isinstance(metadata.get(key, ""), str)}
    if not is_texts(metadata.get("tags") or ()):
        odd.add("tags")
    if not odd:
        return metadata
    return {key: value for key, value in metadata.items() if key not in odd}


def is_texts(value: Any) -> bool:
    """Whether `value` is a list of texts."""
    return is_items(value) and all(isinstance(item, str) for item in value)


def _is_task(payload: Mapping[Any, Any]) -> bool:
    return isinstance(payload.get("id"), str) and isinstance(payload.get("name", ""), str)
