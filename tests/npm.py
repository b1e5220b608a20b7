"""Decodes wires with the real npm clients.

One node process serves a whole test session, so that hundreds of cases are quick. Where node is
missing, the tests that need it are skipped, except under CI, where that is a failure.
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any, Literal, NoReturn

import pytest

try:
    import fcntl
except ImportError:  # Windows: test sessions are not run side by side there.
    fcntl = None  # type: ignore[assignment]

__all__ = ("FOLDER", "Decoded", "Protocol", "ask", "decode", "install", "node")

FOLDER = Path(__file__).parent / "js"
"""Where the package.json, the lock file and the scripts are."""

Protocol = Literal["data-stream", "assistant-transport", "ui-message-stream"]

CASE_TIMEOUT = 30.0
"""Seconds one case may take before its decoder counts as hanging."""


@dataclass(frozen=True)
class Decoded:
    """What a real client made of a wire."""

    message: dict[str, Any] | None
    """The last state of the assistant message, without timings; `None` when no chunk arrived."""
    error: str | None
    """What the decoder or the accumulator threw."""
    warnings: list[str]
    """Whatever was written to the console."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    """Every state of the message, one per chunk, when asked for."""
    chunks: list[dict[str, Any]] = field(default_factory=list)
    """The decoder's output chunks, when asked for."""

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The message's parts."""
        parts: list[dict[str, Any]] = self._message["parts"]
        return parts

    @property
    def status(self) -> dict[str, Any]:
        """The message's status."""
        status: dict[str, Any] = self._message["status"]
        return status

    @property
    def metadata(self) -> dict[str, Any]:
        """The message's metadata."""
        metadata: dict[str, Any] = self._message["metadata"]
        return metadata

    @property
    def state(self) -> Any:
        """The state that the client ends up with."""
        return self.metadata["unstable_state"]

    @property
    def text(self) -> str:
        """The text of all text parts."""
        return "".join(part["text"] for part in self.parts if part["type"] == "text")

    @property
    def _message(self) -> dict[str, Any]:
        assert self.message is not None, "the wire held no chunk"
        return self.message

    def checked(self) -> Decoded:
        """Return the same, having made sure that the client had nothing to complain about."""
        assert (self.error, self.warnings) == (None, [])
        return self


def decode(
    wire: bytes | str,
    protocol: Protocol = "data-stream",
    *,
    strict: bool = True,
    split: int | Sequence[int] | None = None,
    messages: bool = False,
    chunks: bool = False,
    initial_state: object = None,
) -> Decoded:
    """Decode `wire` with the npm decoder of `protocol` and the message accumulator.

    Args:
        wire: A whole response body.
        protocol: Whose decoder.
        strict: The clients' own setting; their default is strict.
        split: How the body arrives: whole, in pieces of that many bytes (1 is the hardest), or
            in pieces of these sizes.
        messages: Whether to give every intermediate message too.
        chunks: Whether to give the decoder's chunks too.
        initial_state: The state that the client had before.
    """
    answer = ask(
        protocol,
        wire,
        strict=strict,
        split=split,
        messages=messages,
        chunks=chunks,
        initialState=initial_state,
    )
    return Decoded(
        message=answer["message"],
        error=answer["error"],
        warnings=answer["warnings"],
        messages=answer.get("messages", []),
        chunks=answer.get("chunks", []),
    )


def ask(
    protocol: str,
    wire: bytes | str,
    *,
    split: int | Sequence[int] | None = None,
    **options: object,
) -> dict[str, Any]:
    """Have `decode.mjs` read a wire and return its answer; for readers with answers of their own.

    The answer has at least `error` and `warnings`.
    """
    if isinstance(wire, str):
        wire = wire.encode("utf-8", "backslashreplace")
    request: dict[str, Any] = {
        "protocol": protocol,
        "wire": base64.b64encode(wire).decode(),
        "split": split if split is None or isinstance(split, int) else list(split),
        **options,
    }
    answer = _Server.current().ask(request)
    if "failure" in answer:
        raise RuntimeError(f"decode.mjs failed: {answer['failure']}")
    return answer


@cache
def node() -> str:
    """The path of the node executable; skips the test when there is none."""
    path = shutil.which("node")
    if path is None:
        _unavailable("node is not installed, so the npm clients cannot run")
    return path


def install(folder: Path = FOLDER) -> Path:
    """Run `npm ci` in `folder` unless what the lock file lists is installed there already."""
    node()
    npm = shutil.which("npm")
    if npm is None:
        _unavailable("npm is not installed, so the npm clients cannot be installed")
    lock = folder / "package-lock.json"
    with lock.open() as handle:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)  # Several test sessions may start at once.
        installed = folder / "node_modules" / ".package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                _unavailable(f"`npm ci` failed in {folder.name}: {done.stderr.strip()[-500:]}")
    return folder


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (CI must run these tests)", pytrace=False)
    pytest.skip(reason)


class _Server:
    """The long-lived node process."""

    _current: _Server | None = None

    @classmethod
    def current(cls) -> _Server:
        """The running one; a new one when a case has killed it."""
        if cls._current is None or cls._current._process.poll() is not None:
            cls._current = cls()
        return cls._current

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [node(), "decode.mjs", "--serve"],
            cwd=install(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        atexit.register(self.close)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._pipes()
        watchdog = threading.Timer(CASE_TIMEOUT, self._process.kill)
        with self._lock:
            watchdog.start()
            try:
                stdin.write(json.dumps(request) + "\n")
                stdin.flush()
                line = stdout.readline()
            finally:
                watchdog.cancel()
        if not line:
            raise RuntimeError("decode.mjs ended without an answer, or hung and was killed")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        stdin, stdout = self._pipes()
        self._process.kill()
        self._process.wait()
        stdin.close()
        stdout.close()

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout
