"""Threads that are stopped, interrupted, edited or used twice at once: the next request works."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Send, interrupt

from assistant_stream_ce import RequestError
from assistant_stream_ce._json import to_json
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph.app import create_app
from assistant_stream_langgraph.middleware import FrontendTools
from assistant_stream_langgraph.threads import Graph, ThreadGate
from tests.app.serving import Chat, calls, say, serving


@tool
async def fast(query: str) -> str:
    """Answer at once."""
    return f"fast {query}"


@tool
def ask(question: str) -> str:
    """Ask the user."""
    return f"The user says: {interrupt({'question': question})}"


class Slow:
    """A tool that says when it runs and when it has been stopped."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.stopped = asyncio.Event()

    def tool(self) -> BaseTool:
        @tool
        async def slow(query: str) -> str:
            """Take forever."""
            self.started.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.stopped.set()
            return query

        return slow


def agent(turns: list[Any], tools: list[Any]) -> tuple[Graph, ScriptedChatModel]:
    model = ScriptedChatModel(turns=turns)
    graph: Graph = create_agent(model, tools, checkpointer=InMemorySaver())
    return graph, model


def roles(messages: list[BaseMessage]) -> list[str]:
    return [message.type for message in messages]


async def stop_when(chat: Chat, event: asyncio.Event, *commands: dict[str, Any]) -> None:
    """Send, and close the connection once `event` is set, as the page's stop button does."""
    request = chat.http.build_request("POST", f"{chat.prefix}/assistant", json=chat.body(*commands))
    response = await chat.http.send(request, stream=True)
    chat.thread_id = response.headers["x-thread-id"]
    wire = b""
    async for piece in response.aiter_bytes():
        wire += piece
        if event.is_set():
            break
        if b"tool_calls" in wire:
            await asyncio.wait_for(event.wait(), 5)
            break
    await response.aclose()
    chat.fold(wire[: wire.rindex(b"\n") + 1])


async def test_a_client_that_goes_away_stops_the_run_and_the_thread_goes_on() -> None:
    slow = Slow()
    graph, model = agent(
        [[*calls(("fast", "c1", ['{"query":"a"}']), ("slow", "c2", ['{"query":"b"}']))], "Done."],
        [fast, slow.tool()],
    )
    async with serving(create_app(graph, on_disconnect="cancel")) as http:
        chat = Chat(http)
        await stop_when(chat, slow.started, say("Go"))

        await asyncio.wait_for(slow.stopped.wait(), 5)
        await chat.ask("Never mind.")

        assert roles(model.calls[1]) == ["human", "ai", "tool", "tool", "human"]
        finished, stopped = model.calls[1][2:4]
        assert finished.content == "fast a"
        assert stopped.content == "The call was stopped before it had a result."
        assert chat.shown()[-2:] == [("human", "Never mind."), ("ai", "Done.")]
        snapshot = await graph.aget_state({"configurable": {"thread_id": chat.thread_id}})
        assert chat.state == to_json(snapshot.values)


async def test_a_run_that_was_stopped_while_the_model_spoke_can_be_asked_again() -> None:
    graph, model = agent([["One ", "two ", 30.0, "three"], "Again."], [])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        request = http.build_request("POST", "/assistant", json=chat.body(say("Go")))
        response = await http.send(request, stream=True)
        chat.thread_id = response.headers["x-thread-id"]
        wire = b""
        async for piece in response.aiter_bytes():
            wire += piece
            if b"two" in wire:
                break
        await response.aclose()
        chat.fold(wire)
        assert chat.shown() == [("human", "Go"), ("ai", "One two ")]

        await chat.ask("Once more")

        assert roles(model.calls[1]) == ["human", "ai", "human"]
        assert chat.shown() == [
            ("human", "Go"),
            ("ai", "One two "),
            ("human", "Once more"),
            ("ai", "Again."),
        ]
        assert chat.state["messages"][1]["response_metadata"] == {"finish_reason": "cancelled"}


