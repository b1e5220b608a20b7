"""Notebooks as a test runs them: in a kernel of their own, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


class Notebook:
    """A notebook with the outputs of its cells."""

    def __init__(self, content: Any) -> None:
        self.content = content

    @classmethod
    def read(cls, path: Path) -> Notebook:
        return cls(nbformat.read(path, as_version=4))

    @classmethod
    def of(cls, *cells: str) -> Notebook:
        return cls(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        )

    async def execute(self, folder: Path, *, allow_errors: bool = False) -> Notebook:
        client = NotebookClient(
            self.content,
            timeout=60,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            allow_errors=allow_errors,
        )
        await client.async_execute()
        return self

    @property
    def code(self) -> list[Any]:
        return [cell for cell in self.content.cells if cell.cell_type == "code"]

    @property
    def views(self) -> list[str]:
        """The HTML of every view that stays."""
        return [html for html in self._data("text/html") if 'class="asc"' in html]

    @property
    def printed(self) -> str:
        """Everything the cells have printed."""
        outputs = self.outputs()
        return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")

    @property
    def texts(self) -> list[str]:
        """The plain text of the views."""
        return [text for text in self._data("text/plain") if text.startswith("[")]

    def outputs(self) -> list[Any]:
        return [output for cell in self.code for output in cell.outputs]

    def problems(self) -> list[str]:
        """What a cell has raised, or a library has said on the error stream."""
        return [
            output.get("text") or output.get("evalue")
            for output in self.outputs()
            if output.output_type == "error" or output.get("name") == "stderr"
        ]

    def _data(self, mime_type: str) -> Iterator[str]:
        for output in self.outputs():
            if mime_type in output.get("data", {}):
                yield output.data[mime_type]
