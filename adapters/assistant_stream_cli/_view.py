"""Streams on a terminal, in colour, or as plain text in a file or a pipe."""

from __future__ import annotations

from typing import Any

from assistant_stream_ce import AssistantStreamError
from assistant_stream_ce._controls import with_visible_controls
from assistant_stream_jupyter import render_text
from assistant_stream_jupyter.text import render_rich

from ._frames import Frame
from ._inspection import Inspection

__all__ = ("StreamView", "open_console")

WIDTH = 160
"""Characters of a line where there is no terminal to fill."""

_KIND_WIDTH = 26

_STYLES = {
    "text": "default",
    "reasoning": "magenta",
    "tool": "cyan",
    "TOOL": "cyan",
    "update": "blue",
    "STATE": "blue",
    "error": "bold red",
    "RUN_ERROR": "bold red",
    "heartbeat": "dim",
    "[DONE]": "dim",
}
"""By how a kind begins."""


def open_console() -> Any:
    """Return a `rich.console.Console`, which knows `NO_COLOR`, pipes and sizes.

    Raises:
        AssistantStreamError: The extra is not installed.
    """
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise AssistantStreamError(
            'this needs an extra: pip install "assistant-stream-ce[serve]".'
        ) from error

    class PatientConsole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # of which rich would make exit code 1

    return PatientConsole(highlight=False, markup=False, emoji=False, soft_wrap=True)


class StreamView:
    """Writes what is known about a stream, line by line.

    What comes from the stream is shown with escapes in the place of control characters.

    Args:
        is_full: Whether frames are shown whole.
        is_quiet: Whether frames are not shown.
    """

    def __init__(self, *, is_full: bool = False, is_quiet: bool = False) -> None:
        self._console = open_console()
        self._is_full = is_full
        self._is_quiet = is_quiet

    def tell(self, text: str) -> None:
        """Write a line beside the stream."""
        self._print(with_visible_controls(text), "bold")

    def complain(self, text: str) -> None:
        """Write what went wrong."""
        self._print(with_visible_controls(text), "red")

    def show_frame(self, seconds: float, frame: Frame) -> None:
        """Write a frame in one line, and below it what is wrong with it."""
        if not self._is_quiet:
            head = f"{seconds:8.3f}  {with_visible_controls(frame.kind):<{_KIND_WIDTH}}"
            payload = with_visible_controls(frame.payload)
            line = head if not payload else f"{head} {self._clip(payload, len(head) + 1)}"
            self._print(line.rstrip(), _style(frame))
            for problem in frame.problems:
                self._print(f"{'':10}! {with_visible_controls(problem)}", "bold red")

    def show_end(self, inspection: Inspection, *, is_timed: bool = True) -> None:
        """Write the message, the figures and the problems."""
        snapshot = inspection.record.snapshot()
        message = snapshot.message
        if message["parts"] or message["metadata"]["unstable_state"] is not None:
            self._print("", "default")
            if self._console.is_terminal:
                self._console.print(render_rich(snapshot), soft_wrap=False)
            else:
                self._print(render_text(snapshot), "default")
        self._print("", "default")
        self._print(_figures(inspection, is_timed=is_timed), "bold")
        counts = ", ".join(
            f"{with_visible_controls(kind)} {count}"
            for kind, count in inspection.counts.most_common(20)
        )
        if counts:
            self._print(counts, "dim")
        if inspection.has_failed:
            self._print("The run has failed.", "bold red")
        self._show_problems(inspection)

    def _show_problems(self, inspection: Inspection) -> None:
        if not inspection.problems:
            self._print("Well formed.", "green")
            return
        count = len(inspection.problems) + inspection.more_problems
        self._print("1 problem:" if count == 1 else f"{count} problems:", "bold red")
        for problem in inspection.problems:
            self._print(f"  {self._clip(with_visible_controls(problem), 2)}", "red")
        if inspection.more_problems:
            self._print(f"  and {inspection.more_problems} more", "red")

    def _clip(self, text: str, used: int) -> str:
        if self._is_full:
            return text
        room = max((self._console.width if self._console.is_terminal else WIDTH) - used, 20)
        return text if len(text) <= room else f"{text[: room - 1]}…"

    def _print(self, text: str, style: str) -> None:
        self._console.print(text, style=style)


def _figures(inspection: Inspection, *, is_timed: bool) -> str:
    frames = inspection.counts.total()
    figures = [
        inspection.reader.wire or "no wire",
        "1 frame" if frames == 1 else f"{frames:,} frames",
        f"{inspection.size:,} bytes",
    ]
    if is_timed:
        figures.append(f"{inspection.seconds:.2f} s")
        first = inspection.first_byte
        figures.append("nothing came" if first is None else f"first byte after {first:.3f} s")
    return ", ".join(figures)


def _style(frame: Frame) -> str:
    if frame.problems:
        return "red"
    for begin, style in _STYLES.items():
        if frame.kind.startswith(begin):
            return style
    return "default"
