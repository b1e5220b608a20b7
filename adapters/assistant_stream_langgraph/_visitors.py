"""Messages of graphs inside, in the mirrored conversation of a stream without `values`.

Nothing says before the end of such a graph whether it works on the conversation around it. So what
it says is shown, and stays when the graph around it writes it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ("Visitors", "in_order")


class Visitors:
    """The dicts in the list that graphs inside have told, and the graph itself has not."""

    def __init__(self) -> None:
        self._items: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __contains__(self, item: object) -> bool:
        """Whether it is this very dict."""
        return any(visitor is item for visitor in self._items)

    def add(self, item: Any) -> None:
        """A graph inside has told a message."""
        self._items.append(item)

    def forget(self, item: Any) -> None:
        """Another dict has taken the place of this one."""
        self._items = [visitor for visitor in self._items if visitor is not item]

    def place_of(self, message: Mapping[str, Any], items: Sequence[Any]) -> int | None:
        """Where in `items` a graph inside has put the same message under another id, or none."""
        said = {**message, "id": None}
        for visitor in self._items:
            if {**visitor, "id": None} == said:
                return next((n for n, item in enumerate(items) if item is visitor), None)
        return None


def in_order(items: Sequence[Any], places: Sequence[int]) -> list[Any]:
    """The items with those at `places` in this order; they keep these places between them."""
    ordered = [*items]
    for place, old in zip(sorted(places), places, strict=True):
        ordered[place] = items[old]
    return ordered
