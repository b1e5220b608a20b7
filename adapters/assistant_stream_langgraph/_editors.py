"""Which stream transformers of a graph may edit what it tells.

A graph is compiled with factories of them (`compile(transformers=...)`), `create_agent` adds those
of its middleware. LangGraph runs them in `astream_events(version="v3")` alone, and of the graph
that is called alone.
"""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from ._named_graphs import named_graphs
from .threads import Graph, is_graph

__all__ = ("Editor", "stream_editors")

Editor: TypeAlias = Callable[[tuple[str, ...]], Any]
"""Makes a `langgraph.stream.StreamTransformer` for a namespace."""

_HARMLESS = (
    # They sort what is told, or leave out what is hidden here as well.
    ("langgraph.stream.", ""),
    ("langgraph.prebuilt.", "ToolCallTransformer"),
    ("langchain.agents.", "SubagentTransformer"),
    ("langchain.agents.", "InternalCallTransformer"),
)
"""Modules and names of transformers that edit nothing; without a name all of a package."""

_found: WeakKeyDictionary[object, tuple[Editor, ...]] = WeakKeyDictionary()


def stream_editors(graph: object) -> tuple[Editor, ...]:
    """Return the transformers that may edit the stream of a graph, in their order.

    Also those of graphs that can be seen to run inside it: subgraphs, and agents that a node or a
    tool names. One that is made within a node or a tool cannot be seen.
    """
    if not is_graph(graph):
        return ()
    # A graph of a class of one's own need not be hashable.
    with suppress(TypeError):
        if (found := _found.get(graph)) is not None:
            return found
    # By identity, for a factory need not be hashable either.
    editors = {id(e): e for each in _graphs_in(graph) for e in _editors_of(each)}
    found = tuple(editors.values())
    with suppress(TypeError):
        _found[graph] = found
    return found


def _editors_of(graph: Graph) -> Iterator[Editor]:
    for factory in getattr(graph, "stream_transformers", ()):
        if not _is_harmless(factory):
            yield factory


def _is_harmless(factory: object) -> bool:
    while isinstance(factory, partial):
        factory = factory.func
    if not isinstance(factory, type):
        return False
    module, name = factory.__module__, factory.__qualname__
    return any(module.startswith(m) and name == (n or name) for m, n in _HARMLESS)


def _graphs_in(graph: Graph) -> Iterator[Graph]:
    """The graph, and those that can be seen to run inside it."""
    seen = {id(graph)}
    waiting = [graph]
    while waiting:
        current = waiting.pop(0)
        yield current
        nodes = current.nodes.values()
        runnables: Any = ((*node.subgraphs, node.bound) for node in nodes)
        for found in named_graphs(chain.from_iterable(runnables)):
            if id(found) not in seen:
                seen.add(id(found))
                waiting.append(found)
