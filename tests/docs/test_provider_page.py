"""The page of providers says what the tests show."""

from __future__ import annotations

from tests.adapters_langchain.provider_matrix import PAGE, page


def test_the_page_is_what_the_marks_say() -> None:
    assert PAGE.read_text() == page(), (
        "run `python -m tests.adapters_langchain.provider_matrix` to write it anew"
    )
