"""Group B of the field reports: duplicates, losses, order."""

from __future__ import annotations

import operator
import time
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from assistant_stream_ce.testing import collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from tests.adapters_langchain.provider import Answer, Provider, events
from tests.adapters_langchain.shown import calls, kinds, reasoning, results, show, sources
from tests.adapters_langgraph.runs import FORMS, Graph, call, play, values_of
from tests.npm import decode
from tests.serialization.ai_sdk import SDKS, VERSIONS, encode, read

from .screen import (
    FOUR_FORMS,
    THREAD,
    agent,
    ask,
    call_part,
    human,
    received,
    see_ag_ui,
    see_form,
    see_states,
)


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


ASKS = ["Let me see. ", call("weather", '{"city": "Oslo"}', "a")]


def speaking(model: Any, returned: Any = None) -> Graph:
    """A graph of one node that streams a model and puts what it makes of it into the state."""

    async def speak(state: MessagesState) -> Any:
        said = await model.ainvoke(state["messages"])
        return {"messages": [said if returned is None else returned(said)]}

    builder = StateGraph(MessagesState).add_node("speak", speak).add_edge(START, "speak")
    return builder.compile(checkpointer=InMemorySaver())


def chat_completion(*choices: dict[str, Any]) -> Answer:
    """A stream of OpenAI's; its message gets the provider's id with the first chunk."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return events([{**head, "choices": [{"index": 0, **choice}]} for choice in choices], done=True)


RENAMED = [
    AIMessageChunk(content="One ", id="lc_run--7"),
    AIMessageChunk(content="message.", id="msg_7"),
]
"""A message whose provider's id comes after LangChain's own."""

NAMES: dict[str, tuple[Any, Any]] = {
    "the provider's id comes late": (RENAMED, None),
    "the node gives it another id": (
        "One message.",
        lambda said: AIMessage(said.content, id="mine"),
    ),
    "the node leaves the id out": ("One message.", lambda said: AIMessage(said.content)),
}


@pytest.mark.parametrize("form", FOUR_FORMS)
@pytest.mark.parametrize("case", NAMES)
async def test_b11_a_message_under_two_ids_is_shown_once(case: str, form: str) -> None:
    """assistant-ui #2068: streamed messages stood there twice, once under each of their ids."""
    turn, returned = NAMES[case]

    shown = await see_form(form, speaking(ScriptedChatModel(turns=[turn]), returned))

    assert (kinds(shown), shown.text) == (["text"], "One message.")
    graph = speaking(ScriptedChatModel(turns=[turn]), returned)
    for state in await see_states(graph, form=form):
        assert sum(message["type"] == "ai" for message in state["messages"]) <= 1
    assert state == await values_of(graph, THREAD)


@pytest.mark.parametrize("form", ["updates", "values and updates", *FOUR_FORMS])
async def test_b11_an_update_neither_doubles_a_message_nor_drops_a_result(form: str) -> None:
    """assistant-ui #3435: each update took the place of all messages, and tool results went."""
    shown = await see_form(form, agent([ASKS, "Sunny."], [weather]))
    assert kinds(shown) == ["text", "tool-call", "text"]
    assert results(shown) == {"a": "sunny in Oslo"}

    graph = agent([ASKS, "Sunny."], [weather])
    states = await see_states(graph, form=form)
    seen = 0
    for state in states:
        count = sum(message["type"] == "tool" for message in state.get("messages", ()))
        assert count >= seen, "a tool's result has gone"
        seen = count
    assert seen == 1


class Sorted(MessagesState):
    topic: str


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_b12_what_a_model_says_for_the_graph_alone_leaves_no_bubble(form: str) -> None:
    """ag-ui #1543, #1549: passing model output was merged into the snapshot as messages."""
    sorter = ScriptedChatModel(turns=["small talk"])
    model = ScriptedChatModel(turns=[["", "Hello."]])

    async def sort(state: Sorted) -> Any:
        return {"topic": (await sorter.ainvoke(state["messages"])).text}

    async def speak(state: Sorted) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(Sorted).add_node("sort", sort).add_node("speak", speak)
    builder.add_edge(START, "sort").add_edge("sort", "speak")
    graph = builder.compile(checkpointer=InMemorySaver())

    states = await see_states(graph, form=form)

    assert states[-1] == await values_of(graph, THREAD)
    for state in states:
        ids = [message["id"] for message in state.get("messages", ())]
        assert len(set(ids)) == len(ids) <= 2


