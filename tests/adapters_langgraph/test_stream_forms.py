"""Forms of stream that other libraries give, each detected by itself."""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core._api import LangChainBetaWarning
from langchain_core.callbacks import adispatch_custom_event
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph_sdk.schema import StreamPart

from assistant_stream_ce.errors import AssistantStreamError
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langchain.visibility import Rule, Visibility
from assistant_stream_langgraph import from_langgraph_events
from tests.adapters_langgraph.graphs import CASES, human
from tests.adapters_langgraph.runs import FORMS, Graph, Parts, call, play

CONFIG = {"configurable": {"thread_id": "1"}}
COMPLETE = ("tuples", "v2", "events v1", "events v2", "events v3", "server parts", "remote tuples")


def part(event: str, data: Any) -> StreamPart:
    """A part of `langgraph_sdk`; its type names dicts only, though lists are as common."""
    return StreamPart(event, data)


def talking(*, tags: list[str] | None = None, streams: bool = True) -> Graph:
    """A node whose model speaks, with events of its own; another that answers without one."""
    loud = ScriptedChatModel(turns=["Out loud."], disable_streaming=not streams)
    quiet = ScriptedChatModel(turns=["secret"], tags=tags)

    async def speak(state: MessagesState) -> Any:
        await quiet.ainvoke("hm")
        get_stream_writer()({"type": "progress", "id": "p", "done": 1})
        await adispatch_custom_event("dispatched", {"step": 2})
        return {"messages": [await loud.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("speak", speak)
    builder.add_node("close", lambda state: {"messages": [AIMessage(" Whole.", id="whole")]})
    builder.add_edge(START, "speak")
    builder.add_edge("speak", "close")
    return builder.compile()


async def protocol_run(graph: Graph, given: Any) -> Any:
    with warnings.catch_warnings(action="ignore", category=LangChainBetaWarning):
        return await graph.astream_events(given, CONFIG, version="v3")


@pytest.mark.parametrize("case", ["agent", "subgraph node", "structured", "tool node batch"])
async def test_the_same_run_gives_the_same_message_whichever_form_it_came_in(case: str) -> None:
    seen: dict[str, tuple[Any, ...]] = {}
    for form in COMPLETE:
        run = await play(FORMS[form](CASES[case].build(), human("hello"), CONFIG))
        seen[form] = _message(run.parts)
    assert set(seen.values()) == {seen["tuples"]}, seen


def _message(parts: Parts) -> tuple[Any, ...]:
    calls = tuple(
        (call_id, made.name, made.args, str(made.result), made.is_error, made.parent_id)
        for call_id, made in parts.calls.items()
    )
    assert parts.finish is not None
    usage = (parts.finish.input_tokens, parts.finish.output_tokens)
    return (parts.text, parts.reasoning, calls, parts.finish.finish_reason, usage)


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("form", COMPLETE)
async def test_a_call_with_the_nostream_tag_is_not_told_by_any_form(
    form: str, streams: bool
) -> None:
    graph = talking(tags=["nostream"], streams=streams)
    # It is not even in the stream, so that no rule could show it.
    visibility = Visibility(show_internal=True)
    run = await play(FORMS[form](graph, human("hi"), CONFIG), visibility=visibility)
    assert run.parts.text == "Out loud. Whole."


async def test_run_events_tell_custom_events_that_are_dispatched() -> None:
    run = await play(talking(tags=["nostream"]).astream_events(human("hi"), version="v2"))
    assert [(item.name, item.data) for item in run.parts.data] == [("dispatched", {"step": 2})]


async def test_run_events_take_the_stream_modes_of_their_graph_without_telling_tokens_twice() -> (
    None
):
    graph = talking(tags=["nostream"])
    modes = ["messages", "updates", "custom", "values"]
    run = await play(
        graph.astream_events(human("hi"), version="v2", stream_mode=modes, subgraphs=True)
    )
    assert run.parts.text == "Out loud. Whole."
    assert {item.name for item in run.parts.data} == {"progress", "dispatched"}


async def test_a_chain_around_a_graph_does_not_hide_the_graph() -> None:
    first: Any = RunnableLambda(lambda text: human(str(text)))
    chain = first | talking(tags=["nostream"])
    run = await play(chain.astream_events("hi", version="v2"))
    assert run.parts.text == "Out loud. Whole."
    chain = first | talking(tags=["nostream"])
    run = await play(chain.astream_events("hi", version="v2"), parts=False)
    assert [m["content"] for m in run.state["messages"]] == ["hi", "Out loud.", " Whole."]


async def test_a_bare_model_is_told() -> None:
    for version in ("v1", "v2"):
        model = ScriptedChatModel(turns=["Just ", "me."])
        with warnings.catch_warnings(action="ignore"):
            run = await play(model.astream_events("hi", version=version))  # type: ignore[call-overload]
        assert run.parts.text == "Just "
    model = ScriptedChatModel(turns=[["Just ", "me."]])
    assert (await play(model.astream("hi"))).parts.text == "Just me."


async def test_the_run_object_of_version_3_is_a_stream() -> None:
    run = await play(await protocol_run(CASES["agent"].build(), human("hello")))
    assert run.parts.text == "Let me see. It is sunny."
    assert {made.result for made in run.parts.calls.values()} == {"sunny in Oslo", "value of k"}


async def test_a_reader_that_goes_ends_the_run_of_version_3_and_its_subgraphs() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def work(state: MessagesState) -> Any:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    inner = StateGraph(MessagesState).add_node("work", work).add_edge(START, "work").compile()
    outer = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner").compile()
    stream = from_langgraph_events(await protocol_run(outer, human("go")), parts=False)
    await anext(stream)
    await started.wait()
    await stream.aclose()
    assert ended.is_set()


async def test_an_error_of_a_server_ends_the_run_with_it() -> None:
    async def parts() -> AsyncIterator[Any]:
        yield part("metadata", {"run_id": "1"})
        yield part("messages", [{"type": "AIMessageChunk", "content": "So ", "id": "m"}, {}])
        yield part("error", {"error": "ValueError", "message": "no such thing"})

    with pytest.raises(AssistantStreamError, match="no such thing"):
        await play(parts())


@pytest.mark.parametrize("kind", ["ai", "AIMessageChunk"])
async def test_messages_that_a_server_tells_again_with_every_token_are_told_once(
    kind: str,
) -> None:
    def partial(content: str, args: str = "") -> StreamPart:
        piece = {"name": "look", "args": args, "id": "c1", "index": 0, "type": "tool_call_chunk"}
        pieces = [piece] if args and kind == "AIMessageChunk" else []
        message = {"type": kind, "content": content, "id": "m", "tool_call_chunks": pieces}
        return part("messages/partial", [message])

    done = {"type": "ai", "content": "Let me see.", "id": "m"}
    done["tool_calls"] = [{"name": "look", "args": {"a": 1}, "id": "c1", "type": "tool_call"}]  # type: ignore[assignment]
    answer = {"type": "tool", "content": "seen", "id": "t", "tool_call_id": "c1"}
    events = [
        part("messages/metadata", {"m": {}}),
        partial("Let "),
        partial("Let me see."),
        partial("Let me see.", '{"a":'),
        partial("Let me see.", '{"a": 1}'),
        part("messages/complete", [done]),
        part("messages/complete", [answer]),
    ]
    run = await play(events)
    assert run.parts.text == "Let me see."
    assert run.parts.calls["c1"].args.replace(" ", "") == '{"a":1}'
    assert run.parts.calls["c1"].result == "seen"


async def test_a_rule_knows_where_such_messages_come_from() -> None:
    def said(message_id: str, **metadata: Any) -> list[StreamPart]:
        message = {"type": "AIMessageChunk", "content": f"From {message_id}. ", "id": message_id}
        return [
            part("messages/metadata", {message_id: {"metadata": metadata}}),
            part("messages/partial", [message]),
        ]

    events = [
        *said("model", langgraph_node="model"),
        *said("summary", langgraph_node="summarizer", lc_source="summarization"),
        *said("grader", langgraph_node="grader"),
    ]
    visibility = Visibility(rules=[Rule(action="hide", node="grader")])
    assert (await play(events, visibility=visibility)).parts.text == "From model. "


async def test_messages_that_langchain_has_serialized_are_read() -> None:
    messages = [
        AIMessageChunk(content="Hello ", id="m"),
        AIMessageChunk(content="", id="m", tool_call_chunks=call("look", "{}").tool_call_chunks),
        AIMessageChunk(content="", id="m", chunk_position="last"),
    ]
    events = [part("messages|sub:1", [dumpd(message), {}]) for message in messages]
    state = {
        "messages": [dumpd(HumanMessage("hi", id="h")), dumpd(ToolMessage("x", tool_call_id="c"))]
    }
    run = await play([*events, ((), "updates", {"node": state})])
    assert run.parts.text == "Hello "
    assert [made.name for made in run.parts.calls.values()] == ["look", "tool"]


@pytest.mark.parametrize("mode", ["tasks", "debug", "checkpoints", "tools"])
async def test_the_machinery_of_a_graph_is_never_taken_for_its_state(mode: Any) -> None:
    """A mode asked for as a string is not named, and its payloads are dicts like a state."""
    events = [
        event
        async for event in CASES["agent"].build().astream(human("hi"), CONFIG, stream_mode=mode)
    ]
    run = await play(events)
    assert events
    assert run.state is None


@pytest.mark.parametrize(
    ("mode", "data"),
    [
        *(("tasks", data) for data in (None, 3, "x", [1], {}, {"id": 5, "input": {}})),
        ("updates", {"__interrupt__": [None, "x"]}),
        ("values", {"__interrupt__": 5}),
    ],
)
async def test_a_servers_payload_of_another_shape_costs_nothing_else(mode: str, data: Any) -> None:
    message: Any = {"type": "AIMessageChunk", "content": "ok", "id": "m"}
    run = await play([part(mode, data), part("messages", [message, {}])])
    assert run.parts.text == "ok"


async def test_a_dict_with_other_keys_than_names_is_no_state() -> None:
    token = ((), "messages", (AIMessageChunk(content="ok"), {}))
    run = await play([{1: {2: 3}}, token])
    assert run.parts.text == "ok"
    assert run.state is None


async def test_messages_that_every_state_brings_anew_are_not_all_kept() -> None:
    """A network has no objects, so each state comes with a copy of the whole conversation."""
    copies: list[weakref.ref[Any]] = []

    async def states() -> AsyncIterator[Any]:
        for number in range(20):
            messages = [HumanMessage("hi", id=f"m{place}") for place in range(number + 1)]
            copies.extend(map(weakref.ref, messages))
            yield ((), "values", {"messages": messages})
            del messages
        gc.collect()
        held.append(sum(copy() is not None for copy in copies))

    held: list[int] = []
    run = await play(states(), parts=False)
    assert len(run.state["messages"]) == 20
    assert held[0] <= 3 * 20, "of 210"


async def test_an_event_of_no_known_form_is_passed_over_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events = [7, object(), {"event": "message", "data": 1}, {"method": "x"}]
    with caplog.at_level(logging.WARNING):
        run = await play([*events, ((), "messages", (AIMessageChunk(content="ok"), {}))])
    assert run.parts.text == "ok"
    assert len([r for r in caplog.records if "unknown event" in r.message]) == 1
