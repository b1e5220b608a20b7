"""A Python client of a real server: what it posts, what it reads, and how it fails."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from assistant_stream_ce import (
    AssistantStreamChunk,
    AssistantTransportResponse,
    DataStreamResponse,
    ErrorChunk,
    RunController,
    RunResponseError,
    StreamDecodeError,
    TextDeltaChunk,
    UIMessageStreamResponse,
    accumulate,
    create_run,
    stream_run,
)
from assistant_stream_ce.testing import collect
from tests.serving import serve

Endpoint = Callable[[Request], Awaitable[Response]]


def app(endpoint: Endpoint) -> Starlette:
    return Starlette(routes=[Route("/run", endpoint, methods=["POST"])])


async def answer(controller: RunController) -> None:
    controller.append_text("Let me look. ")
    call = await controller.add_tool_call("search", "c1")
    call.append_args_text('{"q":"é"}')
    call.set_response({"n": 1})
    controller.append_text("One.")


@pytest.mark.parametrize("response", [DataStreamResponse, AssistantTransportResponse])
async def test_the_chunks_of_a_server_are_those_of_its_run(response: Any) -> None:
    async def endpoint(request: Request) -> Response:
        return response(create_run(answer))  # type: ignore[no-any-return]

    async with serve(app(endpoint)) as url:
        theirs = await accumulate(stream_run(f"{url}/run", {}))

    assert theirs == await accumulate(create_run(answer))


async def test_the_request_is_json_with_the_given_headers() -> None:
    class Body(BaseModel):
        question: str

    async def endpoint(request: Request) -> Response:
        body = await request.json()

        async def run(controller: RunController) -> None:
            controller.append_text(f"{body['question']} {request.headers['authorization']} ")
            controller.append_text(request.headers["content-type"])

        return DataStreamResponse(create_run(run))

    async with serve(app(endpoint)) as url:
        request = Body(question="Ä?")
        message = await accumulate(
            stream_run(f"{url}/run", request, headers={"Authorization": "Bearer k"})
        )

    assert message["parts"][0].get("text") == "Ä? Bearer k application/json"


async def test_chunks_come_while_the_run_goes_on() -> None:
    heard = asyncio.Event()

    async def endpoint(request: Request) -> Response:
        async def run(controller: RunController) -> None:
            controller.append_text("a")
            await heard.wait()
            controller.append_text("b")

        return DataStreamResponse(create_run(run))

    async with serve(app(endpoint)) as url:
        chunks: list[AssistantStreamChunk] = []
        async for chunk in stream_run(f"{url}/run", {}):
            chunks.append(chunk)
            heard.set()

    assert chunks == [TextDeltaChunk("a"), TextDeltaChunk("b")]


async def test_closing_the_stream_ends_the_run_on_the_server() -> None:
    ended = asyncio.Event()

    async def endpoint(request: Request) -> Response:
        async def run(controller: RunController) -> None:
            try:
                controller.append_text("a")
                await asyncio.sleep(60)
            finally:
                ended.set()

        return AssistantTransportResponse(create_run(run))

    async with serve(app(endpoint)) as url:
        stream = stream_run(f"{url}/run", {})
        assert await anext(stream) == TextDeltaChunk("")
        await stream.aclose()
        async with asyncio.timeout(10):
            await ended.wait()


async def test_a_client_of_ones_own_stays_open() -> None:
    async def endpoint(request: Request) -> Response:
        return DataStreamResponse(create_run(answer))

    async with serve(app(endpoint)) as url, httpx.AsyncClient(base_url=url) as client:
        for _ in range(2):
            assert await collect(stream_run("/run", {}, client=client))
        assert not client.is_closed


async def test_a_refusal_tells_status_and_body() -> None:
    async def endpoint(request: Request) -> Response:
        return JSONResponse({"error": {"message": "No such thread."}}, 404)

    async with serve(app(endpoint)) as url:
        with pytest.raises(RunResponseError, match=r"404 Not Found: .*No such thread") as caught:
            await collect(stream_run(f"{url}/run", {}))

    assert caught.value.status_code == 404
    assert caught.value.body == '{"error":{"message":"No such thread."}}'


async def test_a_refusal_without_end_is_cut() -> None:
    async def endpoint(request: Request) -> Response:
        async def body() -> AsyncGenerator[bytes, None]:
            while True:
                yield b"x" * 10_000
                await asyncio.sleep(0)

        return StreamingResponse(body(), 500)

    async with serve(app(endpoint)) as url:
        with pytest.raises(RunResponseError) as caught:
            await collect(stream_run(f"{url}/run", {}))

    assert len(caught.value.body) == 64 * 1024
    assert len(str(caught.value)) < 600


async def test_an_error_of_the_run_is_a_chunk() -> None:
    async def endpoint(request: Request) -> Response:
        async def run(controller: RunController) -> None:
            controller.add_error("boom", code="busy")

        return AssistantTransportResponse(create_run(run))

    async with serve(app(endpoint)) as url:
        assert await collect(stream_run(f"{url}/run", {})) == [ErrorChunk("boom", "busy")]


@pytest.mark.parametrize(
    ("response", "what"),
    [
        (lambda: PlainTextResponse("<html>", media_type="text/html"), "`text/html`"),
        (lambda: Response(b"x"), "`no content type`"),
        (lambda: UIMessageStreamResponse(create_run(answer)), "a UI message stream"),
    ],
)
async def test_another_answer_is_refused(response: Callable[[], Response], what: str) -> None:
    async def endpoint(request: Request) -> Response:
        return response()

    async with serve(app(endpoint)) as url:
        with pytest.raises(RunResponseError, match=what) as caught:
            await collect(stream_run(f"{url}/run", {}))

    assert caught.value.status_code == 200


async def test_the_wire_can_be_named_and_plain_text_is_a_data_stream() -> None:
    async def endpoint(request: Request) -> Response:
        media_type = "text/plain" if await request.json() else "application/octet-stream"
        return Response(b'0:"a"\n', media_type=media_type)

    async with serve(app(endpoint)) as url:
        assert await collect(stream_run(f"{url}/run", 1)) == [TextDeltaChunk("a")]
        chunks = await collect(stream_run(f"{url}/run", 0, protocol="data-stream"))

    assert chunks == [TextDeltaChunk("a")]


async def test_a_body_that_breaks_off_is_an_error_when_strict() -> None:
    async def endpoint(request: Request) -> Response:
        return Response(b'data: {"type":"data","data":[]}\n\n', media_type="text/event-stream")

    async with serve(app(endpoint)) as url:
        with pytest.raises(StreamDecodeError, match="DONE"):
            await collect(stream_run(f"{url}/run", {}))
        assert await collect(stream_run(f"{url}/run", {}, strict=False)) == []


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(httpx.ConnectError):
        await collect(stream_run("http://127.0.0.1:9/run", {}))


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async def endpoint(request: Request) -> Response:
        async def run(controller: RunController) -> None:
            controller.append_text("a")
            await asyncio.sleep(60)

        return DataStreamResponse(create_run(run), heartbeat=False)

    async with serve(app(endpoint)) as url:
        with pytest.raises(httpx.ReadTimeout):
            await collect(stream_run(f"{url}/run", {}, timeout=0.2))


def test_without_httpx_the_extra_is_named() -> None:
    program = """
import asyncio, sys
sys.modules["httpx"] = None
from assistant_stream_ce import stream_run
try:
    asyncio.run(anext(stream_run("http://localhost", {})))
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert "pip install 'assistant-stream-ce[client]'" in done.stdout, done.stderr
