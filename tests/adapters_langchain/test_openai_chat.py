"""`langchain_openai.ChatOpenAI` over its real client: the chat completions API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from .provider import Answer, Provider, events, json_answer
from .shown import assert_shows, call, calls, show, stream

Model = Callable[..., ChatOpenAI]
USAGE = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}


@pytest.fixture
def model(provider: Provider) -> Callable[..., ChatOpenAI]:
    def make(**options: Any) -> ChatOpenAI:
        return ChatOpenAI(
            model="gpt-5",
            api_key="k",
            base_url=f"{provider.url}/v1",
            max_retries=0,
            stream_usage=True,
            **options,
        )

    return make


def streamed(
    deltas: Sequence[dict[str, Any]],
    *,
    finish_reason: str = "stop",
    usage: dict[str, Any] | None = None,
    last_delta: dict[str, Any] | None = None,
) -> Answer:
    """A streamed chat completion: deltas, the finish reason, then the usage chunk."""

    def chunk(choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        head = {"id": "chatcmpl-9", "object": "chat.completion.chunk", "created": 1}
        return {**head, "model": "gpt-5", "choices": choices, **more}

    def choice(delta: dict[str, Any], reason: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "finish_reason": reason}]

    items = [chunk(choice({"role": "assistant", "content": ""}))]
    items += [chunk(choice(delta)) for delta in deltas]
    items.append(chunk(choice(last_delta or {}, finish_reason)))
    if usage is not None:
        items.append(chunk([], usage=usage))
    return events(items, done=True)


def complete(message: dict[str, Any], finish_reason: str = "stop", **more: Any) -> Answer:
    """A chat completion that is not streamed."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", **message},
        "finish_reason": finish_reason,
    }
    head = {"id": "chatcmpl-9", "object": "chat.completion", "created": 1, "model": "gpt-5"}
    return json_answer({**head, "choices": [choice], **more})


@tool
def weather(city: str) -> str:
    """The weather."""
    return f"Sunny in {city}"


@tool
def clock() -> str:
    """The time."""
    return "noon"


def tool_delta(index: int, arguments: str, **first: Any) -> dict[str, Any]:
    function = {"arguments": arguments}
    if "name" in first:
        function["name"] = first.pop("name")
    return {"tool_calls": [{"index": index, "function": function, **first}]}


TWO_CALLS = [
    {"content": "Let me "},
    {"content": "look."},
    tool_delta(0, "", id="call_a", name="weather", type="function"),
    tool_delta(0, '{"ci'),
    tool_delta(1, "", id="call_b", name="weather", type="function"),
    tool_delta(0, 'ty": "Par'),
    tool_delta(1, '{"city"'),
    tool_delta(0, 'is"}'),
    tool_delta(1, ': "Rome"}'),
]


@pytest.mark.shows("OpenAI chat completions", "text", "usage", "finish reason")
async def test_text_is_streamed_token_by_token_with_usage_and_finish_reason(
    provider: Provider, model: Model
) -> None:
    deltas = [{"content": "Hel"}, {"content": "lo"}, {"content": " 世界 \U0001f600"}]
    provider.says(streamed(deltas, usage=USAGE))

    chunks, merged = await stream(model().astream("hi"))

    shown = assert_shows(chunks, merged)
    assert shown.metadata["steps"][0]["usage"]["outputTokens"] > 0
    assert shown.text == "Hello 世界 \U0001f600"
    assert shown.metadata["steps"][0]["finishReason"] == "stop"
    assert [c.text_delta for c in chunks if c.type == "text-delta"][:2] == ["Hel", "lo"]


