"""Runs of random graphs: through any form of stream, over a wire, into the real client."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core._api import LangChainBetaWarning
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.prebuilt import ToolCallTransformer
from langgraph.stream.transformers import CustomTransformer, UpdatesTransformer
from langgraph.types import Command, PregelTask, StateSnapshot

from assistant_stream_ce import AssistantStreamChunk
from assistant_stream_ce._json import to_json
from assistant_stream_ce.serialization import AssistantTransportEncoder, DataStreamEncoder
from assistant_stream_ce.testing import check_stream
from assistant_stream_langchain.visibility import Action, Visibility
from assistant_stream_langgraph import from_langgraph_events, stream_graph
from assistant_stream_langgraph._shapes import as_items
from assistant_stream_langgraph.parts import Nested, Steps
from tests.adapters_langgraph.random_graphs import build
from tests.adapters_langgraph.random_plans import Plan, Use
from tests.adapters_langgraph.random_stage import Spoken, Stage, Written
from tests.adapters_langgraph.runs import FORMS as ASYNC_FORMS
from tests.adapters_langgraph.runs import MODES, Form, Graph
from tests.npm import Protocol, decode

__all__ = ("FORMS", "WIRES", "Carries", "Options", "Shown", "play_given", "play_plan")


@dataclass(frozen=True)
class Carries:
    """What a form of stream can show beside the messages in the state; see `docs/langgraph.md`."""

    state: Literal["whole", "writes", "none"] = "whole"
    tokens: bool = True
    subgraphs: bool = True
    custom: bool = True
    outputs: bool = False
    """Whether it tells the pieces of a tool's output."""
    same: bool = True
    """Whether a message that an inner graph leaves without an id can be known again outside."""
    names: bool = True
    """Whether it tells the id that the state gives to a message as soon as it does."""
    extras: bool = True
    """Whether it tells what a provider leaves beside the content before the state has it."""
    tasks: bool = False
    """Whether it tells which run of a node has written what; see `random_truth`."""
    beside: Literal["once", "again", "later"] = "once"
    """When what is done beside a pause is told: once; or again after the pause unless the client
    says that it has it, since only `updates` tell what is repeated there. It is `later` if all
    that a subgraph does beside a pause comes after it, with the subgraph's next state."""


FORMS: dict[str, Carries] = {
    "tuples": Carries(),
    "tuples and tasks": Carries(tasks=True),
    "no subgraphs": Carries(subgraphs=False),
    "sync": Carries(),
    "sync values": Carries(tokens=False, subgraphs=False, custom=False, beside="again"),
    "v2": Carries(),
    "messages and values": Carries(custom=False, beside="again"),
    "messages and updates": Carries(state="writes", custom=False, names=False),
    "values": Carries(tokens=False, subgraphs=False, custom=False, beside="again"),
    "namespaced values": Carries(tokens=False, custom=False, beside="later"),
    "updates": Carries(state="writes", tokens=False, subgraphs=False, custom=False, names=False),
    "values and updates": Carries(tokens=False, subgraphs=False, custom=False),
    "messages": Carries(state="none", subgraphs=False, custom=False),
    "namespaced messages": Carries(state="none", custom=False),
    "events v1": Carries(state="writes", custom=False, same=False, names=False, tasks=True),
    "events v2": Carries(custom=False, names=False, beside="again", tasks=True),
    "events v3": Carries(custom=False, extras=False, beside="again"),
    "events v3 of transformers": Carries(outputs=True, extras=False),
    "run v3": Carries(custom=False, extras=False, beside="again"),
    "edited": Carries(outputs=True, tasks=True, extras=False),
    "server parts": Carries(),
    "remote tuples": Carries(),
    "stream_graph": Carries(outputs=True, tasks=True),
}
"""Every form of stream."""

WIRES: list[Protocol] = ["data-stream", "assistant-transport"]
ENCODERS = {"data-stream": DataStreamEncoder, "assistant-transport": AssistantTransportEncoder}


@dataclass(frozen=True)
class Options:
    """How the client shows a run."""

    parts: bool = True
    state: bool | tuple[str, ...] = True
    steps: Steps = "run"
    nested: Nested = "parts"
    visibility: Visibility | None = None
    predict: Mapping[str, tuple[str, str]] | None = None

    @property
    def agents(self) -> Action:
        """What is done with what agents inside tools say."""
        place = {"langgraph_checkpoint_ns": "tools:1|work:2"}
        return (self.visibility or Visibility()).decide(None, place)

    @property
    def mirrors_messages(self) -> bool:
        """Whether the messages stand in the state."""
        return not self.parts if isinstance(self.state, bool) else "messages" in self.state


