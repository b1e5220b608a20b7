"""Group F of the field reports: state, size and speed."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import time
import uuid
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import pytest
from langchain.tools import ToolRuntime
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel

from assistant_stream_ce import (
    AssistantTransportEncoder,
    AssistantTransportResponse,
    DataStreamEncoder,
    RunController,
    create_run,
    from_langgraph_events,
)
from assistant_stream_ce.testing import collect
from assistant_stream_langchain import MessageTranslator
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from assistant_stream_langgraph.app import create_app
from tests.adapters_langchain.shown import results, show
from tests.adapters_langgraph.runs import FORMS, Graph, call, play, values_of
from tests.app.serving import Chat, say, serving
from tests.npm import decode

from .screen import FOUR_FORMS, THREAD, agent, ask, human, received, see_form, see_states

WORDS = 300


class Desk(MessagesState):
    paper: str
    notes: str
    secret: str


def reading(paper: str) -> Graph:
    """A node that lays a long paper on the desk, and one that talks about it at length."""
    model = ScriptedChatModel(turns=["word " * WORDS])

    async def speak(state: Desk) -> Any:
        return {"messages": [await model.ainvoke(["system: be secretive", *state["messages"]])]}

    builder = StateGraph(Desk)
    builder.add_node("lay", lambda state: {"paper": paper, "secret": "s3cret"})
    builder.add_node("speak", speak)
    builder.add_edge(START, "lay").add_edge("lay", "speak")
    return builder.compile(checkpointer=InMemorySaver())


async def test_f30_a_large_state_is_sent_once_and_nothing_internal_at_all() -> None:
    """ag-ui #2600: 34 kB of state became 1.44 MB of stream, system prompt and all."""
    paper = "paper " * 5_700
    async with serving(create_app(reading(paper))) as http:
        response = await Chat(http).post(say("Go"))
    body = response.text

    assert len(paper) > 34_000
    assert body.count(paper) == 1
    assert len(body) < len(paper) + 100 * WORDS
    assert "be secretive" not in body
    assert "langgraph_" not in body


async def test_f30_only_the_keys_that_are_allowed_leave_the_server() -> None:
    """ag-ui #2600: there was no way to keep a key of the state from the browser."""
    async with serving(create_app(reading("paper"), state=["notes"])) as http:
        chat = Chat(http)
        response = await chat.post(say("Go"))

        assert "s3cret" not in response.text
        assert "paper" not in response.text
        chat.thread_id = response.headers["x-thread-id"]
        assert "s3cret" not in str(await chat.history())


async def test_f31_the_state_grows_while_the_node_is_at_work() -> None:
    """ag-ui #594: nothing changed on the page until the node had ended."""
    model = ScriptedChatModel(turns=["a b c d"], delay=0.02)

    told = [state["messages"][-1]["content"] for state in await see_states(agent_of(model)[0])]

    assert {"a ", "a b ", "a b c ", "a b c d"} <= set(told)


@tool
def write(text: str, runtime: ToolRuntime) -> Command[Any]:
    """Write the draft."""
    answer = ToolMessage("written", tool_call_id=runtime.tool_call_id)
    return Command(update={"notes": text, "messages": [answer]})


async def test_f31_a_partial_write_leaves_the_other_keys_alone() -> None:
    """CopilotKit #3139: a state that was emitted in part wiped the other keys."""
    builder = StateGraph(Desk)
    builder.add_node("one", lambda state: {"paper": "p", "notes": "n"})
    builder.add_node("two", lambda state: {"notes": "n n"})
    builder.add_edge(START, "one").add_edge("one", "two")

    states = await see_states(builder.compile(checkpointer=InMemorySaver()))

    seen = [(state["paper"], state["notes"]) for state in states if "paper" in state]
    assert list(dict.fromkeys(seen)) == [("p", "n"), ("p", "n n")]


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_f31_keys_of_ones_own_are_in_step_with_the_graph(form: str) -> None:
    """CopilotKit #2962: keys that the graph's author had added were never synced."""
    graph = reading("paper")

    states = await see_states(graph, form=form)

    assert states[-1] == await values_of(graph, THREAD)
    assert states[-1]["paper"] == "paper"


class Planned(MessagesState):
    plan: str


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_f31_a_key_may_have_the_name_of_the_node_that_writes_it(form: str) -> None:
    """CopilotKit #2962: a node `plan` that writes the key `plan` is what most people have."""
    model = ScriptedChatModel(turns=["Hello."])

    async def speak(state: Planned) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(Planned).add_node("plan", lambda state: {"plan": "Greet."})
    builder.add_node("speak", speak).add_edge(START, "plan").add_edge("plan", "speak")
    graph = builder.compile(checkpointer=InMemorySaver())

    states = await see_states(graph, form=form)

    assert states[-1] == await values_of(graph, THREAD)
    assert states[-1]["plan"] == "Greet."
    assert len(states[-1]["messages"]) == 2


