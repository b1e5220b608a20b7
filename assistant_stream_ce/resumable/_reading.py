"""What reading has in common for the stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TypeAlias

from assistant_stream_ce.typing import CancellationSignal

from .errors import ResumableStreamError
from .types import ResumableStreamEntry, StreamEnd

__all__ = ("MAX_BATCH_BYTES", "Batches", "Stopping", "end_error", "read_entries")

MAX_BATCH_BYTES = 128 * 1024
"""Bytes after which a batch is handed on; one entry may be larger."""

Batches: TypeAlias = "AsyncGenerator[Sequence[ResumableStreamEntry], None]"

Stopping: TypeAlias = "asyncio.Future[bool]"
"""Done when the reader does not want any more."""


def end_error(stream_id: str, end: StreamEnd) -> ResumableStreamError | None:
    """What a reader gets that has come to the end; `None` when all is well."""
    if end.status == "done":
        return None
    message = end.error or f"Stream {stream_id} ended with an error."
    return ResumableStreamError(end.code, message, reported=end.reported)


async def read_entries(
    follow: Callable[[Stopping], Batches], signal: CancellationSignal
) -> AsyncGenerator[ResumableStreamEntry, None]:
    """Upstream's `read` over `follow`: single entries, until `signal` is set.

    A stream that is deleted ends quietly here.
    """
    if signal.is_set():
        return
    stopping = asyncio.ensure_future(signal.wait())
    try:
        async with aclosing(follow(stopping)) as batches:
            async for batch in batches:
                for entry in batch:
                    yield entry
                    if signal.is_set():
                        return
    except ResumableStreamError as error:
        if error.code != "deleted":
            raise
    finally:
        stopping.cancel()
