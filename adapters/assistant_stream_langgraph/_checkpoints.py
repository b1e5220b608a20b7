"""Where the command line keeps threads: in memory, or in an SQLite file."""

# The SQLite saver comes with the extra `serve` and is imported when it is asked for.
# ruff: noqa: PLC0415

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from .threads import GraphError

__all__ = ("open_checkpointer",)

_SQLITE = "sqlite:///"


async def open_checkpointer(where: str, stack: AsyncExitStack) -> BaseCheckpointSaver[str]:
    """Open the checkpointer that `where` names: `memory`, or `sqlite:///FILE`.

    `stack` closes it.

    Raises:
        GraphError: It is neither, or the file cannot be opened.
    """
    if where == "memory":
        return InMemorySaver()
    name = where.removeprefix(_SQLITE)
    if name == where or not name:
        raise GraphError(f"--checkpoint {where!r} is neither `memory` nor `sqlite:///FILE`.")
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


def _check_folder(file: Path) -> None:
    folder = file.resolve().parent
    if not folder.is_dir():
        raise GraphError(f"there is no folder {folder} for the checkpoints.")
    if file.is_dir():
        raise GraphError(f"the checkpoints need a file, and {file} is a folder.")