async def test_f31_an_argument_is_seen_in_the_state_while_it_streams() -> None:
    """ag-ui #594: what a tool is going to write was seen only once it had been written."""
    pieces = [call("write", '{"text": "Once ', "a"), call(None, "upon "), call(None, 'a time"}')]
    schema: Any = Desk
    graph = agent([pieces, "Done."], [write], state_schema=schema)

    run = await play(FORMS["tuples"](graph, human(), THREAD), predict={"notes": ("write", "text")})

    told = [state["notes"] for state in run.states[1:]]
    assert {"Once ", "Once upon ", "Once upon a time"} <= set(told)
    assert show(run.chunks).state["notes"] == "Once upon a time"


async def test_f32_a_value_that_was_written_is_no_longer_the_callers() -> None:
    """assistant-ui #6910: the state held the caller's own list, and changed behind its back."""
    mine = [1]

    async def run(controller: RunController) -> None:
        controller.state = {}
        controller.state["list"] = mine
        mine.append(2)
        controller.state["list"].append(3)
        ended.append(controller.state["list"] == [1, 3])

    ended: list[bool] = []
    wire = await received(create_run(run), AssistantTransportResponse)
    assert ended == [True]
    assert decode(wire, "assistant-transport").checked().state == {"list": [1, 3]}


async def test_f32_what_setdefault_returns_is_part_of_the_state() -> None:
    """assistant-ui #6922, #6869: writes to what setdefault had returned were lost."""

    async def run(controller: RunController) -> None:
        controller.state = {}
        controller.state.setdefault("steps", []).append("one")
        steps = controller.state["steps"]
        steps.append("two")
        for step in controller.state.setdefault("tree", {"kids": [{"n": 1}]})["kids"]:
            step["n"] += 1
        again = controller.state["steps"]
        again.insert(0, "zero")

    wire = await received(create_run(run), AssistantTransportResponse)
    assert decode(wire, "assistant-transport").checked().state == {
        "steps": ["zero", "one", "two"],
        "tree": {"kids": [{"n": 2}]},
    }


class Colour(enum.Enum):
    RED = "red"


class Model(BaseModel):
    name: str
    day: dt.date


@dataclass
class Point:
    x: int
    tags: set[str]


UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")

ODD: dict[str, tuple[Any, Any]] = {
    "pydantic": (
        Model(name="Ada", day=dt.date(2026, 1, 2)),
        {"name": "Ada", "day": "2026-01-02"},
    ),
    "dataclass": (Point(1, {"b", "a"}), {"x": 1, "tags": ["a", "b"]}),
    "datetime": (
        dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC),
        "2026-01-02T03:04:00+00:00",
    ),
    "uuid": (UUID, str(UUID)),
    "enum": (Colour.RED, "red"),
    "numpy number": (np.float64(0.5), 0.5),
    "numpy integer": (np.int64(7), 7),
    "bytes": (b"hi", "aGk="),
    "tuple": ((1, 2), [1, 2]),
    "not a number": (float("nan"), None),
}


class Holding(TypedDict):
    value: Any


@pytest.mark.parametrize("kind", ODD)
async def test_f33_any_value_of_the_state_has_a_json_form(kind: str) -> None:
    """CopilotKit #2158, #3279, ag-ui #374: one pydantic model in the state ended the stream."""
    value, shown = ODD[kind]
    builder = StateGraph(Holding).add_node("hold", lambda state: {"value": [value]})
    graph = builder.add_edge(START, "hold").compile()

    assert (await ask(graph, {"value": None}, None)).state == {"value": [shown]}


async def test_f33_messages_and_documents_in_the_state_have_one_too() -> None:
    """CopilotKit #3279: retrieved documents in the state could not be sent."""
    found = [Document("text", metadata={"source": "a"}), AIMessage("said", id="1")]
    builder = StateGraph(Holding).add_node("hold", lambda state: {"value": found})
    graph = builder.add_edge(START, "hold").compile()

    document, message = (await ask(graph, {"value": None}, None, state=True)).state["value"]

    assert (document["page_content"], document["metadata"]) == ("text", {"source": "a"})
    assert (message["type"], message["content"]) == ("ai", "said")


@tool(response_format="content_and_artifact")
def measure() -> tuple[Any, Any]:
    """Measure."""
    return [{"type": "text", "text": "ok"}], {kind: value for kind, (value, _) in ODD.items()}


