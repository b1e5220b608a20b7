"""Middleware of one's own: what its hooks change and say, and where they jump to."""

from __future__ import annotations

from typing import Any

from langchain.agents.middleware import (
    AgentState,
    ContextEditingMiddleware,
    ExtendedModelResponse,
    HumanInTheLoopMiddleware,
    ModelCallLimitMiddleware,
    ModelResponse,
    ModelRetryMiddleware,
    SummarizationMiddleware,
    TodoListMiddleware,
    ToolCallLimitMiddleware,
    ToolRetryMiddleware,
    after_model,
    before_agent,
    before_model,
    wrap_model_call,
    wrap_tool_call,
)
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langgraph.types import Command, interrupt

from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langgraph.graphs import weather
from tests.adapters_langgraph.random_stage import Spoken
from tests.adapters_langgraph.zoo import Zoo, agent, calls, forms, guard, results, text_of

ROME = calls("weather", "w1", city="Rome")


@forms
async def test_an_answer_that_is_asked_for_again_stands_twice(form: str) -> None:
    @after_model(can_jump_to=["model"])
    def again(state: AgentState[Any], runtime: Any) -> Any:
        if state["messages"][-1].text == "Bad. ":
            return {"messages": [HumanMessage("Better!")], "jump_to": "model"}
        return None

    run = await Zoo(agent(["Bad. ", "Good."], middleware=[again]), form, "jump_to").say()
    assert text_of(run) == "Bad. Good."


@forms
async def test_an_answer_that_is_removed_is_no_longer_in_the_state(form: str) -> None:
    @after_model(can_jump_to=["model"])
    def again(state: AgentState[Any], runtime: Any) -> Any:
        last = state["messages"][-1]
        if last.text == "Bad. ":
            return {"messages": [RemoveMessage(id=str(last.id))], "jump_to": "model"}
        return None

    run = await Zoo(agent(["Bad. ", "Good."], middleware=[again]), form).say()
    assert text_of(run) == "Bad. Good."
    assert "Bad." not in str(run.state)


@forms
async def test_an_answer_that_is_replaced_is_so_in_the_state(form: str) -> None:
    """By the same id, as guardrails do. A stream cannot take words back."""

    @after_model
    def replace(state: AgentState[Any], runtime: Any) -> Any:
        return {"messages": [AIMessage("I may not.", id=state["messages"][-1].id)]}

    run = await Zoo(agent(["Secret."], middleware=[replace]), form).say()
    assert text_of(run) == "Secret."
    assert "Secret" not in str(run.state)


@forms
async def test_a_hook_may_answer_before_any_model_does(form: str) -> None:
    @before_agent(can_jump_to=["end"])
    def refuse(state: AgentState[Any], runtime: Any) -> Any:
        if state["messages"][-1].text == "hello":
            return {"messages": [AIMessage("No.")], "jump_to": "end"}
        return None

    zoo = Zoo(agent(["Yes."], middleware=[refuse]), form, "jump_to")
    assert text_of(await zoo.say()) == "No."
    assert zoo.runs[0].state["jump_to"] == "end"
    if form == "stream_graph":  # Another stream does not tell that the channel is empty again.
        assert text_of(await zoo.say("please")) == "Yes."
        assert "jump_to" not in zoo.runs[1].state


@forms
async def test_tools_that_a_hook_calls_have_their_cards(form: str) -> None:
    @before_model(can_jump_to=["tools"])
    def look(state: AgentState[Any], runtime: Any) -> Any:
        if state["messages"][-1].type == "tool":
            return None
        made = {"name": "weather", "args": {"city": "Rome"}, "id": "w1"}
        return {"messages": [AIMessage("", tool_calls=[made])], "jump_to": "tools"}

    run = await Zoo(agent(["Sunny."], [weather], [look]), form).say()
    assert results(run) == {"w1": "sunny in Rome"}
    assert text_of(run) == "Sunny."


class Noted(AgentState[Any]):
    notes: list[str]


@forms
async def test_what_wraps_a_model_may_write_to_the_state(form: str) -> None:
    @wrap_model_call(state_schema=Noted)
    async def note(request: Any, handler: Any) -> Any:
        response = await handler(request)
        return ExtendedModelResponse(response, Command(update={"notes": ["asked"]}))

    run = await Zoo(agent([["See. ", *ROME], "Sunny."], [weather], [note]), form, "notes").say()
    assert text_of(run) == "See. Sunny."
    assert run.state["notes"] == ["asked"]


@forms
async def test_what_wraps_a_model_may_answer_itself(form: str) -> None:
    @wrap_model_call
    async def answer(request: Any, handler: Any) -> Any:
        if request.messages[-1].text == "hello":
            return AIMessage("Cached.")
        return await handler(request)

    zoo = Zoo(agent(["Fresh."], middleware=[answer]), form)
    assert text_of(await zoo.say()) == "Cached."
    assert text_of(await zoo.say("more")) == "Fresh."


@forms
async def test_what_wraps_a_model_may_add_to_its_answer(form: str) -> None:
    @wrap_model_call
    async def add(request: Any, handler: Any) -> Any:
        response = await handler(request)
        said = response.result[0]
        said.content = said.text + " Ask a doctor."
        return response

    run = await Zoo(agent(["Rest."], middleware=[add]), form).say(spoken=[])
    assert text_of(run) == "Rest. Ask a doctor."


@forms
async def test_a_cheap_answer_that_is_thrown_away_was_heard(form: str) -> None:
    """Nothing tells it from the answer: both are asked for in the node of the agent's model."""
    cheap = ScriptedChatModel(turns=["Dunno. "])

    @wrap_model_call
    async def escalate(request: Any, handler: Any) -> Any:
        await handler(request.override(model=cheap))
        return await handler(request)

    run = await Zoo(agent(["42."], middleware=[escalate]), form).say(
        spoken=[Spoken(AIMessage("Dunno. "), kept=False)]
    )
    assert text_of(run) == "Dunno. 42."
    assert "Dunno" not in str(run.state)


