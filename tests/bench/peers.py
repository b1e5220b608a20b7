"""The peer's package, imported from a folder of its own."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

__all__ = ("upstream",)


def upstream(module: str = "") -> ModuleType:
    """Import upstream's `assistant_stream`, or a module below it.

    The folder comes from the environment variable `ASSISTANT_STREAM_UPSTREAM`; `make bench`
    installs the package there and sets it.

    Raises:
        RuntimeError: The variable is not set, or what is imported comes from elsewhere.
    """
    folder = os.environ.get("ASSISTANT_STREAM_UPSTREAM")
    if not folder:
        raise RuntimeError("Set ASSISTANT_STREAM_UPSTREAM, or run `make bench`, which does.")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    found = importlib.import_module(f"assistant_stream.{module}" if module else "assistant_stream")
    if not Path(str(found.__file__)).is_relative_to(Path(folder).resolve()):
        raise RuntimeError(f"{found.__file__} is not the peer's package in {folder}.")
    return found
