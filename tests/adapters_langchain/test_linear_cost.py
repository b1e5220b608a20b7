"""A delta at the end of a long message is no more work than one at its start.

Counted, not timed: the functions that run for it, and the memory that it takes for a moment, which
a copy of what came before would show in. `python -m tests.bench translator` has the times.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from assistant_stream_langchain import MessageTranslator

RUN = "lc_run--12345678-1234-1234-1234-123456789012"
PIECE = "x" * 99 + " "
BEFORE = 5_000  # Half a megabyte.


def arguments(number: int, *, index: int | None = 0, name: str | None = None) -> AIMessageChunk:
    """A piece of a call's arguments; the first names the call, some providers name it in all."""
    first = {"name": "write", "id": "call_1"} if number == 0 else {"name": name, "id": None}
    chunk: Any = {**first, "args": PIECE, "index": index}
    return AIMessageChunk(content="", id=RUN, tool_call_chunks=[chunk])


def block(kind: str, key: str) -> Callable[[int], AIMessageChunk]:
    content: Any = [{"type": kind, key: PIECE, "index": 0}]
    return lambda number: AIMessageChunk(content=content, id=RUN)


KINDS: dict[str, Callable[[int], AIMessageChunk]] = {
    "text": lambda number: AIMessageChunk(content=PIECE, id=RUN),
    "text block": block("text", "text"),
    "thinking block": block("thinking", "thinking"),
    "reasoning beside the content": lambda number: AIMessageChunk(
        content="", id=RUN, additional_kwargs={"reasoning_content": PIECE}
    ),
    "text in a think tag": lambda number: AIMessageChunk(
        content=PIECE if number else "<think>", id=RUN
    ),
    "arguments": arguments,
    "arguments without an index": lambda number: arguments(number, index=None),
    "arguments with the name in every piece": lambda number: arguments(number, name="write"),
}


def calls_of(work: Callable[[], object]) -> int:
    """How many functions run, those of C included."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def memory_of(work: Callable[[], object]) -> int:
    """How many bytes more than before are in use at the worst moment."""
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    work()
    _, peak = tracemalloc.get_traced_memory()
    return peak - before


@pytest.fixture
def no_collection() -> Iterator[None]:
    """What the garbage collector runs is no part of a delta."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("kind", KINDS)
def test_a_late_delta_is_as_much_work_as_an_early_one(kind: str) -> None:
    make, translator = KINDS[kind], MessageTranslator()
    deltas = [make(number) for number in range(BEFORE + 100)]

    def feed(number: int) -> Callable[[], object]:
        return lambda: translator.feed(deltas[number])

    for number in range(10):
        translator.feed(deltas[number])
    early_calls = [calls_of(feed(number)) for number in range(10, 30)]
    tracemalloc.start()
    try:
        early_memory = [memory_of(feed(number)) for number in range(30, 60)]
        for number in range(60, BEFORE):
            translator.feed(deltas[number])
        # The median: now and then a list makes room for more.
        late_memory = [memory_of(feed(number)) for number in range(BEFORE, BEFORE + 50)]
    finally:
        tracemalloc.stop()
    late_calls = [calls_of(feed(number)) for number in range(BEFORE + 50, BEFORE + 100)]

    assert set(late_calls) == set(early_calls)
    assert statistics.median(late_memory) < statistics.median(early_memory) + 1_000
