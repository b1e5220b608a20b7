"""`AssistantStreamResponse`: any wire as an HTTP response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Mapping

import anyio
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from assistant_stream_ce.typing import ChunkSource

from .heartbeat import BodySender, HeartbeatOption, add_heartbeat, resolve_heartbeat_interval
from .stream_encoder import StreamEncoder

__all__ = ("AssistantStreamResponse",)

_STREAMING_HEADERS = {
    "cache-control": "no-cache, no-transform",  # no-transform: development proxies compress
    "x-accel-buffering": "no",  # and nginx buffers, unless told
}


PIECES_A_TURN = 32
"""Pieces after which the event loop gets a turn. A server whose client has gone takes everything
at once; with a stream that always has more, nothing else would ever run, not even what tells that
the client has gone."""


class AssistantStreamResponse(StreamingResponse):
    """Sends a chunk stream over the wire of an encoder.

    Chunks that are ready together leave in one send, and the next are not asked for before the
    server has taken them. While the stream is idle a heartbeat goes out.

    The body always ends cleanly: when the stream raises, the client gets an error frame and the
    wire's end, and the exception is logged. When the client goes away, also while nothing is
    being sent, the stream is closed and has ended before the response returns.

    Whoever sends the body themselves can iterate `body_iterator`: single frames, with heartbeats.

    Args:
        stream: The chunks, from `create_run` or any other async iterable.
        stream_encoder: The wire. It is not changed and can be shared.
        heartbeat: Whether to send heartbeats, or the seconds between them (15 by default).
        status_code: The HTTP status.
        headers: Further headers; they win over the wire's own.
        background: Runs after the response.
    """

    def __init__(
        self,
        stream: ChunkSource,
        stream_encoder: StreamEncoder,
        heartbeat: HeartbeatOption = True,
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self._stream = stream
        self._encoder = stream_encoder
        self._interval = resolve_heartbeat_interval(heartbeat)
        self._heartbeat = stream_encoder.get_keepalive_token()
        body = stream_encoder.encode_stream(stream)
        if self._interval is not None and self._heartbeat is not None:
            body = add_heartbeat(body, self._interval, self._heartbeat)
        self._body = body
        given = {**stream_encoder.headers, **(headers or {})}
        super().__init__(
            body,
            status_code=status_code,
            headers=_STREAMING_HEADERS | {name.lower(): value for name, value in given.items()},
            media_type=stream_encoder.get_media_type(),
            background=background,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, until its end or until the client has gone."""
        if scope["type"] != "http":  # A denied websocket: Starlette knows how.
            await super().__call__(scope, receive, send)
            return
        sending = asyncio.create_task(self.stream_response(send))
        # A server that says nothing when a send fails (uvicorn) tells it here, and an idle stream
        # learns it nowhere else.
        watching = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(sending, watching)
        if self.background is not None:
            await self.background()

    async def stream_response(self, send: Send) -> None:
        """Send the head and the body; returns early when the client has gone."""
        frames: AsyncIterable[str | bytes | memoryview] = self.body_iterator
        interval = None
        if frames is self._body:  # Nobody has wrapped it.
            frames = self._encoder.encode_bursts(self._stream)
            interval = self._interval
        sender = BodySender(send, self._heartbeat, interval)
        task = asyncio.current_task()
        try:
            await sender.start(self.status_code, self.raw_headers)
            pieces = 0
            async for piece in frames:
                body = (
                    piece.encode("utf-8", "backslashreplace") if isinstance(piece, str) else piece
                )
                await sender.send(bytes(body))
                pieces += 1
                if pieces % PIECES_A_TURN == 0:
                    await asyncio.sleep(0)
                if task is not None and task.cancelling():
                    break  # The stream has caught the cancellation and gone on.
            else:
                await sender.end()
        except ClientDisconnect:
            return
        finally:
            await sender.close()
            await _close(frames)


async def _end(*tasks: asyncio.Task[None]) -> None:
    """Cancel the tasks that still run, wait for all and raise what one of them raised.

    They are cancelled once and then left alone: the stream's own clean-up may wait for things.
    """
    for task in tasks:
        task.cancel()
    with anyio.CancelScope(shield=True):
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def _close(frames: AsyncIterable[object]) -> None:
    aclose = getattr(frames, "aclose", None)
    if aclose is not None:
        with anyio.CancelScope(shield=True):
            await aclose()
