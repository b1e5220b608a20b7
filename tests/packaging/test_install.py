"""However the package is installed, another folder imports the same names."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

import assistant_stream_ce
import assistant_stream_langchain
import assistant_stream_langgraph
from tests.packaging.environments import REPOSITORY, Environment, run

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = (assistant_stream_ce, assistant_stream_langchain, assistant_stream_langgraph)

IMPORTS = """
import importlib.metadata, importlib.resources, json
import assistant_stream, assistant_stream_ce, assistant_stream_langchain, assistant_stream_langgraph
from assistant_stream import RunController, create_run
from assistant_stream.serialization.data_stream import DataStreamResponse

assert create_run is assistant_stream_ce.create_run
assert DataStreamResponse is assistant_stream_ce.DataStreamResponse
metadata = importlib.metadata.metadata("assistant-stream-ce")
assert metadata["Version"] == assistant_stream_ce.__version__
(script,) = importlib.metadata.entry_points(group="console_scripts", name="assistant-stream-ce")
page = importlib.resources.files("assistant_stream_ce") / "server" / "playground" / "dist"
names = {
    module.__name__: sorted(name for name in module.__all__ if getattr(module, name) is not None)
    for module in (assistant_stream_ce, assistant_stream_langchain, assistant_stream_langgraph)
}
print(json.dumps({
    "version": assistant_stream_ce.__version__,
    "names": names,
    "command": callable(script.load()),
    "page": "<div id=" in (page / "index.html").read_text(),
    "extras": metadata.get_all("Provides-Extra"),
}))
"""


@pytest.fixture(params=["folder", "editable", "sdist", "wheel"])
def installed(request: pytest.FixtureRequest, environment: Environment) -> Environment:
    match request.param:
        case "folder":
            environment.install(REPOSITORY)
        case "editable":
            environment.install("--editable", REPOSITORY)
        case distribution:
            environment.install(request.getfixturevalue(distribution))
    return environment


def test_every_way_to_install_gives_the_same_imports(installed: Environment) -> None:
    found = json.loads(installed.execute(IMPORTS))

    assert found == {
        "version": assistant_stream_ce.__version__,
        "names": {package.__name__: sorted(package.__all__) for package in PACKAGES},
        "command": True,
        "page": True,
        "extras": ["client", "notebook", "postgres", "redis", "serve"],
    }


def test_the_wheel_needs_no_node(environment: Environment, sdist: Path) -> None:
    """What the sdist holds was built already: a machine without Node can install it."""
    environment.pip("install", "--no-deps", "--no-build-isolation", sdist, PATH="/nowhere")

    assert environment.execute("import assistant_stream_ce") == ""


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the older package of the same import name."""
    folder = tmp_path_factory.mktemp("upstream")
    run(
        sys.executable, "-m", "pip", "-qq", "download", "--no-deps", "--dest", folder,
        "assistant-stream==0.0.36",
        cwd=folder,
    )  # fmt: skip
    (wheel,) = folder.iterdir()
    return wheel


@pytest.mark.parametrize(
    ("editable", "order", "removed"),
    [
        (True, ("upstream", "ours"), "upstream"),
        (True, ("ours", "upstream"), "ours"),
        (False, ("upstream", "ours"), "ours"),
        (False, ("ours", "upstream"), "upstream"),
    ],
)
def test_upstream_wins_where_it_is_installed_and_neither_breaks_the_other(
    environment: Environment,
    wheel: Path,
    upstream: Path,
    editable: bool,
    order: tuple[str, str],
    removed: str,
) -> None:
    ours: list[str | Path] = ["--editable", REPOSITORY] if editable else [wheel]
    for what in order:
        environment.install(*(ours if what == "ours" else [upstream]))

    assert owner(environment) == "upstream"
    assert environment.execute("from assistant_stream_ce import create_run") == ""

    name = "assistant-stream" if removed == "upstream" else "assistant-stream-ce"
    environment.pip("uninstall", "--yes", name)
    assert owner(environment) == ("ours" if removed == "upstream" else "upstream")


def owner(environment: Environment) -> str:
    """Say whose `create_run` it is that `assistant_stream` gives."""
    return environment.execute(
        "from assistant_stream import create_run as c; import assistant_stream.serialization;"
        "print('upstream' if c.__module__ == 'assistant_stream.create_run' else 'ours', end='')"
    )
