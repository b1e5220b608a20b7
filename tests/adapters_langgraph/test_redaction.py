"""What the stream transformers of a graph redact is in nothing that `stream_graph` tells."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents.middleware.pii import PIIDetectionError
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

from assistant_stream_ce._json import to_json
from assistant_stream_ce.testing import check_stream
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.redacting import CONFIG, LONG, SECRETS, agent, guard, run, told
from tests.adapters_langgraph.runs import Graph, Run, call


def last_of(graph: Graph) -> Any:
    return graph.get_state(CONFIG).values["messages"][-1]


def splits(text: str) -> list[list[str]]:
    at_every_place = [[text[:place], text[place:]] for place in range(1, len(text))]
    return [[*text], *at_every_place]


def in_threes(text: str) -> list[str]:
    return [text[place : place + 3] for place in range(0, len(text), 3)]


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("strategy", ["redact", "mask", "hash"])
async def test_an_answer_is_redacted_however_it_is_split(kind: str, strategy: str) -> None:
    secret = SECRETS[kind]
    graph = agent(
        [[piece for split in splits(secret) for piece in ("It is ", *split, ", ", LONG)]],
        guard(kind, strategy),
    )
    made = await run(graph)
    end = last_of(graph).text
    assert end.count("It is ") == len(splits(secret))
    assert secret not in end
    assert made.parts.text == end
    assert secret not in told(made)


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("strategy", ["redact", "mask", "hash"])
async def test_what_is_shown_only_grows_in_both_kinds_of_answer(kind: str, strategy: str) -> None:
    text = f"{LONG} It is {SECRETS[kind]} {LONG} and {SECRETS[kind]}"
    shown: list[str] = []
    for options in ({}, {"parts": False}):
        graph = agent([in_threes(text)], guard(kind, strategy))
        made = await run(graph, **options)
        end = last_of(graph).text
        assert SECRETS[kind] not in told(made)
        if options:
            assert made.state == to_json(graph.get_state(CONFIG).values)
            contents = [state["messages"][1:] for state in made.states[1:]]
            shown = [message["content"][0]["text"] for [message] in filter(None, contents)]
        else:
            assert made.parts.text == end
            shown = [made.parts.text[:size] for size in range(0, len(end), 50)]
            assert sum(chunk.type == "text-delta" for chunk in made.chunks) > 20
        assert all(end.startswith(text) for text in shown)


async def test_reasoning_is_redacted_and_stands_before_the_text() -> None:
    secret = SECRETS["url"]
    thought = [{"type": "reasoning", "reasoning": c, "index": 0} for c in f"I know {secret}"]
    said = [{"type": "text", "text": c, "index": 1} for c in f"{LONG} See {secret}"]
    turn = [AIMessageChunk(content=[block]) for block in (*thought, *said)]
    graph = agent([turn], guard("url"))
    made = await run(graph)
    assert made.parts.reasoning == "I know [REDACTED_URL]"
    assert made.parts.text == f"{LONG} See [REDACTED_URL]"
    kinds = [name for name in made.types if name.endswith("-delta")]
    assert kinds == ["reasoning-delta", "text-delta"]
    assert secret not in told(made)
    assert sum(chunk.type == "text-delta" for chunk in made.chunks) > 20


async def test_text_without_spaces_is_told_as_it_goes_on() -> None:
    secret = SECRETS["email"]
    text = "你好、我的邮箱如下。" * 40 + f"请写信到 {secret} 。" + "谢谢、再见。" * 40
    graph = agent([[*text]])
    made = await run(graph)
    assert made.parts.text == last_of(graph).text
    assert secret not in told(made)
    assert sum(chunk.type == "text-delta" for chunk in made.chunks) > 50


async def test_several_rules_are_applied_together() -> None:
    text = f"{SECRETS['ip']} {SECRETS['email']} {LONG} {SECRETS['url']}"
    graph = agent([[*text]], guard("ip"), guard("email", "hash"), guard("url", "mask"))
    made = await run(graph)
    assert made.parts.text == last_of(graph).text
    assert not any(secret in told(made) for secret in SECRETS.values())


async def test_a_model_that_does_not_stream_is_redacted() -> None:
    graph = agent([AIMessage(f"Ask {SECRETS['email']}")])
    made = await run(graph)
    assert made.parts.text == "Ask [REDACTED_EMAIL]" == last_of(graph).text
    assert SECRETS["email"] not in told(made)


# Blocking


async def blocked(graph: Graph, **options: Any) -> Run:
    chunks: list[Any] = []
    with pytest.raises(PIIDetectionError):
        async for chunk in stream_graph(graph, human("hi"), CONFIG, **options):
            chunks.append(chunk)
    check_stream(chunks)
    return Run(chunks)


@pytest.mark.parametrize("options", [{}, {"parts": False}])
@pytest.mark.parametrize("kind", SECRETS)
async def test_what_is_blocked_ends_the_run_before_it_is_told(kind: str, options: Any) -> None:
    secret = SECRETS[kind]
    for pieces in splits(secret)[:8:3]:
        graph = agent([["It is ", *pieces, " ", LONG]], guard(kind, "block"))
        made = await blocked(graph, **options)
        assert secret not in told(made)


async def test_a_run_that_is_blocked_leaves_no_work_behind() -> None:
    ended = asyncio.Event()

    @tool
    async def slow(q: str) -> str:
        """Take long."""
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return q

    async def speak(state: MessagesState) -> Any:
        await asyncio.sleep(0.05)
        return {"messages": [await ScriptedChatModel(turns=[SECRETS["email"]]).ainvoke("x")]}

    async def work(state: MessagesState) -> Any:
        await slow.ainvoke({"q": "x"})

    builder = StateGraph(MessagesState).add_node(speak).add_node(work)
    builder.add_edge(START, "speak").add_edge(START, "work")
    graph = builder.compile(transformers=guard(strategy="block").transformers)
    made = await blocked(graph)
    assert ended.is_set()
    assert "kqzw" not in told(made)


async def test_a_stream_that_is_closed_ends_the_graph() -> None:
    ended = asyncio.Event()

    @tool
    async def slow(q: str) -> str:
        """Take long."""
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.set()
        return q

    graph = agent([[call("slow", '{"q": "x"}', "c1")]], tools=[slow])
    async for chunk in (stream := stream_graph(graph, human("hi"), CONFIG)):
        if chunk.type == "tool-call-args-text-finish":
            break
    await asyncio.sleep(0.05)
    await stream.aclose()
    assert ended.is_set()
