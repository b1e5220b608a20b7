"""A small crowd: readers, some who drop, some who stall, some who come back. No run is lost."""

from __future__ import annotations

import pytest

import assistant_stream_ce
from tests.load.cpu_clock import PACE, p99_gap
from tests.load.crowd import measure


@pytest.mark.timeout(150)
def test_no_run_is_lost() -> None:
    figures = measure("ours", runs=20, pace=0.005)

    assert figures.problems == ()
    assert (figures.lost_runs, figures.lost_answers) == (0, 0)
    assert figures.peak < 100


def test_many_streams_hardly_hold_each_other_up() -> None:
    assert p99_gap(assistant_stream_ce) < PACE * 1e3 + 5
