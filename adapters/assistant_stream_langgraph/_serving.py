"""The web server of the command line. Needs uvicorn, from the extra `serve`."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Collection

import uvicorn
from starlette.types import ASGIApp

from ._host_guard import HostGuard, is_loopback
from .threads import GraphError

__all__ = ("serve_app",)

SHUTDOWN_TIME = 3
"""Seconds that open streams get when the server is asked to stop."""


async def serve_app(
    app: ASGIApp,
    host: str,
    port: int,
    announce: Callable[[str], None],
    *,
    allowed_hosts: Collection[str] = (),
) -> None:
    """Serve `app` until it is interrupted; `announce` gets the URL once it can be opened.

    On a loopback address it answers to this machine's own names only, and to `allowed_hosts`.

    Raises:
        GraphError: The address cannot be used.
    """
    listener = _bind(host, port)
    if is_loopback(listener.getsockname()[0]):
        app = HostGuard(app, {host, *allowed_hosts})
    config = uvicorn.Config(
        app,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_TIME,
    )
    await _Server(config, announce).serve(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            self._announce(_url(sockets[0]))


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise GraphError(f"there is no address {host!r} to serve on: {error.strerror}.") from error
    listener = socket.socket(family, kind, protocol)
    try:
        # Without it, the port of a server that has just ended stays closed for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise GraphError(
                f"port {port} on {host} is in use; choose another with --port."
            ) from error
        raise GraphError(f"cannot serve on {host} port {port}: {error.strerror}.") from error
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - asked for on the command line
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
