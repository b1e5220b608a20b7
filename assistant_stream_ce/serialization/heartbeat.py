"""Heartbeats: frames that clients skip, sent so that no proxy takes a silent stream for dead."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeAlias

import anyio
from starlette.requests import ClientDisconnect
from starlette.types import Message, Send

from ._sse import SSE_HEARTBEAT

__all__ = (
    "DATA_STREAM_HEARTBEAT",
    "DEFAULT_HEARTBEAT_INTERVAL",
    "SSE_HEARTBEAT",
    "BodySender",
    "HeartbeatOption",
    "add_heartbeat",
    "resolve_heartbeat_interval",
)

HeartbeatOption: TypeAlias = float | bool | None
"""`True` for the default interval, a number of seconds, or `False`, `0` or `None` for none."""

DEFAULT_HEARTBEAT_INTERVAL = 15.0
"""Seconds; half of the shortest idle timeout that proxies commonly have."""

DATA_STREAM_HEARTBEAT = "\n"
"""A blank line, which the data stream decoders skip in silence."""


def resolve_heartbeat_interval(heartbeat: HeartbeatOption) -> float | None:
    """Return the interval in seconds that `heartbeat` stands for, or `None` for no heartbeat.

    Raises:
        ValueError: The number is negative or not finite.
    """
    if heartbeat is True:
        return DEFAULT_HEARTBEAT_INTERVAL
    if not heartbeat:
        return None
    if not math.isfinite(heartbeat) or heartbeat < 0:
        raise ValueError(
            f"`heartbeat` must be a positive number of seconds or a bool, not {heartbeat!r}"
        )
    return float(heartbeat)


async def add_heartbeat(
    frames: AsyncGenerator[str, None], interval: float, heartbeat: str = SSE_HEARTBEAT
) -> AsyncGenerator[str, None]:
    """Yield `frames`, and `heartbeat` whenever none has come for `interval` seconds.

    For those who send a wire themselves; a response has its own, cheaper way. `frames` is closed
    when this generator is.
    """
    sender, receiver = anyio.create_memory_object_stream[str]()

    async def read() -> None:
        async with sender, aclosing(frames):
            async for frame in frames:
                await sender.send(frame)

    reader = asyncio.create_task(read())
    try:
        while True:
            frame = heartbeat
            with anyio.move_on_after(interval):
                frame = await receiver.receive()
            yield frame
    except anyio.EndOfStream:
        await reader
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        receiver.close()


class BodySender:
    """Sends the pieces of one HTTP body, and a heartbeat when none was sent for a while.

    A piece and a heartbeat never overlap. A heartbeat that had to wait for a piece looks again
    whether it is still due; a piece that comes during a heartbeat waits for its end. Pieces need
    no lock of their own, because only one is sent at a time.
    """

    def __init__(self, send: Send, heartbeat: str | None, interval: float | None) -> None:
        self._send = send
        self._heartbeat = (heartbeat or "").encode()
        self._interval = interval if heartbeat else None
        self._sending = False
        self._sent = asyncio.Event()
        self._beat_lock = asyncio.Lock()
        self._now = asyncio.get_running_loop().time
        self._sent_at = 0.0
        self._beating: asyncio.Task[None] | None = None

    async def start(self, status_code: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Send the head of the response; from now on heartbeats go out when due.

        Raises:
            ClientDisconnect: The client has gone, here and in the other methods.
        """
        await self._put({"type": "http.response.start", "status": status_code, "headers": headers})
        if self._interval is not None:
            self._beating = asyncio.create_task(self._beat(self._interval))

    async def send(self, body: bytes) -> None:
        """Send a piece, made of whole frames; returns when the server has taken it."""
        if self._beat_lock.locked():
            await self._after_beat()
        self._sending = True
        try:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
        except OSError as error:
            raise ClientDisconnect from error
        finally:
            self._sending = False
            self._sent.set()
        self._sent_at = self._now()

    async def end(self) -> None:
        """Send the end of the body. No heartbeat follows it."""
        await self._after_beat()
        if self._beating is not None:
            self._beating.cancel()
        await self._put({"type": "http.response.body", "body": b"", "more_body": False})

    async def close(self) -> None:
        """End the heartbeats, whether or not the body has ended."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)

    async def _put(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError as error:
            raise ClientDisconnect from error
        self._sent_at = self._now()

    async def _after_beat(self) -> None:
        """Return once no heartbeat is on its way."""
        async with self._beat_lock:
            return

    async def _beat(self, interval: float) -> None:
        message = {"type": "http.response.body", "body": self._heartbeat, "more_body": True}
        while True:
            await asyncio.sleep(self._sent_at + interval - self._now())
            if self._sending:
                self._sent.clear()
                await self._sent.wait()
            elif self._sent_at + interval <= self._now():
                async with self._beat_lock:
                    await self._put(message)
