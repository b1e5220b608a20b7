"""Clients of all manners, with nothing but sockets: they share a machine with the server."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from dataclasses import dataclass, field
from typing import Any, Literal

Manner = Literal["reads", "drops", "stalls", "reloads"]

MANNERS: tuple[Manner, ...] = (
    *("reads", "drops", "reads", "stalls", "reads"),
    *("reloads", "reads", "drops", "reads", "stalls"),
)
"""In turn: half of the clients read as they should."""

QUESTION = "How does streaming work, number {}?"

FIRST_TOKEN = b'"reasoning"'
"""The scripted agent begins with a thought."""

SMALL = 4096
"""Bytes that the kernel takes in for a client that stalls."""

PATIENCE = 45.0
"""Seconds without a byte after which a client gives up."""

MOST = 200.0
"""Seconds after which it gives up whatever comes: everything ends by itself."""


@dataclass
class Visit:
    """What a client has seen."""

    thread_id: str
    question: str
    manner: Manner
    asked: float = 0.0
    first_byte: float | None = None
    """Seconds from the request."""
    first_token: float | None = None
    """Seconds until the model's first word is there. The first byte may be no more than an echo of
    the question."""
    arrivals: list[float] = field(default_factory=list[float])
    body: bytes = b""
    """Of the last answer that was read to its end."""
    is_whole: bool = False
    """Whether the body has ended as HTTP says."""
    failure: str = ""


class Http:
    """One request a connection, over HTTP 1.1 with chunked bodies."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(
        self, method: str, path: str, body: Any = None, buffer: int = 2**18
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a request, and read the head of its answer.

        Raises:
            RuntimeError: The status is not 200.
        """
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self._port))
        reader, writer = await asyncio.open_connection(sock=client, limit=buffer)
        sent = b"" if body is None else json.dumps(body).encode()
        head = [
            f"{method} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: application/json",
            f"Content-Length: {len(sent)}",
            "Connection: close",
        ]
        writer.write("\r\n".join([*head, "", ""]).encode() + sent)
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answer.split(b"\r\n", 1)[0]:
            writer.close()
            raise RuntimeError(answer.split(b"\r\n", 1)[0].decode())
        return reader, writer

    async def json(self, method: str, path: str, body: Any = None) -> Any:
        """Ask for a small answer, and return its value."""
        reader, writer = await self.open(method, path, body)
        answer = await reader.read(-1)
        writer.close()
        return json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])


async def visit(http: Http, seen: Visit, *, can_resume: bool, run_time: float) -> None:
    """Ask the question in the visit's manner; what happens is written into `seen`.

    Args:
        http: The server.
        seen: The visit.
        can_resume: Whether the server gives a run that goes on to those who come back.
        run_time: About how many seconds a run takes.
    """
    message = {"role": "user", "parts": [{"type": "text", "text": seen.question}]}
    commands = [{"type": "add-message", "message": message}]
    body = {"commands": commands, "state": {}, "threadId": seen.thread_id}
    buffer = SMALL if seen.manner == "stalls" else 2**18
    start = time.perf_counter()
    try:
        async with asyncio.timeout(MOST):
            reader, writer = await http.open("POST", "/assistant", body, buffer)
            try:
                seen.body = await reader.read(1)
                seen.asked = start
                seen.first_byte = time.perf_counter() - start
                if seen.manner in {"drops", "reloads"}:
                    await _read_for(reader, run_time * 0.3)
                else:
                    pause = run_time * 0.5 if seen.manner == "stalls" else 0.0
                    await _read_all(reader, seen, pause)
            finally:
                writer.transport.abort()
            if seen.manner == "reloads" and can_resume:
                await _resume(http, seen)
    except (OSError, RuntimeError, TimeoutError, asyncio.IncompleteReadError) as error:
        seen.failure = f"{type(error).__name__}: {error}"


async def _resume(http: Http, seen: Visit) -> None:
    """Do as a page does that is loaded again: ask for the run that goes on."""
    await asyncio.sleep(0.2)
    running = await http.json("POST", "/resume-state", {"threadId": seen.thread_id})
    asked = {"threadId": seen.thread_id, "runId": running["runId"]}
    reader, writer = await http.open("POST", "/resume", asked)
    try:
        seen.body = await reader.read(1)
        await _read_all(reader, seen, 0.0)
    finally:
        writer.transport.abort()


async def _read_for(reader: asyncio.StreamReader, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(65536):
                pass
    except TimeoutError:
        pass


async def _read_all(reader: asyncio.StreamReader, seen: Visit, pause: float) -> None:
    pieces = [seen.body]
    while True:
        async with asyncio.timeout(PATIENCE):
            piece = await reader.read(65536)
        if not piece:
            break
        seen.arrivals.append(time.perf_counter())
        if seen.first_token is None and FIRST_TOKEN in piece:
            seen.first_token = seen.arrivals[-1] - seen.asked
        pieces.append(piece)
        if pause and len(pieces) > 5:
            await asyncio.sleep(pause)
            pause = 0.0
    raw = b"".join(pieces)
    seen.is_whole = raw.endswith(b"0\r\n\r\n")
    seen.body = dechunked(raw)


def dechunked(raw: bytes) -> bytes:
    """Return the body that the chunks of HTTP carry, as far as it is there."""
    parts: list[bytes] = []
    at = 0
    while (end := raw.find(b"\r\n", at)) > 0:
        size = int(raw[at:end], 16)
        parts.append(raw[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(parts)
