"""Payloads that come without the name of their stream mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage

from ._channels import channels_of, is_name, messages_in
from ._revive import as_message_pair
from ._shapes import is_items, is_list, is_mapping

__all__ = ("guess_mode", "is_complete")

_SHAPES: Mapping[frozenset[str], str] = {
    frozenset({"id", "name", "input", "triggers"}): "tasks",
    frozenset({"id", "name", "result", "interrupts"}): "tasks",
    frozenset({"step", "timestamp", "type", "payload"}): "debug",
    frozenset({"config", "metadata", "values", "next", "tasks"}): "checkpoints",
    frozenset({"event", "tool_call_id"}): "tools",
}
"""What the payloads of LangGraph's own modes have; nothing of them may be taken for a state."""

_FRAMES = (
    frozenset({"ns", "data"}),
    frozenset({"type", "params", "seq"}),
    frozenset({"method", "params", "seq"}),
    frozenset({"event", "parent_ids"}),
    frozenset({"run_id", "parent_ids"}),
)
"""What an event of another form still has when something is wrong with it."""


def guess_mode(payload: Any) -> str | None:
    """The stream mode of a bare payload, from how it looks."""
    if isinstance(payload, BaseMessage):
        return "messages"
    if is_items(payload):
        if is_list(payload) and payload and all(map(is_complete, payload)):
            return "values"  # A workflow has no state but what it returns.
        return "messages" if as_message_pair(payload) is not None else None
    channels = channels_of(payload)
    if channels is None or not all(map(is_name, channels)):
        return None  # Neither nodes nor channels have such names: a node has written it.
    if any(frame.issubset(channels) for frame in _FRAMES):
        return None
    for shape, mode in _SHAPES.items():
        if shape.issubset(channels):
            return mode
    # `updates` comes as one node a time with a dict of writes, or `None`, below it.
    outputs = [value for key, value in channels.items() if not key.startswith("__")]
    is_update = len(outputs) <= 1 and all(map(_is_written, outputs))
    return "updates" if is_update and is_mapping(payload) else "values"


def is_complete(payload: Any) -> bool:
    """Whether a payload is a message that does not come in pieces."""
    return isinstance(payload, BaseMessage) and not isinstance(payload, AIMessageChunk)


def _is_written(output: Any) -> bool:
    """Whether a node may have written this: nothing, a message, channels, or several of these."""
    if isinstance(output, BaseMessage):
        return True
    if is_items(output):
        writes = [channels_of(item) for item in output]
        return any(write is not None and any(messages_in(write)) for write in writes)
    return output is None or channels_of(output) is not None
