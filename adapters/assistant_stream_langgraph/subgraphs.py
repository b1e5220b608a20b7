"""Which tool call started a subgraph.

LangGraph names a subgraph by its namespace, `("tools:<task id>",)`, and says nothing about the
call behind it. The `tasks` stream mode tells the call of a task; without it, the calls that wait
for a result in the parent namespace are the candidates, told apart by the subgraph's first input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage

from ._channels import messages_in
from ._shapes import as_items, is_mapping

__all__ = ("ToolCallOwners", "base_of", "calls_in")


class ToolCallOwners:
    """Follows the calls that wait for a result, and the subgraphs that appear meanwhile."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[str, ...]] = {}
        """Tool call id to the namespace that the call was made in."""
        self._calls: dict[str, tuple[str, Mapping[str, Any]]] = {}
        """Tool call id to the tool and the arguments, parsed."""
        self._tasks: dict[str, str] = {}
        """Task id to tool call id, from the `tasks` stream mode."""
        self._owners: dict[tuple[str, ...], str | None] = {}
        self._speakers: set[tuple[tuple[str, ...], Any]] = set()
        """Nodes whose model calls are not inside a tool."""

    def begin(self, tool_call_id: str, namespace: tuple[str, ...]) -> None:
        """A call was made in `namespace`."""
        self._waiting.setdefault(tool_call_id, namespace)

    def resume(self, channels: Mapping[str, Any], namespace: tuple[str, ...]) -> None:
        """Learn which calls wait in a conversation that goes on: those of its newest answer, if
        nothing but results has come since."""
        answered: set[str] = set()
        for message in reversed(list(messages_in(channels))):
            if isinstance(message, ToolMessage):
                answered.add(message.tool_call_id)
                continue
            for call in message.tool_calls if isinstance(message, AIMessage) else ():
                if call["id"] and call["id"] not in answered:
                    self.begin(call["id"], namespace)
            break

    def describe(self, message: AIMessage) -> None:
        """Learn the parsed arguments of a finished message's calls."""
        for call in message.tool_calls:
            if call["id"]:
                self._calls[call["id"]] = (call["name"], call["args"])

    def answer(self, tool_call_id: str) -> None:
        """A call got its result."""
        self._waiting.pop(tool_call_id, None)

    def start_task(self, payload: Any) -> list[str]:
        """Learn from the payload of a `tasks` event which call a task runs; returns its calls."""
        calls = calls_in(payload.get("input"))
        if len(calls) == 1:
            self._tasks[payload["id"]] = calls[0]
        return calls

    def start_subgraph(self, namespace: tuple[str, ...], channels: Mapping[str, Any]) -> None:
        """Learn from a subgraph's first state, which is its input."""
        if namespace not in self._owners:
            text = "\n".join(str(message.text) for message in messages_in(channels))
            self._owners[namespace] = self._find(namespace, text)

    def owner_of(self, namespace: tuple[str, ...]) -> str | None:
        """The id of the call that started the subgraph, or `None` when there is none or no
        telling which."""
        if not namespace:
            return None
        try:
            return self._owners[namespace]
        except KeyError:
            owner = self._owners[namespace] = self._find(namespace, None)
            return owner

    def owner_of_task(self, namespace: tuple[str, ...], metadata: Mapping[str, Any]) -> str | None:
        """The id of the call that a model call runs in.

        A tool may call a model without a subgraph: that is a model call in the namespace of the
        agent itself, from a node that had no voice so far, while calls made there wait.
        """
        task = str(metadata.get("langgraph_checkpoint_ns", "")).rpartition(":")[2]
        if task in self._tasks:
            return self._tasks[task]
        speaker = (namespace, metadata.get("langgraph_node"))
        if speaker not in self._speakers:
            candidates = self.waiting_in(namespace)
            if candidates:
                return candidates[0] if len(candidates) == 1 else None
            self._speakers.add(speaker)
        return self.owner_of(namespace)

    def waiting_in(self, namespace: tuple[str, ...]) -> list[str]:
        """The calls made in a namespace that have no result yet."""
        return [call for call, made_in in self._waiting.items() if made_in == namespace]

    def _find(self, namespace: tuple[str, ...], text: str | None) -> str | None:
        base = base_of(namespace)
        if not base:
            return None
        by_task = self._tasks.get(base[-1].rpartition(":")[2])
        if by_task is not None:
            return by_task
        parent = base[:-1]
        candidates = self.waiting_in(parent)
        if not candidates:
            return self.owner_of(parent)
        if len(candidates) > 1 and text is not None:
            candidates = self._untaken_of(candidates, text)
        return candidates[0] if len(candidates) == 1 else None

    def _untaken_of(self, candidates: list[str], text: str) -> list[str]:
        """The call that a subgraph with this input was started by, if it can be told."""
        lengths = {call: self._matched(call, text) for call in candidates}
        best = max(lengths.values())
        candidates = [call for call in candidates if best and lengths[call] == best]
        if len({self._calls[call][0] for call in candidates}) > 1:
            return []  # Not every tool starts a subgraph.
        taken = set(self._owners.values())
        # Calls of a tool with the same arguments start their subgraphs in their own order.
        return [call for call in candidates if call not in taken][:1]

    def _matched(self, tool_call_id: str, text: str) -> int:
        """How much of the text is an argument of the call."""
        _, args = self._calls.get(tool_call_id, ("", {}))
        return max((len(v) for v in args.values() if isinstance(v, str) and v in text), default=0)


def base_of(namespace: tuple[str, ...]) -> tuple[str, ...]:
    """The namespace of a task; its second subgraph is `("tools:<task id>", "1")`."""
    return namespace[:-1] if namespace and namespace[-1].isdigit() else namespace


def calls_in(task_input: Any) -> list[str]:
    """The ids of the tool calls that are a task's whole input."""
    if is_mapping(task_input) and "tool_call" in task_input:
        task_input = task_input["tool_call"]
    items = [item for item in as_items(task_input) if is_mapping(item)]
    return [item["id"] for item in items if item.get("type") == "tool_call" and item.get("id")]
