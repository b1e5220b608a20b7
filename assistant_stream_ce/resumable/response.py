"""HTTP responses whose answer outlives them, and those that replay it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from assistant_stream_ce.chunks import AssistantStreamChunk, ErrorChunk
from assistant_stream_ce.controller import RunController
from assistant_stream_ce.create_run import create_run
from assistant_stream_ce.serialization import (
    AssistantStreamResponse,
    DataStreamEncoder,
    HeartbeatOption,
    StreamEncoder,
)
from assistant_stream_ce.serialization.heartbeat import resolve_heartbeat_interval
from assistant_stream_ce.typing import RunCallback

from ._errors import parse_cursor
from ._producer import ReportedError
from .context import ResumableStreamContext
from .errors import ResumableStreamError, ResumableStreamErrorCode

__all__ = (
    "REPLAY_CONTENT_LENGTH_HEADER",
    "RESUMABLE_STREAM_ID_HEADER",
    "ReplayResponse",
    "create_resumable_assistant_stream_response",
    "create_resume_assistant_stream_response",
    "cursor_from_request",
)

logger = logging.getLogger("assistant_stream_ce.resumable")

RESUMABLE_STREAM_ID_HEADER = "x-resumable-stream-id"
"""Tells the client the id to resume by."""

REPLAY_CONTENT_LENGTH_HEADER = "Aui-Replay-Content-Length"
"""Tells the client how many of the first bytes are replayed and not live."""

_ENCODING_ERRORS = "backslashreplace"

_TOLD: dict[ResumableStreamErrorCode, str] = {
    "cancelled": "The answer was stopped.",
    "deleted": "The answer was deleted.",
    "failed": "Something went wrong while the answer was being made.",
    "lost": "The server that was making the answer has stopped.",
    "missing": "The answer is no longer available.",
    "too-large": "The answer is too long.",
}
"""What the client is told: nothing internal."""

_TOLD_OTHERWISE = "The answer cannot be read at the moment."


class _Run:
    """A run that can be cancelled from outside and remembers whether it failed."""

    def __init__(self, callback: RunCallback, state: object, encoder: StreamEncoder) -> None:
        self._callback = callback
        self._state = state
        self._encoder = encoder
        self._controller: RunController | None = None
        self._cancelled = False
        self._error: Exception | None = None

    def cancel(self) -> None:
        self._cancelled = True
        if self._controller is not None:
            self._controller.cancel()

    async def frames(self) -> AsyncGenerator[bytes, None]:
        stream = create_run(self._call, state=self._state)
        async with aclosing(self._encoder.encode_bursts(stream)) as bursts:
            async for burst in bursts:
                yield burst.encode(errors=_ENCODING_ERRORS)
        if self._error is not None:
            raise ReportedError(self._error)

    async def _call(self, controller: RunController) -> None:
        self._controller = controller
        if self._cancelled:
            return
        try:
            await self._callback(controller)
        except Exception as error:
            self._error = error
            raise


async def create_resumable_assistant_stream_response(
    *,
    context: ResumableStreamContext,
    stream_id: str,
    callback: RunCallback,
    encoder: StreamEncoder | None = None,
    headers: Mapping[str, str] | None = None,
    state: object = None,
    heartbeat: HeartbeatOption = True,
) -> Response:
    """Run `callback` and send what it emits; the run goes on when the client has gone.

    When a stream of that id is there already, it is replayed and followed, and `callback` is not
    called: a client may send its request again.

    Args:
        context: Produces and stores the stream.
        stream_id: Names the stream; the client gets it in the header `x-resumable-stream-id`.
        callback: As for `create_run`.
        encoder: The wire; `DataStreamEncoder` by default.
        headers: Further response headers.
        state: The initial state, as for `create_run`.
        heartbeat: Whether the run writes heartbeats while it is idle, or the seconds between
            them (15 by default). They are stored: every reader gets the same bytes.

    Raises:
        ResumableStreamError: `invalid-id`, or `too-many` or `unavailable` from the store.
    """
    encoder = encoder or DataStreamEncoder()
    run = _Run(callback, state, encoder)
    frame = encoder.get_keepalive_token()
    role = await context.start(
        stream_id,
        run.frames,
        on_cancel=run.cancel,
        heartbeat=frame.encode() if frame else None,
        heartbeat_interval=resolve_heartbeat_interval(heartbeat),
    )
    if role == "producer":
        body = await context.require_resume(stream_id)
        return ReplayResponse(body, encoder, _merge_headers(headers, stream_id))
    return await _resume(context, stream_id, encoder, headers, "")


async def create_resume_assistant_stream_response(
    *,
    context: ResumableStreamContext,
    stream_id: str,
    encoder: StreamEncoder | None = None,
    headers: Mapping[str, str] | None = None,
    missing_response: Callable[[], Response] | None = None,
    cursor: str = "",
) -> Response:
    """Send what a stream has from `cursor` on, then follow it to its end.

    Args:
        context: Where the stream is.
        stream_id: The stream.
        encoder: The wire that the stream was made with; for the headers, and to tell the client
            when the stream cannot be read to its end.
        headers: Further response headers.
        missing_response: Makes the response when there is no such stream, or the id cannot be
            one; JSON with the status 404 by default.
        cursor: The number of bytes that the client has already; see `cursor_from_request`.
    """
    try:
        parse_cursor(cursor)
        return await _resume(context, stream_id, encoder or DataStreamEncoder(), headers, cursor)
    except ResumableStreamError as error:
        if error.code == "invalid-cursor":
            return JSONResponse({"error": str(error)}, status_code=400)
        if error.code not in {"invalid-id", "missing"}:
            raise
    if missing_response is not None:
        return missing_response()
    return JSONResponse({"error": "stream not found"}, status_code=404)


def cursor_from_request(request: HTTPConnection) -> str:
    """The cursor a client asks for: the query parameter `cursor`, else `Last-Event-ID`."""
    return request.query_params.get("cursor") or request.headers.get("last-event-id", "")


async def _resume(
    context: ResumableStreamContext,
    stream_id: str,
    encoder: StreamEncoder,
    headers: Mapping[str, str] | None,
    cursor: str,
) -> Response:
    info = await context.info(stream_id)
    body = await context.require_resume(stream_id, cursor)
    merged = _merge_headers(headers, stream_id)
    if info.size is not None:
        replayed = info.size - parse_cursor(cursor)
        if replayed < 0:
            raise ResumableStreamError(
                "invalid-cursor", f"The stream has {info.size} bytes, fewer than the cursor says."
            )
        if replayed:
            merged[REPLAY_CONTENT_LENGTH_HEADER] = str(replayed)
    return ReplayResponse(body, encoder, merged)


class ReplayResponse(AssistantStreamResponse):
    """Sends bytes from a store. Heartbeats are among them."""

    def __init__(
        self, body: AsyncGenerator[bytes, None], encoder: StreamEncoder, headers: Mapping[str, str]
    ) -> None:
        super().__init__(_chunks(), encoder, heartbeat=False, headers=headers)
        self.body_iterator = _to_the_end(body, encoder)


async def _to_the_end(
    body: AsyncGenerator[bytes, None], encoder: StreamEncoder
) -> AsyncGenerator[bytes, None]:
    """Yield `body`; when it cannot be read to its end, tell the client in its own wire."""
    told: str | None = None
    try:
        async with aclosing(body):
            async for piece in body:
                yield piece
    except ResumableStreamError as error:
        if not error.reported:
            logger.warning("A resumable stream broke off: %s", error)
            told = _TOLD.get(error.code, _TOLD_OTHERWISE)
    except Exception:
        logger.exception("A resumable stream cannot be read.")
        told = _TOLD_OTHERWISE
    if told is not None:
        async for frames in encoder.encode_bursts(_chunks(ErrorChunk(told))):
            yield frames.encode(errors=_ENCODING_ERRORS)


async def _chunks(*chunks: AssistantStreamChunk) -> AsyncGenerator[AssistantStreamChunk, None]:
    for chunk in chunks:
        yield chunk


def _merge_headers(headers: Mapping[str, str] | None, stream_id: str) -> dict[str, str]:
    """The caller's headers, of which none replaces those that tell the client about the stream."""
    own = {RESUMABLE_STREAM_ID_HEADER, REPLAY_CONTENT_LENGTH_HEADER.lower()}
    merged = {key: value for key, value in (headers or {}).items() if key.lower() not in own}
    merged[RESUMABLE_STREAM_ID_HEADER] = stream_id
    return merged
