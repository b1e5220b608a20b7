"""A sync stream, read without blocking the event loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Any

__all__ = ("from_sync",)

_END: Any = object()


async def from_sync(events: Iterable[Any]) -> AsyncGenerator[Any, None]:
    """Iterate over `events` in worker threads; a list or tuple of recorded events at once.

    All steps run in one context: LangGraph's generator sets context variables in its first step
    and resets them in its last, which Python refuses in any other context.
    """
    if isinstance(events, (list, tuple)):
        for event in events:
            yield event
        return
    iterator = iter(events)
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    step: asyncio.Future[Any] | None = None

    def advance() -> Any:
        return context.run(next, iterator, _END)

    try:
        while True:
            step = loop.run_in_executor(None, advance)
            event = await asyncio.shield(step)
            if event is _END:
                return
            yield event
    finally:
        await _close(iterator, context, step)


async def _close(
    iterator: Iterator[Any], context: contextvars.Context, step: asyncio.Future[Any] | None
) -> None:
    close = getattr(iterator, "close", None)
    if close is None:
        return
    loop = asyncio.get_running_loop()
    if step is None or step.done():
        await loop.run_in_executor(None, context.run, close)
        return

    # The reader has gone while a thread is inside the generator, which cannot be closed there.
    def close_later(done: asyncio.Future[Any]) -> None:
        if not done.cancelled():
            done.exception()  # Nobody is left to tell.
        if not loop.is_closed():
            loop.run_in_executor(None, context.run, close)

    step.add_done_callback(close_later)
