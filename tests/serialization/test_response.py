"""Responses over a real uvicorn, read by a real HTTP client."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant_stream_ce import RunController, create_run
from assistant_stream_ce.chunks import AssistantStreamChunk, TextDeltaChunk, ToolCallBeginChunk
from assistant_stream_ce.serialization import (
    AssistantStreamResponse,
    AssistantTransportEncoder,
    AssistantTransportResponse,
    DataStreamEncoder,
    DataStreamResponse,
)
from assistant_stream_ce.serialization.stream_encoder import STREAM_FAILED
from tests.npm import decode
from tests.serving import serve

PROMPTLY = 1.0

ResponseClass = type[DataStreamResponse] | type[AssistantTransportResponse]
BOTH: list[ResponseClass] = [DataStreamResponse, AssistantTransportResponse]


def app_of(respond: Callable[[], Response], *middleware: Middleware) -> Starlette:
    async def endpoint(request: Request) -> Response:
        await request.body()
        return respond()

    return Starlette(routes=[Route("/", endpoint, methods=["POST"])], middleware=list(middleware))


class Sends:
    """An ASGI middleware that keeps what the app sends."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.bodies: list[bytes] = []
        self.after_end = 0
        self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def record(message: Message) -> None:
            if message["type"] == "http.response.body":
                self.after_end += self._ended
                self._ended = not message.get("more_body", False)
                self.bodies.append(message["body"])
            await send(message)

        await self.app(scope, receive, record)


async def fetch(app: ASGIApp) -> httpx.Response:
    async with serve(app) as url, httpx.AsyncClient() as client:
        return await client.post(url, timeout=10)


async def hello(controller: RunController) -> None:
    controller.append_text("Hello")
    controller.append_text(" world")


# -- The head and the body --------------------------------------------------------------------


async def test_the_data_stream_has_the_headers_its_clients_look_at() -> None:
    response = await fetch(app_of(lambda: DataStreamResponse(create_run(hello))))

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-vercel-ai-data-stream"] == "v1"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert decode(response.content).checked().text == "Hello world"


async def test_assistant_transport_is_a_stream_of_server_sent_events() -> None:
    response = await fetch(app_of(lambda: AssistantTransportResponse(create_run(hello))))

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert "connection" not in response.headers
    assert decode(response.content, "assistant-transport").checked().text == "Hello world"


async def test_status_headers_and_background_are_the_callers_to_set() -> None:
    ran: list[bool] = []
    response = await fetch(
        app_of(
            lambda: DataStreamResponse(
                create_run(hello),
                status_code=201,
                headers={"Cache-Control": "private", "X-Thread-Id": "t1"},
                background=BackgroundTask(ran.append, True),
            )
        )
    )

    assert response.status_code == 201
    assert response.headers.get_list("cache-control") == ["private"]
    assert response.headers["x-thread-id"] == "t1"
    assert ran == [True]


@pytest.mark.parametrize("response_class", BOTH)
async def test_what_is_ready_together_leaves_in_one_send(response_class: ResponseClass) -> None:
    async def run(controller: RunController) -> None:
        for _ in range(3):
            for _ in range(8):
                controller.append_text("token ")
            await asyncio.sleep(0.02)

    app = Sends(app_of(lambda: response_class(create_run(run))))
    await fetch(app)

    with_frames = [body for body in app.bodies if b"token" in body]
    assert [body.count(b"token") for body in with_frames] == [8, 8, 8]


async def test_lone_surrogates_and_unicode_separators_survive_the_way() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("\ud83d")
        controller.append_text("\ude00 \u2028 \udfff")

    response = await fetch(app_of(lambda: DataStreamResponse(create_run(run))))

    assert decode(response.content).checked().text == "😀 \u2028 \udfff"
    assert len(response.text.splitlines()) == 2


@pytest.mark.parametrize("response_class", BOTH)
async def test_a_plain_async_generator_of_chunks_will_do(response_class: ResponseClass) -> None:
    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield TextDeltaChunk("Hel")
        await asyncio.sleep(0)
        yield TextDeltaChunk("lo")

    response = await fetch(app_of(lambda: response_class(chunks())))

    assert b"Hel" in response.content
    assert response.content.count(b'"lo"') == 1


async def test_an_async_iterable_that_cannot_be_closed_will_do() -> None:
    class Chunks:
        def __init__(self) -> None:
            self.left = 2

        def __aiter__(self) -> AsyncIterator[AssistantStreamChunk]:
            return self

        async def __anext__(self) -> AssistantStreamChunk:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return TextDeltaChunk("a")

    response = await fetch(app_of(lambda: DataStreamResponse(Chunks())))

    assert response.text == '0:"a"\n0:"a"\n'


