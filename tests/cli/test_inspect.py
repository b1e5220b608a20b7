"""`inspect`, against servers that behave, and against some that do not."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assistant_stream_cli import main
from assistant_stream_cli._options import PROTOCOLS
from tests.cli.running import command, environment, serving
from tests.cli.test_frames import ENCODERS, RUN, encoded

CLIPBOARD = "\x1b]52;c;cm0gLXJm\x07"
"""A terminal would put something into the clipboard."""


class Scripted(ThreadingHTTPServer):
    """Answers every request with the same bytes, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = b""
        self.status = 200
        self.is_whole = True
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append(
            (
                self.command,
                self.path,
                {name.title(): value for name, value in self.headers.items()},
                body,
            )
        )
        answer = self.server.answer
        self.send_response(self.server.status)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(answer) + (0 if self.server.is_whole else 10)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_frames_message_and_figures(
    server: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = await encoded(ENCODERS["data-stream"], RUN)

    assert main(["inspect", f"{server.url}/chat", "--message", "Hi"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [f"POST {server.url}/chat", "200 OK, text/plain"]
    assert any(line.split()[1:] == ["text-delta", '"It', "is", '"'] for line in lines)
    assert "It is sunny ☀." in "\n".join(lines).replace("[31m", "")
    assert '> search {"q":"x"}' in lines
    figures = next(line for line in lines if line.startswith("data-stream, "))
    assert f"{len(server.answer)} bytes" in figures
    assert "first byte after 0." in figures
    assert lines[-1] == "Well formed."


async def test_what_a_stream_says_cannot_drive_the_terminal(
    server: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = f'0:"{CLIPBOARD}"\n{CLIPBOARD}:1\ndata: {CLIPBOARD}\r\n\u202eabc\n'.encode()

    assert main(["inspect", server.url]) == 1
    server.status = 500
    assert main(["inspect", server.url]) == 3

    said = capsys.readouterr()
    shown = said.out + said.err
    assert not [character for character in shown if ord(character) < 32 and character != "\n"]
    assert "\u202e" not in shown
    assert r"\x1b]52" in shown


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_message_is_asked_as_each_client_asks_it(server: Scripted, protocol: str) -> None:
    server.answer = await encoded(ENCODERS[protocol], RUN)

    asked = ["inspect", server.url, "--message", "Hi", "--protocol", protocol, "--quiet"]
    assert main([*asked, "--thread", "t1", "--header", "X-User: me"]) == 0

    method, path, headers, body = server.asked[0]
    assert method == "POST"
    assert path.startswith("/")
    assert headers["X-User"] == "me"
    assert headers["Content-Type"] == "application/json"
    assert "Hi" in json.dumps(json.loads(body))


def test_a_body_of_ones_own(server: Scripted, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text('{"a": 1}')
    server.answer = b'0:"Hi"\n'

    assert main(["inspect", f"{server.url}/x?y=1", "--body", str(file)]) == 0
    assert server.asked[0][1] == "/x?y=1"
    assert server.asked[0][3] == b'{"a": 1}'


def test_a_server_that_dies_is_told(server: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    server.answer, server.is_whole = b'0:"It is "\n0:"su', False

    assert main(["inspect", server.url]) == 1

    shown = capsys.readouterr().out
    assert "The connection broke: " in shown
    assert "cut off within a frame" in shown
    assert "It is" in shown


def test_a_refusal_is_shown(server: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    server.answer, server.status = b'{"detail": "no such thread"}', 404

    assert main(["inspect", server.url]) == 3
    assert "The server refused: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["http://127.0.0.1:1"], 3, "No answer: "),
        (["ftp://x"], 2, "'ftp://x' is no address of a server."),
        (["http://[x"], 2, "'http://[x' is no address of a server."),
        (["http://h:99999"], 2, "is no address of a server."),
        (["127.0.0.1:1", "--body", "no-such-file"], 2, "cannot read no-such-file: "),
    ],
)
def test_what_cannot_be_asked(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, complaint: str
) -> None:
    assert main(["inspect", *arguments]) == code

    said = capsys.readouterr()
    assert complaint in said.out + said.err


@pytest.mark.parametrize("header", ["nothing", ": x", "a\nb: c"])
def test_a_header_has_a_name(capsys: pytest.CaptureFixture[str], header: str) -> None:
    with pytest.raises(SystemExit):
        main(["inspect", "localhost", "--header", header])

    assert "is not of the form `Name: value`" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_failure(server: Scripted, folder: Path) -> None:
    server.answer = b'0:"x"\n' * 20_000
    process = subprocess.Popen(
        command("inspect", server.url),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"GET http")
    process.stdout.close()

    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(20) == 0


def test_a_graph_that_is_served_over_every_wire_and_an_answer_played_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = folder / "answer.txt"
    serve = ("serve", "agent.py:graph", "--no-playground", "--max-runs", "3", "--checkpoint")
    with serving(folder, *serve, "memory") as (client, _):
        asked = ["inspect", str(client.base_url), "--message", "Hi", "--protocol"]
        for protocol in PROTOCOLS:
            assert main([*asked, protocol, "--save", str(saved)]) == 0
            shown = capsys.readouterr().out
            assert "You said: Hi" in shown
            assert f"\n{protocol}, " in shown
            assert shown.endswith("Well formed.\n")

    assert main(["replay", str(saved)]) == 0
    assert "You said: Hi" in capsys.readouterr().out
