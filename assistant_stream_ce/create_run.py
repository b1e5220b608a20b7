"""`create_run`: run a callback and stream what it emits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import anyio

from ._channel import register_channel
from ._run_state import RunState
from .accumulator import MessageAccumulator
from .chunks import AssistantStreamChunk, ErrorChunk
from .controller import RunController
from .errors import ENDS_THE_PROGRAM, RunCancelledError
from .typing import CancelCallback, ChunkStream, RunCallback

__all__ = ("RunController", "create_run")

logger = logging.getLogger(__name__)

CANCEL_GRACE = 0.05
"""Seconds a callback has to see `is_cancelled` and return before it is cancelled."""

CANCEL_AGAIN = 1.0
"""Seconds after which a callback that has swallowed its cancellation is cancelled again."""


def create_run(
    callback: RunCallback,
    *,
    state: object = None,
    format_error: Callable[[BaseException], str] | None = None,
    on_cancel: CancelCallback | None = None,
    cancel_grace: float = CANCEL_GRACE,
) -> ChunkStream:
    """Run `callback` and return an async generator of the chunks that it emits.

    The callback starts with the first `anext()` and runs in a task of its own, which the generator
    owns: it has ended when the generator has ended, or has been closed.

    When the callback raises, open tool calls are closed, an `ErrorChunk` follows, and the
    generator raises the same exception to its consumer. Closing the generator early sets
    `controller.is_cancelled`, waits `cancel_grace` seconds, then cancels the callback and awaits
    it; `on_cancel` comes last.

    Args:
        callback: A coroutine function; it gets a `RunController`.
        state: The initial state. It is not sent: the client is taken to have it already.
        format_error: The text of the `ErrorChunk` for an exception; `str` by default.
        on_cancel: Called when the run was cancelled, by its reader or by `controller.cancel()`,
            once the callback has ended, with the message as far as it had come: what the callback
            had emitted, delivered or not. Its status is `incomplete`, `cancelled`. The place to
            save what the user has read already.
        cancel_grace: Seconds, see above.

    Raises:
        NotJSONError: `state` has no JSON form.
        RunCancelledError: From the generator, when the callback was cancelled from within.
    """
    run = RunState(state)
    partial = None if on_cancel is None else _Partial(run, on_cancel)
    stream = _stream(callback, run, format_error or _error_text, cancel_grace, partial)
    register_channel(stream, run.channel)
    return stream


# `import assistant_stream_ce.create_run as module` binds the package's attribute of that name,
# which is this function; with the function as its own attribute the documented path
# `assistant_stream_ce.create_run.create_run` holds either way.
setattr(create_run, "create_run", create_run)  # noqa: B010


async def _stream(
    callback: RunCallback,
    run: RunState,
    format_error: Callable[[BaseException], str],
    cancel_grace: float,
    partial: _Partial | None,
) -> ChunkStream:
    channel = run.channel
    channel.bind()
    task = asyncio.create_task(_execute(callback, run, format_error))
    loop = asyncio.get_running_loop()
    run.on_stop = lambda: loop.call_soon_threadsafe(_begin_stop, task, run, cancel_grace)
    ended = False
    try:
        while True:
            chunk: AssistantStreamChunk | None = channel.pop()
            if chunk is not None:
                yield chunk
            elif channel.closed:
                break
            else:
                await channel.wait()
        ended = True
    finally:
        run.on_stop = None
        if not ended:
            if partial is not None:
                partial.take()
            await _stop(task, run, cancel_grace)
            if partial is not None:
                await partial.tell()
    error = await task
    if run.stopping is not None:
        await run.stopping  # it has seen the task's end, or is about to
        if partial is not None:
            partial.take()
            await partial.tell()
    if error is not None:
        raise error


async def _execute(
    callback: RunCallback, run: RunState, format_error: Callable[[BaseException], str]
) -> BaseException | None:
    """Run the callback to its end and close the channel, whatever happens.

    Returns the error instead of raising it, so that nothing is left unretrieved when the
    consumer has gone.
    """
    error: BaseException | None = None
    chunk: ErrorChunk | None = None
    try:
        await callback(RunController(run))
        await run.join_streams()
    except asyncio.CancelledError:
        if not run.cancelled.is_set():
            error = RunCancelledError("The callback of the run was cancelled from within.")
    except ENDS_THE_PROGRAM:
        raise
    except BaseException as exception:  # some extensions raise their panics as this
        error = exception
    finally:
        try:
            await run.cancel_streams()
        finally:
            if error is not None:
                chunk = ErrorChunk(_safely(format_error, error))
            run.finish(chunk)
    return error


def _begin_stop(
    task: asyncio.Task[BaseException | None], run: RunState, cancel_grace: float
) -> None:
    """End the callback's task while its reader stays."""
    if not task.done() and run.stopping is None:
        run.cancelled.set()
        run.stopping = asyncio.create_task(_end(task, cancel_grace))


async def _end(task: asyncio.Task[BaseException | None], cancel_grace: float) -> None:
    await asyncio.wait({task}, timeout=cancel_grace)
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN)


async def _stop(
    task: asyncio.Task[BaseException | None], run: RunState, cancel_grace: float
) -> None:
    """End the callback's task after its reader has gone, gently first."""
    run.cancel()
    # The shield keeps an enclosing anyio scope that is cancelled (a client that has gone) from
    # interrupting the wait; a plain asyncio cancellation still gets through.
    with anyio.CancelScope(shield=True):
        try:
            await _end(task, cancel_grace)
        except asyncio.CancelledError:
            task.cancel()
            raise
    error = None if task.cancelled() else task.exception() or task.result()
    if error is not None:
        logger.warning("The callback of a cancelled run raised.", exc_info=error)


class _Partial:
    """The message of a run as far as it has come, for `on_cancel`."""

    def __init__(self, run: RunState, on_cancel: CancelCallback) -> None:
        self._channel = run.channel
        self._on_cancel = on_cancel
        self._accumulator = MessageAccumulator(initial_state=run.store.snapshot())
        self._channel.on_taken = self._accumulator.add

    def take(self) -> None:
        """Add what is waiting in the channel; nobody else will read that."""
        self._channel.take()
        self._accumulator.finish()

    async def tell(self) -> None:
        """Call `on_cancel`; its error is logged."""
        message = self._accumulator.message
        if message["status"]["type"] != "incomplete":
            message["status"] = {"type": "incomplete", "reason": "cancelled"}
        with anyio.CancelScope(shield=True):
            try:
                told = self._on_cancel(message)
                if told is not None:
                    await told
            except Exception:
                logger.exception("`on_cancel` raised.")


def _error_text(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _safely(format_error: Callable[[BaseException], str], error: BaseException) -> str:
    try:
        return format_error(error)
    except Exception:
        logger.exception("`format_error` raised.")
        return type(error).__name__
