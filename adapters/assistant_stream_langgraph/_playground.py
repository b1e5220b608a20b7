"""The chat page: static files that come with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

import assistant_stream_ce.server

__all__ = ("serve_page",)

_HASHED = "public, max-age=31536000, immutable"
"""Vite puts a hash of the content into the name of each asset."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # React's `style` attributes
            "img-src 'self' data: https:",
            "media-src 'self' data: https:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    ),
    "Referrer-Policy": "no-referrer",
}


def _page_folder() -> Path:
    return Path(str(files(assistant_stream_ce.server))) / "playground" / "dist"


async def serve_page(request: Request) -> Response:
    """Serve the page, or one of the files that it loads."""
    folder = _page_folder()
    name: str = request.path_params.get("path", "") or "index.html"
    path = (folder / name).resolve()
    if path.is_relative_to(folder.resolve()) and path.is_file():
        cache = _HASHED if name.startswith("assets/") else "no-cache"
        return FileResponse(path, headers={**SECURITY_HEADERS, "Cache-Control": cache})
    if name == "index.html":
        raise HTTPException(
            404,
            "The chat page has not been built. Run `npm ci && npm run build` in "
            "`assistant_stream_ce/server/playground/web`, or install a released wheel.",
        )
    raise HTTPException(404, "There is nothing here.")