async def test_a_run_that_failed_says_so_and_the_thread_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    graph, _ = agent([["Well, ", ValueError("password=hunter2")], "Better."], [])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        with caplog.at_level(logging.ERROR):
            decoded = await chat.ask("Go")

        error = decoded.status["error"]["message"]
        [record] = [record for record in caplog.records if "error id" in record.message]
        error_id = error.rpartition(" ")[2].rstrip(".")
        assert decoded.status["type"] == "incomplete"
        assert "hunter2" not in str(decoded)
        assert error_id in record.message
        assert record.exc_info is not None
        assert "hunter2" in str(record.exc_info[1])

        await chat.ask("Again")
        assert chat.shown()[-1] == ("ai", "Better.")


async def test_debug_shows_the_error_to_the_client(caplog: pytest.LogCaptureFixture) -> None:
    graph, _ = agent([[ValueError("no such city")]], [])
    async with serving(create_app(graph, debug=True)) as http:
        decoded = await Chat(http).ask("Go")

        assert decoded.status["error"]["message"] == "ValueError: no such city"


async def test_a_second_request_on_a_busy_thread_is_refused() -> None:
    slow = Slow()
    asking = calls(("slow", "c1", ['{"query":""}']))
    graph, _ = agent([asking, "Other thread.", "Same thread."], [slow.tool()])
    async with serving(create_app(graph, busy_patience=0.05, on_disconnect="cancel")) as http:
        chat = Chat(http, thread_id="t1")
        first = asyncio.create_task(stop_when(chat, asyncio.Event(), say("Go")))
        await asyncio.wait_for(slow.started.wait(), 5)

        refused = await Chat(http, thread_id="t1").post(say("Me too"))
        await Chat(http, thread_id="t2").ask("And me")

        assert refused.status_code == 409
        assert refused.json()["error"]["code"] == "conflict"
        assert "busy" in refused.json()["error"]["message"]
        first.cancel()
        await asyncio.wait({first})
        await asyncio.wait_for(slow.stopped.wait(), 5)
        await chat.ask("Now?")
        assert chat.shown()[-1] == ("ai", "Same thread.")


async def test_without_patience_a_free_thread_is_let_in_and_a_busy_one_refused() -> None:
    gate = ThreadGate(0)

    async def enter() -> None:
        async with gate.enter("t1"):
            pytest.fail("two runs in one thread")

    async with gate.enter("t1"), gate.enter("t2"):
        with pytest.raises(RequestError, match="busy"):
            await asyncio.create_task(enter())
    async with gate.enter("t1"):
        pass

    assert not vars(gate)["_entries"]  # One of them for every thread that ever was would add up.


async def test_who_comes_while_the_thread_changes_hands_waits_no_longer_than_others() -> None:
    gate = ThreadGate(0.05)
    release = await gate.hold("t1")
    second = asyncio.create_task(gate.hold("t1"))
    await asyncio.sleep(0)
    release()  # The lock is free for a moment: the second has not run yet.

    with pytest.raises(RequestError, match="busy"):
        await asyncio.wait_for(gate.hold("t1"), 2)

    (await second)()
    assert not vars(gate)["_entries"]


async def test_gates_of_one_keeper_share_its_threads() -> None:
    keeper = InMemorySaver()
    release = await ThreadGate(0, keeper).hold("t1")
    with pytest.raises(RequestError, match="busy"):
        await ThreadGate(0, keeper).hold("t1")
    for other in (InMemorySaver(), None, {"no": "key"}):
        (await ThreadGate(0, other).hold("t1"))()
    release()

    (await ThreadGate(0, keeper).hold("t1"))()


async def test_a_request_right_after_a_stop_waits_for_the_stopped_run() -> None:
    slow = Slow()
    graph, _ = agent([calls(("slow", "c1", ['{"query":""}'])), "Here."], [slow.tool()])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await stop_when(chat, slow.started, say("Go"))

        await chat.ask("Quick")

        assert chat.shown()[-1] == ("ai", "Here.")


async def test_an_interrupt_is_shown_answered_and_gone() -> None:
    graph, _ = agent([calls(("ask", "c1", ['{"question":"Sure?"}'])), "Fine."], [ask])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Go")
        [question] = chat.state["interrupts"]
        assert question["value"] == {"question": "Sure?"}
        assert (await chat.history())["interrupts"] == [question]

        await chat.send({"type": "resume", "id": question["id"], "value": "yes"})

        assert chat.state["interrupts"] == []
        assert chat.shown()[-2:] == [("tool", "The user says: yes"), ("ai", "Fine.")]
        assert (await chat.history())["interrupts"] == []


