"""The page's own checks: its types, and the parts of it that need no browser."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.browser.chat import REPOSITORY
from tests.browser.conftest import unavailable

WEB = REPOSITORY / "assistant_stream_ce" / "server" / "playground" / "web"


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_source_passes_its_own_checks(script: str) -> None:
    npm = shutil.which("npm")
    if npm is None or not (WEB / "node_modules").is_dir():
        unavailable("The page's packages are not installed: `make page` installs them.")

    result = subprocess.run(
        [npm, "run", script, "--silent"], cwd=WEB, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr
