"""Graphs that a function names, or takes from around it.

LangGraph itself looks for one in the function of a node. An agent that is a tool of another is in
the function of that tool, often behind a helper.
"""

# LangChain ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from types import CodeType, FunctionType, MethodType
from typing import Any

from langchain_core.runnables import RunnableBinding, RunnableSequence
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode

from ._shapes import is_dict, is_items
from .threads import Graph, is_graph

__all__ = ("named_graphs",)

MOST = 2_000
"""Things that are looked at; the work must be bounded, whatever a module holds."""

_FUNCTIONS = ("func", "afunc", "coroutine")
"""Where runnables, tools and tasks have theirs."""


def named_graphs(runnables: Iterable[object]) -> Iterator[Graph]:
    """The graphs that can be seen to be called when one of `runnables` is."""
    seen: dict[int, object] = {}
    waiting = [*runnables]
    while waiting and len(seen) < MOST:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen[id(current)] = current
        if is_graph(current):
            yield current
        else:
            waiting.extend(islice(_inside(current), MOST))


def _inside(value: Any) -> Iterator[Any]:
    """What may be, or name, a graph in something that does."""
    if isinstance(value, FunctionType):
        yield from _around(value)
    elif isinstance(value, MethodType):
        yield value.__func__
        yield from getattr(value.__self__, "__dict__", {}).values()
    elif isinstance(value, partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, RunnableBinding):
        yield value.bound
    elif isinstance(value, ToolNode):
        yield from value.tools_by_name.values()
    elif is_dict(value):
        yield from value.values()
    elif is_items(value):
        yield from value
    elif isinstance(value, (BaseTool, RunnableSequence)) or _is_of_langgraph(value):
        yield from getattr(value, "steps", ())
        yield from (getattr(value, name, None) for name in _FUNCTIONS)


def _around(function: FunctionType) -> Iterator[Any]:
    """The values that a function may use: what it closes over, and what its code names."""
    home = function.__module__.partition(".")[0]
    for value in _used(function):
        # What a library does inside is its own affair.
        if not isinstance(value, FunctionType) or value.__module__.partition(".")[0] == home:
            yield value
    yield getattr(function, "__wrapped__", None)


def _used(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # It may be of a name that has no value yet.
            yield cell.cell_contents
    names: set[str] = set()
    codes = [function.__code__]
    for code in codes:
        names.update(code.co_names)
        codes.extend(item for item in code.co_consts if isinstance(item, CodeType))
    yield from (function.__globals__[name] for name in names if name in function.__globals__)


def _is_of_langgraph(value: object) -> bool:
    """LangGraph's runnables and tasks, which have no public classes."""
    return type(value).__module__.startswith("langgraph.")