@dataclass
class Shown:
    """One run: what it was, what the client has shown of it, and the truth."""

    form: str
    options: Options
    snapshots: list[dict[str, Any]]
    """The client's message after each chunk."""
    before: list[AnyMessage]
    """The conversation before the run."""
    history: list[list[AnyMessage]]
    """The conversation at each checkpoint of the run, oldest first."""
    held: list[dict[str, Any]]
    """The graph's state before the run and at each checkpoint of it, in JSON form."""
    truth: dict[str, Any]
    """The graph's state in JSON form."""
    interrupts: list[Any]
    spoken: list[Spoken]
    told: list[Written]
    called: list[Use]
    asked: set[str]
    edited: list[AnyMessage]
    removed: list[AnyMessage]
    failed: bool
    finish: dict[str, Any] | None
    """The event that has ended the message."""
    resumed: bool = False
    """Whether it goes on after a pause."""
    initial: Any = None
    state: Any = field(default=None)
    """What the client's state is at the end."""


def _single(mode: Any, **options: Any) -> Form:
    return lambda graph, given, config: graph.astream(given, config, stream_mode=mode, **options)


async def _protocol_run(graph: Graph, given: Any, config: Any, **options: Any) -> Any:
    with warnings.catch_warnings(action="ignore", category=LangChainBetaWarning):
        return await graph.astream_events(given, config, version="v3", **options)


async def _transformed(graph: Graph, given: Any, config: Any) -> AsyncIterator[Any]:
    """Version 3, with transformers for what it does not tell by itself."""
    asked = [CustomTransformer, ToolCallTransformer, UpdatesTransformer]
    async for event in await _protocol_run(graph, given, config, transformers=asked):
        yield event


SYNC_FORMS: dict[str, Callable[[Graph, Any, Any], Iterator[Any]]] = {
    "sync": lambda graph, given, config: graph.stream(
        given, config, stream_mode=[*MODES], subgraphs=True
    ),
    "sync values": lambda graph, given, config: graph.stream(given, config, stream_mode="values"),
}

_FORMS: dict[str, Form] = {
    **ASYNC_FORMS,
    **SYNC_FORMS,
    "events v3 of transformers": _transformed,
    "namespaced values": _single("values", subgraphs=True),
    "namespaced messages": _single("messages", subgraphs=True),
}
_MODES = {name: name for name in ("values", "updates", "messages")} | {
    "sync values": "values",
    "namespaced values": "values",
    "namespaced messages": "messages",
}
"""Forms that do not name their mode."""


async def play_plan(
    plan: Plan, form: str, wire: Protocol, options: Options, *, signed: bool = False
) -> AsyncIterator[Shown]:
    """Build the graph of a plan, run it to its end, and give what was shown, run by run."""
    stage = Stage(signed=signed, sync=form in SYNC_FORMS)
    graph, config = build(plan, stage), {"configurable": {"thread_id": "1"}}
    if plan.initial:
        old = [HumanMessage("old", id="old_1"), AIMessage("older", id="old_2")]
        await graph.aupdate_state(config, {"messages": old}, as_node="__start__")
    shown: Any = None
    for asked in _turns(plan):
        given: Any = asked
        while given is not None:
            run = await play_given(graph, config, given, stage, form, wire, options, shown)
            yield run
            if run.failed:
                return
            shown = run.state
            answers = {interrupt.id: "yes" for interrupt in run.interrupts}
            given = Command(resume=answers) if answers else None


def _turns(plan: Plan) -> Iterator[Any]:
    for turn in range(plan.turns):
        yield {"messages": [HumanMessage("hello", id=f"human_{turn}")]}


