"""Executes the notebooks and writes each as a page, outputs included; `conf.py` calls it."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

if TYPE_CHECKING:
    from sphinx.application import Sphinx

REPOSITORY = Path(__file__).parents[1]
SOURCES = (REPOSITORY / "assistant_stream_ce", REPOSITORY / "adapters", Path(__file__).parent)
FENCE = "`" * 12
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def write_pages(app: Sphinx) -> None:
    """Write `docs/notebooks/*.md`, those that are older than what they show anew."""
    folder = Path(app.srcdir, "notebooks")
    folder.mkdir(exist_ok=True)
    notebooks = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
    for page in folder.glob("*.md"):
        if page.stem not in {notebook.stem for notebook in notebooks}:
            page.unlink()
    pages = {notebook: folder / f"{notebook.stem}.md" for notebook in notebooks}
    contents = {
        notebook: nbformat.read(notebook, as_version=4)
        for notebook, page in pages.items()
        if not _is_current(page, notebook)
    }
    asyncio.run(_execute_all(list(contents.values())))
    for notebook, content in contents.items():
        pages[notebook].write_text("\n".join(_page(notebook.name, content)), encoding="utf-8")


def _is_current(page: Path, notebook: Path) -> bool:
    sources = [notebook, *(path for source in SOURCES for path in source.rglob("*.py"))]
    changed = max(path.stat().st_mtime for path in sources)
    return page.is_file() and page.stat().st_mtime > changed


async def _execute_all(contents: list[Any]) -> None:
    turns = asyncio.Semaphore(2)

    async def execute(content: Any) -> None:
        async with turns:
            await _execute(content)

    await asyncio.gather(*map(execute, contents))


async def _execute(content: Any) -> None:
    # The scripted models, whatever keys the machine has.
    env = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(content, timeout=120, resources={"metadata": {"path": folder}})
        client.log.setLevel(logging.WARNING)
        # What a cell writes is in the notebook; this is the kernel's own chatter.
        await client.async_execute(env=env, stderr=subprocess.DEVNULL)


def _page(name: str, content: Any) -> Iterator[str]:
    for cell in content.cells:
        if cell.cell_type == "markdown":
            yield cell.source + "\n"
            continue
        yield f"{FENCE}ipython3\n{cell.source}\n{FENCE}\n"
        yield from map(_output, cell.outputs)
    yield f"---\n\nThis page is the notebook `notebooks/{name}`, executed when it was built.\n"


def _output(output: Any) -> str:
    data = output.get("data", {})
    if data.get("text/html"):
        return f"{FENCE}{{raw}} html\n{data['text/html']}\n{FENCE}\n"
    text = _ESCAPES.sub("", output.get("text", data.get("text/plain", "")))
    return f"{FENCE}text\n{text}\n{FENCE}\n" if text.strip() else ""
