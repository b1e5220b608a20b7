"""The threads that a checkpointer keeps: `list_threads` and `delete_thread`."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver

from ._screen import Screen
from ._shapes import as_items, is_mapping

__all__ = ("ThreadInfo", "ThreadPage", "ThreadStatus", "delete_thread", "list_threads")

ThreadStatus: TypeAlias = Literal["idle", "running", "interrupted"]
"""Whether a thread waits for its user to say something, or to answer, or works."""

MAX_LIMIT = 100

MAX_READ = 2_000
"""Checkpoints that are read for one page."""

BATCH = 100

TITLE_LENGTH = 80

_INTERRUPT = "__interrupt__"


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """A thread in a list."""

    id: str
    title: str
    """The beginning of what the user said first; empty when nothing was said."""
    updated_at: str
    """When its state has changed last: a time in ISO 8601, with its zone."""
    status: ThreadStatus


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A page of the list of threads."""

    threads: Sequence[ThreadInfo]
    """Those last spoken in first."""
    next: str | None
    """The `before` of the next page; `None` when there is none."""


async def list_threads(
    checkpointer: BaseCheckpointSaver[Any],
    *,
    limit: int = 20,
    before: str | None = None,
    is_running: Callable[[str], bool] = lambda _: False,
    is_visible: Callable[[str], bool] = lambda _: True,
    screen: Screen | None = None,
) -> ThreadPage:
    """Return threads, the one in which something was said last first.

    The work is bounded: a page may have fewer threads than asked for, none even, and still have a
    next one. Threads in which only `update_state` has written are not listed.

    Args:
        checkpointer: Any checkpointer that lists the newest checkpoints first, as those of SQLite
            and Postgres do; also the one in memory.
        limit: The most threads of a page, 100 at most.
        before: The `next` of the page before.
        is_running: Whether a run goes on in the thread of an id.
        is_visible: Whether a thread of an id may be listed. By default all may.
        screen: Shows the titles as a client may see them.
    """
    threads: list[ThreadInfo] = []
    seen: set[str] = set()
    read = 0
    last = None
    async with aclosing(_turns(checkpointer, before)) as turns:
        async for thread_id, turn_id in turns:
            if len(threads) == min(limit, MAX_LIMIT) or read == MAX_READ:
                return ThreadPage(threads, last)
            read, last = read + 1, turn_id
            if thread_id in seen:
                continue
            seen.add(thread_id)
            if not is_visible(thread_id):
                continue
            if before is not None and await _is_listed(checkpointer, thread_id, before):
                continue
            info = await _info(checkpointer, thread_id, is_running(thread_id), screen)
            if info is not None:
                threads.append(info)
    return ThreadPage(threads, None)


async def delete_thread(checkpointer: BaseCheckpointSaver[Any], thread_id: str) -> bool:
    """Forget all checkpoints of the thread; whether there were any."""
    if await checkpointer.aget_tuple(_config(thread_id)) is None:
        return False
    await checkpointer.adelete_thread(thread_id)
    return True


def _config(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}


async def _turns(
    checkpointer: BaseCheckpointSaver[Any], before: str | None
) -> AsyncGenerator[tuple[str, str], None]:
    """The id of the thread and of the checkpoint for everything that was said, newest first."""
    if isinstance(checkpointer, InMemorySaver):
        for turn in _turns_in_memory(checkpointer, before):
            yield turn
        return
    while True:
        until: RunnableConfig | None = None
        if before is not None:
            until = {"configurable": {"checkpoint_id": before}}
        # A turn begins with an input; so a long run costs no more here than a short one. Taken in
        # batches, because that of SQLite answers nothing else while it lists.
        batch = [
            found.config.get("configurable", {})
            async for found in checkpointer.alist(
                None, filter={"source": "input"}, before=until, limit=BATCH
            )
        ]
        for fields in batch:
            if not fields.get("checkpoint_ns"):
                yield fields["thread_id"], fields["checkpoint_id"]
        if len(batch) < BATCH:
            return
        before = batch[-1]["checkpoint_id"]


def _turns_in_memory(checkpointer: InMemorySaver, before: str | None) -> list[tuple[str, str]]:
    """That one lists thread after thread, each whole."""
    newest = [
        (max(checkpoints), thread_id)
        for thread_id, namespaces in list(checkpointer.storage.items())
        if (checkpoints := namespaces.get(""))
    ]
    newest.sort(reverse=True)
    return [(thread_id, turn) for turn, thread_id in newest if before is None or turn < before]


async def _is_listed(checkpointer: BaseCheckpointSaver[Any], thread_id: str, before: str) -> bool:
    """Whether the thread stands on an earlier page, by something that was said later."""
    if isinstance(checkpointer, InMemorySaver):
        return False
    config = _config(thread_id)
    turns = checkpointer.alist(config, filter={"source": "input"}, limit=1)
    newest = [found.config.get("configurable", {})["checkpoint_id"] async for found in turns]
    return bool(newest) and newest[0] >= before


async def _info(
    checkpointer: BaseCheckpointSaver[Any],
    thread_id: str,
    is_running: bool,
    screen: Screen | None,
) -> ThreadInfo | None:
    found = await checkpointer.aget_tuple(_config(thread_id))
    if found is None:
        return None
    status: ThreadStatus = "running" if is_running else "idle"
    if not is_running and _waits(found):
        status = "interrupted"
    return ThreadInfo(thread_id, await _title(found, screen), found.checkpoint["ts"], status)


def _waits(found: CheckpointTuple) -> bool:
    return any(channel == _INTERRUPT for _, channel, _ in found.pending_writes or ())


async def _title(found: CheckpointTuple, screen: Screen | None) -> str:
    values: Any = found.checkpoint.get("channel_values")
    messages: Any = values.get("messages") if is_mapping(values) else None
    for message in as_items(messages or ()):
        if isinstance(message, HumanMessage):
            shown = [message] if screen is None else await screen.messages([message])
            return _shortened(shown[0]) if shown else ""
    return ""


def _shortened(message: BaseMessage) -> str:
    text = " ".join(str(message.text).split())
    return text if len(text) <= TITLE_LENGTH else f"{text[: TITLE_LENGTH - 1]}…"
