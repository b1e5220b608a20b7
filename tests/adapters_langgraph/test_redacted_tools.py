"""What calls, tools, questions and states have in them is redacted as texts are."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain.agents.middleware.pii import PIIDetectionError
from langchain_core._api import suppress_langchain_beta_warning
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolRuntime
from langgraph.types import Command

from assistant_stream_ce.testing import check_stream, collect
from assistant_stream_langgraph import from_langgraph_events, stream_graph
from tests.adapters_langchain.shown import calls, results, show
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.redacting import (
    CONFIG,
    LONG,
    MAILED,
    SECRETS,
    Card,
    agent,
    guard,
    mailing,
    run,
    told,
)
from tests.adapters_langgraph.runs import Run, call


@pytest.mark.parametrize("options", [{}, {"parts": False}, {"predict": {"x": ("mail", "body")}}])
async def test_calls_and_their_results_are_redacted_and_the_tool_gets_the_truth(
    options: Any,
) -> None:
    MAILED.clear()
    graph = mailing(guard(apply_to_tool_results=True))
    made = await run(graph, **options)
    assert [SECRETS["email"]] == MAILED
    shown = told(made)
    assert "kqzw" not in shown
    assert "\\u0061" not in shown
    if options.get("parts", True):
        message = show(made.chunks)
        args = {"to": "[REDACTED_EMAIL]", "body": "line\n[REDACTED_EMAIL] [REDACTED_EMAIL]"}
        assert calls(message) == [("c1", "mail", args)]
        assert results(message)["c1"].startswith("Sent line\n[REDACTED_EMAIL]")
        assert [part["type"] for part in message.parts] == ["text", "tool-call", "text"]
        assert message.text == "I write it.Done with [REDACTED_EMAIL]."
        assert made.parts.finish is not None
        assert (made.parts.finish.finish_reason, made.parts.finish.output_tokens) == ("stop", 6)


async def test_what_a_tool_says_before_its_result_is_redacted() -> None:
    secret = SECRETS["email"]

    @tool
    def look(q: str, runtime: ToolRuntime) -> str:
        """Look."""
        for piece in ("found ", *secret, " ", LONG):
            runtime.emit_output_delta(piece)
        runtime.emit_output_delta({"found": [secret]})
        get_stream_writer()({"type": "progress", "done": 1})
        return secret

    graph = agent([[call("look", '{"q": "x"}', "c1")], "Done."], tools=[look])
    made = await run(graph)
    parts = [(part.name, part.data) for part in made.parts.data]
    assert ("tool-output", {"found": ["[REDACTED_EMAIL]"]}) in parts
    assert ("progress", {"type": "progress", "done": 1}) in parts
    assert {part.parent_id for part in made.parts.data} == {"c1"}
    assert "kqzw" not in told(made)


async def test_what_a_person_is_asked_is_redacted_and_the_answer_goes_on() -> None:
    MAILED.clear()
    graph = mailing(guard(apply_to_tool_results=True), HumanInTheLoopMiddleware({"mail": True}))
    for options in ({}, {"parts": False}):
        made = await run(graph, **options)
        (waiting,) = made.state["interrupts"]
        assert waiting["actions"][0]["tool_call_id"] == "c1"
        (request,) = waiting["value"]["action_requests"]
        assert request["args"]["to"] == "[REDACTED_EMAIL]"
        assert "kqzw" not in told(made)
        graph = mailing(guard(apply_to_tool_results=True), HumanInTheLoopMiddleware({"mail": True}))
    await run(graph)
    state = graph.get_state(CONFIG)
    resume = Command(resume={state.interrupts[0].id: {"decisions": [{"type": "approve"}]}})
    made = await run(graph, resume)
    assert [SECRETS["email"]] == MAILED
    assert "kqzw" not in told(made)
    assert made.parts.text == "Done with [REDACTED_EMAIL]."


async def test_objects_in_the_state_are_redacted_too() -> None:
    class State(MessagesState):
        card: Card
        cards: dict[str, Card]

    def write(state: State) -> Any:
        card = Card(owner="Ann", mails=[SECRETS["email"]])
        return {"card": card, "cards": {"a": card}, "messages": [AIMessage(SECRETS["email"])]}

    builder = StateGraph(State).add_node(write).add_edge(START, "write")
    graph = builder.compile(transformers=guard().transformers, checkpointer=InMemorySaver())
    made = await run(graph)
    shown = {"owner": "Ann", "mails": ["[REDACTED_EMAIL]"]}
    assert made.state == {"card": shown, "cards": {"a": shown}}
    assert made.parts.text == "[REDACTED_EMAIL]"
    assert "kqzw" not in told(made)


async def test_structured_output_is_redacted() -> None:
    args = f'{{"owner": "Ann", "mails": ["{SECRETS["email"]}"]}}'
    graph = agent([[call("Card", args, "c1")]], response_format=Card)
    made = await run(graph)
    assert made.state["structured_response"]["mails"] == ["[REDACTED_EMAIL]"]
    assert "kqzw" not in told(made)


async def test_a_stream_of_version_3_that_somebody_else_has_opened_is_told_to_its_end() -> None:
    graph = mailing(guard(apply_to_tool_results=True))
    with suppress_langchain_beta_warning():
        events = await graph.astream_events(human("hi"), CONFIG, version="v3")
    made = Run(await collect(from_langgraph_events(events)))
    assert made.parts.text == "I write it.Done with [REDACTED_EMAIL]."
    assert '"to": "[REDACTED_EMAIL]"' in made.parts.calls["c1"].args


# Other blocks


@pytest.mark.parametrize("strategy", ["redact", "mask", "hash"])
async def test_what_is_neither_text_nor_arguments_is_redacted_as_in_the_state(
    strategy: str,
) -> None:
    secret = SECRETS["email"]
    found = {"type": "server_tool_result", "tool_call_id": "s1", "status": "success"}
    blocks: list[Any] = [
        {"type": "text", "text": f"See {secret}", "annotations": [cited(secret)]},
        {"type": "image", "url": f"https://example.com/{secret}"},
        {"type": "server_tool_call", "name": "web", "id": "s1", "args": {"q": secret}},
        {**found, "output": {"found": [secret]}},
    ]
    turn = [AIMessageChunk(content=[{**b, "index": i}]) for i, b in enumerate(blocks)]
    for options in ({}, {"parts": False}):
        graph = agent([turn], guard(strategy=strategy))
        made = await run(graph, **options)
        assert "kqzw" not in told(made)
        if not options:
            hidden = made.parts.text.removeprefix("See ")
            (source,) = (chunk for chunk in made.chunks if chunk.type == "source")
            assert source.title == hidden
            (result,) = (chunk for chunk in made.chunks if chunk.type == "tool-result")
            assert result.result == {"found": [hidden]}


def cited(secret: str) -> dict[str, str]:
    return {"type": "citation", "url": f"https://example.com/{secret}", "title": secret}


async def test_other_blocks_that_are_blocked_are_not_told() -> None:
    secret = SECRETS["email"]
    image = {"type": "image", "url": f"https://example.com/{secret}", "index": 0}
    graph = agent([[AIMessageChunk(content=[image])]], guard(strategy="block"))
    chunks: list[Any] = []
    with pytest.raises(PIIDetectionError):
        async for chunk in stream_graph(graph, human("hi"), CONFIG):
            chunks.append(chunk)
    check_stream(chunks)
    assert "kqzw" not in repr(chunks)
