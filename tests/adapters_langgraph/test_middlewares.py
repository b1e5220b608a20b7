"""The middlewares of LangChain around models: the client shows the agent's messages, and no others.

`Zoo` checks each run as `random_truth` says. A middleware changes what the model is given, asks
another one, asks once more, or says something itself.
"""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents.middleware import (
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    LLMToolSelectorMiddleware,
    ModelCallLimitMiddleware,
    ModelChoice,
    ModelFallbackMiddleware,
    ModelRefusalMiddleware,
    ModelRetryMiddleware,
    ModelRouterMiddleware,
    ProviderToolSearchMiddleware,
    SummarizationMiddleware,
)
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain_core.messages import AIMessageChunk, ToolCall
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool

from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langgraph.graphs import human, weather
from tests.adapters_langgraph.runs import FORMS, call, play
from tests.adapters_langgraph.zoo import (
    CONFIG,
    ZOO_FORMS,
    Decider,
    Zoo,
    agent,
    calls,
    forms,
    lost,
    results,
    text_of,
)

ROME = calls("weather", "w1", city="Rome")

OSLO = calls("weather", "w2", city="Oslo")


@forms
async def test_results_that_are_cleared_for_the_model_stay_in_the_conversation(form: str) -> None:
    model = ScriptedChatModel(turns=[["One. ", *ROME], ["Two. ", *OSLO], "Both."])
    edit = ClearToolUsesEdit(trigger=1, keep=1, clear_tool_inputs=True)
    run = await Zoo(agent(model, [weather], [ContextEditingMiddleware(edits=[edit])]), form).say()
    assert "[cleared]" in str(model.calls[-1])
    assert results(run) == {"w1": "sunny in Rome", "w2": "sunny in Oslo"}


def retries(**options: Any) -> ModelRetryMiddleware:
    return ModelRetryMiddleware(initial_delay=0.0, jitter=False, **options)


@forms
async def test_a_model_is_asked_again_that_failed_before_its_first_word(form: str) -> None:
    graph = agent([ValueError("down"), ValueError("down"), "Here."], middleware=[retries()])
    assert text_of(await Zoo(graph, form).say()) == "Here."


@forms
async def test_a_broken_answer_stands_beside_the_one_that_was_given_next(form: str) -> None:
    turns = [["It is ", "su", ValueError("cut")], ["It is ", "sunny. ", *ROME], "Bye."]
    zoo = Zoo(agent(turns, [weather], [retries()]), form)
    run = await zoo.say(spoken=[lost("It is su")])
    assert text_of(run) == "It is suIt is sunny. Bye."


@forms
async def test_the_run_goes_on_without_a_call_that_broke_off(form: str) -> None:
    half = calls("weather", "half", city="Ro")[0]
    half.tool_call_chunks[0]["args"] = '{"city": "Ro'
    zoo = Zoo(agent([[half, ValueError("cut")], ROME, "Bye."], [weather], [retries()]), form)
    broken = lost("")
    broken.message.tool_calls = [ToolCall(name="weather", args={}, id="half")]
    run = await zoo.say(spoken=[broken])
    assert results(run) == {"half": "The run went on without this call.", "w1": "sunny in Rome"}


@forms
async def test_a_model_that_fails_every_time_has_the_last_word_of_its_middleware(form: str) -> None:
    turns = [["Al", ValueError("cut")], ["Alm", ValueError("cut")], "Again."]
    graph = agent(turns, middleware=[retries(max_retries=1)])
    zoo = Zoo(graph, form)
    run = await zoo.say(spoken=[lost("Al"), lost("Alm")])
    assert text_of(run) == "AlAlmModel call failed after 2 attempts with ValueError: cut"
    assert text_of(await zoo.say("again")) == "Again."


@forms
async def test_the_next_model_goes_on_where_one_has_broken_off(form: str) -> None:
    fallback = ModelFallbackMiddleware(ScriptedChatModel(turns=["I can help."]))
    zoo = Zoo(agent([["I ", ValueError("cut")]], middleware=[fallback]), form)
    assert text_of(await zoo.say(spoken=[lost("I ")])) == "I I can help."


@pytest.mark.parametrize("form", [form for form in ZOO_FORMS if form != "events v3"])
async def test_a_refusal_is_followed_by_another_model(form: str) -> None:
    """Not in version 3, whose messages have lost it before any middleware sees them."""
    refusal = AIMessageChunk(content=[{"type": "refusal", "refusal": "I may not."}])
    middleware = [
        ModelFallbackMiddleware(ScriptedChatModel(turns=["I may."])),
        ModelRefusalMiddleware(),
    ]
    zoo = Zoo(agent([[refusal]], middleware=middleware), form)
    run = await zoo.say(spoken=[lost("I may not.")])
    assert text_of(run).endswith("I may.")


