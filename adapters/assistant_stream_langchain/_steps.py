"""Steps of model calls that may run side by side.

A client keeps one step open: a `step-finish` ends the step that began last, and cuts off the
arguments of every open call. So one answer at a time has a step while it is told; the step of one
that runs beside it is told in one piece when nothing is lost by it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from assistant_stream_ce.chunks import AssistantStreamChunk, StepFinishChunk, StepStartChunk
from assistant_stream_ce.typing import FinishReason

from ._message_index import MessageState

__all__ = ("Steps",)


class Steps:
    """The steps of a run."""

    def __init__(self) -> None:
        self._current: MessageState | None = None
        self._ended: list[tuple[MessageState, FinishReason, float | None]] = []

    def start(self, message: MessageState, out: list[AssistantStreamChunk]) -> None:
        """Begin the step of a message, unless another one is open."""
        if not message.step_open:
            message.step_open = True
            if self._current is None:
                self._current = message
                out.append(StepStartChunk(message.id))

    def finish(
        self,
        message: MessageState,
        reason: FinishReason,
        others: Iterable[MessageState],
        out: list[AssistantStreamChunk],
    ) -> None:
        """End the step of a message; `others` are the messages that go on."""
        started_at = message.started_at
        duration = None if started_at is None else time.monotonic() - started_at
        self._ended.append((message, reason, duration))
        if any(call.begun and not call.closed for other in others for call in other.book.calls):
            return
        self._ended.sort(key=lambda ended: ended[0] is not self._current)
        if self._current is not None and self._ended[0][0] is not self._current:
            return
        for ended, why, duration in self._ended:
            if ended is not self._current:
                out.append(StepStartChunk(ended.id))
            input_tokens, output_tokens = ended.usage or (0, 0)
            out.append(
                StepFinishChunk(
                    why,
                    input_tokens,
                    output_tokens,
                    time_to_first_token=ended.time_to_first_token,
                    duration=duration,
                )
            )
        self._ended.clear()
        self._current = None
