"""What every encoder gets from its base."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable

import pytest

from assistant_stream_ce import RunController, create_run
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataChunk,
    ErrorChunk,
    MessageFinishChunk,
    TextDeltaChunk,
    ToolCallBeginChunk,
)
from assistant_stream_ce.serialization import (
    AssistantTransportEncoder,
    DataStreamEncoder,
    StreamEncoder,
)
from assistant_stream_ce.serialization.stream_encoder import STREAM_FAILED

FAILURE = f'3:"{STREAM_FAILED}"\n'


async def stream_of(*chunks: AssistantStreamChunk) -> AsyncGenerator[AssistantStreamChunk, None]:
    for chunk in chunks:
        yield chunk


async def frames_of(
    encoder: StreamEncoder, stream: AsyncIterable[AssistantStreamChunk]
) -> list[str]:
    return [frame async for frame in encoder.encode_stream(stream)]


async def bursts_of(
    encoder: StreamEncoder, stream: AsyncIterable[AssistantStreamChunk]
) -> list[str]:
    return [burst async for burst in encoder.encode_bursts(stream)]


class Shouting(StreamEncoder):
    """The shortest wire there can be."""

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        match chunk:
            case TextDeltaChunk():
                return chunk.text_delta.upper() + "\n"
            case _:
                return ""


# -- Frames and bursts ------------------------------------------------------------------------


async def test_a_stream_is_encoded_frame_by_frame() -> None:
    frames = await frames_of(AssistantTransportEncoder(), stream_of(TextDeltaChunk("a")))

    assert [frame.count("data: ") for frame in frames] == [1, 1, 1, 1]
    assert frames[-1] == "data: [DONE]\n\n"


async def test_a_run_is_encoded_burst_by_burst() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("a")
        controller.append_text("b")
        await asyncio.sleep(0.01)
        controller.append_text("c")

    assert await bursts_of(DataStreamEncoder(), create_run(run)) == ['0:"a"\n0:"b"\n', '0:"c"\n']


async def test_chunks_without_a_frame_send_nothing() -> None:
    stream = stream_of(DataChunk(1), TextDeltaChunk("a"), DataChunk(2))

    assert await bursts_of(Shouting(), stream) == ["A\n"]


@pytest.mark.parametrize("encoder", [DataStreamEncoder(), AssistantTransportEncoder()])
async def test_one_encoder_serves_many_streams_at_once(encoder: StreamEncoder) -> None:
    async def slow() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield ToolCallBeginChunk("c1", "search")
        await asyncio.sleep(0.01)
        yield TextDeltaChunk("a")

    first, second = await asyncio.gather(frames_of(encoder, slow()), frames_of(encoder, slow()))

    assert first == second
    assert len(first) > 2


@pytest.mark.parametrize("encoder", [DataStreamEncoder(), AssistantTransportEncoder()])
def test_reset_forgets_the_stream_before(encoder: StreamEncoder) -> None:
    begin = encoder.encode_chunk(ToolCallBeginChunk("c1", "search"))
    encoder.reset()

    assert encoder.encode_chunk(ToolCallBeginChunk("c1", "search")) == begin


async def test_what_python_clients_take_for_a_line_end_is_escaped() -> None:
    frames = await frames_of(
        DataStreamEncoder(), stream_of(TextDeltaChunk("é\u2028\u2029\x85\ud800"))
    )

    assert frames == ['0:"é\\u2028\\u2029\\u0085\\ud800"\n']


# -- Streams that fail ------------------------------------------------------------------------


async def test_a_stream_that_raises_gives_a_complete_wire(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield ToolCallBeginChunk("c1", "search")
        raise ValueError("secret")

    assert await frames_of(DataStreamEncoder(), broken()) == [
        'b:{"toolCallId":"c1","toolName":"search"}\n',
        'c:{"toolCallId":"c1","argsTextDelta":"{}","isFinal":true}\n',
        FAILURE,
    ]
    assert "secret" in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_a_stream_cancelled_from_within_gives_a_complete_wire() -> None:
    async def cancelled() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield TextDeltaChunk("a")
        inner = asyncio.create_task(asyncio.sleep(60))
        inner.cancel()
        await inner

    assert await frames_of(DataStreamEncoder(), cancelled()) == ['0:"a"\n', FAILURE]


async def test_a_stream_that_has_said_its_error_is_not_corrected() -> None:
    async def broken() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield ErrorChunk("too long")
        yield MessageFinishChunk("error")
        raise ValueError("secret")

    frames = await frames_of(DataStreamEncoder(), broken())

    assert frames[0] == '3:"too long"\n'
    assert FAILURE not in frames


async def test_a_warning_is_not_yet_the_error() -> None:
    async def broken() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield ErrorChunk("slow", severity="warning")
        raise ValueError("secret")

    assert await frames_of(DataStreamEncoder(), broken()) == ['3:"slow"\n', FAILURE]


async def test_a_run_that_raises_says_so_once_in_its_own_words() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("a")
        raise ValueError("boom")

    assert await frames_of(DataStreamEncoder(), create_run(run)) == ['0:"a"\n', '3:"boom"\n']


async def test_a_chunk_that_cannot_be_encoded_loses_no_chunk_before_it() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("a")
        controller.append_text("b")
        controller.add_chunk(TextDeltaChunk(7))  # type: ignore[arg-type]
        controller.append_text("c")

    bursts = await bursts_of(DataStreamEncoder(), create_run(run))

    assert "".join(bursts) == '0:"a"\n0:"b"\n' + FAILURE


async def test_a_wire_that_returns_no_text_for_a_chunk_of_a_burst_is_complete_all_the_same() -> (
    None
):
    class Forgetful(Shouting):
        def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
            text = super().encode_chunk(chunk)
            return text if text != "B\n" else None  # type: ignore[return-value]

        def encode_end(self) -> str:
            return "END\n"

    async def run(controller: RunController) -> None:
        controller.append_text("a")
        controller.append_text("b")

    assert "".join(await bursts_of(Forgetful(), create_run(run))) == "A\nEND\n"


async def test_a_value_without_a_json_form_ends_the_stream_with_an_error() -> None:
    stream = stream_of(TextDeltaChunk("a"), DataChunk(object()), TextDeltaChunk("b"))  # type: ignore[arg-type]

    assert await frames_of(DataStreamEncoder(), stream) == ['0:"a"\n', FAILURE]


async def test_the_stream_is_closed_when_the_encoder_fails() -> None:
    closed = False

    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        nonlocal closed
        try:
            yield DataChunk(object())  # type: ignore[arg-type]
            yield TextDeltaChunk("a")
        finally:
            closed = True

    await frames_of(DataStreamEncoder(), chunks())

    assert closed


async def test_closing_the_encoded_stream_closes_the_stream() -> None:
    closed = False

    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        nonlocal closed
        try:
            while True:
                yield TextDeltaChunk("a")
        finally:
            closed = True

    encoded = DataStreamEncoder().encode_stream(chunks())
    await anext(encoded)
    await encoded.aclose()

    assert closed


async def test_an_exception_while_closing_is_logged_and_not_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        try:
            while True:
                yield TextDeltaChunk("a")
        finally:
            raise ValueError("no clean end")

    encoded = DataStreamEncoder().encode_stream(chunks())
    await anext(encoded)
    await encoded.aclose()

    assert "no clean end" in caplog.text


async def test_cancellation_is_not_swallowed() -> None:
    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield TextDeltaChunk("a")
        await asyncio.sleep(60)

    task = asyncio.create_task(frames_of(DataStreamEncoder(), chunks()))
    await asyncio.sleep(0.01)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


# -- Wires of one's own -----------------------------------------------------------------------


async def test_a_wire_needs_no_more_than_encode_chunk() -> None:
    stream = stream_of(TextDeltaChunk("a"), TextDeltaChunk("b"))

    assert await frames_of(Shouting(), stream) == ["A\n", "B\n"]


async def test_a_wire_without_frame_ends_loses_nothing() -> None:
    class Bare(StreamEncoder):
        def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
            return "a\nb"

    assert await frames_of(Bare(), stream_of(TextDeltaChunk("x"))) == ["a\n", "b"]


async def test_a_wire_may_encode_the_whole_stream_itself() -> None:
    class Whole(StreamEncoder):
        def get_media_type(self) -> str:
            return "text/event-stream"

        async def encode_stream(
            self, stream: AsyncIterable[AssistantStreamChunk]
        ) -> AsyncGenerator[str, None]:
            count = 0
            async for _ in stream:
                count += 1
            yield f"data: {count}\n\n"

    stream = stream_of(TextDeltaChunk("a"), TextDeltaChunk("b"))

    assert await bursts_of(Whole(), stream) == ["data: 2\n\n"]
    assert Whole().get_keepalive_token() == ": heartbeat\n\n"


async def test_a_wire_may_add_to_the_encoded_stream() -> None:
    class Framed(DataStreamEncoder):
        async def encode_stream(
            self, stream: AsyncIterable[AssistantStreamChunk]
        ) -> AsyncGenerator[str, None]:
            yield "\n"
            async for frame in super().encode_stream(stream):
                yield frame

    assert await bursts_of(Framed(), stream_of(TextDeltaChunk("a"))) == ["\n", '0:"a"\n']


def test_an_encoder_without_a_method_says_which() -> None:
    class Empty(StreamEncoder):
        pass

    with pytest.raises(NotImplementedError, match="`Empty` must override `encode_chunk`"):
        Empty().encode_chunk(TextDeltaChunk("a"))


def test_facts_of_a_wire_have_upstreams_names_too() -> None:
    assert DataStreamEncoder().get_media_type() == DataStreamEncoder.media_type
    assert DataStreamEncoder().get_keepalive_token() == "\n"
    assert AssistantTransportEncoder().get_keepalive_token() == ": heartbeat\n\n"
    assert Shouting().get_keepalive_token() is None