async def test_a_refusal_in_version_3_is_told_and_in_no_message() -> None:
    refusal = AIMessageChunk(content=[{"type": "refusal", "refusal": "I may not."}])
    run = await play(FORMS["events v3"](agent([[refusal]]), human("hello"), CONFIG))
    assert run.parts.text == "I may not."
    assert run.state is None


@forms
async def test_an_agent_that_may_not_ask_its_model_again_says_so(form: str) -> None:
    limit = ModelCallLimitMiddleware(run_limit=1, thread_limit=2)
    zoo = Zoo(agent([["See. ", *ROME], "Hi."], [weather], [limit]), form, "thread_model_call_count")
    assert text_of(await zoo.say()) == "See. Model call limits exceeded: run limit (1/1)"
    assert text_of(await zoo.say("again")) == "Hi."
    assert text_of(await zoo.say("and again")) == "Model call limits exceeded: thread limit (2/2)"


@forms
async def test_an_agent_that_fails_there_keeps_what_its_tools_have_given(form: str) -> None:
    limit = ModelCallLimitMiddleware(run_limit=1, exit_behavior="error")
    zoo = Zoo(agent([["See. ", *ROME]], [weather], [limit]), form)
    run = await zoo.say(fails=ModelCallLimitExceededError)
    assert run.failed
    assert results(run) == {"w1": "sunny in Rome"}


@forms
@pytest.mark.filterwarnings("ignore:The middleware `ModelRouterMiddleware` is in beta")
async def test_the_route_to_a_model_is_state(form: str) -> None:
    answer = {"type": "choice", "choice": "b", "probabilities": {"b": 1.0}, "confidence": 1.0}
    choices = {
        name: ModelChoice(ScriptedChatModel(turns=[["I am ", f"{name}. ", *ROME], "Bye."]), name)
        for name in "ab"
    }
    router = ModelRouterMiddleware(
        choices=choices, instructions="x", classifier=Decider(answer=answer)
    )
    run = await Zoo(agent([], [weather], [router]), form, "model_route").say()
    assert text_of(run) == "I am b. Bye."
    assert run.state["model_route"]["choice"] == "b"


class Selector(ScriptedChatModel):
    """A model that answers a schema with the arguments of its call."""

    def with_structured_output(self, schema: Any, **options: Any) -> Any:
        return self | RunnableLambda(lambda said: said.tool_calls and said.tool_calls[0]["args"])


@tool
def clock() -> str:
    """Tell the time."""
    return "noon"


@forms
async def test_the_choice_of_tools_is_not_heard(form: str) -> None:
    """Also when the agent's own model chooses, and is asked once more for its answer is none."""
    chosen = calls("ToolSelectionResponse", "secret", tools=["weather"])
    model = Selector(turns=["Hm, I ", chosen, ["See. ", *ROME], chosen, "Sunny."])
    graph = agent(model, [weather, clock], [LLMToolSelectorMiddleware(max_tools=1)])
    run = await Zoo(graph, form).say()
    assert text_of(run) == "See. Sunny."
    assert [tool.name for tool in model.tools] == ["weather"]


class Searcher(ScriptedChatModel):
    """A model of a provider that looks for tools on its own server."""

    def _get_ls_params(self, stop: Any = None, **options: Any) -> Any:
        return {"ls_provider": "anthropic", "ls_model_type": "chat"}


@forms
async def test_a_search_for_tools_on_the_providers_server_is_a_call(form: str) -> None:
    found = {"type": "tool_search_tool_search_result", "tool_references": []}
    blocks: list[Any] = [
        {"type": "server_tool_use", "id": "s1", "name": "tool_search", "input": {"query": "sun"}},
        {"type": "tool_search_tool_result", "tool_use_id": "s1", "content": found},
    ]
    about = {"model_provider": "anthropic"}
    pieces = [
        AIMessageChunk([{**block, "index": index}], response_metadata=about)
        for index, block in enumerate(blocks)
    ]
    rome = call("weather", '{"city": "Rome"}', "w1", 2)
    model = Searcher(turns=[[*pieces, rome], "Sunny."])
    search = ProviderToolSearchMiddleware(searchable_tools=["weather"])
    run = await Zoo(agent(model, [weather], [search]), form).say()
    assert results(run) == {"s1": found, "w1": "sunny in Rome"}


@forms
async def test_the_summary_takes_the_place_of_what_was_said(form: str) -> None:
    quiet = ScriptedChatModel(turns=[["secret ", "summary"]], cycle=True)
    short = SummarizationMiddleware(quiet, trigger=("messages", 4), keep=("messages", 1))
    turns = [["One. ", *ROME], "Two.", ["Three. ", *OSLO], "Four."]
    zoo = Zoo(agent(turns, [weather], [short]), form)
    assert text_of(await zoo.say()) == "One. Two."
    run = await zoo.say("again")
    assert text_of(run) == "Three. Four."
    assert "secret summary" in run.state["messages"][0]["content"]
