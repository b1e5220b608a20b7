"""What a thread has told of a workflow before the run that is about to begin."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables.config import merge_configs
from langgraph.checkpoint.base import BaseCheckpointSaver

from ._channels import channels_of
from ._shapes import is_items
from ._translator import GraphTranslator
from .threads import goes_on, is_graph

__all__ = ("note_told_before",)

_RETURNED = "__return__"
"""Where a checkpoint has what a `@task` has returned, until the workflow ends."""

_PREVIOUS = ("__previous__", "__end__", "__start__")
"""Where it has what a workflow has saved, has returned, and was given."""

_DEPTH = 3


async def note_told_before(
    translator: GraphTranslator, graph: Any, input: Any, config: Any
) -> None:
    """Let a translator know what its run may give back, if that can be known.

    Args:
        translator: Tells the run.
        graph: As for `stream_graph`.
        input: As for `stream_graph`.
        config: As for `stream_graph`.
    """
    messages = await _told_before(graph, input, config)
    if messages is not None:
        translator.note_past(messages)


async def _told_before(graph: Any, input: Any, config: Any) -> list[BaseMessage] | None:
    """The messages that a workflow may give back, those that tasks had returned before a pause
    among them; `None` if nothing can be known."""
    if not is_graph(graph):
        return None
    is_workflow = "__previous__" in graph.channels
    if not (is_workflow or goes_on(input)):
        return []
    keeper = cast("object", graph.checkpointer)
    if not isinstance(keeper, BaseCheckpointSaver):
        return None
    whole = merge_configs(graph.config, config)
    if "thread_id" not in whole.get("configurable", {}):
        return None
    found = await keeper.aget_tuple(whole)
    if found is None:
        return []
    returned = [value for _, channel, value in found.pending_writes or () if channel == _RETURNED]
    held: Any = found.checkpoint["channel_values"]
    kept = [held.get(channel) for channel in _PREVIOUS] if is_workflow else []
    return [*_messages_in([*kept, *(returned if goes_on(input) else ())], _DEPTH)]


def _messages_in(values: Iterable[Any], depth: int) -> Iterator[BaseMessage]:
    for value in values:
        if isinstance(value, BaseMessage):
            yield value
        elif depth and is_items(value):
            yield from _messages_in(value, depth - 1)
        elif depth and (channels := channels_of(value)) is not None:
            yield from _messages_in(channels.values(), depth - 1)
