"""Programs as people have them: whatever the form of stream, the real client shows the truth."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware, ModelFallbackMiddleware
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import CachePolicy, Command, Send, interrupt

from assistant_stream_ce._json import to_json
from assistant_stream_ce.testing import collect, replay_state
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langchain.visibility import Visibility
from assistant_stream_langgraph import from_langgraph_events, stream_graph
from tests.adapters_langchain.shown import calls, results, show
from tests.adapters_langgraph.graphs import human, weather
from tests.adapters_langgraph.runs import FORMS, Graph, call, play, values_of

CONFIG = {"configurable": {"thread_id": "1"}}
WITH_STATE = ["tuples", "v2", "messages and values", "values", "events v2", "events v3"]
LOOK = ["Look. ", call("weather", '{"city": "Rome"}', "w1")]


class Chat(TypedDict):
    chat: Annotated[list[AnyMessage], add_messages]
    note: str


def chat() -> Graph:
    """An agent whose messages stand in a channel of another name."""
    model = ScriptedChatModel(turns=[LOOK, ["It is ", "sunny."]], delay=0.001)

    async def ask(state: Chat) -> Any:
        return {"chat": [await model.ainvoke(state["chat"])], "note": "asked"}

    builder = StateGraph(Chat)
    builder.add_node("ask", ask)
    builder.add_node("tools", ToolNode([weather], messages_key="chat"))
    builder.add_edge(START, "ask")
    builder.add_conditional_edges("ask", lambda state: tools_condition(state, "chat"))
    builder.add_edge("tools", "ask")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", WITH_STATE)
async def test_messages_may_stand_in_a_channel_of_any_name(form: str) -> None:
    graph, given = chat(), {"chat": [HumanMessage("hello")]}
    run = await play(FORMS[form](graph, given, CONFIG), parts=False, messages_key="chat")
    assert run.state == await values_of(graph, CONFIG)
    if form != "values":
        texts = [str(state["chat"][-1]["content"]) for state in run.states[1:]]
        assert any("It is " in text and "sunny." not in text for text in texts), "it did not grow"


async def test_such_messages_are_not_sent_twice_beside_the_parts() -> None:
    graph, given = chat(), {"chat": [HumanMessage("hello")]}
    run = await play(FORMS["tuples"](graph, given, CONFIG), messages_key="chat")
    shown = show(run.chunks)
    assert shown.text == "Look. It is sunny."
    assert shown.state == {"note": "asked"}


@pytest.mark.parametrize("form", WITH_STATE)
async def test_a_graph_without_messages_has_none_in_the_state(form: str) -> None:
    graph, given = chat(), {"chat": [HumanMessage("hello")]}
    run = await play(FORMS[form](graph, given, CONFIG), parts=False)
    assert run.state == await values_of(graph, CONFIG)
    if form != "events v2":  # Its first word of the state is of what a node reads.
        assert not any("messages" in state for state in run.states[1:])


def flow() -> Graph:
    """An agent of functions, which have no channels: they return messages."""
    turn = [*LOOK, call("weather", '{"city": "Oslo"}', "w2", 1)]
    model = ScriptedChatModel(turns=[turn, "It is sunny."])

    @task
    async def ask(messages: Any) -> AIMessage:
        return await model.ainvoke(messages)

    @task
    async def run_tool(made: Any) -> Any:
        return await weather.ainvoke(made)

    @entrypoint(checkpointer=InMemorySaver())
    async def agent(given: dict[str, Any]) -> AIMessage:
        messages = given["messages"]
        answer = await ask(messages)
        while answer.tool_calls:
            told = await asyncio.gather(*map(run_tool, answer.tool_calls))
            messages = [*messages, answer, *told]
            answer = await ask(messages)
        return answer

    return agent


@pytest.mark.parametrize("form", ["tuples", "v2", "updates", "events v1", "events v2", "messages"])
async def test_functions_that_return_messages_are_told_like_nodes(form: str) -> None:
    shown = show((await play(FORMS[form](flow(), human("hello"), CONFIG))).chunks)
    assert shown.text == "Look. It is sunny."
    assert [made[0] for made in calls(shown)] == ["w1", "w2"]
    assert results(shown) == {"w1": "sunny in Rome", "w2": "sunny in Oslo"}
    assert not shown.metadata["unstable_state"], "the answer is no state"


@pytest.mark.parametrize("form", FORMS)
async def test_a_model_that_fails_before_its_first_word_is_no_trouble(form: str) -> None:
    fallback = ModelFallbackMiddleware(ScriptedChatModel(turns=["I can help."]))
    model = ScriptedChatModel(turns=[ValueError("down")])
    graph = create_agent(model, middleware=[fallback], checkpointer=InMemorySaver())
    shown = show((await play(FORMS[form](graph, human("hello"), CONFIG))).chunks)
    assert shown.text == "I can help."


def pros_and_cons() -> Graph:
    """A node that asks its model twice at the same time."""

    def answer(messages: Any) -> list[str]:
        return [f"{messages[-1].text}: ", "it ", "is ", "so. "]

    model = ScriptedChatModel(turns=[answer], cycle=True, delay=0.001)

    async def ask(state: MessagesState) -> Any:
        asked = [[HumanMessage("Pro")], [HumanMessage("Con")]]
        return {"messages": await model.abatch(asked)}

    builder = StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", FORMS)
async def test_models_that_one_node_asks_at_the_same_time_are_told_one_by_one(form: str) -> None:
    shown = show((await play(FORMS[form](pros_and_cons(), human("hello"), CONFIG))).chunks)
    answers = ("Pro: it is so. ", "Con: it is so. ")
    assert shown.text in ("".join(answers), "".join(reversed(answers)))


NAMED_ONCE = [
    [
        AIMessageChunk(content=text, id=f"msg_{name}" if text == name else None)
        for text in (name, "1", "2")
    ]
    for name in ("a", "b")
]
"""Answers whose provider names them in their first chunk alone."""


@pytest.mark.parametrize("form", ["tuples", "v2", "events v1", "events v2"])
@pytest.mark.parametrize("parts", [True, False])
async def test_answers_of_one_model_are_told_apart_by_their_calls(form: str, parts: bool) -> None:
    model = ScriptedChatModel(turns=[[0.001, *chunks] for chunks in NAMED_ONCE])

    async def ask(state: MessagesState) -> Any:
        return {"messages": await model.abatch([state["messages"]] * 2)}

    builder = StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask")
    run = await play(FORMS[form](builder.compile(), human("hello"), None), parts=parts)
    if parts:
        assert show(run.chunks).text in ("a12b12", "b12a12")
    else:
        lists = [state.get("messages", []) for state in run.states if state]
        texts = {str(message["content"]) for message in chain(*lists)} - {"hello"}
        assert all("a12".startswith(text) or "b12".startswith(text) for text in texts)


def asking_inside(rounds: int = 1) -> Graph:
    """An agent whose tool holds an agent, one of whose tools asks a person."""

    @tool
    def ask(question: str) -> str:
        """Ask a person."""
        return " and ".join(interrupt(f"{question} {n}") for n in range(rounds))

    turns = ["One moment. ", call("ask", '{"question": "Sure?"}', "inner")]
    inner = create_agent(ScriptedChatModel(turns=[turns, "They are sure."]), tools=[ask])

    @tool
    async def research(topic: str) -> str:
        """Have an agent look into it."""
        found = await inner.ainvoke({"messages": [HumanMessage(topic)]})
        return str(found["messages"][-1].text)

    turns = ["I will see. ", call("research", '{"topic": "bees"}', "outer")]
    model = ScriptedChatModel(turns=[turns, "All is well."])
    return create_agent(model, tools=[research], checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", ["tuples", "v2", "messages and values", "events v2", "events v3"])
async def test_an_agent_that_has_asked_goes_on_under_its_call(form: str) -> None:
    graph = asking_inside()
    first = show((await play(FORMS[form](graph, human("hello"), CONFIG))).chunks)
    assert [made[0] for made in calls(first)] == ["outer", "inner"]

    second = show((await play(FORMS[form](graph, Command(resume="yes"), CONFIG))).chunks)
    said = [(part.get("parentId"), part["text"]) for part in second.parts if "text" in part]
    assert said == [("outer", "They are sure."), (None, "All is well.")]


async def test_what_no_checkpoint_holds_is_no_part_of_the_state() -> None:
    """The counters of middleware, for example: a page that is loaded again would not have them."""
    limit = ModelCallLimitMiddleware(run_limit=3)
    model = ScriptedChatModel(turns=["Hello."])
    graph = create_agent(model, middleware=[limit], checkpointer=InMemorySaver())
    chunks = await collect(stream_graph(graph, human("hello"), CONFIG, parts=False))
    assert replay_state(chunks) == await values_of(graph, CONFIG)

    model.turns = ["Hello.", "Again."]
    counted = {"run_model_call_count"}
    chunks = await collect(stream_graph(graph, human("again"), CONFIG, state=counted))
    assert replay_state(chunks) == {"run_model_call_count": 1}, "it is left out that was asked for"


@pytest.mark.parametrize("form", ["tuples", "v2", "values", "events v1", "events v2", "events v3"])
async def test_a_call_that_the_agent_could_not_read_leaves_nobody_waiting(form: str) -> None:
    made = {"name": "weather", "args": '{"city": ', "id": "w1", "error": "cut off"}
    answer = AIMessage("Let me see. ", invalid_tool_calls=[{**made, "type": "invalid_tool_call"}])
    model = ScriptedChatModel(turns=[answer], disable_streaming=True)
    graph = create_agent(model, tools=[weather], checkpointer=InMemorySaver())
    shown = show((await play(FORMS[form](graph, human("hello"), CONFIG))).chunks)
    assert shown.text == "Let me see. "
    assert results(shown) == {"w1": "The arguments of this call could not be read."}
    assert shown.status == {"type": "complete", "reason": "stop"}


def asking_beside() -> Graph:
    """An agent that calls two tools, of which one asks a person."""

    @tool
    def ask(question: str) -> str:
        """Ask a person."""
        return f"They said {interrupt(question)}."

    asked = call("ask", '{"question": "Sure?"}', "a1")
    turn = ["Both. ", asked, call("weather", '{"city": "Rome"}', "w1", 1)]
    model = ScriptedChatModel(turns=[turn, "All is well."])
    return create_agent(model, tools=[ask, weather], checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", FORMS)
async def test_what_an_agent_says_after_a_pause_is_in_no_tool(form: str) -> None:
    """A tool that had run beside the one that paused has its result before the agent speaks."""
    graph = asking_beside()
    await play(FORMS[form](graph, human("hello"), CONFIG))
    before = {"messages": to_json((await graph.aget_state(CONFIG)).values["messages"])}
    events = FORMS[form](graph, Command(resume="yes"), CONFIG)
    shown = show((await play(events, initial_state=before)).chunks)
    said = [(part.get("parentId"), part["text"]) for part in shown.parts if "text" in part]
    assert said == [(None, "All is well.")]


async def cached() -> Graph:
    """A graph whose nodes have run before, on another thread."""
    model = ScriptedChatModel(turns=["From the model. "])

    async def ask(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    def close(state: MessagesState) -> Any:
        return {"messages": [AIMessage("By hand.")]}

    policy: Any = CachePolicy(key_func=lambda state: "always")
    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask, cache_policy=policy).add_edge(START, "ask")
    builder.add_node("close", close, cache_policy=policy).add_edge("ask", "close")
    graph = builder.compile(checkpointer=InMemorySaver(), cache=InMemoryCache())
    await graph.ainvoke(human("hello"), {"configurable": {"thread_id": "earlier"}})
    return graph


@pytest.mark.parametrize("form", [form for form in FORMS if form != "messages"])
async def test_what_comes_from_the_cache_of_a_node_is_told(form: str) -> None:
    graph = await cached()
    shown = show((await play(FORMS[form](graph, human("hello"), CONFIG))).chunks)
    assert shown.text == "From the model. By hand."
    state = (await play(FORMS[form](await cached(), human("hello"), CONFIG), parts=False)).state
    assert [message["content"] for message in state["messages"]][-2:] == [
        "From the model. ",
        "By hand.",
    ]


async def test_beside_a_node_that_runs_it_is_told_where_the_run_is_known_to_be_new() -> None:
    def speak(state: MessagesState) -> Any:
        return {"messages": [AIMessage("Fresh.")]}

    def recall(state: MessagesState) -> Any:
        return {"messages": [AIMessage("Known.")]}

    policy: Any = CachePolicy(key_func=lambda state: "always")
    builder = StateGraph(MessagesState).add_node("speak", speak).add_edge(START, "speak")
    builder.add_node("recall", recall, cache_policy=policy).add_edge(START, "recall")
    graph = builder.compile(checkpointer=InMemorySaver(), cache=InMemoryCache())
    await graph.ainvoke(human("hello"), {"configurable": {"thread_id": "earlier"}})
    shown = show(await collect(stream_graph(graph, human("hello"), CONFIG)))
    assert sorted(shown.text.split(".")) == ["", "Fresh", "Known"]


def handing_over() -> Graph:
    """An agent whose handoff gives its result to the agent that it goes to, and to nobody else."""

    @tool
    def to_poet(runtime: ToolRuntime) -> Command[Any]:
        """Hand over to the poet."""
        told = ToolMessage("The poet goes on.", tool_call_id=str(runtime.tool_call_id))
        given = {"messages": [*runtime.state["messages"], told]}
        return Command(graph=Command.PARENT, goto=[Send("poet", given)])

    turn = ["A poem? ", call("to_poet", "{}", "h1")]
    host = create_agent(ScriptedChatModel(turns=[turn]), tools=[to_poet])
    poet = create_agent(ScriptedChatModel(turns=["Roses are red."]))
    builder = StateGraph(MessagesState).add_node("host", host, destinations=("poet",))
    builder.add_node("poet", poet).add_edge(START, "host")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", ["tuples", "v2", "events v1", "events v2", "events v3"])
async def test_a_handoff_has_the_result_that_only_the_next_agent_was_given(form: str) -> None:
    graph = handing_over()
    shown = show((await play(FORMS[form](graph, human("hello"), CONFIG))).chunks)
    assert shown.text == "A poem? Roses are red."
    assert results(shown) == {"h1": "The poet goes on."}
    assert shown.status == {"type": "complete", "reason": "stop"}
    kinds = [message.type for message in (await graph.aget_state(CONFIG)).values["messages"]]
    assert kinds == ["human", "ai", "tool", "ai"]


@pytest.mark.parametrize("hides_the_card", [True, False])
async def test_a_question_stands_by_itself_where_its_card_is_not_to_be_seen(
    hides_the_card: bool,
) -> None:
    graph = asking_inside(rounds=2)
    visibility = Visibility(default="hide") if hides_the_card else None

    async def ask(given: Any) -> Any:
        stream = stream_graph(graph, given, CONFIG, visibility=visibility)
        shown = show(await collect(stream))
        return [part.get("parentId") for part in shown.parts if part["type"] == "data"]

    assert await ask(human("hello")) == [None if hides_the_card else "outer"]
    assert await ask(Command(resume="yes")) == [None]


def two_desks() -> Graph:
    """Two agents side by side; the second calls its tool while the first has the floor."""
    talker = create_agent(ScriptedChatModel(turns=[["On ", "and ", 0.1, "on. "]], delay=0.01))
    turns = [[0.03, "Wait. ", call("weather", '{"city": "Rome"}', "w1")], "Sunny."]
    worker = create_agent(ScriptedChatModel(turns=turns, delay=0.005), tools=[weather])
    builder = StateGraph(MessagesState).add_node("talker", talker).add_node("worker", worker)
    builder.add_edge(START, "talker").add_edge(START, "worker")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", ["tuples", "v2", "events v2", "events v3"])
async def test_a_result_waits_for_its_call_while_another_has_the_floor(form: str) -> None:
    shown = show((await play(FORMS[form](two_desks(), human("hello"), CONFIG))).chunks)
    assert shown.text == "On and on. Wait. Sunny."
    assert results(shown) == {"w1": "sunny in Rome"}
    assert [made[1] for made in calls(shown)] == ["weather"]


@pytest.mark.parametrize("form", FORMS)
async def test_a_result_of_an_earlier_call_is_told_once(form: str) -> None:
    graph = asking_beside()
    await play(FORMS[form](graph, human("hello"), CONFIG))
    before = {"messages": to_json((await graph.aget_state(CONFIG)).values["messages"])}
    stream = from_langgraph_events(
        FORMS[form](graph, Command(resume="yes"), CONFIG),
        initial_state=before,
        earlier_results=True,
    )
    told = [chunk for chunk in await collect(stream) if chunk.type == "tool-result"]
    assert [(chunk.tool_call_id, chunk.result) for chunk in told] == [("a1", "They said yes.")]


def introduced() -> Graph:
    """A node that puts a message of its own before what its model has said."""
    model = ScriptedChatModel(turns=["It is sunny."])

    async def ask(state: MessagesState) -> Any:
        said = await model.ainvoke(state["messages"])
        return {"messages": [AIMessage("Here you are:", id="own"), said]}

    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask).add_edge(START, "ask")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", [form for form in FORMS if form != "messages"])
async def test_messages_of_a_node_stand_in_its_order(form: str) -> None:
    graph = introduced()
    run = await play(FORMS[form](graph, human("hello"), CONFIG), parts=False)
    said = [message["id"] for message in run.state["messages"] if message["type"] == "ai"]
    assert said[0] == "own"
    assert len(said) == 2
