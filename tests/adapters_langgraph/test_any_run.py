"""Whatever a graph does, in whatever order its events come: the state ends as the graph's.

Runs are made up from what LangGraph's own reducer makes of what their nodes do: nodes that stream
side by side, messages that are added, changed and removed, by id or without one.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    ToolMessage,
    message_chunk_to_message,
)
from langgraph.graph.message import add_messages

from assistant_stream_ce import UpdateStateChunk
from assistant_stream_ce._json import to_json
from assistant_stream_ce.state import apply_operations
from assistant_stream_langgraph._translator import GraphTranslator
from assistant_stream_langgraph.events import EventReader

TEXTS = st.lists(st.sampled_from(["a", "b", "", " c", "é"]), min_size=1, max_size=4)
FATES = st.sampled_from(["kept", "kept", "kept", "renamed", "elsewhere", "rebuilt"])


class World:
    """A made-up graph run: its events so far, and the truth."""

    def __init__(self) -> None:
        self.messages: Any = add_messages([], [HumanMessage("hello", id="h0")])  # type: ignore[list-item]
        self.count = 0
        self.numbers = iter(range(10_000))
        self.events: list[Any] = []
        self.tell_values()

    def tell_values(self) -> None:
        state = {"messages": list(self.messages), "count": self.count}
        self.events.append(((), "values", state))

    def step(self, draw: Any) -> None:
        """One step of the graph: a few nodes at once, then the state."""
        nodes = [self.node(draw, name) for name in ("x", "y")[: draw(st.integers(1, 2))]]
        writes = []
        while nodes:  # Their events come in turns.
            node = nodes[draw(st.integers(0, len(nodes) - 1))]
            event = next(node, None)
            if event is None:
                nodes.remove(node)
            else:
                self.events.append(event)
                if event[1] == "updates":
                    writes.append(next(iter(event[2].values())))
        for write in writes:
            here = {message.id for message in self.messages}
            # LangGraph refuses to remove what another node has removed in the same step.
            kept = [
                m for m in write["messages"] if not isinstance(m, RemoveMessage) or m.id in here
            ]
            self.messages = add_messages(self.messages, kept)
            self.count += write["count"]
        self.tell_values()

    def node(self, draw: Any, name: str) -> Any:
        """The events of one node."""
        task = {"langgraph_checkpoint_ns": f"{name}:{next(self.numbers)}", "langgraph_node": name}
        kind = draw(st.sampled_from(["stream", "stream", "whole", "remove", "edit", "tool"]))
        written: Any = []
        if kind == "stream":
            message_id = f"lc_run--{next(self.numbers)}"
            chunks = [AIMessageChunk(content=text, id=message_id) for text in draw(TEXTS)]
            for chunk in chunks:
                yield ((), "messages", (chunk, task))
            if draw(st.booleans()):
                last = AIMessageChunk(content="", id=message_id, chunk_position="last")
                yield ((), "messages", (last, task))
            written = self.fate(draw, chunks)
        elif kind == "whole":
            written = [AIMessage("whole", id=draw(st.sampled_from([None, "fixed"])))]
        elif kind == "tool":
            written = [ToolMessage("result", tool_call_id="c", id=f"t{next(self.numbers)}")]
        elif self.messages:
            chosen = self.messages[draw(st.integers(0, len(self.messages) - 1))]
            if kind == "remove":
                written = [RemoveMessage(id=chosen.id)]
            else:
                written = [chosen.model_copy(update={"content": f"{chosen.content}!"})]
        if draw(st.booleans()):
            for message in written:
                if message.id:
                    yield ((), "messages", (message, task))
        yield ((), "updates", {name: {"messages": written, "count": 1}})

    @staticmethod
    def fate(draw: Any, chunks: list[AIMessageChunk]) -> Any:
        """What a node does with the message that its model has streamed."""
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk  # type: ignore[assignment]
        message = message_chunk_to_message(whole)
        match draw(FATES):
            case "renamed":
                return [message.model_copy(update={"id": f"mine-{message.id}"})]
            case "rebuilt":
                return [AIMessage(message.content)]
            case "elsewhere":
                return []
            case _:
                return [message]


@st.composite
def worlds(draw: Any) -> World:
    world = World()
    for _ in range(draw(st.integers(1, 4))):
        world.step(draw)
    return world


def state_after(events: list[Any], shown: Any, **options: Any) -> Any:
    """What a client has after the events, each applied as it comes."""
    translator = GraphTranslator(
        parts=False,
        state=True,
        initial_state=shown,
        steps="run",
        interrupts_key="interrupts",
        visibility=None,
    )
    reader = EventReader()
    chunks = [c for raw in events for e in reader.read(raw) for c in translator.feed(e)]
    for chunk in [*chunks, *translator.finish()]:
        assert isinstance(chunk, UpdateStateChunk)
        shown = apply_operations(shown, chunk.operations)
    return shown


@given(worlds(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_state_ends_as_the_graphs(world: World, stale: bool) -> None:
    shown = {"messages": [{"id": "old", "type": "ai", "content": "x"}] * 3} if stale else None
    truth = {"messages": to_json(list(world.messages)), "count": world.count}
    assert state_after(world.events, shown) == truth


@given(worlds())
@settings(max_examples=100, deadline=None)
def test_the_operations_always_apply_in_a_stream_without_values(world: World) -> None:
    events = [event for event in world.events if event[1] != "values"]
    shown = state_after(events, {"messages": []})
    assert isinstance(shown["messages"], list)
    events = [event for event in world.events if event[1] == "messages"]
    shown = state_after(events, {"messages": []})
    assert isinstance(shown["messages"], list)
