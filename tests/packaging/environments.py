"""A fresh virtual environment, and programs run in it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    """Run a program to its end and return what it printed; fail with everything it said."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@dataclass(frozen=True)
class Environment:
    """A virtual environment without this project, until something installs it."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    def pip(self, *arguments: str | Path, **env: str) -> None:
        run(
            sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check",
            "--python", self.python, *arguments,
            cwd=self.root, **env,
        )  # fmt: skip

    def install(self, *what: str | Path) -> None:
        self.pip("install", "--no-deps", "--no-build-isolation", *what)

    def execute(self, program: str) -> str:
        """Run a Python program from a folder that has nothing to do with the repository."""
        return run(self.python, "-c", program, cwd=self.root)
