"""`langchain_openai.ChatOpenAI` over its real client: the chat completions API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from .chat_completions import asks, said
from .provider import Provider, json_answer
from .shown import Ask, assert_shows, call, calls, kinds, show, stream

Model = Callable[..., ChatOpenAI]


@pytest.fixture
def model(provider: Provider) -> Model:
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


@tool
def weather(city: str) -> str:
    """The weather."""
    return f"Sunny in {city}"


@tool
def clock() -> str:
    """The time."""
    return "noon"


PARIS, ROME = {"city": "Paris"}, {"city": "Rome"}
FIRST = asks(0, '{"ci', 'ty": "Par', 'is"}', id="call_a", name="weather", type="function")
SECOND = asks(1, '{"city"', ': "Rome"}', id="call_b", name="weather", type="function")
# Interleaved.
TWO_CALLS = [{"content": "Let me "}, {"content": "look."}, *FIRST[:2], SECOND[0], FIRST[2]]
TWO_CALLS += [SECOND[1], FIRST[3], SECOND[2]]


@pytest.mark.shows("OpenAI chat completions", "text", "usage", "finish reason")
async def test_text_usage_and_finish_reason(ask: Ask, model: Model) -> None:
    deltas = [{"content": "Hel"}, {"content": "lo"}, {"content": " 世界 \U0001f600"}]

    chunks, message = await ask(model(), said(*deltas))

    shown = assert_shows(chunks, message, finish_reason="stop")
    assert shown.text == "Hello 世界 \U0001f600"
    if ask.streams:
        assert [c.text_delta for c in chunks if c.type == "text-delta"][:2] == ["Hel", "lo"]


@pytest.mark.shows("OpenAI chat completions", "parallel calls")
async def test_parallel_calls_with_interleaved_fragments_keep_their_arguments(
    ask: Ask, model: Model
) -> None:
    chunks, message = await ask(model(), said(*TWO_CALLS, finish_reason="tool_calls"), [weather])

    shown = assert_shows(chunks, message, finish_reason="tool-calls")
    assert calls(shown) == [("call_a", "weather", PARIS), ("call_b", "weather", ROME)]
    assert {part["state"] for part in shown.parts[1:]} == {"call"}  # its tools may run now
    if ask.streams:
        assert sum(chunk.type == "tool-call-delta" for chunk in chunks) == 5


@pytest.mark.shows("OpenAI chat completions", "call without arguments")
@pytest.mark.parametrize("arguments", [[], ["{}"]])
async def test_a_call_without_arguments_has_the_empty_object(
    ask: Ask, model: Model, arguments: list[str]
) -> None:
    deltas = asks(0, *arguments, id="call_a", name="clock", type="function")

    chunks, message = await ask(model(), said(*deltas, finish_reason="tool_calls"), [clock])

    shown = show(chunks)
    assert calls(shown) == [("call_a", "clock", {})]
    if arguments or ask.streams:  # The client takes an empty text for invalid JSON.
        assert_shows(chunks, message, finish_reason="tool-calls")


@pytest.mark.shows("OpenAI chat completions", "files")
async def test_a_spoken_answer_is_a_file_and_its_transcript(
    provider: Provider, model: Model
) -> None:
    """The client drops the sound of an answer that is streamed."""
    audio = {"id": "audio_1", "data": "UklGRg==", "transcript": "Hello", "expires_at": 1}
    provider.says(said(message={"content": None, "audio": audio}).complete)
    quiet = model(disable_streaming=True)

    chunks, _ = await call(lambda h: quiet.ainvoke("hi", {"callbacks": [h]}))

    shown = show(chunks)
    assert kinds(shown) == ["text", "file"]
    assert shown.text == "Hello"
    assert shown.parts[1]["data"] == "data:audio/wav;base64,UklGRg=="


async def test_content_on_the_chunk_that_carries_the_finish_reason_is_kept(
    ask: Ask, model: Model
) -> None:
    answer = said({"content": "almost "}, last_delta={"content": "done"})

    chunks, message = await ask(model(), answer)

    assert assert_shows(chunks, message).text == "almost done"


@pytest.mark.parametrize(
    ("reason", "shown_reason"),
    [("length", "length"), ("content_filter", "content-filter"), ("stop", "stop")],
)
async def test_finish_reasons(ask: Ask, model: Model, reason: str, shown_reason: str) -> None:
    chunks, message = await ask(model(), said({"content": "x"}, finish_reason=reason))

    assert_shows(chunks, message, finish_reason=shown_reason)


async def test_the_tokens_of_the_run_end_its_message(provider: Provider, model: Model) -> None:
    provider.says(said(*TWO_CALLS, finish_reason="tool_calls").streamed)
    bound = model().bind_tools([weather])

    chunks, _ = await call(lambda h: bound.ainvoke("hi", config={"callbacks": [h]}))

    assert chunks[-1].type == "message-finish"
    assert (chunks[-1].input_tokens, chunks[-1].output_tokens) == (20, 7)


async def test_an_answer_without_usage_has_none(provider: Provider, model: Model) -> None:
    provider.says(said({"content": "Hello"}, usage=None).streamed)

    chunks, merged = await stream(model().astream("hi"))

    assert merged.usage_metadata is None
    assert assert_shows(chunks, merged).text == "Hello"


async def test_arguments_that_are_no_json_are_shown_as_they_are(
    provider: Provider, model: Model
) -> None:
    call_ = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{oops"}}
    provider.says(said(message={"content": None, "tool_calls": [call_]}).complete)

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
