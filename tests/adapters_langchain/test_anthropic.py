"""`langchain_anthropic.ChatAnthropic` over its real client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic

from .provider import Item, Provider, Said, events, json_answer
from .shown import Ask, assert_shows, calls, kinds, reasoning, results, show, sources

Model = Callable[..., ChatAnthropic]
Block = tuple[Item, list[Item], Item]
"""A content block: how its stream starts, its deltas, and the block in a complete answer."""

VERSIONS = pytest.mark.parametrize("output_version", ["v0", "v1"])

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


def said(*blocks: Block, stop_reason: str = "end_turn") -> Said:
    """An answer of content blocks."""
    end = {"stop_reason": stop_reason, "stop_sequence": None}
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
    usage = {"input_tokens": 25, "output_tokens": 15}
    frames: list[Item] = [{"type": "message_start", "message": message}, {"type": "ping"}]
    for index, (start, deltas, _) in enumerate(blocks):
        frames.append({"type": "content_block_start", "index": index, "content_block": start})
        frames += [
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        ]
        frames.append({"type": "content_block_stop", "index": index})
    frames.append({"type": "message_delta", "delta": end, "usage": usage})
    frames.append({"type": "message_stop"})
    content = [whole for _, _, whole in blocks]
    return Said(
        events(frames, named=True),
        json_answer({**message, **end, "content": content, "usage": usage}),
    )


def at_once(block: Item) -> Block:
    """A block that comes whole with its start."""
    return block, [], block


def text(*pieces: str, citations: list[Item] | None = None) -> Block:
    deltas: list[Item] = [{"type": "text_delta", "text": piece} for piece in pieces]
    deltas += [{"type": "citations_delta", "citation": citation} for citation in citations or ()]
    start: Item = {"type": "text", "text": "", "citations": None if citations is None else []}
    return start, deltas, {**start, "text": "".join(pieces), "citations": citations}


def tool_use(
    call_id: str, *pieces: str, kind: str = "tool_use", name: str = "weather", **more: Any
) -> Block:
    start = {"type": kind, "id": call_id, "name": name, "input": {}, **more}
    deltas: list[Item] = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return start, deltas, {**start, "input": json.loads("".join(pieces) or "{}")}


SIGNATURE = "EqQBCgIYAhIM"
THINKING: Block = (
    {"type": "thinking", "thinking": "", "signature": ""},
    [
        {"type": "thinking_delta", "thinking": "Let me "},
        {"type": "thinking_delta", "thinking": "think."},
        {"type": "signature_delta", "signature": SIGNATURE},
    ],
    {"type": "thinking", "thinking": "Let me think.", "signature": SIGNATURE},
)


@VERSIONS
@pytest.mark.shows("Anthropic", "text", "reasoning", "usage", "finish reason")
async def test_thinking_with_a_signature_is_reasoning_and_the_signature_stays_here(
    ask: Ask, model: Model, output_version: str
) -> None:
    answer = said(THINKING, text("It is ", "42."))

    chunks, message = await ask(model(output_version=output_version), answer)

    shown = assert_shows(chunks, message, finish_reason="stop")
    assert message.usage_metadata is not None
    assert reasoning(shown) == ["Let me think."]
    assert shown.text == "It is 42."
    assert SIGNATURE in str(message)
    assert SIGNATURE not in str(chunks)


async def test_redacted_thinking_shows_nothing(ask: Ask, model: Model) -> None:
    redacted = at_once({"type": "redacted_thinking", "data": "Emlu7xk"})
    thinking = {"type": "enabled", "budget_tokens": 1024}

    chunks, message = await ask(model(thinking=thinking), said(THINKING, redacted, text("Yes.")))

    shown = assert_shows(chunks, message)
    assert kinds(shown) == ["reasoning", "text"]
    assert "Emlu7xk" in str(message)
    assert "Emlu7xk" not in str(chunks)


@VERSIONS
@pytest.mark.shows("Anthropic", "parallel calls", "call without arguments")
async def test_parallel_tools_and_one_without_arguments(
    ask: Ask, model: Model, output_version: str
) -> None:
    answer = said(
        text("I will look."),
        tool_use("toolu_1", "", '{"city": "P', 'aris"}'),
        text("And there."),
        tool_use("toolu_2", '{"city": "Rome"}'),
        tool_use("toolu_3"),
        stop_reason="tool_use",
    )

    chunks, message = await ask(model(output_version=output_version), answer, [WEATHER])

    shown = assert_shows(chunks, message, finish_reason="tool-calls")
    assert kinds(shown) == ["text", "tool-call", "text", "tool-call", "tool-call"]
    assert calls(shown) == [
        ("toolu_1", "weather", {"city": "Paris"}),
        ("toolu_2", "weather", {"city": "Rome"}),
        ("toolu_3", "weather", {}),
    ]


@VERSIONS
@pytest.mark.shows("Anthropic", "sources")
async def test_citations_are_sources_each_once(ask: Ask, model: Model, output_version: str) -> None:
    page = {
        "type": "web_search_result_location",
        "url": "https://a.example/p",
        "title": "Page A",
        "encrypted_index": "Eo8B",
        "cited_text": "…",
    }
    document = {
        "type": "char_location",
        "document_title": "Handbook",
        "document_index": 0,
        "start_char_index": 0,
        "end_char_index": 3,
        "file_id": None,
        "cited_text": "…",
    }
    answer = said(text("So it says", citations=[page, page, document]), text(", twice."))

    chunks, message = await ask(model(output_version=output_version), answer)

    shown = assert_shows(chunks, message)
    assert sources(shown) == [("https://a.example/p", "Page A"), ("", "Handbook")]
    assert shown.text == "So it says, twice."


@VERSIONS
@pytest.mark.shows("Anthropic", "server-side tools")
async def test_web_search_is_a_call_with_a_result(
    ask: Ask, model: Model, output_version: str
) -> None:
    found = {
        "type": "web_search_result",
        "title": "Page A",
        "url": "https://a.example/p",
        "encrypted_content": "VERY" * 100,
        "page_age": "1 day",
    }
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [found]}
    answer = said(
        text("Searching."),
        tool_use("srvtoolu_1", '{"query":', ' "x"}', kind="server_tool_use", name="web_search"),
        at_once(result),
        text("Found."),
    )
    search = {"type": "web_search_20250305", "name": "web_search"}

    chunks, _ = await ask(model(output_version=output_version), answer, [search])

    shown = show(chunks)
    assert kinds(shown) == ["text", "tool-call", "text"]
    assert calls(shown) == [("srvtoolu_1", "web_search", {"query": "x"})]
    [page] = results(shown)["srvtoolu_1"]
    assert page["url"] == "https://a.example/p"
    assert "VERY" not in str(chunks)
    assert shown.metadata["steps"][0]["finishReason"] == "stop"


@VERSIONS
@pytest.mark.shows("Anthropic", "server-side tools")
async def test_code_that_it_ran_is_a_call_with_what_it_printed_and_wrote(
    ask: Ask, model: Model, output_version: str
) -> None:
    """A file that the code wrote is named by an id that only your API key can fetch."""
    output = {
        "type": "bash_code_execution_result",
        "stdout": "1",
        "stderr": "",
        "return_code": 0,
        "content": [{"type": "bash_code_execution_output", "file_id": "file_1"}],
    }
    answer = said(
        tool_use(
            "srvtoolu_1",
            '{"command": "python3 plot.py"}',
            kind="server_tool_use",
            name="bash_code_execution",
        ),
        at_once(
            {
                "type": "bash_code_execution_tool_result",
                "tool_use_id": "srvtoolu_1",
                "content": output,
            }
        ),
        text("Done."),
    )
    tools = [{"type": "code_execution_20250825", "name": "code_execution"}]

    chunks, _ = await ask(model(output_version=output_version), answer, tools)

    shown = show(chunks)
    assert kinds(shown) == ["tool-call", "text"]
    [(call_id, name, args)] = calls(shown)
    assert args == {"command": "python3 plot.py"}
    assert name in ("bash_code_execution", "code_interpreter", "code_execution")
    assert results(shown)[call_id]["stdout"] == "1"
    assert "file_1" in str(results(shown)[call_id])


@VERSIONS
async def test_mcp_tools_are_calls_with_results(
    ask: Ask, model: Model, output_version: str
) -> None:
    said_ = {"type": "text", "text": "an answer", "citations": None}
    result = {"tool_use_id": "mcptoolu_1", "is_error": False, "content": [said_]}
    answer = said(
        tool_use(
            "mcptoolu_1", '{"repo": "a/b"}', kind="mcp_tool_use", name="ask", server_name="wiki"
        ),
        at_once({"type": "mcp_tool_result", **result}),
        text("Done."),
    )
    servers = [{"type": "url", "url": "https://a.example/mcp", "name": "wiki"}]
    asked = model(output_version=output_version, mcp_servers=servers)

    chunks, _ = await ask(asked, answer)

    shown = show(chunks)
    assert calls(shown) == [("mcptoolu_1", "ask", {"repo": "a/b"})]
    assert "an answer" in str(results(shown)["mcptoolu_1"])
    assert shown.text == "Done."


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
async def test_finish_reasons(ask: Ask, model: Model, stop_reason: str, shown_reason: str) -> None:
    chunks, message = await ask(model(), said(text("x"), stop_reason=stop_reason))

    assert_shows(chunks, message, finish_reason=shown_reason)