@pytest.mark.parametrize("form", ["tuples", "v2", "events v2"])
async def test_f33_artifacts_and_custom_events_have_one_too(form: str) -> None:
    """ag-ui #374: the same for what a tool returns, and for what a node writes to the stream."""
    wanted = {kind: shown for kind, (_, shown) in ODD.items()}
    shown = await see_form(
        form, agent([[call("measure", "{}", "a")], "Done."], [measure], checkpointer=None)
    )
    [part] = [part for part in shown.parts if part["type"] == "tool-call"]
    assert part["artifact"] == wanted
    assert results(shown) == {"a": [{"type": "text", "text": "ok"}]}

    def tell(state: MessagesState) -> Any:
        get_stream_writer()({kind: value for kind, (value, _) in ODD.items()})
        return {}

    graph: Graph = (
        StateGraph(MessagesState).add_node("tell", tell).add_edge(START, "tell").compile()
    )
    [told] = [part for part in (await ask(graph)).parts if part["type"] == "data"]
    assert told["data"] == wanted


def reasoning_chunk(text: str) -> AIMessageChunk:
    return AIMessageChunk(content=[{"type": "reasoning", "reasoning": text, "index": 0}], id="m")


KINDS = {
    "reasoning": reasoning_chunk("thought "),
    "text": AIMessageChunk(content="word ", id="m"),
    "arguments": call(None, "word ").model_copy(update={"id": "m"}),
}


def seconds_per_delta(kind: str, count: int) -> float:
    """Processor time of one more delta in an answer of that many."""
    translator, encoder = MessageTranslator(), DataStreamEncoder()
    began = call("write", '{"text": "', "a").model_copy(update={"id": "m"})
    for chunk in translator.feed(began):
        encoder.encode_chunk(chunk)
    chunks = [KINDS[kind].model_copy() for _ in range(count)]
    start = time.process_time()
    for delta in chunks:
        for chunk in translator.feed(delta):
            encoder.encode_chunk(chunk)
    return (time.process_time() - start) / count


@pytest.mark.parametrize("kind", KINDS)
def test_f34_a_delta_costs_the_same_however_long_the_answer_is(kind: str) -> None:
    """vercel #15670, langchainjs #11148: long reasoning and long arguments took quadratic time."""
    short = min(seconds_per_delta(kind, 300) for _ in range(5))
    long = min(seconds_per_delta(kind, 6_000) for _ in range(2))

    assert long < short * 4


def agent_of(model: ScriptedChatModel) -> tuple[Graph, asyncio.Event]:
    """A graph around a model, and what tells that the model has said all."""
    said_all = asyncio.Event()

    async def speak(state: MessagesState) -> Any:
        said = await model.ainvoke(state["messages"])
        said_all.set()
        return {"messages": [said]}

    builder = StateGraph(MessagesState).add_node("speak", speak).add_edge(START, "speak")
    return builder.compile(checkpointer=InMemorySaver()), said_all


async def read_late(**options: Any) -> list[Any]:
    """The chunks of 2,000 tokens for a reader that takes one and then waits for the end."""
    graph, said_all = agent_of(ScriptedChatModel(turns=[["word "] * 2_000]))
    stream = stream_graph(graph, human(), THREAD, **options)
    first = await anext(stream)
    await said_all.wait()
    return [first, *await collect(stream)]


async def test_f34_a_reader_that_lags_gets_few_large_pieces() -> None:
    """chainlit #2604, unsloth #8845: a page slower than the model fell ever further behind."""
    chunks = await read_late()

    assert len(chunks) < 200
    assert show(chunks).text == "word " * 2_000


async def test_f34_the_state_of_a_reader_that_lags_is_as_short() -> None:
    """unsloth #8845: the same for a page that renders from state."""
    chunks = await read_late(parts=False)
    encoder = AssistantTransportEncoder()
    wire = "".join([*map(encoder.encode_chunk, chunks), encoder.encode_end()])

    assert len(wire) < 3 * len("word " * 2_000)
    state = decode(wire, "assistant-transport").checked().state
    assert state["messages"][-1]["content"] == "word " * 2_000


async def test_f34_recorded_events_are_translated_as_fast_as_they_come() -> None:
    """langchainjs #11148: a stream that was long over still took minutes to show."""
    events: list[Any] = [((), "values", {"messages": [HumanMessage("go", id="h")]})]
    metadata = {"langgraph_node": "speak"}
    events += [((), "messages", (reasoning_chunk("thought "), metadata)) for _ in range(10_000)]

    start = time.process_time()
    chunks = await collect(from_langgraph_events(events))

    assert time.process_time() - start < 5
    [part] = show(chunks).parts
    assert len(part["text"]) == 80_000
