"""Group H of the field reports: callbacks on chains."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import adispatch_custom_event
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.config import get_stream_writer

from assistant_stream_ce import RunController, create_run
from assistant_stream_langchain import AssistantCallbackHandler, Rule, Visibility
from assistant_stream_langchain.chains import stream_chain
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from tests.adapters_langchain import chat_completions
from tests.adapters_langchain import test_anthropic as anthropic
from tests.adapters_langchain.provider import Provider
from tests.adapters_langchain.shown import kinds, reasoning, results
from tests.adapters_langgraph.runs import call, usage

from .screen import FOUR_FORMS, agent, ask, human, see, see_form

PROMPT = ChatPromptTemplate.from_template("{question}")


async def test_h01_tokens_that_are_lists_of_blocks_are_shown(provider: Provider) -> None:
    """langchain #30703, #34739, langchain-google #1460: a token that was a list broke things."""
    model = anthropic.ChatAnthropic(
        model_name="claude-test",
        api_key="k",  # type: ignore[arg-type]
        base_url=provider.url,
        max_retries=0,
    )
    provider.says(anthropic.said(anthropic.THINKING, anthropic.text("It is ", "42.")).streamed)

    shown = await see(stream_chain(PROMPT | model | StrOutputParser(), {"question": "?"}))

    assert reasoning(shown) == ["Let me think."]
    assert shown.text == "It is 42."


@pytest.mark.parametrize(
    "token",
    [
        "plain",
        ["plain"],
        [{"type": "text", "text": "plain"}],
        [{"type": "text", "text": "pl", "index": 0}, {"type": "text", "text": "ain", "index": 0}],
    ],
)
async def test_h01_a_token_may_have_any_of_its_forms(token: Any) -> None:
    """langchain #30703: text, a list with text, a list of blocks."""
    model = ScriptedChatModel(turns=[[AIMessageChunk(content=token), " text"]])

    assert (await see(stream_chain(PROMPT | model, {"question": "?"}))).text == "plain text"


async def test_h02_an_intermediate_answer_can_be_kept_from_the_final_one() -> None:
    """Chainlit #801, #942, #306: the words of every step ran into the final answer."""
    condense = ScriptedChatModel(turns=["a condensed question"]).with_config(run_name="condense")
    translate = ScriptedChatModel(turns=["eine Frage"], tags=["draft"])
    final = ScriptedChatModel(turns=["The answer."])
    text = StrOutputParser()
    chain = PROMPT | condense | text | translate | text | final | text
    rules = [Rule(action="hide", name="condense"), Rule(action="hide", tag="draft")]

    shown = await see(stream_chain(chain, {"question": "?"}, visibility=Visibility(rules)))

    assert (kinds(shown), shown.text) == (["text"], "The answer.")


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


async def test_h02_the_steps_of_an_agent_are_told_from_its_answer() -> None:
    """Chainlit #306: nobody could tell what was a step and what the answer."""
    asked = ["Looking. ", call("weather", '{"city": "Oslo"}', "a")]
    chain = create_agent(ScriptedChatModel(turns=[asked, "It is sunny."]), [weather])

    shown = await see(stream_chain(chain, human()))

    assert kinds(shown) == ["text", "tool-call", "text"]
    assert results(shown) == {"a": "sunny in Oslo"}
    assert shown.parts[-1]["text"] == "It is sunny."
    assert shown.metadata["steps"][0]["finishReason"] == "tool-calls"


