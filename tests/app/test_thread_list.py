"""The list of threads and their messages, from checkpointers in memory and in a file."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import interrupt

from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph._thread_list import list_threads
from assistant_stream_langgraph.app import ThreadCall, create_app
from assistant_stream_langgraph.threads import Graph
from tests.app.serving import Chat, calls, say, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@tool
def ask(question: str) -> str:
    """Ask the user."""
    return f"The user says: {interrupt(question)}"


@asynccontextmanager
async def saver(kind: str, folder: Path) -> AsyncGenerator[BaseCheckpointSaver[Any], None]:
    if kind == "memory":
        yield InMemorySaver()
        return
    async with AsyncSqliteSaver.from_conn_string(str(folder / "threads.db")) as opened:
        yield opened


def agent(turns: list[Any], checkpointer: BaseCheckpointSaver[Any], *tools: Any) -> Graph:
    graph: Graph = create_agent(
        ScriptedChatModel(turns=turns), list(tools), checkpointer=checkpointer
    )
    return graph


async def listed(http: Any, **params: Any) -> tuple[list[str], str | None]:
    response = await http.get("/threads", params=params)
    assert response.status_code == 200, response.text
    page = response.json()
    return [thread["id"] for thread in page["threads"]], page["next"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_threads_are_listed_newest_first_page_by_page(kind: str, tmp_path: Path) -> None:
    async with saver(kind, tmp_path) as kept:
        async with serving(create_app(agent(["Hi."] * 8, kept))) as http:
            for name in ("a", "b", "c", "d"):
                await Chat(http, thread_id=name).ask(f"About {name}")
            chat = Chat(http, thread_id="b")
            await chat.send(say("About b, again"))
            await Chat(http, thread_id="e").ask("word " * 40)

            everything, end = await listed(http)
            first, after_first = await listed(http, limit=2)
            second, after_second = await listed(http, limit=2, before=after_first)
            third, after_third = await listed(http, limit=2, before=after_second)
            page = (await http.get("/threads")).json()["threads"]

        assert everything == ["e", "b", "d", "c", "a"]
        assert end is None
        assert (first, second, third) == (["e", "b"], ["d", "c"], ["a"])
        assert after_third is None
        assert page[0]["title"] == ("word " * 40)[:79] + "…"
        assert page[1]["title"] == "About b"
        assert {thread["status"] for thread in page} == {"idle"}
        assert page[0]["updatedAt"] > page[1]["updatedAt"] > page[2]["updatedAt"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_thread_is_running_interrupted_or_idle(kind: str, tmp_path: Path) -> None:
    asking = calls(("ask", "c1", ['{"question":"Sure?"}']))
    async with saver(kind, tmp_path) as kept:
        graph = agent([asking, ["Well, ", 30.0]], kept, ask)
        async with serving(create_app(graph)) as http:
            chat = Chat(http, thread_id="t1")

            async def status() -> str:
                [thread] = (await http.get("/threads")).json()["threads"]
                return str(thread["status"])

            await chat.ask("Go")
            assert await status() == "interrupted"
            request = http.build_request(
                "POST", "/assistant", json=chat.body({"type": "resume", "value": "yes"})
            )
            response = await http.send(request, stream=True)
            assert await status() == "running"
            busy = await http.post("/threads/t1/cancel")
            await response.aclose()
            assert busy.json() == {"cancelled": True}
            assert await status() == "idle"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_thread_that_is_deleted_is_gone(kind: str, tmp_path: Path) -> None:
    async with saver(kind, tmp_path) as kept:
        graph = agent(["Hi.", ["Well, ", 30.0], "Anew."], kept)
        async with serving(create_app(graph, busy_patience=0)) as http:
            await Chat(http, thread_id="t1").ask("One")
            running = http.build_request(
                "POST", "/assistant", json=Chat(http, thread_id="t2").body(say("Two"))
            )
            response = await http.send(running, stream=True)

            gone = await http.delete("/threads/t1")
            again = await http.delete("/threads/t1")
            busy = await http.delete("/threads/t2")
            await response.aclose()

            assert [gone.status_code, again.status_code, busy.status_code] == [204, 404, 409]
            assert (await http.get("/threads/t1/state")).status_code == 404
            assert (await listed(http))[0] == ["t2"]
            chat = Chat(http, thread_id="t1")
            await chat.ask("Three")
            assert chat.shown() == [("human", "Three"), ("ai", "Anew.")]


async def test_a_list_has_the_owners_own_threads_only() -> None:
    def authorize(call: ThreadCall) -> str:
        return call.request.headers["x-user"]

    app = create_app(agent(["Hi."] * 3, InMemorySaver()), authorize=authorize)
    async with serving(app) as http:
        for user, name in (("ann", "a"), ("bob", "b"), ("ann", "c")):
            http.headers["x-user"] = user
            await Chat(http, thread_id=name).ask("Hello")

        http.headers["x-user"] = "bob"
        mine, _ = await listed(http)
        others = await http.delete("/threads/a")
        cancelled = await http.post("/threads/a/cancel")

        assert mine == ["b"]
        assert others.status_code == 404
        assert cancelled.json() == {"cancelled": False}


async def test_work_on_one_page_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant_stream_langgraph._thread_list.MAX_READ", 2)
    kept = InMemorySaver()
    async with serving(create_app(agent(["Hi."] * 3, kept))) as http:
        for name in ("a", "b", "c"):
            await Chat(http, thread_id=name).ask("Hello")

    first = await list_threads(kept, is_visible=lambda name: name == "a")
    second = await list_threads(kept, before=first.next, is_visible=lambda name: name == "a")

    assert (len(first.threads), first.next is not None) == (0, True)
    assert [thread.id for thread in second.threads] == ["a"]
    assert second.next is None


async def test_wrong_parameters_are_refused() -> None:
    async with serving(create_app(agent([], InMemorySaver()))) as http:
        answers = [
            await http.get("/threads", params={"limit": limit}) for limit in ("0", "101", "x", "-1")
        ]
        empty = await http.get("/threads")

    assert {answer.status_code for answer in answers} == {400}
    assert empty.json() == {"threads": [], "next": None}


async def test_the_messages_of_a_thread_for_each_client() -> None:
    asking = calls(("ask", "c1", ['{"question":"Sure?"}']))
    async with serving(create_app(agent([asking], InMemorySaver(), ask))) as http:
        await Chat(http, thread_id="t1").ask("Go")

        answers = {
            name: (await http.get("/threads/t1/messages", params={"format": name})).json()
            for name in ("thread", "ui", "ag-ui")
        }
        unknown = await http.get("/threads/t1/messages", params={"format": "x"})
        nothing = await http.get("/threads/t2/messages")

    thread = answers["thread"]["messages"]
    assert [message["role"] for message in thread] == ["user", "assistant"]
    assert thread[1]["content"][0]["toolName"] == "ask"
    assert thread[1]["status"]["type"] == "requires-action"
    assert [item["value"] for item in answers["thread"]["interrupts"]] == ["Sure?"]
    assert answers["ui"]["messages"][1]["parts"][-1]["type"] == "tool-ask"
    assert answers["ag-ui"]["messages"][1]["toolCalls"][0]["id"] == "c1"
    assert [unknown.status_code, nothing.status_code] == [400, 404]


async def test_a_page_is_read_while_runs_go_on() -> None:
    graph = agent([["Well, ", 30.0]] * 3, InMemorySaver())
    async with serving(create_app(graph)) as http:
        streams = []
        for name in ("a", "b", "c"):
            request = http.build_request(
                "POST", "/assistant", json=Chat(http, thread_id=name).body(say("Go"))
            )
            streams.append(await http.send(request, stream=True))
        await asyncio.sleep(0.1)

        page = (await http.get("/threads")).json()["threads"]
        for stream in streams:
            await stream.aclose()

    assert [thread["status"] for thread in page] == ["running"] * 3
