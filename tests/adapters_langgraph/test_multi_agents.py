"""Agents that hand over to each other, by `langgraph-supervisor` and `langgraph-swarm`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from langgraph_supervisor import create_forward_message_tool, create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm

from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langgraph.graphs import human, weather
from tests.adapters_langgraph.random_stage import Spoken
from tests.adapters_langgraph.runs import FORMS, Graph, play
from tests.adapters_langgraph.zoo import CONFIG, Zoo, agent, calls, forms, results, text_of

pytestmark = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")


@tool
def book(city: str) -> str:
    """Book a trip; a person is asked."""
    return f"{interrupt(f'To {city}?')}: {city}"


def worker(name: str, *turns: Any, tools: Sequence[Any] = ()) -> Graph:
    graph: Graph = create_agent(ScriptedChatModel(turns=turns), [weather, book, *tools], name=name)
    return graph


def supervised(agents: Sequence[Graph], *turns: Any, **options: Any) -> Graph:
    builder = create_supervisor([*agents], model=ScriptedChatModel(turns=turns), **options)
    return builder.compile(checkpointer=InMemorySaver())


def swarm(*agents: Graph) -> Graph:
    builder = create_swarm([*agents], default_active_agent=str(agents[0].name))
    return builder.compile(checkpointer=InMemorySaver())


def aside(text: str, *made: Any) -> Spoken:
    """What an agent says that its graph does not give to the graph around it."""
    message = AIMessage(text)
    for piece in made:
        message.tool_calls += piece.tool_calls
    return Spoken(message, kept=False, depth=1)


ROME = calls("weather", "w1", city="Rome")
TO_POET = calls("transfer_to_poet", "h1")
LEFT = "The run went on without this call."
BACK = "Transferring back to supervisor"


@forms
@pytest.mark.parametrize("output_mode", ["last_message", "full_history"])
async def test_a_supervisor_hands_over_and_goes_on(form: str, output_mode: Any) -> None:
    poet = worker("poet", ["I look. ", *ROME], "Roses. ", "Violets. ")
    turns = [["A poem? ", *TO_POET], "Here. ", calls("transfer_to_poet", "h2"), "Again."]
    zoo = Zoo(supervised([poet], *turns, output_mode=output_mode), form)
    kept = output_mode == "full_history"
    run = await zoo.say(spoken=[] if kept else [aside("I look. ", *ROME)])
    assert text_of(run) == f"A poem? I look. Roses. {BACK}Here. "
    assert results(run)["h1"] == "Successfully transferred to poet"
    assert results(run)["w1"] == "sunny in Rome"
    run = await zoo.say("more")
    assert text_of(run) == f"Violets. {BACK}Again."


@forms
async def test_a_supervisor_forwards_what_an_agent_has_said(form: str) -> None:
    poet = worker("poet", "Roses. ")
    forward = calls("forward_message", "f1", from_agent="poet")
    zoo = Zoo(
        supervised([poet], TO_POET, forward, tools=[create_forward_message_tool("supervisor")]),
        form,
    )
    run = await zoo.say(spoken=[aside("", *forward)])
    assert text_of(run) == f"Roses. {BACK}Roses. "


@forms
async def test_a_supervisor_hands_over_to_two_at_once(form: str) -> None:
    poet, cook = worker("poet", "Roses. "), worker("cook", "Soup. ")
    both = [*TO_POET, *calls("transfer_to_cook", "h2")]
    both[1].tool_call_chunks[0]["index"] = 1
    zoo = Zoo(supervised([poet, cook], ["Both! ", *both], "Done."), form)
    run = await zoo.say(spoken=[aside("Both! ", *both)])
    assert LEFT in {results(run)["h1"], results(run)["h2"]}
    assert run.finish
    assert run.finish["finishReason"] == "stop"


@forms
async def test_a_handoff_that_no_message_tells_of_leaves_nobody_waiting(form: str) -> None:
    poet = worker("poet", "Roses. ")
    zoo = Zoo(supervised([poet], ["A poem? ", *TO_POET], "Here.", add_handoff_messages=False), form)
    run = await zoo.say(spoken=[aside("A poem? ", *TO_POET)])
    assert text_of(run) == "A poem? Roses. Here."
    assert results(run) == {"h1": LEFT}


@forms
@pytest.mark.parametrize("output_mode", ["last_message", "full_history"])
async def test_a_person_is_asked_in_an_agent_of_a_supervisor(form: str, output_mode: Any) -> None:
    asks = calls("book", "b1", city="Rome")
    clerk = worker("clerk", ["Shall I? ", *asks], "Booked. ")
    turns = [["To the clerk. ", *calls("transfer_to_clerk", "h1")], "Bye."]
    zoo = Zoo(supervised([clerk], *turns, output_mode=output_mode), form)
    run = await zoo.say()
    assert text_of(run) == "To the clerk. Shall I? "
    [waiting] = run.interrupts
    run = await zoo.say(Command(resume={waiting.id: "Yes"}))
    assert text_of(run) == f"Booked. {BACK}Bye."


def hosts() -> Graph:
    """Two that hand over to each other."""
    to_bob = create_handoff_tool(agent_name="bob")
    to_alice = create_handoff_tool(agent_name="alice")
    alice = worker(
        "alice",
        ["Ask Bob. ", *calls("transfer_to_bob", "h1")],
        "Alice again. ",
        ["To Bob. ", *calls("transfer_to_bob", "h3")],
        tools=[to_bob],
    )
    bob = worker(
        "bob",
        ["I look. ", *ROME],
        ["Back. ", *calls("transfer_to_alice", "h2")],
        ["Shall I? ", *calls("book", "b1", city="Rome")],
        "Booked.",
        "Still Bob.",
        tools=[to_alice],
    )
    return swarm(alice, bob)


@forms
async def test_a_swarm_hands_over_and_back_and_remembers_who_speaks(form: str) -> None:
    zoo = Zoo(hosts(), form, "active_agent")
    run = await zoo.say()
    assert text_of(run) == "Ask Bob. I look. Back. Alice again. "
    assert {*results(run)} == {"h1", "h2", "w1"}
    assert run.state["active_agent"] == "alice"
    run = await zoo.say("book")
    assert text_of(run) == "To Bob. Shall I? "
    assert run.state["active_agent"] == "bob"
    [waiting] = run.interrupts
    run = await zoo.say(Command(resume={waiting.id: "Yes"}))
    assert text_of(run) == "Booked."
    run = await zoo.say("who?")
    assert text_of(run) == "Still Bob."


@forms
async def test_a_swarm_may_be_asked_to_go_two_ways(form: str) -> None:
    """Only one is gone, and nobody waits for the other."""
    tools = [create_handoff_tool(agent_name=name) for name in ("bob", "carol")]
    both = [*calls("transfer_to_bob", "h1"), *calls("transfer_to_carol", "h2")]
    both[1].tool_call_chunks[0]["index"] = 1
    alice = worker("alice", ["Both! ", *both], tools=tools)
    zoo = Zoo(swarm(alice, worker("bob", "Bob. "), worker("carol", "Carol. ")), form)
    run = await zoo.say()
    assert {*results(run)} == {"h1", "h2"}
    assert LEFT in results(run).values()
    assert run.finish
    assert run.finish["finishReason"] == "stop"


@pytest.mark.parametrize("form", ["events v1", "messages and updates"])
async def test_without_the_state_a_call_that_is_left_waits(form: str) -> None:
    graph = supervised([worker("poet", "Roses. ")], TO_POET, "Here.", add_handoff_messages=False)
    run = await play(FORMS[form](graph, human("hello"), CONFIG))
    assert not run.parts.calls["h1"].answered


@forms
async def test_a_supervisor_may_have_a_supervisor(form: str) -> None:
    poet = worker("poet", "Roses. ")
    turns = [["Poet! ", *TO_POET], "Fine. "]
    builder = create_supervisor(
        [poet],
        model=ScriptedChatModel(turns=turns),
        supervisor_name="head",
        output_mode="full_history",
    )
    team = builder.compile(name="team")
    turns = [["Team! ", *calls("transfer_to_team", "h2")], "Done."]
    run = await Zoo(supervised([team], *turns, output_mode="full_history"), form).say()
    told = f"Team! Poet! Roses. {BACK.replace('supervisor', 'head')}Fine. {BACK}Done."
    assert text_of(run) == told


def pair() -> Any:
    """A swarm inside of something else."""
    alice = worker(
        "alice",
        ["Ask Bob. ", *calls("transfer_to_bob", "h1")],
        tools=[create_handoff_tool(agent_name="bob")],
    )
    bob = worker("bob", ["I look. ", *ROME], "Bob. ")
    return create_swarm([alice, bob], default_active_agent="alice").compile()


@forms
async def test_a_swarm_may_be_a_node(form: str) -> None:
    close = create_agent(ScriptedChatModel(turns=["Closing."]))
    builder = StateGraph(MessagesState).add_node("pair", pair()).add_node("close", close)
    builder.add_edge(START, "pair").add_edge("pair", "close")
    run = await Zoo(builder.compile(checkpointer=InMemorySaver()), form).say()
    assert text_of(run) == "Ask Bob. I look. Bob. Closing."


@forms
async def test_a_swarm_may_be_a_tool(form: str) -> None:
    inner = pair()

    @tool
    async def team(topic: str) -> str:
        """Ask the team."""
        return str((await inner.ainvoke({"messages": [HumanMessage(topic)]}))["messages"][-1].text)

    said = [aside("Ask Bob. ", *calls("transfer_to_bob", "h1")), aside("I look. ", *ROME)]
    spoken = [
        replace(each, parent_id="t1", agent=True, depth=2) for each in (*said, aside("Bob. "))
    ]
    turns = [["Team. ", *calls("team", "t1", topic="bees")], "Done."]
    run = await Zoo(agent(turns, [team]), form).say(spoken=spoken)
    assert text_of(run) == "Team. Done."
    assert results(run)["t1"] == "Bob. "
    assert results(run)["h1"] == "Successfully transferred to bob"
