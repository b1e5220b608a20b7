"""Agents whose provider fills the schema itself (`ProviderStrategy`): the JSON is data, not text.

A real client asks a provider on localhost, and real npm decoders read what is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, StructuredOutputValidationError
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_ce.controller import RunController
from assistant_stream_ce.create_run import create_run
from assistant_stream_ce.serialization import (
    OpenAICompletionEncoder,
    OpenAIStreamEncoder,
    PlainTextEncoder,
    StreamEncoder,
)
from assistant_stream_ce.testing import collect
from assistant_stream_langchain import AssistantCallbackHandler, MessageTranslator
from assistant_stream_langgraph import stream_graph
from tests.adapters_langchain.chat_completions import asks, said
from tests.adapters_langchain.provider import Item, Provider, Said
from tests.adapters_langchain.shown import kinds, results, show, translate
from tests.serialization.openai_clients import ask, client_reading

from .runs import Graph, values_of

THREAD = {"configurable": {"thread_id": "1"}}
ASKED = {"messages": [("user", "go")]}
JSON = '{"city": "Oslo", "sunny": true}'
VALUE = {"city": "Oslo", "sunny": True}

# The client's own parsed copy does not fit the field that it is dumped from.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

streaming = pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
tellers = pytest.mark.parametrize("way", ["graph", "handler"])


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """A provider that the real client asks."""
    listening = Provider()
    server = listening.start()
    yield listening
    server.shutdown()
    server.server_close()


class Weather(BaseModel):
    """The weather."""

    city: str
    sunny: bool


@tool
def clock(zone: str) -> str:
    """Tell the time."""
    return f"noon in {zone}"


def words(*pieces: str) -> list[Item]:
    """The deltas of a text."""
    return [{"content": piece} for piece in pieces]


def asked(*before: Item) -> Said:
    """An answer that calls the clock."""
    call = asks(0, '{"zone":', '"CET"}', id="call_1", type="function", name="clock")
    return said(*before, *call, finish_reason="tool_calls")


def answer() -> Said:
    """An answer that is the value."""
    return said(*words(JSON[:1], JSON[1:12], JSON[12:]))


def agent(
    provider: Provider,
    *turns: Said,
    streams: bool,
    tools: Sequence[Any] = (),
    response_format: Any = None,
    model: str = "m",
) -> Graph:
    """An agent around a real client that is told to fill the schema."""
    provider.says(*(turn.streamed if streams else turn.complete for turn in turns))
    client = ChatOpenAI(
        model=model,
        api_key="k",  # type: ignore[arg-type]
        base_url=f"{provider.url}/v1",
        max_retries=0,
        disable_streaming=not streams,
    )
    graph: Graph = create_agent(
        client,
        list(tools),
        response_format=response_format or ProviderStrategy(Weather),
        checkpointer=InMemorySaver(),
    )
    return graph


async def told(way: str, graph: Graph, fails: type[Exception] | None = None) -> Any:
    """What a client shows of a run."""

    async def callback(controller: RunController) -> None:
        config: Any = {**THREAD, "callbacks": [AssistantCallbackHandler(controller)]}
        if fails is None:
            await graph.ainvoke(ASKED, config)
        else:
            with pytest.raises(fails):
                await graph.ainvoke(ASKED, config)

    chunks: list[AssistantStreamChunk] = []
    if way == "handler":
        return show([chunk async for chunk in create_run(callback)])
    if fails is None:
        return show(await collect(stream_graph(graph, ASKED, THREAD)))
    with pytest.raises(fails):
        async for chunk in stream_graph(graph, ASKED, THREAD):
            chunks.append(chunk)
    return show(chunks)


def data(shown: Any) -> list[tuple[str, Any]]:
    """The data parts."""
    return [(part["name"], part["data"]) for part in shown.parts if part["type"] == "data"]


@streaming
@tellers
async def test_the_value_is_one_data_part(provider: Provider, way: str, streams: bool) -> None:
    graph = agent(provider, answer(), streams=streams)

    shown = await told(way, graph)

    assert (kinds(shown), data(shown)) == (["data"], [("Weather", VALUE)])
    assert shown.status == {"type": "complete", "reason": "stop"}
    assert shown.metadata["steps"][0]["usage"] == {"inputTokens": 20, "outputTokens": 7}
    assert provider.requests[0]["response_format"]["type"] == "json_schema"
    if way == "graph":
        assert shown.state["structured_response"] == VALUE
    state = await values_of(graph, THREAD)
    assert state["messages"][-1]["content"] == JSON


@streaming
@tellers
async def test_a_schema_is_enough_where_the_model_can(
    provider: Provider, way: str, streams: bool
) -> None:
    graph = agent(provider, answer(), streams=streams, response_format=Weather, model="gpt-5")

    shown = await told(way, graph)

    assert (kinds(shown), data(shown)) == (["data"], [("Weather", VALUE)])


@streaming
@tellers
async def test_tools_are_called_before_the_value(
    provider: Provider, way: str, streams: bool
) -> None:
    turns = [asked(*words("Let me ", "see. ")), answer()]
    graph = agent(provider, *turns, streams=streams, tools=[clock])

    shown = await told(way, graph)

    assert kinds(shown) == ["text", "tool-call", "data"]
    assert shown.text == "Let me see. "
    assert results(shown) == {"call_1": "noon in CET"}
    assert data(shown) == [("Weather", VALUE)]


@streaming
@tellers
async def test_what_is_no_json_is_told_as_the_text_that_it_is(
    provider: Provider, way: str, streams: bool
) -> None:
    broken = said(*words("\n", '{"city', '": "Os'), finish_reason="stop")
    graph = agent(provider, broken, streams=streams)

    shown = await told(way, graph, fails=StructuredOutputValidationError)

    assert (kinds(shown), shown.text) == (["text"], '\n{"city": "Os')


@streaming
@tellers
async def test_text_before_a_call_stays_before_it(
    provider: Provider, way: str, streams: bool
) -> None:
    turns = [asked(*words("[looking", " it up")), answer()]
    graph = agent(provider, *turns, streams=streams, tools=[clock])

    shown = await told(way, graph)

    assert kinds(shown) == ["text", "tool-call", "data"]
    assert shown.text == "[looking it up"


async def test_a_client_that_renders_messages_from_state_has_the_text(provider: Provider) -> None:
    graph = agent(provider, asked(), answer(), streams=True, tools=[clock])

    chunks = await collect(stream_graph(graph, ASKED, THREAD, parts=False))

    shown = show(chunks)
    assert shown.state == await values_of(graph, THREAD)
    assert data(shown) == []


async def test_a_client_without_data_parts_has_the_text(provider: Provider) -> None:
    graph = agent(provider, asked(), answer(), streams=True, tools=[clock])
    chunks = await collect(stream_graph(graph, ASKED, THREAD))

    def wire(encoder: StreamEncoder) -> str:
        return "".join([*map(encoder.encode_chunk, chunks), encoder.encode_end()])

    async with client_reading(wire(OpenAIStreamEncoder()).encode(), 64) as client:
        assert (await ask(client)).content == JSON
    whole = ChatCompletion.model_validate_json(wire(OpenAICompletionEncoder()))
    assert whole.choices[0].message.content == JSON
    assert wire(PlainTextEncoder()) == JSON


def test_only_text_that_may_be_a_value_is_held_back() -> None:
    translator = MessageTranslator()
    chunks = [
        translator.feed(message, schema="Weather")
        for message in (
            AIMessage(" {}", id="1"),
            AIMessage("{} {}", id="2"),
            AIMessage("42", id="3"),
            AIMessage("<think>Hm.</think>[1]", id="4"),
        )
    ]

    shown = show([chunk for told in chunks for chunk in told])
    assert data(shown) == [("Weather", {}), ("Weather", [1])]
    assert kinds(shown) == ["data", "text", "reasoning", "data"]
    assert shown.text == "{} {}42"


def test_a_value_that_was_streamed_is_not_told_again_when_it_comes_complete() -> None:
    pieces = [AIMessageChunk(JSON[:9], id="1"), AIMessageChunk(JSON[9:], id="1")]

    shown = show(translate([*pieces, AIMessage(JSON, id="1")], schema="Weather"))

    assert data(shown) == [("Weather", VALUE)]
    assert kinds(shown) == ["data"]
