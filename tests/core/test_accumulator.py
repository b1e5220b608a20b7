"""The accumulator in Python makes the message that the real TypeScript accumulator makes."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from assistant_stream_ce._partial_json import PartialJSON
from assistant_stream_ce.accumulator import MessageAccumulator, accumulate
from assistant_stream_ce.chunks import (
    AnnotationsChunk,
    AssistantStreamChunk,
    DataChunk,
    ErrorChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce.errors import StateOperationError
from assistant_stream_ce.serialization import AssistantTransportEncoder, DataStreamEncoder
from tests.npm import decode
from tests.serialization.cases import CASES, Case, by_name
from tests.serialization.strategies import chunk_lists


def transport(chunks: Sequence[AssistantStreamChunk], *, end: bool = True) -> bytes:
    encoder = AssistantTransportEncoder()
    frames = "".join(map(encoder.encode_chunk, chunks)) + (encoder.encode_end() if end else "")
    return encoder.escape(frames).encode()


def fold(chunks: Sequence[AssistantStreamChunk], *, end: bool = True, state: Any = None) -> Any:
    accumulator = MessageAccumulator(initial_state=state)
    for chunk in chunks:
        accumulator.add(chunk)
    if end:
        accumulator.finish()
    return comparable(accumulator.message)


def comparable(message: Any) -> Any:
    """The message as JavaScript reads it: halves of an emoji meet, and every number is a float.
    The ids that are made up for a step that has none are left out."""
    message = json.loads(json.dumps(message), parse_int=float)
    for step in message["metadata"]["steps"]:
        if len(step["messageId"]) in (7, 32):
            step["messageId"] = "made up"
    return message


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_final_message(case: Case) -> None:
    theirs = decode(transport(case.chunks), "assistant-transport").checked()
    assert fold(case.chunks) == comparable(theirs.message or empty_message())


def empty_message() -> Any:
    """What the client's flush makes of a stream without chunks."""
    return {
        "role": "assistant",
        "status": {"type": "complete", "reason": "unknown"},
        "parts": [],
        "metadata": {
            "unstable_state": None,
            "unstable_data": [],
            "unstable_annotations": [],
            "steps": [],
            "custom": {},
        },
    }


@pytest.mark.parametrize("case", [case for case in CASES if 1 < len(case.chunks) < 20], ids=by_name)
def test_message_after_every_chunk(case: Case) -> None:
    for count in range(1, len(case.chunks) + 1):
        chunks = case.chunks[:count]
        wire = transport(chunks, end=False)
        if wire:
            # The wire is cut, so that the client's last message is one that still runs.
            theirs = decode(wire, "assistant-transport", messages=True)
            assert fold(chunks, end=False) == comparable(theirs.messages[-1])


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chunk_lists())
def test_any_chunks_in_any_order(chunks: list[AssistantStreamChunk]) -> None:
    theirs = decode(transport(chunks), "assistant-transport").checked()
    assert fold(chunks) == comparable(theirs.message or empty_message())


def test_the_data_stream_client_shows_the_same() -> None:
    chunks: list[AssistantStreamChunk] = [
        StepStartChunk("s1"),
        ReasoningDeltaChunk("hm"),
        TextDeltaChunk("Let me see."),
        ToolCallBeginChunk("c1", "search", "p"),
        ToolCallDeltaChunk("c1", '{"q": "a'),
        TextDeltaChunk(" Meanwhile"),
        ToolCallDeltaChunk("c1", 'b", "n": 1'),
        ToolResultChunk("c1", None, artifact={"a": 1}, is_error=True),
        ToolCallBeginChunk("c2", "ask"),
        StepFinishChunk("tool-calls", 5, 7),
        DataChunk({"n": 1}),
        AnnotationsChunk(["x"]),
        UpdateStateChunk([{"type": "set", "path": ["a"], "value": [1]}]),
    ]
    encoder = DataStreamEncoder()
    wire = "".join(map(encoder.encode_chunk, chunks)) + encoder.encode_end()
    message = fold(chunks)
    assert message == comparable(decode(wire).checked().message)
    assert message["status"] == {"type": "requires-action", "reason": "tool-calls"}
    assert message["parts"][2]["args"] == {"q": "ab", "n": 1}
    assert message["parts"][4]["args"] == {}


ARGUMENTS = [
    '{"q": "a\\n\\"\\u00e9\\ud83d\\ude00 b", "n": [1, -2.5, 1e-7, 0], "t": true, "f": false}',
    '{"a": {"b": [], "c": {}, "d": [{"e": null}, "x"]}, "": "", "k\\u0041\\"": 1}',
    '  \n{"a" : 1 , "b":[ true , null ] } \n',
    '[1, [2, {}], "x"]',
    "{}",
    '{"a": 10, "a": 200}',
    '{"é": "世界"}',
    '{"a": 1} and more',
    '{"a": 1, b: 2}',
    '{"a": [1, 2',
    '{"a": -',
    "null",
    "7",
    '"text"',
    "not JSON",
    "}",
]


