"""Runs in Jupyter: `display` shows a run while it happens, `%%assistant` runs a cell as one.

`%load_ext assistant_stream_jupyter` brings the magic; `display` needs no loading.
"""

from __future__ import annotations

from typing import Any

from ._display import display
from .record import RunRecord, Snapshot
from .render import render_html
from .result import RunResult
from .text import render_text

__all__ = (
    "RunRecord",
    "RunResult",
    "Snapshot",
    "display",
    "load_ipython_extension",
    "render_html",
    "render_text",
    "unload_ipython_extension",
)


def load_ipython_extension(shell: Any) -> None:
    """Bring `%%assistant` into a notebook; `%load_ext` calls this."""
    from .magic import install  # noqa: PLC0415 - needs IPython

    install(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take `%%assistant` away again; `%unload_ext` calls this."""
    from .magic import uninstall  # noqa: PLC0415 - needs IPython

    uninstall(shell)
