"""Calls with the same id in one run: some providers number the calls of every answer from 0."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableParallel
from langchain_core.tools import tool

from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_langchain import AssistantCallbackHandler, MessageTranslator
from assistant_stream_langchain._message_index import Place
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import from_langgraph_events

from .shown import call, calls, results, show, translate

Agent = Any
Use = Callable[[Agent], Coroutine[Any, Any, list[AssistantStreamChunk]]]

OUTER, INNER = Place(("outer",)), Place(("inner",))
QUESTION: Any = {"messages": [("user", "?")]}


def asks(name: str, q: str, call_id: str = "functions:0") -> AIMessage:
    return AIMessage("", tool_calls=[{"id": call_id, "name": name, "args": {"q": q}}])


@tool
async def look_up(q: str) -> str:
    """Look up; what was asked first takes longest."""
    await asyncio.sleep(0.05 if q == "A" else 0)
    return f"found {q}"


@tool
async def research(q: str) -> str:
    """Ask an agent."""
    answer = await agent(look_up, q, f"Read {q}.").ainvoke(QUESTION)
    return str(answer["messages"][-1].text)


def agent(used: Any, q: str, answer: str) -> Agent:
    model = ScriptedChatModel(turns=[asks(used.name, q), answer], cycle=True)
    return create_agent(model, [used])


async def with_handler(runnable: Agent) -> list[AssistantStreamChunk]:
    chunks, _ = await call(lambda handler: runnable.ainvoke(QUESTION, {"callbacks": [handler]}))
    return chunks


async def as_graph(runnable: Agent) -> list[AssistantStreamChunk]:
    modes = ["messages", "updates", "values"]
    events = runnable.astream(QUESTION, stream_mode=modes, subgraphs=True)
    return [chunk async for chunk in from_langgraph_events(events)]


WAYS: dict[str, Use] = {"handler": with_handler, "graph": as_graph}


@pytest.mark.parametrize("way", WAYS)
async def test_an_agent_inside_a_tool_numbers_its_calls_like_the_one_around_it(way: str) -> None:
    shown = show(await WAYS[way](agent(research, "A", "Done.")))

    assert calls(shown) == [
        ("functions:0", "research", {"q": "A"}),
        ("functions:0-2", "look_up", {"q": "A"}),
    ]
    assert results(shown) == {"functions:0": "Read A.", "functions:0-2": "found A"}
    assert shown.metadata["steps"][-1]["finishReason"] != "tool-calls"


@pytest.mark.parametrize("way", WAYS)
async def test_agents_inside_tools_that_run_side_by_side_get_their_own_results(way: str) -> None:
    both = [*asks("research", "A", "a").tool_calls, *asks("research", "B", "b").tool_calls]
    model = ScriptedChatModel(turns=[AIMessage("", tool_calls=both), "Done."])

    shown = show(await WAYS[way](create_agent(model, [research])))

    found = results(shown)
    assert {args["q"]: found[key] for key, name, args in calls(shown) if name == "look_up"} == {
        "A": "found A",
        "B": "found B",
    }
    assert (found["a"], found["b"]) == ("Read A.", "Read B.")


async def test_agents_side_by_side_get_their_own_results() -> None:
    both = RunnableParallel(a=agent(look_up, "A", "Read A."), b=agent(look_up, "B", "Read B."))

    shown = show(await with_handler(both))

    found = results(shown)
    assert {args["q"]: found[key] for key, _, args in calls(shown)} == {
        "A": "found A",
        "B": "found B",
    }


async def test_an_older_answer_under_the_same_id_is_not_that_to_the_next_call() -> None:
    model = ScriptedChatModel(turns=[asks("f", "A"), asks("f", "B"), "Done."])
    history: list[Any] = [HumanMessage("?")]

    async def use(handler: AssistantCallbackHandler) -> None:
        for result in ("first", "second"):
            history.append(await model.ainvoke(history, {"callbacks": [handler]}))
            history.append(ToolMessage(result, tool_call_id="functions:0"))
        await model.ainvoke(history, {"callbacks": [handler]})

    chunks, _ = await call(use)

    assert results(show(chunks)) == {"functions:0": "first", "functions:0-2": "second"}


def test_the_latest_call_is_meant_where_nothing_tells_two_apart() -> None:
    chunks = translate(
        [
            asks("f", "A"),
            ToolMessage("first", tool_call_id="functions:0"),
            asks("f", "B"),
            ToolMessage("second", tool_call_id="functions:0"),
        ]
    )

    assert results(show(chunks)) == {"functions:0": "first", "functions:0-2": "second"}


def test_a_call_waits_although_a_later_one_with_its_id_has_a_result() -> None:
    translator = MessageTranslator()
    translator.feed(asks("f", "A"), place=OUTER)
    translator.feed(asks("f", "B"), place=INNER)
    translator.feed(ToolMessage("b", tool_call_id="functions:0"), place=INNER)

    assert translator.waits_for("functions:0")
    assert translator.waiting_call("functions:0", place=OUTER) == "functions:0"
    assert translator.waiting_call("functions:0", place=INNER) is None
    assert translator.waiting_calls == ("functions:0",)


@pytest.mark.parametrize("streams", [True, False])
async def test_two_runs_with_one_answer_are_both_told(streams: bool) -> None:
    said = AIMessage("It is sunny. ", id="from the cache")
    model = ScriptedChatModel(turns=[said, said], disable_streaming=not streams)
    cached = ScriptedChatModel(turns=["It is sunny. "], cache=InMemoryCache())

    async def use(handler: AssistantCallbackHandler) -> None:
        for asked in (model, model, cached, cached):
            await asked.ainvoke("?", {"callbacks": [handler]})

    chunks, _ = await call(use)

    assert show(chunks).text == "It is sunny. " * 4