# -- Failures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("response_class", BOTH)
async def test_an_exception_in_a_run_ends_the_body_cleanly(
    response_class: ResponseClass, caplog: pytest.LogCaptureFixture
) -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("Hel")
        tool = await controller.add_tool_call("search", "c1")
        tool.append_args_text("{}")
        await asyncio.sleep(0.01)
        raise ValueError("boom")

    response = await fetch(app_of(lambda: response_class(create_run(run))))

    protocol = "data-stream" if response_class is DataStreamResponse else "assistant-transport"
    decoded = decode(response.content, protocol).checked()
    assert decoded.text == "Hel"
    assert decoded.status["error"]["message"] == "boom"
    assert decoded.parts[1]["state"] == "call"
    assert response.content.count(b"boom") == 1
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert "boom" in caplog.text


@pytest.mark.parametrize("response_class", BOTH)
async def test_an_exception_of_a_foreign_stream_is_told_in_neutral_words(
    response_class: ResponseClass, caplog: pytest.LogCaptureFixture
) -> None:
    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield ToolCallBeginChunk("c1", "search")
        yield TextDeltaChunk("Hel")
        raise ValueError("the password is 12345")

    response = await fetch(app_of(lambda: response_class(chunks())))

    protocol = "data-stream" if response_class is DataStreamResponse else "assistant-transport"
    decoded = decode(response.content, protocol).checked()
    assert decoded.status["error"]["message"] == STREAM_FAILED
    assert decoded.parts[0]["argsText"] == "{}"
    assert b"password" not in response.content
    assert "the password is 12345" in caplog.text


async def test_an_exception_before_the_first_chunk_still_gives_a_complete_wire() -> None:
    async def run(controller: RunController) -> None:
        raise ValueError("boom")

    response = await fetch(app_of(lambda: AssistantTransportResponse(create_run(run))))

    assert response.status_code == 200
    decoded = decode(response.content, "assistant-transport").checked()
    assert decoded.status["error"]["message"] == "boom"


# -- Heartbeats -------------------------------------------------------------------------------


@pytest.mark.parametrize("response_class", BOTH)
async def test_a_heartbeat_goes_out_while_the_stream_is_idle(
    response_class: ResponseClass,
) -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("a")
        await asyncio.sleep(0.3)
        controller.append_text("b")

    app = Sends(app_of(lambda: response_class(create_run(run), heartbeat=0.05)))
    response = await fetch(app)

    heartbeat = b"\n" if response_class is DataStreamResponse else b": heartbeat\n\n"
    assert 3 <= app.bodies.count(heartbeat) <= 6
    protocol = "data-stream" if response_class is DataStreamResponse else "assistant-transport"
    assert decode(response.content, protocol).checked().text == "ab"


async def test_no_heartbeat_goes_out_while_chunks_do() -> None:
    async def run(controller: RunController) -> None:
        for _ in range(20):
            controller.append_text("a")
            await asyncio.sleep(0.01)

    app = Sends(app_of(lambda: DataStreamResponse(create_run(run), heartbeat=0.15)))
    await fetch(app)

    assert b"\n" not in app.bodies


@pytest.mark.parametrize("heartbeat", [False, None, 0])
async def test_heartbeats_can_be_switched_off(heartbeat: bool | None) -> None:
    async def run(controller: RunController) -> None:
        await asyncio.sleep(0.1)

    app = Sends(app_of(lambda: DataStreamResponse(create_run(run), heartbeat=heartbeat)))
    await fetch(app)

    assert app.bodies == [b""]


async def test_nothing_is_sent_after_the_end() -> None:
    async def run(controller: RunController) -> None:
        await asyncio.sleep(0.03)

    apps = [
        Sends(app_of(lambda: DataStreamResponse(create_run(run), heartbeat=0.002)))
        for _ in range(5)
    ]
    await asyncio.gather(*map(fetch, apps))

    assert [app.after_end for app in apps] == [0] * 5


# -- Clients that go away or do not read ------------------------------------------------------


