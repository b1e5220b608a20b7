"""Finding the graph that a command line names: `module:graph` or `path/agent.py:graph`."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, cast

from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from assistant_stream_langgraph._graph_source import GraphFactory
from assistant_stream_langgraph.threads import Graph, GraphError, is_graph

from ._target import dotted_name, is_file_name, split_target

__all__ = ("OpenedGraph", "find_target", "open_graph")

AsyncContext: TypeAlias = AbstractAsyncContextManager[object, bool | None]


def find_target(target: str) -> object:
    """Import what `target` names and return it: a graph, or something that makes one.

    Raises:
        GraphError: There is no such file, module or attribute, or the import failed.
    """
    place, name = split_target(target)
    module = _import_file(Path(place)) if is_file_name(place) else _import_module(place)
    names = graph_names(module)
    if name is None:
        if len(names) != 1:
            raise GraphError(f"say which graph to serve, as {place}:NAME; {_known(names)}.")
        name = names[0]
    try:
        return getattr(module, name)
    except AttributeError:
        raise GraphError(f"{place} has no attribute {name!r}; {_known(names)}.") from None


@dataclass(frozen=True, slots=True)
class OpenedGraph:
    """A graph that can be served."""

    graph: Graph
    factory: GraphFactory | None
    """Makes it anew from the config of a request."""

    @property
    def served(self) -> Graph | GraphFactory:
        """What `create_app` takes."""
        return self.factory or self.graph


async def open_graph(found: object, target: str, stack: AsyncExitStack) -> OpenedGraph:
    """Make a compiled graph out of `found`, in the event loop that will run it.

    Takes a compiled graph, a factory of one (sync or async, without arguments or with a config),
    and a factory that is an async context manager, which is left with `stack`. A factory that
    takes a config is called once here, to be sure of it, and for each request.

    Raises:
        GraphError: It is nothing of the kind, or the factory failed.
    """
    made, factory = found, None
    if not isinstance(found, Pregel | StateGraph) and callable(found):
        made, factory = await _make(found, target, stack)
    if is_graph(made):
        return OpenedGraph(made, factory)
    if isinstance(made, StateGraph):
        raise GraphError(f"{target} is a graph builder: call `.compile()` on it and serve that.")
    raise GraphError(f"{target} is not a graph but {_kind(made)}; serve a compiled graph.")


async def _make(
    factory: Any, target: str, stack: AsyncExitStack
) -> tuple[object, GraphFactory | None]:
    arguments = _factory_arguments(factory, target)
    try:
        made = factory(*arguments)
        if inspect.isawaitable(made):
            made = await made
        if isinstance(made, AbstractAsyncContextManager):
            opened = await stack.enter_async_context(cast("AsyncContext", made))
            return opened, None
    except Exception as error:
        raise GraphError(f"the factory {target} failed: {_reason(error)}") from error
    return made, cast("GraphFactory", factory) if arguments else None


def graph_names(module: ModuleType) -> list[str]:
    """The names in `module` that hold a compiled graph or a builder, in order of definition."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, Pregel | StateGraph) and not name.startswith("_")
    ]


def _import_module(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise GraphError(
                f"there is no module {error.name!r} here or among the installed packages."
            ) from error
        raise _import_failed(name, error) from error
    except (Exception, SystemExit) as error:
        raise _import_failed(name, error) from error


def _import_file(path: Path) -> ModuleType:
    path = path.resolve()
    if not path.is_file():
        raise GraphError(f"there is no file {path}.")
    if path.suffix != ".py":
        raise GraphError(f"{path} is not a Python file.")
    root, name = dotted_name(path)
    sys.path.insert(0, str(root))
    try:
        if "." in name:
            return importlib.import_module(name)
        return _execute(path, name)
    except (Exception, SystemExit) as error:
        raise _import_failed(str(path), error) from error


def _execute(path: Path, name: str) -> ModuleType:
    # A file may be called like a library that is loaded already; that library stays what it is.
    name = f"_served_{name}" if name in sys.modules else name
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise GraphError(f"{path} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _factory_arguments(factory: Any, target: str) -> tuple[object, ...]:
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):
        return ()
    required = [
        parameter
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if len(required) > 1 or any(p.kind is p.KEYWORD_ONLY for p in required):
        names = ", ".join(parameter.name for parameter in required)
        raise GraphError(
            f"the factory {target} needs arguments ({names}); it may take none, or a config."
        )
    return ({},) if required else ()


def _import_failed(place: str, error: BaseException) -> GraphError:
    return GraphError(f"importing {place} failed: {_reason(error)}")


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _known(names: list[str]) -> str:
    if not names:
        return "no graph is defined there"
    return f"graphs there: {', '.join(names)}"


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