RICH: list[Any] = [
    AIMessageChunk(content=[{"type": "reasoning", "reasoning": "Hm, ", "index": 0}]),
    AIMessageChunk(content=[{"type": "reasoning", "reasoning": "a fjord.", "index": 0}]),
    AIMessageChunk(
        content=[
            {
                "type": "text",
                "text": "A picture: ",
                "annotations": [{"type": "citation", "url": "https://a.example/p", "title": "A"}],
                "index": 1,
            }
        ]
    ),
    AIMessageChunk(
        content=[{"type": "image", "base64": "aGk=", "mime_type": "image/png", "index": 2}]
    ),
]


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_b13_reasoning_sources_and_files_stay_when_the_node_keeps_the_text_alone(
    form: str,
) -> None:
    """ag-ui #1262: the snapshot at the end took away the reasoning that had been on screen."""
    model = ScriptedChatModel(turns=[RICH])
    graph = speaking(model, lambda said: AIMessage("A picture: ", id=said.id))
    run = await play(FORMS[form](graph, human(), THREAD))

    shown = show(run.chunks)

    assert reasoning(shown) == ["Hm, a fjord."]
    assert shown.text == "A picture: "
    assert sources(shown) == [("https://a.example/p", "A")]
    assert [part["mimeType"] for part in shown.parts if part["type"] == "file"] == ["image/png"]
    said = [m["content"] for m in see_ag_ui(run.chunks).history if m["role"] == "reasoning"]
    assert said == ["Hm, a fjord."]


async def test_b14_text_in_the_chunk_that_ends_the_answer_is_shown(provider: Provider) -> None:
    """ag-ui #2006: whatever stood beside the finish reason was dropped."""
    provider.says(
        chat_completion(
            {"delta": {"role": "assistant", "content": "The "}, "finish_reason": None},
            {"delta": {"content": "end."}, "finish_reason": "stop"},
        )
    )
    model = ChatOpenAI(model="m", api_key="k", base_url=f"{provider.url}/v1", max_retries=0)  # type: ignore[arg-type]

    shown = await ask(create_agent(model, []), config=None)

    assert shown.text == "The end."
    assert shown.metadata["steps"][0]["finishReason"] == "stop"


@pytest.mark.parametrize("form", [*FOUR_FORMS, "messages"])
async def test_b14_a_call_in_the_chunk_that_ends_the_answer_is_shown_too(form: str) -> None:
    """ag-ui #2006: the same for a tool call that comes with the finish reason and the usage."""
    last: Any = AIMessageChunk(
        content="",
        tool_call_chunks=call("weather", '{"city": "Oslo"}', "a").tool_call_chunks,
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        response_metadata={"finish_reason": "tool_calls"},
        chunk_position="last",
    )

    shown = await see_form(form, agent([["Well.", last], "Sunny."], [weather]))

    assert calls(shown) == [("a", "weather", {"city": "Oslo"})]
    assert shown.text == "Well.Sunny."


class Listed(TypedDict):
    messages: Annotated[list[AnyMessage], operator.add]


