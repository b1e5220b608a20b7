"""Group G of the field reports: the life of a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant_stream_ce import (
    AGUIResponse,
    AssistantStreamResponse,
    AssistantTransportResponse,
    DataStreamResponse,
    OpenAIStreamResponse,
    PlainTextResponse,
    RunController,
    UIMessageStreamResponse,
    create_run,
)
from assistant_stream_ce.resumable import (
    create_in_memory_resumable_stream_store,
    create_resumable_assistant_stream_response,
    create_resumable_stream_context,
    create_resume_assistant_stream_response,
    cursor_from_request,
)
from assistant_stream_langchain.chains import stream_chain
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from assistant_stream_langgraph.app import create_app
from tests.adapters_langgraph.runs import Graph, call
from tests.app.serving import Chat, say, serving
from tests.npm import ask as ask_client
from tests.npm import decode
from tests.serialization.ai_sdk import read

from .screen import FOUR_FORMS, THREAD, agent, call_part, human, received, see, see_form

WIRES: list[type[AssistantStreamResponse]] = [
    DataStreamResponse,
    AssistantTransportResponse,
    UIMessageStreamResponse,
    AGUIResponse,
    OpenAIStreamResponse,
    PlainTextResponse,
]

PROMPTLY = 5.0


def failing() -> Any:
    """A run whose graph raises in the middle of a call."""
    graph = agent([["Half", call("look", '{"ci', "a"), RuntimeError("hunter2")]])

    async def run(controller: RunController) -> None:
        await controller.forward(stream_graph(graph, human(), THREAD))

    return create_run(run, format_error=lambda error: "It failed.")


async def test_g35_every_client_learns_of_an_error_and_of_the_end() -> None:
    """ag-ui #2531, assistant-ui #2134, vercel #6546: a failed run looked as if it still went on."""
    for wire, protocol in (
        (DataStreamResponse, "data-stream"),
        (AssistantTransportResponse, "assistant-transport"),
    ):
        shown = decode(await received(failing(), wire), protocol)  # type: ignore[arg-type]
        assert shown.error is None
        assert shown.status["reason"] == "error"
        assert shown.status["error"]["message"] == "It failed."
        assert shown.text == "Half"
        [part] = [part for part in shown.parts if part["type"] == "tool-call"]
        assert part["isError"] is True

    ui = await received(failing(), UIMessageStreamResponse)
    assert read(ui, "ai6", chat=True).chat.error == "Error: It failed."  # type: ignore[union-attr]
    assert ui.endswith(b"data: [DONE]\n\n")
    ag_ui = ask_client("agui1", await received(failing(), AGUIResponse))
    assert ag_ui["runError"]["message"] == "It failed."
    openai = await received(failing(), OpenAIStreamResponse)
    assert b"It failed." in openai
    assert openai.endswith(b"data: [DONE]\n\n")
    assert b"Half" in await received(failing(), PlainTextResponse)


