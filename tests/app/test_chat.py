"""`/chat` and `/agui`: answers, edits and reloads, read by the real npm clients."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt
from starlette.types import ASGIApp

from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph.app import create_app
from assistant_stream_langgraph.threads import Graph
from tests.app.agents import SENT, agent
from tests.app.asgi import Answer, call
from tests.npm import ask, decode


async def post(app: ASGIApp, path: str, body: Any) -> Answer:
    answer = await call(app, "POST", path, json.dumps(body).encode())
    assert answer.status == 200, answer.body
    return answer


async def messages(app: ASGIApp, thread_id: str, kind: str = "ui") -> list[Any]:
    answer = await call(app, "GET", f"/threads/{thread_id}/messages", query=f"format={kind}")
    found: list[Any] = json.loads(answer.body)["messages"]
    return found


def said(message_id: str, text: str) -> dict[str, Any]:
    return {"id": message_id, "role": "user", "parts": [{"type": "text", "text": text}]}


def ui_message(answer: Answer, history: Any = None) -> dict[str, Any]:
    """The message that the AI SDK has after an answer; `history` is one that it continues."""
    read = ask("ai7", answer.body, history=history)
    assert (read["error"], read["warnings"]) == (None, [])
    message: dict[str, Any] = read["message"]
    return message


def texts(message: dict[str, Any]) -> str:
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


class UIChat:
    """What `useChat` keeps: its messages, sent again with every request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.messages: list[dict[str, Any]] = []

    async def send(self, **more: Any) -> dict[str, Any]:
        body = {"id": "t1", "messages": self.messages, "trigger": "submit-message", **more}
        answer = await post(self.app, "/chat", body)
        continued = None
        if self.messages[-1]["role"] == "assistant":
            continued = self.messages.pop()
        message = ui_message(answer, continued)
        self.messages.append({"id": f"a{len(self.messages)}", **message})
        return message

    async def say(self, message_id: str, text: str) -> dict[str, Any]:
        self.messages.append(said(message_id, text))
        return await self.send()


# -- The AI SDK -----------------------------------------------------------------------------------


async def test_an_approval_is_asked_for_and_the_call_gets_its_result_where_it_stands() -> None:
    SENT.clear()
    chat = UIChat(create_app(agent()))
    asked = await chat.say("u1", "Send a mail")
    part = next(part for part in asked["parts"] if part["type"] == "tool-send_mail")
    assert part["state"] == "approval-requested"
    part |= {"state": "approval-responded"}
    part["approval"] |= {"approved": True}

    done = await chat.send()

    assert SENT == ["ada"]
    part = next(part for part in done["parts"] if part["type"] == "tool-send_mail")
    assert (part["state"], part["output"]) == ("output-available", "Sent to ada")
    assert texts(done) == "The tool said: Sent to ada"
    again = await chat.say("u2", "Hello")
    assert texts(again) == "Echo 5: Hello"


async def test_a_page_that_is_loaded_again_still_asks_for_an_approval() -> None:
    SENT.clear()
    app = create_app(agent())
    await UIChat(app).say("u1", "Send a mail")
    chat = UIChat(app)
    chat.messages = await messages(app, "t1")
    part = next(part for part in chat.messages[-1]["parts"] if "approval" in part)
    assert part["state"] == "approval-requested"
    part |= {"state": "approval-responded", "approval": {**part["approval"], "approved": True}}

    assert texts(await chat.send()) == "The tool said: Sent to ada"
    assert SENT == ["ada"]


async def test_a_denied_call_does_not_run_and_the_reason_reaches_the_model() -> None:
    SENT.clear()
    chat = UIChat(create_app(agent()))
    asked = await chat.say("u1", "Send a mail")
    part = next(part for part in asked["parts"] if part["type"] == "tool-send_mail")
    part |= {"state": "approval-responded"}
    part["approval"] |= {"approved": False, "reason": "Not today"}

    done = await chat.send()

    assert SENT == []
    assert "Not today" in texts(done)


async def test_a_new_message_leaves_a_question_unanswered() -> None:
    SENT.clear()
    chat = UIChat(create_app(agent()))
    await chat.say("u1", "Send a mail")

    answer = await chat.say("u2", "Never mind")

    assert texts(answer) == "Echo 4: Never mind"
    assert SENT == []


async def test_a_question_of_a_graphs_own_is_asked_by_a_call() -> None:
    def node(state: MessagesState) -> dict[str, Any]:
        colour = interrupt({"question": "Which colour?"})
        return {"messages": [("ai", f"So {colour}.")]}

    builder = StateGraph(MessagesState)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    chat = UIChat(create_app(builder.compile()))
    asked = await chat.say("u1", "Paint")
    part = next(part for part in asked["parts"] if part["type"] == "tool-interrupt")
    assert part["input"] == {"value": {"question": "Which colour?"}}
    part |= {"state": "output-available", "output": "blue"}

    assert texts(await chat.send()) == "So blue."


