"""Where a thread is forked: found by the ids of messages, never by counting them."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from assistant_stream_ce.errors import RequestError

from .threads import Graph, thread_exists, thread_messages

__all__ = ("Fork", "find_fork", "find_head", "said_before", "said_next")

MAX_STEPS_BACK = 5_000
"""Checkpoints that are read for one fork; an agent makes about four for each model call."""


@dataclass(frozen=True, slots=True)
class Fork:
    """The state of a thread right before a message."""

    snapshot: StateSnapshot
    left: Sequence[BaseMessage]
    """Messages that came before it in the same step, so that the snapshot does not have them."""


async def find_fork(graph: Graph, head: StateSnapshot, message_id: str) -> Fork:
    """Return the state before the message, on the branch that `head` is the end of.

    It walks from checkpoint to checkpoint, each the one that the next was made from, and stops at
    the first that does not have the message.

    Raises:
        RequestError: The branch has no such message, or its history does not reach back to
            before it (409).
    """
    if message_id not in _ids(thread_messages(head)):
        raise RequestError(
            f"Message {message_id!r} is not in the thread any more; reload it, then edit again.",
            status_code=409,
        )
    child = head
    for _ in range(MAX_STEPS_BACK):
        if child.parent_config is None:
            break
        snapshot = await graph.aget_state(child.parent_config)
        if not thread_exists(snapshot):
            break
        messages = thread_messages(snapshot)
        if message_id not in _ids(messages):
            return Fork(snapshot, _left(thread_messages(child), messages, message_id))
        child = snapshot
    raise RequestError(
        f"The thread's history does not reach back to before message {message_id!r}.",
        status_code=409,
    )


async def find_head(
    graph: Graph, config: RunnableConfig, newest: StateSnapshot, message_id: str
) -> StateSnapshot:
    """Return the end of the branch that ends with the message; `newest` when that has it.

    Raises:
        RequestError: No branch of the thread ends with it (409).
    """
    if message_id in _ids(thread_messages(newest)):
        return newest
    async for snapshot in graph.aget_state_history(config, limit=MAX_STEPS_BACK):
        if _ids(thread_messages(snapshot))[-1:] == [message_id]:
            return snapshot
    raise RequestError(
        f"No branch of the thread ends with message {message_id!r}; reload it, then try again.",
        status_code=409,
    )


def said_before(messages: Sequence[BaseMessage], message_id: str) -> HumanMessage:
    """Return what the user said last before the message, which makes it the answer.

    Raises:
        RequestError: There is no such message, or nothing was said before it (409).
    """
    ids = _ids(messages)
    until = ids.index(message_id) + 1 if message_id in ids else 0
    for message in reversed(messages[:until]):
        if isinstance(message, HumanMessage):
            return message
    raise RequestError(
        f"Message {message_id!r} is no answer in this thread; reload it, then try again.",
        status_code=409,
    )


def said_next(messages: Sequence[BaseMessage], parent_id: str) -> str | None:
    """Return the id of what the user said first after the message; of all when that is empty.

    Raises:
        RequestError: There is no such message (409).
    """
    ids = _ids(messages)
    if parent_id and parent_id not in ids:
        raise RequestError(
            f"Message {parent_id!r} is not in the thread any more; reload it, then try again.",
            status_code=409,
        )
    after = messages[ids.index(parent_id) + 1 :] if parent_id else messages
    return next((message.id for message in after if isinstance(message, HumanMessage)), None)


def _left(
    after: Sequence[BaseMessage], before: Sequence[BaseMessage], message_id: str
) -> list[BaseMessage]:
    ids = _ids(after)
    known = set(_ids(before))
    return [message for message in after[: ids.index(message_id)] if message.id not in known]


def _ids(messages: Sequence[BaseMessage]) -> list[str | None]:
    return [message.id for message in messages]
