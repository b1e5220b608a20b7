"""How a message has ended: why, and for how many tokens."""

from __future__ import annotations

from assistant_stream_ce.chunks import MessageFinishChunk, StepFinishChunk
from assistant_stream_ce.typing import FinishReason

__all__ = ("Outcome",)


class Outcome:
    """What the ends of the steps and of the message have said so far."""

    __slots__ = ("_steps", "_total", "finish_reason")

    def __init__(self) -> None:
        self.finish_reason: FinishReason | None = None
        """The reason that the message's end gave; `None` when it has not been said."""
        self._steps = (0, 0)
        self._total = (0, 0)

    @property
    def tokens(self) -> tuple[int, int]:
        """The tokens that went in and came out: the message's own count, or else its steps'."""
        return self._total if any(self._total) else self._steps

    def note(self, chunk: StepFinishChunk | MessageFinishChunk) -> None:
        """Take in the end of a step or of the message."""
        if isinstance(chunk, MessageFinishChunk):
            self.finish_reason = chunk.finish_reason
            self._total = (chunk.input_tokens, chunk.output_tokens)
        else:
            inputs, outputs = self._steps
            self._steps = (inputs + chunk.input_tokens, outputs + chunk.output_tokens)
