"""`RunResult`: what `display` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_ce.message import AssistantMessage, Usage
from assistant_stream_ce.typing import ChunkStream

from ._interrupts import Interrupt
from ._shapes import is_dict
from ._surface import execution_count, show_bundle
from .record import RunRecord
from .render import render_html
from .text import render_text

__all__ = ("RunResult",)


class RunResult:
    """A run that was displayed: its message, state, usage and chunks.

    When the run has paused for an answer, `interrupts` holds the questions, and `answer` goes on.
    Everything here tells about the whole run, before and after the pause.
    """

    def __init__(
        self,
        record: RunRecord,
        go_on: Callable[[Mapping[str, Any]], Awaitable[None]],
        hint: Callable[[], str],
    ) -> None:
        self._record = record
        self._go_on = go_on
        self._hint = hint
        self._shown_by_cell = execution_count()

    @property
    def message(self) -> AssistantMessage:
        """The message, as an assistant-ui client has it."""
        return self._record.message

    @property
    def text(self) -> str:
        """The text of the answer."""
        return "".join(part["text"] for part in self.message["parts"] if part["type"] == "text")

    @property
    def state(self) -> Any:
        """The state, as the client has it."""
        return self.message["metadata"]["unstable_state"]

    @property
    def usage(self) -> Usage:
        """Token counts of the whole run."""
        return self._record.snapshot().usage

    @property
    def seconds(self) -> float:
        """How long the run took, without its pauses."""
        return self._record.snapshot().elapsed

    @property
    def error(self) -> Exception | None:
        """What the run has raised."""
        return self._record.error

    @property
    def chunks(self) -> list[AssistantStreamChunk]:
        """The recorded run: its chunks, in order."""
        return list(self._record.chunks)

    @property
    def interrupts(self) -> list[Interrupt]:
        """What the run waits for: `{"id", "value"}` each. Empty when it has ended."""
        return self._record.interrupts

    @property
    def html(self) -> str:
        """The view, complete in itself."""
        return render_html(self._record.snapshot(), hint=self._hint())

    def replay(self, *, speed: float = 1.0) -> ChunkStream:
        """Return the recorded run as a stream, at the times at which its chunks came.

        ```python
        await display(result.replay(speed=2))
        ```

        Args:
            speed: How many times as fast; 0 is without any waiting.
        """
        return _replay(self._record.times, self._record.chunks, speed)

    async def answer(self, value: Any) -> None:
        """Answer the interrupts, and show how the run goes on.

        Args:
            value: The answer to all of them; or a dict that has an answer for each id.

        Raises:
            RuntimeError: Nothing waits for an answer, or only your own code can go on.
        """
        ids = [interrupt["id"] for interrupt in self.interrupts]
        if not ids:
            raise RuntimeError("The run does not wait for an answer.")
        await self._go_on(_by_id(ids, value))

    def __repr__(self) -> str:
        status = "waiting" if self.interrupts else self.message["status"]["type"]
        return f"<RunResult: {status}, {len(self._record.chunks)} chunks, {self.text[:60]!r}>"

    def _ipython_display_(self) -> None:
        """Show the run again, except as the value of the cell that has just shown it."""
        if execution_count() != self._shown_by_cell:
            text = render_text(self._record.snapshot(), hint=self._hint())
            show_bundle({"text/html": self.html, "text/plain": text})


def _by_id(ids: Sequence[str], value: Any) -> dict[str, Any]:
    if is_dict(value) and value and value.keys() <= set(ids):
        return value
    return dict.fromkeys(ids, value)


async def _replay(
    times: Sequence[float], chunks: Sequence[AssistantStreamChunk], speed: float
) -> ChunkStream:
    loop = asyncio.get_running_loop()
    start = loop.time()
    for seconds, chunk in list(zip(times, chunks, strict=True)):
        wait = start + seconds / speed - loop.time() if speed else 0.0
        if wait > 0:
            await asyncio.sleep(wait)
        yield chunk
