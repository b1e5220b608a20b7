"""`astream_events`, versions 1 and 2: the events of runs, as those of the graph.

These events come from callbacks, so the graph's own stream stands in them only as what its run
has yielded. The rest is put together from the runs of nodes: their inputs tell the state before a
step, their outputs what they have written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.messages import BaseMessage
from langgraph.types import Command

from ._revive import as_message, with_messages
from ._shapes import as_items, is_items, is_mapping
from ._update_task import of_task
from ._workflows import is_entry

__all__ = ("RunEvents", "is_run_event")

_Event: TypeAlias = tuple[tuple[str, ...], str, Any]
_Place: TypeAlias = tuple[tuple[str, ...], Mapping[str, Any]]

_UNSTREAMED = frozenset({"nostream", "langsmith:nostream"})
"""Tags of model calls that `stream_mode="messages"` leaves out, and `astream_events` does not."""

_NODE_TAG = "graph:step:"


def is_run_event(event: Any) -> bool:
    """Whether `event` is one of `astream_events` before version 3."""
    return (
        is_mapping(event)
        and "run_id" in event
        and isinstance(event.get("event"), str)
        and event["event"].startswith("on_")
    )


class RunEvents:
    """Reads the events of one stream.

    Args:
        read_yield: Reads what the graph's run has yielded, which is what `astream` would have.
    """

    def __init__(self, read_yield: Callable[[Any], Sequence[_Event]]) -> None:
        self._read_yield = read_yield
        self._first_run: str | None = None
        self._graph_run: str | None = None
        self._yields = True
        """Whether the graph's run tells its own stream; inside a chain it does not."""
        self._places: dict[str, _Place | None] = {}
        """Where each model's run is; `None` if it is not to be streamed."""
        self._streamed: set[str] = set()
        self._nodes: set[str] = set()
        self._steps: dict[tuple[str, ...], Any] = {}
        self._ended: list[tuple[Any, str, list[Any]]] = []
        """Nodes that have ended: the name, the task, and what it has written."""
        self._inner: dict[str, tuple[str, ...]] = {}
        """The namespaces of the graphs inside, by their runs; only their nodes tell them apart."""

    def read(self, event: Mapping[str, Any]) -> Sequence[_Event]:
        """The graph events in `event`."""
        kind, run_id = event["event"], str(event["run_id"])
        data: Mapping[str, Any] = event.get("data") or {}
        if kind == "on_chat_model_stream":
            return self._on_token(run_id, event, data.get("chunk"))
        if self._first_run is None:
            self._first_run = run_id
        match kind:
            case "on_chat_model_end":
                return self._on_answer(run_id, event, data.get("output"))
            case "on_chain_start" if _resumes(event, data.get("input")):
                return (((), "resumed", None),)
            case "on_chain_start" if _is_node(event):
                return list(self._on_node_start(event, data.get("input")))
            case "on_chain_end" if _is_node(event):
                return self._on_node_end(event, data.get("output"))
            case "on_chain_end" if run_id == self._graph_run:
                return self._on_graph_end(data.get("output"))
            case "on_chain_end" if _is_subgraph(event):
                return self._on_subgraph_end(run_id, event, data.get("output"))
            case "on_chain_stream" if run_id in (self._graph_run, self._first_run):
                return self._on_yield(run_id, data.get("chunk"))
            case "on_custom_event":
                named = {"name": event.get("name"), "data": data}
                return ((_path_of(event)[:-1], "custom", named),)
            case _:
                return ()

    def _on_token(self, run_id: str, event: Mapping[str, Any], chunk: Any) -> Sequence[_Event]:
        place = self._place_of(run_id, event)
        message = as_message(chunk)
        if place is None or message is None:
            return ()
        self._streamed.add(run_id)
        return ((place[0], "messages", (message, place[1])),)

    def _on_yield(self, run_id: str, chunk: Any) -> Sequence[_Event]:
        if is_mapping(chunk) and "__metadata__" in chunk:
            # What comes from the cache of a node has no run of its own.
            self._graph_run = self._graph_run or run_id
            self._nodes.update(chunk)
        if run_id != self._graph_run and not (is_mapping(chunk) and "__interrupt__" in chunk):
            return ()  # A chain around the graph, with something else after it perhaps.
        if is_mapping(chunk) and chunk and self._nodes.issuperset(chunk):
            task = self._take_ended(chunk)
            update = with_messages(chunk)
            return (((), "updates", update if task is None else of_task(update, task)),)
        # A mode `messages` would tell every token a second time.
        return [event for event in self._read_yield(chunk) if event[1] != "messages"]

    def _on_answer(self, run_id: str, event: Mapping[str, Any], output: Any) -> Sequence[_Event]:
        place = self._place_of(run_id, event)
        del self._places[run_id]
        if run_id in self._streamed or place is None:
            self._streamed.discard(run_id)
            return ()
        message = as_message(_answer_in(output))
        return () if message is None else ((place[0], "messages", (message, place[1])),)

    def _on_node_start(self, event: Mapping[str, Any], given: Any) -> Iterator[_Event]:
        *outer, task = _path_of(event)
        namespace = tuple(outer)
        if not namespace and self._graph_run is None:
            parents = event.get("parent_ids")
            self._graph_run = parents[-1] if parents else self._first_run
            self._yields = self._graph_run == self._first_run
        if event.get("parent_ids"):
            self._inner[event["parent_ids"][-1]] = namespace
        self._nodes.add(str(event.get("name")))
        name, _, task_id = task.rpartition(":")
        yield (namespace, "tasks", {"name": name, "id": task_id, "input": given})
        metadata = event["metadata"]
        if is_entry(metadata.get("langgraph_triggers")):
            yield (namespace, "workflow", (name, given))
            return  # What it is given is no state.
        step = metadata.get("langgraph_step")
        if self._steps.get(namespace) == step or not is_mapping(given := with_messages(given)):
            return
        if not namespace and not event.get("parent_ids"):
            return  # Version 1 has no state at the end that would settle what this begins.
        # What is sent to a node with `Send` is no state.
        if "__pregel_pull" in as_items(metadata.get("langgraph_path"))[:1]:
            self._steps[namespace] = step
            yield (namespace, "input", given if event.get("parent_ids") else _named_in(given))

    def _on_node_end(self, event: Mapping[str, Any], output: Any) -> Sequence[_Event]:
        path, name = _path_of(event), event.get("name")
        writes = list(_writes_in(output))
        if len(path) == 1 and self._yields:
            self._ended.append((name, path[0], writes))
            return ()
        update = of_task(with_messages({name: writes}), "|".join(path))
        return ((path[:-1], "updates", update),)

    def _take_ended(self, update: Mapping[str, Any]) -> str | None:
        """The task of an update: nothing but what it has written can tell."""
        for ended in self._ended:
            name, task, writes = ended
            if name in update and _is_same([*as_items(update[name])], writes):
                self._ended.remove(ended)
                return task
        return None

    def _on_graph_end(self, output: Any) -> Sequence[_Event]:
        # Version 1 gives the updates of all nodes, which is no state. A channel may have the name
        # of a node.
        if not is_mapping(output) or self._nodes.issuperset({*output} - {"__interrupt__"}):
            return ()
        return (((), "output", with_messages(output)),)

    def _on_subgraph_end(
        self, run_id: str, event: Mapping[str, Any], output: Any
    ) -> Sequence[_Event]:
        # Only here a message gets its id that the subgraph's last node wrote without.
        namespace = self._inner.pop(run_id, None)
        if not is_mapping(output) or "__interrupt__" in output:
            return ()
        channels = with_messages(output)
        if event.get("parent_ids"):
            return () if namespace is None else ((namespace, "values", channels),)
        return ((_path_of(event), "values", _named_in(channels)),)

    def _place_of(self, run_id: str, event: Mapping[str, Any]) -> _Place | None:
        if run_id not in self._places:
            tags: Sequence[str] = event.get("tags") or ()
            shown = _UNSTREAMED.isdisjoint(tags)
            metadata: dict[str, Any] = {**(event.get("metadata") or {}), "tags": tags}
            self._places[run_id] = (_path_of(event)[:-1], metadata) if shown else None
        return self._places[run_id]


