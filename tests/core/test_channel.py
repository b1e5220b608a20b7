"""The run's queue: order, merging behind a lagging reader, waking, the end."""

from __future__ import annotations

import asyncio
import threading
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from assistant_stream_ce._channel import DRAIN_LEVEL, MERGE_AFTER, Channel
from assistant_stream_ce._melting import DeltaChunk
from assistant_stream_ce.chunks import (
    AppendTextOperation,
    SetOperation,
    StateOperation,
    TextDeltaChunk,
    ToolCallDeltaChunk,
    UpdateStateChunk,
)


def append(value: str) -> StateOperation:
    return AppendTextOperation(type="append-text", path=["text"], value=value)


def test_chunks_stay_apart_while_the_reader_keeps_up() -> None:
    channel = Channel()
    chunks = [TextDeltaChunk(str(number)) for number in range(MERGE_AFTER)]
    for chunk in chunks:
        channel.put(chunk)
    assert channel.take() == chunks


def test_deltas_merge_behind_a_lagging_reader_and_no_character_is_lost() -> None:
    channel = Channel()
    texts = [f"{number} " for number in range(50_000)]
    for text in texts:
        channel.put(TextDeltaChunk(text))
    taken = channel.take()
    assert len(taken) < 400
    assert "".join(c.text_delta for c in taken if isinstance(c, TextDeltaChunk)) == "".join(texts)


def test_only_neighbours_of_one_part_merge() -> None:
    channel = Channel()
    for number in range(MERGE_AFTER):
        channel.put(TextDeltaChunk(str(number)))
    channel.take()
    for _ in range(MERGE_AFTER):
        channel.put(TextDeltaChunk("x", "p"))
    channel.put(TextDeltaChunk("y", "q"))
    channel.put(ToolCallDeltaChunk("a", "1"))
    channel.put(ToolCallDeltaChunk("b", "2"))
    channel.put(ToolCallDeltaChunk("b", "3"))
    assert channel.take()[MERGE_AFTER:] == [
        TextDeltaChunk("y", "q"),
        ToolCallDeltaChunk("a", "1"),
        ToolCallDeltaChunk("b", "23"),
    ]


def test_merging_leaves_the_writers_chunk_alone() -> None:
    channel = Channel()
    mine = TextDeltaChunk("mine")
    for _ in range(MERGE_AFTER - 1):
        channel.put(TextDeltaChunk("x"))
    channel.put(mine)
    channel.put(TextDeltaChunk("more"))
    assert mine.text_delta == "mine"


def test_state_operations_share_a_chunk_until_something_else_comes() -> None:
    channel = Channel()
    channel.put_operations([append("a")])
    channel.put_operations([append("b")])
    channel.put(TextDeltaChunk("t"))
    channel.put_operations([append("c")])
    channel.seal()
    channel.put_operations([append("d")])
    assert channel.take() == [
        UpdateStateChunk([append("a"), append("b")]),
        TextDeltaChunk("t"),
        UpdateStateChunk([append("c")]),
        UpdateStateChunk([append("d")]),
    ]


def test_appends_merge_behind_a_lagging_reader_though_they_share_one_chunk() -> None:
    channel = Channel()
    texts = [f"{number} " for number in range(50_000)]
    for text in texts:
        channel.put_operations([append(text)])
    (chunk,) = channel.take()
    assert isinstance(chunk, UpdateStateChunk)
    assert len(chunk.operations) < 400
    assert "".join(str(operation["value"]) for operation in chunk.operations) == "".join(texts)


def put(path: list[str], value: int) -> StateOperation:
    return SetOperation(type="set", path=path, value=value)


def test_what_a_later_set_overwrites_does_not_pile_up_behind_a_lagging_reader() -> None:
    channel = Channel()
    for number in range(MERGE_AFTER):
        channel.put_operations([put(["kept", str(number)], number)])
    for number in range(10_000):
        channel.put_operations([put(["progress"], number)])
    (chunk,) = channel.take()
    assert isinstance(chunk, UpdateStateChunk)
    assert chunk.operations[MERGE_AFTER:] == [put(["progress"], 9_999)]

    for number in range(2 * MERGE_AFTER):
        channel.put_operations([put(["done", str(number), "at"], number)])
    channel.put_operations([put(["doneness"], 1), put(["done"], 2)])
    (chunk,) = channel.take()
    assert isinstance(chunk, UpdateStateChunk)
    assert chunk.operations[-2:] == [put(["doneness"], 1), put(["done"], 2)]
    assert len(chunk.operations) == 2 * MERGE_AFTER + 2

    for number in range(2 * MERGE_AFTER):
        channel.put_operations([put(["done", str(number), "at"], number)])
    channel.put_operations([put([], 2)])
    assert channel.take() == [UpdateStateChunk([put([], 2)])]


def test_a_batch_that_has_been_read_is_not_added_to() -> None:
    channel = Channel()
    channel.put_operations([append("a")])
    read = channel.pop()
    channel.put_operations([append("b")])
    assert read == UpdateStateChunk([append("a")])
    assert channel.pop() == UpdateStateChunk([append("b")])


