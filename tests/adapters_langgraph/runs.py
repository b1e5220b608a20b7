"""Runs of real graphs, and what a client makes of their chunks."""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_core._api import LangChainBetaWarning, LangChainDeprecationWarning
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage
from langgraph.pregel import Pregel
from langgraph.stream import StreamTransformer
from langgraph.types import Interrupt
from langgraph_sdk.schema import StreamPart
from pydantic import BaseModel

from assistant_stream_ce import (
    AssistantStreamChunk,
    DataPartChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce._json import to_json
from assistant_stream_ce.state import apply_operations
from assistant_stream_ce.testing import check_stream, collect
from assistant_stream_langgraph import from_langgraph_events
from assistant_stream_langgraph._edited_events import edited_events
from assistant_stream_langgraph._screen import Screen

__all__ = (
    "FORMS",
    "MODES",
    "Call",
    "Form",
    "Parts",
    "Run",
    "call",
    "new_messages_of",
    "play",
    "usage",
    "values_of",
)

Graph: TypeAlias = Pregel[Any, Any, Any, Any]
Events: TypeAlias = AsyncIterable[object] | Iterable[object]
Form: TypeAlias = Callable[[Graph, Any, Any], Events]

MODES = ["messages", "updates", "values", "custom"]


async def protocol_events(graph: Graph, given: Any, config: Any) -> AsyncIterator[object]:
    """`astream_events(version="v3")`, which LangGraph calls experimental."""
    with warnings.catch_warnings(action="ignore", category=LangChainBetaWarning):
        run: Any = await graph.astream_events(given, config, version="v3")
    async for event in run:
        yield event


def edited(graph: Graph, given: Any, config: Any) -> AsyncIterator[object]:
    """What `stream_graph` takes of a graph with a transformer of its own."""
    return edited_events(graph, Screen([Unchanged]), given, config, {})


class Unchanged(StreamTransformer):
    """Might edit all that it sees, and does not."""

    before_builtins = True

    def init(self) -> dict[str, Any]:
        return {}

    def process(self, event: Any) -> bool:
        return True


async def run_events_v1(graph: Graph, given: Any, config: Any) -> AsyncIterator[object]:
    """`astream_events(version="v1")`, which LangChain calls deprecated."""
    with warnings.catch_warnings(action="ignore", category=LangChainDeprecationWarning):
        async for event in graph.astream_events(given, config, version="v1"):
            yield event


async def server_parts(graph: Graph, given: Any, config: Any) -> AsyncIterator[object]:
    """What `langgraph_sdk` reads from a server: JSON, with the namespace in the event's name."""
    stream = graph.astream(given, config, stream_mode=[*MODES], subgraphs=True)
    async for namespace, mode, payload in stream:
        data = json.loads(json.dumps(payload, default=_dump))
        yield StreamPart("|".join((mode, *namespace)), data)


async def remote_tuples(graph: Graph, given: Any, config: Any) -> AsyncIterator[object]:
    """What `RemoteGraph.astream` yields."""
    stream = graph.astream(given, config, stream_mode=[*MODES], subgraphs=True)
    async for namespace, mode, payload in stream:
        yield (namespace, mode, json.loads(json.dumps(payload, default=_dump)))


def _dump(value: Any) -> Any:
    """As a LangGraph server dumps what JSON has no form for."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Interrupt):
        return {"value": value.value, "id": value.id}
    return sorted(value)


FORMS: dict[str, Form] = {
    "tuples": lambda graph, given, config: graph.astream(
        given, config, stream_mode=[*MODES], subgraphs=True
    ),
    "tuples and tasks": lambda graph, given, config: graph.astream(
        given, config, stream_mode=[*MODES, "tasks"], subgraphs=True
    ),
    "no subgraphs": lambda graph, given, config: graph.astream(given, config, stream_mode=[*MODES]),
    "v2": lambda graph, given, config: graph.astream(
        given, config, stream_mode=[*MODES], subgraphs=True, version="v2"
    ),
    "messages and values": lambda graph, given, config: graph.astream(
        given, config, stream_mode=["messages", "values"], subgraphs=True
    ),
    "messages and updates": lambda graph, given, config: graph.astream(
        given, config, stream_mode=["messages", "updates"], subgraphs=True
    ),
    "values": lambda graph, given, config: graph.astream(given, config, stream_mode="values"),
    "updates": lambda graph, given, config: graph.astream(given, config, stream_mode="updates"),
    "messages": lambda graph, given, config: graph.astream(given, config, stream_mode="messages"),
    "values and updates": lambda graph, given, config: graph.astream(
        given, config, stream_mode=["values", "updates"]
    ),
    "events v1": run_events_v1,
    "events v2": lambda graph, given, config: graph.astream_events(given, config, version="v2"),
    "events v3": protocol_events,
    "edited": edited,
    "server parts": server_parts,
    "remote tuples": remote_tuples,
}
"""The forms in which a user may hold a graph's stream."""


@dataclass
class Call:
    """A tool call as a client shows it."""

    name: str
    args: str = ""
    result: Any = None
    answered: bool = False
    is_error: bool = False
    parent_id: str | None = None


@dataclass
class Parts:
    """What the parts of a run add up to."""

    text: str = ""
    reasoning: str = ""
    calls: dict[str, Call] = field(default_factory=dict)
    nested_text: dict[str, str] = field(default_factory=dict)
    data: list[DataPartChunk] = field(default_factory=list)
    finish: MessageFinishChunk | None = None


@dataclass
class Run:
    """The chunks of a run."""

    chunks: list[AssistantStreamChunk]
    initial_state: Any = None

    @property
    def state(self) -> Any:
        """The state a client ends up with."""
        return self.states[-1]

    @property
    def states(self) -> list[Any]:
        """The state after each chunk that changes it, and before the first."""
        states = [self.initial_state]
        for chunk in self.chunks:
            if isinstance(chunk, UpdateStateChunk):
                states.append(apply_operations(states[-1], chunk.operations))
        return states

    @property
    def operations(self) -> list[Any]:
        """Every state operation, in order."""
        batches = [c.operations for c in self.chunks if isinstance(c, UpdateStateChunk)]
        return [operation for batch in batches for operation in batch]

    @property
    def parts(self) -> Parts:
        """The message a client ends up with."""
        parts = Parts()
        for chunk in self.chunks:
            _fold(parts, chunk)
        return parts

    @property
    def types(self) -> list[str]:
        """The types of the chunks, without repetitions."""
        types = [chunk.type for chunk in self.chunks]
        return [name for name, before in zip(types, ["", *types], strict=False) if name != before]


def _fold(parts: Parts, chunk: AssistantStreamChunk) -> None:
    match chunk:
        case TextDeltaChunk(text, None):
            parts.text += text
        case TextDeltaChunk(text, str(parent_id)):
            parts.nested_text[parent_id] = parts.nested_text.get(parent_id, "") + text
        case ReasoningDeltaChunk(text):
            parts.reasoning += text
        case ToolCallBeginChunk(call_id, name, parent_id):
            parts.calls[call_id] = Call(name, parent_id=parent_id)
        case ToolCallDeltaChunk(call_id, text) | ToolCallArgsTextFinishChunk(call_id, text):
            parts.calls[call_id].args += text
        case ToolResultChunk(call_id, result):
            found = parts.calls[call_id]
            found.result, found.answered, found.is_error = result, True, chunk.is_error
        case DataPartChunk():
            parts.data.append(chunk)
        case MessageFinishChunk():
            assert parts.finish is None, "a run has one message-finish"
            parts.finish = chunk
        case _:
            pass


async def play(events: Events, *, initial_state: Any = None, **options: Any) -> Run:
    """Translate a stream to its end; the chunks are checked to be well formed."""
    stream = from_langgraph_events(events, initial_state=initial_state, **options)
    chunks = await collect(stream)
    check_stream(chunks, initial_state=initial_state)
    return Run(chunks, initial_state)


async def values_of(graph: Graph, config: Any) -> Any:
    """What the graph's state holds, in JSON form."""
    return to_json((await graph.aget_state(config)).values)


def new_messages_of(messages: Sequence[Any]) -> Parts:
    """What the parts of a run add up to that has made these messages."""
    parts = Parts()
    for message in messages:
        if isinstance(message, AIMessage):
            parts.text += str(message.text)
            for made in message.tool_calls:
                parts.calls[made["id"] or ""] = Call(made["name"])
        elif isinstance(message, ToolMessage):
            found = parts.calls[message.tool_call_id]
            found.result, found.answered = message.content, True
            found.is_error = message.status == "error"
    return parts


def call(
    name: str | None, args: str = "", call_id: str | None = None, index: int | None = 0
) -> AIMessageChunk:
    """A chunk with a piece of a tool call."""
    piece = {"name": name, "args": args, "id": call_id, "index": index, "type": "tool_call_chunk"}
    return AIMessageChunk(content="", tool_call_chunks=[piece])  # type: ignore[list-item]


def usage(input_tokens: int, output_tokens: int) -> AIMessageChunk:
    """A chunk with token counts."""
    counts = {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }
    return AIMessageChunk(content="", usage_metadata=counts)  # type: ignore[arg-type]
