"""What the controllers of one run share: the channel, the tool-call rules, the state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from dataclasses import replace

from ._channel import Channel, ready_source
from ._lifecycle import ToolCallLedger
from .chunks import (
    AssistantStreamChunk,
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    StateOperation,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from .state import StateStore

__all__ = ("Cancellation", "RunState")

logger = logging.getLogger(__name__)

# Chunks the ledger has a rule for, and those that the run itself takes apart.
_WITH_RULES = frozenset(
    {
        ToolCallBeginChunk,
        ToolCallDeltaChunk,
        ToolCallArgsTextFinishChunk,
        ToolResultChunk,
        StepStartChunk,
        StepFinishChunk,
        ErrorChunk,
        MessageFinishChunk,
        UpdateStateChunk,
    }
)


_WITH_PARENT = (
    TextDeltaChunk,
    ReasoningPartStartChunk,
    ReasoningDeltaChunk,
    ToolCallBeginChunk,
    DataPartChunk,
    SourceChunk,
    FileChunk,
)


class Cancellation:
    """A read-only view of whether the run has been cancelled; see `CancellationSignal`."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    def is_set(self) -> bool:
        """Whether the run has been cancelled."""
        return self._event.is_set()

    async def wait(self) -> bool:
        """Return `True` once the run has been cancelled."""
        return await self._event.wait()


class RunState:
    """The one object that every controller of a run holds."""

    def __init__(self, initial_state: object) -> None:
        self.channel = Channel()
        self.cancelled = asyncio.Event()
        self.cancellation = Cancellation(self.cancelled)
        self.store = StateStore(initial_state, self._put_operations, self.channel.lock)
        self._ledger = ToolCallLedger()
        self._message_finish: MessageFinishChunk | None = None
        self._streams: set[asyncio.Task[None]] = set()
        self._stream_error: Exception | None = None
        self._warned_late = False
        self._has_ended = False
        self.on_stop: Callable[[], object] | None = None
        """Asks the callback to end, gently first; there while it runs."""
        self.stopping: asyncio.Task[None] | None = None
        self.before_end: list[Callable[[], object]] = []
        """What is to be done when the callback has ended, while chunks still go out."""

    def put(self, chunk: AssistantStreamChunk) -> None:
        """Put `chunk` into the channel, by the rules. Safe from any thread."""
        if type(chunk) in _WITH_RULES:
            with self.channel.lock:
                self._put_by_rules(chunk)
        elif not self.channel.put(chunk):
            self.report_late(chunk.type)

    def report_late(self, chunk_type: str) -> None:
        """Say once that a chunk came too late, unless nobody reads on purpose."""
        if not self._warned_late and not self.cancelled.is_set():
            self._warned_late = True
            logger.warning(
                "A %s chunk came after the run had ended and was discarded. Await the work that "
                "emits it before the callback returns.",
                chunk_type,
            )

    def add_stream(
        self, stream: AsyncIterable[AssistantStreamChunk], parent_id: str | None
    ) -> None:
        """Read `stream` in a task of its own, beside what else the run does."""
        task = asyncio.ensure_future(self._read_stream(stream, parent_id))
        self._streams.add(task)

    async def forward(
        self, stream: AsyncIterable[AssistantStreamChunk], parent_id: str | None
    ) -> None:
        """Pass every chunk of `stream` on, at the reader's pace; closes the stream at the end."""
        take_ready = ready_source(stream)
        try:
            async for chunk in stream:
                self.put(with_parent(chunk, parent_id))
                for ready in take_ready():
                    self.put(with_parent(ready, parent_id))
                if self.channel.lags:
                    await self.channel.drain()
                elif self.channel.closed:
                    if self._has_ended:
                        break
                    # Nobody reads, so nothing holds the stream back: one that never waits would
                    # keep the loop to itself, and with it the cancellation that is to come.
                    await asyncio.sleep(0)
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    async def join_streams(self) -> None:
        """Wait for every added stream; raises the first error that one of them raised."""
        while self._streams:
            await asyncio.wait(self._streams)
            self._streams = {task for task in self._streams if not task.done()}
        if self._stream_error is not None:
            raise self._stream_error

    async def cancel_streams(self) -> None:
        """Cancel the added streams that still run, and wait for them; being cancelled meanwhile
        cancels them again."""
        while streams := {task for task in self._streams if not task.done()}:
            for task in streams:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait(streams)

    def cancel(self) -> None:
        """Mark the run as cancelled: nobody reads it any more."""
        self.cancelled.set()
        self.channel.abandon()

    def finish(self, error: ErrorChunk | None) -> None:
        """Close what is open, say the error or the finish, and end the channel."""
        for action in self.before_end:
            try:
                action()
            except Exception:
                logger.exception("An action for the end of the run failed.")
        with self.channel.lock:
            self._has_ended = True
            for chunk in self._ledger.close_open():
                self.channel.put(chunk)
            last = error if error is not None else self._message_finish
            if last is not None:
                self.channel.put(last)
            self.channel.close()

    async def _read_stream(
        self, stream: AsyncIterable[AssistantStreamChunk], parent_id: str | None
    ) -> None:
        try:
            await self.forward(stream, parent_id)
        except Exception as error:
            if self._stream_error is None:
                self._stream_error = error
            else:
                logger.exception("Another stream of the same run failed as well.")

    def _put_by_rules(self, chunk: AssistantStreamChunk) -> None:
        if self.channel.closed:
            self.report_late(chunk.type)
        elif isinstance(chunk, UpdateStateChunk):
            self.store.apply(chunk.operations)
        elif isinstance(chunk, MessageFinishChunk):
            self._hold_finish(chunk)
        else:
            for admitted in self._ledger.admit(chunk):
                self.channel.put(admitted)

    def _hold_finish(self, chunk: MessageFinishChunk) -> None:
        # A run is one message, so it ends once and last: several finishes (two graphs forwarded
        # one after the other) become one, with the last reason and the sum of the tokens.
        held = self._message_finish
        self._message_finish = MessageFinishChunk(
            chunk.finish_reason,
            chunk.input_tokens + (held.input_tokens if held else 0),
            chunk.output_tokens + (held.output_tokens if held else 0),
        )

    def _put_operations(self, operations: list[StateOperation]) -> None:
        if not self.channel.put_operations(operations):
            self.report_late("update-state")


def with_parent(chunk: AssistantStreamChunk, parent_id: str | None) -> AssistantStreamChunk:
    """`chunk` under `parent_id`, where it can have a parent and has none yet."""
    if parent_id is None or not isinstance(chunk, _WITH_PARENT) or chunk.parent_id is not None:
        return chunk
    return replace(chunk, parent_id=parent_id)
