"""Group C of the field reports: tokens that are none of the client's business."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import LLMToolSelectorMiddleware, SummarizationMiddleware
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

from assistant_stream_ce.testing import collect
from assistant_stream_langchain import Rule, Visibility
from assistant_stream_langchain.chains import stream_chain
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from assistant_stream_langgraph.app import create_app
from tests.adapters_langchain.chat_completions import said
from tests.adapters_langchain.provider import Provider, events
from tests.adapters_langchain.shown import calls, kinds, results, show
from tests.adapters_langgraph.runs import Graph, call, values_of
from tests.app.serving import serving

from .screen import (
    FOUR_FORMS,
    THREAD,
    agent,
    call_part,
    human,
    see,
    see_form,
    see_states,
)

ALL_FORMS = [*FOUR_FORMS, "server parts"]


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


@tool
def clock() -> str:
    """Tell the time."""
    return "noon"


def summarising() -> Graph:
    """An agent whose middleware sums up the talk before it answers."""
    quiet = ScriptedChatModel(turns=["secret summary"])
    middleware = SummarizationMiddleware(quiet, trigger=("messages", 2), keep=("messages", 1))
    return agent(["Hello."], [weather], middleware=[middleware])


def selecting() -> Graph:
    """An agent whose middleware asks a model which tools it may use."""
    quiet = ChosenTools(turns=[[call("ToolSelectionResponse", '{"tools": ["weather"]}', "secret")]])
    middleware = LLMToolSelectorMiddleware(model=quiet, max_tools=1)
    return agent(["Hello."], [weather, clock], middleware=[middleware])


class ChosenTools(ScriptedChatModel):
    """A scripted model that can be asked for structured output."""

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Any:
        async def choose(messages: Any, config: Any) -> Any:
            said = await self.ainvoke(messages, config)
            return said.tool_calls[0]["args"]

        return RunnableLambda(choose)


TALK = {"messages": [HumanMessage("one"), HumanMessage("two"), HumanMessage("three")]}


@pytest.mark.parametrize("form", ALL_FORMS)
@pytest.mark.parametrize("build", [summarising, selecting])
async def test_c18_what_middleware_asks_models_for_itself_is_hidden(build: Any, form: str) -> None:
    """langchain #34382, #34501, langchainjs #9455, deer-flow #3070: summaries ran into the chat."""
    shown = await see_form(form, build(), TALK)

    assert shown.text == "Hello."
    assert kinds(shown) == ["text"]
    assert "secret" not in str(shown)


@pytest.mark.parametrize("build", [summarising, selecting])
async def test_c18_it_is_hidden_from_a_page_that_renders_state_too(build: Any) -> None:
    """deepagentsjs #629: the model's words for the middleware passed over the screen."""
    for state in await see_states(build(), TALK):
        said = [m for m in state["messages"] if m["type"] == "ai"]
        assert all("Hello.".startswith(message["content"]) for message in said)


@pytest.mark.parametrize("build", [summarising, selecting])
async def test_c18_it_is_hidden_from_a_callback_too(build: Any) -> None:
    """langchain #34382: the same through a callback on the agent."""
    graph: Any = build()

    shown = await see(stream_chain(graph, TALK, THREAD))

    assert (shown.text, kinds(shown)) == ("Hello.", ["text"])


async def test_c18_it_can_be_shown_on_purpose() -> None:
    """langchain #34382: whoever builds the agent may want to look."""
    everything = Visibility(show_internal=True)

    shown = await see(stream_chain(summarising(), TALK, THREAD, visibility=everything))

    assert "secret summary" in shown.text


class Graded(MessagesState):
    grade: str


def graded() -> Graph:
    """A graph whose first node has a model of its own, marked in every way there is."""
    grader = ScriptedChatModel(
        turns=["very good"], tags=["grading"], metadata={"ls_model_name": "grader-1"}
    )
    model = ScriptedChatModel(turns=["Hello."])

    async def grade(state: Graded) -> Any:
        return {"grade": (await grader.ainvoke(state["messages"])).text}

    async def speak(state: Graded) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(Graded).add_node("grade", grade).add_node("speak", speak)
    builder.add_edge(START, "grade").add_edge("grade", "speak")
    return builder.compile(checkpointer=InMemorySaver())


RULES = [
    Rule(action="hide", node="grade"),
    Rule(action="hide", tag="grading"),
    Rule(action="hide", model="grader-1"),
]


@pytest.mark.parametrize("form", ALL_FORMS)
@pytest.mark.parametrize("rule", RULES, ids=str)
async def test_c19_a_rule_hides_a_model_call_and_leaves_the_state_alone(
    rule: Rule, form: str
) -> None:
    """CopilotKit #3203, #2066, #3270: the switch to hide messages failed, or broke the state."""
    graph = graded()

    shown = await see_form(form, graph, visibility=Visibility([rule]))

    assert shown.text == "Hello."
    assert shown.state["grade"] == (await values_of(graph, THREAD))["grade"] == "very good"


