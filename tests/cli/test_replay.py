"""`replay`: recordings and captured bytes, on a terminal and behind a server."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import anyio.to_thread
import pytest
from starlette.testclient import TestClient

from assistant_stream_ce import ErrorChunk, TextDeltaChunk, record
from assistant_stream_ce.recording import replay
from assistant_stream_ce.testing import collect
from assistant_stream_ce.typing import ChunkStream
from assistant_stream_cli import main
from assistant_stream_cli._replay_app import ROUTES, create_replay_app
from tests.cli.running import serving
from tests.cli.test_frames import ENCODERS, RUN, encoded, inspected


async def recorded(folder: Path, *extra: TextDeltaChunk | ErrorChunk) -> Path:
    async def run() -> ChunkStream:
        for chunk in [*RUN[:-1], *extra]:
            yield chunk

    await collect(record(run(), folder / "run.jsonl"))
    return folder / "run.jsonl"


async def in_thread(*arguments: str) -> int:
    """Run a command, which has an event loop of its own."""
    return await anyio.to_thread.run_sync(main, arguments)


async def test_a_recording_is_played(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = await recorded(folder)

    assert await in_thread("replay", str(file), "--instant") == 0
    shown = capsys.readouterr().out
    assert "It is sunny" in shown
    assert '> search {"q":"x"}' in shown
    assert "\x1b" not in shown


async def test_frames_of_a_recording(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = await recorded(folder)

    assert await in_thread("replay", str(file), "--frames", "--speed", "1000") == 0
    lines = [line.split(maxsplit=2)[1:] for line in capsys.readouterr().out.splitlines()]
    assert ["text-delta", '{"text_delta":"It is "}'] in lines
    assert len(lines) == len(RUN) - 1


async def test_a_failed_run_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = await recorded(folder, ErrorChunk("no more tokens"))

    assert await in_thread("replay", str(file), "--instant") == 1
    assert "The run has failed: no more tokens" in capsys.readouterr().out


async def test_bytes_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = await encoded(ENCODERS["ag-ui"], RUN)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    assert main(["replay", "-"]) == 0
    assert "ag-ui, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "code", "complaint"),
    [
        (None, 2, "cannot play run.jsonl: No such file"),
        ('{"format":"assistant-stream-ce recording","version":1}\nx\n', 2, "line 2 is damaged"),
        ("", 1, "There is no frame"),
    ],
)
def test_what_cannot_be_played(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    code: int,
    complaint: str,
) -> None:
    if content is not None:
        (folder / "run.jsonl").write_text(content)

    assert main(["replay", "run.jsonl"]) == code

    said = capsys.readouterr()
    assert complaint in said.out + said.err


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "x"])
def test_a_speed_is_a_factor(capsys: pytest.CaptureFixture[str], speed: str) -> None:
    with pytest.raises(SystemExit):
        main(["replay", "run.jsonl", "--speed", speed])

    assert "is not a factor above 0" in capsys.readouterr().err


async def test_a_server_plays_it_over_every_wire(folder: Path) -> None:
    file = await recorded(folder)
    app = create_replay_app(lambda: replay(file, speed=0), playground=False)
    with TestClient(app) as client:
        for path, wire in ROUTES.items():
            answer = client.post(path, content=b"anything")
            assert inspected(answer.content)[0].reader.wire == wire
            assert "sunny" in answer.text
        assert client.post("/chat?protocol=nothing").status_code == 400
        assert client.get("/").text.startswith("POST to one of /assistant")


def test_bytes_behind_a_server(folder: Path) -> None:
    (folder / "answer.txt").write_text('0:"Hello"\n')
    with serving(folder, "replay", "answer.txt", "--serve", "--no-playground") as (client, run):
        assert run.out[0].startswith("Serving the recording answer.txt on ")
        response = client.post("/assistant?protocol=assistant-transport")

    assert '"textDelta":"Hello"' in response.text
