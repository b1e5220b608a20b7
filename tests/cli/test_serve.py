"""`serve` and `demo`, run as a user runs them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from textwrap import dedent

import httpx
import pytest

from assistant_stream_cli import main
from assistant_stream_cli._loading import find_target, open_graph
from assistant_stream_langgraph.threads import is_graph
from tests.cli.running import AGENT, ask, command, environment, serving, started
from tests.npm import decode


def test_serve_a_graph_with_its_page(folder: Path) -> None:
    serve = ("serve", "agent.py:graph", "--cors-origin", "https://a.example")
    with serving(folder, *serve) as (client, run):
        assert run.out[0].startswith("Serving agent.py:graph on http://127.0.0.1:")
        assert "You said: Hi" in ask(client, "Hi")
        health = client.get("/health", headers={"Origin": "https://a.example"})
        assert health.json() == {"status": "ok"}
        assert health.headers["access-control-allow-origin"] == "https://a.example"
        assert client.get("/health", headers={"Host": "tunnel.example"}).status_code == 403
        page = client.get("/")
        assert page.status_code == 200 or "not been built" in page.text


@pytest.mark.parametrize(
    ("options", "status"),
    [(("--allow-host", "tunnel.example"), 200), (("--host", "0.0.0.0"), 200)],
)
def test_other_host_names_are_answered_where_that_is_asked_for(
    folder: Path, options: tuple[str, ...], status: int
) -> None:
    with serving(folder, "serve", "agent.py:graph", *options) as (client, _):
        assert client.get("/health").status_code == 200
        foreign = client.get("/health", headers={"Host": "tunnel.example"})
        assert foreign.status_code == status


def test_what_a_factory_has_opened_is_closed_at_the_end(folder: Path) -> None:
    with serving(folder, "serve", "./agent.py:opening", "--no-playground") as (client, run):
        assert "You said: Hi" in ask(client, "Hi")
        assert client.get("/").json()["error"]["message"] == "Not Found"
    assert run.out[-1] == "closed\n"


@pytest.mark.parametrize(
    "target", ["agent.py:graph", "agent:graph", "agent:factory", "agent:async_factory"]
)
async def test_a_graph_or_what_makes_one(folder: Path, target: str) -> None:
    async with AsyncExitStack() as stack:
        opened = await open_graph(find_target(target), target, stack)

        assert set(opened.graph.nodes) == {"__start__", "answer"}
        assert (opened.factory is not None) == (target == "agent:async_factory")


def test_a_file_in_a_package_may_import_its_neighbours(folder: Path) -> None:
    package = folder / "src" / "bots"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "parts.py").write_text(dedent(AGENT))
    (package / "main.py").write_text("from .parts import graph\n")

    assert is_graph(find_target("src/bots/main.py:graph"))


def test_a_file_named_like_a_library_leaves_the_library_alone(folder: Path) -> None:
    (folder / "json.py").write_text(dedent(AGENT).replace("builder", "_builder"))

    assert is_graph(find_target("json.py"))
    assert sys.modules["json"].dumps([]) == "[]"


def test_a_restart_loses_nothing(folder: Path) -> None:
    with serving(folder, "serve", "agent.py:graph") as (client, run):
        ask(client, "First")
        run.wait_for("Threads are kept in .assistant-stream-ce/agent-graph.db$")
    with serving(folder, "serve", "agent.py:graph") as (client, _):
        ask(client, "Second")
        messages = client.get("/threads/t1/state").json()["values"]["messages"]

    assert [message["content"] for message in messages] == [
        "First",
        "You said: First",
        "Second",
        "You said: Second",
    ]
    assert (folder / ".assistant-stream-ce" / ".gitignore").read_text().endswith("\n*\n")


def test_the_demo_needs_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, "demo") as (client, run):
        assert run.out[0].startswith("Serving the demo on ")
        state = decode(ask(client, "Hello")).checked().state

    assert "I am a script" in state["messages"][1]["content"][0]["text"]
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept == [tmp_path / "state" / "assistant-stream-ce" / "demo.db"]


SLOW = """
    import asyncio
    from langchain_core.messages import AIMessage
    from langgraph.graph import START, MessagesState, StateGraph

    async def answer(state, writer):
        try:
            await asyncio.sleep(60)
        finally:
            print("cleaned up", flush=True)

    graph = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer").compile()
