"""`python -m tests.bench [GROUP ...]`: print a table, and JSON to a file with `--json FILE`."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import platform
import sys
from pathlib import Path

from .measure import Result, measure, table

GROUPS = ("runs", "state", "translator", "compat", "langgraph", "app", "imports", "http")


def main() -> None:
    """Run the groups that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results here")
    arguments = parser.parse_args()
    unknown = set(arguments.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    logging.disable(logging.WARNING)
    results: dict[str, list[Result]] = {}
    for group in arguments.groups or GROUPS:
        found: list[Result] = []
        for case in importlib.import_module(f".{group}", __package__).cases():
            print(f"{group}: {case.name} ...", file=sys.stderr)
            found.append(measure(case))
        results[group] = found
        print(f"\n{group} (Python {platform.python_version()})\n{table(found)}\n", flush=True)
    if arguments.json:
        document = {name: [r.as_json() for r in found] for name, found in results.items()}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")


main()
