"""`python -m tests.load`: many runs at once on one process, ours and upstream's in turn."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import assistant_stream_ce
from tests.bench.peers import upstream

from .cpu_clock import PACE, STREAMS, p99_gap
from .crowd import Figures, Package, measure


def main() -> int:
    """Measure, print a table, and fail when a run of ours was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--pace", type=float, default=0.1, help="seconds that a token takes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results here")
    options = parser.parse_args()
    packages: list[Package] = ["ours"]
    if os.environ.get("ASSISTANT_STREAM_UPSTREAM"):
        packages.append("upstream")
    found: dict[Package, Figures] = {}
    for package in packages:
        print(f"{package}: {options.runs} runs, a token in {options.pace} s ...", file=sys.stderr)
        found[package] = measure(package, options.runs, options.pace)
    gaps = {package: p99_gap(_module(package)) for package in packages}
    print(f"{options.runs} runs at once (Python {platform.python_version()})\n{table(found)}")
    print(
        f"\n{STREAMS} bare streams, a chunk in {PACE * 1e3:g} ms each, on the CPU's own clock\n"
        + _line("gap between chunks, p99 (ms)", [_number(gap) for gap in gaps.values()])
    )
    for package, figures in found.items():
        for problem in figures.problems:
            print(f"{package}: {problem}", file=sys.stderr)
    if options.json:
        document = {
            package: {**asdict(figures), "cpu_clock_gap": gaps[package]}
            for package, figures in found.items()
        }
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    ours = found["ours"]
    return 1 if ours.lost_runs or ours.lost_answers else 0


def _module(package: Package) -> ModuleType:
    if package == "ours":
        return assistant_stream_ce
    upstream("serialization")
    return upstream()


def table(found: dict[Package, Figures]) -> str:
    """The figures as a table for a terminal, a column for each package."""
    rows: list[tuple[str, list[float]]] = [
        ("runs without a complete answer in the thread", [f.lost_runs for f in found.values()]),
        ("clients without the whole answer", [f.lost_answers for f in found.values()]),
        ("first byte, median (ms)", [f.first_byte[0] for f in found.values()]),
        ("first byte, p99 (ms)", [f.first_byte[1] for f in found.values()]),
        ("first token, median (ms)", [f.first_token[0] for f in found.values()]),
        ("first token, p99 (ms)", [f.first_token[1] for f in found.values()]),
        ("gap between chunks, median (ms)", [f.gap[0] for f in found.values()]),
        ("gap between chunks, p99 (ms)", [f.gap[1] for f in found.values()]),
        ("gap between chunks, longest (ms)", [f.gap[2] for f in found.values()]),
        ("CPU of the server (s)", [f.cpu for f in found.values()]),
        ("until the last answer (s)", [f.seconds for f in found.values()]),
        ("peak memory, growth (MiB)", [f.peak for f in found.values()]),
    ]
    lines = [_line("", list(found))]
    lines.extend(_line(name, [_number(value) for value in values]) for name, values in rows)
    return "\n".join(lines)


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:<46}" + "".join(f"{cell:>12}" for cell in cells)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:,.1f}"


if __name__ == "__main__":
    sys.exit(main())
