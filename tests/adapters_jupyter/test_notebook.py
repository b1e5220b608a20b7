"""In a real kernel: the magic, the outputs that are saved, and buttons that answer."""

from __future__ import annotations

from pathlib import Path

import nbformat

from tests.notebooks.notebook import Notebook

AGENT = """
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import interrupt

from assistant_stream_ce import create_run, display, stream_graph
from assistant_stream_langchain.testing import ScriptedChatModel


def book(city: str) -> str:
    "Book a trip."
    return "answered " + interrupt({"question": f"Book {city}?", "options": ["yes", "no"]})


piece: Any = {"type": "tool_call_chunk", "name": "book", "args": '{"city": "Rome"}', "id": "c",
              "index": 0}
turns = [[AIMessageChunk("", tool_call_chunks=[piece])], "Have a nice trip."]
agent = create_agent(ScriptedChatModel(turns=turns), [book], checkpointer=InMemorySaver())
result = await display(
    stream_graph(agent, {"messages": [("user", "go")]}, {"configurable": {"thread_id": "1"}})
)
"""
CLICK = """
import asyncio

from ipywidgets import Button
from ipywidgets.widgets.widget import _instances

buttons = {item.description: item for item in _instances.values() if isinstance(item, Button)}
buttons["yes"].click()

for _ in range(100):
    await asyncio.sleep(0.05)
    if not result.interrupts and result.text:
        break
print(result.text, [part.get("result") for part in result.message["parts"]][0])
"""


async def test_a_click_goes_on_in_the_output_of_the_same_cell(tmp_path: Path) -> None:
    notebook = await Notebook.of(AGENT, CLICK).execute(tmp_path)

    assert notebook.printed == "Have a nice trip. answered yes\n"
    [view] = notebook.views
    assert view in [output.data.get("text/html") for output in notebook.code[0].outputs]
    assert "Have a nice trip." in view
    assert "widget-view" not in nbformat.writes(notebook.content)


async def test_a_cell_is_a_run(tmp_path: Path) -> None:
    notebook = await Notebook.of(
        "%load_ext assistant_stream_jupyter\ncontroller = 'mine'\nstart = {'n': 1}",
        "%%assistant hello --wire ag-ui --state start\n"
        "import asyncio\n"
        "kept = 5\n"
        "controller.append_text('''one\n  two''')\n"
        "await asyncio.sleep(0)\n"
        "controller.state['n'] += kept\n",
        "print(kept, controller, hello.state, repr(hello.text))",
        "hello",
        "%%assistant\nraise ValueError('no')",
        "%%assistant --what\npass",
        "%unload_ext assistant_stream_jupyter",
        "%%assistant\nprint('never')",
    ).execute(tmp_path, allow_errors=True)

    assert notebook.printed == "5 mine {'n': 6} 'one\\n  two'\n"
    first, shown_again, failed = notebook.views
    assert "Wire: ag-ui" in first
    assert shown_again == first
    assert "no" in failed
    assert [type_of(cell) for cell in notebook.code[4:6]] == ["ValueError", None]
    problems = "".join(notebook.problems())
    assert "[NAME] [--wire WIRE] [--state EXPRESSION]" in problems
    assert "Cell magic `%%assistant` not found" in problems


def type_of(cell: nbformat.NotebookNode) -> str | None:
    errors = [output.ename for output in cell.outputs if output.output_type == "error"]
    return errors[0] if errors else None


async def test_a_long_run_leaves_one_small_output(tmp_path: Path) -> None:
    run = """
import asyncio

from assistant_stream_ce import create_run, display


async def talk(controller):
    for number in range(50_000):
        controller.append_text(f"word{number} ")
        if number % 100 == 0:
            await asyncio.sleep(0)


result = await display(create_run(talk))
print(f"{result.seconds < 15}, {len(result.text)}")
"""
    notebook = await Notebook.of(run).execute(tmp_path)

    [view] = notebook.views
    assert notebook.printed == f"True, {sum(len(f'word{n} ') for n in range(50_000))}\n"
    assert len(nbformat.writes(notebook.content)) < 700_000
    assert "word49999" in view