async def test_the_only_interrupt_needs_no_id() -> None:
    graph, _ = agent([calls(("ask", "c1", ['{"question":"Sure?"}'])), "Fine."], [ask])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Go")

        await chat.send({"type": "resume", "value": None})

        assert chat.shown()[-2:] == [("tool", "The user says: None"), ("ai", "Fine.")]


def question_of(interrupt: dict[str, Any]) -> str:
    """Tools that run side by side ask in any order."""
    return str(interrupt["value"])


async def test_two_interrupts_are_answered_one_by_one_and_both_at_once() -> None:
    asking = calls(("ask", "c1", ['{"question":"A?"}']), ("ask", "c2", ['{"question":"B?"}']))
    again = calls(("ask", "c3", ['{"question":"C?"}']), ("ask", "c4", ['{"question":"D?"}']))
    graph, _ = agent([asking, again, "Fine."], [ask])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Go")
        first, second = sorted(chat.state["interrupts"], key=question_of)

        unnamed = await chat.post({"type": "resume", "value": 1})
        assert unnamed.status_code == 409
        await chat.send({"type": "resume", "id": second["id"], "value": "b"})
        assert chat.state["interrupts"] == [first]
        await chat.send({"type": "resume", "id": first["id"], "value": "a"})
        first, second = sorted(chat.state["interrupts"], key=question_of)
        await chat.send(
            {"type": "resume", "id": first["id"], "value": "c"},
            {"type": "resume", "id": second["id"], "value": "d"},
        )

        answers = [content for kind, content in chat.shown() if kind == "tool"]
        assert answers == [f"The user says: {answer}" for answer in "abcd"]
        assert chat.shown()[-1] == ("ai", "Fine.")


async def test_a_new_message_instead_of_an_answer_abandons_the_question() -> None:
    graph, model = agent([calls(("ask", "c1", ['{"question":"Sure?"}'])), "Other topic."], [ask])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Go")

        await chat.ask("Something else")

        assert roles(model.calls[1]) == ["human", "ai", "tool", "human"]
        assert not chat.state.get("interrupts")
        assert (await chat.history())["interrupts"] == []
        assert chat.shown()[-1] == ("ai", "Other topic.")


async def test_an_answer_that_fits_nothing_is_refused_and_changes_nothing() -> None:
    graph, _ = agent(["Hi.", calls(("ask", "c1", ['{"question":"Sure?"}']))], [ask])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Hello")
        nothing_waits = await chat.post({"type": "resume", "value": 1})
        await chat.ask("Go")
        before = await chat.history()

        wrong = [
            await chat.post({"type": "resume", "id": "nope", "value": 1}),
            await chat.post({"type": "resume", "id": before["interrupts"][0]["id"]}),
            await chat.post({"type": "resume", "value": 1}, say("And this")),
        ]

        assert [response.status_code for response in [nothing_waits, *wrong]] == [
            409,
            409,
            400,
            409,
        ]
        assert await chat.history() == before


async def test_the_approval_of_a_tool_call_by_middleware() -> None:
    asking = calls(("fast", "c1", ['{"query":"a"}']), ("fast", "c2", ['{"query":"b"}']))
    graph: Graph = create_agent(
        ScriptedChatModel(turns=[asking, "Done."]),
        [fast],
        middleware=[HumanInTheLoopMiddleware(interrupt_on={"fast": True})],
        checkpointer=InMemorySaver(),
    )
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Go")
        [approval] = chat.state["interrupts"]
        asked = [request["args"] for request in approval["value"]["action_requests"]]
        assert asked == [{"query": "a"}, {"query": "b"}]

        decisions = [{"type": "approve"}, {"type": "reject", "message": "Not b."}]
        await chat.send({"type": "resume", "id": approval["id"], "value": {"decisions": decisions}})

        results = {m["tool_call_id"]: m for m in chat.state["messages"] if m["type"] == "tool"}
        assert results["c1"]["content"] == "fast a"
        assert "Not b." in results["c2"]["content"]
        assert results["c2"]["status"] == "error"
        assert chat.shown()[-1] == ("ai", "Done.")
        assert chat.state["interrupts"] == []


