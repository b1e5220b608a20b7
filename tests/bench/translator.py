"""LangChain messages to chunks: the cost of a token and of an argument delta, early and late."""

from __future__ import annotations

import time
from collections.abc import Callable

from langchain_core.messages import AIMessageChunk

from assistant_stream_langchain import MessageTranslator

from .measure import Case

DELTAS = 1_000
BEFORE = (0, 1_000, 5_000, 20_000)
RUN = "lc_run--12345678-1234-1234-1234-123456789012"


def text(number: int) -> AIMessageChunk:
    """A token, as a chat completion streams it."""
    return AIMessageChunk(content="token ", id=RUN, response_metadata={"model_provider": "openai"})


def block(number: int) -> AIMessageChunk:
    """A token in a content block, as Anthropic and the Responses API stream it."""
    content = [{"type": "text", "text": "token ", "index": 0}]
    return AIMessageChunk(
        content=content, id=RUN, response_metadata={"model_provider": "anthropic"}
    )


def arguments(number: int) -> AIMessageChunk:
    """A piece of a tool call's arguments; the first names the call."""
    first = {"name": "write", "id": "call_1"} if number == 0 else {"name": None, "id": None}
    return AIMessageChunk(
        content="", id=RUN, tool_call_chunks=[{**first, "args": "piece ", "index": 0}]
    )


KINDS = {"text token": text, "text block": block, "tool-argument delta": arguments}


def per_delta(make: Callable[[int], AIMessageChunk], before: int) -> Callable[[], float]:
    """Microseconds a delta after `before` others of the same message."""

    def run() -> float:
        translator = MessageTranslator()
        translator.feed(make(0))
        for number in range(1, before + 1):
            translator.feed(make(number))
        deltas = [make(before + number + 1) for number in range(DELTAS)]
        start = time.perf_counter()
        for delta in deltas:
            translator.feed(delta)
        return (time.perf_counter() - start) / DELTAS * 1e6

    return run


def growth(make: Callable[[int], AIMessageChunk]) -> Callable[[], float]:
    """How many times what a first delta costs a late one does, both measured in turn."""
    early, late = per_delta(make, BEFORE[0]), per_delta(make, BEFORE[-1])
    return lambda: late() / early()


def cases() -> list[Case]:
    """Every kind of delta, at every length of what came before, and whether that is flat."""
    found: list[Case] = []
    for name, make in KINDS.items():
        for before in BEFORE:
            found.append(Case(f"{name} at {before:,}", "µs", per_delta(make, before), repeats=5))
        title = f"{name}, at {BEFORE[-1]:,} over at {BEFORE[0]}"
        found.append(Case(title, "times", growth(make), goal=1.0, repeats=9))
    return found
