"""The runs of an app: one a thread, each on its own, whoever reads it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Literal, TypeAlias
from uuid import uuid4

from starlette.responses import Response

from assistant_stream_ce import RequestError, RunController, create_run
from assistant_stream_ce.resumable import (
    ResumableStreamContext,
    ResumableStreamStore,
    create_in_memory_resumable_stream_store,
    create_resumable_stream_context,
)
from assistant_stream_ce.serialization.heartbeat import resolve_heartbeat_interval
from assistant_stream_ce.typing import RunCallback

from ._active_run import ActiveRun, Wire
from ._run_response import RunResponse, raise_for_client
from .threads import ThreadGate

__all__ = ("OnDisconnect", "RunRegistry")

logger = logging.getLogger(__name__)

OnDisconnect: TypeAlias = Literal["continue", "cancel"]
"""What becomes of a run when its last reader has gone."""

KEPT = 60.0
"""Seconds that the answer of a run which has ended is kept in memory for those who ask late."""

UNLIMITED = 10 * 365 * 86_400.0
"""Seconds that the app's own store keeps what nobody writes to. The registry deletes the bytes
itself, and not every wire has heartbeats that would keep a silent run alive."""

MAX_ANSWER = 256_000_000
"""Bytes that one run may send, in the app's own store: a graph without an end has one."""

LAST_CALL = 10.0
"""Seconds that runs have to end when the server shuts down, or a client waits for it."""

STILL_ENDING = "The run was told to stop, and has not ended yet."

TOO_LONG = "The run has taken longer than it may, and was stopped."


