"""Group D of the field reports: interrupts, and people in the loop."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt

from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph.app import create_app
from assistant_stream_langgraph.middleware import FrontendTools
from tests.adapters_langchain.shown import calls, kinds, results
from tests.adapters_langgraph.runs import Graph, call, values_of
from tests.app.serving import Chat, serving
from tests.npm import Protocol
from tests.npm import ask as ask_client

from .screen import FOUR_FORMS, THREAD, agent, see_form, see_states


@tool
def book(city: str) -> str:
    """Book a trip, if the user agrees."""
    return f"booked {city}: {interrupt({'question': f'Book {city}?'})}"


def asking(*cities: str) -> list[Any]:
    """A turn of calls that go out together."""
    return [
        call("book", f'{{"city": "{city}"}}', f"call_{city}", index)
        for index, city in enumerate(cities)
    ]


@pytest.mark.parametrize("protocol", ["data-stream", "assistant-transport"])
async def test_d22_an_interrupt_shows_and_its_answer_goes_on_from_there(protocol: Protocol) -> None:
    """assistant-ui #1842, #1899, #2974, agent-chat-ui #95, #64, #85: approving began it anew."""
    searched: list[str] = []

    @tool
    def search(query: str) -> str:
        """Search, which costs money."""
        searched.append(query)
        return "Rome"

    turns = [[call("search", '{"query": "trips"}', "s")], asking("Rome"), "Enjoy."]
    graph = agent(turns, [search, book])
    async with serving(create_app(graph)) as http:
        chat = Chat(http, protocol=protocol)
        await chat.ask("A trip, please.")
        [question] = chat.state["interrupts"]
        assert question["value"] == {"question": "Book Rome?"}
        assert (await chat.history())["interrupts"] == [question]

        await chat.send({"type": "resume", "id": question["id"], "value": "yes"})

        assert chat.state["interrupts"] == []
        assert [content for _, content in chat.shown()] == [
            "A trip, please.",
            "",
            "Rome",
            "",
            "booked Rome: yes",
            "Enjoy.",
        ]
        assert searched == ["trips"]


async def agui(http: httpx.AsyncClient, messages: list[Any], **body: Any) -> dict[str, Any]:
    """One run as AG-UI's own client has it: what it sends, and what it makes of the answer."""
    request = {"threadId": "t1", "runId": "r1", "messages": messages, "state": {}, "tools": []}
    response = await http.post("/agui", json={**request, "context": [], **body})
    assert response.status_code == 200, response.text
    answer = ask_client("agui1", response.content, history=messages)
    assert (answer["error"], answer["runError"]) == (None, None)
    return answer


async def test_d22_an_ag_ui_client_is_asked_and_answers_in_its_own_way() -> None:
    """assistant-ui #2974: with AG-UI the interrupt of a Python agent never showed."""
    graph = agent([asking("Rome"), "Enjoy."], [book])
    async with serving(create_app(graph)) as http:
        asked = await agui(http, [{"id": "u1", "role": "user", "content": "Go"}])
        [waiting] = (await graph.aget_state({"configurable": {"thread_id": "t1"}})).interrupts

        resume = [{"interruptId": waiting.id, "status": "resolved", "payload": "yes"}]
        done = await agui(http, asked["history"], resume=resume)

        told = [(m["role"], m.get("content")) for m in done["history"]]
        assert ("tool", "booked Rome: yes") in told
        assert told[-1] == ("assistant", "Enjoy.")
        assert sum(role == "user" for role, _ in told) == 1


def nested_asking() -> Graph:
    """An agent as a node, with a tool that asks."""
    inner: Graph = create_agent(
        ScriptedChatModel(turns=[["Shall I? ", *asking("Rome")], "Enjoy."]), [book]
    )
    builder = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_d23_an_interrupt_in_a_subgraph_shows_with_its_message_and_its_call(
    form: str,
) -> None:
    """assistant-ui #4563, #4569, CopilotKit #1900: its question, call and message went."""
    shown = await see_form(form, nested_asking())

    assert kinds(shown) == ["text", "tool-call", "data"]
    assert shown.text == "Shall I? "
    assert calls(shown) == [("call_Rome", "book", {"city": "Rome"})]
    [part] = [part for part in shown.parts if part["type"] == "data"]
    assert part["data"]["value"] == {"question": "Book Rome?"}
    assert [i["value"] for i in shown.state["interrupts"]] == [{"question": "Book Rome?"}]