def _is_node(event: Mapping[str, Any]) -> bool:
    tags: Sequence[str] = event.get("tags") or ()
    return any(tag.startswith(_NODE_TAG) for tag in tags) and _path_of(event) != ()


def _is_subgraph(event: Mapping[str, Any]) -> bool:
    """Whether the run is a whole graph inside a task; what a graph's nodes run is deeper."""
    metadata: Mapping[str, Any] = event.get("metadata") or {}
    path = metadata.get("checkpoint_ns")
    return bool(path) and path == metadata.get("langgraph_checkpoint_ns")


def _resumes(event: Mapping[str, Any], given: Any) -> bool:
    """Whether the run of a graph goes on after a pause."""
    return isinstance(given, Command) and given.resume is not None and not _path_of(event)


def _path_of(event: Mapping[str, Any]) -> tuple[str, ...]:
    """The tasks that a run is in, the innermost last."""
    metadata: Mapping[str, Any] = event.get("metadata") or {}
    path: Any = metadata.get("langgraph_checkpoint_ns") or metadata.get("checkpoint_ns")
    return tuple(str(path).split("|")) if path else ()


def _named_in(channels: Mapping[str, Any]) -> dict[str, Any]:
    """Channels without the messages that have no id. Version 1 gives copies, so that nothing says
    whether such a message has been told."""
    return {
        key: [item for item in value if not isinstance(item, BaseMessage) or item.id]
        if is_items(value)
        else value
        for key, value in channels.items()
    }


def _answer_in(output: Any) -> Any:
    """The message in what a model's run has returned; version 1 has the whole result."""
    if is_mapping(output) and is_items(output.get("generations")):
        for generation in as_items(output["generations"][0]):  # A call that failed has none.
            return generation.get("message") if is_mapping(generation) else generation.message
        return None
    return output


def _is_same(first: Any, second: Any) -> bool:
    try:
        return bool(first == second)
    except (TypeError, ValueError):  # Of arrays, for example.
        return False


def _writes_in(output: Any) -> Iterator[Any]:
    for item in as_items(output):
        if not isinstance(item, Command):
            yield item
        elif item.graph is None and is_mapping(item.update):
            yield item.update
