"""What the hooks of middleware ask models, as guards and judges do, is not the agent's answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentState,
    after_agent,
)
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import create_react_agent
from pydantic import BaseModel

from assistant_stream_ce.testing import collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langchain.visibility import Rule, Visibility
from assistant_stream_langgraph import stream_graph
from tests.adapters_langchain.shown import call as call_with_handler
from tests.adapters_langchain.shown import show
from tests.adapters_langgraph.graphs import human, weather
from tests.adapters_langgraph.random_stage import Spoken
from tests.adapters_langgraph.runs import FORMS, play
from tests.adapters_langgraph.zoo import CONFIG, Zoo, agent, calls, forms, guard, text_of

ROME = calls("weather", "w1", city="Rome")


class Verdict(BaseModel):
    """Whether it is safe."""

    safe: bool


class Judge(ScriptedChatModel):
    """A model that fills a schema with the arguments of its call."""

    def with_structured_output(self, schema: Any, **options: Any) -> Any:
        return self | RunnableLambda(lambda said: schema(**said.tool_calls[0]["args"]))


def guarding(inner: Any) -> Any:
    """The same, with an agent that looks first."""

    @after_agent
    async def check(state: AgentState[Any], runtime: Any) -> None:
        await inner.ainvoke({"messages": state["messages"]})

    return check


@forms
async def test_what_a_guard_asks_its_model_is_not_heard(form: str) -> None:
    run = await Zoo(agent(["Hello."], middleware=[guard()]), form).say()
    assert text_of(run) == "Hello."
    assert "SA" not in str([states(snapshot) for snapshot in run.snapshots])


@forms
async def test_nor_is_what_an_agent_of_a_guard_says_and_does(form: str) -> None:
    turns = [["I check. ", *calls("weather", "secret", city="Rome")], "SAFE"]
    inner = create_agent(ScriptedChatModel(turns=turns), [weather])
    run = await Zoo(agent(["Hello."], middleware=[guarding(inner)]), form).say()
    assert text_of(run) == "Hello."
    assert "secret" not in str(run.snapshots)


@forms
async def test_what_a_hook_makes_of_it_is_told_when_it_stands_in_the_messages(form: str) -> None:
    run = await Zoo(agent(["Hello. "], middleware=[guard(keeps=True)]), form).say()
    assert text_of(run) == "Hello. SAFE"


async def test_tokens_alone_do_not_tell_that_it_does() -> None:
    graph = agent(["Hello. "], middleware=[guard(keeps=True)])
    assert (await play(FORMS["messages"](graph, human("hi"), CONFIG))).parts.text == "Hello. "


async def test_rules_come_first() -> None:
    async def told(visibility: Visibility | None) -> str:
        graph = agent(["Hello. "], middleware=[guard(keeps=True)])
        return show(
            await collect(stream_graph(graph, human("hi"), CONFIG, visibility=visibility))
        ).text

    hidden = Rule(action="hide", node="guard.after_agent")
    assert await told(Visibility([hidden])) == "Hello. "
    shown = Rule(action="inline", node="guard.after_agent")
    assert await told(Visibility([shown])) == "Hello. SAFE"
    assert await told(Visibility(show_internal=True)) == "Hello. SAFE"


async def test_a_callback_does_not_hear_guards_either() -> None:
    graph = agent(["Hello."], middleware=[guard()])
    config: Any = CONFIG
    chunks, _ = await call_with_handler(
        lambda handler: graph.ainvoke(human("hi"), {**config, "callbacks": [handler]})
    )
    assert show(chunks).text == "Hello."


def states(snapshot: dict[str, Any]) -> Any:
    return (snapshot["metadata"]["unstable_state"] or {}).get("messages", ())


@forms
async def test_nor_is_what_a_guard_makes_of_a_schema(form: str) -> None:
    made = calls("Verdict", "secret", safe=True)
    judge = Judge(turns=[made]).with_structured_output(Verdict)

    @after_agent
    async def check(state: AgentState[Any], runtime: Any) -> None:
        assert (await judge.ainvoke(state["messages"])).safe

    run = await Zoo(agent(["Hello."], middleware=[check]), form).say()
    assert text_of(run) == "Hello."
    assert "secret" not in str(run.snapshots)
    assert not [part for part in run.snapshots[-1]["parts"] if part["type"] == "data"]


@forms
async def test_nor_is_a_guard_of_an_agent_in_a_tool_heard_in_its_card(form: str) -> None:
    inner = create_agent(ScriptedChatModel(turns=["Bees. "]), middleware=[guard()])

    @tool
    async def look(topic: str) -> str:
        """Have an agent look."""
        return str((await inner.ainvoke({"messages": [HumanMessage(topic)]}))["messages"][-1].text)

    said = Spoken(AIMessage("Bees. "), parent_id="l1", agent=True, depth=1, kept=False)
    turns = [["I look. ", *calls("look", "l1", topic="bees")], "Bees!"]
    run = await Zoo(agent(turns, [look]), form).say(spoken=[said])
    assert text_of(run).startswith("I look. ")
    assert "SAFE" not in str(run.snapshots)


@forms
@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
async def test_a_node_that_asks_while_a_call_waits_is_taken_for_its_tool(form: str) -> None:
    """A node of tools that is written by hand looks the same."""
    quiet = ScriptedChatModel(turns=["SAFE. "], cycle=True)

    async def check(state: Any) -> Any:
        await quiet.ainvoke(state["messages"])
        return {}

    graph = create_react_agent(
        ScriptedChatModel(turns=[["See. ", *calls("weather", "w1", city="Rome")], "Sunny. "]),
        [weather],
        post_model_hook=check,
        checkpointer=InMemorySaver(),
    )
    heard = Spoken(AIMessage("SAFE. "), kept=False)
    run = await Zoo(graph, form).say(spoken=[replace(heard, parent_id="w1"), heard])
    assert text_of(run) == "See. Sunny. SAFE. "