@pytest.mark.parametrize("form", [*FOUR_FORMS, "messages", "updates"])
@pytest.mark.parametrize("schema", [MessagesState, Listed])
async def test_b15_messages_without_ids_are_messages_of_their_own(schema: Any, form: str) -> None:
    """langgraphjs #2730: messages that a node wrote without ids were shown as a single one."""
    builder = StateGraph(schema)
    builder.add_node("first", lambda state: {"messages": [AIMessage("One. "), AIMessage("Two. ")]})
    builder.add_node("second", lambda state: {"messages": [AIMessage("Two. ")]})
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")

    shown = await see_form(form, builder.compile(checkpointer=InMemorySaver()))

    assert shown.text == "One. Two. Two. "


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_b15_messages_come_in_the_order_in_which_the_graph_has_them(form: str) -> None:
    """langgraph #1818: streamed and whole messages of one run came out of order."""
    model = ScriptedChatModel(turns=["Streamed. "], cycle=True)

    async def speak(state: MessagesState) -> Any:
        return {"messages": [AIMessage("Whole. "), await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("before", lambda s: {"messages": ["ai: no"][:0]})
    builder.add_node("speak", speak).add_node(
        "after", lambda s: {"messages": [AIMessage("After.")]}
    )
    builder.add_edge(START, "before").add_edge("before", "speak").add_edge("speak", "after")
    graph = builder.compile(checkpointer=InMemorySaver())

    states = await see_states(graph, form=form)

    assert states[-1] == await values_of(graph, THREAD)
    shown = await see_form(form, graph)
    assert sorted(shown.text.split()) == ["After.", "Streamed.", "Whole."]
    assert shown.text.endswith("After.")


def thinking(name: str) -> list[Any]:
    def block(kind: str, text: str, index: int) -> AIMessageChunk:
        return AIMessageChunk(content=[{"type": kind, kind: text, "index": index}])

    return [
        block("reasoning", f"{name} thinks ", 0),
        block("reasoning", f"as {name}.", 0),
        block("text", f"{name} speaks ", 1),
        block("text", f"as {name}.", 1),
    ]


def interleaved() -> Graph:
    """Two nodes whose models think and speak at the same time."""
    builder = StateGraph(MessagesState)
    for name in ("ann", "bob"):
        model = ScriptedChatModel(turns=[thinking(name)], delay=0.001)

        async def speak(state: MessagesState, model: Any = model) -> Any:
            return {"messages": [await model.ainvoke(state["messages"])]}

        speak.__annotations__.pop("model")
        builder.add_node(name, speak)
        builder.add_edge(START, name)
    return builder.compile(checkpointer=InMemorySaver())


def supervisor() -> Graph:
    """An agent whose two tools are agents that think and speak at the same time."""
    tools = []
    for name in ("ann", "bob"):
        model = ScriptedChatModel(turns=[thinking(name)], delay=0.001)
        helper = create_agent(model, [])

        @tool(name)
        async def helps(task: str, helper: Any = helper) -> str:
            """Help."""
            done = await helper.ainvoke({"messages": [HumanMessage(task)]})
            return str(done["messages"][-1].text)

        tools.append(helps)
    asks = [call("ann", '{"task": "x"}', "a", 0), call("bob", '{"task": "y"}', "b", 1)]
    return agent([asks, "Both done."], tools)


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_b16_agents_that_speak_at_the_same_time_keep_their_own_parts(form: str) -> None:
    """vercel #13837, #18504: one agent's pieces went into the part that another had begun."""
    shown = await see_form(form, interleaved())

    for name in ("ann", "bob"):
        assert f"{name} thinks as {name}." in reasoning(shown)
        texts = [part["text"] for part in shown.parts if part["type"] == "text"]
        assert any(f"{name} speaks as {name}." in text for text in texts)


@pytest.mark.parametrize("build", [interleaved, supervisor])
async def test_b16_no_piece_is_sent_for_a_part_that_has_not_begun(build: Any) -> None:
    """vercel #13837, #18504: the AI SDK stopped over a delta of a part that it did not know."""
    chunks = await collect(stream_graph(build(), human(), THREAD))
    for sdk in SDKS:
        answer = read(encode(chunks, VERSIONS[sdk]), sdk)
        assert (answer.error, answer.warnings) == (None, [])
        told = [part["text"] for part in answer.parts if part["type"] == "reasoning"]
        for name in ("ann", "bob"):
            own = [text for text in told if name in text]
            assert "".join(own) == f"{name} thinks as {name}."
            assert len(own) == 1 or build is supervisor  # There the two take turns, live.


def falling_back(delay: float = 0.0) -> Graph:
    """A node whose first model breaks off, and one after it."""
    first = ScriptedChatModel(turns=[["Half ", RuntimeError("gone")]])
    second = ScriptedChatModel(turns=[["Wh", 2 * delay, "ole ", delay, "answer. "]])
    third = ScriptedChatModel(turns=["And more."])

    async def speak(state: MessagesState) -> Any:
        return {"messages": [await first.with_fallbacks([second]).ainvoke(state["messages"])]}

    async def give_up(state: MessagesState) -> Any:
        try:
            broken = ScriptedChatModel(turns=[["Or ", RuntimeError("gone")]])
            return {"messages": [await broken.ainvoke(state["messages"])]}
        except RuntimeError:
            return {"messages": [AIMessage("Sorry. ")]}

    async def go_on(state: MessagesState) -> Any:
        return {"messages": [await third.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("speak", speak).add_node("give_up", give_up)
    builder.add_node("go_on", go_on).add_edge(START, "speak")
    builder.add_edge("speak", "give_up").add_edge("give_up", "go_on")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", [*FOUR_FORMS, "messages and values"])
async def test_b16_an_answer_that_broke_off_holds_no_other_back(form: str) -> None:
    """vercel #18504: one cursor for all of the run stood where a model had failed."""
    shown = await see_form(form, falling_back())

    assert shown.text == "Half Whole answer. Or Sorry. And more."


async def test_b16_a_fallback_is_told_live() -> None:
    """vercel #18504: the model that steps in is heard live, once the first one is silent."""
    text, times = "", []
    async for chunk in stream_graph(falling_back(0.6), human(), THREAD):
        if chunk.type == "text-delta":
            text += chunk.text_delta
            times.append((text, time.monotonic()))

    said_whole = next(at for text, at in times if text.endswith("Whole "))
    said_answer = next(at for text, at in times if text.endswith("answer. "))
    assert said_answer - said_whole > 0.2


def team() -> Graph:
    """Two agents side by side, each with a tool that has an agent in it, all at the same time."""
    builder = StateGraph(MessagesState)
    for name in ("ann", "bob"):
        inner = create_agent(
            ScriptedChatModel(turns=[[f"{name} ", "looks ", "up."]], delay=0.002), []
        )

        @tool(name)
        async def looks(key: str, inner: Any = inner) -> str:
            """Look a key up."""
            done = await inner.ainvoke({"messages": [HumanMessage(key)]})
            return str(done["messages"][-1].text)

        asks = [f"{name} ", "asks. ", call(name, '{"key"', f"{name}_1", 0), call(None, ': "x"}')]
        model = ScriptedChatModel(turns=[asks, [f"{name} ", "is ", "done. "]], delay=0.002)
        builder.add_node(f"{name}_node", create_agent(model, [looks]))
        builder.add_edge(START, f"{name}_node")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", [*FOUR_FORMS, "events v1", "tuples and tasks", "server parts"])
async def test_b16_agents_at_work_at_the_same_time_keep_their_own_calls(form: str) -> None:
    """vercel #18504: while two agents called tools, the pieces of their calls changed places."""
    shown = await see_form(form, team())

    own = [part for part in shown.parts if not part.get("parentId")]
    text = "".join(part["text"] for part in own if part["type"] == "text")
    for name in ("ann", "bob"):
        assert text.count(f"{name} asks. ") == text.count(f"{name} is done. ") == 1
        assert (f"{name}_1", name, {"key": "x"}) in calls(shown)
        assert results(shown)[f"{name}_1"] == f"{name} looks up."
        inner = [part["text"] for part in shown.parts if part.get("parentId") == f"{name}_1"]
        assert "".join(inner) == f"{name} looks up."


async def test_b17_no_call_looks_failed_while_its_sub_agent_is_at_work() -> None:
    """assistant-ui #3836: a tool's card flashed an error while the subgraph in it streamed."""
    wire = await received(stream_graph(supervisor(), human(), THREAD))

    shown = decode(wire, messages=True).checked()

    for message in shown.messages:
        for part in message["parts"]:
            if part["type"] == "tool-call":
                assert not part.get("isError")
                assert part["status"]["type"] in ("running", "complete")
    ended = next(n for n, m in enumerate(shown.messages) if m["status"]["type"] == "complete")
    answered = next(
        n
        for n, message in enumerate(shown.messages)
        if {p.get("toolCallId") for p in message["parts"] if "result" in p} == {"a", "b"}
    )
    assert answered < ended
    assert call_part(shown, "a")["result"] == "ann speaks as ann."
