"""Keeps pages of other sites away from a server that is meant for this machine alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ._errors import error_response

__all__ = ("HostGuard", "is_loopback")


class HostGuard:
    """Middleware that refuses requests for a host name that is not this machine's own.

    A site can have its name point to 127.0.0.1 and is then, to the browser, of the same origin as
    a server here: neither CORS nor the media type of the body stops its pages (DNS rebinding).
    What they cannot choose is the `Host` header, which has the site's name.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host") if scope["type"] == "http" else None
        if host is None or self._is_ours(host):
            await self._app(scope, receive, send)
            return
        message = (
            "This server is for its own machine and does not answer under this host name; "
            "`--allow-host NAME` lets one in."
        )
        await error_response(message, 403)(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name == "localhost" or name.endswith(".localhost") or name in self._names:
            return True
        return _is_address(name)


def is_loopback(address: str) -> bool:
    """Whether an IP address can only be reached from this machine."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _is_address(name: str) -> bool:
    # Nobody's name: a page that was loaded from an address comes from the machine that has it.
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
