"""Runs that are stopped: what their reader is told, and what their thread keeps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from assistant_stream_ce._json import to_json
from assistant_stream_langgraph.app import create_app
from assistant_stream_langgraph.threads import Graph
from tests.app.pausing import Pause, agent, fast, messages_of, read_until, reading, shown
from tests.app.serving import Chat, calls, say, serving
from tests.npm import decode


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
