"""Where a run is drawn: a notebook's output, a terminal, or nowhere."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from typing import Any, Protocol, TextIO

from .record import Snapshot
from .render import render_html
from .text import render_rich, render_text

__all__ = (
    "NotebookSurface",
    "RichSurface",
    "Surface",
    "TextSurface",
    "choose_surface",
    "execution_count",
    "has_kernel",
    "show_bundle",
)


class Surface(Protocol):
    """Something that a run can be drawn on, again and again."""

    def draw(self, snapshot: Snapshot, hint: str) -> int:
        """Draw the run and return how many characters that took."""
        ...

    def close(self) -> None:
        """Leave what was drawn last."""
        ...


def has_kernel() -> bool:
    """Whether this code runs in the kernel of a notebook."""
    return getattr(_shell(), "kernel", None) is not None


def execution_count() -> int | None:
    """The number of the cell that is running; `None` outside IPython."""
    return getattr(_shell(), "execution_count", None)


def show_bundle(bundle: dict[str, str]) -> Any:
    """Show something in a notebook; the handle that is returned can replace it."""
    ipython: Any = importlib.import_module("IPython.display")
    return ipython.display(bundle, raw=True, display_id=True)


def _shell() -> Any | None:
    ipython: Any = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def choose_surface() -> Surface:
    """A notebook where there is a kernel; else the terminal, in colour when `rich` is there."""
    if has_kernel():
        return NotebookSurface()
    if importlib.util.find_spec("rich") is not None:
        return RichSurface()
    return TextSurface()


class NotebookSurface:
    """One output of a cell, which is replaced with every update."""

    def __init__(self) -> None:
        self._handle: Any = None

    def draw(self, snapshot: Snapshot, hint: str) -> int:
        """Send the view; text goes along for front ends that have no HTML, at the end only."""
        bundle = {"text/html": render_html(snapshot, hint=hint)}
        if not snapshot.is_live:
            bundle["text/plain"] = render_text(snapshot, hint=hint)
        if self._handle is None:
            self._handle = show_bundle(bundle)
        else:
            self._handle.update(bundle, raw=True)
        return sum(map(len, bundle.values()))

    def close(self) -> None:
        """Nothing is left to do."""


class RichSurface:
    """A terminal: a live view on a screen, the end alone in a file or a pipe."""

    def __init__(self, console: Any = None) -> None:
        from rich.console import Console  # noqa: PLC0415 - an optional library
        from rich.live import Live  # noqa: PLC0415

        self._live = Live(
            console=console or Console(),
            auto_refresh=False,
            transient=True,
            vertical_overflow="crop",
        )
        self._last: Any = None

    def draw(self, snapshot: Snapshot, hint: str) -> int:
        """Draw the end of what there is; the whole is printed when the run has ended."""
        self._last = render_rich(snapshot, hint=hint)
        if snapshot.is_live and self._live.console.is_terminal:
            if not self._live.is_started:
                self._live.start()
            self._live.update(_Tail(self._last), refresh=True)
        return 0

    def close(self) -> None:
        """Print the whole."""
        if self._live.is_started:
            self._live.stop()
        if self._last is not None:
            self._live.console.print(self._last)
            self._last = None


class _Tail:
    """A renderable cut to its last lines, as many as the screen has: the run goes on there."""

    def __init__(self, shown: Any) -> None:
        self._shown = shown

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.segment import Segment  # noqa: PLC0415 - an optional library

        lines = console.render_lines(self._shown, options.update(height=None), pad=False)
        for line in lines[-max(console.height - 1, 1) :]:
            yield from line
            yield Segment.line()


class TextSurface:
    """Plain text, written once, when the run has ended."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file
        self._last = ""

    def draw(self, snapshot: Snapshot, hint: str) -> int:
        """Keep the text of the end."""
        if not snapshot.is_live:
            self._last = render_text(snapshot, hint=hint)
        return 0

    def close(self) -> None:
        """Write the text."""
        if self._last:
            (self._file or sys.stdout).write(f"{self._last}\n")
            self._last = ""
