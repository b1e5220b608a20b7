"""What the command line says beside its results: on standard error, and safe for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

__all__ = ("say", "waiting")


def say(text: str, *, file: TextIO | None = None) -> None:
    """Print a line, on standard error by default."""
    print(text, file=file or sys.stderr, flush=True)


@contextmanager
def waiting(what: str) -> Generator[None, None, None]:
    """Show what is being waited for, on a terminal, while the block runs."""
    if not sys.stderr.isatty():
        yield
        return
    # Plain text, not a spinner: the code that is loaded may print, and may use the terminal.
    sys.stderr.write(f"{what} ...")
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
