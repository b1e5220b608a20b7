"""Answers to interrupts of every shape, through the thread that waits: fit, refused, none lost."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Interrupt, interrupt

from assistant_stream_ce import RequestError
from assistant_stream_ce.server import TextPart, ToolResult, UserMessage
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph._questions import open_questions
from assistant_stream_langgraph._turn import plan_turn
from assistant_stream_langgraph._turn_request import TurnRequest
from assistant_stream_langgraph.answers import (
    Approve,
    Edit,
    InterruptAnswer,
    Reject,
    Respond,
    collect_answers,
)
from assistant_stream_langgraph.threads import Graph
from tests.app.serving import calls

THREAD: RunnableConfig = {"configurable": {"thread_id": "t1"}}


@tool
async def book(city: str) -> str:
    """Book a trip."""
    return f"booked {city}"


@tool
async def mail(to: str) -> str:
    """Write a mail."""
    return f"mailed {to}"


@tool
def ask(question: str) -> str:
    """Ask the user."""
    return f"The user says: {interrupt(question)}"


BOTH = calls(("book", "c1", ['{"city":"Rome"}']), ("mail", "c2", ['{"to":"Ann"}']))


def agent(turns: list[Any], *tools: Any, **options: Any) -> Graph:
    options.setdefault("checkpointer", InMemorySaver())
    graph: Graph = create_agent(ScriptedChatModel(turns=turns), list(tools), **options)
    return graph


def gated(turns: list[Any] | None = None, mode: Any = "batched", **rules: Any) -> Graph:
    gate = HumanInTheLoopMiddleware(
        interrupt_on=rules or {"book": True, "mail": True}, interrupt_mode=mode
    )
    return agent(turns or [BOTH, "Done."], book, mail, middleware=[gate])


async def start(graph: Graph) -> list[Any]:
    """Run until the graph waits; what a client is shown of that."""
    await graph.ainvoke({"messages": [("user", "Go")]}, THREAD)
    snapshot = await graph.aget_state(THREAD)
    return (await open_questions(graph, THREAD, snapshot)).to_json()


async def answer(graph: Graph, *answers: InterruptAnswer, **asked: Any) -> list[BaseMessage]:
    """Answer as a request does, and run on; the thread's messages then."""
    turn = await plan_turn(graph, THREAD, TurnRequest(answers=answers, **asked))
    await graph.ainvoke(turn.input, turn.config)
    messages: list[BaseMessage] = (await graph.aget_state(THREAD)).values["messages"]
    assert len({message.id for message in messages}) == len(messages)
    return messages


async def refused(graph: Graph, *answers: InterruptAnswer, **asked: Any) -> RequestError:
    """Answer; nothing may have changed."""
    before = await graph.aget_state(THREAD)
    with pytest.raises(RequestError) as caught:
        await plan_turn(graph, THREAD, TurnRequest(answers=answers, **asked))
    after = await graph.aget_state(THREAD)
    assert after.config == before.config
    assert after.interrupts == before.interrupts
    return caught.value


def results(messages: list[BaseMessage]) -> dict[str, str]:
    return {m.tool_call_id: str(m.content) for m in messages if m.type == "tool"}  # type: ignore[attr-defined]


# -- The human-in-the-loop middleware ----------------------------------------------------------


async def test_the_actions_of_a_batch_name_their_calls() -> None:
    [shown] = await start(gated())

    assert shown["actions"] == [
        {
            "id": f"{shown['id']}:0",
            "tool_call_id": "c1",
            "name": "book",
            "allowed_decisions": ["approve", "edit", "reject", "respond"],
        },
        {
            "id": f"{shown['id']}:1",
            "tool_call_id": "c2",
            "name": "mail",
            "allowed_decisions": ["approve", "edit", "reject", "respond"],
        },
    ]


async def test_calls_with_the_same_name_and_arguments_are_told_apart_by_their_order() -> None:
    twice = calls(("book", "c1", ['{"city":"Rome"}']), ("book", "c2", ['{"city":"Rome"}']))
    graph = gated([twice, "Done."])
    [shown] = await start(graph)
    assert [action["tool_call_id"] for action in shown["actions"]] == ["c1", "c2"]

    messages = await answer(
        graph,
        InterruptAnswer(Reject("Not twice."), tool_call_id="c2"),
        InterruptAnswer(Approve(), tool_call_id="c1"),
    )

    assert results(messages)["c1"] == "booked Rome"
    assert "Not twice." in results(messages)["c2"]


