"""`langchain_aws.ChatBedrockConverse` over its real client.

Content blocks by index, the signature of reasoning on a chunk of its own.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from .provider import Answer, Item, Provider, Said, json_answer
from .shown import Ask, assert_shows, call, calls, kinds, reasoning, results, show, sources

WEATHER = {
    "name": "weather",
    "description": "The weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
PARIS, ROME = {"city": "Paris"}, {"city": "Rome"}
PIXEL = base64.b64encode(b"\x89PNG").decode()

Block = tuple[Item, list[Item], Item]
"""A content block: how its stream starts, its deltas, and the block in a complete answer."""


@pytest.fixture(scope="module")  # Its client takes half a second.
def model(running_provider: Provider) -> Any:
    client = pytest.importorskip("langchain_aws")
    return client.ChatBedrockConverse(
        model="anthropic.claude-sonnet-4-20250514-v1:0",
        provider="anthropic",
        region_name="us-east-1",
        endpoint_url=running_provider.url,
        aws_access_key_id="k",
        aws_secret_access_key="s",
    )


def aws_event(kind: str, payload: Item) -> bytes:
    """A frame of AWS's event stream: prelude, headers, payload, checksums."""
    headers = b""
    for name, value in (
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ):
        headers += struct.pack("!B", len(name)) + name.encode()
        headers += struct.pack("!BH", 7, len(value)) + value.encode()
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    prelude += struct.pack("!I", zlib.crc32(prelude))
    frame = prelude + headers + body
    return frame + struct.pack("!I", zlib.crc32(frame))


