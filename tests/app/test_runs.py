"""Runs that outlive their client: dropped, read again, stopped, taken over, ended by a shutdown."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from assistant_stream_ce import RequestError
from assistant_stream_ce._json import to_json
from assistant_stream_ce.resumable import create_in_memory_resumable_stream_store
from assistant_stream_ce.serialization import DataStreamEncoder
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph._runs import RunRegistry, Wire
from assistant_stream_langgraph.app import create_app
from assistant_stream_langgraph.threads import Graph, ThreadGate
from tests.app.serving import Chat, calls, say, serving
from tests.npm import decode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Pause:
    """Holds a model or a tool until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.stopped = asyncio.Event()

    async def wait(self) -> None:
        self.reached.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.stopped.set()
            raise

    def tool(self, name: str = "slow") -> BaseTool:
        @tool(name)
        async def slow(query: str) -> str:
            """Take as long as it takes."""
            await self.wait()
            return f"slow {query}"

        return slow


@tool
async def fast(query: str) -> str:
    """Answer at once."""
    return f"fast {query}"


def agent(turns: list[Any], tools: list[Any], **options: Any) -> Graph:
    options.setdefault("checkpointer", InMemorySaver())
    graph: Graph = create_agent(ScriptedChatModel(turns=turns), tools, **options)
    return graph


async def messages_of(graph: Graph, thread_id: str) -> list[BaseMessage]:
    snapshot = await graph.aget_state({"configurable": {"thread_id": thread_id}})
    assert snapshot.next == ()
    messages: list[BaseMessage] = snapshot.values.get("messages", [])
    return messages


def shown(messages: list[BaseMessage]) -> list[tuple[str, Any]]:
    return [(message.type, message.content) for message in messages]


@asynccontextmanager
async def reading(
    chat: Chat, path: str = "/assistant", body: Any = None
) -> AsyncGenerator[httpx.Response, None]:
    """An answer that is being read; leaving the block is the client that goes away, and so is
    leaving a loop over its pieces."""
    url = f"{chat.prefix}{path}"
    request = chat.http.build_request(
        "POST", url, params={"protocol": chat.protocol}, json=body or chat.body(say("Go"))
    )
    response = await chat.http.send(request, stream=True)
    assert response.status_code == 200, await response.aread()
    chat.thread_id = response.headers.get("x-thread-id", chat.thread_id)
    try:
        yield response
    finally:
        await response.aclose()


async def read_until(response: httpx.Response, text: str) -> bytes:
    wire = b""
    async for piece in response.aiter_bytes():
        wire += piece
        if text.encode() in wire:
            break
    return wire


async def ended(chat: Chat) -> None:
    """Return when no run goes on in the thread."""
    for _ in range(500):
        if (await chat.history())["runId"] is None:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the run goes on")


async def find_run(chat: Chat) -> Any:
    """What a page that was loaded again asks first: the run, and the state it goes on from."""
    params = {"protocol": chat.protocol}
    asked = {"threadId": chat.thread_id}
    found = await chat.http.post("/resume-state", params=params, json=asked)
    assert found.status_code == 200, found.text
    return found.json()


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


async def test_a_stopped_run_tells_its_reader_and_leaves_a_thread_that_works() -> None:
    pause = Pause()
    asking = calls(("fast", "c1", ['{"query":"a"}']), ("slow", "c2", ['{"query":"b"}']))
    graph = agent([asking, "Fine."], [fast, pause.tool()])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat) as response:
            await asyncio.wait_for(pause.reached.wait(), 5)
            rest = asyncio.create_task(response.aread())
            stopped = await http.post("/threads/t1/cancel")
            wire = await asyncio.wait_for(rest, 5)
        again = await http.post("/threads/t1/cancel")
        chat.fold(wire)

        assert stopped.json() == {"cancelled": True}
        assert again.json() == {"cancelled": False}
        assert pause.stopped.is_set()
        messages = await messages_of(graph, "t1")
        assert chat.state == to_json({"messages": messages})
        assert [(m.type, m.content) for m in messages[2:]] == [
            ("tool", "fast a"),
            ("tool", "The call was stopped before it had a result."),
        ]
        await chat.ask("Go on")
        assert chat.shown()[-1] == ("ai", "Fine.")


async def test_what_the_model_had_said_is_kept_and_marked() -> None:
    graph = agent([["One ", "two ", 30.0, "three"], "Again."], [])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat) as response:
            wire = b""
            async for piece in response.aiter_bytes():
                wire += piece
                if b"two" in wire and b"cancelled" not in wire:
                    await http.post("/threads/t1/cancel")
        chat.fold(wire)

        assert chat.shown() == [("human", "Go"), ("ai", "One two ")]
        assert chat.state["messages"][1]["response_metadata"] == {"finish_reason": "cancelled"}
        assert (await chat.history())["values"] == chat.state
        listed = (await http.get("/threads/t1/messages")).json()["messages"]
        assert listed[-1]["status"] == {"type": "incomplete", "reason": "cancelled"}
        await chat.ask("Once more")
        assert chat.shown()[-1] == ("ai", "Again.")


async def test_a_call_that_was_still_being_written_is_kept_with_a_result() -> None:
    asking = [*calls(("fast", "c1", ['{"query":', '"abc'])), 30.0]
    graph = agent([asking, "Fine."], [fast])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat) as response:
            await read_until(response, "abc")
            await http.post("/threads/t1/cancel")

        messages = await messages_of(graph, "t1")
        assert [message.type for message in messages] == ["human", "ai", "tool"]
        partial = messages[1]
        assert isinstance(partial, AIMessage)
        assert [(call["id"], call["args"]) for call in partial.tool_calls] == [
            ("c1", {"query": "abc"})
        ]
        assert not partial.invalid_tool_calls
        chat.state = (await chat.history())["values"]
        await chat.ask("Go on")
        assert chat.shown()[-1] == ("ai", "Fine.")


