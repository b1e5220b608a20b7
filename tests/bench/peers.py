"""The peers' packages, imported from a folder of their own."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

__all__ = ("ag_ui", "upstream")


def upstream(module: str = "") -> ModuleType:
    """Import upstream's `assistant_stream`, or a module below it.

    Raises:
        RuntimeError: The peers' folder is not set, or what is imported comes from elsewhere.
    """
    return _import(f"assistant_stream.{module}" if module else "assistant_stream")


def ag_ui(module: str) -> ModuleType:
    """Import a module of `ag_ui_langgraph`, or of `ag_ui`, which it is built on.

    Raises:
        RuntimeError: The peers' folder is not set, or what is imported comes from elsewhere.
    """
    return _import(module)


def _import(module: str) -> ModuleType:
    """Import from the folder in the environment variable `ASSISTANT_STREAM_UPSTREAM`.

    `make bench` installs the packages there and sets it.
    """
    folder = os.environ.get("ASSISTANT_STREAM_UPSTREAM")
    if not folder:
        raise RuntimeError("Set ASSISTANT_STREAM_UPSTREAM, or run `make bench`, which does.")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    found = importlib.import_module(module)
    if not Path(str(found.__file__)).is_relative_to(Path(folder).resolve()):
        raise RuntimeError(f"{found.__file__} is not the peer's package in {folder}.")
    return found
