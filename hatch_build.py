"""Builds the chat page before a distribution is packed, so that installing one needs no Node."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "ASSISTANT_STREAM_CE_SKIP_PAGE"

NO_NPM = f"""\
The chat page has to be built, and `npm` was not found.
  - Install Node.js 20.19 or newer (https://nodejs.org, or `apt install nodejs npm`), or
  - install a released wheel or sdist, which has the page in it, or
  - set {SKIP}=1 to install without the page; the server then has no `GET /`.
"""

QUIET = ("--loglevel=error", "--no-audit", "--no-fund", "--no-update-notifier")


class PageBuildHook(BuildHookInterface[Any]):
    """Runs `npm ci` and `npm run build` when the page is missing or older than its source."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leave a current page in `dist`, or stop with what to do about it."""
        del version, build_data  # `dist` is listed under `artifacts` in pyproject.toml
        if os.environ.get(SKIP, "0") not in {"", "0"}:
            self.app.display_warning(f"{SKIP} is set: the chat page is left as it is.")
            return
        playground = Path(self.root, "assistant_stream_ce", "server", "playground")
        web, page = playground / "web", playground / "dist" / "index.html"
        # What an sdist holds belongs together, whatever the times of its files say.
        is_sdist = Path(self.root, "PKG-INFO").is_file()
        if page.is_file() and (is_sdist or _is_newer(page, web)):
            return
        npm = shutil.which("npm")
        if npm is not None:
            self._build(npm, web)
        elif page.is_file():
            self.app.display_warning("The chat page is older than its source: no `npm` here.")
        else:
            self.app.abort(NO_NPM)

    def _build(self, npm: str, web: Path) -> None:
        self.app.display_info("Building the chat page ...")
        installed = web / "node_modules" / ".installed"
        if not (installed.is_file() and _is_newer(installed, web / "package-lock.json")):
            self._run(npm, "ci", *QUIET, cwd=web)
            installed.touch()
        self._run(npm, "run", "build", *QUIET, cwd=web)

    def _run(self, *command: str, cwd: Path) -> None:
        result = subprocess.run(  # noqa: S603  our own commands
            command,
            cwd=cwd,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if result.returncode != 0:
            self.app.abort(
                f"The chat page could not be built: `npm {' '.join(command[1:])}` failed.\n"
                f"{result.stdout}\nNode.js 20.19 or newer is needed; {SKIP}=1 leaves the page out."
            )


def _is_newer(file: Path, source: Path) -> bool:
    made = file.stat().st_mtime
    return all(path.stat().st_mtime <= made for path in _files(source))


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    for folder, names, files in os.walk(source):
        if "node_modules" in names:
            names.remove("node_modules")
        yield from (Path(folder, name) for name in files)
