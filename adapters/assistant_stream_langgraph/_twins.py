"""Which streamed message an unknown id, or a whole message, is another word for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._live_message import LiveMessage

__all__ = ("named_again", "twin")

_Namespace = tuple[str, ...]


def named_again(
    growing: Iterable[LiveMessage],
    namespace: _Namespace,
    message_id: str,
    metadata: Mapping[str, Any],
) -> LiveMessage | None:
    """The message that an unknown id is the second one of. A task may ask several models at the
    same time: of another one other things are told."""
    task = metadata.get("langgraph_checkpoint_ns")
    found = [
        live
        for live in growing
        if not live.done
        and (live.origin[0], live.task) == (namespace, task)
        and _is_other_name(live, message_id)
        and (live.about is metadata or (live.about == metadata and not live.has_two_names))
    ]
    if len(found) > 1:
        found = [live for live in found if live.about is metadata]
    return found[0] if len(found) == 1 else None


def twin(
    growing: Iterable[LiveMessage],
    value: Mapping[str, Any],
    namespace: _Namespace,
    node: str | None,
    task: str | None,
) -> LiveMessage | None:
    """The streamed message that a node has rebuilt under another id; of several that say the same,
    one that can go by that id as well.

    Nodes that run side by side may say the same words: where the stream tells the task that has
    written a message, only what that task has streamed can be the same message.
    """
    message_id = value.get("id")
    twins = [
        live
        for live in growing
        if not live.is_named
        and live.says(value)
        and _is_from(live, namespace, node)
        and _is_in_task(live, task)
    ]
    likely = (live for live in twins if not message_id or _is_other_name(live, message_id))
    return next(likely, twins[0] if twins else None)


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
