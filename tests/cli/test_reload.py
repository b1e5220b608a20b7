"""`serve --reload`, while the files of a graph change."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from assistant_stream_cli import main
from assistant_stream_cli._target import folder_of
from tests.cli.running import ask, started


def test_a_change_starts_the_graph_anew_and_a_mistake_waits_for_the_next(folder: Path) -> None:
    agent = folder / "agent.py"
    first = agent.read_text()
    with started(folder, "serve", "agent.py:graph", "--reload", "--port", "0") as run:
        with httpx.Client(base_url=run.wait_until_serving(), timeout=40, trust_env=False) as client:
            assert "You said: One" in ask(client, "One")

            agent.write_text("graph = (")
            run.wait_for("agent.py failed: SyntaxError: ")
            run.wait_for("^Waiting for a change$")
            agent.write_text(first.replace("You said", "You wrote"))

            # Asked while nothing serves: it waits, and gets its answer.
            assert "You wrote: Two" in ask(client, "Two")
            messages = client.get("/threads/t1/state").json()["values"]["messages"]
        assert run.stop() == 0

    assert [message["content"] for message in messages][::2] == ["One", "Two"]
    assert len([line for line in run.out if line.startswith("Serving agent.py:graph on ")]) == 1
    assert len([line for line in run.error if line.startswith("Serving again on ")]) == 1
    assert f"Watching {folder}\n" in run.error
    assert not any("Traceback" in line for line in run.error)


def test_a_folder_to_watch_must_be_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serve = ["serve", "agent.py:graph", "--port", "0", "--reload", "--reload-dir", "nowhere"]

    assert main(serve) == 2
    assert "there is no folder nowhere to watch." in capsys.readouterr().err


def test_what_is_watched(folder: Path) -> None:
    package = folder / "bots" / "inner"
    package.mkdir(parents=True)
    (folder / "bots" / "__init__.py").touch()
    (package / "__init__.py").touch()

    assert folder_of("agent.py:graph") == folder
    assert folder_of("agent:graph") == folder
    assert folder_of("bots.inner.main:graph") == folder / "bots"
    assert folder_of("bots/inner/main.py:graph") == folder / "bots"
    assert folder_of("installed.module:graph") == folder
