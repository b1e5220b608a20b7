"""What LangGraph's payloads hold: the channels of a state, and what nodes have written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.messages import BaseMessage

from ._shapes import as_items, is_mapping

__all__ = (
    "Returned",
    "channels_of",
    "is_cached",
    "is_name",
    "messages_in",
    "returned_messages",
    "update_writes",
)


class Returned(list[BaseMessage]):
    """What a function has returned in place of writes to channels, or of a state: messages."""


def channels_of(state: Any) -> Mapping[str, Any] | None:
    """The channels of a graph state, which may be a dict, a pydantic model or a dataclass."""
    if is_mapping(state):
        is_whole = all(map(is_name, state))
        return state if is_whole else {key: state[key] for key in state if is_name(key)}
    if isinstance(state, BaseMessage):
        return None
    fields: Any = getattr(state.__class__, "model_fields", None) or getattr(
        state.__class__, "__dataclass_fields__", None
    )
    if not is_mapping(fields):
        return None
    return {name: getattr(state, name) for name in fields if hasattr(state, name)}


def update_writes(payload: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The nodes in an `updates` payload, each with what it has written to channels."""
    if not is_mapping(payload):
        return
    for node, output in payload.items():
        if str(node).startswith("__"):
            continue
        # A function has no channels, but may return messages.
        if returned := returned_messages(output):
            yield str(node), {"messages": returned}
        # A node that wrote more than once, or returned several `Command`s, has a list.
        for write in as_items(output):
            channels = channels_of(write)
            if channels is not None:
                yield str(node), channels


def returned_messages(output: Any) -> Returned:
    """The messages that a function has returned, alone or in a list."""
    return Returned(item for item in as_items(output) if isinstance(item, BaseMessage))


def is_cached(payload: Any) -> bool:
    """Whether an update repeats what a node did before the pause that this run resumes from."""
    metadata: Any = payload.get("__metadata__") if is_mapping(payload) else None
    return is_mapping(metadata) and bool(metadata.get("cached"))


def messages_in(channels: Mapping[str, Any]) -> Iterator[BaseMessage]:
    """The messages that stand in channels, alone or in a list."""
    for value in channels.values():
        for item in as_items(value):
            if isinstance(item, BaseMessage):
                yield item


def is_name(value: object) -> bool:
    """Whether a node or a channel may have this name."""
    return isinstance(value, str)
