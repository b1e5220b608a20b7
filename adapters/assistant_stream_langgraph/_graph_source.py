"""The graph that an app serves: one for all requests, or one that is made for each."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from ._access import awaited
from .threads import Graph, GraphError, is_graph

__all__ = ("Checkpointer", "GraphFactory", "GraphSource", "create_graph_source")

GraphFactory: TypeAlias = Callable[[RunnableConfig], Graph | Awaitable[Graph]]
"""Makes the graph of a request from its config; may be async."""

Checkpointer: TypeAlias = BaseCheckpointSaver[Any]


@dataclass(frozen=True, slots=True)
class GraphSource:
    """Where the graph of a request comes from."""

    graph: Graph | None
    """The one for all requests, if there is one."""
    factory: GraphFactory | None
    checkpointer: Checkpointer | None
    """The one that was asked for."""
    memory: InMemorySaver
    """For a graph that has none of its own."""

    @property
    def keeper(self) -> Checkpointer | None:
        """What keeps the threads; `None` when each request may bring its own."""
        return self.checkpointer if self.graph is None else _checkpointer_of(self.graph)

    async def open(self, config: RunnableConfig) -> Graph:
        """Return the graph that runs with `config`.

        Raises:
            GraphError: A factory has made something else, or a graph without messages.
        """
        if self.graph is not None:
            return self.graph
        assert self.factory is not None
        made: object = await awaited(self.factory(config))
        return _with_checkpointer(checked_graph(made), self.checkpointer, self.memory)


def create_graph_source(
    graph: Graph | GraphFactory, checkpointer: Checkpointer | None
) -> GraphSource:
    """Return where the graph of a request comes from.

    Raises:
        GraphError: `graph` is neither a compiled graph nor a function, or has no messages.
    """
    memory = InMemorySaver()
    if callable(graph) and not is_graph(graph):
        return GraphSource(None, graph, checkpointer, memory)
    ready = _with_checkpointer(checked_graph(graph), checkpointer, memory)
    return GraphSource(ready, None, checkpointer, memory)


def checked_graph(graph: object) -> Graph:
    """Return `graph` if it can hold a conversation.

    Raises:
        GraphError: It cannot.
    """
    if not is_graph(graph):
        raise GraphError(
            f"`create_app` needs a compiled graph, not {type(graph).__name__}: call `.compile()`."
        )
    if "messages" not in graph.channels:
        raise GraphError(
            "The graph's state has no `messages` channel, so it cannot hold a conversation: add "
            "one, for example with `langgraph.graph.MessagesState`."
        )
    return graph


def _checkpointer_of(graph: Graph) -> Checkpointer | None:
    found: object = graph.checkpointer
    return found if isinstance(found, BaseCheckpointSaver) else None


def _with_checkpointer(
    graph: Graph, checkpointer: Checkpointer | None, memory: InMemorySaver
) -> Graph:
    if checkpointer is None and _checkpointer_of(graph) is not None:
        return graph
    # A copy: the graph may serve elsewhere too.
    return graph.copy({"checkpointer": checkpointer or memory})
