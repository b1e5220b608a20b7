"""From a provider's bytes to what the real client shows: nothing in between is a fake.

`langchain_openai.ChatOpenAI` in `create_agent`; its HTTP is answered with a chat completions
stream; uvicorn serves the run on loopback; the npm decoder reads it in strict mode.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import respx
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_tool_call
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant_stream_ce.serialization import AssistantTransportResponse, DataStreamResponse
from assistant_stream_langgraph import from_langgraph_events, stream_graph
from tests.adapters_langgraph.graphs import CASES, human
from tests.adapters_langgraph.runs import MODES, Graph, new_messages_of, values_of
from tests.npm import Decoded, Protocol, decode
from tests.serving import serve

QUESTION = {"messages": [{"role": "user", "content": "hello"}]}
CONFIG = {"configurable": {"thread_id": "1"}}
PROTOCOLS: list[Protocol] = ["data-stream", "assistant-transport"]
RESPONSES = {
    "data-stream": DataStreamResponse,
    "assistant-transport": AssistantTransportResponse,
}


@tool
def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"Sunny in {city} ☀"


@tool
def convert(amount: float, to: str) -> str:
    """Convert money."""
    raise ValueError("no rate")


def completion(*deltas: dict[str, Any], reason: str, usage: tuple[int, int]) -> bytes:
    """A chat completions stream as the provider sends it."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5"}
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": reason})
    chunks: list[dict[str, Any]] = [{**head, "choices": [choice]} for choice in choices]
    counts = {
        "prompt_tokens": usage[0],
        "completion_tokens": usage[1],
        "total_tokens": usage[0] + usage[1],
    }
    chunks.append({**head, "choices": [], "usage": counts})
    frames = [f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks]
    return "".join([*frames, "data: [DONE]\n\n"]).encode()


def piece(index: int, arguments: str, call_id: str = "", name: str = "") -> dict[str, Any]:
    """A delta with a piece of a tool call."""
    made: dict[str, Any] = {"index": index, "function": {"arguments": arguments}}
    if call_id:
        made.update(id=call_id, type="function")
        made["function"]["name"] = name
    return {"tool_calls": [made]}


CALLING = completion(
    {"role": "assistant", "content": ""},
    {"content": "Let me "},
    {"content": "check 🌍"},
    {"content": "."},
    piece(0, "", "call_a", "weather"),
    piece(0, '{"ci'),
    piece(0, 'ty": "Os'),
    piece(1, "", "call_b", "convert"),
    piece(1, '{"amount": 1'),
    piece(0, 'lo"}'),
    piece(1, '2.5, "to": "NOK"}'),
    reason="tool_calls",
    usage=(100, 20),
)
ANSWERING = completion(
    {"role": "assistant", "content": ""},
    {"content": "It is sunny"},
    {"content": ',\nand no rate "today".'},
    reason="stop",
    usage=(150, 9),
)


class Pieces(httpx.AsyncByteStream):
    """A body that arrives in pieces that respect nothing."""

    def __init__(self, body: bytes, size: int) -> None:
        self.body, self.size = body, size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.body), self.size):
            await asyncio.sleep(0)
            yield self.body[start : start + self.size]


@pytest.fixture
async def openai_agent() -> AsyncIterator[Graph]:
    """An agent whose provider is at the other end of a mocked connection."""
    with respx.mock() as router:
        bodies = iter([CALLING, ANSWERING])
        router.post("https://api.openai.com/v1/chat/completions").mock(
            side_effect=lambda request: httpx.Response(
                200,
                headers={"content-type": "text/event-stream"},
                stream=Pieces(next(bodies), 97),
            )
        )
        async with httpx.AsyncClient() as client:  # What respx patches; openai's default is not.
            model = ChatOpenAI(
                model="gpt-5",
                api_key="not a key",  # type: ignore[arg-type]
                stream_usage=True,
                max_retries=0,
                http_async_client=client,
            )
            yield create_agent(
                model,
                tools=[weather, convert],
                middleware=[tell_errors],
                checkpointer=InMemorySaver(),
            )


@wrap_tool_call
async def tell_errors(request: Any, handler: Any) -> Any:
    """Tell the model what went wrong, as the docs of `create_agent` advise."""
    try:
        return await handler(request)
    except ValueError as error:
        return ToolMessage(str(error), tool_call_id=request.tool_call["id"], status="error")


def app(graph: Graph, protocol: Protocol, **options: Any) -> Starlette:
    async def chat(request: Request) -> Response:
        stream = stream_graph(graph, await request.json(), CONFIG, **options)
        return RESPONSES[protocol](stream)

    return Starlette(routes=[Route("/chat", chat, methods=["POST"])])


