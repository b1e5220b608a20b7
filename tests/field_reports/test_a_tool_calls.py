"""Group A of the field reports: tool calls."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.tools import InjectedState, InjectedToolCallId, ToolRuntime
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt

from assistant_stream_ce import create_run, from_langgraph_events
from assistant_stream_ce.testing import collect
from assistant_stream_langchain.chains import stream_chain
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from assistant_stream_langgraph.app import create_app
from tests.adapters_langchain import chat_completions
from tests.adapters_langchain import test_anthropic as anthropic
from tests.adapters_langchain import test_bedrock as bedrock
from tests.adapters_langchain import test_gemini as gemini
from tests.adapters_langchain.provider import Provider
from tests.adapters_langchain.shown import calls, kinds, reasoning, results, show
from tests.adapters_langgraph.runs import FORMS, Graph, call, play, usage
from tests.app.serving import Chat, serving
from tests.npm import decode

from .screen import (
    FOUR_FORMS,
    THREAD,
    agent,
    ask,
    call_part,
    human,
    received,
    see,
    see_ag_ui,
    see_form,
    see_states,
)

Item = dict[str, Any]

PARIS, ROME = {"city": "Paris"}, {"city": "Rome"}


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


@tool
def clock() -> str:
    """Tell the time."""
    return "noon"


INTERLEAVED = [
    "Both. ",
    call("weather", "", "a", 0),
    call("weather", "", "b", 1),
    call(None, '{"city": "P', None, 0),
    call(None, '{"city": ', None, 1),
    call(None, 'aris"}', None, 0),
    call(None, '"Rome"}', None, 1),
]
"""Two calls whose arguments come in turns."""


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_a01_arguments_of_parallel_calls_stay_with_their_call(form: str) -> None:
    """ag-ui #1776, #1016: what the second call was asked went to the first."""
    graph = agent([INTERLEAVED, "Sunny."], [weather])
    run = await play(FORMS[form](graph, human(), THREAD))

    shown = show(run.chunks)
    assert calls(shown) == [("a", "weather", PARIS), ("b", "weather", ROME)]
    assert results(shown) == {"a": "sunny in Paris", "b": "sunny in Rome"}
    assert see_ag_ui(run.chunks).calls == {"a": '{"city": "Paris"}', "b": '{"city": "Rome"}'}


async def test_a01_arguments_of_calls_one_after_the_other_stay_apart_too() -> None:
    """ag-ui #1776: a second call in the same answer was merged into the first."""
    turn = [
        call("weather", '{"city"', "a", 0),
        call(None, ': "Paris"}', None, 0),
        call("weather", '{"city"', "b", 0),
        call(None, ': "Rome"}', None, 0),
    ]
    model = ScriptedChatModel(turns=[turn])

    shown = await see(from_langgraph_events(model.astream("go")))

    assert calls(shown) == [("a", "weather", PARIS), ("b", "weather", ROME)]


