"""Runs that pause for an answer, and the runs that go on from there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Interrupt, interrupt

from assistant_stream_ce import DataPartChunk, ToolCallBeginChunk
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph._questions import open_questions
from assistant_stream_langgraph.interrupts import interrupt_to_json
from tests.adapters_langgraph.graphs import Counted, human, weather
from tests.adapters_langgraph.runs import FORMS, Graph, call, play, values_of

CONFIG = {"configurable": {"thread_id": "1"}}
FORMS_WITH_INTERRUPTS = [name for name in FORMS if name != "messages"]
FORMS_WITH_VALUES = [
    "tuples",
    "tuples and tasks",
    "no subgraphs",
    "v2",
    "messages and values",
    "server parts",
    "remote tuples",
]


@tool
def book(city: str) -> str:
    """Book a trip."""
    answer = interrupt({"question": f"Book {city}?"})
    return f"booked {city}: {answer}"


def travel_agent() -> Graph:
    turn = ["Shall I? ", call("book", '{"city": "Rome"}', "call_1")]
    model = ScriptedChatModel(turns=[turn, "Have a nice trip."])
    return create_agent(model, tools=[book], checkpointer=InMemorySaver())


async def pending(graph: Graph, form: str) -> list[Any]:
    """What waits, as a stream of this form can know it: the call is in the tasks."""
    snapshot = await graph.aget_state(CONFIG)
    if "tasks" in form or form in ("edited", "events v1", "events v2"):
        return (await open_questions(graph, CONFIG, snapshot)).to_json()
    return [interrupt_to_json(item) for item in snapshot.interrupts]


@pytest.mark.parametrize("form", FORMS_WITH_INTERRUPTS)
async def test_an_interrupt_is_a_data_part_and_the_run_awaits_an_answer(form: str) -> None:
    graph = travel_agent()
    run = await play(FORMS[form](graph, human("go"), CONFIG))
    [shown] = await pending(graph, form)
    assert shown["value"] == {"question": "Book Rome?"}
    assert run.parts.data == [DataPartChunk("interrupt", shown, shown["id"])]
    assert run.parts.text == "Shall I? "
    assert not run.parts.calls["call_1"].answered
    assert run.parts.finish is not None
    assert run.parts.finish.finish_reason == "tool-calls"
    assert run.state == {"interrupts": [shown]}


@pytest.mark.parametrize("form", [*FORMS_WITH_VALUES, "events v3"])
async def test_interrupts_stand_in_the_state_until_they_are_answered(form: str) -> None:
    graph = travel_agent()
    paused = await play(FORMS[form](graph, human("go"), CONFIG), parts=False)
    assert paused.state == {
        **await values_of(graph, CONFIG),
        "interrupts": await pending(graph, form),
    }

    events = FORMS[form](graph, Command(resume="yes"), CONFIG)
    resumed = await play(events, parts=False, initial_state=paused.state)
    assert resumed.state == {**await values_of(graph, CONFIG), "interrupts": []}
    assert resumed.state["messages"][-2]["content"] == "booked Rome: yes"


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("form", FORMS_WITH_INTERRUPTS)
async def test_a_resumed_run_shows_only_what_is_new(form: str, told: bool) -> None:
    """The call stands in the answer before the pause; a client refuses a result for it here."""
    graph = travel_agent()
    await play(FORMS[form](graph, human("go"), CONFIG))
    shown = await values_of(graph, CONFIG) if told else None
    events = FORMS[form](graph, Command(resume="yes"), CONFIG)
    run = await play(events, initial_state=shown, state=False)
    assert run.parts.text == "Have a nice trip."
    if told or form not in ("updates", "messages and updates"):  # These do not tell what was.
        assert run.parts.calls == {}
    assert run.parts.data == []
    assert run.parts.finish is not None
    assert run.parts.finish.finish_reason == "stop"


async def test_an_answer_and_its_state_change_come_in_one_batch() -> None:
    """The client drops its optimistic messages at the first change of state."""
    graph = travel_agent()
    paused = await play(FORMS["tuples"](graph, human("go"), CONFIG), parts=False)
    events = FORMS["tuples"](graph, Command(resume="yes"), CONFIG)
    resumed = await play(events, parts=False, initial_state=paused.state)
    first = resumed.states[1]
    assert first["interrupts"] == []
    assert first["messages"] != paused.state["messages"]


async def test_a_thread_that_is_not_resumed_loses_its_interrupts_with_the_next_run() -> None:
    graph = travel_agent()
    paused = await play(FORMS["tuples"](graph, human("go"), CONFIG), parts=False)
    other = {"configurable": {"thread_id": "2"}}
    model = ScriptedChatModel(turns=["Never mind."])
    graph = create_agent(model, tools=[], checkpointer=InMemorySaver())
    events = FORMS["tuples"](graph, human("Something else"), other)
    run = await play(events, parts=False, initial_state=paused.state)
    assert run.state["interrupts"] == []


async def test_several_interrupts_are_all_shown_and_answered_one_by_one() -> None:
    def ask(name: str) -> Any:
        async def node(state: Counted) -> Any:
            await asyncio.sleep(0.002 if name == "b" else 0)
            return {"log": [f"{name}={interrupt(f'{name}?')}"]}

        return node

    builder = StateGraph(Counted)
    builder.add_node("a", ask("a"))
    builder.add_node("b", ask("b"))
    builder.add_edge(START, "a")
    builder.add_edge(START, "b")
    graph = builder.compile(checkpointer=InMemorySaver())

    paused = await play(FORMS["tuples"](graph, human("go"), CONFIG), parts=False)
    shown = paused.state["interrupts"]
    assert [item["value"] for item in shown] == ["a?", "b?"]

    answer = Command(resume={shown[0]["id"]: 1})
    events = FORMS["tuples"](graph, answer, CONFIG)
    halfway = await play(events, parts=False, initial_state=paused.state)
    assert [item["value"] for item in halfway.state["interrupts"]] == ["b?"]
    assert halfway.state == {
        **await values_of(graph, CONFIG),
        "interrupts": await pending(graph, "tuples"),
    }

    answer = Command(resume={shown[1]["id"]: 2})
    events = FORMS["tuples"](graph, answer, CONFIG)
    done = await play(events, parts=False, initial_state=halfway.state)
    assert done.state["log"] == ["a=1", "b=2"]
    assert done.state["interrupts"] == []


@pytest.mark.parametrize("form", FORMS_WITH_VALUES)
async def test_what_ran_beside_an_interrupt_is_kept_and_not_told_twice(form: str) -> None:
    """The messages of a node that finished are in the state although its step has not ended."""
    model = ScriptedChatModel(turns=["I am done already."], delay=0.001)

    async def speak(state: Counted) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])], "count": 5}

    async def ask(state: Counted) -> Any:
        return {"messages": [AIMessage(f"You said {interrupt('well?')}")], "count": 1}

    builder = StateGraph(Counted)
    builder.add_node("speak", speak)
    builder.add_node("ask", ask)
    builder.add_edge(START, "speak")
    builder.add_edge(START, "ask")

    graph = builder.compile(checkpointer=InMemorySaver())
    paused = await play(FORMS[form](graph, human("go"), CONFIG), parts=False)
    assert paused.state == {
        **await values_of(graph, CONFIG),
        "interrupts": await pending(graph, form),
    }
    assert paused.state["messages"][-1]["content"] == "I am done already."
    events = FORMS[form](graph, Command(resume="ok"), CONFIG)
    resumed = await play(events, parts=False, initial_state=paused.state)
    assert resumed.state == {**await values_of(graph, CONFIG), "interrupts": []}

    model._played = 0
    graph = builder.compile(checkpointer=InMemorySaver())
    shown = await play(FORMS[form](graph, human("go"), CONFIG), state=["messages"])
    assert shown.parts.text == "I am done already."
    events = FORMS[form](graph, Command(resume="ok"), CONFIG)
    again = await play(events, initial_state=shown.state)
    assert again.parts.text == "You said ok"


@pytest.mark.parametrize("form", ["tuples", "v2", "no subgraphs"])
async def test_an_interrupt_inside_a_subgraph_is_shown_once(form: str) -> None:
    inner = StateGraph(MessagesState)
    inner.add_node("ask", lambda state: {"messages": [AIMessage(f"Got {interrupt('inner?')}.")]})
    inner.add_edge(START, "ask")
    builder = StateGraph(MessagesState)
    builder.add_node("inner", inner.compile())
    builder.add_node("after", lambda state: {"messages": [AIMessage(" After.")]})
    builder.add_edge(START, "inner")
    builder.add_edge("inner", "after")
    graph = builder.compile(checkpointer=InMemorySaver())

    paused = await play(FORMS[form](graph, human("go"), CONFIG), parts=False)
    assert [item["value"] for item in paused.state["interrupts"]] == ["inner?"]
    run = await play(
        FORMS[form](graph, Command(resume="it"), CONFIG),
        initial_state=paused.state,
        state=["messages"],
    )
    assert run.parts.text == "Got it. After."
    assert run.state == {**await values_of(graph, CONFIG), "interrupts": []}


async def test_human_in_the_loop_middleware_pauses_with_its_request_and_goes_on() -> None:
    model = ScriptedChatModel(
        turns=[["Checking. ", call("weather", '{"city": "Oslo"}', "call_1")], "Sunny."]
    )
    middleware = HumanInTheLoopMiddleware(interrupt_on={"weather": True})
    graph = create_agent(
        model, tools=[weather], middleware=[middleware], checkpointer=InMemorySaver()
    )
    paused = await play(FORMS["tuples"](graph, human("go"), CONFIG))
    [part] = paused.parts.data
    assert part.data["value"]["action_requests"][0]["name"] == "weather"  # type: ignore[index,call-overload]
    answer = Command(resume={"decisions": [{"type": "approve"}]})
    shown = {"messages": [], "interrupts": [part.data]}
    run = await play(
        FORMS["tuples"](graph, answer, CONFIG), initial_state=shown, state=["messages"]
    )
    assert run.parts.text == "Sunny."
    assert run.state["messages"] == (await values_of(graph, CONFIG))["messages"]
    assert run.state["interrupts"] == []


async def test_an_unanswered_call_waits_for_the_client() -> None:
    """A frontend tool: the graph ends with the call, the client has the tool."""
    model = ScriptedChatModel(turns=[[call("pick_color", "{}", "call_1")]])

    async def ask(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    run = await play(FORMS["tuples"](builder.compile(), human("go"), None))
    assert [c.tool_name for c in run.chunks if isinstance(c, ToolCallBeginChunk)] == ["pick_color"]
    assert run.parts.finish is not None
    assert run.parts.finish.finish_reason == "tool-calls"


@pytest.mark.parametrize("form", FORMS_WITH_INTERRUPTS)
async def test_an_interrupt_outside_of_a_call_does_not_make_the_client_ask_again(form: str) -> None:
    """It does by itself when a message awaits calls and has none without a result."""
    builder = StateGraph(MessagesState)
    builder.add_node("ask", lambda state: {"messages": [AIMessage(f"Got {interrupt('well?')}.")]})
    builder.add_edge(START, "ask")
    graph = builder.compile(checkpointer=InMemorySaver())
    run = await play(FORMS[form](graph, human("go"), CONFIG))
    assert [part.name for part in run.parts.data] == ["interrupt"]
    assert run.parts.finish is not None
    assert run.parts.finish.finish_reason == "stop"


async def test_a_call_that_pauses_twice_is_no_call_of_the_second_answer() -> None:
    @tool
    def book_twice(city: str) -> str:
        """Book a trip."""
        return f"{interrupt('when?')} {interrupt('who?')}"

    turn = [call("book_twice", '{"city": "Rome"}', "call_1")]
    model = ScriptedChatModel(turns=[turn, "Done."])
    graph = create_agent(model, tools=[book_twice], checkpointer=InMemorySaver())
    first = await play(FORMS["tuples"](graph, human("go"), CONFIG))
    assert first.parts.finish is not None
    assert first.parts.finish.finish_reason == "tool-calls"
    second = await play(FORMS["tuples"](graph, Command(resume="now"), CONFIG))
    assert second.parts.calls == {}
    assert [part.data["value"] for part in second.parts.data] == ["who?"]  # type: ignore[index,call-overload]
    assert second.parts.finish is not None
    assert second.parts.finish.finish_reason == "stop"
    third = await play(FORMS["tuples"](graph, Command(resume="me"), CONFIG))
    assert third.parts.text == "Done."


async def test_the_interrupts_key_can_be_named_or_left_out() -> None:
    events = FORMS["tuples"](travel_agent(), human("go"), CONFIG)
    run = await play(events, parts=False, interrupts_key="waiting")
    assert [item["value"] for item in run.state["waiting"]] == [{"question": "Book Rome?"}]
    events = FORMS["tuples"](travel_agent(), human("go"), CONFIG)
    run = await play(events, parts=False, interrupts_key=None)
    assert set(run.state) == {"messages"}


def test_an_interrupt_without_json_form_is_shown_as_its_repr(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shown = interrupt_to_json(Interrupt(value={"f": print}, id="1"))
    assert shown == {"id": "1", "value": repr({"f": print})}
    assert "no JSON form" in caplog.text


def test_an_interrupt_shows_its_response_schema() -> None:
    schema = {"type": "boolean"}
    shown = interrupt_to_json(Interrupt(value=1, id="1", response_schema=schema))
    assert shown == {"id": "1", "value": 1, "response_schema": schema}
