"""Answers side by side, told one after the other."""

from __future__ import annotations

from typing import Any

import pytest

from assistant_stream_ce.chunks import TextDeltaChunk, ToolCallBeginChunk, ToolResultChunk
from assistant_stream_langchain._voices import PATIENCE, Voices


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def voices(clock: Clock) -> Voices:
    return Voices(clock)


def say(text: str) -> Any:
    return [TextDeltaChunk(text)]


def test_the_first_has_the_floor_until_it_ends(voices: Voices) -> None:
    assert voices.say("a", None, say("a1")) == say("a1")
    assert voices.say("b", None, say("b1")) == []
    assert voices.say("a", None, say("a2")) == say("a2")
    assert voices.say("a", None, say("a3"), ended=True) == [*say("a3"), *say("b1")]
    assert voices.say("b", None, say("b2")) == say("b2")


def test_one_that_ended_while_it_waited_is_told_whole(voices: Voices) -> None:
    voices.say("a", None, say("a1"))
    voices.say("b", None, say("b1"))
    assert voices.say("b", None, say("b2"), ended=True) == []
    voices.say("c", None, say("c1"))
    assert voices.say("a", None, [], ended=True) == [*say("b1"), *say("b2"), *say("c1")]
    assert voices.say("c", None, say("c2")) == say("c2")


def test_answers_under_different_calls_do_not_wait(voices: Voices) -> None:
    assert voices.say("a", "call_a", say("a1")) == say("a1")
    assert voices.say("b", "call_b", say("b1")) == say("b1")


def test_after_a_silence_the_floor_goes_on(voices: Voices, clock: Clock) -> None:
    voices.say("a", None, say("a1"))
    assert voices.say("b", None, say("b1")) == []
    clock.now += PATIENCE + 0.1
    assert voices.say("b", None, say("b2")) == [*say("b1"), *say("b2")]
    assert voices.say("a", None, say("a2")) == []
    assert voices.say("b", None, say("b3"), ended=True) == [*say("b3"), *say("a2")]


def test_the_result_of_a_call_that_is_held_back_waits_with_it(voices: Voices) -> None:
    begin = ToolCallBeginChunk("t", "f")
    result = ToolResultChunk("t", 1)
    voices.say("a", None, say("a1"))
    voices.say("b", None, [begin], ended=True)

    assert voices.follow("t", [result]) == []
    assert voices.say("a", None, [], ended=True) == [begin, result]
    assert voices.follow("t", [result]) == [result]


def test_at_the_end_nothing_stays_behind(voices: Voices) -> None:
    voices.say("a", None, say("a1"))
    voices.say("b", None, say("b1"))

    assert voices.release_all() == say("b1")
    assert voices.release_all() == []
