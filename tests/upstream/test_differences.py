"""The documentation names the same differences as the list that `make upstream-tests` holds to."""

from __future__ import annotations

from pathlib import Path

from tests.upstream.differences import VERSION, differences, table

PAGE = Path(__file__).parents[2] / "docs" / "upstream.md"


def test_the_documented_table_is_the_list() -> None:
    assert table() in PAGE.read_text()


def test_the_documentation_names_the_version() -> None:
    assert VERSION in PAGE.read_text()


def test_no_test_is_listed_twice() -> None:
    tests = [name for difference in differences() for name in difference.tests]
    assert len(tests) == len(set(tests))
