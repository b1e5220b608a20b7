"""Answers over HTTP that outlive their client, on a real server, read by the real clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from assistant_stream_ce import (
    AssistantStreamChunk,
    AssistantTransportEncoder,
    DataStreamEncoder,
    RunController,
    StreamEncoder,
    TextDeltaChunk,
    serialization,
)
from assistant_stream_ce.resumable import (
    ManagedStreamStore,
    ResumableStreamContext,
    create_in_memory_resumable_stream_store,
    create_resumable_assistant_stream_response,
    create_resumable_stream_context,
    create_resume_assistant_stream_response,
    cursor_from_request,
)
from assistant_stream_ce.typing import ChunkSource, RunCallback
from tests.npm import Protocol, decode
from tests.resumable.reading import until_status
from tests.serving import serve

ENCODERS: dict[Protocol, StreamEncoder] = {
    "data-stream": DataStreamEncoder(),
    "assistant-transport": AssistantTransportEncoder(),
}


class App:
    """A backend with one callback: `POST /chat/ID` runs it, `GET` resumes, `DELETE` cancels."""

    def __init__(
        self,
        store: ManagedStreamStore,
        callback: RunCallback,
        protocol: Protocol = "data-stream",
        heartbeat: float | bool = True,
    ) -> None:
        self.context = create_resumable_stream_context(store=store)
        self._callback = callback
        self._encoder = ENCODERS[protocol]
        self._heartbeat = heartbeat
        self.asgi = Starlette(
            routes=[
                Route("/chat/{id}", self._chat, methods=["POST"]),
                Route("/chat/{id}", self._resume, methods=["GET"]),
                Route("/chat/{id}", self._cancel, methods=["DELETE"]),
            ]
        )

    async def _chat(self, request: Request) -> Response:
        return await create_resumable_assistant_stream_response(
            context=self.context,
            stream_id=request.path_params["id"],
            callback=self._callback,
            encoder=self._encoder,
            heartbeat=self._heartbeat,
        )

    async def _resume(self, request: Request) -> Response:
        return await create_resume_assistant_stream_response(
            context=self.context,
            stream_id=request.path_params["id"],
            encoder=self._encoder,
            cursor=cursor_from_request(request),
        )

    async def _cancel(self, request: Request) -> Response:
        cancelled = await self.context.cancel(request.path_params["id"])
        return PlainTextResponse("cancelled" if cancelled else "not running")


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient, None]:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        yield client


async def read_some(response: httpx.Response, until_seen: bytes) -> bytes:
    data = b""
    async for piece in response.aiter_raw():
        data += piece
        if until_seen in data:
            break
    return data


@pytest.mark.parametrize("protocol", ["data-stream", "assistant-transport"])
async def test_a_reload_replays_and_follows(
    store: ManagedStreamStore, http: httpx.AsyncClient, protocol: Protocol
) -> None:
    """The client goes in mid-answer; the run goes on; another client gets all of it."""
    go_on = asyncio.Event()
    controllers: list[RunController] = []

    async def callback(controller: RunController) -> None:
        controllers.append(controller)
        controller.append_text("Hello ")
        await go_on.wait()
        controller.append_text("wörld")
        call = await controller.add_tool_call("search", "call-1")
        call.append_args_text('{"q": 1}')
        call.set_response({"found": ["\u2028"]})

    app = App(store, callback, protocol)
    async with serve(app.asgi) as url:
        async with http.stream("POST", f"{url}/chat/s") as response:
            assert response.headers["x-resumable-stream-id"] == "s"
            assert response.headers["x-accel-buffering"] == "no"
            assert "aui-replay-content-length" not in response.headers
            begun = await read_some(response, b"Hello")
        async with http.stream("GET", f"{url}/chat/s") as response:
            replayed = int(response.headers["aui-replay-content-length"])
            assert replayed >= len(begun)
            first = await read_some(response, b"Hello")
            assert first[: len(begun)] == begun
            go_on.set()
            await until_status(app.context, "s", "done")
        assert not controllers[0].is_cancelled
        whole = (await http.get(f"{url}/chat/s")).content
        again = await http.post(f"{url}/chat/s")
    assert whole.startswith(begun)
    assert again.content == whole
    assert int(again.headers["aui-replay-content-length"]) == len(whole)
    assert len(controllers) == 1
    message = decode(whole, protocol).checked()
    assert message.text == "Hello wörld"
    assert message.parts[1]["result"] == {"found": ["\u2028"]}


async def test_a_client_may_go_on_at_any_byte(
    store: ManagedStreamStore, http: httpx.AsyncClient
) -> None:
    async def callback(controller: RunController) -> None:
        controller.append_text("äöü" * 5)

    app = App(store, callback)
    async with serve(app.asgi) as url:
        whole = (await http.post(f"{url}/chat/s")).content
        for cursor in (0, 1, 7, len(whole) - 1, len(whole)):
            by_query = await http.get(f"{url}/chat/s", params={"cursor": cursor})
            by_header = await http.get(f"{url}/chat/s", headers={"Last-Event-ID": str(cursor)})
            assert by_query.content == by_header.content == whole[cursor:]
            replayed = by_query.headers.get("aui-replay-content-length", "0")
            assert int(replayed) == len(whole) - cursor
        for cursor_text in (str(len(whole) + 1), "x", "-1"):
            refused = await http.get(f"{url}/chat/s", params={"cursor": cursor_text})
            assert refused.status_code == 400
            assert "cursor" in refused.json()["error"]


async def test_what_is_not_there_is_a_404(
    store: ManagedStreamStore, http: httpx.AsyncClient
) -> None:
    async def callback(_: RunController) -> None:
        return

    app = App(store, callback)
    async with serve(app.asgi) as url:
        for stream_id in ("unknown", "x" * 300, "a b"):
            response = await http.get(f"{url}/chat/{stream_id}")
            assert response.status_code == 404
            assert response.json() == {"error": "stream not found"}
    own = await create_resume_assistant_stream_response(
        context=app.context, stream_id="unknown", missing_response=lambda: Response(status_code=204)
    )
    assert own.status_code == 204


@pytest.mark.parametrize("protocol", ["data-stream", "assistant-transport"])
async def test_cancel_by_id_ends_the_answer_well(
    store: ManagedStreamStore, http: httpx.AsyncClient, protocol: Protocol
) -> None:
    seen: list[bool] = []

    async def callback(controller: RunController) -> None:
        controller.append_text("half")
        call = await controller.add_tool_call("search", "call-1")
        call.append_args_text('{"q": 1}')
        try:
            await asyncio.sleep(60)
        finally:
            seen.append(controller.is_cancelled)

    app = App(store, callback, protocol)
    async with serve(app.asgi) as url:
        async with http.stream("POST", f"{url}/chat/s") as response:
            begun = await read_some(response, b"q")
            assert (await http.delete(f"{url}/chat/s")).text == "cancelled"
        whole = (await http.get(f"{url}/chat/s")).content
        assert (await http.delete(f"{url}/chat/s")).text == "not running"
    assert whole.startswith(begun)
    assert seen == [True]
    message = decode(whole, protocol).checked()
    assert message.text == "half"
    assert message.parts[1]["args"] == {"q": 1}
    assert await app.context.status("s") == "done"


@pytest.mark.parametrize("protocol", ["data-stream", "assistant-transport"])
async def test_a_failed_run_is_told_once_and_replays_as_it_was(
    store: ManagedStreamStore, http: httpx.AsyncClient, protocol: Protocol
) -> None:
    async def callback(controller: RunController) -> None:
        controller.append_text("half")
        raise ValueError("no such model")

    app = App(store, callback, protocol)
    async with serve(app.asgi) as url:
        first = await http.post(f"{url}/chat/s")
        second = await http.get(f"{url}/chat/s")
    assert first.content == second.content
    message = decode(first.content, protocol).checked()
    assert message.status["error"]["message"] == "no such model"
    assert first.content.count(b"no such model") == 1
    info = await app.context.info("s")
    assert (info.status, info.error) == ("error", "no such model")


@pytest.mark.parametrize("protocol", ["data-stream", "assistant-transport"])
@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (lambda context: context.delete("s"), "The answer was "),
        (lambda context: context.cancel("s"), "The answer was stopped."),
    ],
    ids=["deleted", "cancelled"],
)
async def test_a_stream_that_breaks_off_is_told_in_its_own_wire(
    store: ManagedStreamStore,
    http: httpx.AsyncClient,
    protocol: Protocol,
    breaks: Callable[[ResumableStreamContext], Awaitable[object]],
    told: str,
) -> None:
    """Bytes that the application made itself, so that only the reader can end them well."""

    async def callback(_: RunController) -> None:
        return

    async def source() -> AsyncGenerator[bytes, None]:
        async for frames in ENCODERS[protocol].encode_stream(text()):
            yield frames.encode()

    async def text() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield TextDeltaChunk("half")
        await asyncio.sleep(60)

    app = App(store, callback, protocol)
    await app.context.start("s", source)
    async with serve(app.asgi) as url, http.stream("GET", f"{url}/chat/s") as response:
        data = b""
        async for piece in response.aiter_raw():
            data += piece
            if data.count(b"half") and not data.count(b"answer"):
                await breaks(app.context)
    message = decode(data, protocol).checked()
    assert message.text == "half"
    assert message.status["error"]["message"].startswith(told)


async def test_an_answer_that_is_too_long_is_told(http: httpx.AsyncClient) -> None:
    async def callback(controller: RunController) -> None:
        for _ in range(1000):
            controller.append_text("word ")
            await asyncio.sleep(0)

    store = create_in_memory_resumable_stream_store(max_bytes_per_stream=500)
    app = App(store, callback)
    async with serve(app.asgi) as url:
        wire = (await http.post(f"{url}/chat/s")).content
    message = decode(wire).checked()
    assert message.text.startswith("word word ")
    assert message.status["error"]["message"] == "The answer is too long."
    assert len(wire) < 600


async def test_heartbeats_come_from_the_run_so_every_reader_counts_alike(
    store: ManagedStreamStore, http: httpx.AsyncClient
) -> None:
    async def callback(controller: RunController) -> None:
        controller.append_text("a")
        await asyncio.sleep(0.3)
        controller.append_text("b")

    app = App(store, callback, heartbeat=0.02)
    async with serve(app.asgi) as url:
        live, other = await asyncio.gather(http.post(f"{url}/chat/s"), http.post(f"{url}/chat/s"))
        replay = await http.get(f"{url}/chat/s")
    assert live.content == other.content == replay.content
    assert b'0:"a"\n\n\n' in live.content
    assert decode(live.content).checked().text == "ab"


async def test_state_and_headers_of_the_caller(store: ManagedStreamStore) -> None:
    async def callback(controller: RunController) -> None:
        controller.state["count"] += 1

    context = create_resumable_stream_context(store=store)
    response = await create_resumable_assistant_stream_response(
        context=context,
        stream_id="s",
        callback=callback,
        state={"count": 1},
        headers={"Aui-Replay-CONTENT-length": "7", "X-Mine": "yes"},
    )
    assert response.headers["x-mine"] == "yes"
    assert response.headers["x-vercel-ai-data-stream"] == "v1"
    assert "aui-replay-content-length" not in response.headers
    await until_status(context, "s", "done")
    info = await context.info("s")
    assert info.size


WIRES = [
    getattr(serialization, name)
    for name in serialization.__all__
    if name.endswith("Encoder") and name != "StreamEncoder"
]


@pytest.mark.parametrize("encoder", WIRES)
async def test_every_wire_replays_as_it_went_out(
    store: ManagedStreamStore, encoder: type[StreamEncoder]
) -> None:
    async def callback(controller: RunController) -> None:
        controller.append_text("Grüße \ud83d")
        await asyncio.sleep(0)
        controller.add_source("1", "https://example.org")

    context = create_resumable_stream_context(store=store)
    first = await create_resumable_assistant_stream_response(
        context=context, stream_id="s", callback=callback, encoder=encoder()
    )
    assert first.media_type == encoder.media_type
    live = b"".join([piece async for piece in first.body_iterator])  # type: ignore[attr-defined]
    again = await create_resume_assistant_stream_response(
        context=context, stream_id="s", encoder=encoder()
    )
    assert b"".join([piece async for piece in again.body_iterator]) == live  # type: ignore[attr-defined]
    assert b"Gr" in live


async def test_an_encoder_that_only_has_encode_stream(store: ManagedStreamStore) -> None:
    class Shouting(StreamEncoder):
        async def encode_stream(self, stream: ChunkSource) -> AsyncGenerator[str, None]:
            async for chunk in stream:
                if isinstance(chunk, TextDeltaChunk):
                    yield f"{chunk.text_delta.upper()}\n"

    async def callback(controller: RunController) -> None:
        controller.append_text("hello")

    context = create_resumable_stream_context(store=store)
    await create_resumable_assistant_stream_response(
        context=context, stream_id="s", callback=callback, encoder=Shouting()
    )
    body = await context.require_resume("s")
    assert [piece async for piece in body] == [b"HELLO\n"]


async def test_a_cancel_that_comes_before_the_callback_does(
    make_memory_store: Callable[..., ManagedStreamStore],
) -> None:
    called: list[bool] = []

    async def callback(_: RunController) -> None:
        called.append(True)

    context = create_resumable_stream_context(store=make_memory_store())
    await create_resumable_assistant_stream_response(
        context=context, stream_id="s", callback=callback
    )
    await context.aclose()
    assert called == []
    assert await context.status("s") == "done"
