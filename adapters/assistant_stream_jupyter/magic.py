"""`%%assistant`: a cell that is the callback of a run."""

# `shell` is an `InteractiveShell`; IPython is optional, and only partly typed.

from __future__ import annotations

import ast
import importlib
import inspect
import re
from dataclasses import dataclass
from typing import Any

from assistant_stream_ce.controller import RunController
from assistant_stream_ce.create_run import create_run

from ._display import display

__all__ = ("install", "run_cell", "uninstall")

MARK = "%%assistant"
USAGE = "[NAME] [--wire WIRE] [--state EXPRESSION]"

_LINE = re.compile(
    r"(?P<name>[^\W\d]\w*)?\s*(--wire\s+(?P<wire>\S+))?\s*(--state\s+(?P<state>.+))?"
)


@dataclass(frozen=True)
class _Options:
    name: str | None
    wire: str | None
    state: str | None


def install(shell: Any) -> None:
    """Register the magic."""

    async def assistant(line: str, cell: str) -> Any:
        return await run_cell(shell, line, cell)

    assistant.__doc__ = run_cell.__doc__
    shell.register_magic_function(assistant, "cell", "assistant")
    if _await_magic not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(_await_magic)


def uninstall(shell: Any) -> None:
    """Take the magic away."""
    shell.magics_manager.magics["cell"].pop("assistant", None)
    if _await_magic in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(_await_magic)


async def run_cell(shell: Any, line: str, cell: str) -> Any:
    """Run the cell as the callback of a run, and display the run.

        %%assistant [NAME] [--wire WIRE] [--state EXPRESSION]

    `controller` is the run's controller; the cell may `await`. What the cell defines stays in the
    notebook. With a NAME, that variable holds the result.
    """
    options = _options(line)
    state = None if options.state is None else shell.ev(options.state)
    source = shell.transform_cell(cell)
    name = shell.compile.cache(source)  # so that a traceback shows the line
    code = compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    async def callback(controller: RunController) -> None:
        with _Named(shell.user_ns, "controller", controller):
            running = eval(code, shell.user_ns)  # noqa: S307 - the user's own cell
            if inspect.isawaitable(running):
                await running

    wire = options.wire.split(",") if options.wire else None
    run = create_run(callback, state=state)
    result = await display(run, initial_state=state, wire=wire or "data-stream")
    if options.name:
        shell.user_ns[options.name] = result
    return result


def _await_magic(lines: list[str]) -> list[str]:
    """IPython does not await a magic: a cell that begins with ours becomes code that does."""
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if not lines or lines[start].split()[:1] != [MARK]:
        return lines
    line = lines[start].strip()[len(MARK) :].strip()
    cell = "".join(lines[start + 1 :])
    return [f"await get_ipython().run_cell_magic('assistant', {line!r}, {cell!r})\n"]


def _options(line: str) -> _Options:
    found = _LINE.fullmatch(line.strip())
    if found is None:
        usage: Any = importlib.import_module("IPython.core.error")
        raise usage.UsageError(f"{MARK} {USAGE}: not {line!r}")
    return _Options(**found.groupdict())


class _Named:
    """Has a name in a namespace for a while, and what it was before afterwards."""

    def __init__(self, namespace: dict[str, Any], name: str, value: object) -> None:
        self._namespace = namespace
        self._name = name
        self._value = value

    def __enter__(self) -> None:
        self._had = self._name in self._namespace
        self._before = self._namespace.get(self._name)
        self._namespace[self._name] = self._value

    def __exit__(self, *_: object) -> None:
        if self._had:
            self._namespace[self._name] = self._before
        else:
            self._namespace.pop(self._name, None)
