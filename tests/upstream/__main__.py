"""`python -m tests.upstream FOLDER`: run upstream's tests and compare with the listed differences.

FOLDER holds the sdist of `assistant-stream`; `make upstream-tests` downloads it. It is unpacked
beside itself and its tests run in a process of their own, in which `assistant_stream` is this
package. The Redis tests get a server of their own where `redis-server` is installed.

With `--table` instead: print the table for `docs/upstream.md`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.resumable.redis_server import RedisServer

from .differences import VERSION, differences, table

_IS_OURS = """
import assistant_stream, assistant_stream_ce
assert assistant_stream.create_run is assistant_stream_ce.create_run, assistant_stream.__file__
"""


def main() -> int:
    """Run, compare and say what does not fit; the exit status is 1 if anything does not."""
    parser = argparse.ArgumentParser(prog="python -m tests.upstream", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")
    parser.add_argument("--table", action="store_true", help="print the table for the docs")
    arguments = parser.parse_args()
    if arguments.table:
        print(table(), end="")
        return 0
    if arguments.folder is None:
        parser.error("name the folder of the sdist, or run `make upstream-tests`")
    outcomes = _run(_unpack(arguments.folder))
    wrong = _compare(outcomes)
    counts = {outcome: list(outcomes.values()).count(outcome) for outcome in _OUTCOMES}
    print(f"Upstream's tests: {', '.join(f'{counts[o]} {o}' for o in _OUTCOMES if counts[o])}.")
    print("\n".join(wrong) or "All that fail are listed differences.")
    return 1 if wrong else 0


_OUTCOMES = ("passed", "failed", "skipped")


def _unpack(folder: Path) -> Path:
    """Unpack the sdist; returns the folder that holds `tests`."""
    name = f"assistant_stream-{VERSION}"
    with tarfile.open(folder / f"{name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder.resolve() / name


def _run(project: Path) -> dict[str, str]:
    """Run the tests; returns each one's outcome by `file::name`."""
    with tempfile.TemporaryDirectory() as folder, _redis(Path(folder)) as redis:
        report = Path(folder, "report.xml")
        environment = {**os.environ, **redis}
        subprocess.run([sys.executable, "-c", _IS_OURS], env=environment, cwd=folder, check=True)
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "tests"),
                *("-q", "--tb=short", "-p", "no:cacheprovider", "-p", "no:langsmith_plugin"),
                *("-k", "not trio", f"--junit-xml={report}"),
            ],
            env=environment,
            cwd=project,
            check=False,
            stdout=subprocess.DEVNULL,
        )
        cases = ET.parse(report).iter("testcase")
        return {_name(case): _outcome(case) for case in cases}


def _name(case: ET.Element) -> str:
    module = case.get("classname", "").rpartition(".")[2]
    name = case.get("name", "").partition("[")[0]
    return f"{module}.py::{name}" if module else name


def _outcome(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def _compare(outcomes: dict[str, str]) -> list[str]:
    """What does not fit, one line each."""
    listed = {name for difference in differences() for name in difference.tests}
    failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
    return [
        *(f"{name} fails and is no listed difference." for name in sorted(failed - listed)),
        *(f"{name} is listed and does not fail." for name in sorted(listed - failed)),
        *([] if outcomes else ["No test was run."]),
    ]


@contextmanager
def _redis(folder: Path) -> Iterator[dict[str, str]]:
    """The environment for the Redis tests, with a server; empty where there is none."""
    if shutil.which("redis-server") is None:
        yield {}
        return
    server = RedisServer(folder, keeps_data=False)
    server.start()
    try:
        yield {"REDIS_URL": f"unix://{server.socket}", "REDIS_TESTS": "1"}
    finally:
        server.kill()


sys.exit(main())
