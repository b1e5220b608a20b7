"""Save a run to a file and play it again, for front-end work without a model.

A recording is JSON lines. The first names the format and its version; each of the others is a
chunk, with the seconds since the start under `t`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import math
import time
from collections.abc import AsyncGenerator
from os import PathLike
from pathlib import Path
from typing import Any, cast, get_args

from ._json import dumps
from .chunks import AssistantStreamChunk
from .errors import RecordingError
from .typing import ChunkSource

__all__ = ("record", "replay")

_FORMAT = "assistant-stream-ce recording"
_VERSION = 1

_CHUNKS: dict[str, type[AssistantStreamChunk]] = {
    chunk.type: chunk for chunk in get_args(AssistantStreamChunk)
}

_TimedChunk = tuple[float, AssistantStreamChunk]


def record(
    stream: ChunkSource, path: str | PathLike[str]
) -> AsyncGenerator[AssistantStreamChunk, None]:
    """Pass a run through while saving it, with its timing. What the file held before is lost.

    The file is written as the run goes on, so what there is of a run that breaks off can be
    played. An exception of the run is raised, and not saved.

    Args:
        stream: The run, or any other chunks.
        path: The file. Its folder must exist.

    Raises:
        OSError: The file cannot be written; before the run begins.
    """
    file = Path(path)
    file.write_text(dumps({"format": _FORMAT, "version": _VERSION}) + "\n", encoding="utf-8")
    return _record(stream, file)


async def _record(stream: ChunkSource, file: Path) -> AsyncGenerator[AssistantStreamChunk, None]:
    start = time.monotonic()
    # A line is small and goes to the operating system's cache: quicker than another thread.
    with file.open("a", encoding="utf-8", buffering=1) as lines:
        try:
            async for chunk in stream:
                lines.write(_line(chunk, time.monotonic() - start))
                yield chunk
        finally:
            aclose = getattr(stream, "aclose", None)
            if aclose is not None:
                await aclose()


def replay(
    path: str | PathLike[str], *, speed: float = 1.0
) -> AsyncGenerator[AssistantStreamChunk, None]:
    """Play a recording: its chunks again, at the times at which they came.

    The result is a run like any other, to be sent over any wire.

    Args:
        path: The file. It is read at once.
        speed: How many times as fast; 0, or infinity, is without any waiting.

    Raises:
        RecordingError: The file is no recording, or is damaged; says in which line.
        OSError: The file cannot be read.
    """
    if not speed >= 0:
        raise ValueError(f"`speed` is 0 or more, not {speed}")
    return _replay(_read(Path(path)), 0.0 if math.isinf(speed) else speed)


async def _replay(
    chunks: list[_TimedChunk], speed: float
) -> AsyncGenerator[AssistantStreamChunk, None]:
    start = time.monotonic()
    for seconds, chunk in chunks:
        wait = start + seconds / speed - time.monotonic() if speed else 0.0
        if wait > 0:
            await asyncio.sleep(wait)
        yield chunk


# -- Lines -------------------------------------------------------------------------------------


def _line(chunk: AssistantStreamChunk, seconds: float) -> str:
    line: dict[str, object] = {"t": round(seconds, 6), "type": chunk.type}
    for field in dataclasses.fields(chunk):
        value = getattr(chunk, field.name)
        if field.default is dataclasses.MISSING or value != field.default:
            line[field.name] = value
    return dumps(line) + "\n"


def _read(file: Path) -> list[_TimedChunk]:
    with file.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        _check_header(file, lines.readline())
        return [
            _timed_chunk(file, number, line)
            for number, line in enumerate(lines, start=2)
            if line.strip()
        ]


def _check_header(file: Path, line: str) -> None:
    try:
        header = _object(line)
    except ValueError:
        header = {}
    if header.get("format") != _FORMAT:
        raise RecordingError("it is not a recording of a run", file, 1)
    if header.get("version") != _VERSION:
        raise RecordingError(
            f"its version is {header.get('version')}, and this release reads {_VERSION} only",
            file,
            1,
        )


def _timed_chunk(file: Path, number: int, line: str) -> _TimedChunk:
    try:
        fields = _object(line)
    except ValueError as error:
        raise RecordingError(f"it is not JSON, {error}", file, number) from error
    seconds, chunk_type = fields.pop("t", None), fields.pop("type", None)
    if type(seconds) not in (int, float) or not 0 <= seconds < math.inf:
        raise RecordingError("`t` is not a number of seconds", file, number)
    if not isinstance(chunk_type, str) or chunk_type not in _CHUNKS:
        raise RecordingError(f"there is no chunk of type `{chunk_type}`", file, number)
    kind = _CHUNKS[chunk_type]
    problem = _problem(kind, fields)
    if problem:
        raise RecordingError(f"its `{chunk_type}` chunk {problem}", file, number)
    return seconds, kind(**fields)


def _object(line: str) -> dict[str, Any]:
    """Read a line. `Any` is JSON: each value is looked at before it is used."""
    try:
        value: object = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - a value of the file, not an argument
    return cast("dict[str, Any]", value)


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "bool": (bool,),
    "int": (int,),
    "float | None": (int, float, type(None)),
    "list[JSONValue]": (list,),
    "list[StateOperation]": (list,),
}
"""What the fields of a chunk hold, by their annotation; the rest is JSON of any shape."""


def _problem(kind: type[AssistantStreamChunk], fields: dict[str, Any]) -> str | None:
    known = {field.name: field for field in dataclasses.fields(kind)}
    unknown = fields.keys() - known.keys()
    if unknown:
        return f"has an unknown field `{min(unknown)}`"
    for name, field in known.items():
        if name not in fields:
            if field.default is dataclasses.MISSING:
                return f"has no `{name}`"
        elif not isinstance(fields[name], _KINDS.get(cast("str", field.type), (object,))):
            return f"has a `{name}` that is not of type `{field.type}`"
    return None