def giving_up(way: str) -> Graph:
    """A node that makes no use of the call that its first model makes, or begins to make."""
    calls: dict[str, list[Any]] = {
        "broken off": [call("look", '{"ci', "a"), RuntimeError("gone")],
        "not kept": [call("look", '{"city": "Oz"}', "a")],
    }
    first = ScriptedChatModel(turns=[["Hm. ", *calls[way]]])
    second = ScriptedChatModel(turns=["Whole answer."])

    async def speak(state: MessagesState) -> Any:
        if way == "broken off":
            return {"messages": [await first.with_fallbacks([second]).ainvoke(state["messages"])]}
        await first.ainvoke(state["messages"])
        return {"messages": [await second.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("speak", speak).add_edge(START, "speak")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", FOUR_FORMS)
@pytest.mark.parametrize("way", ["broken off", "not kept"])
async def test_g35_a_call_that_was_given_up_leaves_nobody_waiting(way: str, form: str) -> None:
    """ag-ui #2531: a model failed inside of a call, another one answered, and the page waited."""
    shown = await see_form(form, giving_up(way))

    assert shown.text == "Hm. Whole answer."
    assert shown.status == {"type": "complete", "reason": "stop"}
    assert call_part(shown, "a")["isError"] is True


async def test_g35_a_callback_tells_of_such_a_call_too() -> None:
    """ag-ui #2531: the same for a chain with a fallback."""
    graph: Any = giving_up("broken off")

    shown = await see(stream_chain(graph, human(), THREAD))

    assert shown.text == "Hm. Whole answer."
    assert shown.status == {"type": "complete", "reason": "stop"}
    assert call_part(shown, "a")["isError"] is True


def ticking() -> tuple[Graph, dict[str, Any]]:
    """A graph with a subgraph that works until it is stopped."""
    seen: dict[str, Any] = {"ticks": 0, "started": asyncio.Event(), "ended": asyncio.Event()}

    async def tick(state: MessagesState) -> Any:
        try:
            while True:
                seen["ticks"] += 1
                seen["started"].set()
                await asyncio.sleep(0.005)
        finally:
            seen["ended"].set()

    inner = StateGraph(MessagesState).add_node("tick", tick).add_edge(START, "tick").compile()
    builder = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner")
    return builder.compile(checkpointer=InMemorySaver()), seen


@asynccontextmanager
async def reading(client: httpx.AsyncClient, path: str, **body: Any) -> AsyncGenerator[None, None]:
    """An answer that is being read; its client goes away at the end of the block."""
    async with client.stream("POST", path, **body) as response:
        pieces = response.aiter_bytes()
        await anext(pieces)
        yield


async def test_g36_a_client_that_goes_away_ends_the_subgraphs_too() -> None:
    """langgraph #5682, #8029, #8302: after a cancelled request the subgraphs went on working."""
    graph, seen = ticking()
    api = FastAPI()

    @api.post("/chat")
    async def chat() -> Response:
        return DataStreamResponse(stream_graph(graph, human(), THREAD), heartbeat=0.05)

    async with serving(api) as http:
        async with reading(http, "/chat"):
            await asyncio.wait_for(seen["started"].wait(), PROMPTLY)
        await asyncio.wait_for(seen["ended"].wait(), PROMPTLY)
    before = seen["ticks"]
    await asyncio.sleep(0.03)
    assert seen["ticks"] == before


async def test_g36_a_run_that_is_stopped_has_ended_when_the_answer_comes() -> None:
    """CopilotKit #2711, ag-ui #2759: a stop came back before the run had ended, or never."""
    graph, seen = ticking()
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(http, "/assistant", json=chat.body(say("Go"))):
            await asyncio.wait_for(seen["started"].wait(), PROMPTLY)
            stopped = await http.post("/threads/t1/cancel")

        assert stopped.json() == {"cancelled": True}
        assert seen["ended"].is_set()


async def test_g37_what_was_said_before_a_stop_can_be_kept() -> None:
    """langgraph #5672, ask-atlas #97: on a stop the part that the user had read was lost."""
    graph = agent([["One ", "two ", 60.0, "three"]])
    kept: list[str] = []

    async def run(controller: RunController) -> None:
        await controller.forward(stream_graph(graph, human(), THREAD))

    async def keep(message: Any) -> None:
        text = "".join(part["text"] for part in message["parts"] if part["type"] == "text")
        kept.append(text)
        await graph.aupdate_state(THREAD, {"messages": [AIMessage(text)]})

    stream = create_run(run, on_cancel=keep, cancel_grace=0)
    async for chunk in stream:
        if chunk.type == "text-delta" and "two" in chunk.text_delta:
            break
    await stream.aclose()

    assert kept == ["One two "]
    messages = (await graph.aget_state(THREAD)).values["messages"]
    assert [message.content for message in messages] == ["go", "One two "]


async def test_g37_an_app_keeps_it_in_the_thread() -> None:
    """langgraph #5672: the same for a whole backend, which keeps it by itself."""
    graph = agent([["One ", "two ", 60.0, "three"], "Again."])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        request = http.build_request("POST", "/assistant", json=chat.body(say("Go")))
        response = await http.send(request, stream=True)
        wire = b""
        async for piece in response.aiter_bytes():
            wire += piece
            if b"two" in wire:
                break
        await http.post("/threads/t1/cancel")
        await response.aclose()

        kept = (await chat.history())["values"]["messages"]
        assert [message["content"] for message in kept] == ["Go", "One two "]
        reloaded = Chat(http, thread_id="t1", state=None)
        await reloaded.ask("Once more")
        assert [content for _, content in reloaded.shown()] == [
            "Go",
            "One two ",
            "Once more",
            "Again.",
        ]


@pytest.mark.parametrize(
    "state",
    [None, {}, {"messages": [{"type": "ai", "id": "gone", "content": "from another life"}]}],
)
async def test_g38_a_thread_goes_on_whatever_the_page_still_knows(state: Any) -> None:
    """ag-ui #706, #1297, CopilotKit #3026, #2972: after a reload the thread was broken for good."""
    graph = agent(["First.", "Second."])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("One")
        reloaded = Chat(http, thread_id=chat.thread_id, state=state)

        await reloaded.ask("Two")

        assert [content for _, content in reloaded.shown()] == ["One", "First.", "Two", "Second."]
        assert (await reloaded.history())["values"] == reloaded.state


async def test_g38_an_edit_names_the_message_that_it_takes_the_place_of() -> None:
    """CopilotKit #2972: from the number of messages it was guessed that one was asked again."""
    graph = agent(["First.", "Second.", "Other."])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("One")
        await chat.ask("Two")
        second = chat.state["messages"][2]["id"]

        await chat.send(say("Or this", sourceId=second, parentId=chat.state["messages"][1]["id"]))

        assert [content for _, content in chat.shown()] == ["One", "First.", "Or this", "Other."]


@pytest.mark.parametrize("wire", WIRES)
async def test_g39_an_idle_answer_is_kept_alive_and_never_held_back(wire: Any) -> None:
    """CopilotKit #2059, #2043, agent-framework #6611, #6941, agent-service-toolkit #126: drops."""
    graph = agent([["One ", 0.4, "two."]])

    async def answer(request: Request) -> Response:
        made: Response = wire(stream_graph(graph, human(), THREAD), heartbeat=0.05)
        return made

    async with serving(Starlette(routes=[Route("/", answer)])) as http:
        response = await http.get("/")

    assert response.headers["x-accel-buffering"] == "no"
    assert "no-cache" in response.headers["cache-control"]
    quiet = response.content.partition(b"One ")[2].partition(b"two.")[0]
    if wire is not PlainTextResponse:  # Its text has no room for it.
        heartbeat = b"\n" if wire is DataStreamResponse else b": heartbeat\n\n"
        assert quiet.count(heartbeat) > 2
    if wire is DataStreamResponse:
        assert decode(response.content).checked().text == "One two."


async def test_g40_an_answer_outlives_its_client_and_is_read_again_from_where_it_was() -> None:
    """agent-framework #7230, aegra #114: a client that lost its connection lost the answer."""
    go_on = asyncio.Event()
    graph = agent([["One ", "two ", "three."]])
    context = create_resumable_stream_context(store=create_in_memory_resumable_stream_store())

    async def run(controller: RunController) -> None:
        controller.append_text("Zero ")
        await go_on.wait()
        await controller.forward(stream_graph(graph, human(), THREAD))

    async def chat(request: Request) -> Response:
        return await create_resumable_assistant_stream_response(
            context=context, stream_id="s1", callback=run
        )

    async def resume(request: Request) -> Response:
        cursor = cursor_from_request(request)
        return await create_resume_assistant_stream_response(
            context=context, stream_id="s1", cursor=cursor
        )

    app = Starlette(routes=[Route("/", chat, methods=["POST"]), Route("/", resume)])
    async with serving(app) as http:
        async with http.stream("POST", "/") as response:
            first = await anext(response.aiter_bytes())
        go_on.set()

        rest = await http.get("/", params={"cursor": len(first)})
        everything = await http.get("/")

        assert decode(first + rest.content).checked().text == "Zero One two three."
        assert everything.content == first + rest.content


async def test_g40_a_page_that_is_loaded_again_finds_the_run_and_can_stop_it() -> None:
    """aegra #114: the same for a whole backend, with the state that the page had."""
    go_on = asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait."""
        await go_on.wait()
        return "waited"

    graph = agent([["One ", call("wait", "{}", "a")], "two."], [wait])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(http, "/assistant", json=chat.body(say("Go"))):
            pass

        found = (await http.post("/resume-state", json={"threadId": "t1"})).json()
        page = Chat(http, thread_id="t1", state=found["state"])
        run = {"threadId": "t1", "runId": found["runId"]}
        async with http.stream("POST", "/resume", json=run) as resumed:
            go_on.set()
            page.fold(await resumed.aread())

        assert [content for _, content in page.shown()] == ["Go", "One ", "waited", "two."]
        assert (await http.post("/threads/t1/cancel")).json() == {"cancelled": False}


async def test_g41_requests_at_the_same_time_do_not_mix() -> None:
    """ag-ui #1277: one agent for all requests kept the run of another in its fields."""

    def turn(messages: list[Any]) -> list[str]:
        return [f"{messages[-1].content} ", "is ", f"{messages[-1].content}."]

    model = ScriptedChatModel(turns=[turn], cycle=True, delay=0.002)

    async def speak(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("speak", speak).add_edge(START, "speak")
    graph = builder.compile()
    names = [f"n{number}" for number in range(8)]
    async with serving(create_app(graph)) as http:
        chats = [Chat(http) for _ in names]
        await asyncio.gather(*(chat.ask(name) for chat, name in zip(chats, names, strict=True)))

        for chat, name in zip(chats, names, strict=True):
            assert chat.shown() == [("human", name), ("ai", f"{name} is {name}.")]
        assert len({chat.thread_id for chat in chats}) == len(names)
