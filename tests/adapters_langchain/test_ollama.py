"""`langchain_ollama.ChatOllama` over its real client: JSON lines, calls come whole."""

from __future__ import annotations

from typing import Any

import pytest

from .provider import Item, Provider, Said, json_answer, json_lines
from .shown import Ask, assert_shows, calls, kinds, reasoning

WEATHER = {
    "name": "weather",
    "description": "The weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
PARIS, ROME = {"city": "Paris"}, {"city": "Rome"}


@pytest.fixture
def model(provider: Provider) -> Any:
    client = pytest.importorskip("langchain_ollama")
    return client.ChatOllama(model="qwen3", base_url=provider.url, reasoning=True)


def said(*messages: Item, done_reason: str = "stop") -> Said:
    """An answer of these pieces; a server that does not stream sends one line with their sum."""
    head = {"model": "qwen3", "created_at": "2026-01-01T00:00:00Z"}
    empty = {"role": "assistant", "content": ""}
    lines: list[Item] = [
        {**head, "message": {**empty, **message}, "done": False} for message in messages
    ]
    end = {"done": True, "done_reason": done_reason, "prompt_eval_count": 9, "eval_count": 4}
    whole: Item = dict(empty)
    for message in messages:
        for key, value in message.items():
            whole[key] = value if key not in whole else whole[key] + value
    return Said(
        json_lines([*lines, {**head, "message": empty, **end}]),
        json_answer({**head, "message": whole, **end}),
    )


@pytest.mark.shows("Ollama", "text", "reasoning", "usage", "finish reason")
@pytest.mark.parametrize(("reason", "shown_reason"), [("stop", "stop"), ("length", "length")])
async def test_thinking_text_usage_and_finish_reason(
    ask: Ask, model: Any, reason: str, shown_reason: str
) -> None:
    answer = said(
        {"thinking": "Let me "},
        {"thinking": "think."},
        {"content": "Yes"},
        {"content": "."},
        done_reason=reason,
    )

    chunks, message = await ask(model, answer)

    shown = assert_shows(chunks, message, finish_reason=shown_reason)
    assert message.usage_metadata is not None
    assert reasoning(shown) == ["Let me think."]
    assert kinds(shown) == ["reasoning", "text"]


@pytest.mark.shows("Ollama", "parallel calls", "call without arguments")
async def test_parallel_calls_and_one_without_arguments(ask: Ask, model: Any) -> None:
    def asks(arguments: Item) -> Item:
        return {"tool_calls": [{"function": {"name": "weather", "arguments": arguments}}]}

    chunks, message = await ask(model, said(asks(PARIS), asks(ROME), asks({})), [WEATHER])

    shown = assert_shows(chunks, message, finish_reason="tool-calls")
    assert [args for _, _, args in calls(shown)] == [PARIS, ROME, {}]
