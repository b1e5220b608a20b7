"""What is in the files that go to the package index."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.packaging.environments import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = (
    "assistant_stream_ce",
    "assistant_stream_cli",
    "assistant_stream_jupyter",
    "assistant_stream_langchain",
    "assistant_stream_langgraph",
)


@pytest.fixture(scope="module")
def wheel_names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def sdist_names(sdist: Path) -> list[str]:
    with tarfile.open(sdist) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def test_wheel_has_the_packages_and_nothing_else_at_its_top(wheel_names: list[str]) -> None:
    top = {name.partition("/")[0] for name in wheel_names if ".dist-info/" not in name}

    assert top == {"assistant_stream.py", *PACKAGES}


@pytest.mark.parametrize("package", PACKAGES)
def test_wheel_says_that_a_package_is_typed(wheel_names: list[str], package: str) -> None:
    assert f"{package}/py.typed" in wheel_names


def test_wheel_has_the_built_page_and_not_its_source(wheel_names: list[str]) -> None:
    playground = [name for name in wheel_names if "/playground/" in name]

    assert "assistant_stream_ce/server/playground/dist/index.html" in playground
    assert [name for name in playground if "/web/" in name] == []


def test_wheel_has_no_tests_docs_or_caches(wheel_names: list[str]) -> None:
    unwanted = re.compile(r"(^|/)(tests?|docs|notebooks|node_modules|__pycache__)/")

    assert [name for name in wheel_names if unwanted.search(name)] == []


def test_sdist_has_what_a_build_needs_and_no_build_output(sdist_names: list[str]) -> None:
    wanted = {
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "adapters/assistant_stream.py",
        "assistant_stream_ce/py.typed",
        "assistant_stream_ce/server/playground/dist/index.html",
        "assistant_stream_ce/server/playground/web/package-lock.json",
        "hatch_build.py",
        "pyproject.toml",
    }
    unwanted = re.compile(r"(^|/)(node_modules|__pycache__|_build|\.venv|\.git|artefacts)(/|$)")

    assert wanted <= set(sdist_names)
    assert [name for name in sdist_names if unwanted.search(name)] == []


@pytest.mark.parametrize(
    "lock",
    sorted(REPOSITORY.glob("[a-z]*/**/package-lock.json")),
    ids=lambda lock: lock.parent.name,
)
def test_npm_locks_name_no_registry(lock: Path) -> None:
    if "node_modules" in lock.parts:
        pytest.skip("another project's lock")
    packages = json.loads(lock.read_text())["packages"]

    # A lock without addresses installs from whatever registry its user has.
    assert [name for name, package in packages.items() if "resolved" in package] == []
