"""Events as the translators may rely on them. A recorded stream, or one of a server, can hold
anything: what is no event is left out here, and of an event what is not of its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from langchain_core.messages import AIMessageChunk, BaseMessage

from ._nameless import Nameless
from ._shapes import is_items, is_mapping, is_tuple

__all__ = ("checked", "is_namespace")

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


def is_namespace(value: Any) -> bool:
    """Whether `value` is a namespace: the names of the tasks around a graph."""
    return is_tuple(value) and all(isinstance(segment, str) for segment in value)


def checked(event: _Event, names: Nameless) -> _Event | None:
    """The event with nothing in it that has another type than it should; `None` if it is none.

    Args:
        event: An event.
        names: Gives ids to the chunks that come without.
    """
    namespace, mode, payload = event
    if not is_namespace(namespace):
        return None
    if mode == "messages":
        return _checked_message(event, names)
    if mode in ("updates", "values"):
        names.end(namespace)
    if mode in _MAPPINGS and not is_mapping(payload):
        return None
    if mode == "tasks" and not _is_task(payload):
        return None
    return event


def _checked_message(event: _Event, names: Nameless) -> _Event | None:
    namespace, mode, pair = event
    if not (is_items(pair) and len(pair) == 2 and isinstance(pair[0], BaseMessage)):
        return None
    message, metadata = pair
    about = _checked_metadata(metadata)
    if isinstance(message, AIMessageChunk):
        message = names.named(namespace, message, about)
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
