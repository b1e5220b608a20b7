"""What can be said about a stream: its frames as they come, and the whole at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from assistant_stream_ce import (
    AssistantStreamChunk,
    ErrorChunk,
    ReasoningDeltaChunk,
    StateOperationError,
    TextDeltaChunk,
)
from assistant_stream_ce.testing import check_stream
from assistant_stream_jupyter import RunRecord

from ._frames import Frame, FrameReader

__all__ = ("Inspection",)

MAX_PROBLEMS = 20
"""As many are kept; of the others it is counted how many there are."""


class Inspection:
    """Takes the bytes of an answer, and knows at the end what they amount to.

    Args:
        on_frame: Gets each frame, with the seconds since the start.
    """

    def __init__(self, on_frame: Callable[[float, Frame], None]) -> None:
        self.reader = FrameReader()
        self.record = RunRecord()
        """The run, for its message."""
        self.counts: Counter[str] = Counter()
        """Frames by their kind."""
        self.size = 0
        """Bytes."""
        self.first_byte: float | None = None
        """Seconds until it came."""
        self.seconds = 0.0
        self.problems: list[str] = []
        self.more_problems = 0
        self.has_failed = False
        """Whether the run itself says that it has."""
        self._on_frame = on_frame
        self._start = time.monotonic()
        self._checked: list[AssistantStreamChunk] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self.first_byte is None:
            self.first_byte = self._now()
        self.size += len(data)
        for frame in self.reader.feed(data):
            self._take(frame)

    def add_problem(self, problem: str) -> None:
        """Note what is wrong."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1

    def finish(self, *, whole: bool = True) -> None:
        """Say that nothing more comes; `whole` unless the reader has stopped early."""
        if whole:
            for frame in self.reader.end():
                self._take(frame)
            if not self.reader.wire:
                self.add_problem("There is no frame")
            self._check()
        self.record.finish()
        self.seconds = self._now()

    def _take(self, frame: Frame) -> None:
        self.counts[frame.kind] += 1
        self._on_frame(self._now(), frame)
        for problem in frame.problems:
            self.add_problem(f"frame {self.counts.total()}, {frame.kind}: {problem}")
        for chunk in frame.chunks:
            self._add(chunk)

    def _add(self, chunk: AssistantStreamChunk) -> None:
        if isinstance(chunk, ErrorChunk) and chunk.severity in {None, "critical"}:
            self.has_failed = True
        if not isinstance(chunk, TextDeltaChunk | ReasoningDeltaChunk):  # these break no rule
            self._checked.append(chunk)
        try:
            self.record.add(chunk)
        except StateOperationError as error:
            self.add_problem(f"frame {self.counts.total()}: the state cannot be changed: {error}")

    def _check(self) -> None:
        try:
            check_stream(self._checked)
        except AssertionError as error:
            self.add_problem(f"the stream as a whole: {error}")

    def _now(self) -> float:
        return time.monotonic() - self._start
