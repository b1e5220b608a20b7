"""Single endpoints, for a server that has its own routes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from assistant_stream_langgraph.endpoints import (
    ag_ui_endpoint,
    assistant_endpoint,
    chat_endpoint,
    openai_endpoint,
)
from tests.app.agents import agent
from tests.app.pausing import Pause, messages_of, reading
from tests.app.pausing import agent as pausing_agent
from tests.app.serving import Chat, calls, serving
from tests.npm import decode

SAID: Any = {"role": "user", "parts": [{"type": "text", "text": "Hi"}]}


@pytest.mark.parametrize(
    ("endpoint", "body", "answer"),
    [
        (assistant_endpoint, {"commands": [{"type": "add-message", "message": SAID}]}, "Echo"),
        (chat_endpoint, {"messages": [{"role": "user", "content": "Hi"}]}, "Echo"),
        (chat_endpoint, {"id": "t1", "messages": [SAID]}, "text-delta"),
        (
            ag_ui_endpoint,
            {"threadId": "t", "runId": "r", "messages": [{"role": "user", "content": "Hi"}]},
            "RUN_FINISHED",
        ),
        (
            openai_endpoint,
            {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
            "chat.completion",
        ),
    ],
)
def test_an_endpoint_in_fastapi(endpoint: Any, body: Any, answer: str) -> None:
    app = FastAPI()
    mine: ASGIApp = endpoint(agent(), authorize=lambda call: call.request.headers.get("user", ""))
    app.add_route("/mine", mine, methods=["POST"])  # type: ignore[arg-type]
    with TestClient(app) as client:
        refused = client.post("/mine", json=body)
        response = client.post("/mine", json=body, headers={"user": "alice"})
        broken = client.post("/mine", json={}, headers={"user": "alice"})
        assert client.get("/mine").status_code == 405

    assert (refused.status_code, response.status_code, broken.status_code) == (403, 200, 400)
    assert answer in response.text


async def test_endpoints_with_one_checkpointer_let_one_run_into_a_thread() -> None:
    pause = Pause()
    turns = [calls(("slow", "c1", ['{"query":"q"}'])), "Done.", "Here."]
    graph = pausing_agent(turns, [pause.tool()])
    app = FastAPI()
    app.add_route("/assistant", assistant_endpoint(graph), methods=["POST"])  # type: ignore[arg-type]
    other: ASGIApp = chat_endpoint(graph, busy_patience=1)
    app.add_route("/chat", other, methods=["POST"])  # type: ignore[arg-type]
    body = {"id": "t1", "messages": [{"id": "u1", **SAID}]}
    async with serving(app) as http:
        async with reading(Chat(http, thread_id="t1")):
            await asyncio.wait_for(pause.reached.wait(), 5)
            busy = await http.post("/chat", json=body)
        # Its reader has gone, so the run gives way.
        after = await http.post("/chat", json=body)

    assert (busy.status_code, after.status_code) == (409, 200)
    assert pause.stopped.is_set()
    messages = await messages_of(graph, "t1")
    assert [m.type for m in messages] == ["human", "ai", "tool", "human", "ai"]


def test_the_data_stream_names_its_thread_and_the_client_sends_it_back() -> None:
    app = FastAPI()
    app.add_route("/chat", chat_endpoint(agent()), methods=["POST"])  # type: ignore[arg-type]
    first = [{"role": "user", "content": "One"}]
    with TestClient(app) as client:
        response = client.post("/chat", json={"messages": first, "parentId": "u1"})
        state = decode(response.content).checked().state
        assert state == {"threadId": response.headers["x-thread-id"], "messageId": "u1"}
        more = [*first, {"role": "assistant", "content": "x"}, {"role": "user", "content": "Two"}]
        body = {"messages": more, "parentId": "u2", "threadId": "__LOCALID_x", "state": state}
        second = client.post("/chat", json=body)
        assert decode(second.content).checked().text == "Echo 3: Two"

        # Made again: the same message. Edited: another one after the same answer.
        again = client.post("/chat", json=body)
        assert decode(again.content).checked().text == "Echo 3: Two"
        edited = {**body, "parentId": "u2b", "messages": [*more[:2], {**more[2], "content": "2"}]}
        other = client.post("/chat", json=edited)
        assert decode(other.content).checked().text == "Echo 3: 2"

        # Another server has lost the thread: the client goes on all the same.
        lost = {**body, "state": {"threadId": "gone", "messageId": "u7"}}
        anew = client.post("/chat", json=lost)
        assert decode(anew.content).checked().text == "Echo 1: Two"