@pytest.mark.parametrize("text", ARGUMENTS)
def test_arguments_after_every_character(text: str) -> None:
    begin = ToolCallBeginChunk("c1", "search")
    deltas = [ToolCallDeltaChunk("c1", char) for char in text]
    theirs = decode(transport([begin, *deltas], end=False), "assistant-transport", messages=True)
    often = PartialJSON()
    for number, (char, message) in enumerate(zip(text, theirs.messages[1:], strict=True), 1):
        often.append(char)
        once = PartialJSON()
        once.append(text[:number])
        for partial in (often, once):
            assert comparable_json(partial.value) == message["parts"][0]["args"], text[:number]
            assert partial.text == text[:number] == message["parts"][0]["argsText"]


def comparable_json(value: object) -> Any:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, "b": nope', {"a": 1}),
        ('{"a": 1, "b": truer', {"a": 1}),
        ('{"a": 1]', {"a": 1}),
        ('{"a": 1, "b": [2, ]', {"a": 1, "b": [2]}),
        ('{"a" 1}', {}),
        ("{1: 2}", {}),
        ('{"a": 1}{"b": 2}', {"a": 1}),
        ('{"a": 1, ]', {"a": 1}),
        ('{"a": 1,, "b": 2}', {"a": 1}),
        ('{"a": 1 "b": 2}', {"a": 1}),
        ('{"a": 01}', {"a": 0}),
        ('{"a": 1-2, "b": 3}', {"a": 1}),
        ('{"a": +1, "b": 3}', {}),
        ('{"a": NaN}', {}),
        ('{"a": "x\ny"}', {"a": "x"}),
        ('{"a": "x\\qy"}', {"a": "x"}),
        ('{"a": "x\\u12', {"a": "x"}),
        ('{"a', {}),
        ('{"a": {"__proto__": 1, "b": 2}}', {"a": {"b": 2}}),
        ("[" * 5000, {}),
    ],
)
def test_arguments_that_are_no_json_stay_at_what_was_readable(text: str, value: object) -> None:
    partial = PartialJSON()
    partial.append(text)
    assert partial.value == value
    partial.append("x")
    assert partial.value == value


def test_reading_often_does_not_scan_the_whole_text_again() -> None:
    partial = PartialJSON()
    partial.append('{"items": [')
    for number in range(2_000):
        partial.append(f'{{"n": {number}}}, ')
        assert partial.value is not None
    assert partial._position == len(partial.text.rstrip())
    assert partial.value is partial.value


def test_the_message_is_a_copy() -> None:
    accumulator = MessageAccumulator(initial_state={"a": [1]})
    result: Any = {"r": [1]}
    for chunk in (
        TextDeltaChunk("Hel"),
        ToolCallBeginChunk("c1", "f"),
        ToolCallArgsTextFinishChunk("c1", '{"x": []}'),
        ToolResultChunk("c1", result),
        DataChunk([1]),
        AnnotationsChunk([[1]]),
        StepStartChunk("s1"),
        ErrorChunk("broken"),
    ):
        accumulator.add(chunk)
    before = json.dumps(accumulator.message)
    changed: Any = accumulator.message
    changed["parts"][1]["args"]["x"].append(1)
    changed["parts"][1]["result"]["r"].append(2)
    changed["status"]["error"]["code"] = "changed"
    changed["metadata"]["unstable_state"]["a"].append(2)
    changed["metadata"]["unstable_data"][0].append(2)
    changed["metadata"]["unstable_annotations"][0].append(2)
    changed["metadata"]["steps"][0]["messageId"] = "changed"
    assert json.dumps(accumulator.message) == before
    kept = accumulator.message
    accumulator.add(TextDeltaChunk("lo"))
    accumulator.add(UpdateStateChunk([{"type": "set", "path": ["a", "1"], "value": 2}]))
    assert json.dumps(kept) == before


def test_state_begins_with_what_the_client_had() -> None:
    chunk = UpdateStateChunk([{"type": "append-text", "path": ["t"], "value": "lo"}])
    message = fold([chunk], state={"t": "Hel"})
    assert message["metadata"]["unstable_state"] == {"t": "Hello"}
    with pytest.raises(StateOperationError):
        fold([chunk])


def test_a_million_characters_in_small_pieces_cost_no_more_than_their_length() -> None:
    accumulator = MessageAccumulator()
    accumulator.add(ToolCallBeginChunk("c1", "write"))
    accumulator.add(ToolCallDeltaChunk("c1", '{"text": "'))
    for _ in range(100_000):
        accumulator.add(TextDeltaChunk("0123456789"))
        accumulator.add(ToolCallDeltaChunk("c1", "0123456789"))
    message: Any = accumulator.message
    assert message["parts"][0]["args"] == {"text": "0123456789" * 100_000}
    assert message["parts"][1]["text"] == "0123456789" * 100_000


async def test_accumulate_reads_a_stream_to_its_end() -> None:
    async def stream() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield TextDeltaChunk("Hello")
        yield MessageFinishChunk("stop", 1, 2)

    message = await accumulate(stream())
    assert message["status"] == {"type": "complete", "reason": "stop"}
    assert message["parts"] == [
        {"type": "text", "text": "Hello", "status": {"type": "complete", "reason": "unknown"}}
    ]
