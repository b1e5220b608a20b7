"""`replay`: a recorded run, in the terminal or behind a server."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import fields
from pathlib import Path
from typing import TypeAlias

from assistant_stream_ce import AssistantStreamChunk, AssistantStreamError, ErrorChunk
from assistant_stream_ce._json import dumps
from assistant_stream_ce.recording import replay
from assistant_stream_ce.testing import check_stream
from assistant_stream_ce.typing import ChunkStream

from ._frames import Frame
from ._inspection import Inspection
from ._options import EXIT_OK, EXIT_PROBLEMS
from ._view import StreamView, open_console

__all__ = ("run_replay",)

Play: TypeAlias = Callable[[], ChunkStream]
"""Starts the run once more."""

_RECORDING = b'{"format"'


def run_replay(options: argparse.Namespace) -> int:
    """Play what the options name, and return the exit code.

    Raises:
        AssistantStreamError: There is nothing to play, or no address to serve it on.
    """
    with ExitStack() as stack:
        file, data = _read(options.file, stack)
        is_recording = data.lstrip().startswith(_RECORDING)
        if options.serve:
            play = _player(file, options.speed) if is_recording else _repeater(data)
            return _serve(options, play)
        if is_recording:
            return asyncio.run(_show(_player(file, options.speed), is_framed=options.frames))
        return _show_bytes(data, is_framed=options.frames)


def _read(name: str, stack: ExitStack) -> tuple[Path, bytes]:
    """Return the file and what is in it; standard input becomes a file."""
    if name != "-":
        file = Path(name)
        try:
            return file, file.read_bytes()
        except OSError as error:
            raise AssistantStreamError(f"cannot play {name}: {error.strerror}.") from None
    data = sys.stdin.buffer.read()
    file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "standard-input.jsonl"
    file.write_bytes(data)
    return file, data


def _player(file: Path, speed: float) -> Play:
    replay(file)  # complains now, not at the first request
    return lambda: replay(file, speed=speed)


def _repeater(data: bytes) -> Play:
    """Play the chunks that are in the bytes of an answer, at once."""
    inspection = Inspection(lambda _seconds, _frame: None)
    inspection.feed(data)
    inspection.finish()
    chunks = inspection.record.chunks
    if not chunks:
        raise AssistantStreamError("there is no run in these bytes.")

    async def repeat() -> AsyncGenerator[AssistantStreamChunk, None]:
        for chunk in chunks:
            yield chunk

    return repeat


# -- In the terminal ---------------------------------------------------------------------------


def _show_bytes(data: bytes, *, is_framed: bool) -> int:
    view = StreamView(is_quiet=not is_framed)
    inspection = Inspection(view.show_frame)
    inspection.feed(data)
    inspection.finish()
    view.show_end(inspection, is_timed=False)
    return EXIT_PROBLEMS if inspection.problems or inspection.has_failed else EXIT_OK


async def _show(play: Play, *, is_framed: bool) -> int:
    from assistant_stream_jupyter import display  # noqa: PLC0415 - needs the console below
    from assistant_stream_jupyter._surface import RichSurface  # noqa: PLC0415

    chunks: list[AssistantStreamChunk] = []
    if is_framed:
        await _show_frames(play, chunks)
    else:
        console = open_console()
        await display(_kept(play, chunks), wire=None, surface=RichSurface(console))
    problem = _problem(chunks)
    if problem is not None:
        StreamView().complain(problem)
    return EXIT_OK if problem is None else EXIT_PROBLEMS


async def _show_frames(play: Play, chunks: list[AssistantStreamChunk]) -> None:
    view = StreamView()
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with aclosing(_kept(play, chunks)) as stream:
        async for chunk in stream:
            said = {
                field.name: value
                for field in fields(chunk)
                if (value := getattr(chunk, field.name)) != field.default
            }
            view.show_frame(loop.time() - start, Frame(chunk.type, dumps(said)))


async def _kept(
    play: Play, chunks: list[AssistantStreamChunk]
) -> AsyncGenerator[AssistantStreamChunk, None]:
    async with aclosing(play()) as stream:
        async for chunk in stream:
            chunks.append(chunk)
            yield chunk


def _problem(chunks: Sequence[AssistantStreamChunk]) -> str | None:
    for chunk in chunks:
        if isinstance(chunk, ErrorChunk) and chunk.severity in {None, "critical"}:
            return f"The run has failed: {chunk.error}"
    try:
        check_stream(chunks)
    except AssertionError as error:
        return f"The stream breaks a rule: {error}"
    return None


# -- Behind a server ---------------------------------------------------------------------------


def _serve(options: argparse.Namespace, play: Play) -> int:
    from ._replay_app import create_replay_app  # noqa: PLC0415 - needs the extra below
    from ._serve import announce, check_extra  # noqa: PLC0415

    check_extra("uvicorn")
    from ._server import bind, serve_app  # noqa: PLC0415

    app = create_replay_app(
        play, cors_origins=options.cors_origin, playground=not options.no_playground
    )
    with bind(options.host, options.port) as listener:
        asyncio.run(
            serve_app(
                app,
                listener,
                options.host,
                lambda url: announce(f"the recording {options.file}", url, is_opened=options.open),
                allowed_hosts=options.allow_host,
            )
        )
    return EXIT_OK
