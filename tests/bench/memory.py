"""Memory of a run, in a new interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_PROGRAM = """
import asyncio
from pathlib import Path
from {package} import create_run

def used(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024

async def run(controller):
    controller.append_text("first")
    await asyncio.sleep(0.05)
    for _ in range(1_000_000):
        controller.append_text("tok ")

async def main():
    stream = create_run(run)
    await anext(stream)
    before = used("VmRSS")
    await asyncio.sleep(0.5)
    print(used("VmHWM") - before)
    await stream.aclose()

asyncio.run(main())
"""


def stalled_reader(package: str, folder: str) -> float:
    """MiB that a process grows by at its peak while a run makes 1,000,000 deltas and its reader
    has taken one and stopped."""
    output = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(package=package)],
        env={**os.environ, "PYTHONPATH": folder},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return float(output)