async def test_c19_a_rule_hides_a_run_of_a_chain_by_its_name() -> None:
    """CopilotKit #3203: the same for a chain, where a run has a name."""
    grader = ScriptedChatModel(turns=["very good"]).with_config(run_name="grader")
    chain = RunnableLambda(lambda said: said.text) | ScriptedChatModel(turns=["Hello."])

    shown = await see(
        stream_chain(
            grader | chain, "go", visibility=Visibility([Rule(action="hide", name="grader")])
        )
    )

    assert shown.text == "Hello."


def thinking_tool() -> Graph:
    """An agent with a tool that asks a model itself."""
    inner = ScriptedChatModel(turns=["tool thoughts"])

    @tool("think")
    async def thinks(about: str) -> str:
        """Think."""
        return (await inner.ainvoke(about)).text.upper()

    return agent([[call("think", '{"about": "x"}', "a")], "Hello."], [thinks])


@pytest.mark.parametrize("form", ALL_FORMS)
async def test_c19_what_a_tool_asks_a_model_does_not_run_into_the_answer(form: str) -> None:
    """agent-service-toolkit #231: tokens of a model inside a tool were part of the answer."""
    shown = await see_form(form, thinking_tool())

    own = [
        part["text"] for part in shown.parts if part["type"] == "text" and not part.get("parentId")
    ]
    assert own == ["Hello."]
    for state in await see_states(thinking_tool(), form=form):
        assert "tool thoughts" not in str(state)


@pytest.mark.parametrize("form", ALL_FORMS)
async def test_c19_what_a_tool_returns_is_never_text(form: str) -> None:
    """livekit #4768: the output of a tool was read out as part of the answer."""
    shown = await see_form(form, thinking_tool())

    assert results(shown) == {"a": "TOOL THOUGHTS"}
    assert "TOOL" not in shown.text


def supervisor() -> Graph:
    """An agent with a sub-agent in a tool, which has a tool of its own."""
    helper: Graph = create_agent(
        ScriptedChatModel(turns=[["On it. ", call("weather", '{"city": "Oslo"}', "w")], "It is."]),
        [weather],
    )

    @tool
    async def helps(task: str) -> str:
        """Help."""
        done = await helper.ainvoke({"messages": [HumanMessage(task)]})
        return f"helped: {done['messages'][-1].text}"

    return agent([["Asking. ", call("helps", '{"task": "x"}', "a")], "Done."], [helps])


@pytest.mark.parametrize("form", ALL_FORMS)
async def test_c20_a_sub_agent_is_nested_shown_inline_or_hidden(form: str) -> None:
    """deepagents #2701: a sub-agent's stream could not be suppressed."""
    nested = await see_form(form, supervisor())
    assert [
        p["text"] for p in nested.parts if p.get("parentId") == "a" and p["type"] == "text"
    ] == [
        "On it. ",
        "It is.",
    ]
    assert call_part(nested, "w")["parentId"] == "a"

    inline = await see_form(
        form, supervisor(), visibility=Visibility([Rule(action="inline", namespace="tools")])
    )
    assert inline.text == "Asking. On it. It is.Done."
    assert not [part for part in inline.parts if part.get("parentId")]

    hidden = await see_form(
        form, supervisor(), visibility=Visibility([Rule(action="hide", namespace="tools")])
    )
    assert hidden.text == "Asking. Done."
    assert results(hidden) == {"a": "helped: It is."}


@pytest.mark.parametrize("form", ALL_FORMS)
async def test_c20_a_sub_agents_messages_are_not_in_the_conversation(form: str) -> None:
    """CopilotKit #3744: the snapshot at the end held the messages of a subgraph."""
    graph = supervisor()

    states = await see_states(graph, form=form)

    assert states[-1] == await values_of(graph, THREAD)
    for state in states:
        assert "On it" not in str(state)


@pytest.mark.parametrize("form", ALL_FORMS)
async def test_c20_no_raw_json_of_a_tool_call_passes_over_the_screen(form: str) -> None:
    """deer-flow #4043: the JSON of calls and results flashed as text while it streamed."""
    shown = await see_form(form, supervisor())

    assert "{" not in shown.text
    assert set(kinds(shown)) == {"text", "tool-call"}


class Weather(BaseModel):
    """The weather."""

    city: str
    sunny: bool


JSON = '{"city": "Oslo", "sunny": true}'


@pytest.mark.parametrize("form", ALL_FORMS)
async def test_c21_a_structured_response_of_an_agent_is_state_and_not_text(form: str) -> None:
    """langchain docs #1055: nobody could tell which message was the JSON."""
    graph = agent(
        [["Let me see. ", call("Weather", JSON[:12], "s"), call(None, JSON[12:])]],
        [clock],
        response_format=ToolStrategy(Weather),
    )

    shown = await see_form(form, graph)

    assert shown.text == "Let me see. "
    assert shown.state["structured_response"] == {"city": "Oslo", "sunny": True}
    assert shown.status == {"type": "complete", "reason": "stop"}


