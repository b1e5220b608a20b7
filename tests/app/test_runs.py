"""Runs that outlive their client: dropped, read again, taken over, ended by a shutdown."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from assistant_stream_ce import RequestError
from assistant_stream_ce.resumable import create_in_memory_resumable_stream_store
from assistant_stream_ce.serialization import DataStreamEncoder
from assistant_stream_langgraph import _graph_run, _runs
from assistant_stream_langgraph._active_run import Wire
from assistant_stream_langgraph._runs import RunRegistry
from assistant_stream_langgraph.app import create_app
from assistant_stream_langgraph.threads import ThreadGate
from tests.app.pausing import (
    Pause,
    agent,
    ended,
    fast,
    find_run,
    messages_of,
    read_until,
    reading,
    shown,
)
from tests.app.serving import Chat, calls, say, serving


@pytest.mark.parametrize("protocol", ["data-stream", "assistant-transport"])
async def test_a_client_that_drops_and_comes_back_sees_all_of_it(protocol: Any) -> None:
    pause = Pause()
    graph = agent([calls(("slow", "c1", ['{"query":"q"}'])), ["All ", "done."]], [pause.tool()])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, protocol=protocol)
        async with reading(chat) as response:
            await read_until(response, "tool_calls")
            await asyncio.wait_for(pause.reached.wait(), 5)
        reload = Chat(http, protocol=protocol, thread_id=chat.thread_id)
        assert (await reload.history())["runId"] is not None

        found = await find_run(reload)
        reload.state = found["state"]
        body = {"commands": [], "threadId": chat.thread_id, "runId": found["runId"]}
        async with reading(reload, "/resume", body) as response:
            replayed = int(response.headers["aui-replay-content-length"])
            pause.go_on.set()
            wire = await response.aread()
        reload.fold(wire)

        assert 0 < replayed < len(wire)
        assert reload.shown()[-2:] == [("tool", "slow q"), ("ai", "All done.")]
        history = await reload.history()
        assert history["values"] == reload.state
        assert history["runId"] is None


async def test_a_run_ends_though_nobody_reads_it() -> None:
    pause = Pause()
    graph = agent([calls(("slow", "c1", ['{"query":"q"}'])), "Done."], [pause.tool()])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        async with reading(chat) as response:
            await read_until(response, "tool_calls")
        pause.go_on.set()

        await ended(chat)

        assert (await chat.history())["values"]["messages"][-1]["content"] == "Done."


async def test_what_can_be_resumed() -> None:
    pause = Pause()
    graph = agent([calls(("slow", "c1", ['{"query":"q"}'])), "Done."], [pause.tool()])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        asked: Any = {"threadId": "t1"}
        nothing = await http.post("/resume-state", json=asked)
        chat.thread_id = "t1"
        async with reading(chat):
            await asyncio.wait_for(pause.reached.wait(), 5)
            run_id = (await http.post("/resume-state", json=asked)).json()["runId"]
            other_wire = await http.post(
                "/resume-state", json=asked, params={"protocol": "assistant-transport"}
            )
            other_thread = await http.post(
                "/resume", json={"commands": [], "threadId": "t2", "runId": run_id}
            )
            unnamed = await http.post("/resume", json={"commands": [], "threadId": "t1"})
            no_thread = await http.post("/resume-state", json={})
            pause.go_on.set()

        assert [nothing.status_code, other_wire.status_code] == [204, 204]
        assert other_thread.status_code == 404
        assert [unnamed.status_code, no_thread.status_code] == [400, 400]


async def test_a_run_that_has_just_ended_can_still_be_read() -> None:
    pause = Pause()
    graph = agent([calls(("slow", "c1", ['{"query":"q"}'])), "Done."], [pause.tool()])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat):
            await asyncio.wait_for(pause.reached.wait(), 5)
            found = (await http.post("/resume-state", json={"threadId": "t1"})).json()
        pause.go_on.set()
        await ended(chat)

        body = {"commands": [], "threadId": "t1", "runId": found["runId"]}
        response = await http.post("/resume", json=body)
        chat.state = found["state"]
        chat.fold(response.content)

        assert chat.shown()[-1] == ("ai", "Done.")
        assert response.headers["aui-replay-content-length"] == str(len(response.content))


async def test_two_tabs_read_one_run() -> None:
    pause = Pause()
    graph = agent([calls(("slow", "c1", ['{"query":"q"}'])), "Done."], [pause.tool()])
    async with serving(create_app(graph, on_disconnect="cancel")) as http:
        first, second = Chat(http, thread_id="t1"), Chat(http, thread_id="t1")
        async with reading(first) as response:
            await asyncio.wait_for(pause.reached.wait(), 5)
            found = (await http.post("/resume-state", json={"threadId": "t1"})).json()
            body = {"commands": [], "threadId": "t1", "runId": found["runId"]}
            async with reading(second, "/resume", body) as other:
                await response.aclose()  # One reader stays, so nothing is cancelled.
                await asyncio.sleep(0.1)
                pause.go_on.set()
                second.state = found["state"]
                second.fold(await other.aread())

        assert second.shown()[-1] == ("ai", "Done.")
        assert not pause.stopped.is_set()


async def test_the_last_reader_that_goes_cancels_where_it_is_set() -> None:
    pause = Pause()
    graph = agent([calls(("slow", "c1", ['{"query":"q"}']))], [pause.tool()])
    async with serving(create_app(graph, on_disconnect="cancel")) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat):
            await asyncio.wait_for(pause.reached.wait(), 5)

        await asyncio.wait_for(pause.stopped.wait(), 5)


async def test_a_request_takes_over_from_a_run_that_nobody_reads() -> None:
    pause = Pause()
    graph = agent([calls(("slow", "c1", ['{"query":"q"}'])), "Second."], [pause.tool()])
    async with serving(create_app(graph, busy_patience=5)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat):
            await asyncio.wait_for(pause.reached.wait(), 5)
            waiting = asyncio.create_task(Chat(http, thread_id="t1").ask("Next"))
            await asyncio.sleep(0.1)
            assert not pause.stopped.is_set()  # It has a reader, so the other one waits.

        await asyncio.wait_for(waiting, 5)

        assert pause.stopped.is_set()
        assert [content for kind, content in shown(await messages_of(graph, "t1"))][-2:] == [
            "Next",
            "Second.",
        ]


async def test_a_shutdown_ends_the_runs_in_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pause = Pause()
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
        asking = calls(("fast", "c1", ['{"query":"a"}']), ("slow", "c2", ['{"query":"b"}']))
        graph = agent([asking], [fast, pause.tool()], checkpointer=saver)
        with caplog.at_level(logging.WARNING):
            async with (
                serving(create_app(graph)) as http,
                reading(Chat(http, thread_id="t1")),
            ):
                await asyncio.wait_for(pause.reached.wait(), 5)
        assert pause.stopped.is_set()
        assert not caplog.records
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
        graph = agent(["Fine."], [fast, pause.tool()], checkpointer=saver)
        assert [message.content for message in await messages_of(graph, "t1")][2:] == [
            "fast a",
            "The call was stopped before it had a result.",
        ]
        async with serving(create_app(graph)) as http:
            chat = Chat(http, thread_id="t1")
            await chat.ask("Go on")
            assert chat.shown()[-1] == ("ai", "Fine.")


async def test_an_app_without_a_lifespan_ends_its_runs_with_the_loop() -> None:
    saver = InMemorySaver()
    stopped: list[bool] = []

    async def serve() -> None:
        pause = Pause()
        asking = calls(("fast", "c1", ['{"query":"a"}']), ("slow", "c2", ['{"query":"b"}']))
        api = FastAPI()
        graph = agent([asking], [fast, pause.tool()], checkpointer=saver)
        api.mount("/agent", create_app(graph))
        async with serving(api) as http, reading(Chat(http, "/agent", thread_id="t1")):
            await asyncio.wait_for(pause.reached.wait(), 5)
        stopped.append(pause.stopped.is_set())

    await asyncio.to_thread(asyncio.run, serve())

    assert stopped == [False]  # Nobody has told the app.
    messages = await messages_of(agent([], [fast], checkpointer=saver), "t1")
    assert [message.content for message in messages[2:]] == [
        "fast a",
        "The call was stopped before it had a result.",
    ]


def wire() -> Wire:
    return Wire("test", DataStreamEncoder())


async def test_a_registry_has_so_many_runs_and_no_more() -> None:
    registry = RunRegistry(ThreadGate(0), max_runs=1)
    go_on = asyncio.Event()

    async def work(_: Any) -> None:
        await go_on.wait()

    run = await registry.start("t1", wire(), work, await registry.hold_for_run("t1"))
    with pytest.raises(RequestError, match="Too many") as caught:
        await registry.hold_for_run("t2")
    go_on.set()
    await asyncio.wait_for(run.ended.wait(), 5)
    release = await registry.hold_for_run("t2")
    release()
    release()
    await registry.start("t2", wire(), work, await registry.hold_for_run("t2"))

    assert caught.value.status_code == 503
    await registry.aclose()


async def test_a_request_that_finds_no_place_leaves_the_question_waiting() -> None:
    pause = Pause()
    turns = [calls(("fast", "c1", ['{"query":"q"}'])), calls(("slow", "c2", ['{"query":"q"}']))]
    asks = HumanInTheLoopMiddleware(interrupt_on={"fast": True})
    graph = agent([*turns, "Done."], [pause.tool(), fast], middleware=[asks])
    async with serving(create_app(graph, max_runs=1)) as http:
        chat = Chat(http)
        await chat.ask("Go")
        async with reading(Chat(http)):
            await asyncio.wait_for(pause.reached.wait(), 5)
            refused = await chat.post(say("Never mind"))
            waiting = (await chat.history())["interrupts"]
            pause.go_on.set()

    assert refused.status_code == 503
    assert len(waiting) == 1


async def test_a_store_that_is_full_is_a_refusal_and_keeps_nothing() -> None:
    store = create_in_memory_resumable_stream_store(max_streams=1)
    registry = RunRegistry(ThreadGate(0), store, max_runs=1)
    await store.acquire("another")

    async def work(_: Any) -> None:
        raise AssertionError

    for _ in range(2):
        with pytest.raises(RequestError, match="cannot be stored") as caught:
            await registry.start("t1", wire(), work, await registry.hold_for_run("t1"))
        assert caught.value.status_code == 503

    assert not registry._known
    assert registry.active("t1") is None
    await registry.aclose()


async def test_what_was_read_to_its_end_is_not_kept() -> None:
    registry = RunRegistry(ThreadGate(0))

    async def work(controller: Any) -> None:
        controller.append_text("Hi")

    async def read(*, whole: bool) -> str:
        run = await registry.start("t1", wire(), work, await registry.hold("t1"))
        response = await registry.respond(run, {})

        async def receive() -> Any:
            await (asyncio.Event().wait() if whole else run.ended.wait())
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if not whole:
                await asyncio.Event().wait()

        await response({"type": "http"}, receive, send)
        for _ in range(10):
            await asyncio.sleep(0)
        return await registry.context.status(run.id)

    assert await read(whole=True) == "missing"
    assert await read(whole=False) == "done"
    await registry.aclose()


async def test_who_stops_a_run_that_does_not_end_gets_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_runs, "LAST_CALL", 0.05)
    registry = RunRegistry(ThreadGate(0))
    go_on = asyncio.Event()

    async def work(_: Any) -> None:
        while not go_on.is_set():
            with suppress(asyncio.CancelledError):
                await go_on.wait()

    run = await registry.start("t1", wire(), work, await registry.hold_for_run("t1"))
    await asyncio.sleep(0.01)
    with pytest.raises(RequestError, match="has not ended yet") as caught:
        await registry.cancel("t1")
    go_on.set()
    await asyncio.wait_for(run.ended.wait(), 5)

    assert caught.value.status_code == 503
    await registry.aclose()


async def test_a_database_that_hangs_does_not_hold_a_stopped_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Hanging(InMemorySaver):
        hangs = False

        async def aget_tuple(self, config: Any) -> Any:
            if self.hangs:
                await asyncio.Event().wait()
            return await super().aget_tuple(config)

    monkeypatch.setattr(_graph_run, "CLEAN_UP", 0.05)
    saver, pause = Hanging(), Pause()
    turns = [calls(("slow", "c1", ['{"query":"q"}'])), "Done."]
    graph = agent(turns, [pause.tool()], checkpointer=saver)
    async with serving(create_app(graph, max_runs=1)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat):
            await asyncio.wait_for(pause.reached.wait(), 5)
            saver.hangs = True
            stopped = await http.post("/threads/t1/cancel")
        saver.hangs = False
        await chat.ask("Again")

    assert stopped.json() == {"cancelled": True}
    assert "could not be put in order" in caplog.text
    assert chat.shown()[-1] == ("ai", "Done.")


async def test_a_run_that_takes_too_long_is_stopped_and_says_so() -> None:
    registry = RunRegistry(ThreadGate(0), max_run_time=0.05)
    stopped = asyncio.Event()

    async def work(controller: Any) -> None:
        controller.append_text("Well, ")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.set()

    run = await registry.start("t1", wire(), work, await registry.hold("t1"))
    sent = b"".join([piece async for piece in await registry.context.require_resume(run.id)])

    assert stopped.is_set()
    assert b"Well, " in sent
    assert b"longer than it may" in sent
    assert registry.active("t1") is None
    await registry.aclose()


async def test_a_run_that_is_cancelled_before_it_begins_ends_all_the_same() -> None:
    registry = RunRegistry(ThreadGate(0))
    begun: list[int] = []

    async def work(_: Any) -> None:
        begun.append(1)
        await asyncio.Event().wait()

    await registry.start("t1", wire(), work, await registry.hold("t1"))
    await asyncio.wait_for(registry.aclose(), 5)

    assert registry.active("t1") is None
    (await registry.hold("t1"))()


SERVER = """
import asyncio, sys
import uvicorn
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from assistant_stream_ce import create_app
from assistant_stream_langchain.testing import ScriptedChatModel
from tests.app.serving import calls

