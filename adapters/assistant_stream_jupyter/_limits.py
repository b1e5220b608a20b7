"""How much of a run one update, or the saved view, may show."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("FINAL", "LIVE", "Limits")


@dataclass(frozen=True)
class Limits:
    """Bounds of one rendering; what is left out says so."""

    parts: int
    """Parts of a message, counted from its end."""
    text: int
    """Characters of the last text of a message."""
    older_text: int
    """Characters of every other text."""
    nodes: int
    """Values in a tree of JSON."""
    string: int
    """Characters of a string in such a tree, or of a tool's text."""
    image: int
    """Characters of the data of an image."""
    depth: int = 4
    """Levels of transcripts within transcripts."""


LIVE = Limits(parts=30, text=16_000, older_text=4_000, nodes=120, string=1_500, image=60_000)
"""While a run goes on: a few kilobytes as a rule, however long the run is."""

FINAL = Limits(
    parts=2_000, text=2_000_000, older_text=500_000, nodes=600, string=8_000, image=4_000_000
)
"""The view that stays: the whole answer, with very large values cut."""