async def test_a02_a_call_that_comes_in_one_piece_shows_its_arguments(provider: Provider) -> None:
    """ag-ui #2463, #2464, Idun #629: Gemini sends a call whole, and its arguments never came."""
    client = pytest.importorskip("langchain_google_genai")
    model = client.ChatGoogleGenerativeAI(
        model="gemini-2.5-flash", api_key="k", base_url=provider.url, max_retries=1
    )
    provider.says(
        gemini.said([{"functionCall": {"name": "weather", "args": PARIS}}]).streamed,
        gemini.said([{"text": "Sunny."}]).streamed,
    )

    shown = await ask(create_agent(model, [weather]), config=None)

    [(call_id, name, args)] = calls(shown)
    assert (name, args) == ("weather", PARIS)
    assert results(shown) == {call_id: "sunny in Paris"}
    assert shown.text == "Sunny."


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_a02_arguments_that_only_the_finished_message_has_are_shown(form: str) -> None:
    """ag-ui #2463: the stream names the call, and only the node's own message says with what."""
    model = ScriptedChatModel(turns=[[call("weather", "", "a")]])

    async def speak(state: MessagesState) -> Any:
        streamed = await model.ainvoke(state["messages"])
        asked: Any = {"name": "weather", "args": PARIS, "id": "a", "type": "tool_call"}
        return {"messages": [AIMessage("", id=streamed.id, tool_calls=[asked])]}

    builder = StateGraph(MessagesState).add_node("speak", speak).add_edge(START, "speak")

    shown = await see_form(form, builder.compile())

    assert calls(shown) == [("a", "weather", PARIS)]


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_a03_a_chunk_may_carry_everything_at_once(form: str) -> None:
    """ag-ui #1678, #2606, #2009: a call that came in the same chunk as text was dropped."""
    full: Any = AIMessageChunk(
        content=[
            {"type": "reasoning", "reasoning": "Two cities."},
            {"type": "text", "text": " Looking."},
        ],
        tool_call_chunks=[
            {"name": "weather", "args": '{"city": "Paris"}', "id": "a", "index": 2},  # type: ignore[list-item]
            {"name": "weather", "args": '{"city": "Rome"}', "id": "b", "index": 3},  # type: ignore[list-item]
        ],
        usage_metadata={"input_tokens": 7, "output_tokens": 5, "total_tokens": 12},
        response_metadata={"finish_reason": "tool_calls"},
    )
    graph = agent([[full], "Done."], [weather])

    shown = await see_form(form, graph)

    assert kinds(shown) == ["reasoning", "text", "tool-call", "tool-call", "text"]
    assert reasoning(shown) == ["Two cities."]
    assert shown.text == " Looking.Done."
    assert calls(shown) == [("a", "weather", PARIS), ("b", "weather", ROME)]
    assert shown.metadata["steps"][0]["usage"]["inputTokens"] == 7


TURNING: Any = AIMessageChunk(
    content="see.", tool_call_chunks=call("weather", '{"city"', "a").tool_call_chunks
)
"""The last word of the text and the first piece of a call."""


@pytest.mark.parametrize("form", ["tuples", "v2", "events v2"])
async def test_a03_the_chunk_in_which_text_turns_into_a_call_loses_neither(form: str) -> None:
    """ag-ui #1678, #2606: the last word of the text and the first piece of the call come as one."""
    turn = ["Let me ", TURNING, call(None, ': "Paris"}'), usage(1, 2)]

    shown = await see_form(form, agent([turn, "Sunny."], [weather]))

    assert shown.text == "Let me see.Sunny."
    assert calls(shown) == [("a", "weather", PARIS)]


async def test_a03_a_call_that_langchain_tears_is_shown_as_the_graph_has_it() -> None:
    """ag-ui #2606: version 3 of the events breaks such a call, and no other may get its pieces."""
    torn = TURNING.model_copy(
        update={"tool_call_chunks": call("weather", '{"city"', "a", 1).tool_call_chunks}
    )
    turn = [call("clock", "", "t", 0), torn, call(None, ': "Paris"}', None, 1)]
    graph = agent([turn, "Sunny."], [weather, clock])

    shown = await see_form("events v3", graph)

    [asked] = [
        message
        for message in (await graph.aget_state(THREAD)).values["messages"]
        if getattr(message, "tool_calls", None)
    ]
    assert calls(shown) == [(made["id"], made["name"], made["args"]) for made in asked.tool_calls]
    assert shown.text == "see.Sunny."


@tool
def outer(city: str) -> str:
    """Ask another tool."""
    return str(weather.invoke({"city": city}))