@pytest.mark.shows("OpenAI chat completions", "parallel calls")
async def test_parallel_calls_with_interleaved_fragments_keep_their_arguments(
    provider: Provider, model: Model
) -> None:
    provider.says(streamed(TWO_CALLS, finish_reason="tool_calls", usage=USAGE))

    chunks, merged = await stream(model().bind_tools([weather]).astream("hi"))

    shown = assert_shows(chunks, merged)
    assert calls(shown) == [
        ("call_a", "weather", {"city": "Paris"}),
        ("call_b", "weather", {"city": "Rome"}),
    ]
    assert shown.metadata["steps"][0]["finishReason"] == "tool-calls"
    assert {part["state"] for part in shown.parts[1:]} == {"call"}  # its tools may run now


@pytest.mark.shows("OpenAI chat completions", "call without arguments")
async def test_a_call_without_arguments_has_the_empty_object(
    provider: Provider, model: Model
) -> None:
    deltas = [tool_delta(0, "", id="call_a", name="clock", type="function")]
    provider.says(streamed(deltas, finish_reason="tool_calls"))

    chunks, merged = await stream(model().bind_tools([clock]).astream("hi"))

    assert calls(assert_shows(chunks, merged)) == [("call_a", "clock", {})]


async def test_content_on_the_chunk_that_carries_the_finish_reason_is_kept(
    provider: Provider, model: Model
) -> None:
    provider.says(streamed([{"content": "almost "}], last_delta={"content": "done"}))

    chunks, merged = await stream(model().astream("hi"))

    assert assert_shows(chunks, merged).text == "almost done"


@pytest.mark.parametrize(
    ("reason", "shown_reason"),
    [("length", "length"), ("content_filter", "content-filter"), ("stop", "stop")],
)
async def test_finish_reasons(
    provider: Provider, model: Model, reason: str, shown_reason: str
) -> None:
    provider.says(streamed([{"content": "x"}], finish_reason=reason))

    chunks, _ = await stream(model().astream("hi"))

    assert show(chunks).metadata["steps"][0]["finishReason"] == shown_reason


async def test_invoking_with_the_handler_streams(provider: Provider, model: Model) -> None:
    provider.says(streamed(TWO_CALLS, finish_reason="tool_calls", usage=USAGE))
    bound = model().bind_tools([weather])

    chunks, answer = await call(lambda h: bound.ainvoke("hi", config={"callbacks": [h]}))

    assert_shows(chunks, answer)
    assert sum(chunk.type == "tool-call-delta" for chunk in chunks) == 5
    assert chunks[-1].type == "message-finish"
    assert (chunks[-1].input_tokens, chunks[-1].output_tokens) == (20, 7)


async def test_an_answer_that_is_not_streamed_is_shown_whole(
    provider: Provider, model: Model
) -> None:
    message = {
        "content": "Looking.",
        "tool_calls": [
            {
                "id": "call_a",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
            },
            {"id": "call_b", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
        ],
    }
    provider.says(complete(message, finish_reason="tool_calls", usage=USAGE))
    quiet = model(disable_streaming=True).bind_tools([weather])

    chunks, answer = await call(lambda h: quiet.ainvoke("hi", config={"callbacks": [h]}))

    shown = assert_shows(chunks, answer)
    assert calls(shown) == [
        ("call_a", "weather", {"city": "Paris"}),
        ("call_b", "clock", {}),
    ]


async def test_arguments_that_are_no_json_are_shown_as_they_are(
    provider: Provider, model: Model
) -> None:
    call_ = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{oops"}}
    provider.says(complete({"content": None, "tool_calls": [call_]}))

    chunks, answer = await call(
        lambda h: model(disable_streaming=True).ainvoke("hi", config={"callbacks": [h]})
    )

    assert answer.invalid_tool_calls
    [part] = show(chunks).parts
    assert part["argsText"] == "{oops"


async def test_a_provider_error_is_the_callers_and_closes_the_answer(
    provider: Provider, model: Model
) -> None:
    provider.says(json_answer({"error": {"message": "slow down"}}, 429))

    async def use(handler: Any) -> None:
        with pytest.raises(Exception, match="slow down"):
            await model().ainvoke("hi", config={"callbacks": [handler]})

    chunks, _ = await call(use)

    show(chunks)