def said(*blocks: Block, stop_reason: str = "end_turn") -> Said:
    """An answer of content blocks."""
    usage = {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}
    frames = [aws_event("messageStart", {"role": "assistant"})]
    for index, (start, deltas, _) in enumerate(blocks):
        place = {"contentBlockIndex": index}
        if start:
            frames.append(aws_event("contentBlockStart", {"start": start, **place}))
        frames += [aws_event("contentBlockDelta", {"delta": d, **place}) for d in deltas]
        frames.append(aws_event("contentBlockStop", place))
    frames.append(aws_event("messageStop", {"stopReason": stop_reason}))
    frames.append(aws_event("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}))
    content = [whole for _, _, whole in blocks]
    body = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop_reason,
        "usage": usage,
        "metrics": {"latencyMs": 1},
    }
    return Said(Answer(frames, "application/vnd.amazon.eventstream"), json_answer(body))


def text(*pieces: str) -> Block:
    return {}, [{"text": piece} for piece in pieces], {"text": "".join(pieces)}


def tool_use(call_id: str, *pieces: str) -> Block:
    start = {"toolUseId": call_id, "name": "weather"}
    whole = {**start, "input": json.loads("".join(pieces) or "{}")}
    deltas = [{"toolUse": {"input": piece}} for piece in pieces]
    return {"toolUse": start}, deltas, {"toolUse": whole}


def thought(*pieces: str, signature: str) -> Block:
    deltas: list[Item] = [{"reasoningContent": {"text": piece}} for piece in pieces]
    deltas.append({"reasoningContent": {"signature": signature}})
    whole = {"text": "".join(pieces), "signature": signature}
    return {}, deltas, {"reasoningContent": {"reasoningText": whole}}


def cited(*pieces: str, citations: Sequence[Item]) -> Block:
    deltas: list[Item] = [{"text": piece} for piece in pieces]
    deltas += [{"citation": citation} for citation in citations]
    whole = {"content": [{"text": "".join(pieces)}], "citations": list(citations)}
    return {}, deltas, {"citationsContent": whole}


@pytest.mark.shows("Bedrock Converse", "text", "reasoning", "usage", "finish reason")
@pytest.mark.parametrize(
    ("reason", "shown_reason"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("guardrail_intervened", "content-filter"),
        ("content_filtered", "content-filter"),
    ],
)
async def test_reasoning_with_a_signature_and_text(
    ask: Ask, model: Any, reason: str, shown_reason: str
) -> None:
    answer = said(
        thought("Let me ", "think.", signature="EqQB"), text("Yes", "."), stop_reason=reason
    )

    chunks, message = await ask(model, answer)

    shown = assert_shows(chunks, message, finish_reason=shown_reason)
    assert message.usage_metadata is not None
    assert reasoning(shown) == ["Let me think."]
    assert shown.text == "Yes."
    assert "EqQB" in str(message)
    assert "EqQB" not in str(chunks)


async def test_redacted_reasoning_shows_nothing(ask: Ask, model: Any) -> None:
    redacted = {"reasoningContent": {"redactedContent": base64.b64encode(b"Emlu7xk").decode()}}

    chunks, message = await ask(model, said(({}, [redacted], redacted), text("Yes.")))

    assert kinds(assert_shows(chunks, message)) == ["text"]
    assert "Emlu7xk" in str(message)
    assert "Emlu7xk" not in str(chunks)


@pytest.mark.shows("Bedrock Converse", "parallel calls", "call without arguments")
async def test_parallel_calls_and_one_without_arguments(ask: Ask, model: Any) -> None:
    answer = said(
        text("Looking."),
        tool_use("a", '{"city":', ' "Paris"}'),
        tool_use("b", '{"city": "Rome"}'),
        tool_use("c"),
        stop_reason="tool_use",
    )

    chunks, message = await ask(model, answer, [WEATHER])

    shown = assert_shows(chunks, message, finish_reason="tool-calls")
    assert calls(shown) == [("a", "weather", PARIS), ("b", "weather", ROME), ("c", "weather", {})]


@pytest.mark.shows("Bedrock Converse", "sources")
async def test_citations_are_sources_each_once(ask: Ask, model: Any) -> None:
    page = {
        "title": "Handbook",
        "sourceContent": [{"text": "So it says"}],
        "location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}},
    }
    web = {"title": "Page A", "location": {"web": {"url": "https://a.example/p", "domain": "a"}}}

    chunks, message = await ask(
        model, said(cited("So it ", "says", citations=[page, page, web]), text(", twice."))
    )

    shown = assert_shows(chunks, message)
    assert sources(shown) == [("", "Handbook"), ("https://a.example/p", "Page A")]
    assert shown.text == "So it says, twice."


@pytest.mark.shows("Bedrock Converse", "files")
async def test_an_image_that_it_draws_is_a_file(provider: Provider, model: Any) -> None:
    """The client has no words for an image that is streamed."""
    image = {"image": {"format": "png", "source": {"bytes": PIXEL}}}
    provider.says(said(text("There: "), ({}, [], image)).complete)
    quiet = model.model_copy(update={"disable_streaming": True})

    chunks, _ = await call(lambda h: quiet.ainvoke("hi", {"callbacks": [h]}))

    shown = show(chunks)
    assert kinds(shown) == ["text", "file"]
    assert shown.parts[1]["data"] == f"data:image/png;base64,{PIXEL}"


@pytest.mark.shows("Bedrock Converse", "server-side tools")
async def test_tools_that_it_ran_are_calls_with_results(ask: Ask, model: Any) -> None:
    """Grounding of Nova models, and code they run."""
    use = {"toolUseId": "s1", "name": "nova_grounding", "type": "server_tool_use"}
    answer = {"toolUseId": "s1", "type": "nova_grounding_result"}
    found = [{"text": "Page A"}]
    called: Block = (
        {"toolUse": use},
        [{"toolUse": {"input": '{"query": "x"}'}}],
        {"toolUse": {**use, "input": {"query": "x"}}},
    )
    answered: Block = (
        {"toolResult": {**answer, "status": "success"}},
        [{"toolResult": found}],
        {"toolResult": {**answer, "status": "success", "content": found}},
    )

    chunks, _ = await ask(model, said(called, answered, text("Found.")))

    shown = show(chunks)
    assert calls(shown) == [("s1", "nova_grounding", {"query": "x"})]
    assert "Page A" in str(results(shown)["s1"])
    assert shown.text == "Found."
    assert shown.metadata["steps"][0]["finishReason"] == "stop"
