"""Where threads are kept: what `--checkpoint` can name, and what happens without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from assistant_stream_cli._checkpoints import (
    choose_checkpointer,
    open_checkpointer,
    without_password,
)
from assistant_stream_langgraph.threads import Graph, GraphError


def graph(checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"Message {len(state['messages'])}")]}

    builder = StateGraph(MessagesState)
    builder.add_node(answer)
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer)


async def talk(saver: BaseCheckpointSaver[Any]) -> list[str]:
    config: Any = {"configurable": {"thread_id": "t1"}}
    values = await graph(saver).ainvoke({"messages": [("user", "Hi")]}, config)
    return [message.text for message in values["messages"]]


async def test_a_graph_keeps_the_checkpointer_that_it_has(folder: Path) -> None:
    async with AsyncExitStack() as stack:
        kept = await choose_checkpointer(None, graph(InMemorySaver()), "agent.py:graph", stack)

    assert kept.checkpointer is None
    assert kept.told == "Threads are kept by the graph's own checkpointer"
    assert not (folder / ".assistant-stream-ce").exists()


async def test_each_graph_has_a_file_of_its_own(folder: Path) -> None:
    async with AsyncExitStack() as stack:
        for target in ("agent.py:graph", "src/bots/main.py:other", "bots.main:graph"):
            kept = await choose_checkpointer(None, graph(), target, stack)
            assert isinstance(kept.checkpointer, AsyncSqliteSaver)

    names = {path.name for path in (folder / ".assistant-stream-ce").glob("*.db")}
    assert names == {"agent-graph.db", "src-bots-main-other.db", "bots-main-graph.db"}


async def test_where_nothing_can_be_written_threads_are_kept_in_memory(folder: Path) -> None:
    (folder / ".assistant-stream-ce").touch()
    async with AsyncExitStack() as stack:
        kept = await choose_checkpointer(None, graph(), "agent.py:graph", stack)

    assert isinstance(kept.checkpointer, InMemorySaver)
    assert kept.told.startswith("Threads are kept in memory until the end: ")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p%40ss@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u@db/x?password=secret&a=1", "postgresql://u@db/x?password=***&a=1"),
        ("postgresql://u@db/x", "postgresql://u@db/x"),
        ("postgresql://u:secret@[db/x", "postgresql://..."),
        ("sqlite:///a.db", "sqlite:///a.db"),
    ],
)
def test_a_password_is_not_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


# -- PostgreSQL --------------------------------------------------------------------------------


def postgres_programs() -> Path | None:
    """The folder of the server's programs, which Debian keeps off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    where = shutil.which("initdb")
    return Path(where).parent if where else found[-1].parent if found else None


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, on a socket in a folder."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    # Not in pytest's folder: that is closed to the user of the server, and long for a socket.
    with tempfile.TemporaryDirectory() as folder:
        yield from running_postgres(programs, Path(folder))


def running_postgres(programs: Path, data: Path) -> Iterator[str]:
    user: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(data, "postgres", "postgres")

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, "-D", data / "db", *arguments],
            cwd=data,
            check=True,
            stdout=subprocess.DEVNULL,
            **user,
        )

    run("initdb", "-U", "tester", "-A", "trust", "--no-sync")
    options = f"-c listen_addresses='' -k {data} -F"
    run("pg_ctl", "-w", "-o", options, "-l", str(data / "log"), "start")
    yield f"postgresql://tester@/postgres?host={data}"
    run("pg_ctl", "-m", "immediate", "stop")


async def test_threads_in_postgresql_outlive_the_server(database: str) -> None:
    said: list[str] = []
    for _ in range(2):
        async with AsyncExitStack() as stack:
            kept = await choose_checkpointer(database, graph(), "agent.py:graph", stack)
            assert kept.checkpointer is not None
            said = await talk(kept.checkpointer)

    assert said == ["Hi", "Message 1", "Hi", "Message 3"]
    assert kept.told == f"Threads are kept in {database}"


async def test_a_database_that_is_not_there_is_told_without_the_password() -> None:
    url = "postgresql://tester:secret@127.0.0.1:1/threads"
    async with AsyncExitStack() as stack:
        with pytest.raises(GraphError, match="cannot be opened: ") as caught:
            await open_checkpointer(url, stack)

    assert "postgresql://tester:***@127.0.0.1:1/threads" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_wrong_url_is_told(database: str) -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(GraphError, match="nobody's-table"):
            await open_checkpointer(database.replace("/postgres", "/nobody's-table"), stack)
        with pytest.raises(GraphError, match="invalid"):
            await open_checkpointer("postgresql://u@h/x?colour=red", stack)


async def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    async with AsyncExitStack() as stack:
        with pytest.raises(GraphError, match=r"assistant-stream-ce\[serve,postgres\]"):
            await open_checkpointer("postgres://u@h/x", stack)