async def test_a04_a_tool_inside_a_tool_does_not_tell_the_outer_call_again() -> None:
    """ag-ui #1773: the end of an inner tool sent the outer call's arguments a second time."""
    turns = [[call("outer", '{"city": "Paris"}', "a")], "Sunny."]
    wanted = ("a", "outer", PARIS)
    for form in FOUR_FORMS:
        shown = await see_form(form, agent(turns, [outer]))
        assert [made for made in calls(shown) if made[0] == "a"] == [wanted]
        assert results(shown)["a"] == "sunny in Paris"
    chain = create_agent(ScriptedChatModel(turns=turns), [outer])
    chunks = await collect(stream_chain(chain, human()))
    shown = show(chunks)
    assert [made for made in calls(shown) if made[0] == "a"] == [wanted]
    assert [c.type for c in chunks].count("tool-call-begin") == len(calls(shown)) == 2


@tool
def book(city: str) -> str:
    """Book a trip."""
    return f"booked {city}: {interrupt('Sure?')}"


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_a04_a_resumed_run_does_not_announce_its_calls_again(form: str) -> None:
    """ag-ui #2014: after the user's answer the calls from before the pause came once more."""
    graph = agent([[call("book", '{"city": "Rome"}', "a")], "Enjoy."], [book])
    paused = await see_form(form, graph)
    assert calls(paused) == [("a", "book", ROME)]

    resumed = await see_form(form, graph, Command(resume="yes"))

    assert calls(resumed) == []
    assert resumed.text == "Enjoy."


async def test_a05_every_call_keeps_its_id_and_its_arguments_only_grow() -> None:
    """assistant-ui #1235: with parallel tools the client stopped over a call that had changed."""
    graph = agent([INTERLEAVED, "Sunny."], [weather])
    wire = await received(stream_graph(graph, human(), THREAD))
    shown = decode(wire, messages=True).checked()
    assert [call_id for call_id, _, _ in calls(shown)] == ["a", "b"]
    seen: dict[str, str] = {}
    for message in shown.messages:
        for part in message["parts"]:
            if part["type"] == "tool-call":
                text = part["argsText"]
                assert text.startswith(seen.get(part["toolCallId"], ""))
                seen[part["toolCallId"]] = text
    assert seen == {"a": '{"city": "Paris"}', "b": '{"city": "Rome"}'}


async def test_a05_calls_in_the_state_keep_their_place() -> None:
    """assistant-ui #1235, where the page renders from state: ids stay, and stay where they are."""
    states = await see_states(agent([INTERLEAVED, "Sunny."], [weather]))
    listed = [
        [made["id"] for made in message["tool_calls"]]
        for state in states
        for message in state["messages"]
        if message["type"] == "ai" and message["tool_calls"]
    ]
    assert all(ids == ["a", "b"][: len(ids)] for ids in listed)
    assert [made["args"] for made in states[-1]["messages"][1]["tool_calls"]] == [PARIS, ROME]


async def test_a06_parallel_calls_of_bedrock_are_told_apart(
    provider: Provider, monkeypatch: Any
) -> None:
    """langchain #35281, #34807: calls that Bedrock streams side by side shared one place."""
    client = pytest.importorskip("langchain_aws")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    model = client.ChatBedrockConverse(
        model="anthropic.claude-sonnet-4-20250514-v1:0",
        provider="anthropic",
        region_name="us-east-1",
        endpoint_url=provider.url,
        aws_access_key_id="k",
        aws_secret_access_key="s",
    )
    provider.says(
        bedrock.said(
            bedrock.tool_use("a", '{"city":', ' "Paris"}'),
            bedrock.tool_use("b", '{"city": "Rome"}'),
            stop_reason="tool_use",
        ).streamed,
        bedrock.said(bedrock.text("Sunny.")).streamed,
    )

    shown = await ask(create_agent(model, [weather]), config=None)

    assert calls(shown) == [("a", "weather", PARIS), ("b", "weather", ROME)]
    assert results(shown) == {"a": "sunny in Paris", "b": "sunny in Rome"}