@tool
async def slow(query: str) -> str:
    "Take forever."
    print("running", flush=True)
    await asyncio.Event().wait()
    return query

async def main():
    async with AsyncSqliteSaver.from_conn_string(sys.argv[1]) as saver:
        asking = calls(("slow", "c1", ['{"query":"q"}']))
        model = ScriptedChatModel(turns=["First.", asking])
        graph = create_agent(model, [slow], checkpointer=saver)
        config = uvicorn.Config(create_app(graph), port=int(sys.argv[2]), log_level="warning")
        await uvicorn.Server(config).serve()

asyncio.run(main())
"""


async def test_a_server_that_is_killed_in_mid_run_leaves_threads_that_work(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "threads.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(file), str(port), stdout=asyncio.subprocess.PIPE
    )
    try:
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as http:
            await started(http)
            await Chat(http, thread_id="t1").ask("One")
            async with reading(Chat(http, thread_id="t1"), body=body_of("t1", say("Two"))):
                assert process.stdout is not None
                await asyncio.wait_for(process.stdout.readline(), 20)
                await saved(Chat(http, thread_id="t1"), 4)
                process.kill()
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
        graph = agent(["Fine."], [fast, Pause().tool()], checkpointer=saver)
        async with serving(create_app(graph)) as http:
            chat = Chat(http, thread_id="t1")
            history = await chat.history()
            chat.state = history["values"]
            assert [content for kind, content in chat.shown() if kind == "human"] == ["One", "Two"]
            assert history["runId"] is None

            await chat.ask("Three")

            assert [message.type for message in await messages_of(graph, "t1")] == [
                *("human", "ai", "human", "ai", "tool", "human", "ai"),
            ]


def body_of(thread_id: str, *commands: dict[str, Any]) -> dict[str, Any]:
    return {"commands": list(commands), "state": {}, "threadId": thread_id}


async def saved(chat: Chat, messages: int) -> None:
    """Return when so many messages are in the file: LangGraph writes beside the run."""
    for _ in range(400):
        if len((await chat.history())["values"]["messages"]) >= messages:
            return
        await asyncio.sleep(0.02)
    pytest.fail("nothing is saved")


async def started(http: httpx.AsyncClient) -> None:
    for _ in range(400):
        try:
            await http.get("/health")
        except httpx.ConnectError:
            await asyncio.sleep(0.05)
        else:
            return
    pytest.fail("the server does not start")


async def test_the_answers_of_runs_can_be_kept_elsewhere() -> None:
    store = create_in_memory_resumable_stream_store()
    async with serving(create_app(agent(["Hi."], []), store=store)) as http:
        async with reading(Chat(http, thread_id="t1")) as response:
            wire = await response.aread()
        stream_id = response.headers["x-resumable-stream-id"]

    kept = [entry.chunk async for entry in store.read(stream_id, "", asyncio.Event())]
    assert b"".join(kept) == wire


async def test_an_answer_of_the_wrong_form_leaves_the_question() -> None:
    gate = HumanInTheLoopMiddleware(interrupt_on={"fast": True}, interrupt_mode="per_call")
    asking = calls(("fast", "c1", ['{"query":"a"}']))
    graph = agent([asking, "Fine."], [fast], middleware=[gate])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        await chat.ask("Go")
        edit: Any = {"type": "edit", "edited_action": {"name": "fast", "args": {"query": [1]}}}

        decoded = await chat.send({"type": "resume", "value": edit})

        assert "does not have the form" in decoded.status["error"]["message"]
        assert len((await chat.history())["interrupts"]) == 1
        edit["edited_action"]["args"] = {"query": "b"}
        await chat.send({"type": "resume", "value": edit})
        assert "fast b" in chat.shown()[-2][1]
        assert chat.shown()[-1] == ("ai", "Fine.")
        assert chat.state["interrupts"] == []
