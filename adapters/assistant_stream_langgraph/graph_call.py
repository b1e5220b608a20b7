"""What a stream of `stream_graph` was made from, so that a paused run can go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from assistant_stream_ce.typing import ChunkStream

__all__ = ("GraphCall", "graph_call", "remember_call")


@dataclass(frozen=True)
class GraphCall:
    """A graph, and how it was called."""

    graph: Any
    config: Any
    options: Mapping[str, Any]
    """Further arguments of `graph.astream`."""


_calls: WeakKeyDictionary[ChunkStream, GraphCall] = WeakKeyDictionary()


def remember_call(stream: ChunkStream, call: GraphCall) -> None:
    """Remember what `stream` was made from, for as long as it is there."""
    _calls[stream] = call


def graph_call(stream: object) -> GraphCall | None:
    """Return what `stream` was made from, if it is one of `stream_graph`."""
    try:
        return _calls.get(stream)  # type: ignore[call-overload, no-any-return]
    except TypeError:  # it cannot be referred to weakly, so it is none
        return None
