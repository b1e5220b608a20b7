"""What a run has shown so far: its message, its latest changes, its times and its frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from assistant_stream_ce.accumulator import MessageAccumulator
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    ErrorChunk,
    FileChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    SourceChunk,
    StepFinishChunk,
    TextDeltaChunk,
    ToolCallBeginChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce.message import AssistantMessage, Usage
from assistant_stream_ce.serialization import (
    AGUIEncoder,
    AssistantTransportEncoder,
    DataStreamEncoder,
    OpenAIStreamEncoder,
    PlainTextEncoder,
    StreamEncoder,
    UIMessageStreamEncoder,
)

from ._interrupts import Interrupt, waiting_in
from ._json_tree import Path

__all__ = ("WIRES", "RunRecord", "Snapshot", "WireLog", "encoders_for")

WIRES: Mapping[str, Callable[[], StreamEncoder]] = {
    "data-stream": DataStreamEncoder,
    "assistant-transport": AssistantTransportEncoder,
    "ui-message-stream": UIMessageStreamEncoder,
    "ag-ui": AGUIEncoder,
    "openai": OpenAIStreamEncoder,
    "plain-text": PlainTextEncoder,
}
"""The wires by name."""

LOGGED_LINES = 24
"""Lines of a wire kept from its beginning, and as many from its end."""


def encoders_for(wire: str | Sequence[str] | None) -> dict[str, StreamEncoder]:
    """Return an encoder for each wire that is named.

    Raises:
        ValueError: There is no wire of that name.
    """
    names = () if wire is None else (wire,) if isinstance(wire, str) else wire
    unknown = [name for name in names if name not in WIRES]
    if unknown:
        raise ValueError(f"There is no wire named {unknown[0]!r}. There are: {', '.join(WIRES)}.")
    return {name: WIRES[name]() for name in names}


@dataclass
class WireLog:
    """What went over a wire: its size, and its first and last lines."""

    name: str
    encoder: StreamEncoder
    characters: int = 0
    lines: int = 0
    first: list[str] = field(default_factory=list[str])
    last: list[str] = field(default_factory=list[str])

    def add(self, frames: str) -> None:
        """Take what the encoder gave for a chunk."""
        self.characters += len(frames)
        for line in frames.split("\n"):
            if not line:
                continue
            self.lines += 1
            (self.first if self.lines <= LOGGED_LINES else self.last).append(line)
        if len(self.last) > 8 * LOGGED_LINES:
            del self.last[:-LOGGED_LINES]


@dataclass(frozen=True)
class Snapshot:
    """Everything a renderer needs to know at one moment."""

    message: AssistantMessage
    is_live: bool
    elapsed: float
    """Seconds since the run was asked for."""
    first_token: float | None
    """Seconds until something could be read."""
    call_seconds: Mapping[str, float]
    """How long each tool call took, by its id."""
    usage: Usage
    changed: Collection[Path]
    """Where the state changed last."""
    wires: Sequence[WireLog]
    interrupts: Sequence[Interrupt] = ()
    """What the run waits for."""


class RunRecord:
    """Takes a run's chunks one by one and says what there is to show.

    Adding a chunk costs the length of the chunk; a snapshot costs the length of the message.

    Args:
        initial_state: The state that the client has before the run.
        wire: The wires to log, by name.
        clock: Where the time comes from, in seconds.
    """

    def __init__(
        self,
        *,
        initial_state: object = None,
        wire: str | Sequence[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.chunks: list[AssistantStreamChunk] = []
        """The chunks so far."""
        self.times: list[float] = []
        """When each of them came, in seconds since the start."""
        self.is_live = True
        """Whether the run goes on."""
        self.error: Exception | None = None
        """What the run has raised."""
        self._is_cancelled = False
        self._accumulator = MessageAccumulator(initial_state=initial_state)
        self._clock = clock
        self._start = clock()
        self._elapsed = 0.0
        self._first_token: float | None = None
        self._begun: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._usage: Usage = {"inputTokens": 0, "outputTokens": 0}
        self._changed: set[Path] = set()
        self._is_shown = False
        self._wires = [WireLog(name, encoder) for name, encoder in encoders_for(wire).items()]

    def add(self, chunk: AssistantStreamChunk) -> None:
        """Take the next chunk of the run."""
        now = self._clock() - self._start
        self.chunks.append(chunk)
        self.times.append(now)
        self._accumulator.add(chunk)
        self._note(chunk, now)
        for log in self._wires:
            log.add(log.encoder.encode_chunk(chunk))

    @property
    def message(self) -> AssistantMessage:
        """The message so far."""
        message = self._accumulator.message
        if self.is_live:
            message["status"] = {"type": "running"}
        elif self._is_cancelled:
            message["status"] = {"type": "incomplete", "reason": "cancelled"}
        return message

    @property
    def interrupts(self) -> list[Interrupt]:
        """What the run waits for, when it has stopped."""
        return [] if self.is_live else waiting_in(self.message)

    def fail(self, error: Exception) -> None:
        """Say that the run has raised; unless it has told the error itself, that is told here."""
        self.error = error
        if not any(isinstance(chunk, ErrorChunk) for chunk in self.chunks[-5:]):
            self.add(ErrorChunk(str(error) or type(error).__name__))

    def cancel(self) -> None:
        """Say that the run was stopped from outside."""
        self._is_cancelled = True

    def finish(self) -> None:
        """Say that the run has ended."""
        self._accumulator.finish()
        for log in self._wires:
            log.add(log.encoder.encode_end())
        self._elapsed = self._clock() - self._start
        self.is_live = False

    def reopen(self) -> None:
        """Say that the run goes on after a pause, in which no time has passed for it."""
        self._start = self._clock() - self._elapsed
        self.is_live = True

    def snapshot(self) -> Snapshot:
        """Return what there is to show now."""
        self._is_shown = True
        return Snapshot(
            message=self.message,
            is_live=self.is_live,
            elapsed=self._clock() - self._start if self.is_live else self._elapsed,
            first_token=self._first_token,
            call_seconds=self._took,
            usage=self._usage,
            changed=self._changed,
            wires=self._wires,
            interrupts=self.interrupts,
        )

    def _note(self, chunk: AssistantStreamChunk, now: float) -> None:
        match chunk:
            case TextDeltaChunk() | ReasoningDeltaChunk() | SourceChunk() | FileChunk():
                if self._first_token is None:
                    self._first_token = now
            case ToolCallBeginChunk():
                self._begun[chunk.tool_call_id] = now
            case ToolResultChunk():
                begun = self._begun.get(chunk.tool_call_id)
                if begun is not None:
                    self._took.setdefault(chunk.tool_call_id, now - begun)
            case StepFinishChunk():
                self._usage["inputTokens"] += chunk.input_tokens
                self._usage["outputTokens"] += chunk.output_tokens
            case MessageFinishChunk():
                # A run without steps says it here; with steps, this is their sum again.
                self._usage["inputTokens"] = max(self._usage["inputTokens"], chunk.input_tokens)
                self._usage["outputTokens"] = max(self._usage["outputTokens"], chunk.output_tokens)
            case UpdateStateChunk():
                if self._is_shown:  # what was marked has been seen
                    self._changed = set()
                    self._is_shown = False
                self._changed.update(tuple(item["path"]) for item in chunk.operations)
            case _:
                pass