@pytest.mark.parametrize("form", ["tuples", "v2", "events v3"])
async def test_d23_it_is_resolved_and_nothing_of_it_is_lost(form: str) -> None:
    """CopilotKit #2939: the interrupt of a subgraph could be answered, but was never over."""
    graph = nested_asking()
    paused = await see_states(graph, form=form)
    assert [i["value"] for i in paused[-1]["interrupts"]] == [{"question": "Book Rome?"}]

    answer = Command(resume="yes")
    states = await see_states(graph, answer, form=form, initial_state=paused[-1])

    assert states[-1] == {**await values_of(graph, THREAD), "interrupts": []}
    told = [message["content"] for message in states[-1]["messages"]]
    assert told[-2:] == ["booked Rome: yes", "Enjoy."] or form == "events v3"
    assert len(told) == 4


async def test_d24_all_interrupts_are_shown_and_each_is_answered_by_its_id() -> None:
    """ag-ui #1409, #2178: only the first task was looked at, and several answers were refused."""
    cities = ("Rome", "Oslo", "Bern")
    graph = agent([asking(*cities), "Enjoy."], [book])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Go")
        waiting = {i["value"]["question"][5:-1]: i["id"] for i in chat.state["interrupts"]}
        assert set(waiting) == set(cities)
        assert len(set(waiting.values())) == 3

        await chat.send({"type": "resume", "id": waiting["Oslo"], "value": "no"})
        left = {i["id"] for i in chat.state["interrupts"]}
        assert left == {waiting["Rome"], waiting["Bern"]}
        again = await chat.post({"type": "resume", "id": waiting["Oslo"], "value": "yes"})
        assert again.status_code == 409
        await chat.send(
            {"type": "resume", "id": waiting["Bern"], "value": "later"},
            {"type": "resume", "id": waiting["Rome"], "value": "yes"},
        )

        answers = {m["tool_call_id"]: m["content"] for m in chat.state["messages"][2:5]}
        assert answers == {
            "call_Rome": "booked Rome: yes",
            "call_Oslo": "booked Oslo: no",
            "call_Bern": "booked Bern: later",
        }
        assert chat.shown()[-1] == ("ai", "Enjoy.")


