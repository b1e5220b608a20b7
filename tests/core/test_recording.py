"""A run that was saved plays again: the same chunks, the same times, over any wire."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from assistant_stream_ce import (
    AssistantStreamChunk,
    AssistantTransportEncoder,
    DataStreamEncoder,
    RecordingError,
    RunController,
    StreamEncoder,
    TextDeltaChunk,
    create_run,
    record,
    replay,
)
from assistant_stream_ce.testing import collect
from tests.serialization.cases import CASES
from tests.serialization.strategies import chunk_lists

HEADER = '{"format":"assistant-stream-ce recording","version":1}\n'


async def stream(
    chunks: list[AssistantStreamChunk], pause: float = 0.0
) -> AsyncGenerator[AssistantStreamChunk, None]:
    for chunk in chunks:
        await asyncio.sleep(pause)
        yield chunk


async def test_every_chunk_of_the_table_comes_back(tmp_path: Path) -> None:
    chunks = [chunk for case in CASES for chunk in case.chunks if "guards" not in case.name]
    file = tmp_path / "run.jsonl"

    assert await collect(record(stream(chunks), file)) == chunks
    assert await collect(replay(file, speed=0)) == chunks


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chunk_lists())
def test_any_chunks_come_back(tmp_path: Path, chunks: list[AssistantStreamChunk]) -> None:
    async def there_and_back() -> None:
        file = tmp_path / "run.jsonl"
        await collect(record(stream(chunks), file))
        played = await collect(replay(str(file), speed=math.inf))
        for kind in (DataStreamEncoder, AssistantTransportEncoder):
            assert wire(kind(), played) == wire(kind(), chunks)

    asyncio.run(there_and_back())


def wire(encoder: StreamEncoder, chunks: list[AssistantStreamChunk]) -> str:
    return "".join(map(encoder.encode_chunk, chunks)) + encoder.encode_end()


async def test_the_file_is_one_line_a_chunk(tmp_path: Path) -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("Hä\n\u2028")
        call = await controller.add_tool_call("search", "c1")
        call.set_response({"n": [1, math.nan]}, is_error=True)

    file = tmp_path / "run.jsonl"
    await collect(record(create_run(run), file))

    header, *lines = file.read_bytes().decode().removesuffix("\n").split("\n")
    assert header + "\n" == HEADER
    rows = [json.loads(line) for line in lines]
    assert all(0 <= row.pop("t") < 5 for row in rows)
    assert rows == [
        {"type": "text-delta", "text_delta": "Hä\n\u2028"},
        {"type": "tool-call-begin", "tool_call_id": "c1", "tool_name": "search"},
        {"type": "tool-call-args-text-finish", "tool_call_id": "c1", "args_text_delta": "{}"},
        {
            "type": "tool-result",
            "tool_call_id": "c1",
            "result": {"n": [1, None]},
            "is_error": True,
        },
    ]


def recording(file: Path, times: list[float]) -> Path:
    rows = [{"t": t, "type": "text-delta", "text_delta": str(t)} for t in times]
    file.write_text(HEADER + "".join(json.dumps(row) + "\n" for row in rows))
    return file


async def played(file: Path, speed: float) -> list[float]:
    """When the chunks of a recording come."""
    start = time.monotonic()
    return [time.monotonic() - start async for _ in replay(file, speed=speed)]


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 0.3), (0.5, 0.6), (3.0, 0.1)])
async def test_the_speed(tmp_path: Path, speed: float, seconds: float) -> None:
    times = await played(recording(tmp_path / "run.jsonl", [0, 0.15, 0.15, 0.3]), speed)

    # A busy machine makes them later, never earlier.
    for ours, share in zip(times, (0, 0.5, 0.5, 1), strict=True):
        assert ours >= seconds * share - 0.02


@pytest.mark.parametrize("speed", [0, math.inf, 1e6])
async def test_without_waiting(tmp_path: Path, speed: float) -> None:
    times = await played(recording(tmp_path / "run.jsonl", [0, 600, 1200]), speed)

    assert times[-1] < 10


async def test_the_times_are_those_of_the_run(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    await collect(record(stream([TextDeltaChunk("a"), TextDeltaChunk("b")], 0.05), file))

    times = [json.loads(line)["t"] for line in file.read_text().splitlines()[1:]]

    assert 0.04 < times[0] < times[1] - 0.04


@pytest.mark.parametrize("speed", [-1, math.nan, -math.inf])
def test_a_speed_that_is_none(tmp_path: Path, speed: float) -> None:
    with pytest.raises(ValueError, match="`speed` is 0 or more"):
        replay(tmp_path / "run.jsonl", speed=speed)


async def test_a_recording_grows_with_the_run_and_ends_with_it(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text("something older\n")
    closed = False

    async def run() -> AsyncGenerator[AssistantStreamChunk, None]:
        nonlocal closed
        try:
            for number in range(10):
                yield TextDeltaChunk(str(number))
        finally:
            closed = True

    recorded = record(run(), file)
    for number in range(3):
        await anext(recorded)
        assert len(await collect(replay(file, speed=0))) == number + 1
    await recorded.aclose()

    assert closed
    assert len(await collect(replay(file, speed=0))) == 3


async def test_a_run_that_raises_is_recorded_up_to_there(tmp_path: Path) -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("a")
        raise RuntimeError("boom")

    file = tmp_path / "run.jsonl"
    seen: list[AssistantStreamChunk] = []
    with pytest.raises(RuntimeError, match="boom"):
        async for chunk in record(create_run(run), file):
            seen.append(chunk)

    assert len(seen) == 2
    assert await collect(replay(file, speed=0)) == seen


def test_a_file_that_cannot_be_written_is_told_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        record(stream([]), tmp_path / "nowhere" / "run.jsonl")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replay(tmp_path / "run.jsonl")


BROKEN: list[tuple[Any, int, str]] = [
    ("", 1, "it is not a recording of a run"),
    ("{", 1, "it is not a recording of a run"),
    ('{"type":"text-delta"}\n', 1, "it is not a recording of a run"),
    ("[" * 100_000, 1, "it is not a recording of a run"),
    (HEADER.replace("1}", "2}"), 1, "its version is 2, and this release reads 1 only"),
    (HEADER + '{"t":0,"type":"text-delta","text_delta":"a"}\n{"t":0.1,"ty', 3, "it is not JSON"),
    (HEADER + "\n[1]\n", 3, "not an object"),
    (HEADER + '{"a":' * 100_000, 2, "nested too deeply"),
    (HEADER.encode() + b"\xff\xfe\n", 2, "it is not JSON"),
    (HEADER + '{"type":"text-delta","text_delta":"a"}\n', 2, "`t` is not a number of seconds"),
    (HEADER + '{"t":true,"type":"step-start"}\n', 2, "`t` is not a number of seconds"),
    (HEADER + '{"t":NaN,"type":"step-start"}\n', 2, "`t` is not a number of seconds"),
    (HEADER + '{"t":1e999,"type":"step-start"}\n', 2, "`t` is not a number of seconds"),
    (HEADER + '{"t":0,"type":"video"}\n', 2, "there is no chunk of type `video`"),
    (HEADER + '{"t":0,"type":["a"]}\n', 2, "there is no chunk of type"),
    (HEADER + '{"t":0,"type":"text-delta"}\n', 2, "has no `text_delta`"),
    (HEADER + '{"t":0,"type":"text-delta","text":1}\n', 2, "has an unknown field `text`"),
    (
        HEADER + '{"t":0,"type":"text-delta","text_delta":1}\n',
        2,
        "has a `text_delta` that is not of type `str`",
    ),
    (
        HEADER + '{"t":0,"type":"update-state","operations":{}}\n',
        2,
        "has a `operations` that is not of type",
    ),
]


@pytest.mark.parametrize(("content", "line", "reason"), BROKEN)
def test_a_broken_file_says_where(
    tmp_path: Path, content: str | bytes, line: int, reason: str
) -> None:
    file = tmp_path / "run.jsonl"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(RecordingError) as caught:
        replay(file)

    assert str(caught.value).startswith(f"Cannot play `{file}`: line {line} is damaged, ")
    assert reason in str(caught.value)
    assert (caught.value.line, caught.value.path) == (line, str(file))
