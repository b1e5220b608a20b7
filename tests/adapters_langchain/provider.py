"""A model provider on localhost: the real clients talk HTTP to it, and it streams what it is told.

A server of our own works for every client, whichever HTTP library it is built on.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ("Answer", "Item", "Provider", "Said", "events", "json_answer", "json_lines")

Item = dict[str, Any]


@dataclass
class Answer:
    """What the provider sends back, frame by frame."""

    frames: Sequence[bytes]
    content_type: str = "application/json"
    status: int = 200


@dataclass
class Said:
    """One answer of a model: as it is streamed, and in one piece."""

    streamed: Answer
    complete: Answer


def json_answer(body: Any, status: int = 200) -> Answer:
    """An answer that is not streamed."""
    return Answer([json.dumps(body).encode()], status=status)


def events(items: Iterable[Any], *, named: bool = False, done: bool = False) -> Answer:
    """Server-sent events; `named` repeats each item's `type` as the event's name."""
    frames = [
        (f"event: {item['type']}\n" if named else "") + f"data: {json.dumps(item)}\n\n"
        for item in items
    ]
    if done:
        frames.append("data: [DONE]\n\n")
    return Answer([frame.encode() for frame in frames], "text/event-stream")


def json_lines(items: Iterable[Any]) -> Answer:
    """One JSON object a line."""
    return Answer([f"{json.dumps(item)}\n".encode() for item in items], "application/x-ndjson")


@dataclass
class Provider:
    """Gives its answers in turn, the last one again and again, and remembers the requests."""

    answers: list[Answer] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def says(self, *answers: Answer) -> None:
        """Set what comes next."""
        self.answers = list(answers)
        self.requests.clear()
        self.paths.clear()

    @property
    def was_asked_to_stream(self) -> bool:
        """Whether the last request wants a stream; some say so in the path."""
        return bool(self.requests[-1].get("stream")) or "stream" in self.paths[-1].lower()

    def next(self) -> Answer:
        """The answer to a request."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def start(self) -> ThreadingHTTPServer:
        """Listen, in a thread."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                provider.paths.append(self.path)
                provider.requests.append(json.loads(body or b"{}"))
                answer = provider.next()
                self.send_response(answer.status)
                self.send_header("content-type", answer.content_type)
                self.end_headers()
                for frame in answer.frames:
                    self.wfile.write(frame)
                    self.wfile.flush()

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test output quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server
