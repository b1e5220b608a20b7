"""Import time, each in a new interpreter."""

from __future__ import annotations

import os
import subprocess
import sys

from .measure import Case
from .memory import ROOT

_PROGRAM = """
import time
start = time.process_time()
import {module}
print((time.process_time() - start) * 1e3)
"""


def milliseconds(module: str, *folders: str) -> float:
    """Milliseconds that `import module` takes in a new interpreter."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    output = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(module=module)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return float(output)


def cases() -> list[Case]:
    """What is measured of imports."""
    folders = (str(ROOT), str(ROOT / "adapters"))
    peer = os.environ["ASSISTANT_STREAM_UPSTREAM"]
    return [
        Case(
            "import starlette.responses (the floor)",
            "ms",
            lambda: milliseconds("starlette.responses"),
        ),
        Case(
            "import assistant_stream_ce",
            "ms",
            lambda: milliseconds("assistant_stream_ce", *folders),
            lambda: milliseconds("assistant_stream", peer),
        ),
    ]