"""


def test_a_signal_ends_the_server_within_seconds_while_it_streams(folder: Path) -> None:
    (folder / "slow.py").write_text(dedent(SLOW))
    with started(folder, "serve", "slow.py:graph", "--port", "0") as run:
        url = run.wait_until_serving()
        message = {"role": "user", "parts": [{"type": "text", "text": "Hi"}]}
        body = {"commands": [{"type": "add-message", "message": message}]}
        with (
            httpx.Client(base_url=url, trust_env=False) as client,
            client.stream("POST", "/assistant", json=body) as response,
        ):
            pieces = response.iter_raw()
            wire = next(pieces)
            start = time.monotonic()
            assert run.stop(signal.SIGTERM) == 0
            wire += b"".join(pieces)

    assert time.monotonic() - start < 10
    assert run.out[-1] == "cleaned up\n"
    assert wire.startswith(b"aui-state:")
    decode(wire).checked()  # a whole one
    assert [line for line in run.error if "Traceback" in line or "Error" in line] == []
    assert any(line.startswith("Stopping: an answer may go on for") for line in run.error), (
        run.error
    )


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("missing.py:graph", "there is no file "),
        ("missing:graph", "there is no module 'missing' here"),
        ("missing.sub:graph", "there is no module 'missing' here"),
        ("agent.sub:graph", "there is no module 'agent.sub' here"),
        ("agent.py:grahp", "has no attribute 'grahp'; graphs there: builder, graph."),
        ("agent.py", "say which graph to serve, as agent.py:NAME; graphs there: builder, graph."),
        ("agent.py:builder", "is a graph builder: call `.compile()` on it"),
        ("agent.py:number", "agent.py:number is not a graph but an int"),
        ("agent.py:broken", "the factory agent.py:broken failed: ValueError: no database"),
        ("agent.py:demanding", "needs arguments (a, b)"),
        ("bad.py:graph", "importing {folder}/bad.py failed: NameError: name 'nowhere' is not"),
        ("bad:graph", "importing bad failed: NameError: name 'nowhere' is not"),
        ("needs.py:graph", "failed: ModuleNotFoundError: No module named 'not_installed'"),
        ("needs:graph", "importing needs failed: ModuleNotFoundError: No module named 'not_ins"),
        ("exits.py:graph", "exits.py failed: SystemExit: 3"),
        ("empty.py:graph", "has no attribute 'graph'; no graph is defined there."),
        ("notes.txt", "there is no module 'notes' here"),
        ("./notes.txt:graph", "notes.txt is not a Python file"),
        ("plain.py:graph", "has no `messages` channel"),
    ],
)
def test_what_cannot_be_served_is_told_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], target: str, complaint: str
) -> None:
    (folder / "bad.py").write_text("x = 1\nnowhere\n")
    (folder / "needs.py").write_text("import not_installed\n")
    (folder / "exits.py").write_text("raise SystemExit(3)\n")
    (folder / "empty.py").touch()
    (folder / "notes.txt").touch()
    plain = dedent(AGENT).replace("MessagesState", "State")
    (folder / "plain.py").write_text(
        f"from typing import TypedDict\nclass State(TypedDict):\n    a: str\n{plain}".replace(
            "import START, State, StateGraph", "import START, StateGraph"
        )
    )

    assert main(["serve", target]) == 2

    said = capsys.readouterr()
    first, *rest = said.err.splitlines()
    assert first.startswith("assistant-stream-ce: ")
    assert complaint.format(folder=folder) in first
    assert rest in ([], ["(--debug shows where it comes from)"])
    assert said.out == ""


def test_debug_shows_the_traceback_of_a_failed_import(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.py").write_text("x = 1\nnowhere\n")

    assert main(["serve", "bad.py:graph", "--debug"]) == 2

    said = capsys.readouterr().err
    assert 'bad.py", line 2' in said
    assert said.splitlines()[-1].startswith("assistant-stream-ce: importing ")


def test_a_port_in_use_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        assert main(["serve", "agent.py:graph", "--port", port]) == 2

    said = capsys.readouterr().err
    assert f"port {port} on 127.0.0.1 is in use; choose another with --port." in said


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--host", "no.such.host.invalid"], "there is no address 'no.such.host.invalid'"),
        (["--checkpoint", "mysql://u:secret@x"], "'mysql://u:***@x' is none of `memory`, "),
        (["--checkpoint", "sqlite:///no/such/threads.db"], "there is no folder "),
        (["--checkpoint", "sqlite:///."], "is a folder"),
        (["--checkpoint", "sqlite:///agent.py"], "cannot be opened: "),
    ],
)
def test_options_that_cannot_be_followed(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert main(["serve", "agent.py:graph", *arguments]) == 2

    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_a_wrong_option_is_explained(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", "agent.py:graph", "--port", port])

    assert caught.value.code == 2
    assert f"{port!r} is no number from 0 to 65535" in capsys.readouterr().err


def test_a_server_library_that_is_missing_is_named(folder: Path) -> None:
    (folder / "uvicorn.py").write_text("raise ModuleNotFoundError('no', name='uvicorn')\n")
    done = subprocess.run(
        command("serve", "agent.py:graph"),
        cwd=folder,
        env=environment(PYTHONPATH=os.pathsep.join([str(folder), environment()["PYTHONPATH"]])),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 2
    assert 'pip install "assistant-stream-ce[serve]"' in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["--version"]])
def test_help_and_version_end_well(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 0
    assert "assistant-stream-ce" in capsys.readouterr().out