async def test_a_writer_on_another_thread_wakes_the_reader() -> None:
    channel = Channel()
    channel.bind()
    thread = threading.Timer(0.02, channel.put, [TextDeltaChunk("from a thread")])
    begun = asyncio.get_running_loop().time()
    thread.start()
    await asyncio.wait_for(channel.wait(), 5)
    # Not only because the loop had something else to wake up for, such as the time limit.
    assert asyncio.get_running_loop().time() - begun < 2
    assert channel.pop() == TextDeltaChunk("from a thread")
    thread.join()


async def test_closing_wakes_the_reader_and_keeps_what_is_there() -> None:
    channel = Channel()
    channel.bind()
    reader = asyncio.create_task(channel.wait())
    await asyncio.sleep(0)
    channel.put(TextDeltaChunk("last"))
    channel.close()
    await asyncio.wait_for(reader, 5)
    assert channel.put(TextDeltaChunk("late")) is False
    assert channel.take() == [TextDeltaChunk("last")]


async def test_drain_waits_for_a_lagging_reader_only() -> None:
    channel = Channel()
    channel.bind()
    channel.put(TextDeltaChunk("x"))
    await channel.drain()
    for number in range(DRAIN_LEVEL + 1):
        channel.put(TextDeltaChunk(str(number)))
    waiting = asyncio.create_task(channel.drain())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    channel.pop()
    channel.pop()
    await asyncio.wait_for(waiting, 5)


async def test_drain_waits_behind_a_long_batch_of_operations() -> None:
    channel = Channel()
    channel.bind()
    for _ in range(DRAIN_LEVEL + 1):
        channel.put_operations([append("x")])
    waiting = asyncio.create_task(channel.drain())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    channel.pop()
    await asyncio.wait_for(waiting, 5)


async def test_drain_returns_when_the_reader_has_gone() -> None:
    channel = Channel()
    channel.bind()
    for number in range(DRAIN_LEVEL * 2):
        channel.put(TextDeltaChunk(str(number)))
    waiting = asyncio.create_task(channel.drain())
    await asyncio.sleep(0)
    channel.abandon()
    await asyncio.wait_for(waiting, 5)
    assert channel.take() == []


@given(
    st.lists(
        st.sampled_from(
            [TextDeltaChunk("a"), TextDeltaChunk("b", "parent"), ToolCallDeltaChunk("call", "c")]
        ).flatmap(lambda chunk: st.lists(st.just(chunk), max_size=200)),
        max_size=6,
    )
)
def test_a_delta_need_not_be_a_chunk_nor_take_the_lock(bursts: list[list[DeltaChunk]]) -> None:
    chunks, deltas = Channel(), Channel()
    for chunk in chain(*bursts):
        chunks.put(chunk)
        if isinstance(chunk, ToolCallDeltaChunk):
            deltas.put_delta_in_loop(ToolCallDeltaChunk, chunk.args_text_delta, chunk.tool_call_id)
        elif isinstance(chunk, TextDeltaChunk):
            deltas.put_delta_in_loop(TextDeltaChunk, chunk.text_delta, chunk.parent_id)
    assert deltas.take() == chunks.take()


@given(st.lists(st.sampled_from([["text"], ["other"], None]), max_size=6), st.integers(0, 200))
def test_a_text_of_the_state_need_not_be_an_operation(
    paths: list[list[str] | None], times: int
) -> None:
    operations, texts = Channel(), Channel()
    for path in (path for path in paths for _ in range(times)):
        if path is None:
            operations.put_operations([put(["value"], 1)])
            texts.put_operations([put(["value"], 1)])
        else:
            operations.put_operations([{"type": "append-text", "path": path, "value": "a"}])
            texts.put_text_in_loop(path, "a")
    assert texts.take() == operations.take()


def test_nothing_joins_the_last_chunk_after_the_end() -> None:
    channel = Channel()
    for number in range(MERGE_AFTER * 2):
        assert channel.put_delta(TextDeltaChunk, str(number), None)
    channel.close()
    assert not channel.put_delta(TextDeltaChunk, "late", None)
    taken = [chunk.text_delta for chunk in channel.take() if isinstance(chunk, TextDeltaChunk)]
    assert "".join(taken) == "".join(map(str, range(MERGE_AFTER * 2)))


def test_empty_deltas_do_not_pile_up_behind_a_lagging_reader() -> None:
    channel = Channel()
    for _ in range(100_000):
        channel.put_delta(TextDeltaChunk, "", None)
    assert MERGE_AFTER < len(channel.take()) < MERGE_AFTER * 2


async def test_a_cancelled_reader_can_read_on() -> None:
    channel = Channel()
    channel.bind()
    reader = asyncio.create_task(channel.wait())
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    channel.put(TextDeltaChunk("a"))
    await asyncio.wait_for(channel.wait(), 5)
    assert channel.take() == [TextDeltaChunk("a")]
    waiting = asyncio.create_task(channel.wait())
    await asyncio.sleep(0)
    channel.put(TextDeltaChunk("b"))
    await asyncio.wait_for(waiting, 5)