@pytest.mark.parametrize("mode", ["batched", "per_call"])
@pytest.mark.parametrize(
    ("decision", "result"),
    [
        (Approve(), "booked Rome"),
        (Reject("Too far."), "Too far."),
        (Reject(), "User rejected the tool call"),
        (Respond("Booked it myself."), "Booked it myself."),
        (Edit({"city": "Oslo"}), "booked Oslo"),
        ({"type": "approve"}, "booked Rome"),
        ({"type": "reject", "message": "No."}, "No."),
        ({"type": "respond", "message": "Mine."}, "Mine."),
        ({"type": "edit", "edited_action": {"name": "book", "args": {"city": "X"}}}, "booked X"),
        ({"approved": True}, "booked Rome"),
        ({"approved": False, "reason": "Too dear."}, "Too dear."),
        (True, "booked Rome"),
        (False, "User rejected the tool call"),
    ],
)
async def test_every_decision_in_every_form(mode: str, decision: Any, result: str) -> None:
    rules = {"book": {"allowed_decisions": ["approve", "edit", "reject", "respond"]}}
    graph = gated([calls(("book", "c1", ['{"city":"Rome"}'])), "Done."], mode, **rules)
    [shown] = await start(graph)

    messages = await answer(graph, InterruptAnswer(decision, interrupt_id=shown["id"]))

    assert result in results(messages)["c1"]
    assert messages[-1].content == "Done."
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]


@pytest.mark.parametrize("named", ["tool_call_id", "action", "decisions", "value"])
async def test_the_ways_to_name_what_is_decided(named: str) -> None:
    graph = gated()
    [shown] = await start(graph)
    approve, reject = {"type": "approve"}, {"type": "reject", "message": "No mail."}
    first, second = (action["id"] for action in shown["actions"])
    answers = {
        "tool_call_id": [
            InterruptAnswer(reject, tool_call_id="c2"),
            InterruptAnswer(approve, tool_call_id="c1", interrupt_id=shown["id"]),
        ],
        "action": [InterruptAnswer(reject, second), InterruptAnswer(approve, first)],
        "decisions": [InterruptAnswer({"decisions": [approve, reject]}, shown["id"])],
        "value": [InterruptAnswer([Approve(), Reject("No mail.")])],  # type: ignore[arg-type]
    }[named]

    messages = await answer(graph, *answers)

    assert results(messages)["c1"] == "booked Rome"
    assert "No mail." in results(messages)["c2"]


async def test_results_of_tools_that_wait_for_an_approval_are_decisions() -> None:
    graph = gated()
    await start(graph)

    messages = await answer(
        graph,
        results=[
            ToolResult("c1", "book", "I have a ticket."),
            ToolResult("c2", "mail", "No network.", is_error=True),
        ],
    )

    assert results(messages)["c1"] == "I have a ticket."
    assert "No network." in results(messages)["c2"]


async def test_an_answer_that_is_cancelled_rejects_all() -> None:
    graph = gated()
    [shown] = await start(graph)

    messages = await answer(graph, InterruptAnswer(None, shown["id"], cancelled=True))

    assert all("rejected" in result for result in results(messages).values())
    assert set(results(messages)) == {"c1", "c2"}


async def test_what_is_missing_of_a_batch_is_named() -> None:
    graph = gated()
    [shown] = await start(graph)

    error = await refused(graph, InterruptAnswer(Approve(), tool_call_id="c1"))
    several = await refused(graph, InterruptAnswer(Approve(), shown["id"]))
    too_many = await refused(graph, InterruptAnswer([True] * 3, shown["id"]))

    assert error.status_code == 409
    assert f"mail ('{shown['id']}:1')" in str(error)
    assert "several actions" in str(several)
    assert "needs 2 decisions, and 3 came" in str(too_many)


@pytest.mark.parametrize("mode", ["batched", "per_call"])
async def test_a_decision_that_is_not_allowed_is_refused(mode: str) -> None:
    rules = {"book": {"allowed_decisions": ["approve", "reject"]}}
    graph = gated([calls(("book", "c1", ['{"city":"Rome"}'])), "Done."], mode, **rules)
    [shown] = await start(graph)
    assert shown["actions"][0]["allowed_decisions"] == ["approve", "reject"]

    error = await refused(graph, InterruptAnswer(Edit({"city": "Oslo"}), shown["id"]))

    assert error.status_code == 409
    assert "takes 'approve' or 'reject', not 'edit'" in str(error)
    assert results(await answer(graph, InterruptAnswer(Approve())))["c1"] == "booked Rome"


