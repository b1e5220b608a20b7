"""`create_run`: order, errors, cancellation, threads, sub-streams."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import logging
import threading
from collections.abc import AsyncGenerator

import anyio
import pytest

import assistant_stream_ce
from assistant_stream_ce import RunCancelledError, RunController, StateOperationError, create_run
from assistant_stream_ce._channel import take_ready
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    SourceChunk,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce.message import AssistantMessage
from assistant_stream_ce.serialization import AssistantTransportEncoder
from assistant_stream_ce.testing import check_stream, collect, replay_state
from assistant_stream_ce.typing import RunCallback


async def collect_failing(
    callback: RunCallback, error: type[BaseException]
) -> list[AssistantStreamChunk]:
    chunks: list[AssistantStreamChunk] = []
    with pytest.raises(error):
        async for chunk in create_run(callback):
            chunks.append(chunk)
    return chunks


# -- The programs that the documentation opens with ---------------------------------------------


@pytest.mark.parametrize("package", ["assistant_stream", "assistant_stream_ce"])
async def test_first_program_is_one_text_delta(package: str) -> None:
    async def my_run(controller: RunController) -> None:
        controller.append_text("Hello from a stream!")

    stream = importlib.import_module(package).create_run(my_run)
    assert isinstance(stream, AsyncGenerator)
    assert await collect(stream) == [TextDeltaChunk("Hello from a stream!")]


async def test_state_program_gives_operations_that_rebuild_the_state() -> None:
    async def run(controller: RunController) -> None:
        controller.state = {"messages": "", "count": 0}
        controller.state["messages"] += "Hello"
        controller.state["count"] = controller.state["count"] + 1

    chunks = await collect(create_run(run, state={}))
    assert all(isinstance(chunk, UpdateStateChunk) for chunk in chunks)
    assert replay_state(chunks, {}) == {"messages": "Hello", "count": 1}


async def test_tool_call_program_keeps_its_place_between_the_texts() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("Let me look. ")
        tool = await controller.add_tool_call("search", "call_1")
        tool.append_args_text(json.dumps({"q": "fastapi streaming"}))
        tool.set_response({"results": ["..."]})
        controller.append_text("Done.")

    assert await collect(create_run(run)) == [
        TextDeltaChunk("Let me look. "),
        ToolCallBeginChunk("call_1", "search"),
        ToolCallDeltaChunk("call_1", '{"q": "fastapi streaming"}'),
        ToolCallArgsTextFinishChunk("call_1", ""),
        ToolResultChunk("call_1", {"results": ["..."]}),
        TextDeltaChunk("Done."),
    ]


def test_the_function_is_found_by_its_documented_path() -> None:
    module = importlib.import_module("assistant_stream_ce.create_run")
    assert module.create_run is create_run
    assert assistant_stream_ce.create_run.create_run is create_run  # type: ignore[attr-defined]


# -- What a controller emits ----------------------------------------------------------------


async def test_every_method_emits_its_chunk_in_order() -> None:
    async def run(controller: RunController) -> None:
        controller.add_step_start("m1")
        controller.append_reasoning("hmm")
        controller.add_source("s1", "https://example.org", "Example")
        controller.add_file("data:text/plain,x", "text/plain", filename="x.txt")
        controller.add_data_part("chart", {"y": [1]}, id="d1")
        controller.add_error("careful", code="w1", severity="warning")
        controller.add_step_finish("stop", 3, 4)
        controller.add_message_finish("stop", 3, 4)

    assert await collect(create_run(run)) == [
        StepStartChunk("m1"),
        ReasoningDeltaChunk("hmm"),
        SourceChunk("s1", "https://example.org", "url", "Example"),
        FileChunk("data:text/plain,x", "text/plain", filename="x.txt"),
        DataPartChunk("chart", {"y": [1]}, "d1"),
        ErrorChunk("careful", "w1", "warning"),
        StepFinishChunk("stop", 3, 4),
        MessageFinishChunk("stop", 3, 4),
    ]


async def test_with_parent_id_groups_parts_of_the_same_run() -> None:
    async def run(controller: RunController) -> None:
        child = controller.with_parent_id("group")
        child.append_text("inside")
        child.add_chunk(ReasoningDeltaChunk("thought"))
        child.add_chunk(TextDeltaChunk("own", "other"))
        tool = await child.add_tool_call("look", "c")
        tool.close()
        controller.append_text("outside")
        child.add_stream(create_run(say_hello))

    async def say_hello(controller: RunController) -> None:
        controller.append_text("merged")

    assert await collect(create_run(run)) == [
        TextDeltaChunk("inside", "group"),
        ReasoningDeltaChunk("thought", "group"),
        TextDeltaChunk("own", "other"),
        ToolCallBeginChunk("c", "look", "group"),
        ToolCallArgsTextFinishChunk("c", "{}"),
        TextDeltaChunk("outside"),
        TextDeltaChunk("merged", "group"),
    ]


async def test_state_operations_go_out_ahead_of_the_next_chunk() -> None:
    async def run(controller: RunController) -> None:
        controller.state["a"] = 1
        controller.append_text("after a")
        controller.state["b"] = 2

    chunks = await collect(create_run(run, state={}))
    assert [chunk.type for chunk in chunks] == ["update-state", "text-delta", "update-state"]
    assert replay_state(chunks, {}) == {"a": 1, "b": 2}


async def test_values_are_taken_as_they_are_at_the_call() -> None:
    async def run(controller: RunController) -> None:
        result = {"rows": [1]}
        tool = await controller.add_tool_call("query", "c")
        tool.set_response(result)
        result["rows"].append(2)

    assert (await collect(create_run(run)))[-1] == ToolResultChunk("c", {"rows": [1]})


async def test_a_message_finish_said_early_or_twice_goes_out_once_and_last() -> None:
    async def run(controller: RunController) -> None:
        controller.add_message_finish("tool-calls", 1, 2)
        controller.append_text("more")
        controller.add_message_finish("stop", 10, 20)

    assert await collect(create_run(run)) == [
        TextDeltaChunk("more"),
        MessageFinishChunk("stop", 11, 22),
    ]


async def test_set_result_still_works_and_says_that_it_is_deprecated() -> None:
    async def run(controller: RunController) -> None:
        tool = await controller.add_tool_call("t", "c")
        with pytest.warns(DeprecationWarning, match="set_response"):
            tool.set_result("r")

    assert (await collect(create_run(run)))[-1] == ToolResultChunk("c", "r")


# -- Errors -------------------------------------------------------------------------------------


async def test_an_exception_closes_open_calls_then_tells_then_raises() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("so far")
        tool = await controller.add_tool_call("t", "c")
        tool.append_args_text('{"a":')
        raise ValueError("no luck")

    assert await collect_failing(run, ValueError) == [
        TextDeltaChunk("so far"),
        ToolCallBeginChunk("c", "t"),
        ToolCallDeltaChunk("c", '{"a":'),
        ToolCallArgsTextFinishChunk("c", ""),
        ErrorChunk("no luck"),
    ]


async def test_an_exception_without_a_text_is_told_by_its_name() -> None:
    async def run(controller: RunController) -> None:
        raise KeyError

    assert await collect_failing(run, KeyError) == [ErrorChunk("KeyError")]


class Panic(BaseException):
    """What extensions in other languages raise when they break."""


async def test_a_panic_is_told_like_an_exception() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("so far")
        raise Panic("out of order")

    assert await collect_failing(run, Panic) == [
        TextDeltaChunk("so far"),
        ErrorChunk("out of order"),
    ]


async def test_a_panic_leaves_a_complete_wire() -> None:
    async def run(controller: RunController) -> None:
        raise Panic("out of order")

    frames = [frame async for frame in AssistantTransportEncoder().encode_stream(create_run(run))]
    assert '"error":"out of order"' in frames[-2]
    assert frames[-1] == "data: [DONE]\n\n"


async def test_format_error_decides_what_the_client_reads() -> None:
    async def run(controller: RunController) -> None:
        raise ValueError("password=hunter2")

    chunks: list[AssistantStreamChunk] = []
    with pytest.raises(ValueError, match="hunter2"):
        async for chunk in create_run(run, format_error=lambda error: "Something broke."):
            chunks.append(chunk)
    assert chunks == [ErrorChunk("Something broke.")]


async def test_a_callback_cancelled_from_within_ends_its_stream_with_an_error() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("so far")
        raise asyncio.CancelledError

    chunks = await collect_failing(run, RunCancelledError)
    assert [chunk.type for chunk in chunks] == ["text-delta", "error"]


async def test_an_operation_that_the_client_would_refuse_raises_at_its_line() -> None:
    reached = False

    async def run(controller: RunController) -> None:
        nonlocal reached
        with pytest.raises(StateOperationError):
            controller.append_state_text(["missing"], "x")
        reached = True

    assert await collect(create_run(run, state={})) == []
    assert reached


# -- Cancellation -------------------------------------------------------------------------------


async def test_closing_early_cancels_the_callback_and_awaits_it() -> None:
    seen: list[str] = []

    async def run(controller: RunController) -> None:
        controller.append_text("first")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append(f"cancelled, is_cancelled={controller.is_cancelled}")
            await asyncio.sleep(0.01)
            seen.append("cleaned up")
            raise

    stream = create_run(run)
    assert await anext(stream) == TextDeltaChunk("first")
    await stream.aclose()
    assert seen == ["cancelled, is_cancelled=True", "cleaned up"]


async def test_a_cooperative_callback_ends_by_itself_within_the_grace() -> None:
    seen: list[str] = []

    async def run(controller: RunController) -> None:
        controller.append_text("first")
        await controller.cancelled_event.wait()
        seen.append("saw it")

    stream = create_run(run, cancel_grace=5)
    await anext(stream)
    await asyncio.wait_for(stream.aclose(), 2)
    assert seen == ["saw it"]


async def test_a_callback_that_swallows_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = importlib.import_module("assistant_stream_ce.create_run")
    monkeypatch.setattr(module, "CANCEL_AGAIN", 0.02)
    swallowed = 0

    async def run(controller: RunController) -> None:
        nonlocal swallowed
        controller.append_text("first")
        while swallowed < 3:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1

    stream = create_run(run, cancel_grace=0.01)
    await anext(stream)
    await asyncio.wait_for(stream.aclose(), 5)
    assert swallowed == 3


async def test_cancel_ends_the_run_and_its_reader_gets_all_that_was_emitted() -> None:
    controllers: list[RunController] = []

    async def run(controller: RunController) -> None:
        controllers.append(controller)
        call = await controller.add_tool_call("search", "call-1")
        call.append_args_text('{"q": ')
        controller.append_text("half")
        await asyncio.sleep(60)

    stream = create_run(run, cancel_grace=0.01)
    chunks = [await anext(stream)]
    await asyncio.to_thread(controllers[0].cancel)
    controllers[0].cancel()
    chunks.extend(await collect(stream))
    check_stream(chunks)
    assert controllers[0].is_cancelled
    assert TextDeltaChunk("half") in chunks
    assert isinstance(chunks[-1], ToolCallArgsTextFinishChunk)
    controllers[0].cancel()


async def test_a_callback_that_heeds_is_cancelled_may_still_say_something() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("a")
        controller.cancel()
        await controller.cancelled_event.wait()
        controller.append_text("b")

    chunks = await collect(create_run(run, cancel_grace=5))
    assert chunks == [TextDeltaChunk("a"), TextDeltaChunk("b")]


async def test_cancel_waits_for_an_added_stream_that_is_slow_to_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        importlib.import_module("assistant_stream_ce.create_run"), "CANCEL_AGAIN", 0.01
    )
    closed = False

    async def slow() -> AsyncGenerator[AssistantStreamChunk, None]:
        nonlocal closed
        try:
            yield TextDeltaChunk("a")
            await asyncio.sleep(60)
        finally:
            with anyio.CancelScope(shield=True):
                for _ in range(5):
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.sleep(0.02)
            closed = True

    async def run(controller: RunController) -> None:
        controller.add_stream(slow())
        await asyncio.sleep(0.01)
        controller.cancel()
        await asyncio.sleep(60)

    before = asyncio.all_tasks()
    assert await collect(create_run(run, cancel_grace=0.01)) == [TextDeltaChunk("a")]
    assert closed
    assert asyncio.all_tasks() == before


@pytest.mark.timeout(20)
@pytest.mark.parametrize("adds", [False, True])
async def test_a_stream_that_never_waits_does_not_keep_the_loop_when_the_reader_goes(
    adds: bool,
) -> None:
    async def run(controller: RunController) -> None:
        if adds:
            controller.add_stream(never_waiting())
            await asyncio.sleep(60)
        else:
            await controller.forward(never_waiting())

    stream = create_run(run, cancel_grace=0.01)
    await anext(stream)
    await stream.aclose()


@pytest.mark.timeout(20)
async def test_a_stream_added_after_the_end_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    controllers: list[RunController] = []

    async def run(controller: RunController) -> None:
        controllers.append(controller)

    before = asyncio.all_tasks()
    await collect(create_run(run))
    controllers[0].add_stream(never_waiting())
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before
    assert "came after the run had ended" in caplog.text


async def never_waiting() -> AsyncGenerator[AssistantStreamChunk, None]:
    while True:
        yield TextDeltaChunk("x")


async def test_a_cancelled_anyio_scope_around_the_reader_still_awaits_the_callback() -> None:
    seen: list[str] = []

    async def run(controller: RunController) -> None:
        try:
            controller.append_text("first")
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            seen.append("ended")

    stream = create_run(run)
    with anyio.move_on_after(0.05):
        async for _ in stream:
            pass
    assert seen == ["ended"]


async def test_an_error_while_being_cancelled_is_logged_not_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("first")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ValueError("during clean-up") from None

    stream = create_run(run, cancel_grace=0.01)
    await anext(stream)
    with caplog.at_level(logging.WARNING):
        await stream.aclose()
    assert "during clean-up" in caplog.text


async def test_on_cancel_gets_the_message_as_far_as_it_had_come() -> None:
    told: list[AssistantMessage] = []
    order: list[str] = []

    async def run(controller: RunController) -> None:
        controller.append_text("delivered, ")
        await asyncio.sleep(0)
        controller.append_text("and waiting")
        tool = await controller.add_tool_call("search", "c")
        tool.append_args_text('{"q": "cat')
        controller.state["n"] = 2
        try:
            await asyncio.sleep(60)
        finally:
            order.append("callback ended")

    async def save(message: AssistantMessage) -> None:
        await asyncio.sleep(0)
        order.append("on_cancel")
        told.append(message)

    stream = create_run(run, state={"n": 1, "m": 0}, on_cancel=save, cancel_grace=0.01)
    assert await anext(stream) == TextDeltaChunk("delivered, ")
    await asyncio.sleep(0.01)
    await stream.aclose()
    [message] = told
    assert order == ["callback ended", "on_cancel"]
    assert message["status"] == {"type": "incomplete", "reason": "cancelled"}
    text, call = message["parts"]
    assert text["type"] == "text"
    assert text["text"] == "delivered, and waiting"
    assert call["type"] == "tool-call"
    assert call["argsText"] == '{"q": "cat'
    assert message["metadata"]["unstable_state"] == {"n": 2, "m": 0}


async def test_on_cancel_is_called_when_the_controller_cancels_too() -> None:
    told: list[AssistantMessage] = []

    async def run(controller: RunController) -> None:
        controller.append_text("half")
        controller.add_message_finish("stop")
        controller.cancel()
        await asyncio.sleep(60)

    await collect(create_run(run, on_cancel=told.append, cancel_grace=0.01))
    (message,) = told
    assert message["status"] == {"type": "incomplete", "reason": "cancelled"}
    (text,) = message["parts"]
    assert text["type"] == "text"
    assert text["text"] == "half"


async def test_on_cancel_is_not_called_for_a_run_that_ended() -> None:
    told: list[AssistantMessage] = []

    async def run(controller: RunController) -> None:
        controller.append_text("whole")

    await collect(create_run(run, on_cancel=told.append))
    assert told == []


async def test_an_error_of_on_cancel_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("first")
        await asyncio.sleep(60)

    def save(message: AssistantMessage) -> None:
        raise OSError("disk full")

    stream = create_run(run, on_cancel=save, cancel_grace=0.01)
    await anext(stream)
    await stream.aclose()
    assert "disk full" in caplog.text


async def test_an_abandoned_stream_ends_its_callback() -> None:
    ended = asyncio.Event()

    async def run(controller: RunController) -> None:
        try:
            controller.append_text("first")
            await asyncio.sleep(60)
        finally:
            ended.set()

    stream = create_run(run, cancel_grace=0.01)
    await anext(stream)
    del stream
    gc.collect()
    await asyncio.wait_for(ended.wait(), 5)


async def test_no_task_is_left_behind() -> None:
    async def endless() -> AsyncGenerator[AssistantStreamChunk, None]:
        while True:
            yield TextDeltaChunk("x")
            await asyncio.sleep(0)

    async def run(controller: RunController) -> None:
        controller.add_stream(endless())
        await asyncio.sleep(60)

    before = asyncio.all_tasks()
    stream = create_run(run, cancel_grace=0.01)
    await anext(stream)
    await stream.aclose()
    assert asyncio.all_tasks() == before


# -- Threads, sub-streams, bursts ---------------------------------------------------------------


async def test_a_thread_emits_in_its_order_and_nothing_is_lost() -> None:
    async def run(controller: RunController) -> None:
        def work(name: str) -> None:
            child = controller.with_parent_id(name)
            for number in range(2_000):
                child.append_text(f"{number},")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))

    texts = {"a": "", "b": "", "c": ""}
    async for chunk in create_run(run):
        assert isinstance(chunk, TextDeltaChunk)
        assert chunk.parent_id is not None
        texts[chunk.parent_id] += chunk.text_delta
    expected = "".join(f"{number}," for number in range(2_000))
    assert texts == {"a": expected, "b": expected, "c": expected}


async def test_state_written_from_threads_replays_to_the_same_state() -> None:
    final: list[object] = []

    async def run(controller: RunController) -> None:
        controller.state = {"log": [], "text": ""}

        def work(name: str) -> None:
            for number in range(200):
                controller.state["log"].append(f"{name}{number}")
                controller.append_state_text(["text"], name)

        await asyncio.gather(*(asyncio.to_thread(work, name) for name in "ab"))
        final.append(controller._run.store.snapshot())

    replayed = replay_state(await collect(create_run(run)))
    assert [replayed] == final
    assert isinstance(replayed, dict)
    assert len(replayed["text"]) == 400  # type: ignore[arg-type]


async def test_forward_keeps_order_and_applies_state() -> None:
    async def inner(controller: RunController) -> None:
        controller.append_text("inner")
        controller.state["seen"] = True
        controller.add_message_finish("stop", 1, 1)

    async def outer(controller: RunController) -> None:
        controller.append_text("before ")
        await controller.forward(create_run(inner, state={}))
        assert controller.state["seen"] is True
        controller.append_text(" after")

    chunks = await collect(create_run(outer, state={}))
    assert [chunk.type for chunk in chunks] == [
        "text-delta",
        "text-delta",
        "update-state",
        "text-delta",
        "message-finish",
    ]


async def test_add_stream_merges_beside_the_callback_and_is_waited_for() -> None:
    async def slow() -> AsyncGenerator[AssistantStreamChunk, None]:
        for text in "12":
            await asyncio.sleep(0.01)
            yield TextDeltaChunk(text)

    async def run(controller: RunController) -> None:
        controller.add_stream(slow())
        controller.append_text("0")

    assert await collect(create_run(run)) == [TextDeltaChunk(text) for text in "012"]


async def test_an_error_of_an_added_stream_fails_the_run_with_an_error_chunk() -> None:
    async def failing() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield TextDeltaChunk("x")
        raise OSError("line cut")

    async def run(controller: RunController) -> None:
        controller.add_stream(failing())

    assert await collect_failing(run, OSError) == [TextDeltaChunk("x"), ErrorChunk("line cut")]


async def test_forward_closes_the_inner_stream_when_the_reader_goes() -> None:
    closed = asyncio.Event()

    async def inner() -> AsyncGenerator[AssistantStreamChunk, None]:
        try:
            while True:
                yield TextDeltaChunk("x")
                await asyncio.sleep(0)
        finally:
            closed.set()

    async def run(controller: RunController) -> None:
        await controller.forward(inner())

    stream = create_run(run, cancel_grace=0.01)
    await anext(stream)
    await stream.aclose()
    assert closed.is_set()


async def test_forward_goes_at_the_readers_pace() -> None:
    produced = 0

    async def inner() -> AsyncGenerator[AssistantStreamChunk, None]:
        nonlocal produced
        for number in range(10_000):
            produced += 1
            yield DataPartChunk("n", number)

    async def run(controller: RunController) -> None:
        await controller.forward(inner())

    stream = create_run(run)
    await anext(stream)
    await asyncio.sleep(0.05)
    assert produced < 100
    await stream.aclose()


async def test_take_ready_gives_the_rest_of_a_burst() -> None:
    async def run(controller: RunController) -> None:
        for text in "abc":
            controller.append_text(text)

    stream = create_run(run)
    assert await anext(stream) == TextDeltaChunk("a")
    assert take_ready(stream) == [TextDeltaChunk("b"), TextDeltaChunk("c")]
    assert take_ready(stream) == []
    assert await collect(stream) == []


async def test_a_chunk_after_the_end_is_discarded_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept: list[RunController] = []

    async def run(controller: RunController) -> None:
        kept.append(controller)

    await collect(create_run(run))
    with caplog.at_level(logging.WARNING):
        kept[0].append_text("too late")
        kept[0].append_text("too late")
    assert len(caplog.records) == 1
    assert "after the run had ended" in caplog.text


async def test_a_call_left_open_is_closed_at_the_end() -> None:
    async def run(controller: RunController) -> None:
        await controller.add_tool_call("t", "c")

    chunks = await collect(create_run(run))
    check_stream(chunks)
    assert chunks == [ToolCallBeginChunk("c", "t"), ToolCallArgsTextFinishChunk("c", "{}")]


@pytest.mark.parametrize("fails", [False, True])
async def test_what_is_done_before_the_end_still_goes_out(fails: bool) -> None:
    async def run(controller: RunController) -> None:
        controller.before_end(lambda: controller.append_text("held back"))
        if fails:
            raise ValueError("boom")

    chunks = await (collect_failing(run, ValueError) if fails else collect(create_run(run)))
    assert chunks[0] == TextDeltaChunk("held back")


async def test_a_failing_action_before_the_end_is_logged_and_the_run_ends_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise ValueError("boom")

    async def run(controller: RunController) -> None:
        controller.before_end(fail)
        controller.before_end(lambda: controller.append_text("next"))

    with caplog.at_level(logging.ERROR):
        assert await collect(create_run(run)) == [TextDeltaChunk("next")]
    assert "for the end of the run" in caplog.text
