"""`display`: watch a run in a notebook or a terminal while it happens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from os import PathLike
from typing import Any

from assistant_stream_ce.typing import ChunkStream

from ._controls import Controls, has_widgets
from ._interrupts import question_of
from ._painter import Painter
from ._sources import Source, open_source
from ._surface import Surface, choose_surface
from .record import RunRecord
from .result import RunResult

__all__ = ("display",)

logger = logging.getLogger(__name__)


async def display(
    source: object,
    request: object = None,
    *,
    initial_state: object = None,
    wire: str | Sequence[str] | None = "data-stream",
    record: str | PathLike[str] | None = None,
    raises: bool = True,
    surface: Surface | None = None,
) -> RunResult:
    """Show a run while it happens, and leave the complete view behind.

    ```python
    result = await display(stream_graph(graph, {"messages": [("user", "Hi")]}))
    ```

    In a notebook the view is HTML without scripts: it is saved with the notebook and shows
    wherever the notebook does. In a terminal it is text, in colour when `rich` is installed.
    It is drawn at most 20 times a second, and less often when drawing takes long.

    A graph that pauses for an answer is shown with buttons and fields, where the front end has
    widgets, and goes on in the same output; `await result.answer(...)` does the same in code.

    Args:
        source: A run (`create_run`, `stream_graph`, `stream_chain`), what a LangChain Runnable or
            a graph streams, a list of chunks, the file of a recorded run, or the URL of a server.
        request: What to ask a server: a question, or the body of the request.
        initial_state: The state that the client has before the run.
        wire: The wires to show the frames of, by name: `"data-stream"`, `"assistant-transport"`,
            `"ui-message-stream"`, `"ag-ui"`, `"openai"`, `"plain-text"`; one, several or `None`.
        record: A file to save the run to, for `replay`.
        raises: Whether an exception of the run is raised, once it has been shown.
        surface: Where to draw, when it is not to be found out.

    Raises:
        TypeError: `source` is nothing that can be shown.
        ValueError: There is no wire of that name.
    """
    opened = open_source(source, request)
    run = RunRecord(initial_state=initial_state, wire=wire)
    session = _Session(opened, run, surface or choose_surface())
    stream = opened.stream
    if record is not None:
        from assistant_stream_ce.recording import record as save  # noqa: PLC0415 - only on demand

        stream = save(stream, record)
    await session.play(stream)
    if run.error is not None and raises:
        raise run.error
    return session.result


class _Session:
    """A run on a surface, from its beginning through its pauses to its end."""

    def __init__(self, source: Source, record: RunRecord, surface: Surface) -> None:
        self._source = source
        self._record = record
        self._surface = surface
        self._controls: Controls | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.result = RunResult(record, self._answer_in_code, self._hint)

    async def play(self, stream: ChunkStream) -> None:
        """Show a stream to its end; an exception is kept, and shown."""
        painter = Painter(self._draw)
        painter.draw()
        try:
            async with aclosing(stream):
                async for chunk in stream:
                    self._record.add(chunk)
                    painter.touch()
        except Exception as error:
            self._record.fail(error)
        except BaseException:  # the kernel was interrupted
            self._record.cancel()
            raise
        finally:
            painter.stop()
            self._record.finish()
            self._draw()
            self._surface.close()
        if self._record.interrupts and self._source.can_resume and has_widgets():
            questions = [question_of(interrupt) for interrupt in self._record.interrupts]
            self._controls = Controls(questions, self._on_answers)

    def _draw(self) -> int:
        return self._surface.draw(self._record.snapshot(), self._hint())

    def _hint(self) -> str:
        """The code that answers what is asked, with an answer that would do."""
        if not self._record.interrupts:
            return ""
        choices = question_of(self._record.interrupts[0]).choices
        return self._source.hint.format(answer=repr(choices[0].value if choices else "your answer"))

    async def _go_on(self, answers: Mapping[str, Any]) -> None:
        stream = self._source.resume(answers, self._record.message)
        if stream is None:
            raise RuntimeError(
                "How this run goes on is only known to your code: resume the graph with "
                "`Command(resume=...)` and display the new stream. `stream_graph` knows it."
            )
        if self._controls is not None:
            self._controls.close()
            self._controls = None
        self._record.reopen()
        await self.play(stream)

    async def _answer_in_code(self, answers: Mapping[str, Any]) -> None:
        """Go on in the output of the cell that answers."""
        self._surface = choose_surface()
        await self._go_on(answers)
        if self._record.error is not None:
            raise self._record.error

    def _on_answers(self, answers: Mapping[str, Any]) -> None:
        """Go on in the same output. A click may come on a thread of the kernel's own."""
        self._loop.call_soon_threadsafe(self._start, answers)

    def _start(self, answers: Mapping[str, Any]) -> None:
        task = self._loop.create_task(self._go_on(answers))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("The run could not go on.", exc_info=task.exception())