@pytest.mark.parametrize(
    "value",
    [
        "yes",
        None,
        {},
        {"type": "maybe"},
        {"type": "respond"},
        {"type": "respond", "message": 1},
        {"type": "edit"},
        {"type": "edit", "edited_action": {"args": [1]}},
        {"type": "edit", "edited_action": {"args": {}, "name": 1}},
        {"decisions": ["yes", "no"]},
    ],
)
async def test_a_decision_of_no_known_form_is_refused(value: Any) -> None:
    graph = gated([calls(("book", "c1", ['{"city":"Rome"}'])), "Done."])
    [shown] = await start(graph)

    assert (await refused(graph, InterruptAnswer(value, shown["id"]))).status_code in (400, 409)


async def test_calls_that_are_asked_about_one_by_one_can_be_answered_one_by_one() -> None:
    graph = gated(mode="per_call")
    first, second = await start(graph)
    assert [item["actions"][0]["tool_call_id"] for item in (first, second)] == ["c1", "c2"]

    await answer(graph, InterruptAnswer(Approve(), tool_call_id="c2"))
    messages = await answer(graph, InterruptAnswer(Edit({"city": "Oslo"}), first["id"]))

    assert results(messages)["c2"] == "mailed Ann"
    assert "booked Oslo" in results(messages)["c1"]


# -- Interrupts of the application's own ---------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        (InterruptAnswer({"x": [1]}), {"x": [1]}),
        (InterruptAnswer(None), None),
        (InterruptAnswer("denied", is_error=True), {"error": "denied"}),
        (InterruptAnswer(None, cancelled=True), {"cancelled": True}),
        (InterruptAnswer(Approve()), {"approved": True}),
        (InterruptAnswer(Reject("no")), {"approved": False, "reason": "no"}),
        (InterruptAnswer(Reject()), {"approved": False}),
        (InterruptAnswer(Respond("text")), "text"),
        (
            InterruptAnswer(Edit({"a": 1}, "b")),
            {"type": "edit", "edited_action": {"name": "b", "args": {"a": 1}}},
        ),
    ],
)
async def test_a_plain_interrupt_returns_the_answer(given: InterruptAnswer, returned: Any) -> None:
    graph = agent([calls(("ask", "c1", ['{"question":"Sure?"}'])), "Fine."], ask)
    await start(graph)

    messages = await answer(graph, given)

    assert results(messages) == {"c1": f"The user says: {returned}"}


async def test_interrupts_in_parallel_tools_know_their_calls() -> None:
    asking = calls(("ask", "c1", ['{"question":"A?"}']), ("ask", "c2", ['{"question":"B?"}']))
    graph = agent([asking, "Fine."], ask)
    shown = await start(graph)
    assert [(item["value"], item["tool_call_id"]) for item in shown] == [("A?", "c1"), ("B?", "c2")]

    messages = await answer(
        graph, results=[ToolResult("c2", "ask", "b"), ToolResult("c1", "ask", "a")]
    )

    assert results(messages) == {"c1": "The user says: a", "c2": "The user says: b"}


async def test_a_tool_that_asks_twice() -> None:
    @tool
    def ask_twice(question: str) -> str:
        """Ask the user twice."""
        return f"{interrupt('First?')} {interrupt('Second?')}"

    graph = agent([calls(("ask_twice", "c1", ['{"question":""}'])), "Fine."], ask_twice)
    [first] = await start(graph)
    await answer(graph, InterruptAnswer(1, first["id"]))
    snapshot = await graph.aget_state(THREAD)
    [second] = (await open_questions(graph, THREAD, snapshot)).to_json()
    assert isinstance(second, dict)
    assert (second["value"], second["tool_call_id"]) == ("Second?", "c1")

    again = await refused(graph, InterruptAnswer(1, first["id"]))
    messages = await answer(graph, InterruptAnswer(2, str(second["id"])))

    assert again.status_code == 409
    assert results(messages) == {"c1": "1 2"}