async def test_a_frontend_tool_that_interrupts_is_answered_by_its_result() -> None:
    graph, _ = agent([calls(("ask", "c1", ['{"question":"Where?"}'])), "I see."], [ask])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Go")

        await chat.send(
            {"type": "add-tool-result", "toolCallId": "c1", "toolName": "ask", "result": {"x": 1}}
        )

        assert chat.shown()[-2:] == [("tool", "The user says: {'x': 1}"), ("ai", "I see.")]


async def test_a_failed_frontend_tool_is_told_apart_when_it_answers_an_interrupt() -> None:
    graph, _ = agent([calls(("ask", "c1", ['{"question":"Where?"}'])), "I see."], [ask])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Go")

        result = {"toolCallId": "c1", "toolName": "ask", "result": "denied", "isError": True}
        await chat.send({"type": "add-tool-result", **result})

        assert chat.shown()[-2] == ("tool", "The user says: {'error': 'denied'}")


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ({"result": {"error": "none"}}, ('{"error":"none"}', "success", None)),
        ({"result": "denied", "isError": True}, ("denied", "error", None)),
        (
            {
                "result": {"x": 1},
                "artifact": {"map": "Oslo"},
                "modelContent": [{"type": "text", "text": "In Oslo."}],
            },
            ([{"type": "text", "text": "In Oslo."}], "success", {"map": "Oslo"}),
        ),
    ],
)
async def test_all_that_a_frontend_tool_tells_reaches_its_message(
    told: dict[str, Any], seen: tuple[Any, ...]
) -> None:
    locate = {"type": "function", "function": {"name": "locate", "parameters": {}}}
    model = ScriptedChatModel(turns=[calls(("locate", "c1", ["{}"])), "I see."])
    graph = create_agent(model, [], middleware=[FrontendTools(locate)])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Go")

        command = {"type": "add-tool-result", "toolCallId": "c1", "toolName": "locate"}
        await chat.send({**command, **told})

        message = next(m for m in chat.state["messages"] if m["type"] == "tool")
        assert (message["content"], message["status"], message["artifact"]) == seen
        assert chat.shown()[-1] == ("ai", "I see.")


