"""What a graph does besides talking, as the real client shows it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

from assistant_stream_ce import AssistantTransportResponse, DataStreamResponse, StepFinishChunk
from assistant_stream_ce.serialization import DataStreamEncoder
from assistant_stream_ce.serialization.decoders import DataStreamDecoder
from assistant_stream_ce.testing import collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from tests.adapters_langchain.shown import show
from tests.adapters_langgraph.graphs import human, weather
from tests.adapters_langgraph.runs import FORMS, Graph, call, play
from tests.npm import Decoded, Protocol, decode

CONFIG = {"configurable": {"thread_id": "1"}}
FORMS_SHOWN = ["tuples", "v2", "updates", "events v2", "events v3"]


def part_of(shown: Decoded, call_id: str) -> dict[str, Any]:
    [part] = [part for part in shown.parts if part.get("toolCallId") == call_id]
    return part


class Report(BaseModel):
    """A report."""

    good: bool
    pages: list[int]


def writes(*messages: Any) -> Graph:
    """A graph whose only node writes messages."""
    builder = StateGraph(MessagesState)
    builder.add_node("write", lambda state: {"messages": list(messages)})
    builder.add_edge(START, "write")
    return builder.compile()


def calls(*ids: str) -> AIMessage:
    made = [{"name": "make", "args": {}, "id": call_id} for call_id in ids]
    return AIMessage("", tool_calls=made, id="calls")


@pytest.mark.parametrize("form", FORMS_SHOWN)
async def test_a_result_has_its_artifact_its_blocks_and_whether_it_failed(form: str) -> None:
    blocks: list[str | dict[str, Any]] = [{"type": "text", "text": "by block"}, "and text"]
    graph = writes(
        calls("a", "b", "c"),
        ToolMessage("", tool_call_id="a", artifact=Report(good=True, pages=[1, 2])),
        ToolMessage(blocks, tool_call_id="b", status="error"),
        ToolMessage("last", tool_call_id="c", id="c-message", name="make"),
    )
    shown = show((await play(FORMS[form](graph, human("go"), CONFIG))).chunks)
    a, b, c = (part_of(shown, call_id) for call_id in "abc")
    assert a["artifact"] == {"good": True, "pages": [1, 2]}
    assert (a["isError"], b["isError"], c["isError"]) == (False, True, False)
    assert b["result"] == blocks
    assert c["result"] == "last"


@pytest.mark.parametrize("form", FORMS_SHOWN)
async def test_what_a_tool_returns_is_shown_as_the_model_is_told_it(form: str) -> None:
    @tool
    def make() -> Any:
        """Make a report."""
        return Report(good=True, pages=[1, 2])

    @tool
    def table() -> dict[str, Any]:
        """Make a table."""
        return {"rows": [1], "text": "ü"}

    turns = [[call("make", "{}", "a", 0), call("table", "{}", "b", 1)], "Done."]
    model = ScriptedChatModel(turns=turns)
    graph = create_agent(model, tools=[make, table])
    shown = show((await play(FORMS[form](graph, human("go"), CONFIG))).chunks)
    told = {m.tool_call_id: m.content for m in model.calls[-1] if isinstance(m, ToolMessage)}
    assert {call_id: part_of(shown, call_id)["result"] for call_id in "ab"} == told
    assert told["b"] == '{"rows": [1], "text": "ü"}'


@pytest.mark.parametrize("form", ["tuples", "v2", "events v2"])
async def test_a_tool_that_the_provider_runs_is_a_call_with_its_result(form: str) -> None:
    """It is in the model's answer, so the graph itself never runs it."""
    found = [{"type": "web_search_result", "url": "https://a.example", "title": "A"}]
    blocks: list[dict[str, Any]] = [
        {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}, "index": 0},
        {"type": "input_json_delta", "partial_json": '{"query": "a"}', "index": 0},
        {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": found, "index": 1},
        {"type": "text", "text": "Here it is.", "index": 2},
    ]
    turn = [AIMessageChunk(content=[block], id="msg_1") for block in blocks]
    graph = create_agent(ScriptedChatModel(turns=[turn]), tools=[weather])
    shown = show((await play(FORMS[form](graph, human("go"), CONFIG))).chunks)
    part = part_of(shown, "srv_1")
    assert (part["toolName"], part["args"], part["result"]) == (
        "web_search",
        {"query": "a"},
        found,
    )
    assert shown.text == "Here it is."
    assert shown.status == {"type": "complete", "reason": "stop"}


