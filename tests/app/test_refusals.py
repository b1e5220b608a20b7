"""Bodies and addresses that no client of ours sends: a 4xx with a reason, never a 500."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
import pytest
from langchain.agents import create_agent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant_stream_ce import RequestError
from assistant_stream_ce.server import read_json_body
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph.app import ThreadCall, create_app
from assistant_stream_langgraph.threads import Graph
from tests.app.serving import Chat, say, serving

JSON = {"Content-Type": "application/json"}


def answering_graph() -> Graph:
    graph: Graph = create_agent(ScriptedChatModel(turns=["Hi."], cycle=True), [])
    return graph


@pytest.fixture(scope="module")
async def http() -> AsyncGenerator[httpx.AsyncClient, None]:
    async with serving(create_app(answering_graph(), max_body_bytes=10_000)) as client:
        yield client


def message_of(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/json"
    error: dict[str, str] = response.json()["error"]
    assert set(error) == {"message", "code"}
    return error["message"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"{", "not valid JSON"),
        (b"NaN", "not valid JSON"),
        (b'{"commands": [}', "not valid JSON"),
        (b'"\xff"', "not valid JSON"),
        (b"\x1f\x8b\x08gzip", "not valid JSON"),
        (b"[]", "must be an object"),
        (b"[" * 5000 + b"]" * 5000, "not valid JSON"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "nests deeper than 100 levels"),
        (b'{"commands":[{"type":"explode"}]}', "Unknown command 'explode'; known are"),
    ],
)
async def test_bodies_that_cannot_be_used(
    http: httpx.AsyncClient, content: bytes, complaint: str
) -> None:
    response = await http.post("/assistant", content=content, headers=JSON)

    assert response.status_code == 400
    assert complaint in message_of(response)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_that_other_sites_could_send_without_asking_is_refused(
    http: httpx.AsyncClient, media_type: str
) -> None:
    content = json.dumps(Chat(http).body(say("Hi")))

    response = await http.post("/assistant", content=content, headers={"Content-Type": media_type})

    assert response.status_code == 415
    assert "application/json" in message_of(response)


async def test_a_compressed_body_is_refused(http: httpx.AsyncClient) -> None:
    content = gzip.compress(json.dumps(Chat(http).body(say("Hi"))).encode())

    response = await http.post(
        "/assistant", content=content, headers={**JSON, "Content-Encoding": "gzip"}
    )

    assert response.status_code == 415
    assert "Content-Encoding" in message_of(response)


async def test_a_large_body_is_refused_by_its_announced_size(http: httpx.AsyncClient) -> None:
    response = await http.post("/assistant", content=b"x" * 10_001, headers=JSON)

    assert response.status_code == 413
    assert "10000 bytes" in message_of(response)


async def test_a_large_body_is_refused_while_it_is_read(http: httpx.AsyncClient) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b" " * 5_000

    response = await http.post("/assistant", content=unannounced(), headers=JSON)

    assert response.status_code == 413
    assert (await http.get("/health")).status_code == 200


async def test_a_text_cut_inside_an_emoji_is_mended(http: httpx.AsyncClient) -> None:
    content = json.dumps(Chat(http).body(say("a \ud83d \\ud83d 😀 b")))
    assert r"\ud83d \\ud83d \ud83d\ude00" in content
    chat = Chat(http)

    response = await http.post("/assistant", content=content, headers=JSON)
    chat.fold(response.content)

    assert chat.shown()[0] == ("human", "a \ufffd \\ud83d 😀 b")


async def test_prototype_keys_in_the_state_do_not_come_back(http: httpx.AsyncClient) -> None:
    content = (
        b'{"commands":[{"type":"add-message","message":{"role":"user","parts":'
        b'[{"type":"text","text":"Hi"}]}}],"state":{"__proto__":{"a":1},"messages":[]}}'
    )

    response = await http.post("/assistant", content=content, headers=JSON)

    assert response.status_code == 200
    assert "__proto__" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/assistant", 405),
        ("POST", "/health", 405),
        ("DELETE", "/threads/a/state", 405),
        ("GET", "/threads/unknown/state", 404),
        ("GET", "/threads/a%20b/state", 400),
        ("GET", "/threads/a%2F..%2Fb/state", 404),
        ("GET", "/threads//state", 404),
        ("GET", "/threads?before=%00", 400),
        ("GET", "/threads?before=" + "0" * 65, 400),
        ("POST", "/threads/%2e%2e/cancel", 400),
        ("GET", "/nothing", 404),
        ("GET", "/", 404),
    ],
)
async def test_addresses_that_lead_nowhere(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await http.request(method, path)

    assert response.status_code == status
    assert message_of(response)


async def test_an_unknown_thread_is_named(http: httpx.AsyncClient) -> None:
    assert message_of(await http.get("/threads/t9/state")) == "There is no thread 't9'."


async def test_an_unknown_protocol_is_refused(http: httpx.AsyncClient) -> None:
    body = Chat(http).body(say("Hi"))

    response = await http.post("/assistant?protocol=ag-ui", json=body)

    assert response.status_code == 400
    assert "known are data-stream, assistant-transport" in message_of(response)


async def test_a_refused_request_leaves_no_thread_behind(http: httpx.AsyncClient) -> None:
    body = {"commands": [say("Hi"), {"type": "explode"}], "threadId": "t-refused"}

    assert (await http.post("/assistant", json=body)).status_code == 400
    assert (await http.get("/threads/t-refused/state")).status_code == 404
    chat = Chat(http, thread_id="t-refused")
    await chat.ask("Hi")
    assert chat.shown() == [("human", "Hi"), ("ai", "Hi.")]


async def test_a_failure_before_the_stream_is_a_neutral_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def config(call: ThreadCall) -> Any:
        raise KeyError("database password")

    app = create_app(answering_graph(), config=config, cors_origins=["https://a.example"])
    async with serving(app) as http:
        http.headers["Origin"] = "https://a.example"
        response = await Chat(http).post(say("Hi"))

        assert response.status_code == 500
        assert response.headers["access-control-allow-origin"] == "https://a.example"
        assert "password" not in response.text
        error_id = message_of(response).rpartition(" ")[2].rstrip(".")
        assert error_id in caplog.text
        assert caplog.text.count("KeyError: 'database password'") == 1
        assert (await http.get("/threads/t/state")).status_code == 500


async def test_a_body_that_does_not_come_is_not_waited_for_forever() -> None:
    async def read(request: Request) -> Response:
        try:
            await read_json_body(request, time_limit=0.05)
        except RequestError as error:
            return Response(str(error), error.status_code)
        return Response("read")

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"a":'
        await asyncio.sleep(0.5)
        yield b"1}"

    async with serving(Starlette(routes=[Route("/", read, methods=["POST"])])) as http:
        response = await http.post("/", content=slow(), headers=JSON)

        assert response.status_code == 408
        assert "within 0.05 seconds" in response.text


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_forgotten() -> None:
    async with serving(create_app(answering_graph())) as http:
        host, port = http.base_url.host, http.base_url.port
        _, writer = await asyncio.open_connection(host, port)
        writer.write(
            b"POST /assistant HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b'Content-Length: 1000\r\n\r\n{"commands":'
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()

        assert (await http.get("/health")).status_code == 200