SHAPES = {
    "langchain #34807: one index for all": [
        call("weather", '{"city"', "a", 0),
        call(None, ': "Paris"}', None, 0),
        call("weather", '{"city"', "b", 0),
        call(None, ': "Rome"}', None, 0),
    ],
    "langchain #34654: no index": [
        call("weather", '{"city"', "a", None),
        call(None, ': "Paris"}', None, None),
        call("weather", '{"city"', "b", None),
        call(None, ': "Rome"}', None, None),
    ],
    "langchain #38673: another id for every piece": [
        call("weather", '{"city"', "a", 0),
        call("", ': "Paris"}', "x1", 0),
        call("weather", '{"city"', "b", 1),
        call("", ': "Rome"}', "x2", 1),
    ],
    "langchain #38673: the id is the word null": [
        call("weather", '{"city"', "a", 0),
        call("", ': "Paris"}', "null", 0),
        call("weather", '{"city"', "b", 1),
        call("", ': "Rome"}', "null", 1),
    ],
    "langgraph #4853: name and id empty after the first piece": [
        call("weather", '{"city"', "a", 0),
        call("", ': "Paris"}', "", 0),
        call("weather", '{"city"', "b", 1),
        call("", ': "Rome"}', "", 1),
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", ["messages", "events v2"])
async def test_a06_pieces_of_calls_find_their_call_however_they_are_marked(
    shape: str, form: str
) -> None:
    """langchain #34807, #34654, #38673, langgraph #4853: calls were mixed up, split or nameless."""
    model = ScriptedChatModel(turns=[SHAPES[shape]])

    async def speak(state: MessagesState) -> Any:
        async for _ in model.astream(state["messages"]):
            pass
        return {}

    builder = StateGraph(MessagesState).add_node("speak", speak).add_edge(START, "speak")

    shown = await see_form(form, builder.compile())

    assert calls(shown) == [("a", "weather", PARIS), ("b", "weather", ROME)]


async def test_a06_calls_of_mistral_keep_one_id_from_request_to_result(provider: Provider) -> None:
    """langchain #38673: Mistral's calls changed their id on the way, so no result was theirs."""
    client = pytest.importorskip("langchain_mistralai")
    model = client.ChatMistralAI(
        model="mistral-large", api_key="k", endpoint=f"{provider.url}/v1", max_retries=1
    )
    asked: list[Item] = [
        {"index": index, "id": call_id, "function": {"name": "weather", "arguments": args}}
        for index, (call_id, args) in enumerate(
            (("aaaaaaaaa", '{"city": "Paris"}'), ("bbbbbbbbb", '{"city": "Rome"}'))
        )
    ]
    provider.says(
        chat_completions.said(
            {"content": "", "tool_calls": asked}, finish_reason="tool_calls"
        ).streamed,
        chat_completions.said({"content": "Sunny."}).streamed,
    )

    shown = await ask(create_agent(model, [weather]), config=None)

    assert calls(shown) == [("aaaaaaaaa", "weather", PARIS), ("bbbbbbbbb", "weather", ROME)]
    assert results(shown) == {"aaaaaaaaa": "sunny in Paris", "bbbbbbbbb": "sunny in Rome"}


async def test_a07_a_tool_without_arguments_has_an_empty_object(provider: Provider) -> None:
    """langchain #23911: Anthropic sends no arguments at all, and clients could not parse that."""
    model = anthropic.ChatAnthropic(
        model_name="claude-test",
        api_key="k",
        base_url=provider.url,
        max_retries=0,  # type: ignore[arg-type]
    )
    provider.says(
        anthropic.said(anthropic.tool_use("a", name="clock"), stop_reason="tool_use").streamed,
        anthropic.said(anthropic.text("It is ", "noon.")).streamed,
    )

    chunks = await collect(stream_graph(create_agent(model, [clock]), human()))

    shown = show(chunks)
    assert calls(shown) == [("a", "clock", {})]
    assert call_part(shown, "a")["argsText"] == "{}"
    assert results(shown) == {"a": "noon"}
    assert shown.text == "It is noon."
    assert see_ag_ui(chunks).calls == {"a": "{}"}


@tool
def tells_text(call_id: Annotated[str, InjectedToolCallId]) -> Any:
    """Return text."""
    return "done"


@tool
def tells_list(call_id: Annotated[str, InjectedToolCallId]) -> Any:
    """Return a list."""
    return [{"n": 1}, {"n": 2}]


@tool
def tells_command(call_id: Annotated[str, InjectedToolCallId]) -> Any:
    """Return a command with an answer."""
    return Command(update={"messages": [ToolMessage("by command", tool_call_id=call_id)]})


@tool
def tells_message(call_id: Annotated[str, InjectedToolCallId]) -> Any:
    """Return a message without a name or an id."""
    return ToolMessage("by message", tool_call_id=call_id)


@tool
def tells_nothing(call_id: Annotated[str, InjectedToolCallId]) -> Any:
    """Return nothing."""
    return None


@tool
def tells_blocks(call_id: Annotated[str, InjectedToolCallId]) -> Any:
    """Return content blocks."""
    return [{"type": "text", "text": "by block"}]


RETURNED: list[tuple[BaseTool, Any]] = [
    (tells_text, "done"),
    (tells_list, '[{"n": 1}, {"n": 2}]'),
    (tells_command, "by command"),
    (tells_message, "by message"),
    (tells_nothing, "null"),
    (tells_blocks, [{"type": "text", "text": "by block"}]),
]


@pytest.mark.parametrize("form", [*FOUR_FORMS, "updates"])
@pytest.mark.parametrize(("made", "result"), RETURNED, ids=lambda value: getattr(value, "name", ""))
async def test_a08_a_tool_may_return_anything(made: BaseTool, result: Any, form: str) -> None:
    """ag-ui #1072, #639, CopilotKit #3552: a list, a Command, or no name ended the stream."""
    graph = agent([[call(made.name, "{}", "a")], "Thanks."], [made])

    shown = await see_form(form, graph)

    assert calls(shown) == [("a", made.name, {})]
    assert results(shown) == {"a": result}
    assert shown.text == "Thanks."


def tool_batch(turn: list[Any], *tools: BaseTool, **options: Any) -> Graph:
    """A hand-built agent, whose calls are run by one task."""
    model = ScriptedChatModel(turns=[turn, "Thanks."])

    async def speak(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("speak", speak)
    builder.add_node("tools", ToolNode(tools, **options))
    builder.add_edge(START, "speak").add_edge("tools", "speak")
    builder.add_conditional_edges("speak", tools_condition)
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("form", [*FOUR_FORMS, "updates"])
async def test_a08_several_commands_of_one_node_are_results_too(form: str) -> None:
    """ag-ui #639: the tools of one node answered with a list of commands, and none was shown."""
    turn = [call("tells_command", "{}", "a", 0), call("tells_command", "{}", "b", 1)]

    shown = await see_form(form, tool_batch(turn, tells_command))

    assert results(shown) == {"a": "by command", "b": "by command"}
    assert shown.text == "Thanks."


@pytest.mark.parametrize(("made", "result"), RETURNED, ids=lambda value: getattr(value, "name", ""))
async def test_a08_a_chain_may_call_such_a_tool_too(made: BaseTool, result: Any) -> None:
    """ag-ui #639: the same through a callback on the chain."""
    model = ScriptedChatModel(turns=[[call(made.name, "{}", "a")], "Thanks."])

    shown = await see(stream_chain(create_agent(model, [made]), human()))

    assert calls(shown) == [("a", made.name, {})]
    assert list(results(shown)) == ["a"]
    assert shown.text == "Thanks."


class Secretive(MessagesState):
    secret: Any


@tool
def peeks(
    city: str,
    state: Annotated[dict[str, Any], InjectedState],
    call_id: Annotated[str, InjectedToolCallId],
    runtime: ToolRuntime,
    config: RunnableConfig,
) -> str:
    """Look into the state."""
    return f"{city} {len(state['messages'])}"


def peeking() -> Graph:
    model = ScriptedChatModel(turns=[[call("peeks", '{"city": "Paris"}', "a")], "Seen."])

    async def speak(state: Secretive) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(Secretive)
    builder.add_node("speak", speak)
    builder.add_node("tools", ToolNode([peeks]))
    builder.add_edge(START, "speak")
    builder.add_conditional_edges("speak", tools_condition)
    builder.add_edge("tools", "speak")
    return builder.compile()


@pytest.mark.parametrize("form", [*FOUR_FORMS, "events v1", "tuples and tasks"])
async def test_a09_injected_arguments_are_never_sent(form: str) -> None:
    """CopilotKit #2567, ag-ui #519: the state that a tool is given could not be serialised."""
    given = {"messages": [HumanMessage("go")], "secret": {"key": "s3cret", "value": object()}}
    run = await play(FORMS[form](peeking(), given, None), state=["messages"])

    shown = show(run.chunks)
    assert calls(shown) == [("a", "peeks", PARIS)]
    assert results(shown) == {"a": "Paris 2"}
    assert "s3cret" not in str(run.chunks)


async def test_a09_injected_arguments_are_never_sent_by_a_callback() -> None:
    """CopilotKit #2567: the same through a callback, where the tool's start has all its input."""
    given = {"messages": [HumanMessage("go")], "secret": {"key": "s3cret", "value": object()}}
    chunks = await collect(stream_chain(peeking(), given))

    assert calls(show(chunks)) == [("a", "peeks", PARIS)]
    assert "s3cret" not in str(chunks)


@tool
def breaks(city: str) -> str:
    """Fail."""
    raise ValueError(f"no such city: {city}")


async def test_a10_a_tool_that_raises_fails_its_call_and_then_the_run() -> None:
    """langgraph #6486: tools raise by default now, and the call was left spinning for ever."""
    graph = agent([["Well. ", call("breaks", '{"city": "Oz"}', "a")]], [breaks])

    async def run(controller: Any) -> None:
        await controller.forward(stream_graph(graph, human(), THREAD))

    wire = await received(create_run(run, format_error=lambda error: "It failed."))

    shown = decode(wire)
    part = call_part(shown, "a")
    assert shown.error is None
    assert part["isError"] is True
    assert "Oz" not in str(part["result"])
    assert shown.text == "Well. "
    assert shown.status["type"] == "incomplete"
    assert shown.status["error"]["message"] == "It failed."


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_a10_a_tool_error_that_the_model_is_told_is_marked_as_one(form: str) -> None:
    """langgraph #6486: a handled error is shown as a failed result, and the run goes on."""
    turn = [call("breaks", '{"city": "Oz"}', "a")]

    shown = await see_form(form, tool_batch(turn, breaks, handle_tool_errors=True))

    assert call_part(shown, "a")["isError"] is True
    assert "no such city" in str(results(shown)["a"])
    assert shown.text == "Thanks."


@tool
def locate() -> str:
    """Find the user, in the browser."""
    raise NotImplementedError


async def test_a10_a_failed_frontend_tool_reaches_the_model_as_a_failure() -> None:
    """ag-ui #2226: the error of a tool in the browser came to the model as a success."""
    model = ScriptedChatModel(turns=[[call("locate", "{}", "a")], "Then tell me."])

    async def speak(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("speak", speak).add_edge(START, "speak")
    async with serving(create_app(builder.compile())) as http:
        chat = Chat(http)
        await chat.ask("Where am I?")

        await chat.send(
            {
                "type": "add-tool-result",
                "toolCallId": "a",
                "toolName": "locate",
                "result": {"error": "denied"},
                "isError": True,
            }
        )

        [told] = [m for m in model.calls[1] if isinstance(m, ToolMessage)]
        assert told.status == "error"
        assert "denied" in str(told.content)
        assert chat.state["messages"][2]["status"] == "error"
        assert chat.shown()[-1] == ("ai", "Then tell me.")
