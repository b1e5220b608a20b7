"""An agent's run to its last byte, beside the peers; what counts is what is added to LangGraph's
own stream.

The floor is `graph.astream(...)` with nobody listening. It runs in turn with ours and the peer's,
and its time is taken off both.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from starlette.responses import StreamingResponse

import assistant_stream_ce as ours
from assistant_stream_langgraph import from_langgraph_events, stream_graph
from assistant_stream_langgraph.state import StateMirror

from .measure import Case
from .peers import ag_ui, upstream
from .runs import HTTP_SCOPE, receive
from .scripted import Agent, arguments, scripted_agent, text, thread
from .translator import arguments as argument_delta
from .translator import text as text_token

TOKENS = 5_000
DELTAS = 2_000
FOLDED = 1_000
BEFORE = (0, 1_000, 5_000, 20_000)

AT_ONCE = 0

UPSTREAM = "upstream"
AG_UI = "ag-ui-langgraph"

QUESTION = {"role": "user", "content": "Hello", "id": "question"}

Run = Callable[[Agent], Awaitable[int]]
"""Runs an agent to its end and returns the bytes on the wire."""


class Sink:
    """A server that takes everything at once and counts it."""

    def __init__(self) -> None:
        self.size = 0

    async def __call__(self, message: Any) -> None:
        self.size += len(message.get("body", b""))


async def _size(response: Any) -> int:
    sink = Sink()
    await response(HTTP_SCOPE, receive, sink)
    return sink.size


async def floor(graph: Agent) -> int:
    """LangGraph alone."""
    stream = graph.astream(
        {"messages": [QUESTION]}, thread(), stream_mode=["messages", "updates"], subgraphs=True
    )
    async for _ in stream:
        pass
    return 0


def our_events(graph: Agent) -> Any:
    """The stream of somebody who wants parts and state."""
    modes = ["messages", "updates", "values", "custom"]
    return graph.astream({"messages": [QUESTION]}, thread(), stream_mode=modes, subgraphs=True)


async def parts(graph: Agent) -> int:
    """Ours, for a client that shows parts."""
    return await _size(ours.DataStreamResponse(from_langgraph_events(our_events(graph))))


async def state(graph: Agent) -> int:
    """Ours, for a client that shows the graph's state."""
    stream = from_langgraph_events(our_events(graph), parts=False)
    return await _size(ours.DataStreamResponse(stream))


async def everything(graph: Agent) -> int:
    """Ours with every stream mode. LangGraph asks for more itself then: a callback a token."""
    stream = stream_graph(graph, {"messages": [QUESTION]}, thread())
    return await _size(ours.DataStreamResponse(stream))


async def our_ag_ui(graph: Agent) -> int:
    """Ours, for a client that speaks AG-UI."""
    return await _size(ours.AGUIResponse(from_langgraph_events(our_events(graph))))


async def upstream_state(graph: Agent) -> int:
    """Upstream's way, as its documentation has it."""
    append = upstream("modules.langgraph").append_langgraph_event

    async def run(controller: Any) -> None:
        stream = graph.astream(
            {"messages": [QUESTION]}, thread(), stream_mode=["messages", "updates"], subgraphs=True
        )
        async for namespace, mode, payload in stream:
            append(controller.state, namespace, mode, payload)

    stream = upstream().create_run(run, state={"messages": []})
    return await _size(upstream("serialization").DataStreamResponse(stream))


async def ag_ui_langgraph(graph: Agent) -> int:
    """The endpoint of `ag-ui-langgraph`, without its FastAPI route."""
    encoder = ag_ui("ag_ui.encoder").EventEncoder()
    agent = ag_ui("ag_ui_langgraph").LangGraphAgent(name="agent", graph=graph)
    given = ag_ui("ag_ui.core.types").RunAgentInput(
        thread_id=str(uuid4()),
        run_id=str(uuid4()),
        state={},
        messages=[QUESTION],
        tools=[],
        context=[],
        forwarded_props={},
    )

    async def frames() -> Any:
        async for event in agent.run(given):
            yield encoder.encode(event)

    return await _size(StreamingResponse(frames()))


def per_token(run: Run, graph: Agent, tokens: int) -> Callable[[], float]:
    """Microseconds of CPU a token."""

    def work() -> float:
        start = time.process_time()
        asyncio.run(_to_the_end(run, graph))
        return (time.process_time() - start) / tokens * 1e6

    return work


def bytes_per_token(run: Run, graph: Agent, tokens: int) -> Callable[[], float]:
    """Bytes on the wire a token, with what else a run says."""
    return lambda: asyncio.run(_to_the_end(run, graph)) / tokens


async def _to_the_end(run: Run, graph: Agent) -> int:
    return await run(graph)


def fold(make: Callable[[int], Any], before: int) -> Callable[[], float]:
    """Microseconds to make a delta an operation on the state, after so many others."""

    def work() -> float:
        mirror = StateMirror(messages=True)
        for number in range(before + 1):
            mirror.feed(((), "messages", (make(number), {})))
        deltas = [((), "messages", (make(before + number + 1), {})) for number in range(FOLDED)]
        start = time.process_time()
        for event in deltas:
            if mirror.next_text(event[2][0]) is None:
                mirror.feed(event)
        return (time.process_time() - start) / FOLDED * 1e6

    return work


KINDS = {"text token": (text(TOKENS), TOKENS), "argument delta": (arguments(DELTAS), DELTAS)}
GOALS = {
    ("text token", "parts"): 2.0,
    ("text token", "state"): 2.0,
    ("argument delta", "parts"): 5.0,
    ("argument delta", "state"): 5.0,
}
SIDES = (
    ("parts", parts, upstream_state, UPSTREAM),
    ("state", state, upstream_state, UPSTREAM),
    ("stream_graph", everything, upstream_state, UPSTREAM),
    ("AG-UI", our_ag_ui, ag_ui_langgraph, AG_UI),
)
BURSTS = {"at once": AT_ONCE, "8 a turn": 8, "1 a turn": 1}


def cases() -> list[Case]:
    """Time over the floor, bytes on the wire, and the fold into the state."""
    return [*_times("at once"), *_times("1 a turn"), *_sizes(), *_folds()]


def _times(pace: str) -> list[Case]:
    return [
        Case(
            f"{kind}, {name}, {pace}",
            "µs",
            per_token(run, graph, count),
            per_token(peer, graph, count),
            GOALS.get((kind, name)) if pace == "at once" else None,
            peer_name=peer_name,
            floor=per_token(floor, graph, count),
        )
        for kind, (script, count) in KINDS.items()
        for graph in [scripted_agent(script, BURSTS[pace])]
        for name, run, peer, peer_name in SIDES
    ]


def _sizes() -> list[Case]:
    return [
        Case(
            f"{kind}, {name}, {pace}",
            "bytes",
            bytes_per_token(run, graph, count),
            bytes_per_token(peer, graph, count),
            34.0 if (kind, name) == ("text token", "state") else None,
            peer_name=peer_name,
            repeats=1,
        )
        for kind, (script, count) in KINDS.items()
        for pace, burst in BURSTS.items()
        for graph in [scripted_agent(script, burst)]
        for name, run, peer, peer_name in SIDES
        if run is not everything
    ]


def _folds() -> list[Case]:
    return [
        Case(
            f"{kind}, fold into the state at {before:,}",
            "µs",
            fold(make, before),
            goal=GOALS[kind, "state"],
        )
        for kind, make in (("text token", text_token), ("argument delta", argument_delta))
        for before in BEFORE
    ]
