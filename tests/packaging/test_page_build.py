"""The build hook packs a current page, or says what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hatchling.bridge.app import Application

from hatch_build import SKIP, PageBuildHook

Run = Callable[[], None]


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The page's source, in a project without anything else."""
    web = tmp_path / "assistant_stream_ce" / "server" / "playground" / "web"
    (web / "src").mkdir(parents=True)
    (web / "src" / "main.tsx").write_text("")
    (web / "package-lock.json").write_text("{}")
    return web


@pytest.fixture
def page(web: Path) -> Path:
    """The built page, a second newer than its source."""
    page = web.parent / "dist" / "index.html"
    page.parent.mkdir()
    page.write_text("built before")
    set_age(page, 0)
    for source in web.rglob("*"):
        set_age(source, 1)
    return page


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the hook with a `PATH` that has only the `bin` folder of the project in it."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv(SKIP, raising=False)
    hook = PageBuildHook(str(tmp_path), {}, None, None, "", "wheel", Application())  # type: ignore[arg-type]
    return lambda: hook.initialize("standard", {})


def set_age(path: Path, seconds: float) -> None:
    os.utime(path, (1_000_000 - seconds, 1_000_000 - seconds))


def install_npm(root: Path, *, exit_code: int = 0) -> None:
    """Put an `npm` on the path that notes what it is asked for, and builds a page."""
    (root / "bin").mkdir()
    npm = root / "bin" / "npm"
    npm.write_text(
        "#!/bin/sh\n"
        'echo "$1" >> asked; echo "npm says something"\n'
        '/bin/mkdir -p node_modules ../dist; echo "built now" > ../dist/index.html\n'
        f"exit {exit_code}\n"
    )
    npm.chmod(0o755)


def test_a_current_page_needs_no_npm(run: Run, page: Path) -> None:
    run()

    assert page.read_text() == "built before"


def test_no_page_and_no_npm_says_what_to_install(
    run: Run, web: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run()

    told = capsys.readouterr().err
    assert "Node.js" in told
    assert SKIP in told


def test_an_old_page_is_packed_with_a_warning_where_there_is_no_npm(
    run: Run, web: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_age(web / "src" / "main.tsx", -1)

    run()

    assert "older than its source" in capsys.readouterr().err


def test_a_missing_page_is_built(run: Run, web: Path, tmp_path: Path) -> None:
    install_npm(tmp_path)

    run()

    assert (web / "asked").read_text().split() == ["ci", "run"]
    assert (web.parent / "dist" / "index.html").read_text() == "built now\n"


def test_an_old_page_is_built_again(run: Run, web: Path, page: Path, tmp_path: Path) -> None:
    install_npm(tmp_path)
    set_age(web / "src" / "main.tsx", -1)

    run()

    assert page.read_text() == "built now\n"


def test_packages_that_are_installed_are_not_installed_again(
    run: Run, web: Path, tmp_path: Path
) -> None:
    install_npm(tmp_path)
    run()
    (web / "src" / "main.tsx").write_text("changed")
    set_age(web.parent / "dist" / "index.html", 9)

    run()

    assert (web / "asked").read_text().split() == ["ci", "run", "run"]


def test_what_an_sdist_holds_is_taken_as_it_is(
    run: Run, web: Path, page: Path, tmp_path: Path
) -> None:
    install_npm(tmp_path)
    (tmp_path / "PKG-INFO").write_text("")
    set_age(page, 9)

    run()

    assert page.read_text() == "built before"


def test_a_failed_build_shows_what_npm_said(
    run: Run, web: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install_npm(tmp_path, exit_code=1)

    with pytest.raises(SystemExit):
        run()

    told = capsys.readouterr().err
    assert "`npm ci" in told
    assert "npm says something" in told


def test_the_page_can_be_left_out(
    run: Run, web: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(SKIP, "1")

    run()

    assert not (web.parent / "dist").exists()
    assert SKIP in capsys.readouterr().err
