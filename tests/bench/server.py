"""A server to measure: uvicorn in a process of its own, and the client's side of it.

`python -m tests.bench.server PACKAGE SEND_BUFFER` serves on a free port of the loopback interface,
says which, and ends when its standard input does. Paths are `/RESPONSE/WORK`, as in `WORKS`;
`/stats` tells what the process has used.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

CHUNKS = 20_000
PACED = 100
STALLED = 1_000_000
FRAME = b'0:" token"\n'


async def burst(controller: Any) -> None:
    """Everything in one loop turn."""
    for _ in range(CHUNKS):
        controller.append_text(" token")


async def eights(controller: Any) -> None:
    """Eight chunks, then a turn of the event loop."""
    for _ in range(CHUNKS // 8):
        for _ in range(8):
            controller.append_text(" token")
        await asyncio.sleep(0)


async def turns(controller: Any) -> None:
    """A chunk, then a turn of the event loop."""
    for _ in range(CHUNKS // 4):
        controller.append_text(" token")
        await asyncio.sleep(0)


async def paced(controller: Any) -> None:
    """A chunk every 20 milliseconds."""
    for _ in range(PACED):
        controller.append_text(" token")
        await asyncio.sleep(0.02)


async def one(controller: Any) -> None:
    """A single chunk."""
    controller.append_text(" token")


async def stalled(controller: Any) -> None:
    """More than any buffer on the way takes, for a client that stops reading."""
    controller.append_text("first")
    await asyncio.sleep(0.2)
    for _ in range(100):
        for _ in range(STALLED // 100):
            controller.append_text("tok ")
        await asyncio.sleep(0)
    await asyncio.sleep(60)


WORKS: dict[str, Callable[[Any], Coroutine[Any, Any, None]]] = {
    work.__name__: work for work in (burst, eights, turns, paced, one, stalled)
}


class RawController:
    """What `append_text` is at least: a frame that is sent alone."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def append_text(self, text: str) -> None:
        """Keep the frame, as if it had been encoded before."""
        self.frames.append(FRAME)


async def raw(path: str, send: Any) -> None:
    """The floor: an ASGI app that sends each chunk of a burst, which it has ready."""
    controller = RawController()
    await WORKS[path](controller)
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for frame in controller.frames:
        await send({"type": "http.response.body", "body": frame, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def application(package: ModuleType) -> Any:
    """The ASGI app that runs the works on `package`."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        response, _, work = scope["path"][1:].partition("/")
        if response == "stats":
            body = json.dumps(stats()).encode()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
        elif response == "raw":
            await raw(work, send)
        else:
            stream = package.create_run(WORKS[work])
            await getattr(package.serialization, response)(stream)(scope, receive, send)

    return app


def stats() -> dict[str, float]:
    """CPU seconds and MiB that this process has used so far."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "cpu": time.process_time(),
        "rss": int(status["VmRSS"].split()[0]) / 1024,
        "peak": int(status["VmHWM"].split()[0]) / 1024,
    }


def _serve() -> None:
    import uvicorn

    if sys.argv[1] == "upstream":
        from .peers import upstream

        package = upstream()
        upstream("serialization")
    else:
        import assistant_stream_ce as package
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    if send_buffer := int(sys.argv[2]):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    app = application(package)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))

    def wait_for_the_end() -> None:
        sys.stdin.read()
        server.should_exit = server.force_exit = True

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    asyncio.run(server.serve([listener]))


class Server:
    """A server process, seen from the client."""

    def __init__(self, package: str, send_buffer: int = 0) -> None:
        paths = os.pathsep.join((str(ROOT), str(ROOT / "adapters")))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.server", package, str(send_buffer)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()

    async def open(
        self, path: str, buffer: int = 2**20
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a request; `buffer` is what the client takes in before it is read."""
        client = socket.create_connection(("127.0.0.1", self.port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        reader, writer = await asyncio.open_connection(sock=client, limit=buffer)
        writer.write(f"GET /{path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
        return reader, writer

    async def read(self, path: str) -> bytes:
        """The whole answer, its head with it."""
        reader, writer = await self.open(path)
        answer = await reader.read(-1)
        writer.close()
        return answer

    async def stats(self) -> dict[str, float]:
        """What the server's process has used so far."""
        answer = await self.read("stats")
        used: dict[str, float] = json.loads(answer[answer.index(b"{") : answer.index(b"}") + 1])
        return used


@cache
def running(package: str) -> Server:
    """The one server of a package; it ends with this process."""
    server = Server(package)
    atexit.register(server.close)
    return server


if __name__ == "__main__":
    _serve()
