"""Graphs that a function names, or takes from around it.

LangGraph itself looks for one in the function of a node. An agent that is a tool of another is in
the function of that tool, often behind a helper, or in a field of it.

Nothing of what is found is run: no property, no `__getattr__`. What is odd holds nothing.
"""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from sys import stdlib_module_names
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables import Runnable
from langgraph.pregel import Pregel

from .threads import Graph

__all__ = ("named_graphs",)

MOST = 5_000
"""Things that are looked into, the nearest first; the work must be bounded, whatever a module
holds. Not more than this wait for it either."""

_PLAIN = frozenset({bool, bytes, float, int, ModuleType, str, type(None)})
_APART = frozenset({*stdlib_module_names, "pydantic", "typing_extensions"})
"""Packages that know of no graph."""
_LIBRARIES = _APART | {"langchain", "langchain_core", "langgraph"}
"""Packages whose classes call no graph that is not in a field of theirs."""
_ABOUT = frozenset({"__annotations__", "__dataclass_fields__", "__pydantic_fields__"})
"""What a class knows of its fields, and does not call."""

_DEPTH = 3
"""How many names may be joined by dots: `package.module.agent`."""


def named_graphs(runnables: Iterable[object]) -> Iterator[Graph]:
    """The graphs that can be seen to be called when one of `runnables` is."""
    seen: dict[int, object] = {}
    waiting: deque[Any] = deque(islice(runnables, MOST))
    while waiting and len(seen) < MOST:
        current = waiting.popleft()
        if id(current) in seen:
            continue
        seen[id(current)] = current
        if issubclass(type(current), Pregel):  # Not `isinstance`, which asks a proxy.
            yield current
            continue
        with suppress(Exception):
            found = islice(_inside(current), MOST - len(waiting))
            waiting.extend(value for value in found if type(value) not in _PLAIN)


def _inside(value: Any) -> Iterator[Any]:
    """What may be, or name, a graph in something that does."""
    kind: type[Any] = type(value)
    if kind is FunctionType:
        yield from () if _home(value) in _APART else _around(value)
    elif kind is MethodType:
        yield from (value.__func__, type(value.__self__), *_held(value.__self__))
    elif kind in (classmethod, staticmethod):
        yield value.__func__
    elif issubclass(kind, partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif issubclass(kind, dict):
        yield from [*dict.values(value)]
    elif issubclass(kind, (frozenset, list, set, tuple)):
        yield from [*value]
    elif issubclass(kind, type) and _home(value) not in _LIBRARIES:
        fields = _fields_of(value).items()
        yield from (field for name, field in fields if name not in _ABOUT)
    elif _is_called(value):
        yield from (kind, *_held(value))


def _is_called(value: object) -> bool:
    """Whether something is a node or a tool, or a part of one."""
    kind: type[object] = type(value)
    home = _home(kind)
    if issubclass(kind, BaseLanguageModel) or home in _APART:
        return False
    return issubclass(kind, Runnable) or callable(value) or home == "langgraph"


def _held(value: object) -> Iterator[Any]:
    """What an object has in its fields, and they in theirs."""
    for field in _fields_of(value).values():
        yield field
        if not issubclass(type(field), (FunctionType, ModuleType, type)):
            yield from _fields_of(field).values()


def _around(function: FunctionType) -> Iterator[Any]:
    """The values that a function may use: what it has by default, what it closes over, and what
    its code names."""
    home = _home(function)
    for value in _used(function):
        # What a library does inside is its own affair.
        if not issubclass(type(value), (FunctionType, type)) or _home(value) == home:
            yield value
    yield _fields_of(function).get("__wrapped__")


def _used(function: FunctionType) -> Iterator[Any]:
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    names: set[str] = set()
    codes = [function.__code__]
    for code in codes:
        names.update(code.co_names)
        codes.extend(item for item in code.co_consts if type(item) is CodeType)
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # It may be of a name that has no value yet.
            yield from _dotted(cell.cell_contents, names, _DEPTH)
    for name in names & function.__globals__.keys():
        yield from _dotted(function.__globals__[name], names, _DEPTH)


def _dotted(value: Any, names: set[str], depth: int) -> Iterator[Any]:
    """A value, and what code that has these names may take from it."""
    yield value
    owners: Any = (value, type(value)) if depth > 1 else ()
    for owner in owners:
        if _home(owner) in _APART:
            continue
        fields = _fields_of(owner)
        for name in names & fields.keys():
            yield from _dotted(fields[name], names, depth - 1)


def _home(value: Any) -> str:
    """The package that a module, a function or a class is from; of other things nothing."""
    name = "__name__" if type(value) is ModuleType else "__module__"
    known = issubclass(type(value), (FunctionType, ModuleType, type))
    module: Any = getattr(value, name, None) if known else None
    return module.partition(".")[0] if type(module) is str else ""


def _fields_of(value: object) -> dict[str, Any]:
    """What an object, a class or a module has in it, by name."""
    try:
        return {**object.__getattribute__(value, "__dict__")}
    except Exception:
        return {}  # It has none, or nothing that can be had.
