"""The text of assistant-transport frames. What a client makes of them is in
`test_conformance.py`."""

from __future__ import annotations

import pytest

from assistant_stream_ce.chunks import (
    AnnotationsChunk,
    AssistantStreamChunk,
    DataChunk,
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce.serialization import AssistantTransportEncoder


def frames(chunks: list[AssistantStreamChunk], *, end: bool = False) -> list[str]:
    encoder = AssistantTransportEncoder()
    wire = "".join(map(encoder.encode_chunk, chunks)) + (encoder.encode_end() if end else "")
    assert not wire or wire.endswith("\n\n")
    return [frame.removeprefix("data: ") for frame in wire.split("\n\n")[:-1]]


def start(part: str) -> str:
    return f'{{"type":"part-start","path":[],"part":{part}}}'


def finish(index: int) -> str:
    return f'{{"type":"part-finish","path":[{index}]}}'


def test_text_and_reasoning_parts_are_framed() -> None:
    chunks: list[AssistantStreamChunk] = [
        TextDeltaChunk("a"),
        TextDeltaChunk('"'),
        ReasoningDeltaChunk("b", "p"),
        ReasoningPartStartChunk("s"),
    ]

    assert frames(chunks, end=True) == [
        start('{"type":"text"}'),
        '{"type":"text-delta","path":[0],"textDelta":"a"}',
        '{"type":"text-delta","path":[0],"textDelta":"\\""}',
        finish(0),
        start('{"type":"reasoning","parentId":"p"}'),
        '{"type":"text-delta","path":[1],"textDelta":"b"}',
        finish(1),
        start('{"type":"reasoning","unstable_summary":"s"}'),
        finish(2),
        "[DONE]",
    ]


def test_a_tool_call_addresses_its_own_part_until_its_result() -> None:
    chunks: list[AssistantStreamChunk] = [
        ToolCallBeginChunk("c", "t", "p"),
        TextDeltaChunk("a"),
        ToolCallDeltaChunk("c", "[1"),
        ToolCallArgsTextFinishChunk("c", "]"),
        ToolResultChunk("c", 1, 2, is_error=True, model_content=[], messages=[]),
    ]

    assert frames(chunks, end=True) == [
        start('{"type":"tool-call","toolCallId":"c","toolName":"t","parentId":"p"}'),
        start('{"type":"text"}'),
        '{"type":"text-delta","path":[1],"textDelta":"a"}',
        '{"type":"text-delta","path":[0],"textDelta":"[1"}',
        '{"type":"text-delta","path":[0],"textDelta":"]"}',
        '{"type":"tool-call-args-text-finish","path":[0]}',
        (
            '{"type":"result","path":[0],"result":1,"isError":true,"artifact":2,'
            '"modelContent":[],"messages":[]}'
        ),
        finish(0),
        finish(1),
        "[DONE]",
    ]


def test_an_unanswered_call_is_closed_at_the_end() -> None:
    assert frames([ToolCallBeginChunk("c", "t")], end=True) == [
        start('{"type":"tool-call","toolCallId":"c","toolName":"t"}'),
        '{"type":"text-delta","path":[0],"textDelta":"{}"}',
        '{"type":"tool-call-args-text-finish","path":[0]}',
        finish(0),
        "[DONE]",
    ]


def test_a_fatal_error_comes_after_what_it_closes() -> None:
    chunks = [ToolCallBeginChunk("c", "t"), TextDeltaChunk("a"), ErrorChunk("boom", code="e1")]

    assert frames(chunks)[-4:] == [
        '{"type":"text-delta","path":[0],"textDelta":"{}"}',
        '{"type":"tool-call-args-text-finish","path":[0]}',
        finish(1),
        '{"type":"error","error":"boom","code":"e1"}',
    ]


def test_a_warning_closes_nothing() -> None:
    chunks = [TextDeltaChunk("a"), ErrorChunk("slow", severity="warning"), TextDeltaChunk("b")]

    assert frames(chunks)[2:] == [
        '{"type":"error","error":"slow","severity":"warning"}',
        '{"type":"text-delta","path":[0],"textDelta":"b"}',
    ]


@pytest.mark.parametrize(
    ("chunk", "part"),
    [
        (SourceChunk("s", "u"), '{"type":"source","sourceType":"url","id":"s","url":"u"}'),
        (FileChunk("x", "y/z"), '{"type":"file","data":"x","mimeType":"y/z"}'),
        (DataPartChunk("n", [1], id="d"), '{"type":"data","name":"n","data":[1]}'),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_a_whole_part_is_opened_and_finished_at_once(
    chunk: AssistantStreamChunk, part: str
) -> None:
    assert frames([TextDeltaChunk("a"), chunk])[2:] == [finish(0), start(part), finish(1)]


@pytest.mark.parametrize(
    ("chunk", "frame"),
    [
        (DataChunk(None), '{"type":"data","data":[null]}'),
        (AnnotationsChunk([1]), '{"type":"annotations","annotations":[1]}'),
        (StepStartChunk("m"), '{"type":"step-start","messageId":"m"}'),
        (
            StepFinishChunk("stop", 1, 2),
            (
                '{"type":"step-finish","finishReason":"stop",'
                '"usage":{"inputTokens":1,"outputTokens":2},"isContinued":false}'
            ),
        ),
        (
            MessageFinishChunk("stop", 1, 2),
            (
                '{"type":"message-finish","finishReason":"stop",'
                '"usage":{"inputTokens":1,"outputTokens":2}}'
            ),
        ),
        (
            UpdateStateChunk(
                [
                    {"type": "append-text", "path": ["a"], "value": "1"},
                    {"type": "append-text", "path": ["a"], "value": "2"},
                ]
            ),
            (
                '{"type":"update-state",'
                '"operations":[{"type":"append-text","path":["a"],"value":"12"}]}'
            ),
        ),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_what_belongs_to_the_message_has_no_path(chunk: AssistantStreamChunk, frame: str) -> None:
    assert frames([chunk]) == [frame]


def test_no_operations_are_no_frame() -> None:
    assert frames([UpdateStateChunk([])]) == []
