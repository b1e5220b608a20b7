"""The books on one answer: its calls, those of earlier answers, and its steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    StepFinishChunk,
    StepStartChunk,
    ToolCallBeginChunk,
    ToolResultChunk,
)
from assistant_stream_ce.typing import FinishReason

from ._clock import Clock
from ._transcripts import Transcripts
from .subgraphs import ToolCallOwners

__all__ = ("Books",)

_FOLLOWED = frozenset({StepFinishChunk, StepStartChunk, ToolCallBeginChunk, ToolResultChunk})


class Books:
    """Reads what is told of the calls and steps of an answer.

    Args:
        owners: Is told when calls begin and have a result.
        clock: Is told of the first token.
        transcripts: What sub-agents have said, for the results of their calls; or `None`.
        one_step: Whether all that is told is one step; otherwise each model call is.
        earlier_results: Whether the results of calls of earlier answers are told.
    """

    def __init__(
        self,
        owners: ToolCallOwners,
        clock: Clock,
        transcripts: Transcripts | None,
        *,
        one_step: bool,
        earlier_results: bool,
    ) -> None:
        self._owners = owners
        self._clock = clock
        self._transcripts = transcripts
        self._one_step = one_step
        self._step_open = False
        self._past_calls: set[str] = set()
        self._tells_earlier = earlier_results
        self._told_earlier: set[str] = set()

    def note_past(self, call_ids: Iterable[str]) -> None:
        """These calls stand in earlier answers of the thread."""
        self._past_calls.update(call_ids)

    def is_past(self, call_id: str) -> bool:
        """Whether a call stands in an earlier answer, and with it the place for its result."""
        return call_id in self._past_calls

    def takes_earlier(self, call_id: str) -> bool:
        """Whether the result of such a call is to be told now; each is told once."""
        if not self._tells_earlier or call_id in self._told_earlier:
            return False
        self._told_earlier.add(call_id)
        return True

    def follow(
        self, chunks: Sequence[AssistantStreamChunk], namespace: tuple[str, ...]
    ) -> Sequence[AssistantStreamChunk]:
        """Enter what was said in a namespace; returns what is to be told of it."""
        for chunk in chunks:
            if type(chunk) in _FOLLOWED:
                return list(self._enter(chunks, namespace))
        return chunks

    def finish_step(
        self, reason: FinishReason, usage: tuple[int, int]
    ) -> Sequence[AssistantStreamChunk]:
        """The end of the one step around the run, if it has begun."""
        if not self._step_open:
            return ()
        step = StepFinishChunk(reason, *usage)
        step.time_to_first_token = self._clock.time_to_first_token
        step.duration = self._clock.duration
        return (step,)

    def _enter(
        self, chunks: Sequence[AssistantStreamChunk], namespace: tuple[str, ...]
    ) -> Iterator[AssistantStreamChunk]:
        """All but the steps, of which only the first start is told where there is but one."""
        for chunk in chunks:
            match chunk:
                case ToolCallBeginChunk():
                    self._owners.begin(chunk.tool_call_id, namespace)
                    self._past_calls.discard(chunk.tool_call_id)
                case ToolResultChunk():
                    self._owners.answer(chunk.tool_call_id)
                    if self._transcripts:
                        chunk.messages = self._transcripts.take(chunk.tool_call_id)
                case StepStartChunk() if self._one_step:
                    if self._step_open:
                        continue
                    self._step_open = True
                    self._clock.note_token()
                case StepFinishChunk() if self._one_step:
                    continue
                case _:
                    pass
            yield chunk
