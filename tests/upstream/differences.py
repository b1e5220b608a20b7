"""The list of intended differences, and its table in the documentation."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

__all__ = ("VERSION", "Difference", "differences", "table")

_LIST = Path(__file__).with_name("differences.toml")

VERSION: str = tomllib.loads(_LIST.read_text())["version"]
"""The version of upstream's package whose tests are run."""


@dataclass(frozen=True)
class Difference:
    """One thing we do otherwise, and the tests that show it."""

    title: str
    why: str
    tests: tuple[str, ...]


def differences() -> list[Difference]:
    """Read the list."""
    listed = tomllib.loads(_LIST.read_text())["difference"]
    return [Difference(d["title"], d["why"], tuple(d["tests"])) for d in listed]


def table() -> str:
    """The list as a Markdown table."""
    rows = ["| We differ | Why | Tests |", "|---|---|---|"]
    for difference in differences():
        tests = ", ".join(f"`{name.partition('::')[2]}`" for name in difference.tests)
        rows.append(f"| {difference.title} | {difference.why} | {tests} |")
    return "\n".join(rows) + "\n"
