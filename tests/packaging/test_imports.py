"""What an import costs, what it must not need, and that each module says what it offers."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.packaging.environments import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = [
    REPOSITORY / "assistant_stream_ce",
    REPOSITORY / "adapters" / "assistant_stream_langchain",
    REPOSITORY / "adapters" / "assistant_stream_langgraph",
    REPOSITORY / "adapters" / "assistant_stream_jupyter",
    REPOSITORY / "adapters" / "assistant_stream_cli",
]
ADAPTER_LIBRARIES = ("langchain", "langchain_core", "langgraph", "langsmith")

WITHOUT_LANGCHAIN = """
import importlib, json, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"blocked: {{name}}", name=name)

sys.meta_path.insert(0, Blocker())
import assistant_stream_ce
failures = {{}}
for info in pkgutil.walk_packages(assistant_stream_ce.__path__, "assistant_stream_ce."):
    for name in [name for name in sys.modules if name.startswith("assistant_stream_ce")]:
        del sys.modules[name]
    try:
        importlib.import_module(info.name)
    except ImportError as error:
        failures[info.name] = str(error)
print(json.dumps(failures))
"""


def modules() -> list[str]:
    """Name every module of the packages, private ones too, without importing any."""
    found: list[str] = []
    for package in SOURCES:
        found.append(package.name)
        walk = pkgutil.walk_packages([str(package)], f"{package.name}.")
        found.extend(info.name for info in walk)
    return found


def documented_modules() -> list[str]:
    page = (REPOSITORY / "docs" / "api.md").read_text()
    return re.findall(r"^\.\. automodule:: (\S+)$", page, re.MULTILINE)


def python(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout


def test_the_core_loads_neither_langchain_nor_langgraph_nor_pydantic() -> None:
    heavy = (*ADAPTER_LIBRARIES, "pydantic", "assistant_stream_langchain", "uvicorn", "fastapi")
    program = (
        "import json, sys, assistant_stream_ce;"
        f"print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    )

    assert json.loads(python(program)) == []


def test_each_module_of_the_core_works_without_langchain_and_langgraph() -> None:
    program = WITHOUT_LANGCHAIN.format(blocked=set(ADAPTER_LIBRARIES))

    assert json.loads(python(program)) == {}


@pytest.mark.parametrize("name", modules())
def test_all_is_sorted_and_true(name: str) -> None:
    module = importlib.import_module(name)

    assert isinstance(module.__all__, tuple)
    assert list(module.__all__) == sorted(set(module.__all__), key=rank)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("name", documented_modules())
def test_all_is_complete(name: str) -> None:
    """What users import from; a module inside a room may offer its neighbours more."""
    module = importlib.import_module(name)
    assert module.__file__
    defined = set(public_definitions(ast.parse(Path(module.__file__).read_text())))

    assert defined - set(module.__all__) == set()


def rank(name: str) -> tuple[int, str]:
    """Order constants before classes before the rest, as ruff's RUF022 does."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def public_definitions(tree: ast.Module) -> Iterator[str]:
    """Yield the functions, classes and type aliases that a module itself defines."""
    for node in tree.body:
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.Assign(targets=[ast.Name(id=name)])
                | ast.AnnAssign(target=ast.Name(id=name))
            ):
                # Constants and loggers are for the module's own use.
                if not name.startswith("_") and not name.isupper() and name != "logger":
                    yield name
            case _:
                pass
