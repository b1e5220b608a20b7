"""The callback handler on whatever people build with LangChain."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Annotated, Any
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware, ToolRetryMiddleware
from langchain.tools import InjectedState, InjectedToolCallId
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.callbacks.manager import adispatch_custom_event
from langchain_core.documents import Document
from langchain_core.language_models import FakeListLLM
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.types import Command

from assistant_stream_ce.controller import RunController
from assistant_stream_ce.create_run import create_run
from assistant_stream_ce.serialization import AssistantTransportEncoder, DataStreamEncoder
from assistant_stream_langchain import AssistantCallbackHandler, Rule, Visibility
from assistant_stream_langchain.testing import ScriptedChatModel

from .shown import call, calls, kinds, results, show, sources

USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


def chain(*turns: Any, **options: Any) -> Runnable[Any, str]:
    model = ScriptedChatModel(turns=turns or ["Hello big world"], cycle=True, **options)
    return ChatPromptTemplate.from_template("{x}") | model | StrOutputParser()


def config(handler: Any, **more: Any) -> Any:
    return {"callbacks": [handler], **more}


async def read(stream: Any) -> str:
    return "".join([piece async for piece in stream])


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "ainvoke": lambda c, h: c.ainvoke({"x": "?"}, config(h)),
    "invoke in a thread": lambda c, h: asyncio.to_thread(c.invoke, {"x": "?"}, config(h)),
    "astream": lambda c, h: read(c.astream({"x": "?"}, config(h))),
    "stream in a thread": lambda c, h: asyncio.to_thread(
        lambda: "".join(c.stream({"x": "?"}, config(h)))
    ),
    "with_config": lambda c, h: c.with_config(config(h)).ainvoke({"x": "?"}),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_prompt_chain_is_streamed_and_returns_what_it_returns(way: str) -> None:
    chunks, returned = await call(lambda handler: WAYS[way](chain(), handler))

    assert returned == "Hello big world"
    assert [c.text_delta for c in chunks if c.type == "text-delta"] == ["Hello ", "big ", "world"]
    shown = show(chunks)
    assert shown.text == "Hello big world"
    assert shown.status == {"type": "complete", "reason": "stop"}


async def test_a_chain_called_synchronously_inside_the_loop_is_told_too() -> None:
    async def use(handler: Any) -> str:
        return chain().invoke({"x": "?"}, config(handler))

    chunks, _ = await call(use)

    assert show(chunks).text == "Hello big world"


async def test_a_model_that_does_not_stream_is_told_once() -> None:
    quiet = chain(disable_streaming=True)

    chunks, _ = await call(lambda h: quiet.ainvoke({"x": "?"}, config(h)))

    assert [c.text_delta for c in chunks if c.type == "text-delta"] == ["Hello big world"]


async def test_tokens_may_be_lists_of_blocks() -> None:
    turn = [
        AIMessageChunk([{"type": "reasoning", "reasoning": "Hm.", "index": 0}]),
        AIMessageChunk([{"type": "text", "text": "Yes", "index": 1}]),
        AIMessageChunk([{"type": "text", "text": "!", "index": 1}]),
    ]

    chunks, _ = await call(lambda h: chain(turn).ainvoke({"x": "?"}, config(h)))

    assert kinds(show(chunks)) == ["reasoning", "text"]
    assert show(chunks).text == "Yes!"


@pytest.mark.parametrize("token", ["Yes", [{"type": "text", "text": "Yes"}], ["Yes"]])
async def test_a_token_without_its_chunk_may_be_a_text_or_a_list(token: Any) -> None:
    """langchain #30703"""

    async def use(handler: AssistantCallbackHandler) -> None:
        run_id = uuid4()
        handler.on_chat_model_start({}, [[]], run_id=run_id)
        handler.on_llm_new_token(token, run_id=run_id)

    chunks, _ = await call(use)

    assert show(chunks).text == "Yes"


async def test_a_completion_model_without_messages_is_told() -> None:
    model = FakeListLLM(responses=["Hello"])

    for way in (model.ainvoke, lambda x, c: read(model.astream(x, c))):
        chunks, _ = await call(lambda h, way=way: way("?", config(h)))
        assert show(chunks).text == "Hello"


