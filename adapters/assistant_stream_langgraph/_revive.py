"""Messages and interrupts that have come over a network as dicts, made objects again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
)
from langgraph.types import Interrupt

from ._shapes import is_items, is_list, is_mapping

__all__ = (
    "as_interrupts",
    "as_message",
    "as_message_pair",
    "with_messages",
    "with_written_messages",
    "written_items",
    "written_message",
)

# Servers name a chunk by its class, or dump it as LangChain's constructor with the class's name.
_KINDS: Mapping[str, type[BaseMessage]] = {
    "ai": AIMessage,
    "AIMessage": AIMessage,
    "AIMessageChunk": AIMessageChunk,
    "human": HumanMessage,
    "HumanMessage": HumanMessage,
    "HumanMessageChunk": HumanMessage,
    "remove": RemoveMessage,
    "RemoveMessage": RemoveMessage,
    "system": SystemMessage,
    "SystemMessage": SystemMessage,
    "tool": ToolMessage,
    "ToolMessage": ToolMessage,
    "ToolMessageChunk": ToolMessage,
}

_DUMPED = frozenset({"type", "content", "id", "additional_kwargs", "response_metadata"})
"""What every dumped message has, and hardly any other dict of a user's state."""


def as_message(value: Any) -> BaseMessage | None:
    """The message that a dict is the dump of, or `value` itself; `None` if it is neither."""
    if isinstance(value, BaseMessage):
        return value
    if not is_mapping(value):
        return None
    kind, fields = value.get("type"), cast("Any", value)
    if kind == "constructor" and is_items(value.get("id")) and value["id"]:
        kind, fields = value["id"][-1], value.get("kwargs")
    known = _KINDS.get(str(kind))
    if known is None or not is_mapping(fields):
        return None
    given = {str(key): item for key, item in fields.items() if key != "type" and item is not None}
    try:
        return known(**{"content": "", **given})
    except (TypeError, ValueError):
        return None


def as_message_pair(payload: Any) -> tuple[BaseMessage, Mapping[str, Any]] | None:
    """The payload of a `messages` event: a message and its metadata."""
    metadata: Mapping[str, Any] = {}
    if is_items(payload) and len(payload) == 2 and (payload[1] is None or is_mapping(payload[1])):
        payload, metadata = payload[0], payload[1] or {}
    message = as_message(payload)
    return None if message is None else (message, metadata)


def with_messages(value: Any) -> Any:
    """`value` with the dumped messages in it, at most two levels deep, as messages.

    That is where they are in a state (`{channel: [message, ...]}`) and in a node's writes
    (`{node: {channel: [message, ...]}}`). What has none is returned as it is.
    """
    if not is_mapping(value):
        return value
    revived = {key: _channel(item, is_mapping(item)) for key, item in value.items()}
    return revived if any(revived[key] is not value[key] for key in revived) else value


def written_items(written: Any) -> Sequence[Any]:
    """What a node has written to its messages, one by one; a pair is one message."""
    return written if is_list(written) else (written,)


def written_message(written: Any) -> BaseMessage | None:
    """A message in one of the other forms that a node may write it in."""
    try:
        return convert_to_messages([written])[0]
    except (AttributeError, KeyError, NotImplementedError, TypeError, ValueError):
        return None


def with_written_messages(channels: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A node's writes with what the channel of messages will make of them: it takes dicts and
    pairs too."""
    items = written_items(channels.get(key, []))
    if all(isinstance(item, BaseMessage) for item in items):
        return channels
    messages = [item if isinstance(item, BaseMessage) else written_message(item) for item in items]
    return {**channels, key: [message for message in messages if message is not None]}


def as_interrupts(values: Any) -> Sequence[Any]:
    """Interrupts, of which some may be dicts; servers had more than one name for the id. What is
    neither is left out."""
    return [
        Interrupt(value=item.get("value"), id=str(item.get("id") or item.get("interrupt_id") or ""))
        if is_mapping(item)
        else item
        for item in (values if is_items(values) else ())
        if isinstance(item, Interrupt) or is_mapping(item)
    ]


def _channel(value: Any, is_write: bool) -> Any:
    if _is_dump(value):
        return as_message(value) or value
    if is_write:
        return _with_channels(value)
    if is_items(value) and value and _is_dump(value[0]):
        return [as_message(item) or item for item in value]
    return value


def _with_channels(write: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """One node's writes with their messages."""
    revived = {key: _channel(item, False) for key, item in write.items()}
    return revived if any(revived[key] is not write[key] for key in revived) else write


def _is_dump(value: Any) -> bool:
    if not is_mapping(value):
        return False
    return _DUMPED.issubset(value) or (value.get("lc") == 1 and value.get("type") == "constructor")
