"""What functions give back that was told before: `@entrypoint`, and the `@task`s that it calls.

A graph tells its state before its first step, and with it what was there before the run. A workflow
has none to tell. When it goes on after a pause, the tasks that had ended are not run again, nothing
is told of them, and the messages that they have returned come once more with what it returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from ._shapes import is_items

__all__ = ("Workflows", "is_entry", "is_of_call")

_Namespace = tuple[str, ...]

_ENTRY = "__start__"
"""What triggers the function of an `@entrypoint`; the nodes of a graph wait for other nodes."""

_CALL = "__pregel_push"

_RUN_PREFIX = "lc_run-"
"""How LangChain's own ids of what a model has said begin."""


class Workflows:
    """Knows the workflows of a run, and which of them go on after a pause."""

    def __init__(self) -> None:
        self.knows_past = False
        """Whether somebody has looked up what was told before of the graph itself; what graphs
        inside have returned stands elsewhere."""
        self._functions: set[tuple[_Namespace, str | None]] = set()
        """What calls tasks, or is no node; `None` for a whole namespace without a state."""
        self._begun: set[_Namespace] = set()
        """Namespaces of which something was told."""
        self._heard: set[_Namespace] = set()
        """Namespaces of which more than states is told."""
        self._resumed: set[_Namespace] = set()
        self._calls: dict[tuple[_Namespace, str], set[int]] = {}
        """The tasks that have spoken, by who has called them: which of its calls they are."""
        self._spoken: dict[_Namespace, Counter[str]] = {}
        """How many of them go by each name."""
        self._ended: dict[_Namespace, Counter[str]] = {}
        """How many tasks of each name have ended in this run, where the stream tells of that."""

    def resume(self) -> None:
        """The run goes on after a pause."""
        self._resumed.add(())

    def begin(self, namespace: _Namespace, node: str) -> None:
        """The function of a workflow begins."""
        self._begun.add(namespace)
        self._functions.add((namespace, node))

    def note_message(self, namespace: _Namespace, metadata: Mapping[str, Any]) -> None:
        """A message has come that is new, from where its metadata says."""
        self._begun.add(namespace)
        self._heard.add(namespace)
        path: Any = metadata.get("langgraph_path")
        *around, task = str(metadata.get("langgraph_checkpoint_ns", "")).split("|")
        # What a call says is told where the call is, or where its caller is.
        while around and _is_call(path):
            caller, namespace = around.pop(), tuple(around)
            number, path = path[2], path[1]
            self._functions.add((namespace, caller.partition(":")[0]))
            called = self._calls.setdefault((namespace, caller), set())
            if number not in called:
                called.add(number)
                self._spoken.setdefault(namespace, Counter())[task.partition(":")[0]] += 1
            task = caller
        if is_entry(metadata.get("langgraph_triggers")):
            self._functions.add((namespace, str(metadata.get("langgraph_node"))))

    def note_update(self, namespace: _Namespace, node: str) -> None:
        """A task has ended, or a function."""
        self._begun.add(namespace)
        self._heard.add(namespace)
        ended = self._ended.setdefault(namespace, Counter())
        if (namespace, node) not in self._functions:
            ended[node] += 1

    def has_updates(self, namespace: _Namespace) -> bool:
        """Whether what a function has returned is told by its update."""
        return namespace in self._ended

    def begins(self, namespace: _Namespace, *, has_state: bool) -> bool:
        """A state, or what a workflow has returned, is told. Whether nothing was told before it:
        then it was there before the run, and a workflow that has such a thing goes on."""
        is_first = namespace not in self._begun
        self._begun.add(namespace)
        if not has_state:
            self._functions.add((namespace, None))
            if is_first:
                self._resumed.add(namespace)
        return is_first or not self._has_function(namespace)

    def is_resumed(self, namespace: _Namespace) -> bool:
        """Whether the workflow of a namespace goes on after a pause, by its own first word."""
        return namespace in self._resumed

    def gives_back(
        self,
        namespace: _Namespace,
        node: str | None,
        message: BaseMessage,
        *,
        in_conversation: bool = False,
    ) -> bool:
        """Whether a message of which nothing is known was told before the pause: one of a model,
        for what models say now has been streamed. What was made by hand may be new.

        Args:
            namespace: Where it was returned.
            node: The function.
            message: The message.
            in_conversation: Whether others stand beside it that no task has just made.
        """
        return (
            (namespace in self._resumed or self._has_ended_before(namespace))
            and (namespace in self._heard or node is not None)
            and not (self.knows_past and not namespace)
            and _is_of_model(message)
            and (
                (in_conversation and (namespace, None) in self._functions)
                or (namespace, node) in self._functions
                or (node is None and self._has_function(namespace))
            )
        )

    def _has_ended_before(self, namespace: _Namespace) -> bool:
        """Whether functions have called tasks of which nothing is told in this run, neither by
        what they say nor that they end, as far as the stream tells of both. One that has failed
        has not ended, but it may have spoken."""
        ended = self._ended.get(namespace)
        if ended is None:
            return False
        called = sum(max(n) + 1 for (found, _), n in self._calls.items() if found == namespace)
        return called > (ended | self._spoken.get(namespace, Counter())).total()

    def _has_function(self, namespace: _Namespace) -> bool:
        return any(found == namespace for found, _ in self._functions)


def _is_of_model(message: BaseMessage) -> bool:
    """Whether a complete message is one of a model, by what it leaves on them."""
    if not isinstance(message, AIMessage) or isinstance(message, AIMessageChunk):
        return False
    by_name = (message.id or "").startswith(_RUN_PREFIX)
    return by_name or bool(message.response_metadata or message.usage_metadata)


def is_of_call(metadata: Mapping[str, Any]) -> bool:
    """Whether what has this metadata was said in a `@task`."""
    return _is_call(metadata.get("langgraph_path"))


def _is_call(path: Any) -> bool:
    return (
        is_items(path)
        and len(path) == 4
        and path[0] == _CALL
        and isinstance(path[2], int)
        and path[-1] is True
    )


def is_entry(triggers: Any) -> bool:
    """Whether what has started a task says that it is the function of a workflow."""
    return is_items(triggers) and len(triggers) == 1 and triggers[0] == _ENTRY
