"""The web server of the command line. Needs uvicorn, from the extra `serve`."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant_stream_ce import AssistantStreamError
from assistant_stream_langgraph._host_guard import HostGuard, is_loopback

from ._terminal import say

__all__ = ("Drain", "bind", "serve_app", "url_of")

SHUTDOWN_TIME = 3.0
"""Seconds that open streams get when the server is asked to stop."""

LAST_BYTES_TIME = 0.2
"""Seconds in which requests that are as good as answered end, without a word about them."""

LAST_WORDS_TIME = 1.0
"""Seconds in which answers whose runs were stopped reach their clients."""

CLEAN_UP_TIME = 5.0
"""Seconds that the clean-up of those that were ended then may take."""


async def serve_app(
    app: ASGIApp,
    listener: socket.socket,
    host: str,
    announce: Callable[[str], None],
    *,
    allowed_hosts: Collection[str] = (),
) -> None:
    """Serve `app` until a signal comes; `announce` gets the URL once it can be opened.

    On a loopback address it answers to this machine's own names only, and to `allowed_hosts`.
    When it returns, every request has ended, and what belongs to them can be closed.
    """
    if is_loopback(listener.getsockname()[0]):
        app = HostGuard(app, {host, *allowed_hosts})
    drain = Drain(app)
    config = uvicorn.Config(drain, log_level="warning", access_log=False)
    await _Server(config, announce, drain).serve(sockets=[listener])


class Drain:
    """Middleware that can end every request that is still being answered.

    It tells the app that the client has gone, which is how a streamed answer ends in good order:
    its run is cancelled and cleans up. The client gets the end of the body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._closing = asyncio.Event()
        self.open = 0
        """Requests that are being answered."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        self.open += 1
        try:
            await self._app(scope, partial(self._receive, receive), answer.send)
            await answer.complete()
        finally:
            self.open -= 1

    def close(self) -> None:
        """End the requests that are open, and those that still come."""
        self._closing.set()

    async def _receive(self, receive: Receive) -> Message:
        """Wait for what the client says, or for the end."""
        said = asyncio.ensure_future(receive())
        closing = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait({said, closing}, return_when=asyncio.FIRST_COMPLETED)
            return said.result() if said.done() else {"type": "http.disconnect"}
        finally:
            said.cancel()
            closing.cancel()


class _Answer:
    """Knows whether an answer has begun, and whether it has ended."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_open = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._is_open = True
        elif message["type"] == "http.response.body":
            self._is_open = message.get("more_body", False)
        await self._send(message)

    async def complete(self) -> None:
        if self._is_open:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


class _Server(uvicorn.Server):
    """Tells when it is up, and ends requests before it returns.

    uvicorn sends itself the signal once more at the end: that would kill the process before the
    threads' database is closed.
    """

    def __init__(
        self, config: uvicorn.Config, announce: Callable[[str], None], drain: Drain
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            self._announce(url_of(sockets[0]))

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        wanted = [signal.SIGINT, signal.SIGTERM]
        if hasattr(signal, "SIGHUP"):  # not on Windows
            wanted.append(signal.SIGHUP)
        before = {number: signal.signal(number, self.handle_exit) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._wait_for_requests(LAST_BYTES_TIME, force=lambda: False)
        if self._drain.open:
            say(
                f"Stopping: {_answers(self._drain.open)} may go on for {SHUTDOWN_TIME:g} seconds "
                "(Ctrl+C again ends them now)"
            )
            await self._wait_for_requests(SHUTDOWN_TIME, force=lambda: self.force_exit)
        # The app stops its runs, so that their answers end as their wires demand. What is not a
        # run is told that its client has gone.
        await self.lifespan.shutdown()
        await self._wait_for_requests(LAST_WORDS_TIME, force=lambda: False)
        self._drain.close()
        await self._wait_for_requests(CLEAN_UP_TIME, force=lambda: False)
        for task in self.server_state.tasks:
            task.cancel()

    async def _wait_for_requests(self, seconds: float, force: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        # uvicorn tells of a second signal in a field alone.
        while self._drain.open and time.monotonic() < deadline and not force():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _answers(count: int) -> str:
    return "an answer" if count == 1 else f"{count} answers"


def bind(host: str, port: int) -> socket.socket:
    """Return a socket on the address, on which nothing listens yet.

    Raises:
        AssistantStreamError: The address cannot be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise AssistantStreamError(
            f"there is no address {host!r} to serve on: {error.strerror}."
        ) from error
    listener = socket.socket(family, kind, protocol)
    try:
        # Without it, the port of a server that has just ended stays closed for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise AssistantStreamError(
                f"port {port} on {host} is in use; choose another with --port."
            ) from error
        raise AssistantStreamError(
            f"cannot serve on {host} port {port}: {error.strerror}."
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL to open for what is served on the socket."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - asked for on the command line
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