async def test_interrupts_can_be_answered_by_their_ids_as_well() -> None:
    app = create_app(agent())
    await post(app, "/chat", {"id": "t1", "messages": [said("u1", "Please ask me")]})
    state = json.loads((await call(app, "GET", "/threads/t1/state")).body)
    resume = [{"interruptId": state["interrupts"][0]["id"], "status": "resolved", "payload": "red"}]

    answer = await post(app, "/chat", {"id": "t1", "messages": [said("u1", "x")], "resume": resume})

    assert "red" in texts(ui_message(answer))


async def test_an_answer_is_made_again_and_a_message_edited_by_their_ids() -> None:
    app = create_app(agent())
    chat = UIChat(app)
    await chat.say("u1", "One")
    await chat.say("u2", "Two")
    again = chat.messages.pop()

    made = await chat.send(trigger="regenerate-message", messageId=again["id"])
    assert texts(made) == "Echo 3: Two"
    assert len(await messages(app, "t1")) == 4

    chat.messages = [said("u1", "Other")]
    edited = await chat.send(messageId="u1")

    assert texts(edited) == "Echo 1: Other"
    shown = await messages(app, "t1")
    assert [texts(message) for message in shown] == ["Other", "Echo 1: Other"]


async def test_a_client_whose_server_has_lost_the_thread_goes_on() -> None:
    chat = UIChat(create_app(agent()))
    await chat.say("u1", "One")
    chat.app = create_app(agent())

    assert texts(await chat.say("u2", "Two")) == "Echo 1: Two"
    chat.messages.pop()
    chat.app = create_app(agent())
    made = await chat.send(trigger="regenerate-message", messageId="a1")
    assert texts(made) == "Echo 1: Two"


async def test_nothing_goes_on_in_an_idle_thread() -> None:
    app = create_app(agent())
    await post(app, "/chat", {"id": "t1", "messages": [said("u1", "Hi")]})

    answer = await call(app, "GET", "/chat/t1/stream", headers=[])

    assert (answer.status, answer.body) == (204, b"")


async def test_a_page_that_is_loaded_again_in_the_middle_reads_the_run_from_its_start() -> None:
    model = ScriptedChatModel(turns=[["One ", 0.3, "two ", 0.3, "three."]])
    app = create_app(create_agent(model, []))
    body = {"id": "t1", "messages": [said("u1", "Count")]}
    first = asyncio.create_task(post(app, "/chat", body))
    await asyncio.sleep(0.2)

    again = await call(app, "GET", "/chat/t1/stream", headers=[])

    assert again.status == 200
    assert again.headers[b"x-vercel-ai-ui-message-stream"] == b"v1"
    assert again.body == (await first).body
    assert texts(ui_message(again)) == "One two three."


@pytest.mark.parametrize("version", ["5", "6", "7"])
async def test_each_version_of_the_ai_sdk_can_be_served(version: str) -> None:
    app = create_app(agent())
    body = json.dumps({"id": "t1", "messages": [said("u1", "weather")]}).encode()

    answer = await call(app, "POST", "/chat", body, query=f"version={version}")

    assert ask(f"ai{version}", answer.body)["error"] is None


# -- AG-UI ----------------------------------------------------------------------------------------


def ag_ui(*history: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"threadId": "t1", "runId": "r1", "messages": list(history), **more}


HI: dict[str, Any] = {"id": "u1", "role": "user", "content": "Send a mail"}


@pytest.mark.parametrize("by_payload", [False, True])
async def test_an_interrupt_is_answered_by_resume(by_payload: bool) -> None:
    SENT.clear()
    app = create_app(agent())
    asked = ask("agui1", (await post(app, "/agui", ag_ui(HI))).body)
    (pending,) = asked["interrupts"]
    payload = {"type": "approve"} if by_payload else {"approved": True}
    answer = {"interruptId": pending["id"], "status": "resolved", "payload": payload}

    done = await post(app, "/agui", ag_ui(HI, resume=[answer]))

    read = ask("agui1", done.body)
    assert read["error"] is None
    assert SENT == ["ada"]
    results = [m["content"] for m in read["history"] if m["role"] == "tool"]
    assert results == ["Sent to ada"]
    assert read["history"][-1]["content"] == "The tool said: Sent to ada"


