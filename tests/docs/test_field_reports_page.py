"""The page of field reports says what the tests show, and no report is without a test."""

from __future__ import annotations

from tests.field_reports.report_list import PAGE, REPORTS, page, told


def test_the_page_is_what_the_tests_say() -> None:
    assert PAGE.read_text() == page(), (
        "run `python -m tests.field_reports.report_list` to write it anew"
    )


def test_every_report_has_a_test() -> None:
    tested = {(test.group, test.number) for tests in told().values() for test in tests}
    reported = {(group, number) for group, numbers in REPORTS.items() for number in numbers}
    assert sorted(reported - tested) == []
