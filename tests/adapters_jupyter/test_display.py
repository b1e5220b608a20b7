"""`display`: what it takes, how often it draws, what it returns, and how a paused run goes on."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessageChunk
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import interrupt
from rich.console import Console

from assistant_stream_ce import (
    RunController,
    TextDeltaChunk,
    create_app,
    create_run,
    display,
    stream_graph,
)
from assistant_stream_ce.recording import replay
from assistant_stream_jupyter._surface import RichSurface, TextSurface
from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_jupyter.views import Sheet
from tests.serving import serve


def call(name: str, args: str) -> AIMessageChunk:
    piece: Any = {"type": "tool_call_chunk", "name": name, "args": args, "id": "c1", "index": 0}
    return AIMessageChunk("", tool_call_chunks=[piece])


@tool
def book(city: str) -> str:
    """Book a trip."""
    answer = interrupt({"question": f"Book {city}?", "options": ["yes", "no"]})
    return f"booked {city}: {answer}"


def travel_agent(**options: Any) -> Any:
    turns = [["One moment. ", call("book", '{"city": "Rome"}')], "Have a nice trip."]
    return create_agent(
        ScriptedChatModel(turns=turns), [book], checkpointer=InMemorySaver(), **options
    )


def trip() -> tuple[dict[str, Any], dict[str, Any]]:
    return {"messages": [("user", "go")]}, {"configurable": {"thread_id": "1"}}


async def hello(controller: RunController) -> None:
    controller.append_text("Hello ")
    await asyncio.sleep(0)
    controller.append_text("world.")
    controller.state = {"done": True}


async def test_the_result_holds_the_run() -> None:
    sheet = Sheet()
    result = await display(create_run(hello), surface=sheet)

    assert result.text == "Hello world."
    assert result.state == {"done": True}
    assert result.error is None
    assert result.interrupts == []
    assert result.message["status"]["type"] == "complete"
    assert [chunk.type for chunk in result.chunks][-1] == "update-state"
    assert sheet.is_closed
    assert not sheet.snapshots[-1].is_live
    again = await display(result.replay(speed=0), surface=Sheet())
    assert again.message == result.message


@pytest.mark.parametrize(
    "make",
    [
        lambda: [TextDeltaChunk("Hello "), TextDeltaChunk("world.")],
        lambda: create_run(hello),
        lambda: ScriptedChatModel(turns=[["Hello ", "world."]]).astream("hi"),
        lambda: (ScriptedChatModel(turns=[["Hello ", "world."]]) | (lambda m: m.text)).astream("x"),
        lambda: create_agent(ScriptedChatModel(turns=["Hello world."]), []).astream(
            {"messages": [("user", "hi")]}, stream_mode=["messages", "values"]
        ),
        lambda: create_agent(ScriptedChatModel(turns=["Hello world."]), []).stream(
            {"messages": [("user", "hi")]}, stream_mode="messages"
        ),
    ],
    ids=["chunks", "run", "model", "chain", "graph", "sync graph"],
)
async def test_streams_of_every_kind(make: Callable[[], object]) -> None:
    assert (await display(make(), surface=Sheet())).text == "Hello world."


async def test_a_recorded_run(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    result = await display(create_run(hello), surface=Sheet(), record=file)

    assert [chunk async for chunk in replay(file, speed=0)] == result.chunks
    assert (await display(file, surface=Sheet())).text == "Hello world."
    assert (await display(str(file), surface=Sheet())).state == {"done": True}


async def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(TypeError, match="not 'int'"):
        await display(3)
    with pytest.raises(ValueError, match="no wire named 'sse'"):
        await display([], wire="sse", surface=Sheet())
    with pytest.raises(TypeError, match="Say what to ask"):
        await display("http://127.0.0.1:1/assistant", surface=Sheet())


async def test_an_exception_is_shown_and_raised() -> None:
    async def fail(controller: RunController) -> None:
        controller.append_text("So far ")
        raise RuntimeError("the model is overloaded")

    sheet = Sheet()
    with pytest.raises(RuntimeError, match="overloaded"):
        await display(create_run(fail), surface=sheet)
    assert sheet.snapshots[-1].message["status"]["error"]["message"] == "the model is overloaded"

    result = await display(create_run(fail), surface=sheet, raises=False)
    assert isinstance(result.error, RuntimeError)
    assert result.text == "So far "


async def test_a_stream_that_raises_without_a_word_is_shown_as_failed() -> None:
    async def broken() -> Any:
        yield TextDeltaChunk("So ")
        raise ConnectionError("gone")

    result = await display(broken(), surface=Sheet(), raises=False)
    assert result.message["status"].get("error", {}).get("message") == "gone"


async def test_a_kernel_that_is_interrupted_leaves_a_complete_view() -> None:
    closed = asyncio.Event()

    async def endless() -> Any:
        try:
            yield TextDeltaChunk("Still ")
            await asyncio.sleep(60)
        finally:
            closed.set()

    sheet = Sheet()
    task = asyncio.create_task(display(endless(), surface=sheet))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert closed.is_set()
    assert sheet.snapshots[-1].message["status"] == {"type": "incomplete", "reason": "cancelled"}


async def test_at_most_twenty_drawings_a_second() -> None:
    async def words() -> Any:
        for _ in range(300):
            yield TextDeltaChunk("word ")
            await asyncio.sleep(0.002)

    sheet = Sheet()
    begin = time.monotonic()
    await display(words(), surface=sheet)
    seconds = time.monotonic() - begin

    assert 5 < len(sheet.snapshots) <= 20 * seconds + 3


async def test_the_last_words_before_a_silence_are_drawn() -> None:
    async def words() -> Any:
        yield TextDeltaChunk("one ")
        yield TextDeltaChunk("two ")
        await asyncio.sleep(0.3)
        drawn = sheet.snapshots[-1].message["parts"]
        assert drawn[0].get("text") == "one two "

    sheet = Sheet()
    await display(words(), surface=sheet)


async def test_a_slow_surface_is_drawn_on_less_often() -> None:
    class Slow(Sheet):
        def draw(self, snapshot: Any, hint: str) -> int:
            time.sleep(0.03)
            return super().draw(snapshot, hint)

    async def words() -> Any:
        for _ in range(200):
            yield TextDeltaChunk("word ")
            await asyncio.sleep(0.002)

    sheet = Slow()
    begin = time.monotonic()
    await display(words(), surface=sheet)

    assert 0.03 * len(sheet.snapshots) < 0.4 * (time.monotonic() - begin)


async def test_a_pause_waits_and_goes_on_with_an_answer() -> None:
    sheet = Sheet()
    result = await display(stream_graph(travel_agent(), *trip()), surface=sheet)
    assert [waiting["value"]["question"] for waiting in result.interrupts] == ["Book Rome?"]
    assert sheet.hints[-1] == "await result.answer('yes')"

    await result.answer("yes")

    assert result.interrupts == []
    assert result.text == "One moment. Have a nice trip."
    [shown] = [part for part in result.message["parts"] if part["type"] == "tool-call"]
    assert shown.get("result") == "booked Rome: yes"
    with pytest.raises(RuntimeError, match="does not wait"):
        await result.answer("yes")


async def test_a_review_is_answered_with_decisions() -> None:
    @tool
    def send(text: str) -> str:
        """Send a text."""
        return f"sent {text}"

    agent = create_agent(
        ScriptedChatModel(turns=[[call("send", '{"text": "hi"}')], "Done."]),
        [send],
        checkpointer=InMemorySaver(),
        middleware=[HumanInTheLoopMiddleware(interrupt_on={"send": True})],
    )
    sheet = Sheet()
    result = await display(stream_graph(agent, *trip()), surface=sheet)
    assert sheet.hints[-1] == "await result.answer({'decisions': [{'type': 'approve'}]})"

    await result.answer({"decisions": [{"type": "approve"}]})
    [shown] = [part for part in result.message["parts"] if part["type"] == "tool-call"]
    assert shown.get("result") == "sent hi"


async def test_how_a_foreign_stream_goes_on_is_not_guessed() -> None:
    state = {"interrupts": [{"id": "1", "value": "Sure?"}]}

    async def ask(controller: RunController) -> None:
        controller.state = state

    result = await display(create_run(ask), surface=Sheet())
    with pytest.raises(RuntimeError, match="only known to your code"):
        await result.answer("yes")
    assert len(result.interrupts) == 1


async def test_a_server_is_shown_and_answered() -> None:
    async with serve(create_app(travel_agent())) as url:
        result = await display(f"{url}/assistant", "go", surface=Sheet())
        assert [waiting["value"]["question"] for waiting in result.interrupts] == ["Book Rome?"]
        assert "One moment." in result.html
        await result.answer("no")

    assert result.interrupts == []
    assert "booked Rome: no" in result.html
    assert "Have a nice trip." in result.html


async def test_in_a_file_the_whole_run_is_written_once() -> None:
    file = io.StringIO()
    await display(create_run(hello), surface=TextSurface(file))

    assert file.getvalue().count("Hello world.") == 1
    assert 'State: {"done": true}' in file.getvalue()


async def test_in_a_terminal_the_run_is_drawn_live_and_printed_in_the_end() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, height=10)

    async def long(controller: RunController) -> None:
        for number in range(40):
            controller.append_text(f"paragraph {number}\n\n")
            await asyncio.sleep(0.01)

    await display(create_run(long), surface=RichSurface(console))

    end = file.getvalue()[file.getvalue().rindex("paragraph 0") :]
    assert all(f"paragraph {number}" in end for number in range(40))
    assert file.getvalue().count("paragraph 0") > 1


async def test_a_terminal_is_not_told_what_a_model_would_like_it_to_do() -> None:
    attack = "\x1b]0;owned\x07\x1b[2J\x9b31mred\u202e"

    async def run(controller: RunController) -> None:
        controller.append_reasoning(attack)
        controller.append_text(attack)
        controller.add_source("1", "https://example.com", attack)
        made = await controller.add_tool_call(attack)
        made.set_response(attack)

    for_file, for_screen = io.StringIO(), io.StringIO()
    await display(create_run(run), surface=TextSurface(for_file))
    console = Console(file=for_screen, force_terminal=False, width=80)
    await display(create_run(run), surface=RichSurface(console))

    for text in (for_file.getvalue(), for_screen.getvalue()):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
