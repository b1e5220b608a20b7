"""The response that reads a run from the store."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import NoReturn

from starlette.types import Receive, Scope, Send

from assistant_stream_ce import RequestError
from assistant_stream_ce.resumable import REPLAY_CONTENT_LENGTH_HEADER, ResumableStreamError
from assistant_stream_ce.resumable.response import RESUMABLE_STREAM_ID_HEADER, ReplayResponse

from ._active_run import ActiveRun

__all__ = ("RunResponse", "raise_for_client")

logger = logging.getLogger(__name__)

STORE_AWAY = "Answers cannot be stored at the moment; try again."


class RunResponse(ReplayResponse):
    """Sends a run to one reader.

    Args:
        body: The run's bytes from its start.
        run: The run.
        headers: Further headers.
        leave: Called when the reader has gone.
        replayed: How many of the bytes the client is told to have been sent before.
    """

    def __init__(
        self,
        body: AsyncGenerator[bytes, None],
        run: ActiveRun,
        headers: Mapping[str, str],
        leave: Callable[[ActiveRun], None],
        *,
        replayed: int = 0,
    ) -> None:
        super().__init__(_noting_the_end(body, run), run.wire.encoder, headers)
        self.headers[RESUMABLE_STREAM_ID_HEADER] = run.id
        if replayed:
            self.headers[REPLAY_CONTENT_LENGTH_HEADER] = str(replayed)
        self._run = run
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave(self._run)


def raise_for_client(error: BaseException) -> NoReturn:
    """Raise `error` again; as a refusal when the store is full or away for a moment.

    Raises:
        RequestError: The store cannot be used (503).
    """
    if isinstance(error, ResumableStreamError) and error.code in ("too-many", "unavailable"):
        logger.warning("The store of the runs' answers cannot be used: %s", error)
        raise RequestError(STORE_AWAY, status_code=503) from error
    raise error


async def _noting_the_end(
    body: AsyncGenerator[bytes, None], run: ActiveRun
) -> AsyncGenerator[bytes, None]:
    async with aclosing(body):
        async for piece in body:
            yield piece
    run.was_read = True
