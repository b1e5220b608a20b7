"""Whatever a callback does, its stream is well formed and nothing is left running."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant_stream_ce import RunController, create_run
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)
from assistant_stream_ce.errors import AssistantStreamError
from assistant_stream_ce.testing import check_stream

CALLS = st.sampled_from(["c1", "c2", "c3"])
KEYS = st.sampled_from(["a", "b"])

Action = tuple[str, ...]

ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.tuples(st.just("text"), st.sampled_from(["x", "", "yz"])),
    st.tuples(st.just("reasoning"), st.just("r")),
    st.tuples(st.just("begin"), CALLS),
    st.tuples(st.just("delta"), CALLS, st.sampled_from(["", '{"k":', "1}"])),
    st.tuples(st.just("finish_args"), CALLS),
    st.tuples(st.just("result"), CALLS),
    st.tuples(st.just("state_set"), KEYS),
    st.tuples(st.just("state_text"), KEYS),
    st.tuples(st.just("state_reset")),
    st.tuples(st.just("step_start")),
    st.tuples(st.just("step_finish")),
    st.tuples(st.just("message_finish")),
    st.tuples(st.just("error"), st.sampled_from(["critical", "warning"])),
    st.tuples(st.just("sleep")),
    st.tuples(st.just("drain")),
    st.tuples(st.just("sub_stream")),
    st.tuples(st.just("forward")),
)


@dataclass
class Program:
    """What the callback does: its own actions, those of tasks and threads beside it, its end."""

    main: list[Action]
    tasks: list[list[Action]] = field(default_factory=list)
    threads: list[list[Action]] = field(default_factory=list)
    end: Literal["return", "raise", "cancel", "hang"] = "return"
    read: int | None = None
    """Chunks that the reader takes before it goes away; `None` reads to the end."""


PROGRAMS = st.builds(
    Program,
    main=st.lists(ACTIONS, max_size=12),
    tasks=st.lists(st.lists(ACTIONS, max_size=6), max_size=2),
    threads=st.lists(st.lists(ACTIONS, max_size=6), max_size=2),
    end=st.sampled_from(["return", "raise", "cancel", "hang"]),
    read=st.one_of(st.none(), st.integers(0, 8)),
)


class CallbackFailed(Exception):
    pass


async def _inner_stream() -> AsyncGenerator[AssistantStreamChunk, None]:
    yield TextDeltaChunk("inner")
    await asyncio.sleep(0)
    yield ToolCallBeginChunk("c2", "inner")
    yield ToolCallDeltaChunk("c2", "{}")


def act(controller: RunController, action: Action) -> None:
    """Do the part of `action` that is safe from any thread."""
    match action:
        case ("text", text):
            controller.append_text(text)
        case ("reasoning", text):
            controller.append_reasoning(text)
        case ("begin", call):
            controller.begin_tool_call("t", call)
        case ("delta", call, text):
            controller.add_chunk(ToolCallDeltaChunk(call, text))
        case ("finish_args", call):
            controller.add_chunk(ToolCallArgsTextFinishChunk(call))
        case ("result", call):
            controller.add_chunk(ToolResultChunk(call, "r"))
        case ("state_set", key):
            controller.state[key] = [{"n": 1}]
        case ("state_text", key):
            try:
                controller.append_state_text([key], "t")
            except AssistantStreamError:
                controller.state[key] = "text"
        case ("state_reset",):
            controller.state = {"a": "x"}
        case ("step_start",):
            controller.add_step_start("m")
        case ("step_finish",):
            controller.add_step_finish("stop", 1, 1)
        case ("message_finish",):
            controller.add_message_finish("stop", 1, 1)
        case ("error", severity):
            controller.add_error("e", severity=severity)  # type: ignore[arg-type]
        case _:
            pass


def act_all(controller: RunController, actions: list[Action]) -> None:
    for action in actions:
        act(controller, action)


async def act_async(controller: RunController, action: Action) -> None:
    match action:
        case ("sleep",):
            await asyncio.sleep(0)
        case ("drain",):
            await controller.drain()
        case ("sub_stream",):
            controller.add_stream(_inner_stream())
        case ("forward",):
            await controller.forward(_inner_stream())
        case _:
            act(controller, action)


class Callback:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.running = False

    async def __call__(self, controller: RunController) -> None:
        self.running = True
        try:
            await self._run(controller)
        finally:
            self.running = False

    async def _run(self, controller: RunController) -> None:
        program = self.program
        threads = [
            threading.Thread(target=act_all, args=(controller, actions))
            for actions in program.threads
        ]
        for thread in threads:
            thread.start()
        async with asyncio.TaskGroup() as group:
            for actions in program.tasks:
                group.create_task(self._perform(controller, actions))
            await self._perform(controller, program.main)
        for thread in threads:
            thread.join()
        if program.end == "raise":
            raise CallbackFailed("on purpose")
        if program.end == "cancel":
            raise asyncio.CancelledError
        if program.end == "hang":
            await asyncio.sleep(60)

    async def _perform(self, controller: RunController, actions: list[Action]) -> None:
        for action in actions:
            await act_async(controller, action)


async def run_program(program: Program) -> tuple[list[AssistantStreamChunk], Callback, bool]:
    """Read the program's stream as it says; returns the chunks and whether it ended by itself."""
    callback = Callback(program)
    stream = create_run(callback, state={}, cancel_grace=0.001)
    chunks: list[AssistantStreamChunk] = []
    ended = False
    limit = program.read if program.end != "hang" else program.read or 0
    try:
        async with asyncio.timeout(5):
            while limit is None or len(chunks) < limit:
                try:
                    async with asyncio.timeout(0.02 if program.end == "hang" else None):
                        chunks.append(await anext(stream))
                except (StopAsyncIteration, CallbackFailed, AssistantStreamError):
                    ended = True
                    break
                except TimeoutError:
                    break
    finally:
        await stream.aclose()
    assert len(asyncio.all_tasks()) == 1, asyncio.all_tasks()
    return chunks, callback, ended


@pytest.mark.timeout(300)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(PROGRAMS)
def test_any_program_gives_a_well_formed_stream_and_leaves_nothing_running(
    program: Program,
) -> None:
    problems: list[str] = []

    async def main() -> tuple[list[AssistantStreamChunk], Callback, bool]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: problems.append(str(context)))
        result = await run_program(program)
        gc.collect(1)  # a task that nobody asked for its exception complains here
        return result

    logging.disable(logging.WARNING)
    try:
        chunks, callback, ended = asyncio.run(main())
    finally:
        logging.disable(logging.NOTSET)
    assert problems == []
    assert not callback.running
    if ended:
        check_stream(chunks, initial_state={})
        if program.end in ("raise", "cancel"):
            assert chunks[-1].type == "error"