async def test_a_user_who_steers_away_cancels_the_question() -> None:
    SENT.clear()
    app = create_app(agent())
    asked = ask("agui1", (await post(app, "/agui", ag_ui(HI))).body)
    cancelled = {"interruptId": asked["interrupts"][0]["id"], "status": "cancelled"}
    other = {"id": "u2", "role": "user", "content": "Never mind"}

    done = await post(app, "/agui", ag_ui(HI, other, resume=[cancelled]))

    assert ask("agui1", done.body)["history"][-1]["content"].endswith("Never mind")
    assert SENT == []


async def test_copilotkits_older_answer_is_taken() -> None:
    app = create_app(agent())
    question = {**HI, "content": "Please ask me"}
    await post(app, "/agui", ag_ui(question))

    done = await post(app, "/agui", ag_ui(question, forwardedProps={"command": {"resume": "red"}}))

    assert ask("agui1", done.body)["history"][-1]["content"].endswith("red")


# -- The front end's tools ------------------------------------------------------------------------


COLOR: Any = {"pick_color": {"description": "Pick.", "parameters": {"type": "object"}}}


def result(call_id: str, value: Any) -> dict[str, Any]:
    command = {"type": "add-tool-result", "toolCallId": call_id, "toolName": "pick_color"}
    return {**command, "result": value, "isError": False}


@pytest.mark.parametrize("is_error", [False, True])
async def test_a_result_of_the_front_end_is_the_one_message_of_its_call(is_error: bool) -> None:
    saver = InMemorySaver()
    graph = agent(checkpointer=saver)
    app = create_app(graph)
    said_colour = {"role": "user", "parts": [{"type": "text", "text": "Which colour?"}]}
    first = {"commands": [{"type": "add-message", "message": said_colour}], "threadId": "t1"}
    asked = decode((await post(app, "/assistant", {**first, "tools": COLOR})).body).checked()
    assert not asked.state.get("interrupts")
    (waiting,) = asked.state["messages"][-1]["tool_calls"]

    told = {**result(waiting["id"], "blue"), "isError": is_error}
    body = {"commands": [told], "threadId": "t1", "tools": COLOR, "state": asked.state}
    await post(app, "/assistant", body)

    thread: Any = graph.get_state({"configurable": {"thread_id": "t1"}}).values["messages"]
    (answer,) = [message for message in thread if isinstance(message, ToolMessage)]
    assert (answer.content, answer.tool_call_id) == ("blue", waiting["id"])
    assert answer.status == ("error" if is_error else "success")
    assert thread[-1].text == "The tool said: blue"


async def test_a_graph_of_ones_own_uses_the_front_ends_tools() -> None:
    graph, model = own_graph()
    app = create_app(graph)
    first = {"messages": [{"role": "user", "content": "Hi"}], "threadId": "t1", "tools": COLOR}
    asked = decode((await post(app, "/chat", first)).body).checked()
    assert [tool["function"]["name"] for tool in model.tools] == ["pick_color"]
    assert asked.parts[0]["toolName"] == "pick_color"
    told = {
        "type": "tool-result",
        "toolCallId": "c1",
        "toolName": "pick_color",
        "output": {"type": "json", "value": {"colour": "blue"}},
    }

    done = await post(app, "/chat", {**first, "messages": [{"role": "tool", "content": [told]}]})

    assert decode(done.body).checked().text == 'I see {"colour":"blue"}'


def own_graph() -> tuple[Graph, Any]:
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import RunnableConfig
    from langgraph.prebuilt import ToolNode, tools_condition

    from assistant_stream_langgraph.frontend_tools import (
        awrap_frontend_call,
        frontend_tools,
        wrap_frontend_call,
    )

    call_it = AIMessage("", tool_calls=[{"id": "c1", "name": "pick_color", "args": {}}])
    model = ScriptedChatModel(turns=[call_it, lambda history: f"I see {history[-1].text}"])

    async def think(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        bound = model.bind_tools(frontend_tools(config))
        return {"messages": [await bound.ainvoke(state["messages"], config)]}

    builder = StateGraph(MessagesState)
    builder.add_node("think", think)
    builder.add_node(
        "tools",
        ToolNode([], wrap_tool_call=wrap_frontend_call, awrap_tool_call=awrap_frontend_call),
    )
    builder.add_edge(START, "think")
    builder.add_conditional_edges("think", tools_condition)
    builder.add_edge("tools", "think")
    graph: Graph = builder.compile()
    return graph, model


async def test_a_client_that_says_something_else_leaves_its_call_answered() -> None:
    app = create_app(agent())
    body = {"messages": [{"role": "user", "content": "Which colour?"}], "threadId": "t1"}
    await post(app, "/chat", {**body, "tools": COLOR})

    done = await post(
        app, "/chat", {"messages": [{"role": "user", "content": "Skip it"}], "threadId": "t1"}
    )

    assert decode(done.body).checked().text == "Echo 4: Skip it"