async def test_h03_runs_that_the_handler_did_not_see_begin_are_no_trouble(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Chainlit #1896: "No indexed run ID", a hundred times over, for runs that began before."""
    inner = PROMPT | ScriptedChatModel(turns=["word "], cycle=True) | StrOutputParser()

    async def late(value: Any, config: RunnableConfig) -> Any:
        """Attach the handler in the middle: what is around has begun without it."""
        callbacks: Any = config["callbacks"]
        callbacks.add_handler(handlers[0])
        await inner.ainvoke(value, config)
        await adispatch_custom_event("note", {"n": 1}, config=config)
        return await weather.ainvoke({"city": "Oslo"}, config)

    handlers: list[AssistantCallbackHandler] = []

    async def run(controller: RunController) -> None:
        handlers.append(AssistantCallbackHandler(controller))
        around = RunnableLambda(late) | RunnableLambda(str)
        await around.abatch([{"question": "?"} for _ in range(30)])

    shown = await see(create_run(run))

    assert caplog.records == []
    assert shown.text == "word " * 30
    assert list(results(shown).values()) == ["sunny in Oslo"] * 30


async def test_h04_a_reader_that_does_not_read_holds_no_chain_back() -> None:
    """langfuse #10584: with the handler attached the chain stood still between tokens."""
    ended = asyncio.Event()
    chain = PROMPT | ScriptedChatModel(turns=[["word "] * 500])

    async def run(controller: RunController) -> None:
        handler = AssistantCallbackHandler(controller)
        await chain.ainvoke({"question": "?"}, {"callbacks": [handler]})
        ended.set()

    stream = create_run(run)
    first = await anext(stream)
    await asyncio.wait_for(ended.wait(), 10)

    async def rest() -> Any:
        yield first
        async for chunk in stream:
            yield chunk

    assert (await see(rest())).text == "word " * 500


async def test_h04_the_first_token_is_shown_before_the_second_is_there() -> None:
    """langfuse #10584: tokens were held and came all at once."""
    chain = PROMPT | ScriptedChatModel(turns=[["One ", 0.6, "two."]])
    stream = stream_chain(chain, {"question": "?"})
    times: dict[str, float] = {}
    async for chunk in stream:
        if chunk.type == "text-delta":
            times[chunk.text_delta] = time.monotonic()

    assert times["two."] - times["One "] > 0.2


@tool
async def reports(city: str) -> str:
    """Tell what it does, from an async tool."""
    write = get_stream_writer()
    write({"type": "progress", "city": city})
    await asyncio.sleep(0)
    write({"type": "progress", "city": city.upper()})
    return "done"


@tool
def reports_too(city: str) -> str:
    """Tell what it does, from a sync tool."""
    for told in (city, city.upper()):
        get_stream_writer()({"type": "progress", "city": told})
    return "done"


@pytest.mark.parametrize("form", ["tuples", "v2", "server parts", "remote tuples"])
@pytest.mark.parametrize("made", [reports, reports_too], ids=["async", "sync"])
async def test_h05_what_a_tool_writes_to_the_stream_is_shown(made: Any, form: str) -> None:
    """langgraph #6447, #7041: the stream writer was silent in async tools."""
    graph = agent([[call(made.name, '{"city": "oslo"}', "a")], "Done."], [made])

    shown = await see_form(form, graph)

    told = [part["data"]["city"] for part in shown.parts if part["type"] == "data"]
    assert told == ["oslo", "OSLO"]
    assert results(shown) == {"a": "done"}


async def test_h05_a_chain_may_dispatch_its_events_too() -> None:
    """langgraph #6447: where there is no graph, there is no writer."""

    async def tell(value: Any) -> Any:
        await adispatch_custom_event("progress", {"found": [Document("x")]})
        return value

    chain = RunnableLambda(tell) | PROMPT | ScriptedChatModel(turns=["Done."])

    shown = await see(stream_chain(chain, {"question": "?"}))

    [part] = [part for part in shown.parts if part["type"] == "data"]
    assert part["name"] == "progress"
    assert part["data"]["found"][0]["page_content"] == "x"


@pytest.mark.parametrize("way", ["graph", "callback"])
async def test_h06_usage_is_there_though_the_answer_is_streamed(
    provider: Provider, way: str
) -> None:
    """langgraph #4848, #3936, #5878, langgraphjs #1219: streamed answers came without usage."""
    provider.says(
        chat_completions.said(
            *chat_completions.asks(0, '{"city": "Oslo"}', id="a", name="weather", type="function"),
            finish_reason="tool_calls",
        ).streamed,
        chat_completions.said({"content": "Sunny."}).streamed,
    )
    model = ChatOpenAI(
        model="m",
        api_key="k",  # type: ignore[arg-type]
        base_url=f"{provider.url}/v1",
        max_retries=0,
        stream_usage=True,
    )
    graph: Any = create_agent(model, [weather])
    if way == "graph":
        shown = await see(stream_graph(graph, human(), steps="model"))
    else:
        shown = await see(stream_chain(graph, human()))

    wanted = {
        "inputTokens": chat_completions.USAGE["prompt_tokens"],
        "outputTokens": chat_completions.USAGE["completion_tokens"],
    }
    assert [step["usage"] for step in shown.metadata["steps"]] == [wanted, wanted]


@pytest.mark.parametrize("form", FOUR_FORMS)
async def test_h06_usage_of_the_whole_run_is_the_sum_of_its_calls(form: str) -> None:
    """langgraph #3936: usage was told per chunk, and counted twice or not at all."""
    asked = [call("weather", '{"city": "Oslo"}', "a"), usage(10, 4)]

    shown = await see_form(form, agent([asked, ["Sunny.", usage(20, 5)]], [weather]))

    [step] = shown.metadata["steps"]
    assert step["usage"] == {"inputTokens": 30, "outputTokens": 9}


async def test_h06_a_message_that_no_model_streamed_keeps_its_usage() -> None:
    """langgraphjs #1219: an answer in one piece has its usage too."""
    counts: Any = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    graph = agent([AIMessage("Whole.", usage_metadata=counts)])

    shown = await ask(graph)

    assert shown.text == "Whole."
    assert shown.metadata["steps"][0]["usage"] == {"inputTokens": 3, "outputTokens": 2}
