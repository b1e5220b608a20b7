"""`langchain_google_genai.ChatGoogleGenerativeAI` over its real client.

Calls come whole, the finish reason is STOP all the same, usage is on every chunk.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import pytest

from .provider import Item, Provider, Said, events, json_answer
from .shown import Ask, assert_shows, calls, kinds, reasoning, results, show, sources

WEATHER = {
    "name": "weather",
    "description": "The weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
PARIS, ROME = {"city": "Paris"}, {"city": "Rome"}
PIXEL = base64.b64encode(b"\x89PNG").decode()


@pytest.fixture
def model(provider: Provider) -> Any:
    client = pytest.importorskip("langchain_google_genai")
    return client.ChatGoogleGenerativeAI(
        model="gemini-2.5-flash", api_key="k", base_url=provider.url, max_retries=1
    )


def said(*chunks: Sequence[Item], reason: str = "STOP", **last: Any) -> Said:
    """An answer of chunks of parts; the last one says why it ends, and `last`."""

    def body(parts: Sequence[Item], number: int) -> Item:
        candidate: Item = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
        if number == len(chunks):
            candidate.update(finishReason=reason, **last)
        usage = {
            "promptTokenCount": 9,
            "candidatesTokenCount": number,
            "totalTokenCount": 9 + number,
        }
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5"}

    whole = [part for parts in chunks for part in parts]
    return Said(
        events([body(parts, number) for number, parts in enumerate(chunks, 1)]),
        json_answer(body(whole, len(chunks))),
    )


@pytest.mark.shows("Gemini", "text", "reasoning", "usage", "finish reason")
@pytest.mark.parametrize(
    ("reason", "shown_reason"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content-filter")],
)
async def test_thoughts_text_usage_and_finish_reason(
    ask: Ask, model: Any, reason: str, shown_reason: str
) -> None:
    answer = said(
        [{"text": "Let me think.", "thought": True}],
        [{"text": "Yes"}],
        [{"text": "."}],
        reason=reason,
    )

    chunks, message = await ask(model, answer)

    shown = assert_shows(chunks, message, finish_reason=shown_reason)
    assert message.usage_metadata is not None
    assert reasoning(shown) == ["Let me think."]
    assert shown.text == "Yes."


async def test_the_signature_of_a_thought_stays_here(ask: Ask, model: Any) -> None:
    signature = base64.b64encode(b"secret").decode()
    call = {"functionCall": {"name": "weather", "args": PARIS}, "thoughtSignature": signature}
    answer = said([{"text": "Hm.", "thought": True}], [call])

    chunks, message = await ask(model, answer, [WEATHER])

    assert kinds(assert_shows(chunks, message)) == ["reasoning", "tool-call"]
    assert signature in str(message)
    assert signature not in str(chunks)


@pytest.mark.shows("Gemini", "parallel calls", "call without arguments", "finish reason")
async def test_parallel_calls_end_the_step_with_tool_calls(ask: Ask, model: Any) -> None:
    asked = [{"functionCall": {"name": "weather", "args": args}} for args in (PARIS, ROME, {})]
    no_args = {"functionCall": {"name": "weather"}}

    chunks, message = await ask(model, said([*asked, no_args]), [WEATHER])

    shown = assert_shows(chunks, message, finish_reason="tool-calls")
    assert [args for _, _, args in calls(shown)] == [PARIS, ROME, {}, {}]


@pytest.mark.shows("Gemini", "sources")
async def test_grounding_is_sources(ask: Ask, model: Any) -> None:
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a.example/p", "title": "Page A"}}],
        "groundingSupports": [
            {
                "segment": {"startIndex": 0, "endIndex": 4, "text": "Yes."},
                "groundingChunkIndices": [0],
            }
        ],
        "webSearchQueries": ["x"],
    }

    chunks, message = await ask(model, said([{"text": "Yes."}], groundingMetadata=grounding))

    assert sources(assert_shows(chunks, message)) == [("https://a.example/p", "Page A")]


@pytest.mark.filterwarnings(r"ignore:\s*Warning")
@pytest.mark.shows("Gemini", "server-side tools")
async def test_code_execution_is_a_call_with_a_result(ask: Ask, model: Any) -> None:
    answer = said(
        [{"executableCode": {"language": "PYTHON", "code": "print(1)"}}],
        [{"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}],
        [{"text": "One."}],
    )

    chunks, _ = await ask(model, answer)

    shown = show(chunks)
    [(call_id, _, args)] = calls(shown)
    assert args["code"] == "print(1)"
    assert results(shown) == {call_id: "1"}
    assert shown.text == "One."


@pytest.mark.shows("Gemini", "files")
async def test_an_image_that_it_draws_is_a_file(ask: Ask, model: Any) -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}

    chunks, message = await ask(model, said([{"text": "There: "}], [image], [{"text": "done."}]))

    shown = assert_shows(chunks, message)
    assert kinds(shown) == ["text", "file", "text"]
    assert shown.parts[1]["data"] == f"data:image/png;base64,{PIXEL}"
    assert shown.parts[1]["mimeType"] == "image/png"


async def test_speech_is_a_file(ask: Ask, model: Any) -> None:
    sound = {"inlineData": {"mimeType": "audio/L16;rate=24000", "data": PIXEL}}

    chunks, _ = await ask(model, said([sound]))

    [file] = [part for part in show(chunks).parts if part["type"] == "file"]
    assert file["mimeType"] == "audio/wav"
    assert base64.b64decode(file["data"].partition(",")[2]).startswith(b"RIFF")