RESPONSES = {
    "data-stream": DataStreamResponse,
    "assistant-transport": AssistantTransportResponse,
}


async def failed(graph: Graph, protocol: Protocol, **config: Any) -> Decoded:
    """What the client shows of a run that fails: the body has to end by itself."""
    body = b""

    async def send(message: Any) -> None:
        nonlocal body
        body += message.get("body", b"")

    await RESPONSES[protocol](stream_graph(graph, human("go"), config)).stream_response(send)
    return decode(body, protocol)


@pytest.mark.parametrize("protocol", RESPONSES)
async def test_an_error_after_a_part_of_the_answer_keeps_that_part(
    protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    turn = ["Half an ", call("weather", '{"city": "Os', "call_1"), RuntimeError("secret path")]
    graph = create_agent(ScriptedChatModel(turns=[turn]), tools=[weather])
    shown = await failed(graph, protocol)
    assert shown.text == "Half an "
    assert part_of(shown, "call_1")["argsText"] == '{"city": "Os'
    assert part_of(shown, "call_1")["isError"] is True
    assert shown.status["type"] == "incomplete"
    assert shown.status["reason"] == "error"


@pytest.mark.parametrize("protocol", RESPONSES)
async def test_the_recursion_limit_ends_the_answer_like_any_error(
    protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)

    def turn(messages: list[Any]) -> Any:
        return ["Again. ", call("weather", '{"city": "Oslo"}', f"call_{len(messages)}")]

    graph = create_agent(ScriptedChatModel(turns=[turn], cycle=True), tools=[weather])
    shown = await failed(graph, protocol, recursion_limit=4)
    parts = [part for part in shown.parts if part["type"] == "tool-call"]
    assert [part["result"] for part in parts] == ["sunny in Oslo"] * len(parts)
    assert shown.text.startswith("Again. ")
    assert shown.status["reason"] == "error"


@pytest.mark.parametrize("steps", ["run", "model"])
async def test_a_step_says_how_long_it_and_its_first_token_took(steps: Any) -> None:
    answer = [0.05, "", 0.05, "Hello", 0.05, " world"]
    model = ScriptedChatModel(turns=[[call("weather", '{"city": "Oslo"}', "call_1"), 0.02], answer])
    graph = create_agent(model, tools=[weather])
    chunks = await collect(stream_graph(graph, human("go"), steps=steps))
    finished = [chunk for chunk in chunks if chunk.type == "step-finish"]
    assert len(finished) == {"run": 1, "model": 2}[steps]
    times: list[Any] = [(step.time_to_first_token, step.duration) for step in finished]
    assert all(0 <= first < whole for first, whole in times)
    first, whole = times[-1]
    assert whole >= 0.15
    if steps == "model":
        assert 0.1 <= first <= whole - 0.05
    show(chunks)  # The client takes it.
    wire = DataStreamEncoder().encode_chunk(finished[-1])
    assert f'"timeToFirstToken":{first},"duration":{whole}' in wire
    [read] = DataStreamDecoder().feed(wire.encode())
    assert isinstance(read, StepFinishChunk)
    assert (read.time_to_first_token, read.duration) == (first, whole)


async def test_tokens_reason_and_usage_stand_at_the_end_of_the_step() -> None:
    last = AIMessageChunk(
        content="",
        response_metadata={"finish_reason": "length"},
        usage_metadata={"input_tokens": 7, "output_tokens": 2, "total_tokens": 9},
    )
    graph = create_agent(ScriptedChatModel(turns=[["Too lo", last]]), tools=[])
    for steps in ("run", "model"):
        shown = show(await collect(stream_graph(graph, human("go"), steps=steps)))  # type: ignore[arg-type]
        [step] = shown.metadata["steps"]
        assert step["usage"] == {"inputTokens": 7, "outputTokens": 2}
        assert shown.status == {"type": "incomplete", "reason": "length"}
        graph = create_agent(ScriptedChatModel(turns=[["Too lo", last]]), tools=[])
