"""Whose threads are whose, and a graph that is made for each request."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from assistant_stream_ce import RequestError
from assistant_stream_langgraph._access import client_thread_id, stored_thread_id
from assistant_stream_langgraph.app import ThreadCall, create_app
from assistant_stream_langgraph.endpoints import chat_endpoint, openai_endpoint
from assistant_stream_langgraph.threads import Graph
from tests.app.bodies import GOOD
from tests.app.serving import Chat, serving


def echo(prefix: str = "You said") -> Graph:
    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"{prefix}: {state['messages'][-1].text}")]}

    builder = StateGraph(MessagesState)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    graph: Graph = builder.compile()
    return graph


def user_of(call: ThreadCall) -> str:
    user = call.request.headers.get("authorization", "")
    if not user:
        raise RequestError("Who are you?", status_code=401)
    return user


async def test_the_threads_of_another_user_are_not_there() -> None:
    saver = InMemorySaver()
    async with serving(create_app(echo(), checkpointer=saver, authorize=user_of)) as http:
        alice, eve = Chat(http, thread_id="t1"), Chat(http, thread_id="t1")
        http.headers["authorization"] = "alice"
        await alice.ask("My secret")
        http.headers["authorization"] = "eve"
        assert (await http.get("/threads/t1/state")).status_code == 404
        await eve.ask("Hello")

        assert [content for _, content in eve.shown()] == ["Hello", "You said: Hello"]
        http.headers["authorization"] = "alice"
        assert len((await alice.history())["values"]["messages"]) == 2
        assert alice.thread_id == "t1"
        del http.headers["authorization"]
        assert (await http.get("/threads/t1/state")).status_code == 401
        assert (await alice.post({"type": "resume", "value": 1})).status_code == 401
    assert {item.config["configurable"]["thread_id"] for item in saver.list(None)} == {
        "alice/t1",
        "eve/t1",
    }


@pytest.mark.parametrize("verdict", [False, None, "", 0, 1])
async def test_whatever_is_no_clear_yes_is_a_no(verdict: Any) -> None:
    async with serving(create_app(echo(), authorize=lambda call: verdict)) as http:
        response = await http.get("/threads/t1/state")

        assert response.status_code == 403
        assert response.json()["error"]["message"] == "You may not do this."


@pytest.mark.parametrize("detail", ["No token.", {"reason": "No token."}])
async def test_a_hook_may_refuse_in_the_way_of_fastapi(detail: Any) -> None:
    def authorize(call: ThreadCall) -> bool:
        raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})

    api = FastAPI()
    api.mount("/agent", create_app(echo(), authorize=authorize))
    api.add_route("/chat", chat_endpoint(echo(), authorize=authorize), methods=["POST"])
    completions = openai_endpoint(echo(), authorize=authorize)
    api.add_route("/v1/chat/completions", completions, methods=["POST"])
    bodies = dict(GOOD)
    single = ["/chat", "/v1/chat/completions"]
    async with serving(api) as http:
        urls = [*single, *(f"/agent{path}" for path in bodies)]
        posts = [http.post(url, json=bodies[url.removeprefix("/agent")]) for url in urls]
        answers = [*await asyncio.gather(*posts), await http.get("/agent/v1/models")]

    told = "No token." if detail == "No token." else "The request is refused."
    for response in answers:
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json()["error"]["message"] == told


async def test_an_async_hook_that_says_yes_shares_the_threads() -> None:
    async def authorize(call: ThreadCall) -> bool:
        return call.request.method == "POST" or call.thread_id == "open"

    async with serving(create_app(echo(), authorize=authorize)) as http:
        await Chat(http, thread_id="open").ask("Hi")
        await Chat(http, thread_id="shut").ask("Hi")

        assert (await http.get("/threads/open/state")).status_code == 200
        assert (await http.get("/threads/shut/state")).status_code == 403


async def test_the_other_hooks_know_the_owner() -> None:
    seen: list[tuple[str | None, str]] = []

    def config(call: ThreadCall) -> RunnableConfig:
        seen.append((call.owner, call.thread_id))
        return {}

    app = create_app(echo(), authorize=lambda call: "alice", config=config)
    async with serving(app) as http:
        await Chat(http, thread_id="t1").ask("Hi")

    assert seen == [("alice", "t1")]


@pytest.mark.parametrize("owner", ["alice", "a/b", "%2F", "../x", "ä ö", "a" * 300, "alice/t1"])
def test_no_owner_reaches_into_anothers_threads(owner: str) -> None:
    stored = stored_thread_id(owner, "t1")

    assert stored.count("/") == 1
    assert client_thread_id(owner, stored) == "t1"
    assert client_thread_id(None, stored) is None
    assert client_thread_id("someone", stored) is None
    assert client_thread_id(owner, "t1") is None


# -- A graph for each request -----------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_factory_makes_the_graph_from_the_config(is_async: bool) -> None:
    def make(config: RunnableConfig) -> Graph:
        return echo(config["configurable"]["voice"])

    async def make_async(config: RunnableConfig) -> Graph:
        return make(config)

    def config(call: ThreadCall) -> RunnableConfig:
        return {"configurable": {"voice": call.request.headers.get("voice", "?")}}

    app = create_app(make_async if is_async else make, config=config)
    async with serving(app) as http:
        chat = Chat(http)
        http.headers["voice"] = "One"
        await chat.ask("a")
        http.headers["voice"] = "Two"
        await chat.ask("b")

        assert [content for _, content in chat.shown()] == ["a", "One: a", "b", "Two: b"]
        assert len((await chat.history())["values"]["messages"]) == 4


async def test_a_factory_that_makes_no_graph_is_a_neutral_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(create_app(lambda config: None)) as http:  # type: ignore[arg-type,return-value]
        response: httpx.Response = await http.get("/threads/t1/state")

    assert response.status_code == 500
    assert "NoneType" not in response.text
    assert "needs a compiled graph, not NoneType" in caplog.text
