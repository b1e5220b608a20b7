"""`langchain_anthropic.ChatAnthropic` over its real client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic

from .provider import Answer, Provider, events, json_answer
from .shown import (
    assert_shows,
    call,
    calls,
    kinds,
    reasoning,
    results,
    show,
    sources,
    stream,
)

Model = Callable[..., ChatAnthropic]

WEATHER = {
    "name": "weather",
    "description": "The weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.fixture
def model(provider: Provider) -> Model:
    def make(**options: Any) -> ChatAnthropic:
        return ChatAnthropic(
            model="claude-test", api_key="k", base_url=provider.url, max_retries=0, **options
        )

    return make


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """One content block: its start, its deltas, its stop."""
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text(index: int, *pieces: str) -> list[dict[str, Any]]:
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    return block(index, {"type": "text", "text": ""}, *deltas)


def tool_use(
    index: int, call_id: str, *pieces: str, kind: str = "tool_use", name: str = "weather"
) -> Any:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block(index, {"type": kind, "id": call_id, "name": name, "input": {}}, *deltas)


def streamed(*blocks: Sequence[dict[str, Any]], stop_reason: str = "end_turn") -> Answer:
    message = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "output_tokens": 1},
    }
    return events(
        [
            {"type": "message_start", "message": message},
            {"type": "ping"},
            *(event for events_ in blocks for event in events_),
            {
                "type": "message_delta",
                "delta": {"stop_reason": stop_reason, "stop_sequence": None},
                "usage": {"input_tokens": 25, "output_tokens": 15},
            },
            {"type": "message_stop"},
        ],
        named=True,
    )


THINKING = block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "Let me "},
    {"type": "thinking_delta", "thinking": "think."},
    {"type": "signature_delta", "signature": "EqQBCgIYAhIM"},
)


@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.shows("Anthropic", "text", "reasoning", "usage", "finish reason")
async def test_thinking_with_a_signature_is_reasoning_and_the_signature_stays_here(
    provider: Provider, model: Model, output_version: str
) -> None:
    provider.says(streamed(THINKING, text(1, "It is ", "42.")))

    chunks, merged = await stream(model(output_version=output_version).astream("hi"))

    shown = assert_shows(chunks, merged)
    assert shown.metadata["steps"][0]["usage"]["outputTokens"] > 0
    assert reasoning(shown) == ["Let me think."]
    assert shown.text == "It is 42."
    assert "EqQBCgIYAhIM" not in str(chunks)
    assert shown.metadata["steps"][0]["finishReason"] == "stop"


async def test_redacted_thinking_shows_nothing(provider: Provider, model: Model) -> None:
    redacted = block(1, {"type": "redacted_thinking", "data": "Emlu7xk"})
    provider.says(streamed(THINKING, redacted, text(2, "Yes.")))

    thinking = {"type": "enabled", "budget_tokens": 1024}

    chunks, merged = await stream(model(thinking=thinking).astream("hi"))

    shown = assert_shows(chunks, merged)
    assert kinds(shown) == ["reasoning", "text"]
    assert "Emlu7xk" not in str(chunks)


@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.shows("Anthropic", "parallel calls", "call without arguments")
async def test_parallel_tools_and_one_without_arguments(
    provider: Provider, model: Model, output_version: str
) -> None:
    provider.says(
        streamed(
            text(0, "I will look."),
            tool_use(1, "toolu_1", "", '{"city": "P', 'aris"}'),
            tool_use(2, "toolu_2", '{"city": "Rome"}'),
            tool_use(3, "toolu_3"),
            stop_reason="tool_use",
        )
    )
    bound = model(output_version=output_version).bind_tools([WEATHER])

    chunks, merged = await stream(bound.astream("hi"))

    shown = assert_shows(chunks, merged)
    assert calls(shown) == [
        ("toolu_1", "weather", {"city": "Paris"}),
        ("toolu_2", "weather", {"city": "Rome"}),
        ("toolu_3", "weather", {}),
    ]
    assert shown.metadata["steps"][0]["finishReason"] == "tool-calls"


@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.shows("Anthropic", "sources")
async def test_citations_are_sources_each_once(
    provider: Provider, model: Model, output_version: str
) -> None:
    def cite(**citation: Any) -> dict[str, Any]:
        return {"type": "citations_delta", "citation": {"cited_text": "…", **citation}}

    page = {
        "type": "web_search_result_location",
        "url": "https://a.example/p",
        "title": "Page A",
        "encrypted_index": "Eo8B",
    }
    place = {"document_index": 0, "start_char_index": 0, "end_char_index": 3, "file_id": None}
    document = {"type": "char_location", "document_title": "Handbook", **place}
    provider.says(
        streamed(
            block(
                0,
                {"type": "text", "text": "", "citations": []},
                {"type": "text_delta", "text": "So it says"},
                cite(**page),
                cite(**page),
                cite(**document),
            ),
            text(1, ", twice."),
        )
    )

    chunks, merged = await stream(model(output_version=output_version).astream("hi"))

    shown = assert_shows(chunks, merged)
    assert sources(shown) == [("https://a.example/p", "Page A"), ("", "Handbook")]
    assert shown.text == "So it says, twice."


@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.shows("Anthropic", "server-side tools")
async def test_web_search_is_a_call_with_a_result(
    provider: Provider, model: Model, output_version: str
) -> None:
    found = {
        "type": "web_search_result",
        "title": "Page A",
        "url": "https://a.example/p",
        "encrypted_content": "VERY" * 100,
        "page_age": "1 day",
    }
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [found]}
    provider.says(
        streamed(
            text(0, "Searching."),
            tool_use(
                1, "srvtoolu_1", '{"query":', ' "x"}', kind="server_tool_use", name="web_search"
            ),
            block(2, result),
            text(3, "Found."),
        )
    )

    search = {"type": "web_search_20250305", "name": "web_search"}
    bound = model(output_version=output_version).bind_tools([search])

    chunks, _ = await stream(bound.astream("hi"))

    shown = show(chunks)
    assert kinds(shown) == ["text", "tool-call", "text"]
    assert calls(shown) == [("srvtoolu_1", "web_search", {"query": "x"})]
    [page] = results(shown)["srvtoolu_1"]
    assert page["url"] == "https://a.example/p"
    assert "VERY" not in str(chunks)
    assert shown.metadata["steps"][0]["finishReason"] == "stop"


@pytest.mark.parametrize(
    ("stop_reason", "shown_reason"),
    [
        ("max_tokens", "length"),
        ("refusal", "content-filter"),
        ("stop_sequence", "stop"),
        ("pause_turn", "other"),
        ("model_context_window_exceeded", "length"),
    ],
)
async def test_finish_reasons(
    provider: Provider, model: Model, stop_reason: str, shown_reason: str
) -> None:
    provider.says(streamed(text(0, "x"), stop_reason=stop_reason))

    chunks, _ = await stream(model().astream("hi"))

    assert show(chunks).metadata["steps"][0]["finishReason"] == shown_reason


async def test_the_whole_message_shows_the_same_in_the_same_order(
    provider: Provider, model: Model
) -> None:
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "Eq"},
        {"type": "text", "text": "First", "citations": None},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}},
        {"type": "text", "text": "then", "citations": None},
        {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {}},
    ]
    body = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": content,
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "output_tokens": 15},
    }
    provider.says(json_answer(body))

    chunks, answer = await call(
        lambda h: model(disable_streaming=True).ainvoke("hi", config={"callbacks": [h]})
    )

    shown = assert_shows(chunks, answer)
    assert kinds(shown) == ["reasoning", "text", "tool-call", "text", "tool-call"]