def router(provider: Provider, method: str) -> Graph:
    """A node that asks a real client for structured output and keeps it out of the messages."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    pieces = [JSON[:10], JSON[10:]]
    deltas: list[dict[str, Any]] = [{"content": piece} for piece in pieces]
    if method == "function_calling":
        function = {"name": "Weather", "arguments": ""}
        asked = {"index": 0, "id": "call_1", "type": "function", "function": function}
        deltas = [{"role": "assistant", "content": None, "tool_calls": [asked]}]
        deltas += [
            {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces
        ]
    deltas[0]["role"] = "assistant"
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    provider.says(events([{**head, "choices": [choice]} for choice in choices], done=True))
    real = ChatOpenAI(
        model="m",
        api_key="k",  # type: ignore[arg-type]
        base_url=f"{provider.url}/v1",
        max_retries=0,
        streaming=True,
    ).with_structured_output(Weather, method=method)  # type: ignore[arg-type]
    model = ScriptedChatModel(turns=["Hello."])

    async def route(state: Graded) -> Any:
        made: Any = await real.ainvoke(state["messages"])
        return {"grade": made.city}

    async def speak(state: Graded) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(Graded).add_node("route", route).add_node("speak", speak)
    builder.add_edge(START, "route").add_edge("route", "speak")
    return builder.compile(checkpointer=InMemorySaver())


# The client's own parsed copy does not fit the field that it is dumped from.
PARSED = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
METHODS = ["function_calling", pytest.param("json_schema", marks=PARSED), "json_mode"]


@pytest.mark.parametrize("method", METHODS)
async def test_c21_structured_output_inside_a_node_is_a_data_part(
    provider: Provider, method: str
) -> None:
    """langchain docs #1055: a router's JSON was text, or a call that nobody answers."""
    chunks = await collect(stream_graph(router(provider, method), human("in json"), THREAD))

    shown = show(chunks)
    assert shown.text == "Hello."
    assert calls(shown) == []
    assert [(p["name"], p["data"]) for p in shown.parts if p["type"] == "data"] == [
        ("Weather", {"city": "Oslo", "sunny": True})
    ]
    assert shown.status == {"type": "complete", "reason": "stop"}
    assert shown.state["grade"] == "Oslo"
    for state in await see_states(router(provider, method), human("in json")):
        assert "sunny" not in str(state)


@pytest.mark.parametrize("method", METHODS)
async def test_c21_structured_output_inside_a_served_node_is_a_data_part(
    provider: Provider, method: str
) -> None:
    """langchain docs #1055: the same from an app, to clients that show parts, or the state."""
    question = {"role": "user", "parts": [{"type": "text", "text": "in json"}], "id": "q"}
    chat = {"id": "parts", "messages": [question], "trigger": "submit-message"}
    transport = {"commands": [{"type": "add-message", "message": question}], "state": {}}
    async with serving(create_app(router(provider, method))) as http:
        parts = (await http.post("/chat", json=chat)).text
    async with serving(create_app(router(provider, method))) as http:
        state = (await http.post("/assistant", json=transport)).text

    assert '"type":"data-Weather"' in parts
    assert "Hello." in parts
    assert parts.count("sunny") == 1
    assert "Hello." in state
    assert "sunny" not in state


@pytest.mark.parametrize("method", METHODS)
async def test_c21_structured_output_in_a_chain_is_a_data_part(
    provider: Provider, method: str
) -> None:
    """langchain docs #1055: the same through a callback."""
    graph: Any = router(provider, method)

    shown = await see(stream_chain(graph, human("in json"), THREAD))

    assert shown.text == "Hello."
    assert [(p["name"], p["data"]) for p in shown.parts if p["type"] == "data"] == [
        ("Weather", {"city": "Oslo", "sunny": True})
    ]


@PARSED
@pytest.mark.parametrize("stream", [stream_graph, stream_chain])
async def test_c21_json_that_the_provider_makes_for_an_agent_is_a_data_part(
    provider: Provider, stream: Any
) -> None:
    """langchain docs #1055: an agent whose provider fills the schema said its JSON as text."""
    provider.says(said({"content": JSON[:10]}, {"content": JSON[10:]}).streamed)
    real = ChatOpenAI(model="m", api_key="k", base_url=f"{provider.url}/v1")  # type: ignore[arg-type]
    graph: Any = create_agent(real, response_format=ProviderStrategy(Weather))

    shown = await see(stream(graph, human("in json"), THREAD))

    assert kinds(shown) == ["data"]
    assert shown.parts[0]["name"] == "Weather"
    assert shown.parts[0]["data"] == {"city": "Oslo", "sunny": True}
