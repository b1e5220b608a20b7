"""What `inspect` asks: a message as each client would send it, or a body of the user's own."""

from __future__ import annotations

import argparse
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from assistant_stream_ce import AssistantStreamError
from assistant_stream_ce._json import dumps

__all__ = ("Ask", "create_ask")

ROUTES = {
    "assistant-transport": "/assistant?protocol=assistant-transport",
    "data-stream": "/assistant",
    "ui-message-stream": "/chat",
    "ag-ui": "/agui",
    "openai": "/v1/chat/completions",
}
"""Where a server of this package answers."""

_BY_PATH = {
    "/completions": "openai",
    "/agui": "ag-ui",
    "/chat": "ui-message-stream",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes | None


def create_ask(options: argparse.Namespace) -> Ask:
    """Return the request that the options describe.

    Raises:
        AssistantStreamError: The URL is none, or the body cannot be read.
    """
    url = _checked_url(options.url)
    headers = [("accept", "*/*"), *options.header]
    if options.message is None and options.body is None:
        return Ask("GET", url, headers, None)
    headers.insert(0, ("content-type", "application/json"))
    if options.body is not None:
        return Ask("POST", url, headers, _read(options.body))
    protocol = options.protocol or _protocol_of(url)
    if urlsplit(url).path in {"", "/"}:
        url = url.split("?")[0].rstrip("/") + ROUTES[protocol]
    return Ask("POST", url, headers, dumps(_body(protocol, url, options)).encode())


def _checked_url(text: str) -> str:
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        known, parts = False, urlsplit("")
    if not known:
        raise AssistantStreamError(f"{text!r} is no address of a server.")
    return urlunsplit(parts)


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise AssistantStreamError(f"cannot read {name}: {error.strerror}.") from None


def _protocol_of(url: str) -> str:
    path = urlsplit(url).path.rstrip("/")
    for end, protocol in _BY_PATH.items():
        if path.endswith(end):
            return protocol
    return "assistant-transport"


def _body(protocol: str, url: str, options: argparse.Namespace) -> dict[str, object]:
    text, thread = options.message, options.thread
    named: dict[str, object] = {} if thread is None else {"threadId": thread}
    part = {"type": "text", "text": text}
    if protocol == "openai":
        messages = [{"role": "user", "content": text}]
        return {"model": options.model, "messages": messages, "stream": True}
    if protocol == "ag-ui":
        return {
            "threadId": thread or str(uuid.uuid4()),
            "runId": str(uuid.uuid4()),
            "state": None,
            "messages": [{"id": str(uuid.uuid4()), "role": "user", "content": text}],
            "tools": [],
            "context": [],
            "forwardedProps": {},
        }
    if protocol == "ui-message-stream":
        message = {"id": str(uuid.uuid4()), "role": "user", "parts": [part]}
        chat = {"id": thread or str(uuid.uuid4()), "messages": [message]}
        return {**chat, "trigger": "submit-message"}
    if protocol == "data-stream" and not urlsplit(url).path.rstrip("/").endswith("/assistant"):
        return {"messages": [{"role": "user", "content": [part]}], "tools": {}, **named}
    command = {"type": "add-message", "message": {"role": "user", "parts": [part]}}
    return {"commands": [command], "state": None, **named}
