"""What an import costs, what it must not need, and that each module says what it offers."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import assistant_stream_ce
import assistant_stream_langchain
import assistant_stream_langgraph

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

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


def modules() -> Iterator[ModuleType]:
    """Yield every module of the packages, private ones too."""
    for package in (assistant_stream_ce, assistant_stream_langchain, assistant_stream_langgraph):
        yield package
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.name.endswith(".__main__"):
                yield importlib.import_module(info.name)


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


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
class TestAll:
    def test_is_sorted_and_true(self, module: ModuleType) -> None:
        names = module.__all__

        assert isinstance(names, tuple)
        assert list(names) == sorted(set(names), key=rank)
        assert [name for name in names if not hasattr(module, name)] == []

    def test_is_complete(self, module: ModuleType) -> None:
        assert module.__file__
        defined = set(public_definitions(ast.parse(Path(module.__file__).read_text())))

        assert defined - set(module.__all__) == set()


def rank(name: str) -> tuple[int, str]:
    """Order constants before classes before the rest, as ruff's RUF022 does."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def public_definitions(tree: ast.Module) -> Iterator[str]:
    """Yield the names without an underscore that a module itself defines at its top level."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names = [name]
            case ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(targets=targets):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        # A logger is called `logger` everywhere and is nobody's API.
        yield from (name for name in names if not name.startswith("_") and name != "logger")
