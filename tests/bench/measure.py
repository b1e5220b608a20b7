"""How the benchmarks measure: ours and the peer in turn, in one process, medians and ratios.

A machine's speed drifts and neighbours make noise, so single seconds say little. Each case runs
ours and the peer's code alternately; what counts is the median of each and their ratio.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

__all__ = ("Case", "Result", "measure", "table")


@dataclass(frozen=True)
class Case:
    """One thing to measure. `ours` and `peer` do the work once and return the cost of one unit."""

    name: str
    unit: str
    ours: Callable[[], float]
    peer: Callable[[], float] | None = None
    goal: float | None = None
    """The cost to reach, in `unit`; from the project's design notes."""
    repeats: int = 7
    peer_name: str = "upstream"
    floor: Callable[[], float] | None = None
    """Work that both sides have to do in any case; what it takes in a round is taken off both."""


@dataclass(frozen=True)
class Result:
    """Medians of a case, in its unit; without the floor, where there is one."""

    name: str
    unit: str
    ours: float
    peer: float | None
    goal: float | None
    ours_range: tuple[float, float]
    peer_name: str
    floor: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times less than the peer ours takes."""
        return self.peer / self.ours if self.peer is not None and self.ours else None

    def as_json(self) -> dict[str, object]:
        """The result as a JSON object, with the ratio."""
        return {**asdict(self), "ratio": self.ratio}


def measure(case: Case) -> Result:
    """Run `case`: one warm-up of each side, then `repeats` rounds of all sides in turn.

    A case of a single round is not warmed up: it takes new processes.
    """
    sides = (case.floor, case.ours, case.peer)
    if case.repeats > 1:
        for side in sides:
            if side:
                side()
    floor: list[float] = []
    ours: list[float] = []
    peer: list[float] = []
    for _ in range(case.repeats):
        below, our, theirs = (_quietly(side) if side else 0.0 for side in sides)
        floor.append(below)
        ours.append(our - below)
        peer.append(theirs - below)
    return Result(
        case.name,
        case.unit,
        statistics.median(ours),
        statistics.median(peer) if case.peer else None,
        case.goal,
        (min(ours), max(ours)),
        case.peer_name,
        statistics.median(floor) if case.floor else None,
    )


def _quietly(work: Callable[[], float]) -> float:
    gc.collect()
    gc.disable()
    try:
        return work()
    finally:
        gc.enable()


def table(results: Sequence[Result]) -> str:
    """The results as a table for a terminal."""
    rows = [("case", "unit", "floor", "ours", "min..max", "peer", "", "ratio", "goal")]
    for result in results:
        low, high = result.ours_range
        rows.append(
            (
                result.name,
                result.unit,
                _number(result.floor),
                _number(result.ours),
                f"{_number(low)}..{_number(high)}",
                _number(result.peer),
                "" if result.peer is None else result.peer_name,
                "" if result.ratio is None else f"{result.ratio:.1f}x",
                _number(result.goal),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