async def play_given(
    graph: Graph,
    config: Any,
    given: Any,
    stage: Stage,
    form: str,
    wire: Protocol,
    options: Options,
    shown: Any,
) -> Shown:
    """Run a graph once, on what the client has shown before."""
    snapshot = await graph.aget_state(config, subgraphs=True)
    before = list(snapshot.values.get("messages", ()))
    paused = [message for messages in _inside(snapshot, form) for message in messages]
    asked = given["messages"] if isinstance(given, dict) else []
    initial = shown
    if FORMS[form].state != "whole" or (paused and FORMS[form].beside != "once"):
        # The client says which messages it has, as `docs/langgraph.md` asks for.
        initial = {**(shown or {}), "messages": _has(shown, options, before, paused, asked)}
    stage.begin(resumes=not asked)
    chunks, failed = await _chunks(graph, config, given, stage, form, options, initial)
    check_stream(chunks, initial_state=initial)
    encoder = ENCODERS[wire]()
    body = "".join([*map(encoder.encode_chunk, chunks), encoder.encode_end()])
    decoded = decode(body, wire, messages=True, chunks=True, initial_state=initial)
    decoded.checked()
    after = await graph.aget_state(config, subgraphs=True)
    history: list[list[Any]] = []
    held: list[Any] = []
    async for checkpoint in graph.aget_state_history(config):
        if checkpoint.config == snapshot.config:
            break
        history.insert(0, list(checkpoint.values.get("messages", ())))
        held.insert(0, to_json(checkpoint.values))
    return Shown(
        form,
        options,
        decoded.messages,
        [*before, *paused, *asked],
        [*history, *_inside(after, form)],
        [to_json(snapshot.values), *held],  # type: ignore[list-item]
        to_json(after.values),  # type: ignore[arg-type]
        list(after.interrupts),
        stage.spoken,
        stage.told,
        stage.called,
        stage.asked,
        stage.edited,
        stage.removed,
        failed,
        next((c for c in decoded.chunks if c["type"] == "message-finish"), None),
        not asked,
        initial,
        decoded.messages[-1]["metadata"]["unstable_state"] if decoded.messages else initial,
    )


def _has(
    shown: Any, options: Options, before: list[Any], paused: list[Any], asked: list[Any]
) -> list[Any]:
    """The messages that the client has: of the graph, or those that it shows where it has no
    parts."""
    if options.parts or not shown:
        has, told = [], [*before, *(paused if options.parts else ()), *asked]
    else:
        has, told = [*shown["messages"]], asked
    ids = {message["id"] for message in has}
    for message in told:
        if message.id not in ids:
            ids.add(message.id)
            has.append(to_json(message))
    return has


def _inside(snapshot: StateSnapshot, form: str, depth: int = 0) -> list[list[Any]]:
    """The messages of a graph's unfinished step that are told: what its tasks have written, and
    the state of the subgraphs that have paused."""
    found: list[list[Any]] = []
    later = FORMS[form].beside == "later"
    for task in snapshot.tasks:
        if isinstance(task.state, StateSnapshot) and FORMS[form].subgraphs:
            # What is written beside a pause stands in this state already, and in no stream yet.
            waits = {m.id for inner in task.state.tasks for m in _written(inner) if later}
            found.append([m for m in task.state.values.get("messages", ()) if m.id not in waits])
            found.extend(_inside(task.state, form, depth + 1))
        if not (depth and later):
            found.append(_written(task))
    return found


def _written(task: PregelTask) -> list[Any]:
    """The messages that a task has written."""
    written = as_items(task.result.get("messages", ()) if isinstance(task.result, dict) else ())
    return [m for m in written if isinstance(m, (AIMessage, ToolMessage))]


async def _chunks(
    graph: Graph, config: Any, given: Any, stage: Stage, form: str, options: Options, initial: Any
) -> tuple[list[AssistantStreamChunk], bool]:
    keywords: dict[str, Any] = {
        "parts": options.parts,
        "state": options.state,
        "steps": options.steps,
        "nested": options.nested,
        "visibility": options.visibility,
        "predict": options.predict,
        "initial_state": initial,
    }
    if form == "stream_graph":
        stream = stream_graph(graph, given, config, **keywords)
    elif form == "run v3":
        events = await _protocol_run(graph, given, config)
        stream = from_langgraph_events(events, **keywords)
    else:
        events = _FORMS[form](graph, given, config)
        stream = from_langgraph_events(events, stream_mode=_MODES.get(form), **keywords)
    chunks: list[AssistantStreamChunk] = []
    try:
        async for chunk in stream:
            chunks.append(chunk)
    except stage.fails:
        return chunks, True
    return chunks, False