def graph_of_subgraph(inner: Graph) -> Graph:
    builder = StateGraph(MessagesState)
    builder.add_node("inner", inner)
    builder.add_edge(START, "inner")
    return builder.compile(checkpointer=InMemorySaver())


async def test_what_a_subgraph_had_done_is_kept() -> None:
    pause = Pause()
    asking = calls(("fast", "c1", ['{"query":"a"}']))
    talking = [*calls(("slow", "c2", ['{"query":"b"}']))]
    inner = agent([asking, talking], [fast, pause.tool()], checkpointer=None)
    graph = graph_of_subgraph(inner)
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat) as response:
            await asyncio.wait_for(pause.reached.wait(), 5)
            rest = asyncio.create_task(response.aread())
            await http.post("/threads/t1/cancel")
            chat.fold(await asyncio.wait_for(rest, 5))

        messages = await messages_of(graph, "t1")
        assert [(m.type, m.content) for m in messages] == [
            ("human", "Go"),
            ("ai", ""),
            ("tool", "fast a"),
            ("ai", ""),
            ("tool", "The call was stopped before it had a result."),
        ]
        assert chat.state == to_json({"messages": messages})


async def test_what_an_agent_in_a_tool_had_said_stays_out_of_the_thread() -> None:
    helper = agent([["Thinking ", "hard ", 30.0]], [], checkpointer=None)

    @tool
    async def delegate(query: str) -> str:
        """Have a helper do it."""
        result = await helper.ainvoke({"messages": [("user", query)]})
        return str(result["messages"][-1].content)

    graph = agent([calls(("delegate", "c1", ['{"query":"q"}']))], [delegate])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat) as response:
            await read_until(response, "c1")
            await asyncio.sleep(0.2)
            await http.post("/threads/t1/cancel")

        assert [message.type for message in await messages_of(graph, "t1")] == [
            "human",
            "ai",
            "tool",
        ]


async def test_a_run_that_is_stopped_before_it_has_saved_anything_keeps_the_question() -> None:
    class Slow(InMemorySaver):
        async def aput(self, *args: Any, **kwargs: Any) -> Any:
            saving.set()
            if args[2].get("source") == "input":
                await asyncio.sleep(30)
            return await super().aput(*args, **kwargs)

    saving = asyncio.Event()
    graph = agent([[30.0, "Hi."]], [], checkpointer=Slow())
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat):
            await asyncio.wait_for(saving.wait(), 5)
            await asyncio.wait_for(http.post("/threads/t1/cancel"), 5)

        assert shown(await messages_of(graph, "t1")) == [("human", "Go")]


async def test_an_edit_that_is_stopped_stays_an_edit() -> None:
    pause = Pause()
    graph = agent(["First.", calls(("slow", "c1", ['{"query":"q"}'])), "Third."], [pause.tool()])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        await chat.ask("One")
        source = chat.state["messages"][0]["id"]
        async with reading(chat, body=chat.body(say("Two", sourceId=source))) as response:
            await asyncio.wait_for(pause.reached.wait(), 5)
            rest = asyncio.create_task(response.aread())
            await http.post("/threads/t1/cancel")
            chat.fold(await asyncio.wait_for(rest, 5))

        assert [kind for kind, _ in shown(await messages_of(graph, "t1"))] == [
            "human",
            "ai",
            "tool",
        ]
        assert chat.shown()[0] == ("human", "Two")
        await chat.ask("Three")
        assert [content for kind, content in chat.shown() if kind == "human"] == ["Two", "Three"]


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

    run = await registry.start("t1", wire(), work, await registry.hold("t1"))
    release = await registry.hold("t2")
    with pytest.raises(RequestError, match="Too many") as caught:
        await registry.start("t2", wire(), work, release)
    release()
    go_on.set()
    await asyncio.wait_for(run.ended.wait(), 5)
    await registry.start("t2", wire(), work, await registry.hold("t2"))

    assert caught.value.status_code == 503
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


CHATS: list[tuple[Any, dict[str, Any]]] = [
    ("data-stream", {"messages": [{"role": "user", "content": "Go"}], "threadId": "t1"}),
    (
        "ui-message-stream",
        {
            "id": "t1",
            "trigger": "submit-message",
            "messages": [
                {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Go"}]},
            ],
        },
    ),
]


@pytest.mark.parametrize(("protocol", "body"), CHATS)
async def test_a_client_of_parts_is_told_how_a_stopped_run_ended(protocol: Any, body: Any) -> None:
    pause = Pause()
    asking = calls(("fast", "c1", ['{"query":"a"}']), ("slow", "c2", ['{"query":"b"}']))
    graph = agent([["Let me see.", *asking], "Fine."], [fast, pause.tool()])
    async with serving(create_app(graph)) as http:
        request = http.build_request("POST", "/chat", json=body)
        response = await http.send(request, stream=True)
        await asyncio.wait_for(pause.reached.wait(), 5)
        rest = asyncio.create_task(response.aread())
        assert (await http.post("/threads/t1/cancel")).json() == {"cancelled": True}
        wire = await asyncio.wait_for(rest, 5)

    decoded = decode(wire, protocol).checked()
    results = {part["toolCallId"]: part for part in decoded.parts if part["type"] == "tool-call"}
    assert decoded.text == "Let me see."
    assert results["c1"]["result"] == "fast a"
    assert "The call was stopped" in str(results["c2"]["result"])
    assert results["c2"]["isError"]
    assert decoded.status == {"type": "incomplete", "reason": "other"}


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
