"""Every notebook runs offline from top to bottom, and shows what it says it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.notebook import NOTEBOOKS, Notebook


def first_stream(notebook: Notebook) -> None:
    assert "TextDeltaChunk(text_delta='Hello from a stream!', parent_id=None)" in notebook.printed
    assert "It is **sunny** in Paris" in notebook.printed
    assert "{'city': 'Paris'}" in notebook.printed
    assert "['reasoning', 'tool-call', 'text']" in notebook.printed
    answer, cell_magic, model = notebook.views
    assert "<strong>sunny</strong>" in answer
    assert "get_weather" in answer
    assert "It has been seen 1 time." in cell_magic
    assert '<span class="asc-key">seen</span> <span class="asc-num">1</span>' in cell_magic
    assert "<em>no</em> opinion" in model


def callback_on_a_chain(notebook: Notebook) -> None:
    [view] = notebook.views
    assert "<strong>however it ends</strong>" in view
    assert 'href="https://example.com/errors"' in view
    assert notebook.printed == "True\n['How runs end', 'Errors']\n"


def agent_with_tools(notebook: Notebook) -> None:
    [view] = notebook.views
    assert "Both facts are independent" in view
    assert view.count("asc-good") > 2
    assert "departures" in view
    assert "<strong>9:05</strong>" in view
    kinds = re.findall(r"^(\S+) (weather|trains)?", notebook.printed, re.MULTILINE)
    assert [kind for kind, _ in kinds] == ["reasoning", "tool-call", "tool-call", "text"]


def state_that_syncs(notebook: Notebook) -> None:
    plan, written = notebook.views
    assert "LX Factory" in plan
    assert '<li class="asc-new">' in plan
    assert "Wire: assistant-transport" in plan
    assert "append-text notes good" in notebook.printed
    assert "set stops/0/done True" in notebook.printed
    assert "True\n{'name': 'Alfama', 'hours': 2, 'done': True}" in notebook.printed
    assert "{'words': 6}" in notebook.printed
    assert "Lisbon is best seen on foot." in written


def human_in_the_loop(notebook: Notebook) -> None:
    paused, resumed = notebook.views
    assert "Waiting for an answer" in paused
    assert "Book a trip to Lisbon for 80 €?" in paused
    assert "await result.answer(&#x27;yes&#x27;)" in paused
    assert "Booked: Lisbon" in resumed
    assert "<strong>booked</strong>" in resumed
    assert "[]\nI can book that. Your trip to Lisbon is **booked**.\n" in notebook.printed
    widgets = [o for o in notebook.outputs() if "jupyter.widget-view" in str(o.get("data"))]
    assert widgets == [], "a saved notebook must not keep dead buttons"


def sub_agents(notebook: Notebook) -> None:
    [view] = notebook.views
    inside = view.index('class="asc-nest"')
    assert inside < view.index("Searching the archive.") < view.index("first tram line, 1873")
    assert "outer_1 tool-call search" in notebook.printed
    assert "- tool-call research" in notebook.printed


def wires_side_by_side(notebook: Notebook) -> None:
    view, again = notebook.views
    for wire in ("data-stream", "assistant-transport", "ui-message-stream", "ag-ui", "openai"):
        assert f"Wire: {wire}, " in view
    assert "data: [DONE]" in view
    assert "TEXT_MESSAGE_CONTENT" in view
    assert "Wire:" not in again
    assert len(re.findall(r"\d+ frames +\d+ characters", notebook.printed)) == 6
    assert notebook.printed.endswith("True\n")


def from_notebook_to_serve(notebook: Notebook) -> None:
    local, remote = notebook.views
    assert "<strong>over HTTP</strong>" in local
    assert "<strong>over HTTP</strong>" in remote
    assert "human | " in notebook.printed
    assert "ai | It works **over HTTP**" in notebook.printed


CHECKS: dict[str, Callable[[Notebook], None]] = {
    "01-first-stream": first_stream,
    "02-a-callback-on-a-chain": callback_on_a_chain,
    "03-an-agent-with-tools-and-reasoning": agent_with_tools,
    "04-state-that-syncs": state_that_syncs,
    "05-a-human-in-the-loop": human_in_the_loop,
    "06-sub-agents": sub_agents,
    "07-the-wires-side-by-side": wires_side_by_side,
    "08-from-notebook-to-serve": from_notebook_to_serve,
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
async def test_notebook_shows_what_it_says(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    notebook = await Notebook.read(path).execute(tmp_path)

    CHECKS[path.stem](notebook)
    assert notebook.problems() == []
    assert [view for view in notebook.views if "asc-running" in view.partition("</style>")[2]] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_saved_without_outputs_and_opens_with_what_is_seen(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert [cell for cell in code if cell.outputs or cell.execution_count] == []
    assert notebook.cells[0].cell_type == "markdown"
    assert "You will see" in notebook.cells[0].source
    assert sum("OPENAI_API_KEY" in cell.source for cell in code) == 1
