"""Plain text over HTTP is the text of the answer, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from assistant_stream_ce import RunController, create_run
from assistant_stream_ce.chunks import AssistantStreamChunk, ErrorChunk, TextDeltaChunk
from assistant_stream_ce.serialization import PlainTextEncoder, PlainTextResponse
from assistant_stream_ce.serialization.stream_encoder import STREAM_FAILED
from tests.serialization.cases import CASES, Case, by_name
from tests.serving import serve


async def stream_of(chunks: list[AssistantStreamChunk]) -> AsyncGenerator[AssistantStreamChunk]:
    for chunk in chunks:
        yield chunk


async def body_of(stream: AsyncGenerator[AssistantStreamChunk, None], **options: float) -> bytes:
    async with serve(PlainTextResponse(stream, **options)) as url, httpx.AsyncClient() as http:
        response = await http.get(url)
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.headers["x-accel-buffering"] == "no"
        return response.content


@pytest.mark.parametrize("case", CASES, ids=by_name)
async def test_it_is_the_concatenation_of_the_text(case: Case) -> None:
    pieces: list[str] = []
    for chunk in case.chunks:
        if isinstance(chunk, TextDeltaChunk):
            pieces.append(chunk.text_delta)
        elif isinstance(chunk, ErrorChunk) and chunk.severity in (None, "critical"):
            pieces += ["\n" * bool(pieces), f"Error: {chunk.error}\n"]

    encoded = [text async for text in PlainTextEncoder().encode_stream(stream_of(case.chunks))]

    assert "".join(encoded) == "".join(pieces)


async def test_text_arrives_as_it_is() -> None:
    text = 'a\n"b"\u2028\x85😀\x00'

    assert await body_of(stream_of([TextDeltaChunk(text)])) == text.encode()


async def test_half_a_character_that_stays_half_is_shown_as_an_escape() -> None:
    assert await body_of(stream_of([TextDeltaChunk("a\ud83db")])) == rb"a\ud83db"


async def test_an_error_has_a_line_of_its_own() -> None:
    chunks = [TextDeltaChunk("a"), ErrorChunk("boom"), ErrorChunk("slow", severity="warning")]

    assert await body_of(stream_of(chunks)) == b"a\nError: boom\n"
    assert await body_of(stream_of([TextDeltaChunk("a\n"), *chunks[1:]])) == b"a\nError: boom\n"


async def test_a_run_that_raises_ends_with_the_error() -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("a")
        raise ValueError("boom")

    assert await body_of(create_run(run)) == b"a\nError: boom\n"


async def test_a_stream_that_raises_tells_nothing_internal() -> None:
    async def chunks() -> AsyncGenerator[AssistantStreamChunk]:
        yield TextDeltaChunk("a")
        raise ValueError("secret")

    assert await body_of(chunks()) == f"a\nError: {STREAM_FAILED}\n".encode()


async def test_no_heartbeat_becomes_part_of_the_answer() -> None:
    async def chunks() -> AsyncGenerator[AssistantStreamChunk]:
        yield TextDeltaChunk("a")
        await asyncio.sleep(0.05)
        yield TextDeltaChunk("b")

    assert await body_of(chunks(), heartbeat=0.01) == b"ab"