async def test_interrupts_of_parallel_nodes_and_of_a_subgraph() -> None:
    def asks(name: str) -> Any:
        def node(state: MessagesState) -> dict[str, Any]:
            return {"messages": [("ai", f"{name} {interrupt(name)}")]}

        return node

    inner = StateGraph(MessagesState)
    inner.add_node("deep", asks("deep"))
    inner.add_edge(START, "deep")
    builder = StateGraph(MessagesState)
    for name in ("left", "right"):
        builder.add_node(name, asks(name))
        builder.add_edge(START, name)
        builder.add_edge(name, END)
    builder.add_node("sub", inner.compile())
    builder.add_edge(START, "sub")
    graph = builder.compile(checkpointer=InMemorySaver())
    ids = {item["value"]: item["id"] for item in await start(graph)}
    assert set(ids) == {"left", "right", "deep"}

    await answer(graph, InterruptAnswer("r", ids["right"]))
    messages = await answer(
        graph, InterruptAnswer("d", ids["deep"]), InterruptAnswer("l", ids["left"])
    )

    assert sorted(str(m.content) for m in messages if m.type == "ai") == [
        "deep d",
        "left l",
        "right r",
    ]


async def test_approvals_in_a_subgraph_name_the_subgraphs_calls() -> None:
    builder = StateGraph(MessagesState)
    gate = HumanInTheLoopMiddleware(interrupt_on={"book": True, "mail": True})
    builder.add_node(
        "sub", agent([BOTH, "Done."], book, mail, middleware=[gate], checkpointer=None)
    )
    builder.add_edge(START, "sub")
    graph = builder.compile(checkpointer=InMemorySaver())
    [shown] = await start(graph)
    assert [action["tool_call_id"] for action in shown["actions"]] == ["c1", "c2"]

    messages = await answer(
        graph,
        InterruptAnswer(Reject("No."), tool_call_id="c2"),
        results=[ToolResult("c1", "book", "Done by hand.")],
    )

    assert results(messages)["c1"] == "Done by hand."
    assert [message.type for message in messages] == ["human", "ai", "tool", "tool", "ai"]


# -- What fits nothing ---------------------------------------------------------------------------


async def test_answers_that_fit_nothing_are_refused_and_change_nothing() -> None:
    graph = agent([calls(("ask", "c1", ['{"question":"Sure?"}'])), "Fine."], ask)
    [shown] = await start(graph)
    one = InterruptAnswer(1, shown["id"])

    errors = [
        await refused(graph, replace(one, interrupt_id="nope")),
        await refused(graph, one, one),
        await refused(graph, InterruptAnswer(1, tool_call_id="c9"), one),
        await refused(graph, results=[ToolResult("c9", "ask", 1)]),
        await refused(graph, one, said=[UserMessage([TextPart("And this")])]),
    ]
    messages = await answer(graph, one)
    late = await refused(graph, one)

    assert [error.status_code for error in [*errors, late]] == [409] * 6
    assert "Nothing in this thread waits" in str(late)
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]


async def test_two_answers_at_once_are_one_answer() -> None:
    """The thread is held between the plan of a turn and its end, so the second one comes late."""
    graph = agent([calls(("ask", "c1", ['{"question":"Sure?"}'])), "Fine."], ask)
    [shown] = await start(graph)
    lock = asyncio.Lock()

    async def tab(value: int) -> list[BaseMessage]:
        async with lock:
            return await answer(graph, InterruptAnswer(value, shown["id"]))

    first, second = await asyncio.gather(tab(1), tab(2), return_exceptions=True)

    assert isinstance(first, list)
    assert isinstance(second, RequestError)
    assert results(first) == {"c1": "The user says: 1"}


def test_interrupts_with_one_id_are_answered_together_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    waiting = [Interrupt("A?", id="same"), Interrupt("B?", id="same")]

    with caplog.at_level(logging.WARNING):
        given = collect_answers(waiting, [InterruptAnswer(1, "same")])

    assert given == {"same": 1}
    assert "same id same" in caplog.text


def test_only_one_that_waits_needs_no_name() -> None:
    waiting = [Interrupt("A?", id="a"), Interrupt("B?", id="b")]

    with pytest.raises(RequestError, match="Several interrupts wait"):
        collect_answers(waiting, [InterruptAnswer(1)])

    assert collect_answers(waiting[:1], [InterruptAnswer(1)]) == {"a": 1}
