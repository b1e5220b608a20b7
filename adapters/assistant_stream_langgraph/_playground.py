"""The chat page: static files that come with the package."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Receive, Scope, Send

import assistant_stream_ce.server

__all__ = ("create_page",)

PAGE_FOLDER = Path(assistant_stream_ce.server.__file__).parent / "playground" / "dist"

_HASHED = re.compile(r"assets/.+-[\w-]{8}\.\w+")
"""Vite puts a hash of the content into the name: such a file never changes."""

_SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # `style` attributes
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_page(folder: Path = PAGE_FOLDER) -> ASGIApp:
    """Return an app that serves the built page in `folder`, compressed."""
    return GZipMiddleware(_Page(folder), minimum_size=1000)


class _Page:
    """Looks for the page at each request: it may be built while the server runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        name: str = request.path_params.get("path", "") or "index.html"
        path = self._find(name)
        cache = "public, max-age=31536000, immutable" if _HASHED.fullmatch(name) else "no-cache"
        response = FileResponse(path, headers={**_SECURITY_HEADERS, "Cache-Control": cache})
        await response(scope, receive, send)

    def _find(self, name: str) -> Path:
        folder = self._folder.resolve()
        try:
            path = (folder / name).resolve()
            if path.is_relative_to(folder) and path.is_file():
                return path
        except (OSError, ValueError):
            pass  # Too long for a file's name, or with a NUL in it: no file is called that.
        if name == "index.html":
            raise HTTPException(
                404,
                "The chat page has not been built. Run `npm ci && npm run build` in "
                "`assistant_stream_ce/server/playground/web`, or install a released wheel.",
            )
        raise HTTPException(404, "There is nothing here.")
