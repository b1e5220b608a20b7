"""The runs inside a chain, and what callbacks report of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.runnables.config import var_child_runnable_config

from ._message_index import NOWHERE, Place
from ._shapes import as_items, as_mapping
from .visibility import Action

__all__ = (
    "Run",
    "RunTree",
    "answers_in",
    "final_message",
    "is_interrupt",
    "token_message",
    "tool_output",
)


class Run:
    """One run. `inner_parent` is the tool call that the runs inside it are nested under."""

    __slots__ = (
        "call_id",
        "hidden",
        "inner_parent",
        "is_root",
        "is_sealed",
        "key",
        "native_schema",
        "parent_id",
        "parent_run_id",
        "place",
        "schema",
        "started_at",
        "time_to_first_token",
        "wire_id",
    )

    def __init__(self, run_id: UUID, parent_run_id: UUID | None, around: Run | None) -> None:
        self.key = str(run_id)
        self.place: Place = Place((*around.place.namespace, around.key)) if around else NOWHERE
        """The runs that this one is in, the outermost first."""
        self.is_root = around is None
        self.parent_run_id = parent_run_id
        self.parent_id: str | None = around.inner_parent if around else None
        self.inner_parent: str | None = self.parent_id
        self.is_sealed: bool = around.is_sealed if around else False
        """Whether everything inside is hidden, too."""
        self.hidden = self.is_sealed
        self.call_id: str | None = None
        self.wire_id: str | None = None
        """The id on the wire of the call that a tool's run answers."""
        self.schema: str | None = None
        """The schema of a model run whose whole answer is a value."""
        self.native_schema: str | None = None
        """The schema of one whose text is a value when it calls no tool."""
        self.time_to_first_token: float | None = None
        """In seconds, once it has come."""
        self.started_at = time.monotonic()

    def note_token(self) -> None:
        """Note that a token has come; the first one counts."""
        if self.time_to_first_token is None:
            self.time_to_first_token = time.monotonic() - self.started_at

    def apply(self, action: Action, *, is_named: bool) -> None:
        """Show the run as `action` says, and what runs inside it, when this run is named."""
        if action == "hide":
            self.hidden, self.is_sealed = True, is_named
        elif action == "inline":
            self.parent_id = self.inner_parent = None


class RunTree:
    """The runs that are going on."""

    def __init__(self) -> None:
        self._runs: dict[UUID, Run] = {}
        self._roots = 0

    def __contains__(self, run_id: UUID) -> bool:
        return run_id in self._runs

    def __len__(self) -> int:
        return len(self._runs)

    def unanswered(self) -> list[str]:
        """The calls, by their ids on the wire, whose tools are still at work."""
        return [run.wire_id for run in self._runs.values() if run.wire_id is not None]

    def begin(self, run_id: UUID, parent_run_id: UUID | None) -> Run:
        """Add a run. One whose parent is unknown is a root."""
        around = self._runs.get(parent_run_id) if parent_run_id else None
        # A tool that passes on the `config` it was given names the run around it instead of its
        # own, so LangChain's context tells better what this run is in.
        context_id = _context_run_id()
        inner = self._runs.get(context_id) if context_id else self._only_tool_in(parent_run_id)
        if inner is not None and inner.call_id is not None and _is_around(around, inner):
            around = inner
        run = self._runs[run_id] = Run(run_id, parent_run_id, around)
        self._roots += run.is_root
        return run

    def _only_tool_in(self, run_id: UUID | None) -> Run | None:
        """The tool in a run, if one is at work. A thread that the tool has started has no context,
        and the `config` that it was handed names the run around the tool."""
        if run_id is None:
            return None
        tools = [
            run
            for run in self._runs.values()
            if run.parent_run_id == run_id and run.call_id is not None
        ]
        return tools[0] if len(tools) == 1 else None

    def get(self, run_id: UUID) -> Run:
        """Return a run. One that began before the handler was there is shown, but never a root."""
        return self._runs.get(run_id) or Run(run_id, None, None)

    def end(self, run_id: UUID) -> bool:
        """Remove a run. Returns whether it was the last root."""
        run = self._runs.pop(run_id, None)
        if run is None or not run.is_root:
            return False
        self._roots -= 1
        return self._roots == 0


def _is_around(outer: Run | None, inner: Run) -> bool:
    """Whether `inner` runs inside `outer`, or `outer` is none of ours."""
    return outer is None or outer is inner or outer.key in inner.place.namespace


def _context_run_id() -> UUID | None:
    """The run that this code runs in, as LangChain's own context says."""
    callbacks = (var_child_runnable_config.get() or {}).get("callbacks")
    return callbacks.parent_run_id if isinstance(callbacks, BaseCallbackManager) else None


def token_message(token: Any, chunk: object) -> AIMessageChunk:
    """Return the message chunk that a token stands for; a plain model has only the token."""
    if isinstance(chunk, ChatGenerationChunk):
        message: BaseMessage = chunk.message
        if isinstance(message, AIMessageChunk):
            return message
        token = message.content
    return AIMessageChunk(content=token)


def final_message(response: LLMResult) -> AIMessage | None:
    """Return the answer of a model run."""
    generations = response.generations[0] if response.generations else []
    if not generations:
        return None
    generation = generations[0]
    if isinstance(generation, ChatGeneration):
        message: BaseMessage = generation.message
        return message if isinstance(message, AIMessage) else AIMessage(content=message.content)
    metadata = {**(response.llm_output or {}), **(generation.generation_info or {})}
    return AIMessage(content=generation.text, response_metadata=metadata)


def tool_output(output: Any, call_id: str) -> tuple[Any, Any, bool]:
    """Return the result, the artifact and whether it is an error, whatever a tool returned."""
    answers = list(answers_in(output))
    if not answers:
        # A `Command` without an answer only changes the graph's state, which is not a result.
        return None if _is_command(output) else output, None, False
    answer = next((a for a in answers if a.tool_call_id == call_id), answers[0])
    return answer.content, answer.artifact, getattr(answer, "status", None) == "error"


def answers_in(value: Any, depth: int = 5) -> Iterator[ToolMessage]:
    """Yield the tool messages in what a tool, a node or a chain returned.

    They stand in lists, in the values of a state, or in the update of a `Command`; the state's own
    data is not searched, and nothing that lies deeper than `depth`.
    """
    if isinstance(value, ToolMessage):
        yield value
    elif _is_command(value):
        yield from answers_in(value.update, depth)
    elif state := as_mapping(value):
        for items in state.values():
            yield from _answers_in_list(items, depth)
    else:
        yield from _answers_in_list(value, depth)


def _answers_in_list(value: Any, depth: int) -> Iterator[ToolMessage]:
    for item in as_items(value):
        if depth and (isinstance(item, (ToolMessage, list)) or _is_command(item)):
            yield from answers_in(item, depth - 1)


def _is_command(value: Any) -> bool:
    """Whether a value is LangGraph's `Command`, known without importing it, and without asking
    the value: a tool may return anything."""
    return any(
        base.__name__ == "Command" and base.__module__.startswith("langgraph.")
        for base in type(value).__mro__
    )


def is_interrupt(error: BaseException) -> bool:
    """Whether an error is LangGraph's way to pause or redirect a graph."""
    return any(base.__name__ == "GraphBubbleUp" for base in type(error).__mro__)