async def test_answers_side_by_side_are_told_one_after_the_other() -> None:
    slow = chain([0.01, "one ", 0.02, "two ", 0.02, "three"])
    fast = chain(["eins ", 0.01, "zwei ", 0.01, "drei"])
    both = RunnableParallel(a=slow, b=fast)

    for way in (
        lambda h: both.ainvoke({"x": "?"}, config(h)),
        lambda h: asyncio.to_thread(both.invoke, {"x": "?"}, config(h)),
    ):
        chunks, returned = await call(way)
        assert returned == {"a": "one two three", "b": "eins zwei drei"}
        assert show(chunks).text in (
            "one two threeeins zwei drei",
            "eins zwei dreione two three",
        )


async def test_an_answer_that_is_cancelled_leaves_the_floor_to_the_one_beside_it() -> None:
    async def use(handler: Any) -> None:
        stuck = ScriptedChatModel(turns=[["Well", 60.0]])
        task = asyncio.create_task(stuck.ainvoke("?", config(handler)))
        await asyncio.sleep(0.05)
        await chain().ainvoke({"x": "?"}, config(handler))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    chunks, _ = await call(use)

    assert show(chunks).text == "WellHello big world"


async def test_batches_are_told() -> None:
    chunks, returned = await call(
        lambda h: chain().abatch([{"x": "1"}, {"x": "2"}], config(h, max_concurrency=1))
    )

    assert returned == ["Hello big world"] * 2
    assert show(chunks).text == "Hello big world" * 2


async def test_a_step_says_how_long_its_first_token_took() -> None:
    began = time.monotonic()
    slow = chain([0.05, "Hello", 0.05, " world"])
    chunks, _ = await call(lambda h: slow.ainvoke({"x": "?"}, config(h)))
    took = time.monotonic() - began

    [step] = [chunk for chunk in chunks if chunk.type == "step-finish"]
    assert step.time_to_first_token is not None
    assert 0.05 <= step.time_to_first_token <= took - 0.05
    for encoder in (DataStreamEncoder(), AssistantTransportEncoder()):
        assert f'"timeToFirstToken":{step.time_to_first_token}' in encoder.encode_chunk(step)


async def test_usage_of_every_model_call_is_a_step_and_the_sum_ends_the_message() -> None:
    turn = [AIMessageChunk("x", usage_metadata=USAGE, response_metadata={"finish_reason": "stop"})]
    two = chain(turn) | RunnableLambda(lambda x: {"x": x}) | chain(turn)

    chunks, _ = await call(lambda h: two.ainvoke({"x": "?"}, config(h)))

    steps = show(chunks).metadata["steps"]
    assert [step["usage"]["inputTokens"] for step in steps] == [5, 5]
    assert (chunks[-1].input_tokens, chunks[-1].output_tokens) == (10, 4)