class RunRegistry:
    """Owns the runs of an app.

    What a run sends goes to a store, encoded, and its readers read from there: a client that
    comes back gets all of it, and one that lags holds nobody back.

    Args:
        gate: Lets one run at a time into each thread.
        store: Where the bytes go; by default the process's memory.
        on_disconnect: What becomes of a run when its last reader has gone. One that goes on gives
            way to the next request on its thread.
        max_runs: The most runs at a time; `None` for no limit.
        max_run_time: Seconds after which a run is stopped; `None` for no limit.
    """

    def __init__(
        self,
        gate: ThreadGate,
        store: ResumableStreamStore | None = None,
        *,
        on_disconnect: OnDisconnect = "continue",
        max_runs: int | None = None,
        max_run_time: float | None = None,
    ) -> None:
        self._gate = gate
        self._is_own_store = store is None
        self._context = create_resumable_stream_context(
            store=store
            or create_in_memory_resumable_stream_store(
                default_ttl=UNLIMITED, max_bytes_per_stream=MAX_ANSWER
            )
        )
        self._on_disconnect = on_disconnect
        self._max_runs = max_runs
        self._max_run_time = max_run_time
        self._places = 0
        """How many of the `max_runs` are taken."""
        self._runs: dict[str, ActiveRun] = {}
        self._known: dict[str, ActiveRun] = {}
        """By their ids the runs that can be read, with those that have ended a moment ago."""
        self._deleting: set[asyncio.Task[None]] = set()

    @property
    def context(self) -> ResumableStreamContext:
        """Produces and reads the streams."""
        return self._context

    def active(self, thread_id: str) -> ActiveRun | None:
        """Return the run of the thread, if one goes on."""
        return self._runs.get(thread_id)

    async def hold(self, thread_id: str) -> Callable[[], None]:
        """Hold the thread until what is returned is called. A run that nobody reads gives way.

        Raises:
            RequestError: Another run holds the thread, and has a reader (409).
        """
        return await self._gate.hold(thread_id)

    async def hold_for_run(self, thread_id: str) -> Callable[[], None]:
        """Hold the thread, as `hold` does, and a place among the `max_runs`.

        Raises:
            RequestError: Another run holds the thread, and has a reader (409); or too many runs
                go on (503).
        """
        release = await self.hold(thread_id)
        if self._max_runs is not None and self._places >= self._max_runs:
            release()
            raise RequestError("Too many runs go on at the moment; try again.", status_code=503)
        self._places += 1
        is_held = True

        def leave() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._places -= 1
                release()

        return leave

    async def start(
        self, thread_id: str, wire: Wire, work: RunCallback, release: Callable[[], None]
    ) -> ActiveRun:
        """Start a run on a thread that is held; `release` is called when it has ended.

        Raises:
            RequestError: The store cannot be used (503).
        """
        run = ActiveRun(uuid4().hex, thread_id, wire)
        loop = asyncio.get_running_loop()
        timer = None
        if self._max_run_time is not None:
            timer = loop.call_later(self._max_run_time, run.cancel, TOO_LONG)

        def end() -> None:
            if not run.ended.is_set():
                run.ended.set()
                if timer is not None:
                    timer.cancel()
                self._runs.pop(thread_id, None)
                release()

        async def execute(controller: RunController) -> None:
            try:
                await run.execute(work, controller)
            finally:
                end()  # Before the last bytes: who has read them may ask again at once.

        def finished() -> None:
            end()
            run.is_written = True
            if not self._forget_read(run):
                loop.call_later(KEPT, self._forget, run.id)

        def give_way() -> None:
            if not run.readers:
                run.cancel()

        self._gate.when_awaited(thread_id, give_way)
        self._runs[thread_id] = self._known[run.id] = run
        run.readers = 1  # The one who has asked, and will come to read.
        try:
            await self._produce(run, execute, finished)
        except BaseException as error:
            end()
            del self._known[run.id]
            raise_for_client(error)
        return run

    async def respond(
        self, run: ActiveRun, headers: Mapping[str, str], *, replay: bool = False
    ) -> Response:
        """Return a response that reads the run from its start; it has to be called.

        Args:
            run: The run. Whoever asks for a response counts as a reader already.
            headers: Further headers.
            replay: Whether the client is told how much of it has been sent before.

        Raises:
            RequestError: The store cannot be used (503).
        """
        try:
            body = await self._context.require_resume(run.id)
            size = (await self._context.info(run.id)).size
        except BaseException as error:
            self._leave(run)
            raise_for_client(error)
        return RunResponse(body, run, headers, self._leave, replayed=size if replay and size else 0)

    def follow(self, thread_id: str, wire_name: str, run_id: str | None = None) -> ActiveRun | None:
        """Count as a reader of a run of the thread, and return it.

        Args:
            thread_id: The thread.
            wire_name: What the client can read.
            run_id: The run that it asks for, which may have ended a moment ago; by default the
                one that goes on.
        """
        run = self._runs.get(thread_id) if run_id is None else self._known.get(run_id)
        if run is None or run.thread_id != thread_id or run.wire.name != wire_name:
            return None
        run.readers += 1
        return run

    async def cancel(self, thread_id: str) -> bool:
        """Stop the run of the thread and wait for its end; whether there was one.

        Raises:
            RequestError: It does not end, though it was told to (503).
        """
        run = self._runs.get(thread_id)
        if run is None:
            return False
        run.cancel()
        try:
            async with asyncio.timeout(LAST_CALL):
                await run.ended.wait()
        except TimeoutError as error:
            raise RequestError(STILL_ENDING, status_code=503) from error
        return True

    async def aclose(self) -> None:
        """Stop all runs and wait until they have ended; for the server's shutdown."""
        runs = list(self._runs.values())
        for run in runs:
            run.cancel()
        try:
            async with asyncio.timeout(LAST_CALL):
                for run in runs:
                    await run.ended.wait()
        except TimeoutError:
            logger.warning("Some runs do not end though they were cancelled; they are left alone.")
        await self._context.aclose()

    async def _produce(self, run: ActiveRun, work: RunCallback, ended: Callable[[], None]) -> None:
        encoder = run.wire.encoder
        heartbeat = encoder.get_keepalive_token()

        async def frames() -> AsyncGenerator[bytes, None]:
            # Without grace: nothing looks at `is_cancelled`, and the next request waits.
            stream = create_run(work, state=run.wire.shown, cancel_grace=0)
            async with aclosing(encoder.encode_bursts(stream)) as bursts:
                async for burst in bursts:
                    yield burst.encode(errors="backslashreplace")

        await self._context.start(
            run.id,
            frames,
            on_cancel=run.cancel,
            heartbeat=heartbeat.encode() if heartbeat else None,
            heartbeat_interval=resolve_heartbeat_interval(True),
            on_end=ended,
        )

    def _forget_read(self, run: ActiveRun) -> bool:
        """Forget a run that was read to its end and has no reader left; whether it was."""
        is_done = run.is_written and run.was_read and not run.readers
        if is_done:
            self._forget(run.id)
        return is_done

    def _forget(self, run_id: str) -> None:
        """The answer of a run that has ended is not needed any more."""
        if self._known.pop(run_id, None) is not None and self._is_own_store:
            task = asyncio.ensure_future(self._context.delete(run_id))
            self._deleting.add(task)
            task.add_done_callback(self._deleting.discard)

    def _leave(self, run: ActiveRun) -> None:
        """A reader has gone."""
        run.readers -= 1
        if run.ended.is_set():
            self._forget_read(run)
            return
        may_go_on = self._on_disconnect == "continue" and run.wire.outlives_client
        is_unwanted = not may_go_on or self._gate.is_awaited(run.thread_id)
        if not run.readers and is_unwanted:
            run.cancel()