class Endless:
    """A callback that emits once and waits; tells how it ended."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.ended = asyncio.Event()
        self.saw_cancellation = False

    async def __call__(self, controller: RunController) -> None:
        controller.append_text("a")
        self.started.set()
        try:
            await asyncio.sleep(60)
        finally:
            self.saw_cancellation = controller.is_cancelled
            self.ended.set()


@pytest.mark.parametrize("response_class", BOTH)
async def test_a_client_that_goes_away_while_the_stream_is_idle_ends_the_run(
    response_class: ResponseClass, caplog: pytest.LogCaptureFixture
) -> None:
    run = Endless()
    ran: list[bool] = []

    def respond() -> Response:
        return response_class(create_run(run), background=BackgroundTask(ran.append, True))

    async with serve(app_of(respond)) as url, httpx.AsyncClient() as client:
        async with client.stream("POST", url) as response:
            await anext(response.aiter_raw())
        async with asyncio.timeout(PROMPTLY):
            await run.ended.wait()

    assert run.saw_cancellation
    assert ran == [True]
    assert caplog.records == []


async def test_behind_a_starlette_middleware_a_client_that_goes_away_ends_the_run() -> None:
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)

    run = Endless()
    app = app_of(
        lambda: DataStreamResponse(create_run(run)), Middleware(BaseHTTPMiddleware, dispatch)
    )
    async with serve(app) as url, httpx.AsyncClient() as client:
        async with client.stream("POST", url) as response:
            await anext(response.aiter_raw())
        async with asyncio.timeout(PROMPTLY):
            await run.ended.wait()

    assert run.saw_cancellation


async def test_a_foreign_stream_may_take_its_time_to_clean_up() -> None:
    cleaned = asyncio.Event()

    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        try:
            yield TextDeltaChunk("a")
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            await asyncio.sleep(0.1)
            cleaned.set()

    app = app_of(lambda: DataStreamResponse(chunks()))
    async with serve(app) as url, httpx.AsyncClient() as client:
        async with client.stream("POST", url) as response:
            await anext(response.aiter_raw())
        async with asyncio.timeout(PROMPTLY):
            await cleaned.wait()


async def test_a_stream_that_swallows_its_cancellation_is_closed_all_the_same() -> None:
    ended = asyncio.Event()
    pulled = 0

    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        nonlocal pulled
        try:
            while True:
                pulled += 1
                yield TextDeltaChunk("a")
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    continue
        finally:
            ended.set()

    app = app_of(lambda: DataStreamResponse(chunks()))
    async with serve(app) as url, httpx.AsyncClient() as client:
        async with client.stream("POST", url) as response:
            await anext(response.aiter_raw())
        async with asyncio.timeout(PROMPTLY):
            await ended.wait()

    assert pulled == 2


def stalled_connection(url: str) -> socket.socket:
    """A client that sends its request and then reads nothing."""
    address = urlsplit(url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    assert address.hostname is not None
    assert address.port is not None
    client.connect((address.hostname, address.port))
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    return client


async def test_a_client_that_does_not_read_holds_the_stream_back_and_is_noticed_when_it_goes() -> (
    None
):
    pulled = 0
    ended = asyncio.Event()

    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        nonlocal pulled
        try:
            while True:
                pulled += 1
                yield TextDeltaChunk("x" * 100_000)
        finally:
            ended.set()

    async with serve(app_of(lambda: DataStreamResponse(chunks(), heartbeat=0.01))) as url:
        client = await asyncio.to_thread(stalled_connection, url)
        try:
            await asyncio.sleep(0.2)
            before = pulled
            await asyncio.sleep(0.2)
            assert pulled == before < 200
        finally:
            client.close()
            closed = time.monotonic()
        await ended.wait()
        # Not a timeout of the loop: it would never come to it if the stream kept the loop busy.
        assert time.monotonic() - closed < PROMPTLY


async def test_a_run_is_ended_when_the_server_shuts_down() -> None:
    run = Endless()
    async with httpx.AsyncClient() as client:
        async with serve(app_of(lambda: DataStreamResponse(create_run(run)))) as url:
            request = asyncio.create_task(client.post(url))
            await run.started.wait()
        # uvicorn cancels what is still running and does not wait for it.
        async with asyncio.timeout(PROMPTLY):
            await run.ended.wait()
        with pytest.raises(httpx.HTTPError):
            await request


# -- Other servers ----------------------------------------------------------------------------


class Transcript:
    """An ASGI server of one request whose client never goes away by itself."""

    def __init__(self, *, fails_after: int | None = None) -> None:
        self.messages: list[Message] = []
        self.fails_after = fails_after
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.fails_after is not None and len(self.messages) >= self.fails_after:
            raise OSError("broken pipe")
        self.messages.append(message)

    async def run(self, app: ASGIApp, scope_type: str = "http") -> None:
        extensions: dict[str, dict[str, str]] = {"websocket.http.response": {}}
        scope = {"type": scope_type, "asgi": {"spec_version": "2.4"}, "extensions": extensions}
        await app(scope, self.receive, self.send)


async def test_a_send_that_fails_means_that_the_client_has_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = False

    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        nonlocal ended
        try:
            while True:
                yield TextDeltaChunk("a")
        finally:
            ended = True

    await Transcript(fails_after=3).run(DataStreamResponse(chunks()))

    assert ended
    assert caplog.records == []


async def test_a_server_that_drops_sends_in_silence_is_not_fed_for_ever() -> None:
    server = Transcript()

    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        while True:
            yield TextDeltaChunk("a")
            server.gone.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    async with asyncio.timeout(PROMPTLY):
        await server.run(DataStreamResponse(chunks()))

    assert [message.get("body") for message in server.messages] == [None, b'0:"a"\n', b'0:"a"\n']


async def test_a_heartbeat_that_cannot_be_sent_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run(controller: RunController) -> None:
        await asyncio.sleep(0.05)

    response = DataStreamResponse(create_run(run), heartbeat=0.01)
    await Transcript(fails_after=1).run(response)

    assert caplog.records == []


async def test_a_heartbeat_waits_for_the_send_before_it() -> None:
    sending = 0
    overlaps = 0

    class Slow(Transcript):
        async def send(self, message: Message) -> None:
            nonlocal sending, overlaps
            overlaps += sending
            sending += 1
            await asyncio.sleep(0.02)
            sending -= 1
            await super().send(message)

    async def run(controller: RunController) -> None:
        for _ in range(10):
            controller.append_text("a")
            await asyncio.sleep(0.017)

    server = Slow()
    await server.run(DataStreamResponse(create_run(run), heartbeat=0.005))

    assert overlaps == 0
    assert server.messages[-1]["more_body"] is False


async def test_a_denied_websocket_gets_the_body_too() -> None:
    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield TextDeltaChunk("no")

    server = Transcript()
    await server.run(DataStreamResponse(chunks(), status_code=403), "websocket")

    assert [message["type"] for message in server.messages] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
        "websocket.http.response.body",
    ]


# -- Iterating the body without a server ------------------------------------------------------


async def test_the_body_can_be_iterated_frame_by_frame() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("a")
        controller.append_text("b")

    response = AssistantStreamResponse(create_run(run), AssistantTransportEncoder())

    frames = [frame async for frame in response.body_iterator]
    assert len(frames) == 5
    assert all(str(frame).endswith("\n\n") for frame in frames)


async def test_an_iterated_body_has_heartbeats() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("a")
        await asyncio.sleep(0.12)
        controller.append_text("b")

    response = AssistantStreamResponse(create_run(run), DataStreamEncoder(), 0.05)

    frames = [frame async for frame in response.body_iterator]
    assert frames == ['0:"a"\n', "\n", "\n", '0:"b"\n']


async def test_a_body_that_someone_has_wrapped_is_sent_as_wrapped() -> None:
    response = DataStreamResponse(create_run(hello))
    inner = response.body_iterator

    async def shouting() -> AsyncGenerator[str, None]:
        async for frame in inner:
            yield str(frame).upper()

    response.body_iterator = shouting()
    server = Transcript()
    await server.run(response)

    assert [message["body"] for message in server.messages[1:]] == [
        b'0:"HELLO"\n',
        b'0:" WORLD"\n',
        b"",
    ]


async def test_a_wrapped_body_may_be_bytes_and_need_not_be_closable() -> None:
    class Body:
        def __init__(self) -> None:
            self.pieces = [b"a", b"b"]

        def __aiter__(self) -> AsyncIterator[bytes]:
            return self

        async def __anext__(self) -> bytes:
            if not self.pieces:
                raise StopAsyncIteration
            return self.pieces.pop(0)

    response = DataStreamResponse(create_run(hello))
    response.body_iterator = Body()
    server = Transcript()
    await server.run(response)

    assert [message["body"] for message in server.messages[1:]] == [b"a", b"b", b""]


async def test_an_exception_of_a_wrapped_body_is_raised() -> None:
    response = DataStreamResponse(create_run(hello))

    async def broken() -> AsyncGenerator[str, None]:
        yield "x"
        raise ValueError("boom")

    response.body_iterator = broken()
    with pytest.raises(ValueError, match="boom"):
        await Transcript().run(response)


def test_a_response_that_is_never_sent_leaves_nothing_behind() -> None:
    DataStreamResponse(create_run(hello))


def test_the_heartbeat_interval_must_make_sense() -> None:
    with pytest.raises(ValueError, match="heartbeat"):
        DataStreamResponse(create_run(hello), heartbeat=-1)


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