@forms
async def test_what_wraps_a_tool_may_write_to_the_state(form: str) -> None:
    @wrap_tool_call(state_schema=Noted)
    async def note(request: Any, handler: Any) -> Any:
        told = await handler(request)
        return Command(update={"messages": [told], "notes": [told.content]})

    run = await Zoo(agent([["See. ", *ROME], "Sunny."], [weather], [note]), form, "notes").say()
    assert results(run) == {"w1": "sunny in Rome"}
    assert run.state["notes"] == ["sunny in Rome"]


@forms
async def test_what_wraps_a_tool_may_change_what_it_gives(form: str) -> None:
    """The client is shown nothing but what comes of it, also where the tool's own word is told."""

    @wrap_tool_call
    async def change(request: Any, handler: Any) -> Any:
        await handler(request)
        told = await handler(request)
        return told.model_copy(update={"content": told.content.upper()})

    run = await Zoo(agent([["See. ", *ROME], "Sunny."], [weather], [change]), form).say()
    assert results(run) == {"w1": "SUNNY IN ROME"}


@forms
async def test_what_wraps_a_tool_may_answer_for_it(form: str) -> None:
    @wrap_tool_call
    async def cached(request: Any, handler: Any) -> Any:
        return ToolMessage("cloudy", tool_call_id=request.tool_call["id"], artifact=[1])

    run = await Zoo(agent([["See. ", *ROME], "Cloudy."], [weather], [cached]), form).say()
    assert results(run) == {"w1": "cloudy"}


@forms
async def test_all_of_them_together(form: str) -> None:
    """As a careful program has them: plans, limits, retries, a choice of tools, a guard, a
    person who is asked, and a summary on the next turn."""
    quiet = ScriptedChatModel(turns=["secret"], cycle=True)
    todo = calls("write_todos", "t1", todos=[{"content": "look", "status": "pending"}])
    turns = [
        ["A plan. ", *todo],
        ["I look. ", *calls("weather", "w1", "w2", city="Rome")],
        "Sunny. ",
        "Welcome.",
    ]
    middleware = [
        TodoListMiddleware(),
        SummarizationMiddleware(quiet, trigger=("messages", 7), keep=("messages", 2)),
        ContextEditingMiddleware(),
        ModelCallLimitMiddleware(run_limit=9),
        ToolCallLimitMiddleware(run_limit=9),
        ModelRetryMiddleware(initial_delay=0.0),
        ToolRetryMiddleware(initial_delay=0.0),
        HumanInTheLoopMiddleware(interrupt_on={"weather": True}),
        guard(),
    ]
    zoo = Zoo(agent(turns, [weather], middleware), form, "todos", "thread_model_call_count")
    run = await zoo.say()
    assert text_of(run) == "A plan. I look. "
    [waiting] = run.interrupts
    decisions = [{"type": "approve"}, {"type": "reject", "message": "Not twice."}]
    run = await zoo.say(Command(resume={waiting.id: {"decisions": decisions}}))
    assert text_of(run) == "Sunny. "
    assert run.state["todos"] == [{"content": "look", "status": "pending"}]
    run = await zoo.say("thanks")
    assert text_of(run) == "Welcome."
    assert "secret" in run.state["messages"][0]["content"]


@forms
async def test_an_answer_that_is_made_anew_stands_beside_the_one_that_was_heard(form: str) -> None:
    """By `wrap_model_call`, with no name or another one: the state has only what was made of it."""

    @wrap_model_call
    async def translate(request: Any, handler: Any) -> Any:
        said = (await handler(request)).result[0]
        return ModelResponse([AIMessage("Hola."), AIMessage(f"({said.text})", id="mine")])

    run = await Zoo(agent(["Hello. "], middleware=[translate]), form).say(
        spoken=[Spoken(AIMessage("Hello. "), kept=False)]
    )
    assert text_of(run) == "Hello. Hola.(Hello. )"
    assert len(run.state["messages"]) == 3


@forms
async def test_a_summary_in_the_middle_of_an_answer_takes_nothing_from_it(form: str) -> None:
    quiet = ScriptedChatModel(turns=["secret"], cycle=True)
    short = SummarizationMiddleware(quiet, trigger=("messages", 4), keep=("messages", 2))
    turns = [["One. ", *ROME], ["Two. ", *calls("weather", "w2", city="Oslo")], "Three."]
    run = await Zoo(agent(turns, [weather], [short]), form).say()
    assert text_of(run) == "One. Two. Three."
    assert results(run) == {"w1": "sunny in Rome", "w2": "sunny in Oslo"}
    assert "One. " not in str(run.state)


@forms
async def test_a_hook_may_ask_a_person(form: str) -> None:
    @before_model
    def ask(state: AgentState[Any], runtime: Any) -> Any:
        return {"messages": [HumanMessage(interrupt("Who?"))]}

    @after_model
    def check(state: AgentState[Any], runtime: Any) -> Any:
        return {"messages": [AIMessage(interrupt("Well?"))]}

    zoo = Zoo(agent(["Hello. "], middleware=[ask, check]), form)
    run = await zoo.say()
    assert [part["type"] for part in run.snapshots[-1]["parts"]] == ["data"]
    run = await zoo.say(Command(resume={run.interrupts[0].id: "Ann"}))
    assert text_of(run) == "Hello. "
    run = await zoo.say(Command(resume={run.interrupts[0].id: "Bye."}))
    assert text_of(run) == "Bye."
