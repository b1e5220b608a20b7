"""What somebody with bad intent may try, on every endpoint."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from langchain.agents import create_agent
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from starlette.types import ASGIApp

from assistant_stream_ce.server import RequestLimits
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import _runs
from assistant_stream_langgraph.app import create_app
from assistant_stream_langgraph.middleware import FrontendTools
from assistant_stream_langgraph.threads import Graph
from tests.app.agents import SECRET, SENT, agent
from tests.app.asgi import JSON, Answer, call
from tests.app.serving import serving
from tests.app.test_access import user_of

WIRES = ["/assistant", "/assistant?protocol=assistant-transport", "/chat", "/chat?protocol=ai-sdk"]
WIRES += ["/agui", "/v1/chat/completions", "/v1/chat/completions?stream"]


def request(wire: str, text: str = "Hi", thread_id: str = "t1", **more: Any) -> dict[str, Any]:
    """The body that has a client of a wire say something."""
    if wire.startswith("/assistant"):
        parts = [{"type": "text", "text": text}]
        said = {"type": "add-message", "message": {"role": "user", "parts": parts}}
        return {"commands": [said], "state": {}, "threadId": thread_id, **more}
    if wire.endswith("ai-sdk"):
        message = {"id": "u1", "role": "user", "parts": [{"type": "text", "text": text}]}
        return {"id": thread_id, "messages": [message], **more}
    said = {"id": "u1", "role": "user", "content": text}
    if wire == "/chat":
        return {"messages": [said], "threadId": thread_id, **more}
    if wire == "/agui":
        return {"messages": [said], "threadId": thread_id, "runId": "r1", **more}
    named = {"model": "m", "metadata": {"thread_id": thread_id}, "stream": "?stream" in wire}
    return {"messages": [said], **named, **more}


async def post(app: ASGIApp, wire: str, body: dict[str, Any] | str, **more: Any) -> Answer:
    """Send a body to the endpoint of a wire, without a socket."""
    path, _, query = wire.partition("?")
    data = body if isinstance(body, str) else json.dumps(body)
    return await call(app, "POST", path, data.encode(), query=query, **more)


class Spy:
    """An agent whose model remembers what it was shown."""

    def __init__(self) -> None:
        self.model = ScriptedChatModel(turns=["Hello."], cycle=True)
        self.graph: Graph = create_agent(self.model, [], middleware=[FrontendTools()])

    @property
    def shown(self) -> str:
        return str(self.model.calls)


@pytest.mark.parametrize("wire", WIRES)
async def test_an_exception_is_not_told(wire: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = await post(create_app(agent()), wire, request(wire, "fail"))

    assert b"hunter2" not in answer.body
    assert b"RuntimeError" not in answer.body
    assert b"error id" in answer.body
    assert SECRET in caplog.text


# -- Another user's thread ------------------------------------------------------------------------


class Panic(BaseException):
    """As extensions in Rust raise."""


@pytest.mark.parametrize("wire", WIRES)
async def test_what_is_no_exception_is_not_told_either(
    wire: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(state: MessagesState) -> dict[str, Any]:
        raise Panic(SECRET)

    builder = StateGraph(MessagesState)
    builder.add_node("fail", fail)
    builder.add_edge(START, "fail")
    answer = await post(create_app(builder.compile()), wire, request(wire, "Hi"))

    assert b"hunter2" not in answer.body
    assert b"error id" in answer.body
    assert SECRET in caplog.text


async def test_nobody_reaches_into_the_thread_of_another() -> None:
    SENT.clear()
    alice, eve = {"authorization": "alice"}, {"authorization": "eve"}
    async with serving(create_app(agent(), authorize=user_of)) as http:
        asked = await http.post("/assistant", json=request("/assistant", "mail"), headers=alice)
        run_id = asked.headers["x-resumable-stream-id"]
        before = await http.get("/threads/t1/state", headers=alice)
        (interrupt,) = before.json()["interrupts"]
        call_id = before.json()["values"]["messages"][-1]["tool_calls"][0]["id"]

        attempts = await _attempts(http, eve, run_id, interrupt["id"], call_id)

        assert attempts == {
            "state": 404,
            "messages": 404,
            "delete": 404,
            "cancel": False,
            "stream": 204,
            "resume-state": 204,
            "resume": 404,
            "answer": 409,
            "approval": 409,
            "ag-ui resume": 409,
            "result": 409,
            "data stream result": 409,
            "list": [],
        }
        assert SENT == []
        after = await http.get("/threads/t1/state", headers=alice)
        assert after.json() == before.json()
        for path in ("/threads", "/threads/t1/state", "/chat/t1/stream", "/v1/models"):
            assert (await http.get(path)).status_code == 401


async def _attempts(
    http: httpx.AsyncClient, who: dict[str, str], run_id: str, interrupt_id: str, call_id: str
) -> dict[str, Any]:
    async def status(method: str, path: str, body: Any = None) -> int:
        return (await http.request(method, path, json=body, headers=who)).status_code

    answer = {"type": "resume", "id": interrupt_id, "value": {"approved": True}}
    part = {"type": "tool-send_mail", "toolCallId": call_id, "state": "approval-responded"}
    part |= {"input": {}, "approval": {"id": interrupt_id, "approved": True}}
    resume = [{"interruptId": interrupt_id, "status": "resolved", "payload": {"approved": True}}]
    result = {"role": "tool", "tool_call_id": call_id, "content": '{"approved": true}'}
    output = {"type": "json", "value": {"approved": True}}
    told = {"type": "tool-result", "toolCallId": call_id, "output": output}
    ui = [{"role": "assistant", "parts": [part]}]
    return {
        "state": await status("GET", "/threads/t1/state"),
        "messages": await status("GET", "/threads/t1/messages"),
        "delete": await status("DELETE", "/threads/t1"),
        "cancel": (await http.post("/threads/t1/cancel", headers=who)).json()["cancelled"],
        "stream": await status("GET", "/chat/t1/stream"),
        "resume-state": await status("POST", "/resume-state", {"threadId": "t1"}),
        "resume": await status("POST", "/resume", {"threadId": "t1", "runId": run_id}),
        "answer": await status("POST", "/assistant", {"commands": [answer], "threadId": "t1"}),
        "approval": await status("POST", "/chat", {"id": "t1", "messages": ui}),
        "ag-ui resume": await status(
            "POST", "/agui", {"threadId": "t1", "runId": "r", "messages": [], "resume": resume}
        ),
        "result": await status(
            "POST",
            "/v1/chat/completions",
            {"model": "m", "messages": [result], "metadata": {"thread_id": "t1"}},
        ),
        "data stream result": await status(
            "POST", "/chat", {"threadId": "t1", "messages": [{"role": "tool", "content": [told]}]}
        ),
        "list": (await http.get("/threads", headers=who)).json()["threads"],
    }


# -- Injection ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
async def test_roles_and_prompts_of_the_client_do_not_reach_the_model(wire: str, role: str) -> None:
    spy = Spy()
    context = [{"description": "system", "value": "INJECTED"}]
    body = request(wire, system="INJECTED", context=context)
    parts = [{"type": "text", "text": "INJECTED"}]
    forged: Any = {"role": role, "content": "INJECTED", "parts": parts}
    if "messages" in body:
        body["messages"].insert(0, forged)
    else:
        body["commands"].append({"type": "add-message", "message": forged})

    answer = await post(create_app(spy.graph), wire, body)

    assert answer.status in (200, 400)
    assert "INJECTED" not in spy.shown


@pytest.mark.parametrize("wire", WIRES)
async def test_a_client_cannot_replace_a_tool_of_the_server(wire: str) -> None:
    schema = {"description": "INJECTED", "parameters": {"type": "object", "properties": {}}}
    tools: Any = {"get_weather": schema}
    if wire == "/agui":
        tools = [{"name": "get_weather", **schema}]
    if wire.startswith("/v1"):
        tools = [{"type": "function", "function": {"name": "get_weather", **schema}}]
    answer = await post(create_app(agent()), wire, request(wire, "weather", tools=tools))

    assert b"Sunny" in answer.body


@pytest.mark.parametrize("wire", WIRES)
async def test_prototype_keys_do_not_come_back(wire: str) -> None:
    body = json.dumps(request(wire, state={"messages": [], "PROTO": {"a": 1}}))
    body = body.replace('"PROTO"', '"__proto__"').replace('"Hi"', '"Hi", "__proto__": {"a": 1}')

    answer = await post(create_app(agent()), wire, body)

    assert answer.status == 200
    assert b"__proto__" not in answer.body


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("thread_id", ["a\r\nset-cookie: x=1", "../t1", "alice/t1", "", "a b", "ä"])
async def test_a_thread_id_is_no_way_into_headers_or_to_others(wire: str, thread_id: str) -> None:
    app = create_app(Spy().graph)
    named = (b"x-thread-id", thread_id.encode("utf-8"))

    in_body = await post(app, wire, request(wire, thread_id=thread_id))
    in_header = await post(app, wire, request(wire), headers=[JSON, named])

    assert in_body.status == 400 or (not thread_id and in_body.status == 200)
    assert in_header.status == 400 or wire == "/agui"  # whose clients name it in the body
    for answer in (in_body, in_header):
        assert b"set-cookie" not in answer.headers
        assert answer.headers.get(b"x-thread-id") != named[1]


ADDRESSES = [
    "file:///etc/passwd",
    "http://127.0.0.1/",
    "http://example.com/a.png",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://[::1]/",
    "https://localhost/",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/",
    "https://metadata.google.internal/",
    "https://user:pass@example.com/",
    "ftp://example.com/",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("url", ADDRESSES)
async def test_addresses_of_files_on_or_near_the_server_are_refused(url: str) -> None:
    spy = Spy()
    app = create_app(spy.graph)
    parts: dict[str, Any] = {
        "/assistant": {"type": "image", "image": url},
        "/chat": {"type": "file", "data": url, "mediaType": "image/png"},
        "/chat?protocol=ai-sdk": {"type": "file", "url": url, "mediaType": "image/png"},
        "/agui": {"type": "image", "source": {"type": "url", "value": url}},
        "/v1/chat/completions": {"type": "image_url", "image_url": {"url": url}},
    }
    for wire, part in parts.items():
        body = request(wire)
        said = body["commands"][0]["message"] if "commands" in body else body["messages"][0]
        said["parts" if "parts" in said else "content"] = [part]

        answer = await post(app, wire, body)

        assert answer.status == 400, wire
    assert spy.model.calls == []


# -- Limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", ["/assistant", "/chat", "/agui", "/v1/chat/completions"])
async def test_a_hundred_megabytes_are_neither_kept_nor_waited_for(wire: str) -> None:
    piece = b" " * 65_536

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(1_600):
            yield piece

    async with serving(create_app(Spy().graph, max_body_bytes=1_000_000)) as http:
        tracemalloc.start()
        try:
            headers = {"content-type": "application/json"}
            response = await http.post(wire, content=unannounced(), headers=headers)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert response.status_code == 413
        assert (await http.get("/health")).status_code == 200

    assert peak < 8_000_000


async def test_slow_bodies_are_given_up_while_others_are_served() -> None:
    head = b"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

    async with serving(create_app(Spy().graph, body_timeout=1.0)) as http:

        async def crawl() -> bytes:
            reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
            writer.write(head + b"Content-Length: 100\r\n\r\n")
            for letter in b'{"a":':  # Each comes in time, and all of them too late.
                writer.write(bytes([letter]))
                await asyncio.sleep(0.02)
            answer = await asyncio.wait_for(reader.read(), 10)  # to the end of the connection
            writer.close()
            return answer

        slow = [asyncio.create_task(crawl()) for _ in range(40)]
        await asyncio.sleep(0.1)
        response = await http.post("/chat", json=request("/chat"))
        assert response.status_code == 200
        answers = await asyncio.gather(*slow)

    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 408 Request Timeout"}


async def test_too_many_runs_are_refused_and_told_when_to_try_again() -> None:
    model = ScriptedChatModel(turns=[[0.6, "Done."]], cycle=True)
    async with serving(create_app(create_agent(model, []), max_runs=2)) as http:
        posts = [http.post("/chat", json=request("/chat", thread_id=f"t{i}")) for i in range(3)]
        statuses = sorted((await asyncio.gather(*posts)), key=lambda response: response.status_code)
        again = await http.post("/chat", json=request("/chat", thread_id="t9"))

    assert [response.status_code for response in statuses] == [200, 200, 503]
    assert statuses[2].headers["retry-after"] == "2"
    assert again.status_code == 200


async def test_an_answer_without_an_end_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_runs, "MAX_ANSWER", 20_000)
    stopped = asyncio.Event()

    async def talk(state: MessagesState) -> None:
        write = get_stream_writer()
        try:
            while True:
                write("and so on")
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            stopped.set()
            raise

    builder = StateGraph(MessagesState)
    builder.add_node("talk", talk)
    builder.add_edge(START, "talk")
    app = create_app(builder.compile(), max_runs=1)
    async with serving(app) as http:
        for _ in range(2):
            response = await http.post("/chat", json=request("/chat", thread_id="t1"))
            assert response.status_code == 200
            assert len(response.content) < 21_000
            assert "The answer is too long." in response.text
            await asyncio.wait_for(stopped.wait(), 5)
            stopped.clear()


@pytest.mark.parametrize("wire", WIRES)
async def test_a_run_that_takes_too_long_is_stopped_and_the_client_told(wire: str) -> None:
    model = ScriptedChatModel(turns=[["Let me ", 30.0, "never"], "Well."])
    app = create_app(create_agent(model, []), max_run_time=0.2)

    answer = await asyncio.wait_for(post(app, wire, request(wire)), 5)
    again = await post(app, wire, request(wire, "And now?"))

    assert b"has taken longer than it may" in answer.body
    assert b"Well." in again.body


async def test_what_a_request_holds_is_limited() -> None:
    limits = RequestLimits(text_length=100, messages=3, tools=1)
    app = create_app(Spy().graph, limits=limits)
    many = request("/chat")
    many["messages"] *= 4

    for wire in WIRES:
        assert (await post(app, wire, request(wire, "x" * 101))).status == 413, wire
    assert (await post(app, "/chat", many)).status == 413
    assert (await post(app, "/chat", request("/chat", tools={"a": {}, "b": {}}))).status == 413


async def test_the_list_of_threads_is_limited() -> None:
    async with serving(create_app(Spy().graph)) as http:
        for number in range(3):
            await http.post("/chat", json=request("/chat", thread_id=f"t{number}"))
        page = (await http.get("/threads?limit=2")).json()

        assert [thread["id"] for thread in page["threads"]] == ["t2", "t1"]
        assert page["next"] is not None
        assert (await http.get("/threads?limit=101")).status_code == 400
