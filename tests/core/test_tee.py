"""One stream read by several readers."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant_stream_ce import (
    DataStreamEncoder,
    ErrorChunk,
    OpenAIStreamEncoder,
    PlainTextEncoder,
    RunController,
    TextDeltaChunk,
    UpdateStateChunk,
    create_run,
    tee,
)
from assistant_stream_ce._channel import take_ready
from assistant_stream_ce.chunks import AssistantStreamChunk, DataChunk
from assistant_stream_ce.typing import ChunkStream


class Source:
    """A stream that tells how far it was read and whether it was closed."""

    def __init__(self, count: int = 1_000, *, error: Exception | None = None) -> None:
        self.given = 0
        self.closed = False
        self.stream = self._stream(count, error)

    async def _stream(
        self, count: int, error: Exception | None
    ) -> AsyncGenerator[AssistantStreamChunk, None]:
        try:
            for number in range(count):
                self.given += 1
                yield DataChunk(number)
            if error is not None:
                raise error
        finally:
            await asyncio.sleep(0)  # Closing takes a moment.
            self.closed = True


async def numbers(stream: ChunkStream, count: int | None = None) -> list[object]:
    read: list[object] = []
    async for chunk in stream:
        assert isinstance(chunk, DataChunk)
        read.append(chunk.data)
        if len(read) == count:
            break
    return read


async def text(controller: RunController) -> None:
    for letter in "Hello":
        controller.append_text(letter)
        await asyncio.sleep(0)


# -- Reading ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5])
async def test_every_reader_gets_every_chunk(n: int) -> None:
    source = Source(1_000)

    read = await asyncio.gather(*map(numbers, tee(source.stream, n)))

    assert read == [list(range(1_000))] * n
    assert source.closed


@pytest.mark.parametrize("n", [0, -1])
def test_there_is_at_least_one_reader(n: int) -> None:
    with pytest.raises(ValueError, match="`n` must be at least 1"):
        tee(Source().stream, n)


async def test_one_run_feeds_several_encoders() -> None:
    async def joined(frames: AsyncIterator[str]) -> str:
        return "".join([frame async for frame in frames])

    encoders = (PlainTextEncoder(), DataStreamEncoder(), OpenAIStreamEncoder())
    streams = tee(create_run(text), len(encoders))
    plain, data, completions = await asyncio.gather(
        *(
            joined(encoder.encode_stream(stream))
            for encoder, stream in zip(encoders, streams, strict=True)
        )
    )

    assert plain == "Hello"
    assert data == "".join(f'0:"{letter}"\n' for letter in "Hello")
    assert completions.endswith("data: [DONE]\n\n")


async def test_a_burst_stays_a_burst() -> None:
    async def burst(controller: RunController) -> None:
        controller.append_text("a")
        controller.append_text("b")
        controller.append_text("c")
        await asyncio.sleep(60)

    first, second = tee(create_run(burst))

    for reader in (first, second):
        assert await anext(reader) == TextDeltaChunk("a")
        assert take_ready(reader) == [TextDeltaChunk("b"), TextDeltaChunk("c")]
        await reader.aclose()


async def test_state_that_is_written_on_changes_no_chunk_that_was_read() -> None:
    step = asyncio.Event()

    async def run(controller: RunController) -> None:
        controller.state = {"text": ""}
        await step.wait()
        for letter in "abc":
            controller.state["text"] += letter

    first, second = tee(create_run(run))
    one = await anext(first)
    step.set()
    rest = [chunk async for chunk in first]
    other = [chunk async for chunk in second]

    assert [one, *rest] == other
    assert isinstance(one, UpdateStateChunk)
    assert one.operations == [{"type": "set", "path": [], "value": {"text": ""}}]


@settings(max_examples=50, deadline=None)
@given(
    limits=st.lists(st.none() | st.integers(1, 80), min_size=1, max_size=4),
    count=st.integers(0, 80),
    delays=st.lists(st.integers(0, 3), min_size=1, max_size=5),
)
async def test_readers_may_come_go_and_dawdle(
    limits: list[int | None], count: int, delays: list[int]
) -> None:
    source = Source(count)

    async def reader(stream: ChunkStream, place: int, limit: int | None) -> list[object]:
        read: list[object] = []
        async for chunk in stream:
            assert isinstance(chunk, DataChunk)
            read.append(chunk.data)
            if len(read) == limit:
                break
            for _ in range(delays[(len(read) + place) % len(delays)]):
                await asyncio.sleep(0)
        await stream.aclose()
        return read

    read = await asyncio.gather(
        *(
            reader(stream, place, limits[place])
            for place, stream in enumerate(tee(source.stream, len(limits)))
        )
    )

    assert read == [list(range(count))[:limit] for limit in limits]
    assert source.closed


# -- The pace ---------------------------------------------------------------------------------


async def test_the_slowest_reader_sets_the_pace() -> None:
    source = Source(1_000)
    fast, slow = tee(source.stream)

    reading = asyncio.create_task(numbers(fast))
    await asyncio.sleep(0.02)

    assert 1 < source.given < 100
    assert not reading.done()
    assert await numbers(slow) == await reading == list(range(1_000))


async def test_a_reader_that_leaves_holds_nobody_up() -> None:
    source = Source(1_000)
    stays, leaves = tee(source.stream)
    await anext(leaves)
    reading = asyncio.create_task(numbers(stays))
    await asyncio.sleep(0.01)

    await leaves.aclose()

    assert await reading == list(range(1_000))
    assert await numbers(leaves) == []


async def test_a_reader_that_never_began_can_leave() -> None:
    source = Source(1_000)
    stays, leaves = tee(source.stream)

    await leaves.aclose()

    assert await numbers(stays) == list(range(1_000))


async def test_a_reader_that_is_forgotten_holds_nobody_up() -> None:
    source = Source(1_000)
    streams = list(tee(source.stream))

    reading = asyncio.create_task(numbers(streams.pop()))
    streams.clear()
    gc.collect()

    assert await reading == list(range(1_000))


# -- The end ----------------------------------------------------------------------------------


async def test_the_source_is_closed_when_the_last_reader_has_left() -> None:
    source = Source()
    first, second = tee(source.stream)
    await anext(first)
    await anext(second)

    await first.aclose()
    assert not source.closed
    await second.aclose()
    assert source.closed


async def test_the_source_is_closed_when_nobody_ever_read() -> None:
    source = Source()
    await anext(source.stream)
    first, second = tee(source.stream)

    await first.aclose()
    await second.aclose()

    assert source.closed


async def test_the_run_has_ended_when_the_last_reader_has_left() -> None:
    ended = False

    async def run(controller: RunController) -> None:
        nonlocal ended
        controller.append_text("a")
        try:
            await controller.cancelled_event.wait()
        finally:
            ended = True

    first, second = tee(create_run(run))
    await anext(first)
    await first.aclose()
    await second.aclose()

    assert ended


async def test_the_source_is_closed_when_all_readers_are_forgotten() -> None:
    source = Source()
    streams = list(tee(source.stream))
    await anext(streams[0])

    streams.clear()
    gc.collect()
    await asyncio.sleep(0.01)

    assert source.closed


async def test_an_exception_reaches_every_reader_after_what_came_before_it() -> None:
    source = Source(3, error=ValueError("boom"))

    async def reader(stream: ChunkStream) -> list[object]:
        read: list[object] = []
        with pytest.raises(ValueError, match="boom"):
            async for chunk in stream:
                assert isinstance(chunk, DataChunk)
                read.append(chunk.data)
        assert await numbers(stream) == []
        return read

    assert await asyncio.gather(*map(reader, tee(source.stream))) == [[0, 1, 2]] * 2


async def test_a_run_that_fails_tells_every_reader() -> None:
    async def run(controller: RunController) -> None:
        raise ValueError("boom")

    for stream in tee(create_run(run)):
        assert await anext(stream) == ErrorChunk("boom")
        with pytest.raises(ValueError, match="boom"):
            await anext(stream)


async def test_cancelling_a_reader_leaves_the_others_alone() -> None:
    async def run(controller: RunController) -> None:
        await asyncio.sleep(0.02)
        await text(controller)

    first, second = tee(create_run(run))
    task = asyncio.create_task(anext(first))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await first.aclose()

    encoded = PlainTextEncoder().encode_stream(second)
    assert "".join([piece async for piece in encoded]) == "Hello"


async def test_closing_a_reader_ends_its_wait() -> None:
    async def run(controller: RunController) -> None:
        await asyncio.sleep(60)

    first, second = tee(create_run(run))
    waiting = asyncio.create_task(numbers(first))
    await asyncio.sleep(0.01)

    await first.aclose()

    assert await waiting == []
    await second.aclose()


async def test_a_stream_is_a_generator_in_every_way() -> None:
    source = Source()
    (stream,) = tee(source.stream, 1)
    assert await stream.asend(None) == DataChunk(0)

    with pytest.raises(KeyError):
        await stream.athrow(KeyError("x"))

    assert source.closed


async def test_any_async_iterable_is_a_source() -> None:
    class Endless:
        def __aiter__(self) -> Endless:
            return self

        async def __anext__(self) -> AssistantStreamChunk:
            return DataChunk(1)

    first, second = tee(Endless())

    assert await numbers(first, 3) == await numbers(second, 3) == [1, 1, 1]
    await first.aclose()
    await second.aclose()