def post(url: str, body: Any) -> bytes:
    """Read the whole answer, past the provider's mock, which patches httpx."""
    data = json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        return bytes(response.read())


async def ask(graph: Graph, protocol: Protocol, **options: Any) -> Decoded:
    async with serve(app(graph, protocol, **options)) as url:
        wire = await asyncio.to_thread(post, f"{url}/chat", QUESTION)
    return decode(wire, protocol).checked()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_openai_agent_is_shown_exactly_by_the_real_client(
    protocol: Protocol, openai_agent: Graph
) -> None:
    shown = await ask(openai_agent, protocol)
    texts = [part["text"] for part in shown.parts if part["type"] == "text"]
    assert texts == ["Let me check 🌍.", 'It is sunny,\nand no rate "today".']
    calls = {part["toolCallId"]: part for part in shown.parts if part["type"] == "tool-call"}
    assert list(calls) == ["call_a", "call_b"]
    assert calls["call_a"]["toolName"] == "weather"
    assert calls["call_a"]["args"] == {"city": "Oslo"}
    assert calls["call_a"]["argsText"] == '{"city": "Oslo"}'
    assert calls["call_a"]["result"] == "Sunny in Oslo ☀"
    assert calls["call_b"]["args"] == {"amount": 12.5, "to": "NOK"}
    assert calls["call_b"]["result"] == "no rate"
    assert calls["call_b"]["isError"] is True
    assert shown.status == {"type": "complete", "reason": "stop"}
    [step] = shown.metadata["steps"]
    assert step["state"] == "finished"
    assert step["usage"] == {"inputTokens": 250, "outputTokens": 29}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_its_state_is_shown_exactly_by_the_real_client(
    protocol: Protocol, openai_agent: Graph
) -> None:
    shown = await ask(openai_agent, protocol, parts=False)
    assert shown.state == await values_of(openai_agent, CONFIG)
    assert shown.state["messages"][-1]["content"] == 'It is sunny,\nand no rate "today".'
    assert shown.state["messages"][1]["usage_metadata"]["input_tokens"] == 100
    assert shown.parts == []
    assert shown.status["type"] == "complete"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("case", CASES)
async def test_the_real_client_ends_with_the_graphs_state(case: str, protocol: Protocol) -> None:
    graph = CASES[case].build()
    wire = await encode(graph, protocol, parts=False)
    assert decode(wire, protocol).checked().state == await values_of(graph, CONFIG)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("case", [name for name in CASES if CASES[name].parts_match])
async def test_the_real_client_shows_the_graphs_messages(case: str, protocol: Protocol) -> None:
    graph = CASES[case].build()
    shown = decode(await encode(graph, protocol), protocol).checked()
    messages = (await graph.aget_state(CONFIG)).values["messages"]
    expected = new_messages_of(messages)
    texts = [part for part in shown.parts if part["type"] == "text" and not part.get("parentId")]
    assert "".join(part["text"] for part in texts) == expected.text
    calls = {part["toolCallId"]: part for part in shown.parts if part["type"] == "tool-call"}
    assert {key: part["toolName"] for key, part in calls.items()} == {
        key: made.name for key, made in expected.calls.items()
    }
    for message in messages:
        for made in getattr(message, "tool_calls", ()):
            assert calls[made["id"]]["args"] == made["args"]
    assert shown.status == {"type": "complete", "reason": "stop"}


async def encode(graph: Graph, protocol: Protocol, **options: Any) -> bytes:
    """The wire of a run, with its chunks one by one."""
    events = graph.astream(human("hello"), CONFIG, stream_mode=[*MODES], subgraphs=True)
    stream = from_langgraph_events(events, **options)
    encoder = RESPONSES[protocol](stream).body_iterator
    frames = [frame async for frame in encoder]
    return "".join(str(frame) for frame in frames).encode("utf-8", "backslashreplace")


async def test_the_graph_ends_when_the_client_goes_away() -> None:
    ended = asyncio.Event()

    async def wait(state: MessagesState) -> Any:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    inner = StateGraph(MessagesState)
    inner.add_node("wait", wait)
    inner.add_edge(START, "wait")
    builder = StateGraph(MessagesState)
    builder.add_node("inner", inner.compile())
    builder.add_edge(START, "inner")

    async with serve(app(builder.compile(), "data-stream", parts=False)) as url:
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps(QUESTION).encode()
        head = (
            f"POST /chat HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        await asyncio.sleep(0.2)
        assert not ended.is_set()
        writer.close()
        await asyncio.wait_for(ended.wait(), 5)