def frontend_agent(turns: list[Any]) -> tuple[Graph, ScriptedChatModel]:
    """An agent that ends its run when the model calls a tool: the front end has them all."""
    model = ScriptedChatModel(turns=turns)

    async def call_model(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", call_model)
    builder.add_edge(START, "model")
    builder.add_edge("model", END)
    return builder.compile(checkpointer=InMemorySaver()), model


async def test_results_of_frontend_tools_become_tool_messages_once_all_are_there() -> None:
    asking = calls(("locate", "c1", ["{}"]), ("battery", "c2", ["{}"]))
    graph, model = frontend_agent([asking, "You are home."])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Where am I?")

        await chat.send(
            {
                "type": "add-tool-result",
                "toolCallId": "c1",
                "toolName": "anything",
                "result": {"lat": 1.5},
                "artifact": {"map": "m"},
                "isError": False,
            }
        )
        assert len(model.calls) == 1
        assert chat.shown()[-1] == ("tool", '{"lat":1.5}')
        await chat.send(
            {
                "type": "add-tool-result",
                "toolCallId": "c2",
                "toolName": "battery",
                "result": "no permission",
                "isError": True,
                "modelContent": [{"type": "text", "text": "The user said no."}],
            }
        )

        first, second = model.calls[1][-2:]
        assert (first.name, first.artifact) == ("locate", {"map": "m"})  # type: ignore[attr-defined]
        assert (second.name, second.status) == ("battery", "error")  # type: ignore[attr-defined]
        assert second.content == [{"type": "text", "text": "The user said no."}]
        assert chat.shown()[-1] == ("ai", "You are home.")
        assert (await chat.history())["values"] == chat.state


async def test_a_message_with_the_results_closes_the_calls_that_have_none() -> None:
    asking = calls(("locate", "c1", ["{}"]), ("battery", "c2", ["{}"]))
    graph, model = frontend_agent([asking, "Fine."])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Where am I?")

        await chat.send(
            say("Forget it"),
            {"type": "add-tool-result", "toolCallId": "c2", "result": "7 %"},
        )

        assert roles(model.calls[1]) == ["human", "ai", "tool", "tool", "human"]
        assert [message.name for message in model.calls[1][2:4]] == ["battery", "locate"]


async def test_a_result_for_a_call_that_does_not_wait_is_refused() -> None:
    graph, model = frontend_agent([calls(("locate", "c1", ["{}"])), "Fine."])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        result = {"type": "add-tool-result", "toolCallId": "c1", "toolName": "locate", "result": 1}
        on_a_new_thread = await chat.post(result)
        await chat.ask("Where am I?")
        twice = await chat.post(result, result)
        await chat.send(result)
        again = await chat.post(result)

        for response in [on_a_new_thread, twice, again]:
            assert response.status_code == 409
            assert "'c1'" in response.json()["error"]["message"]
        assert len(model.calls) == 2


async def test_an_edit_forks_the_thread_before_the_edited_message() -> None:
    graph, model = agent(["First.", "Second.", "Third.", "Fourth."], [])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("One")
        await chat.ask("Two")
        ids = [message["id"] for message in chat.state["messages"]]

        await chat.send(say("Two, edited", parentId=ids[1], sourceId=ids[2]))

        assert [content for _, content in chat.shown()] == [
            "One",
            "First.",
            "Two, edited",
            "Third.",
        ]
        assert [message.content for message in model.calls[2]] == ["One", "First.", "Two, edited"]
        assert (await chat.history())["values"] == chat.state

        await chat.send(say("One, edited", parentId=None, sourceId=ids[0]))

        assert [content for _, content in chat.shown()] == ["One, edited", "Fourth."]
        assert (await chat.history())["values"] == chat.state


async def test_an_edit_of_a_message_that_is_gone_is_refused() -> None:
    graph, _ = agent(["First."], [])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("One")

        gone = await chat.post(say("Edited", sourceId="nope"))
        several = await chat.post(say("A", sourceId="a"), say("B", sourceId="b"))

        assert gone.status_code == 409
        assert several.status_code == 400


async def test_an_edit_after_a_stopped_run_leaves_no_open_call() -> None:
    slow = Slow()
    graph, model = agent([calls(("slow", "c1", ['{"query":""}'])), "Edited."], [slow.tool()])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await stop_when(chat, slow.started, say("Go"))
        asked = chat.state["messages"][0]["id"]

        await chat.send(say("Go slowly", sourceId=asked))

        assert roles(model.calls[1]) == ["human"]
        assert chat.shown() == [("human", "Go slowly"), ("ai", "Edited.")]


async def test_a_call_that_was_left_open_long_ago_is_not_touched() -> None:
    graph, model = agent(["Fine."], [])
    config: Any = {"configurable": {"thread_id": "old"}}
    open_call = {"name": "x", "args": {}, "id": "c0"}
    await graph.aupdate_state(
        config,
        {"messages": [AIMessage("", tool_calls=[open_call]), AIMessage("later", id="a2")]},
        as_node="model",
    )
    async with serving(create_app(graph)) as http:
        await Chat(http, thread_id="old").ask("Hi")

        assert roles(model.calls[0]) == ["ai", "ai", "human"]


async def test_a_step_that_was_never_saved_is_not_lost() -> None:
    """The server died after the model had spoken, before the state with its message was saved."""
    kept = InMemorySaver()
    asking = calls(("fast", "c1", ['{"query":"a"}']))
    graph, model = agent([asking, "Fine."], [fast])
    graph = graph.copy({"checkpointer": kept})
    config: Any = {"configurable": {"thread_id": "t1"}}
    await graph.aupdate_state(config, {"messages": [("user", "Go")]}, as_node=START)
    snapshot = await graph.aget_state(config)
    said = AIMessage("", id="a1", tool_calls=[{"name": "fast", "args": {"query": "a"}, "id": "c1"}])
    send = Send("tools", [{**said.tool_calls[0], "type": "tool_call"}])
    await kept.aput_writes(
        snapshot.config, [("messages", [said]), ("__pregel_tasks", send)], snapshot.tasks[0].id
    )
    assert (await graph.aget_state(config)).next == ()

    async with serving(create_app(graph)) as http:
        await Chat(http, thread_id="t1").ask("And now?")

    assert roles(model.calls[0]) == ["human", "ai", "tool", "human"]
