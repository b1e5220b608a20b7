"""`inspect`: a live view of a stream, frame by frame."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from assistant_stream_ce import AssistantStreamError

from ._inspection import Inspection
from ._options import EXIT_OK, EXIT_PROBLEMS, EXIT_UNREACHABLE
from ._requests import Ask, create_ask
from ._view import StreamView

if TYPE_CHECKING:
    import httpx

__all__ = ("run_inspect",)

MAX_REFUSAL = 64 * 1024
"""Bytes that are read of a refusal."""


def run_inspect(options: argparse.Namespace) -> int:
    """Ask the server, show what comes back, and return the exit code.

    Raises:
        AssistantStreamError: The options do not make a request.
        KeyboardInterrupt: The user has seen enough; what there was is summed up before.
    """
    library = _import_client()
    ask = create_ask(options)
    view = StreamView(is_full=options.full, is_quiet=options.quiet)
    view.tell(f"{ask.method} {ask.url}")
    inspection = Inspection(view.show_frame)
    try:
        with _saving(options.save) as saved, _asked(library, ask, options.timeout) as response:
            view.tell(_head(response))
            if not response.is_success:
                view.complain(_refusal(response))
                return EXIT_UNREACHABLE
            _read(library, response, inspection, saved)
    except KeyboardInterrupt:
        inspection.finish(whole=False)
        view.show_end(inspection)
        raise
    except (library.HTTPError, library.InvalidURL) as error:
        view.complain(f"No answer: {str(error) or type(error).__name__}")
        return EXIT_UNREACHABLE
    inspection.finish()
    view.show_end(inspection)
    is_good = not inspection.problems and not inspection.has_failed
    return EXIT_OK if is_good else EXIT_PROBLEMS


def _import_client() -> Any:
    try:
        import httpx  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise AssistantStreamError(
            '`inspect` needs an extra: pip install "assistant-stream-ce[serve]".'
        ) from error
    return httpx


@contextmanager
def _asked(library: Any, ask: Ask, timeout: float) -> Generator[httpx.Response, None, None]:
    with (
        library.Client(timeout=timeout, follow_redirects=True) as client,
        client.stream(ask.method, ask.url, headers=ask.headers, content=ask.body) as response,
    ):
        yield response


@contextmanager
def _saving(name: str | None) -> Generator[IO[bytes] | None, None, None]:
    if name is None:
        yield None
        return
    with Path(name).open("wb") as file:
        yield file


def _read(
    library: Any, response: httpx.Response, inspection: Inspection, saved: IO[bytes] | None
) -> None:
    try:
        for piece in response.iter_bytes():
            if saved is not None:
                saved.write(piece)
            inspection.feed(piece)
    except library.HTTPError as error:
        inspection.add_problem(f"The connection broke: {str(error) or type(error).__name__}")


def _head(response: httpx.Response) -> str:
    media_type = response.headers.get("content-type", "no content type")
    return f"{response.status_code} {response.reason_phrase}, {media_type}"


def _refusal(response: httpx.Response) -> str:
    body = b""
    for piece in response.iter_bytes():
        body += piece
        if len(body) >= MAX_REFUSAL:
            break
    text = body[:MAX_REFUSAL].decode(errors="replace").strip()
    return f"The server refused: {text[:1000] or 'without a word'}"