async def test_d24_two_tools_that_share_an_interrupt_id_are_warned_about_or_told_apart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """langgraph #6533, #6534: the tools of one node had one interrupt id, and one answer."""
    model = ScriptedChatModel(turns=[asking("Rome", "Oslo"), "Enjoy."])

    async def speak(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("speak", speak)
    builder.add_node("tools", ToolNode([book]))
    builder.add_edge(START, "speak").add_edge("tools", "speak")
    builder.add_conditional_edges("speak", tools_condition)
    async with serving(create_app(builder.compile())) as http:
        chat = Chat(http)
        await chat.ask("Go")
        rounds = 0
        while chat.state["interrupts"]:
            rounds += 1
            assert rounds < 4
            shown = chat.state["interrupts"]
            ids = dict.fromkeys(i["id"] for i in shown)
            if len(ids) < len(shown):
                assert "same id" in caplog.text
            await chat.send(*({"type": "resume", "id": i, "value": "yes"} for i in ids))

        told = [content for kind, content in chat.shown() if kind == "tool"]
        assert told == ["booked Rome: yes", "booked Oslo: yes"]
        assert chat.shown()[-1] == ("ai", "Enjoy.")


LOCATE: Any = {"type": "function", "function": {"name": "locate", "parameters": {}}}


@pytest.mark.parametrize("is_error", [False, True])
async def test_d25_a_frontend_tools_result_is_one_message_and_only_one(is_error: bool) -> None:
    """assistant-ui #4594, langgraphjs #1305: client tool and interrupt gave two tool messages."""
    turns = [[*asking("Rome"), call("locate", "{}", "here", 1)], "There you are."]
    graph = agent(turns, [book], middleware=[FrontendTools(LOCATE)])
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Where am I?")
        question = next(i for i in chat.state["interrupts"] if "question" in i["value"])

        await chat.send(
            {
                "type": "add-tool-result",
                "toolCallId": "here",
                "toolName": "locate",
                "result": "Oslo",
                "isError": is_error,
            },
            {"type": "resume", "id": question["id"], "value": "yes"},
        )

        answers = [m for m in chat.state["messages"] if m["type"] == "tool"]
        assert [(m["tool_call_id"], m["content"], m["status"]) for m in answers] == [
            ("call_Rome", "booked Rome: yes", "success"),
            ("here", "Oslo", "error" if is_error else "success"),
        ]
        assert chat.shown()[-1] == ("ai", "There you are.")
        twice = await chat.post(
            {
                "type": "add-tool-result",
                "toolCallId": "here",
                "toolName": "locate",
                "result": "Bern",
                "isError": False,
            }
        )
        assert twice.status_code == 409


ALL: Any = {"allowed_decisions": ["approve", "edit", "reject", "respond"]}

SENT: list[str] = []


@tool
def send(to: str) -> str:
    """Send a mail."""
    SENT.append(to)
    return f"sent to {to}"


def mailing(*people: str) -> tuple[Graph, ScriptedChatModel]:
    """An agent whose mails wait for somebody to decide about them."""
    SENT.clear()
    asked = [
        call("send", f'{{"to": "{name}"}}', f"mail_{name}", index)
        for index, name in enumerate(people)
    ]
    model = ScriptedChatModel(turns=[asked, "All settled."])
    middleware: Any = HumanInTheLoopMiddleware(interrupt_on={"send": ALL})
    graph: Graph = create_agent(
        model, [send], middleware=[middleware], checkpointer=InMemorySaver()
    )
    return graph, model


DECISIONS: dict[str, Any] = {
    "ann": {"type": "approve"},
    "bob": {"type": "edit", "edited_action": {"name": "send", "args": {"to": "bobby"}}},
    "cat": {"type": "reject", "message": "Not her."},
    "dan": {"type": "respond", "message": "I have told him myself."},
}


async def test_d26_each_call_has_its_own_decision_found_by_the_calls_id() -> None:
    """langchain #34261, #37095, langchainjs #10176: all calls of a turn had to be decided alike."""
    graph, model = mailing(*DECISIONS)
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Write to all.")
        [question] = chat.state["interrupts"]
        assert [action["tool_call_id"] for action in question["actions"]] == [
            f"mail_{name}" for name in DECISIONS
        ]

        commands = [
            {
                "type": "resume",
                "id": question["id"],
                "toolCallId": f"mail_{name}",
                "value": DECISIONS[name],
            }
            for name in reversed(DECISIONS)  # In any order.
        ]
        await chat.send(*commands)

        told = {m["tool_call_id"]: m for m in chat.state["messages"] if m["type"] == "tool"}
        assert sorted(SENT) == ["ann", "bobby"]  # they run side by side
        assert told["mail_ann"]["content"] == "sent to ann"
        assert told["mail_bob"]["content"].endswith("sent to bobby")
        assert "Not her." in told["mail_cat"]["content"]
        assert told["mail_cat"]["status"] == "error"
        assert told["mail_dan"]["content"] == "I have told him myself."
        assert told["mail_dan"]["status"] == "success"
        assert chat.shown()[-1] == ("ai", "All settled.")
        assert chat.state["interrupts"] == []
        assert len(model.calls) == 2


async def test_d26_a_call_that_was_edited_runs_once_and_is_not_asked_about_again() -> None:
    """langchain #33787: the model made the call again that the user had changed."""
    graph, model = mailing("bob")
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Write to Bob.")

        await chat.send({"type": "resume", "value": DECISIONS["bob"]})

        assert SENT == ["bobby"]
        assert chat.state["interrupts"] == []
        [told] = [m for m in chat.state["messages"] if m["type"] == "tool"]
        assert told["content"].endswith("sent to bobby")
        [asked] = [m["tool_calls"] for m in chat.state["messages"] if m.get("tool_calls")]
        assert [made["id"] for made in asked] == [told["tool_call_id"]] == ["mail_bob"]
        assert len(model.calls) == 2


async def test_d26_a_decision_that_is_not_allowed_is_refused_and_changes_nothing() -> None:
    """langchainjs #10176: a decision of the wrong kind ended the run instead of being refused."""
    graph, _ = mailing("ann", "bob")
    async with serving(create_app(graph)) as http:
        chat = Chat(http)
        await chat.ask("Write to both.")
        [question] = chat.state["interrupts"]
        before = await chat.history()

        for value in ({"type": "shrug"}, {"decisions": [{"type": "approve"}]}, {"type": "edit"}):
            refused = await chat.post({"type": "resume", "id": question["id"], "value": value})
            assert refused.status_code in (400, 409)

        assert await chat.history() == before
        await chat.send(
            {"type": "resume", "id": question["id"], "decisions": [{"type": "approve"}] * 2}
        )
        assert sorted(SENT) == ["ann", "bob"]  # they run side by side


@pytest.mark.parametrize("form", ["tuples", "v2", "events v2"])
async def test_d26_the_question_names_the_calls_that_it_is_about(form: str) -> None:
    """langchainjs #10176: a page could not tell which card an approval belonged to."""
    graph, _ = mailing("ann", "bob")

    shown = await see_form(form, graph)

    [part] = [part for part in shown.parts if part["type"] == "data"]
    assert [action["tool_call_id"] for action in part["data"]["actions"]] == [
        "mail_ann",
        "mail_bob",
    ]
    assert results(shown) == {}
    assert shown.status == {"type": "requires-action", "reason": "tool-calls"}
    answer = Command(resume={part["data"]["id"]: {"decisions": [DECISIONS["ann"]] * 2}})
    assert (await see_form(form, graph, answer)).text == "All settled."
    assert [name for name in SENT if name == "ann"] == ["ann"]