class Archive(BaseRetriever):
    """Two pages, one of which is a file."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [
            Document("…", metadata={"source": "https://a.example/p", "title": "Page A"}),
            Document("…", metadata={"source": "docs/b.md"}, id="b"),
            Document("…", metadata={"source": "https://a.example/p", "title": "Page A"}),
        ]


@pytest.mark.parametrize("in_thread", [False, True])
async def test_retrieved_documents_are_sources_before_the_answer(in_thread: bool) -> None:
    rag = {"x": Archive()} | chain()

    async def use(handler: Any) -> Any:
        if in_thread:
            return await asyncio.to_thread(rag.invoke, "?", config(handler))
        return await rag.ainvoke("?", config(handler))

    chunks, _ = await call(use)

    shown = show(chunks)
    assert sources(shown) == [("https://a.example/p", "Page A"), ("", "docs/b.md")]
    assert kinds(shown) == ["source", "source", "text"]


@tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@tool
async def fail(a: int) -> int:
    """Fail."""
    raise ValueError("no luck")


@tool(response_format="content_and_artifact")
def search(query: str) -> tuple[str, list[Document]]:
    """Search."""
    return "found", [Document("…", id="d1", metadata={"source": "https://a.example/p"})]


async def test_a_tool_called_by_hand_is_a_call_with_arguments_and_result() -> None:
    for way in (
        lambda h: add.ainvoke({"a": 1, "b": 2}, config(h)),
        lambda h: asyncio.to_thread(add.invoke, {"a": 1, "b": 2}, config(h)),
    ):
        chunks, returned = await call(way)
        shown = show(chunks)
        [(call_id, name, args)] = calls(shown)
        assert (name, args, returned) == ("add", {"a": 1, "b": 2}, 3)
        assert results(shown) == {call_id: 3}


async def test_a_tool_that_a_model_asked_for_is_not_announced_again() -> None:
    asked = {"name": "add", "args": {"a": 1, "b": 2}, "id": "c1", "type": "tool_call"}
    model = ScriptedChatModel(turns=[AIMessage("", tool_calls=[asked]), "Three."])

    async def use(handler: Any) -> None:
        answer = await model.ainvoke("?", config(handler))
        result = await add.ainvoke(answer.tool_calls[0], config(handler))
        await model.ainvoke(["?", answer, result], config(handler))

    chunks, _ = await call(use)

    shown = show(chunks)
    assert calls(shown) == [("c1", "add", {"a": 1, "b": 2})]
    assert results(shown) == {"c1": "3"}
    assert shown.text == "Three."
    assert shown.status["reason"] == "stop"


async def test_a_result_that_only_the_next_prompt_has_is_told() -> None:
    asked = {"name": "add", "args": {"a": 1, "b": 2}, "id": "c1"}
    model = ScriptedChatModel(turns=[AIMessage("", tool_calls=[asked]), "Three."])

    async def use(handler: Any) -> None:
        answer = await model.ainvoke("?", config(handler))
        await model.ainvoke(["?", answer, ToolMessage("3", tool_call_id="c1")], config(handler))

    chunks, _ = await call(use)

    shown = show(chunks)
    assert kinds(shown) == ["tool-call", "text"]
    assert results(shown) == {"c1": "3"}
    assert shown.status["reason"] == "stop"


async def test_a_call_that_nobody_answers_leaves_the_message_waiting() -> None:
    model = ScriptedChatModel(
        turns=[AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "a"}])]
    )

    chunks, _ = await call(lambda h: model.ainvoke("?", config(h)))

    assert show(chunks).status == {"type": "requires-action", "reason": "tool-calls"}


async def test_documents_in_a_tools_artifact_are_sources() -> None:
    asked = {"name": "search", "args": {"query": "x"}, "id": "c1", "type": "tool_call"}

    chunks, _ = await call(lambda h: search.ainvoke(asked, config(h)))

    shown = show(chunks)
    assert results(shown) == {"c1": "found"}
    assert shown.parts[0]["artifact"][0]["id"] == "d1"
    assert sources(shown) == [("https://a.example/p", None)]


async def test_a_tool_that_raises_has_a_failed_result_and_the_exception_is_the_callers() -> None:
    async def use(handler: Any) -> None:
        with pytest.raises(ValueError, match="no luck"):
            await fail.ainvoke({"a": 1}, config(handler))

    chunks, _ = await call(use)

    [part] = show(chunks).parts
    assert (part["result"], part["isError"]) == ("no luck", True)


def agent(*turns: Any, tools: Any = (add, fail, search), **options: Any) -> Any:
    return create_agent(ScriptedChatModel(turns=turns), list(tools), **options)


def asks(*asked: tuple[str, str, dict[str, Any]], text: str = "") -> AIMessage:
    return AIMessage(text, tool_calls=[{"id": i, "name": n, "args": a} for i, n, a in asked])


@pytest.mark.parametrize("in_thread", [False, True])
async def test_an_agent_is_told_from_question_to_answer(in_thread: bool) -> None:
    graph = agent(
        asks(("c1", "add", {"a": 1, "b": 2}), ("c2", "add", {"a": "?"}), text="Let me see."),
        "It is 3.",
    )
    question = {"messages": [HumanMessage("?")]}

    async def use(handler: Any) -> Any:
        if in_thread:
            return await asyncio.to_thread(graph.invoke, question, config(handler))
        return await graph.ainvoke(question, config(handler))

    chunks, state = await call(use)

    shown = show(chunks)
    assert kinds(shown) == ["text", "tool-call", "tool-call", "text"]
    assert results(shown)["c1"] == "3"
    assert "valid integer" in results(shown)["c2"]
    assert [part.get("isError", False) for part in shown.parts[1:3]] == [False, True]
    assert shown.text == "Let me see.It is 3."
    assert state["messages"][-1].text == "It is 3."
    assert shown.status["reason"] == "stop"


async def test_a_retried_tool_shows_the_result_of_the_try_that_worked() -> None:
    tries: list[int] = []

    @tool
    def flaky() -> str:
        """Work the second time."""
        tries.append(1)
        if len(tries) == 1:
            raise OSError("try again")
        return "worked"

    graph = agent(
        asks(("c1", "flaky", {})),
        "Done.",
        tools=[flaky],
        middleware=[ToolRetryMiddleware(max_retries=2, initial_delay=0.0, jitter=False)],
    )

    chunks, _ = await call(lambda h: graph.ainvoke({"messages": [HumanMessage("?")]}, config(h)))

    [part, _] = show(chunks).parts
    assert (part["result"], part.get("isError", False)) == ("worked", False)


async def test_a_tool_that_raises_in_an_agent_fails_its_call_and_then_the_chain() -> None:
    graph = agent(asks(("c1", "fail", {"a": 1})))

    async def use(handler: Any) -> None:
        with pytest.raises(ValueError, match="no luck"):
            await graph.ainvoke({"messages": [HumanMessage("?")]}, config(handler))

    chunks, _ = await call(use)

    [part] = show(chunks).parts
    assert (part["result"], part["isError"]) == ("no luck", True)


async def test_injected_arguments_stay_inside() -> None:
    @tool
    def count(
        word: str,
        state: Annotated[dict[str, Any], InjectedState],
        call_id: Annotated[str, InjectedToolCallId],
    ) -> str:
        """Count."""
        return f"{len(state['messages'])} {call_id}"

    graph = agent(asks(("c1", "count", {"word": "x"})), "Done.", tools=[count])

    chunks, _ = await call(lambda h: graph.ainvoke({"messages": [HumanMessage("?")]}, config(h)))

    assert calls(show(chunks)) == [("c1", "count", {"word": "x"})]
    assert results(show(chunks)) == {"c1": "2 c1"}


@pytest.mark.parametrize(
    ("output", "result"),
    [
        ("text", "text"),
        ({"n": 1}, {"n": 1}),
        (["a", "b"], ["a", "b"]),
        (None, None),
        (7, 7),
        (Document("x"), {"id": None, "metadata": {}, "page_content": "x", "type": "Document"}),
        (ToolMessage("said", tool_call_id="other"), "said"),
        (Command(update={"messages": [ToolMessage("told", tool_call_id="c1")]}), "told"),
        (Command(update={"x": 1}), None),
        (
            [
                Command(update={"messages": [ToolMessage("no", tool_call_id="other")]}),
                Command(update={"messages": [ToolMessage("told", tool_call_id="c1")]}),
            ],
            "told",
        ),
    ],
)
async def test_a_tool_may_return_anything(output: Any, result: Any) -> None:
    asked = {"name": "anything", "args": {}, "id": "c1", "type": "tool_call"}

    async def use(handler: Any) -> None:
        session = handler._session
        run = session.begin(uuid4(), None)
        session.begin_tool(run, asked["id"], "anything", {})
        session.end_tool(run, output)

    chunks, _ = await call(use)

    assert results(show(chunks)) == {"c1": result}


async def test_a_model_inside_a_tool_is_nested_under_its_call() -> None:
    inner = chain("From inside")

    @tool
    async def delegate(task: str) -> str:
        """Let another model do it."""
        return await inner.ainvoke({"x": task})

    graph = agent(asks(("c1", "delegate", {"task": "t"})), "Outside.", tools=[delegate])

    chunks, _ = await call(lambda h: graph.ainvoke({"messages": [HumanMessage("?")]}, config(h)))

    texts = [(p["text"], p.get("parentId")) for p in show(chunks).parts if p["type"] == "text"]
    assert texts == [("From inside", "c1"), ("Outside.", None)]


@pytest.mark.parametrize("in_a_graph", [True, False])
async def test_a_model_is_nested_though_the_tool_passes_its_config_on(in_a_graph: bool) -> None:
    inner = chain("From inside")

    @tool
    async def delegate(task: str, config: RunnableConfig) -> str:
        """Let another model do it."""
        return await inner.ainvoke({"x": task}, config)

    graph = agent(asks(("c1", "delegate", {"task": "t"})), "Outside.", tools=[delegate])
    by_hand = {"type": "tool_call", "id": "c1", "name": "delegate", "args": {"task": "t"}}

    async def use(handler: AssistantCallbackHandler) -> object:
        if in_a_graph:
            return await graph.ainvoke({"messages": [HumanMessage("?")]}, config(handler))
        return await delegate.ainvoke(by_hand, config(handler))

    chunks, _ = await call(use)

    texts = [(p["text"], p.get("parentId")) for p in show(chunks).parts if p["type"] == "text"]
    assert texts[0] == ("From inside", "c1")
    assert texts[1:] == ([("Outside.", None)] if in_a_graph else [])


async def test_an_interrupt_inside_a_tool_is_not_a_failure() -> None:
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.types import interrupt

    @tool
    def approve() -> str:
        """Ask."""
        return str(interrupt("sure?"))

    graph = agent(asks(("c1", "approve", {})), tools=[approve], checkpointer=InMemorySaver())
    settings = {"configurable": {"thread_id": "1"}}

    chunks, _ = await call(
        lambda h: graph.ainvoke({"messages": [HumanMessage("?")]}, config(h, **settings))
    )

    shown = show(chunks)
    assert results(shown) == {}
    assert shown.status["reason"] == "tool-calls"


async def test_tokens_of_middleware_stay_inside() -> None:
    summary = ScriptedChatModel(turns=["SECRET SUMMARY"], cycle=True)
    middleware = SummarizationMiddleware(
        model=summary, trigger=("messages", 3), keep=("messages", 1)
    )
    graph = agent("Answer.", middleware=[middleware])
    history = [HumanMessage(f"m{n}") for n in range(6)]

    chunks, _ = await call(lambda h: graph.ainvoke({"messages": history}, config(h)))

    assert summary.calls
    assert show(chunks).text == "Answer."


@pytest.mark.parametrize("mark", [{"tags": ["nostream"]}, {"metadata": {"lc_source": "x"}}])
async def test_internal_calls_are_hidden_unless_wanted(mark: Any) -> None:
    model = ScriptedChatModel(turns=["internal"], cycle=True).with_config(mark)

    async def use(handler: Any) -> None:
        await model.ainvoke("?", config(handler))

    hidden, _ = await call(use)
    assert hidden == []

    async def shown_run(controller: RunController) -> None:
        visibility = Visibility(show_internal=True)
        await use(AssistantCallbackHandler(controller, visibility=visibility))

    assert show([chunk async for chunk in create_run(shown_run)]).text == "internal"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule(action="hide", tag="draft"), "final"),
        (Rule(action="hide", name="Drafter"), "final"),
        (Rule(action="hide", model="nothing"), "draftfinal"),
        (Rule(action="inline", tag="draft"), "draftfinal"),
    ],
)
async def test_rules_decide_what_is_shown(rule: Rule, text: str) -> None:
    draft = chain("draft").with_config(tags=["draft"], run_name="Drafter")
    both = draft | RunnableLambda(lambda x: {"x": x}) | chain("final")

    async def callback(controller: RunController) -> None:
        handler = AssistantCallbackHandler(controller, visibility=Visibility(rules=[rule]))
        await both.ainvoke({"x": "?"}, config(handler))

    assert show([chunk async for chunk in create_run(callback)]).text == text


async def test_structured_output_is_data_and_not_text() -> None:
    from pydantic import BaseModel

    class Person(BaseModel):
        name: str

    turn = [
        AIMessageChunk(
            "",
            tool_call_chunks=[{"name": "Person", "args": '{"name":', "id": "c", "index": 0}],
        ),
        AIMessageChunk(
            "",
            tool_call_chunks=[{"name": None, "args": '"Ada"}', "id": None, "index": 0}],
            usage_metadata=USAGE,
        ),
    ]
    model = ScriptedChatModel(turns=[turn]).with_structured_output(Person)

    chunks, returned = await call(lambda h: model.ainvoke("?", config(h)))

    assert returned == Person(name="Ada")
    [part] = show(chunks).parts
    assert (part["type"], part["name"], part["data"]) == ("data", "Person", {"name": "Ada"})
    assert show(chunks).status["reason"] == "stop"
    assert chunks[-1].input_tokens == 5
    [step] = [chunk for chunk in chunks if chunk.type == "step-finish"]
    assert step.time_to_first_token is not None


async def test_structured_output_in_json_mode_is_data_too() -> None:
    schema = {"title": "person", "type": "object", "properties": {"name": {"type": "string"}}}
    asked = {"ls_structured_output_format": {"kwargs": {}, "schema": schema}}

    for answer, data in (('{"name": "Ada"}', {"name": "Ada"}), ("no JSON", "no JSON")):
        model = ScriptedChatModel(turns=[answer]).bind(**asked)
        chunks, _ = await call(lambda h, model=model: model.ainvoke("?", config(h)))
        [part] = show(chunks).parts
        assert (part["type"], part["name"], part["data"]) == ("data", "person", data)


async def test_custom_events_are_data_parts() -> None:
    async def step(value: str) -> str:
        await adispatch_custom_event("progress", {"percent": 50})
        return value

    chunks, _ = await call(lambda h: RunnableLambda(step).ainvoke("?", config(h)))

    [part] = show(chunks).parts
    assert (part["name"], part["data"]) == ("progress", {"percent": 50})


async def test_a_chains_exception_is_unchanged_and_what_was_said_is_closed() -> None:
    error = RuntimeError("broken")
    broken = chain(["Hel", "lo", error])

    async def use(handler: Any) -> None:
        with pytest.raises(RuntimeError) as caught:
            await broken.ainvoke({"x": "?"}, config(handler))
        assert caught.value is error

    chunks, _ = await call(use)

    shown = show(chunks)
    assert shown.text == "Hello"
    assert shown.metadata["steps"][0]["finishReason"] == "error"


async def test_an_exception_that_nobody_catches_ends_the_run_with_an_error() -> None:
    async def callback(controller: RunController) -> None:
        handler = AssistantCallbackHandler(controller)
        await chain(["Hel", RuntimeError("broken")]).ainvoke({"x": "?"}, config(handler))

    chunks: list[Any] = []
    with pytest.raises(RuntimeError, match="broken"):
        async for chunk in create_run(callback):
            chunks.append(chunk)

    assert chunks[-1].type == "error"
    assert show(chunks).status["reason"] == "error"


async def test_a_fallback_is_told_after_what_failed() -> None:
    safe = chain(["Hel", RuntimeError("broken")]).with_fallbacks([chain("Hello")])

    chunks, returned = await call(lambda h: safe.ainvoke({"x": "?"}, config(h)))

    assert returned == "Hello"
    assert show(chunks).text == "HelHello"
    assert show(chunks).status["type"] == "complete"


async def test_a_reader_that_stops_early_leaves_a_closed_answer() -> None:
    async def use(handler: Any) -> None:
        stream = chain().astream({"x": "?"}, config(handler))
        async for _ in stream:
            break
        await stream.aclose()

    chunks, _ = await call(use)

    assert show(chunks).text == "Hello "


async def test_a_fault_of_the_handler_is_logged_and_never_the_chains(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*args: Any, **kwargs: Any) -> None:
        raise LookupError("a fault of ours")

    async def use(handler: Any) -> Any:
        monkeypatch.setattr(handler._session, "say", explode)
        return await chain().ainvoke({"x": "?"}, config(handler))

    with caplog.at_level(logging.ERROR, "assistant_stream_langchain"):
        _, returned = await call(use)

    assert returned == "Hello big world"
    assert "the chain goes on" in caplog.text


async def test_a_retriever_that_raises_leaves_its_exception_to_the_chain() -> None:
    class Broken(BaseRetriever):
        def _get_relevant_documents(
            self, query: str, *, run_manager: CallbackManagerForRetrieverRun
        ) -> list[Document]:
            raise LookupError("no index")

    async def use(handler: Any) -> None:
        with pytest.raises(LookupError, match="no index"):
            await Broken().ainvoke("?", config(handler))

    chunks, _ = await call(use)

    assert chunks == []


async def test_a_tool_cancelled_between_two_tries_shows_why_it_failed() -> None:
    async def patiently(value: Any, config: Any) -> None:
        try:
            await fail.ainvoke({"a": 1}, config)
        except ValueError:
            await asyncio.sleep(60)

    async def use(handler: Any) -> None:
        task = asyncio.create_task(RunnableLambda(patiently).ainvoke("?", config(handler)))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    chunks, _ = await call(use)

    [part] = show(chunks).parts
    assert (part["result"], part["isError"]) == ("no luck", True)


async def test_hidden_tools_and_retrievers_show_nothing() -> None:
    quiet = {"tags": ["nostream"]}

    async def use(handler: Any) -> None:
        await add.ainvoke({"a": 1, "b": 2}, config(handler, **quiet))
        await Archive().ainvoke("?", config(handler, **quiet))

    chunks, _ = await call(use)

    assert chunks == []


async def test_two_handlers_in_two_runs_do_not_mix() -> None:
    shared = chain([0.01, "same ", 0.01, "chain"])

    first, second = await asyncio.gather(
        *(call(lambda h: shared.ainvoke({"x": "?"}, config(h))) for _ in range(2))
    )

    assert show(first[0]).text == show(second[0]).text == "same chain"


async def test_chains_from_many_threads_come_out_whole() -> None:
    count = 20

    async def use(handler: Any) -> None:
        one = chain(["a", "b", "c", "d "])
        await asyncio.gather(
            *(asyncio.to_thread(one.invoke, {"x": "?"}, config(handler)) for _ in range(count))
        )

    chunks, _ = await call(use)

    assert show(chunks).text == "abcd " * count
    assert len(show(chunks).metadata["steps"]) == count
