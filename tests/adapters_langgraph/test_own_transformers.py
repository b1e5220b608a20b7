"""A graph's stream is edited by whatever transformers it has."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.pregel import Pregel
from langgraph.stream import StreamChannel, StreamTransformer

from assistant_stream_ce.testing import check_stream, collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.redacting import LONG, Card, run, told
from tests.adapters_langgraph.runs import Graph, Run


class Shout(StreamTransformer):
    """A user's own: it lets nobody read "hush"."""

    before_builtins = True
    required_stream_modes = ("messages", "values")

    def init(self) -> dict[str, Any]:
        return {}

    def process(self, event: Any) -> bool:
        data = event["params"]["data"]
        if event["method"] == "messages" and isinstance(data[0], dict):
            for piece in (data[0].get("delta"), data[0].get("content")):
                if piece and piece.get("type", "").startswith("text"):
                    piece["text"] = piece["text"].replace("hush", "****")
        if event["method"] == "values":
            event["params"]["data"] = {
                **data,
                "messages": [
                    m.model_copy(update={"content": m.text.replace("hush", "****")})
                    for m in data["messages"]
                ],
            }
        return True


class AsyncShout(Shout):
    def process(self, event: Any) -> bool:
        raise NotImplementedError

    async def aprocess(self, event: Any) -> bool:
        await asyncio.sleep(0)
        return super().process(event)


def shout(scope: tuple[str, ...]) -> StreamTransformer:
    return Shout(scope)


@pytest.mark.parametrize("transformer", [Shout, AsyncShout, shout])
async def test_a_transformer_of_ones_own_is_obeyed(transformer: Any) -> None:
    for options in ({}, {"parts": False}):
        model = ScriptedChatModel(turns=[["It is hu", "sh, ", "hush ", LONG, "hush"]])
        graph: Graph = create_agent(model, transformers=[transformer], checkpointer=InMemorySaver())
        made = await run(graph, **options)
        assert "hush" not in told(made)
        if not options:
            assert made.parts.text == f"It is ****, **** {LONG}****"


class Rooted(Shout):
    """It knows the graph's own state, and that of no other."""

    def process(self, event: Any) -> bool:
        if event["method"] == "values" and event["params"]["namespace"] == list(self.scope):
            assert "topic" in event["params"]["data"] or self.scope
        return super().process(event)


@pytest.mark.parametrize("parts", [True, False])
async def test_a_transformer_is_given_no_state_that_langgraph_would_not_give_it(
    parts: bool,
) -> None:
    class State(MessagesState):
        topic: str
        card: Card

    inner: Graph = create_agent(ScriptedChatModel(turns=[["Well, ", "hush ", LONG]]))

    def write(state: State) -> Any:
        return {"card": Card(owner="Ann", mails=[]), "topic": "b"}

    builder = StateGraph(State).add_node("inner", inner).add_node(write)
    builder.add_edge(START, "inner").add_edge("inner", "write")
    graph = builder.compile(transformers=[Rooted], checkpointer=InMemorySaver())
    made = await run(graph, {**human("hi"), "topic": "a"}, parts=parts)
    assert made.state["card"] == {"owner": "Ann", "mails": []}
    if parts:
        assert made.parts.text == f"Well, **** {LONG}"
    assert "hush" not in told(made)


class Refusing(StreamTransformer):
    """Fails at a certain event, or when it is made, opened or ended."""

    before_builtins = True

    def __init__(self, scope: tuple[str, ...], at: int | str) -> None:
        super().__init__(scope)
        self._at = at
        self._seen = 0
        self._reach("made")

    def init(self) -> dict[str, Any]:
        self._reach("opened")
        return {}

    def process(self, event: Any) -> bool:
        if not self.scope and event["method"] == "messages":
            self._reach(self._seen)
            self._seen += 1
        return True

    def finalize(self) -> None:
        self._reach("ended")

    def _reach(self, place: int | str) -> None:
        if place == self._at:
            raise ZeroDivisionError


@pytest.mark.parametrize("at", ["made", "opened", 0, 3, "ended"])
@pytest.mark.parametrize("parts", [True, False])
async def test_a_transformer_that_fails_ends_a_run_that_is_well_formed(
    at: int | str, parts: bool
) -> None:
    model = ScriptedChatModel(turns=[["One ", "two ", "three ", "four."]])
    graph: Graph = create_agent(model, transformers=[partial(Refusing, at=at)])
    chunks: list[Any] = []
    others = asyncio.all_tasks()
    with pytest.raises(ZeroDivisionError):
        async for chunk in stream_graph(graph, human("hi"), parts=parts):
            chunks.append(chunk)
    check_stream(chunks)
    assert asyncio.all_tasks() == others


async def test_a_transformer_that_never_answers_lets_its_reader_go() -> None:
    class Stuck(Shout):
        async def aprocess(self, event: Any) -> bool:
            reached.set()
            await asyncio.Event().wait()
            return True

    reached = asyncio.Event()
    graph: Graph = create_agent(ScriptedChatModel(turns=["Well."]), transformers=[Stuck])
    others = asyncio.all_tasks()
    reading = asyncio.create_task(collect(stream_graph(graph, human("hi"))))
    await asyncio.wait_for(reached.wait(), 5)
    reading.cancel()
    await asyncio.wait({reading}, timeout=5)
    assert reading.cancelled()
    assert asyncio.all_tasks() == others


async def test_a_graph_of_a_class_of_ones_own_is_run_as_it_is() -> None:
    class Own(Pregel[Any, Any, Any, Any]):
        __hash__ = None  # type: ignore[assignment]

        def __init__(self, graph: Graph, label: str) -> None:
            vars(self).update(vars(graph))
            self.label = label

        def __eq__(self, other: object) -> bool:
            return self is other

        def astream(self, *args: Any, **options: Any) -> Any:
            labels.append(self.label)
            return super().astream(*args, **options)

    labels: list[str] = []
    model = ScriptedChatModel(turns=[["Well, ", "hush."]])
    graph = Own(create_agent(model, transformers=[Shout]), "mine")
    made = Run(await collect(stream_graph(graph, human("hi"))))
    assert labels == ["mine"]
    assert made.parts.text == "Well, ****."


class Counting(Shout):
    """It also counts, for whoever calls its graph."""

    def __init__(self, scope: tuple[str, ...], name: str) -> None:
        super().__init__(scope)
        self._counted: StreamChannel[int] = StreamChannel(name)
        self._name = name

    def init(self) -> dict[str, Any]:
        return {self._name: self._counted}

    def process(self, event: Any) -> bool:
        self._counted.push(1)
        return super().process(event)


async def test_agents_inside_of_a_graph_may_have_the_same_transformer() -> None:
    def counted(text: str) -> Graph:
        model = ScriptedChatModel(turns=[[text, " hu", "sh."]])
        graph: Graph = create_agent(model, transformers=[partial(Counting, name="count")])
        return graph

    builder = StateGraph(MessagesState)
    builder.add_node("a", counted("One")).add_node("b", counted("Two"))
    builder.add_edge(START, "a").add_edge("a", "b")
    graph = builder.compile(transformers=[partial(Counting, name="count")])
    made = await run(graph)
    assert made.parts.text == "One ****.Two ****."
    assert "hush" not in told(made)
