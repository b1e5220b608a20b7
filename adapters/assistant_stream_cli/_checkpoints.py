"""Where the command line keeps threads: in an SQLite file, a PostgreSQL database or memory."""

# The savers come with the extras `serve` and `postgres` and are imported when they are asked for.
# ruff: noqa: PLC0415

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from assistant_stream_langgraph.threads import Graph, GraphError

__all__ = ("Kept", "choose_checkpointer", "open_checkpointer")

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql", "postgres")

FOLDER = Path(".assistant-stream-ce")
"""For the threads of the graphs served from a folder, in that folder."""

CONNECT_TIME = 10.0
"""Seconds until a database that does not answer is given up."""

MAX_CONNECTIONS = 10
"""Of one server to its database."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where threads are kept."""

    checkpointer: BaseCheckpointSaver[Any] | None
    """`None`: the graph's own."""
    told: str
    """What the user is told about it."""


async def choose_checkpointer(
    where: str | None, graph: Graph, target: str | None, stack: AsyncExitStack
) -> Kept:
    """Open what `--checkpoint` names. Without it a graph keeps the checkpointer that it has, and
    one that has none gets an SQLite file, so that a restart loses nothing.

    Args:
        where: The option's value.
        graph: The graph that is served.
        target: What it is called on the command line; `None` for the demo.
        stack: Closes what is opened.

    Raises:
        GraphError: What the option names cannot be opened.
    """
    if where is not None:
        return Kept(await open_checkpointer(where, stack), _told(where))
    if isinstance(getattr(graph, "checkpointer", None), BaseCheckpointSaver):
        return Kept(None, "Threads are kept by the graph's own checkpointer")
    try:
        file = _default_file(target)
        saver = await open_checkpointer(f"{_SQLITE}{file}", stack)
    except (GraphError, OSError) as error:
        reason = str(error).rstrip(".")
        return Kept(InMemorySaver(), f"Threads are kept in memory until the end: {reason}")
    return Kept(saver, _told(f"{_SQLITE}{file}"))


async def open_checkpointer(where: str, stack: AsyncExitStack) -> BaseCheckpointSaver[str]:
    """Open the checkpointer that `where` names: `memory`, `sqlite:///FILE` or `postgresql://...`.

    `stack` closes it.

    Raises:
        GraphError: It is none of these, or cannot be opened.
    """
    if where == "memory":
        return InMemorySaver()
    if where.partition("://")[0] in _POSTGRES:
        return await _open_postgres(where, stack)
    name = where.removeprefix(_SQLITE)
    if name == where or not name:
        raise GraphError(
            f"--checkpoint {without_password(where)!r} is none of `memory`, `sqlite:///FILE` and "
            "`postgresql://USER@HOST/DATABASE`."
        )
    return await _open_sqlite(name, stack)


async def _open_sqlite(name: str, stack: AsyncExitStack) -> BaseCheckpointSaver[str]:
    try:
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    except ModuleNotFoundError as error:
        raise GraphError(
            'SQLite checkpoints need an extra: pip install "assistant-stream-ce[serve]".'
        ) from error
    _check_folder(Path(name))
    try:
        saver = await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(name))
        await saver.setup()
    except (OSError, sqlite3.Error) as error:
        raise GraphError(f"the checkpoints in {name} cannot be opened: {error}.") from error
    return saver


async def _open_postgres(url: str, stack: AsyncExitStack) -> BaseCheckpointSaver[str]:
    try:
        import psycopg
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
        from psycopg.conninfo import conninfo_to_dict
        from psycopg.rows import dict_row
        from psycopg_pool import AsyncConnectionPool, PoolTimeout
    except ImportError as error:  # psycopg without libpq says so with an ImportError
        raise GraphError(
            "PostgreSQL checkpoints need an extra: "
            'pip install "assistant-stream-ce[serve,postgres]".'
        ) from error
    shown = without_password(url)
    # The saver's own needs. Its pool would try again and again without saying why.
    wishes: Any = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    try:
        conninfo_to_dict(url)
        probe = await psycopg.AsyncConnection.connect(url, connect_timeout=int(CONNECT_TIME))
        await probe.close()
        pool: Any = AsyncConnectionPool(
            url, min_size=1, max_size=MAX_CONNECTIONS, open=False, kwargs=wishes
        )
        await stack.enter_async_context(pool)
        await pool.wait(CONNECT_TIME)
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
    except (psycopg.Error, PoolTimeout, OSError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise GraphError(f"the checkpoints in {shown} cannot be opened: {reason}.") from error
    return saver


def without_password(url: str) -> str:
    """Return `url` as it may be shown and logged."""
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return url.partition("://")[0] + "://..."
    shown = url if password is None else url.replace(f":{password}@", ":***@", 1)
    return re.sub(r"(password=)[^&\s]*", r"\1***", shown)


def _told(where: str) -> str:
    if where == "memory":
        return "Threads are kept in memory, until the end"
    return f"Threads are kept in {without_password(where).removeprefix(_SQLITE)}"


def _default_file(target: str | None) -> Path:
    """Return the file for the threads of a graph, in a folder that is made for it.

    Raises:
        OSError: There is no writing there.
    """
    if target is None:  # The demo is looked at from anywhere, and leaves nothing behind there.
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        folder, name = Path(state) / "assistant-stream-ce", "demo"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.db"
    FOLDER.mkdir(exist_ok=True)
    ignored = FOLDER / ".gitignore"
    if not ignored.exists():
        ignored.write_text("# Conversations: nothing for a repository.\n*\n")
    # Graphs have states of their own, and so each has a file of its own.
    name = re.sub(r"\W+", "-", target.replace(".py", "")).strip("-")
    return FOLDER / f"{name}.db"


def _check_folder(file: Path) -> None:
    folder = file.resolve().parent
    if not folder.is_dir():
        raise GraphError(f"there is no folder {folder} for the checkpoints.")
    if file.is_dir():
        raise GraphError(f"the checkpoints need a file, and {file} is a folder.")
