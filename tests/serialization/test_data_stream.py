"""The text of data stream frames. What a client makes of them is in `test_conformance.py`."""

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
from assistant_stream_ce.serialization import DataStreamEncoder

FRAMES: list[tuple[AssistantStreamChunk, str]] = [
    (TextDeltaChunk('a"\n'), r'0:"a\"\n"'),
    (TextDeltaChunk("a", "p"), 'aui-text-delta:{"textDelta":"a","parentId":"p"}'),
    (ReasoningDeltaChunk("a"), 'g:"a"'),
    (ReasoningDeltaChunk("a", "p"), 'aui-reasoning-delta:{"reasoningDelta":"a","parentId":"p"}'),
    (ReasoningPartStartChunk(), "aui-reasoning-part-start:{}"),
    (
        ReasoningPartStartChunk("s", "p"),
        'aui-reasoning-part-start:{"unstable_summary":"s","parentId":"p"}',
    ),
    (DataChunk({"a": [1, None]}), '2:[{"a":[1,null]}]'),
    (AnnotationsChunk([{"a": 1}, "b"]), '8:[{"a":1},"b"]'),
    (DataPartChunk("n", None, id="d"), 'aui-data:{"name":"n","data":null}'),
    (DataPartChunk("n", 1, parent_id="p"), 'aui-data:{"name":"n","data":1,"parentId":"p"}'),
    (ErrorChunk("boom", "code", "critical"), '3:"boom"'),
    (SourceChunk("s", "u"), 'h:{"sourceType":"url","id":"s","url":"u"}'),
    (
        SourceChunk("s", "", "document", "t", "p", "application/pdf", "f.pdf"),
        (
            'h:{"sourceType":"document","id":"s","url":"","title":"t",'
            '"mediaType":"application/pdf","filename":"f.pdf","parentId":"p"}'
        ),
    ),
    (FileChunk("x", "y/z"), 'k:{"data":"x","mimeType":"y/z"}'),
    (
        FileChunk("x", "y/z", "p", "f"),
        'k:{"data":"x","mimeType":"y/z","filename":"f","parentId":"p"}',
    ),
    (StepStartChunk("m"), 'f:{"messageId":"m"}'),
    (
        StepFinishChunk("stop", 1, 2, is_continued=True),
        'e:{"finishReason":"stop","usage":{"inputTokens":1,"outputTokens":2},"isContinued":true}',
    ),
    (
        MessageFinishChunk("stop", 1, 2),
        'd:{"finishReason":"stop","usage":{"inputTokens":1,"outputTokens":2}}',
    ),
    (
        UpdateStateChunk([{"type": "set", "path": ["a", "0"], "value": {"b": 1}}]),
        'aui-state:[{"type":"set","path":["a","0"],"value":{"b":1}}]',
    ),
    (ToolCallBeginChunk("c", "t"), 'b:{"toolCallId":"c","toolName":"t"}'),
    (ToolCallBeginChunk("c", "t", "p"), 'b:{"toolCallId":"c","toolName":"t","parentId":"p"}'),
]


@pytest.mark.parametrize(("chunk", "frame"), FRAMES, ids=lambda value: getattr(value, "type", ""))
def test_the_frame_of_a_chunk(chunk: AssistantStreamChunk, frame: str) -> None:
    assert DataStreamEncoder().encode_chunk(chunk) == frame + "\n"


@pytest.mark.parametrize(
    ("chunk", "frames"),
    [
        (ToolCallDeltaChunk("c", '{"'), ['c:{"toolCallId":"c","argsTextDelta":"{\\""}']),
        (
            ToolCallArgsTextFinishChunk("c"),
            ['c:{"toolCallId":"c","argsTextDelta":"{}","isFinal":true}'],
        ),
        (
            ToolCallArgsTextFinishChunk("c", "[]"),
            ['c:{"toolCallId":"c","argsTextDelta":"[]","isFinal":true}'],
        ),
        (
            ToolResultChunk("c", {"r": 1}, artifact=[], is_error=True),
            [
                'c:{"toolCallId":"c","argsTextDelta":"{}","isFinal":true}',
                'a:{"toolCallId":"c","result":{"r":1},"artifact":[],"isError":true}',
            ],
        ),
        (
            ToolResultChunk("c", None),
            [
                'c:{"toolCallId":"c","argsTextDelta":"{}","isFinal":true}',
                'a:{"toolCallId":"c","result":null}',
            ],
        ),
        (
            ErrorChunk("boom"),
            ['c:{"toolCallId":"c","argsTextDelta":"{}","isFinal":true}', '3:"boom"'],
        ),
        (ErrorChunk("slow", severity="warning"), ['3:"slow"']),
    ],
)
def test_the_frames_of_a_chunk_within_a_tool_call(
    chunk: AssistantStreamChunk, frames: list[str]
) -> None:
    encoder = DataStreamEncoder()
    encoder.encode_chunk(ToolCallBeginChunk("c", "t"))

    assert encoder.encode_chunk(chunk).splitlines() == frames


def test_arguments_close_with_an_empty_last_piece_when_there_were_any() -> None:
    encoder = DataStreamEncoder()
    encoder.encode_chunk(ToolCallBeginChunk("c", "t"))
    encoder.encode_chunk(ToolCallDeltaChunk("c", "{}"))

    assert encoder.encode_end() == 'c:{"toolCallId":"c","argsTextDelta":"","isFinal":true}\n'


def test_neighbouring_appends_on_one_path_are_one_on_the_wire_and_stay_apart_in_the_chunk() -> None:
    chunk = UpdateStateChunk(
        [
            {"type": "append-text", "path": ["a"], "value": "1"},
            {"type": "append-text", "path": ["a"], "value": "2"},
            {"type": "append-text", "path": ["b"], "value": "3"},
            {"type": "set", "path": ["a"], "value": "4"},
            {"type": "append-text", "path": ["a"], "value": "5"},
            {"type": "append-text", "path": ["a"], "value": "6"},
        ]
    )

    assert DataStreamEncoder().encode_chunk(chunk) == (
        'aui-state:[{"type":"append-text","path":["a"],"value":"12"},'
        '{"type":"append-text","path":["b"],"value":"3"},'
        '{"type":"set","path":["a"],"value":"4"},'
        '{"type":"append-text","path":["a"],"value":"56"}]\n'
    )
    assert [operation["value"] for operation in chunk.operations] == ["1", "2", "3", "4", "5", "6"]


def test_no_operations_are_no_frame() -> None:
    assert DataStreamEncoder().encode_chunk(UpdateStateChunk([])) == ""
