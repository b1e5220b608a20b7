"""Every wire, from our own encoders' bytes to frames, their chunks and what is wrong with them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assistant_stream_ce import (
    AGUIEncoder,
    AssistantStreamChunk,
    AssistantTransportEncoder,
    DataStreamEncoder,
    MessageFinishChunk,
    OpenAIStreamEncoder,
    ReasoningDeltaChunk,
    StepFinishChunk,
    StepStartChunk,
    StreamEncoder,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UIMessageStreamEncoder,
)
from assistant_stream_cli._frames import Frame, FrameReader
from assistant_stream_cli._inspection import Inspection

RUN: list[AssistantStreamChunk] = [
    StepStartChunk("m1"),
    ReasoningDeltaChunk("Let me see"),
    TextDeltaChunk("It is "),
    TextDeltaChunk("sunny\x1b[31m ☀."),
    ToolCallBeginChunk("c1", "search"),
    ToolCallDeltaChunk("c1", '{"q":'),
    ToolCallDeltaChunk("c1", '"x"}'),
    ToolCallArgsTextFinishChunk("c1"),
    ToolResultChunk("c1", {"found": 1}),
    StepFinishChunk("stop", 3, 4, False),
    MessageFinishChunk("stop", 3, 4),
]

ENCODERS: dict[str, StreamEncoder] = {
    "data-stream": DataStreamEncoder(),
    "assistant-transport": AssistantTransportEncoder(),
    "ui-message-stream": UIMessageStreamEncoder(),
    "ag-ui": AGUIEncoder(),
    "openai": OpenAIStreamEncoder(),
}


async def encoded(encoder: StreamEncoder, chunks: list[AssistantStreamChunk]) -> bytes:
    async def stream() -> Any:
        for chunk in chunks:
            yield chunk

    return "".join([frame async for frame in encoder.encode_stream(stream())]).encode()


def inspected(data: bytes, size: int = 0) -> tuple[Inspection, list[Frame]]:
    frames: list[Frame] = []
    inspection = Inspection(lambda _, frame: frames.append(frame))
    for start in range(0, len(data), size or len(data) or 1):
        inspection.feed(data[start : start + (size or len(data))])
    inspection.finish()
    return inspection, frames


@pytest.mark.parametrize("size", [0, 1, 7])
@pytest.mark.parametrize("wire", ENCODERS)
async def test_a_run_is_read_from_every_wire_without_a_complaint(wire: str, size: int) -> None:
    inspection, frames = inspected(await encoded(ENCODERS[wire], RUN), size)

    assert inspection.problems == []
    assert not inspection.has_failed
    assert inspection.reader.wire == wire
    assert inspection.counts.total() == len(frames) > 5
    parts = {part["type"]: part for part in inspection.record.message["parts"]}
    assert parts["text"]["text"] == "It is sunny\x1b[31m ☀."
    assert parts["reasoning"]["text"] == "Let me see"
    if wire != "openai":  # whose clients run the tools themselves
        assert parts["tool-call"]["args"] == {"q": "x"}
        result = parts["tool-call"]["result"]
        assert (json.loads(result) if isinstance(result, str) else result) == {"found": 1}


@pytest.mark.parametrize("wire", ENCODERS)
async def test_a_stream_that_is_cut_off_is_told(wire: str) -> None:
    data = await encoded(ENCODERS[wire], RUN)

    inspection, _ = inspected(data[: len(data) // 2])

    assert inspection.problems


@pytest.mark.parametrize("wire", ENCODERS)
async def test_rubbish_in_a_stream_is_told_and_the_rest_is_shown(wire: str) -> None:
    data = await encoded(ENCODERS[wire], RUN)
    separator = b"\n" if wire == "data-stream" else b"\n\n"
    frames = data.split(separator)
    rubbish = b'7x:{"\xff' if wire == "data-stream" else b'data: {"type": \xff\x00'
    middle = separator.join([*frames[:4], rubbish, *frames[4:]])

    inspection, _ = inspected(middle)

    assert len(inspection.problems) == 1
    assert "frame 5" in inspection.problems[0]
    assert inspection.reader.wire == wire
    text = "".join(p["text"] for p in inspection.record.message["parts"] if p["type"] == "text")
    assert text.startswith("It is sunny")


@pytest.mark.parametrize(
    ("data", "wire", "problem"),
    [
        (b"", "", "There is no frame"),
        (b"<!doctype html>\n<title>x</title>", "a page", "This is no stream but a page"),
        (b'{"detail": "no"}', "JSON", "This is no stream but JSON"),
        (b"data: 1\n\n", "", "It is not a JSON object"),
        (b'data: {"a": 1}\n\n', "", "No known wire has such an event"),
        (b'b:{"toolCallId":"c","toolName":"t"}\n', "data-stream", "never end"),
        (b'data: {"type":"text-delta","id":"1","delta":"x"}\n\n', "ui-message-stream", "not open"),
        (b'data: {"type":"RUN_STARTED"}\n\n', "ag-ui", "neither `RUN_FINISHED` nor"),
        (b'data: {"type":"STEP_STARTED"}\n\n', "ag-ui", "the first event is not `RUN_STARTED`"),
        (b'data: {"choices":7}\n\n', "openai", "`choices` is not a list"),
        (b'data: {"choices":[]}\n\ndata: [DONE]\n\n', "openai", "No choice has a `finish_reason`"),
        (b'0:"a"\n0:"b', "data-stream", "cut off within a frame"),
    ],
)
def test_what_is_wrong_with_a_stream(data: bytes, wire: str, problem: str) -> None:
    inspection, _ = inspected(data)

    assert inspection.reader.wire == wire
    assert any(problem in told for told in inspection.problems), inspection.problems


def test_plain_text_is_no_mistake() -> None:
    inspection, frames = inspected(b"It is\nsunny")

    assert inspection.problems == []
    assert [frame.payload for frame in frames] == ["It is", "sunny"]


def test_a_failed_run_is_told_on_every_wire() -> None:
    for data in (
        b'3:"broken"\nd:{"finishReason":"error","usage":{"inputTokens":0,"outputTokens":0}}\n',
        b'data: {"type":"error","errorText":"broken"}\n\n',
        b'data: {"type":"RUN_ERROR","message":"broken"}\n\n',
        b'data: {"error":{"message":"broken"}}\n\n',
    ):
        inspection, _ = inspected(data)

        assert inspection.has_failed
        assert "broken" in str(inspection.record.message["status"])


def test_memory_is_bounded_when_a_line_never_ends() -> None:
    reader = FrameReader()
    problems: list[str] = []
    for _ in range(20):
        for frame in reader.feed(b"x" * 2**20):
            problems.extend(frame.problems)

    assert problems == ["A line never ends"]


def test_problems_are_counted_beyond_those_that_are_kept() -> None:
    inspection, _ = inspected(b"data: 1\n\n" * 100)

    assert len(inspection.problems) == 20
    assert inspection.more_problems >= 80
