"""What an agent's transformers redact is in no byte that its app sends, on any wire."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, PIIMiddleware
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant_stream_ce._json import to_json
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph.app import create_app
from assistant_stream_langgraph.middleware import FrontendTools
from assistant_stream_langgraph.threads import Graph
from tests.app.pausing import Pause, ended, fast, find_run, read_until, reading
from tests.app.serving import Chat, calls, say, serving
from tests.npm import ask

MAIL = "ann.lee@mail.kqzw.example.co.uk"
CARD = "4111 1111 1111 1111"

PIECES = ("kqzw", "1111 1111", "lee@mail")
"""Parts of the two that no strategy leaves."""

MAILED: list[str] = []


@tool
def send_mail(to: str, body: str) -> str:
    """Send a mail."""
    MAILED.append(to)
    return f"Sent {body!r} to {to}"


def said(text: str) -> list[Any]:
    """A turn of the model, in tokens that split whatever is in it."""
    return [text[place : place + 3] for place in range(0, len(text), 3)]


def mailing() -> list[Any]:
    args = json.dumps({"to": MAIL, "body": f"pay {CARD}"})
    return calls(("send_mail", "c1", [args[place : place + 4] for place in range(0, 90, 4)]))


TURNS = [[*said(f"I write to {MAIL}. "), *mailing()], said(f"Wrote to {MAIL}, {CARD}.")]


def guards(strategy: Any = "redact", **options: Any) -> list[Any]:
    options = {"apply_to_output": True, "apply_to_tool_results": True, **options}
    return [PIIMiddleware(kind, strategy=strategy, **options) for kind in ("email", "credit_card")]


def agent(
    turns: Any = TURNS, *middleware: Any, tools: list[BaseTool] | None = None, **options: Any
) -> Graph:
    MAILED.clear()
    options.setdefault("checkpointer", InMemorySaver())
    guarded = [*guards(), *middleware]
    model = ScriptedChatModel(turns=turns, cycle=True)
    graph: Graph = create_agent(model, tools or [send_mail], middleware=guarded, **options)
    return graph


class Tapped:
    """An app, and every byte that it has sent."""

    def __init__(self, graph: Any, **options: Any) -> None:
        self._app: ASGIApp = create_app(graph, **options)
        self.sent = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tap(message: Message) -> None:
            self.sent += message.get("body", b"")
            await send(message)

        await self._app(scope, receive, tap)

    def check(self) -> None:
        """Check that nothing of what is secret has gone out."""
        assert self.sent
        # Numbers of a call may be told in pieces; JSON writes no letter of these another way.
        for piece in PIECES:
            assert piece.encode() not in self.sent


async def values_of(graph: Graph, thread_id: str) -> Any:
    return (await graph.aget_state({"configurable": {"thread_id": thread_id}})).values


def texts(chat: Chat) -> list[str]:
    """What the model has said, on a page that renders from state."""
    said: Any = [content for kind, content in chat.shown() if kind == "ai"]
    return [content if isinstance(content, str) else content[0].get("text", "") for content in said]


TOLD = "I write to [REDACTED_EMAIL]. Wrote to [REDACTED_EMAIL], [REDACTED_CREDIT_CARD]."

ARGS = {"to": "[REDACTED_EMAIL]", "body": "pay [REDACTED_CREDIT_CARD]"}


@pytest.mark.parametrize("protocol", ["data-stream", "assistant-transport"])
async def test_the_assistant_wires_and_a_page_that_is_loaded_again(protocol: Any) -> None:
    graph = agent()
    app = Tapped(graph)
    async with serving(app) as http:
        chat = Chat(http, thread_id="t1", protocol=protocol)
        decoded = await chat.ask("Go")
        end = chat.state
        history = await chat.history()
        listed = [
            (await http.get("/threads/t1/messages", params={"format": name})).json()
            for name in ("thread", "ui", "ag-ui")
        ]
        await http.get("/threads")
        await chat.ask("Again")

    assert MAILED == [MAIL, MAIL]
    app.check()
    assert history["values"] == end
    assert texts(chat)[:2] == [
        "I write to [REDACTED_EMAIL]. ",
        "Wrote to [REDACTED_EMAIL], [REDACTED_CREDIT_CARD].",
    ]
    assert end["messages"][1]["tool_calls"][0]["args"] == ARGS
    # The graph's own messages, but for what LangChain leaves in calls.
    kept: Any = to_json(await values_of(graph, "t1"))["messages"][: len(end["messages"])]  # type: ignore[index]
    for mine, told in zip(kept, end["messages"], strict=True):
        if not mine.get("tool_calls"):
            assert mine == told
    assert all("[REDACTED_EMAIL]" in json.dumps(messages) for messages in listed)
    assert decoded.messages
    for moment in decoded.messages:
        assert not any(piece in json.dumps(moment) for piece in PIECES)


async def test_the_other_wires() -> None:
    def hi(**more: Any) -> Any:
        return {"id": "u1", "role": "user", **more}

    app = Tapped(agent())
    async with serving(app) as http:
        parts = [{"type": "text", "text": "Go"}]
        ui = await http.post("/chat", json={"id": "a", "messages": [hi(parts=parts)]})
        plain = await http.post(
            "/chat", json={"threadId": "b", "messages": [{"role": "user", "content": "Go"}]}
        )
        ag_ui = await http.post(
            "/agui", json={"threadId": "c", "runId": "r", "messages": [hi(content="Go")]}
        )
        body = {"model": "m", "messages": [{"role": "user", "content": "Go"}]}
        openai = await http.post("/v1/chat/completions", json=body)
        streamed = await http.post("/v1/chat/completions", json={**body, "stream": True})

    app.check()
    read = ask("ai7", ui.content)
    assert read["error"] is None
    parts = read["message"]["parts"]
    assert "".join(part["text"] for part in parts if part["type"] == "text") == TOLD
    (called,) = (part for part in parts if part["type"] == "tool-send_mail")
    assert called["input"] == ARGS
    assert "[REDACTED_EMAIL]" in called["output"]
    assert plain.status_code == 200
    read = ask("agui1", ag_ui.content)
    assert read["error"] is None
    assert read["history"][-1]["content"] == "Wrote to [REDACTED_EMAIL], [REDACTED_CREDIT_CARD]."
    assert openai.json()["choices"][0]["message"]["content"] == TOLD
    assert streamed.text.count("[REDACTED_EMAIL]") == 2


@pytest.mark.parametrize(("strategy", "step"), [("redact", 5), ("mask", 7), ("hash", 6)])
async def test_an_address_that_is_split_at_any_place(strategy: Any, step: int) -> None:
    places = range(1, len(MAIL), step)
    turns = [["To ", MAIL[:place], MAIL[place:], " now."] for place in places]
    guard = PIIMiddleware("email", strategy=strategy, apply_to_output=True)
    graph: Graph = create_agent(
        ScriptedChatModel(turns=turns), middleware=[guard], checkpointer=InMemorySaver()
    )
    app = Tapped(graph)
    async with serving(app) as http:
        chat = Chat(http, thread_id="t1")
        wires = [(await chat.post(say("Go"))).content for _ in turns]
    assert b"kqzw" not in app.sent
    texts = {message.text for message in (await values_of(graph, "t1"))["messages"][1::2]}
    assert len(texts) == 1
    (text,) = texts
    assert all(text.encode() in wire for wire in wires)


async def test_a_person_is_asked_and_answers() -> None:
    graph = agent(TURNS, HumanInTheLoopMiddleware(interrupt_on={"send_mail": True}))
    app = Tapped(graph)
    async with serving(app) as http:
        chat = Chat(http, thread_id="t1")
        await chat.ask("Go")
        (live,) = chat.state["interrupts"]
        (loaded,) = (await chat.history())["interrupts"]
        await http.get("/threads/t1/messages", params={"format": "ui"})
        assert MAILED == []
        assert live == loaded
        assert live["value"]["action_requests"][0]["args"] == ARGS
        assert live["actions"][0]["tool_call_id"] == "c1"
        answer = {"type": "resume", "id": live["id"], "decisions": [{"type": "approve"}]}
        await chat.send(answer)
        assert MAILED == [MAIL]
        assert texts(chat)[-1] == "Wrote to [REDACTED_EMAIL], [REDACTED_CREDIT_CARD]."
        assert (await chat.history())["values"]["messages"] == chat.state["messages"]
    app.check()


async def test_a_front_end_tool_is_called_and_answers() -> None:
    schema = {"name": "pick", "description": "Pick.", "parameters": {"type": "object"}}
    picking = calls(("pick", "p1", ['{"of": "', MAIL[:9], MAIL[9:], '"}']))
    graph = agent([picking, said(f"It is {MAIL}.")], FrontendTools())
    app = Tapped(graph)
    async with serving(app) as http:
        chat = Chat(http, thread_id="t1")
        body = {**chat.body(say("Go")), "tools": {"pick": schema}}
        chat.fold((await http.post("/assistant", json=body)).content)
        assert chat.state["messages"][-1]["tool_calls"][0]["args"] == {"of": "[REDACTED_EMAIL]"}
        result = {"toolCallId": "p1", "toolName": "pick", "result": {"mail": MAIL}}
        body = {**chat.body({"type": "add-tool-result", **result}), "tools": {"pick": schema}}
        chat.fold((await http.post("/assistant", json=body)).content)
    assert texts(chat)[-1] == "It is [REDACTED_EMAIL]."
    app.check()


@pytest.mark.parametrize("protocol", ["data-stream", "assistant-transport"])
async def test_a_line_that_is_cut_and_a_run_that_is_stopped(protocol: Any) -> None:
    pause = Pause()
    asking = [*said(f"Ask {MAIL}. "), *calls(("slow", "c1", ['{"query": "', MAIL, '"}']))]
    graph = agent([asking, said(f"{MAIL} it is."), asking], tools=[pause.tool()])
    app = Tapped(graph)
    async with serving(app) as http:
        chat = Chat(http, thread_id="t1", protocol=protocol)
        async with reading(chat) as response:
            await read_until(response, "tool_calls")
            await asyncio.wait_for(pause.reached.wait(), 5)
        found = await find_run(chat)
        pause.go_on.set()
        await ended(chat)
        body = {"commands": [], "threadId": "t1", "runId": found["runId"]}
        again = await http.post("/resume", params={"protocol": protocol}, json=body)
        chat.state = found["state"]
        chat.fold(again.content)
        assert (await chat.history())["values"] == chat.state
        assert chat.state["messages"][-1]["content"][0]["text"] == "[REDACTED_EMAIL] it is."

        pause.go_on.clear()
        pause.reached.clear()
        async with reading(chat) as response:
            await asyncio.wait_for(pause.reached.wait(), 5)
            rest = asyncio.create_task(response.aread())
            await http.post("/threads/t1/cancel")
            chat.fold(await asyncio.wait_for(rest, 5))
        assert (await chat.history())["values"] == chat.state
        assert chat.state["messages"][-1]["status"] == "error"
    app.check()


@pytest.mark.parametrize("inside", [False, True])
async def test_a_run_that_is_stopped_keeps_the_results_that_had_come(inside: bool) -> None:
    pause = Pause()
    asking = calls(("fast", "c1", ['{"query":"a"}']), ("slow", "c2", ['{"query":"b"}']))
    graph = agent([asking], tools=[fast, pause.tool()])
    if inside:
        graph = agent([asking], tools=[fast, pause.tool()], checkpointer=None)
        builder = StateGraph(MessagesState).add_node("inner", graph).add_edge(START, "inner")
        graph = builder.compile(checkpointer=InMemorySaver())
    async with serving(create_app(graph)) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat) as response:
            await asyncio.wait_for(pause.reached.wait(), 5)
            rest = asyncio.create_task(response.aread())
            await http.post("/threads/t1/cancel")
            chat.fold(await asyncio.wait_for(rest, 5))
        assert pause.stopped.is_set()
        kept = (await chat.history())["values"]
    assert kept == chat.state
    assert [m["content"] for m in kept["messages"][2:]] == [
        "fast a",
        "The call was stopped before it had a result.",
    ]


async def test_a_run_that_is_stopped_while_it_speaks_keeps_what_was_shown() -> None:
    long = "words of no interest " * 15
    graph = agent([[*said(f"It is {MAIL}. {long}"), "and ann@", "kqzw", 30.0, ".org"], "Fine."])
    app = Tapped(graph)
    async with serving(app) as http:
        chat = Chat(http, thread_id="t1")
        async with reading(chat) as response:
            wire = b""
            async for piece in response.aiter_bytes():
                wire += piece
                if b"rds" in wire and b"cancelled" not in wire:
                    await http.post("/threads/t1/cancel")
        chat.fold(wire)
        assert (await chat.history())["values"] == chat.state
        assert texts(chat)[-1].startswith("It is [REDACTED_EMAIL]. words")
        await chat.ask("Go on")
        assert texts(chat)[-1] == "Fine."
    messages = (await values_of(graph, "t1"))["messages"]
    assert not any(piece in str(messages) for piece in PIECES)
    app.check()


SAID: Any = {"role": "user", "content": "Go"}


@pytest.mark.parametrize(
    ("protocol", "debug"), [("data-stream", True), ("assistant-transport", False)]
)
async def test_what_is_blocked_is_an_error_and_the_thread_goes_on(
    protocol: Any, debug: bool
) -> None:
    guarded = guards("block")
    bad = said(f"It is {MAIL} {CARD}.")
    turns = [said(f"It is {MAIL}."), "Fine.", mailing(), "Well.", bad, bad, bad, bad]
    graph: Graph = create_agent(
        ScriptedChatModel(turns=turns),
        [send_mail],
        middleware=guarded,
        checkpointer=InMemorySaver(),
    )
    app = Tapped(graph, debug=debug)
    async with serving(app) as http:
        chat = Chat(http, thread_id="t1", protocol=protocol)
        for number in range(2):
            refused = await chat.post(say("Go"))
            assert b"rror" in refused.content, number
            chat.state = (await chat.history())["values"]
            await http.get("/threads/t1/messages", params={"format": "ui"})
            await chat.ask("Something else")
            assert texts(chat)[-1] == ("Fine.", "Well.")[number]
        for path, body in (
            ("/chat", {"messages": [{"role": "user", "content": "Go"}]}),
            ("/agui", {"threadId": "x", "runId": "r", "messages": [{**SAID, "id": "u1"}]}),
            ("/v1/chat/completions", {"model": "m", "messages": [SAID], "stream": True}),
            ("/v1/chat/completions", {"model": "m", "messages": [SAID]}),
        ):
            refused = await http.post(path, json=body)
            assert b"rror" in refused.content, path
    app.check()


async def test_a_secret_that_rests_in_a_thread_is_not_shown() -> None:
    """A run that ended without transformers, such as one that was invoked, has left it there."""
    for strategy in ("redact", "block"):
        guarded = guards(strategy)
        graph: Graph = create_agent(
            ScriptedChatModel(turns=["Fine."]), middleware=guarded, checkpointer=InMemorySaver()
        )
        config: RunnableConfig = {"configurable": {"thread_id": "t1"}}
        called: Any = {"id": "c", "name": "x", "args": {"a": MAIL}}
        asked = AIMessage(f"It is {MAIL}.", tool_calls=[called])
        kept = [HumanMessage(f"I am {MAIL}"), asked, ToolMessage(f"Is {MAIL}", tool_call_id="c")]
        chunk = AIMessageChunk(f"Well, {CARD}", additional_kwargs={"tool_calls": [{"a": MAIL}]})
        await graph.aupdate_state(config, {"messages": [*kept, chunk]}, as_node="model")
        app = Tapped(graph)
        async with serving(app) as http:
            chat = Chat(http, thread_id="t1")
            values = (await chat.history())["values"]
            for name in ("thread", "ui", "ag-ui"):
                found = await http.get("/threads/t1/messages", params={"format": name})
                assert found.json()["messages"], found.text
            listed = (await http.get("/threads")).json()
        app.check()
        assert [m["type"] for m in values["messages"]] == ["human", "ai", "tool", "ai"]
        assert values["messages"][1]["tool_calls"][0]["id"] == "c"
        titles = [thread["title"] for thread in listed["threads"]]
        assert titles == ["I am [REDACTED_EMAIL]" if strategy == "redact" else ""]


async def test_a_graph_that_is_made_for_each_request() -> None:
    kept = InMemorySaver()

    async def make(config: RunnableConfig) -> Graph:
        return agent(checkpointer=kept).with_config(tags=["made"])

    app = Tapped(make)
    async with serving(app) as http:
        chat = Chat(http, thread_id="t1")
        await chat.ask("Go")
        assert (await chat.history())["values"] == chat.state
    assert " ".join(texts(chat)).replace("  ", " ") == TOLD
    app.check()


@pytest.mark.parametrize("apply_to_input", [False, True])
async def test_a_person_who_says_what_is_blocked_can_go_on(apply_to_input: bool) -> None:
    guard = guards("block", apply_to_input=apply_to_input)
    graph: Graph = create_agent(
        ScriptedChatModel(turns=["Fine.", f"It is {MAIL}", AIMessage(f"It is {MAIL}"), "Well."]),
        middleware=guard,
        checkpointer=InMemorySaver(),
    )
    app = Tapped(graph)
    async with serving(app) as http:
        chat = Chat(http, thread_id="t1")
        refused = await chat.post(say(f"I am {MAIL}"))
        assert (b"rror" in refused.content) is apply_to_input
        for _ in range(2 if apply_to_input else 1):
            chat.state = (await chat.history())["values"]
            await chat.post(say("Hello"))
        chat.state = (await chat.history())["values"]
        await chat.post(say("And now?"))
        chat.state = (await chat.history())["values"]
        await chat.ask("Then?")
        # What was refused after its node had ended has kept its place.
        assert [text for text in texts(chat) if text] == ["Fine.", "Well."]
        assert (await chat.history())["values"] == chat.state
    app.check()
