"""Several chains in one run: a handler each, readers that give up, threads."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.tools import tool

from assistant_stream_ce.chunks import AssistantStreamChunk, MessageFinishChunk
from assistant_stream_ce.controller import RunController
from assistant_stream_ce.create_run import create_run
from assistant_stream_langchain import AssistantCallbackHandler, Rule, Visibility, stream_chain
from assistant_stream_langchain.testing import ScriptedChatModel

from .shown import kinds, results, show

FIRST, SECOND = "one two three four", "1 2 3 4"
USAGE: Any = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


def says(text: str) -> Runnable[Any, Any]:
    return ScriptedChatModel(turns=[text], cycle=True, delay=0.01)


def finish(chunks: list[AssistantStreamChunk]) -> MessageFinishChunk:
    [ended] = [chunk for chunk in chunks if isinstance(chunk, MessageFinishChunk)]
    return ended


async def test_chains_side_by_side_with_a_handler_each_do_not_mix_their_words() -> None:
    async def callback(controller: RunController) -> None:
        await asyncio.gather(
            says(FIRST).ainvoke("?", {"callbacks": [AssistantCallbackHandler(controller)]}),
            says(SECOND).ainvoke("?", {"callbacks": [AssistantCallbackHandler(controller)]}),
        )

    chunks = [chunk async for chunk in create_run(callback)]

    assert show(chunks).text == FIRST + SECOND


async def test_a_batch_may_have_a_handler_for_each_input() -> None:
    chain = RunnableLambda(lambda text: ScriptedChatModel(turns=[text], delay=0.01))

    async def callback(controller: RunController) -> None:
        configs: Any = [{"callbacks": [AssistantCallbackHandler(controller)]} for _ in range(2)]
        await chain.abatch([FIRST, SECOND], configs)

    chunks = [chunk async for chunk in create_run(callback)]

    assert sorted(show(chunks).text) == sorted(FIRST + SECOND)
    assert show(chunks).text in (FIRST + SECOND, SECOND + FIRST)


async def test_handlers_one_after_the_other_end_the_message_once_with_all_tokens() -> None:
    model = ScriptedChatModel(turns=[AIMessage("Hi. ", usage_metadata=USAGE)], cycle=True)

    async def callback(controller: RunController) -> None:
        for _ in range(2):
            await model.ainvoke("?", {"callbacks": [AssistantCallbackHandler(controller)]})

    chunks = [chunk async for chunk in create_run(callback)]

    assert show(chunks).text == "Hi. Hi. "
    assert (finish(chunks).input_tokens, finish(chunks).output_tokens) == (10, 4)


@pytest.mark.parametrize("hidden", [True, False])
async def test_a_chain_with_two_handlers_of_a_run_is_told_once_as_the_first_one_says(
    hidden: bool,
) -> None:
    @tool
    def add(a: int) -> int:
        """Add."""
        return a + 1

    asks = AIMessage("", tool_calls=[{"id": "c1", "name": "add", "args": {"a": 1}}])
    visibility = Visibility([Rule(action="hide", name="ScriptedChatModel")] if hidden else [])

    async def callback(controller: RunController) -> None:
        both = [
            AssistantCallbackHandler(controller, visibility=visibility),
            AssistantCallbackHandler(controller),
        ]
        agent: Any = create_agent(ScriptedChatModel(turns=[asks, FIRST]), [add])
        await agent.ainvoke({"messages": [("user", "?")]}, {"callbacks": both})
        assert not any(handler._others or handler._session.runs for handler in both)

    chunks = [chunk async for chunk in create_run(callback)]

    shown = show(chunks)
    assert list(results(shown).values()) == ["2"]
    assert shown.text == ("" if hidden else FIRST)


async def test_a_reader_that_gives_up_late_does_not_say_how_the_run_ended() -> None:
    async def callback(controller: RunController) -> None:
        config: Any = {"callbacks": [AssistantCallbackHandler(controller)]}
        abandoned: Any = says(FIRST).astream("?", config)
        await anext(abandoned)
        await says(SECOND).ainvoke("?", config)
        await asyncio.create_task(abandoned.aclose())

    chunks = [chunk async for chunk in create_run(callback)]

    assert show(chunks).text == "one " + SECOND
    assert finish(chunks).finish_reason == "stop"


async def test_a_tool_that_is_left_at_work_keeps_nobody_waiting() -> None:
    began, ends = threading.Event(), threading.Event()

    @tool
    def slow() -> str:
        """Take long."""
        began.set()
        ends.wait(10)
        return "late"

    left: list[asyncio.Task[Any]] = []

    async def callback(controller: RunController) -> None:
        config: Any = {"callbacks": [AssistantCallbackHandler(controller)]}
        left.append(asyncio.create_task(slow.ainvoke({}, config)))
        await asyncio.to_thread(began.wait, 10)

    chunks = [chunk async for chunk in create_run(callback)]
    ends.set()

    assert await left[0] == "late"
    assert list(results(show(chunks)).values()) == ["The call was stopped before it had a result."]
    assert finish(chunks).finish_reason == "stop"


async def test_a_model_in_a_thread_that_a_tool_starts_is_nested_under_its_call() -> None:
    @tool
    def delegate(config: RunnableConfig) -> str:
        """Let another model do it, in a thread without LangChain's context."""
        said: list[str] = []
        thread = threading.Thread(
            target=lambda: said.append(str(says("inside").invoke("?", config).text))
        )
        thread.start()
        thread.join()
        return said[0]

    asks = AIMessage("", tool_calls=[{"id": "c1", "name": "delegate", "args": {}}])
    agent: Any = create_agent(ScriptedChatModel(turns=[asks, "outside"]), [delegate])

    chunks = [chunk async for chunk in stream_chain(agent, {"messages": [("user", "?")]})]

    texts = [(p["text"], p.get("parentId")) for p in show(chunks).parts if p["type"] == "text"]
    assert texts == [("inside", "c1"), ("outside", None)]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("I cannot help with that.", "I cannot help with that."),
        (AIMessage("Ask me another."), "Ask me another."),
        ("", ""),
        ({"answer": "data"}, ""),
        (b"bytes", ""),
        (None, ""),
    ],
)
@pytest.mark.parametrize("in_thread", [True, False])
async def test_what_a_chain_without_a_model_returns_is_its_answer(
    answer: Any, text: str, in_thread: bool
) -> None:
    async def answers(_: Any) -> Any:
        return answer

    guard = RunnableLambda(lambda _: answer) if in_thread else RunnableLambda(answers)

    chunks = [chunk async for chunk in stream_chain(guard, "?")]

    assert show(chunks).text == text
    assert (not chunks) == (not text)


async def test_what_a_chain_makes_of_a_models_words_is_not_told_again() -> None:
    hidden = Visibility([Rule(action="hide", name="ScriptedChatModel")])
    chain = says(FIRST) | RunnableLambda(lambda message: message.text.upper())

    shown = show([chunk async for chunk in stream_chain(chain, "?")])
    nothing = [chunk async for chunk in stream_chain(chain, "?", visibility=hidden)]

    assert (shown.text, kinds(shown)) == (FIRST, ["text"])
    assert nothing == []
