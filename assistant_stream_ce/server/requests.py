"""What the assistant-ui clients send, as typed values.

Tolerant of fields that nobody here uses, strict about those that are used. Mirrors the request of
`useAssistantTransportRuntime` in `@assistant-ui/core` 0.3.20. What a client says is a claim: only
messages of the user are taken from it, `system` and `state` are carried along for those who want
them, and the URLs of images and files are limited to `https:` and `data:`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.typing import JSONValue

__all__ = (
    "AddMessageCommand",
    "AddToolResultCommand",
    "AssistantTransportRequest",
    "CustomCommand",
    "FilePart",
    "ImagePart",
    "TextPart",
    "TransportCommand",
    "UserMessagePart",
    "check_thread_id",
    "parse_transport_request",
)

_THREAD_ID = re.compile(r"[A-Za-z0-9_.:@~-]{1,256}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text of the user."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image of the user."""

    image: str
    """An `https:` URL, or a `data:image/...` URL."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of the user."""

    data: str
    """An `https:` URL, a `data:` URL, or base64 text."""
    mime_type: str
    filename: str | None = None


UserMessagePart: TypeAlias = TextPart | ImagePart | FilePart
"""A part of a user's message."""


@dataclass(frozen=True, slots=True)
class AddMessageCommand:
    """The user said something."""

    parts: Sequence[UserMessagePart]
    parent_id: str | None = None
    """The message before it, as the client shows the thread."""
    source_id: str | None = None
    """The message that this one replaces, when the user has edited one."""


@dataclass(frozen=True, slots=True)
class AddToolResultCommand:
    """A tool that runs in the front end has ended."""

    tool_call_id: str
    tool_name: str | None
    result: JSONValue
    is_error: bool = False
    artifact: JSONValue = None
    model_content: Sequence[TextPart | FilePart] | None = None
    """What the model should see of the result, where it differs."""


@dataclass(frozen=True, slots=True)
class CustomCommand:
    """A command of the application's own, from `useAssistantTransportSendCommand`."""

    type: str
    payload: Mapping[str, JSONValue]
    """The whole command, `type` included."""


TransportCommand: TypeAlias = AddMessageCommand | AddToolResultCommand | CustomCommand
"""A command of the assistant-transport client."""


@dataclass(frozen=True, slots=True)
class AssistantTransportRequest:
    """The body of a request of `useAssistantTransportRuntime`."""

    commands: Sequence[TransportCommand]
    state: Mapping[str, JSONValue] | None = None
    """What the client shows. State operations are relative to it; it says nothing about what the
    server knows, so it must not become the graph's state."""
    thread_id: str | None = None
    """Absent on the first request of a new thread."""
    parent_id: str | None = None
    system: str | None = None
    """A system prompt from the front end. It is not trusted, and not used unless you do."""
    tools: Mapping[str, JSONValue] = field(default_factory=dict[str, JSONValue])
    """The tools that run in the front end: name to `{description?, parameters}`."""
    body: Mapping[str, JSONValue] = field(default_factory=dict[str, JSONValue])
    """The whole body, for fields that have no attribute here. Nothing in it has been checked."""


def parse_transport_request(body: JSONValue) -> AssistantTransportRequest:
    """Parse the body of a request of `useAssistantTransportRuntime`.

    Raises:
        RequestError: Says which field cannot be used, and why.
    """
    fields = _Fields(body, "body")
    commands = [_command(command) for command in fields.objects("commands")]
    if not commands:
        raise RequestError("`body.commands` is empty: there is nothing to do.")
    thread_id = fields.optional_text("threadId")
    return AssistantTransportRequest(
        commands=commands,
        state=fields.optional_object("state"),
        thread_id=None if thread_id is None else check_thread_id(thread_id, "body.threadId"),
        parent_id=fields.optional_text("parentId"),
        system=fields.optional_text("system"),
        tools=fields.optional_object("tools") or {},
        body=fields.values,
    )


def check_thread_id(value: str, where: str = "thread id") -> str:
    """Return `value` if it can name a thread, in a header and in a URL as well.

    Raises:
        RequestError: It cannot.
    """
    if not _THREAD_ID.fullmatch(value):
        raise RequestError(f"`{where}` must be 1 to 256 letters, digits or any of `_ . : @ ~ -`.")
    return value


def _command(fields: _Fields) -> TransportCommand:
    kind = fields.text("type")
    if kind == "add-message":
        return _add_message(fields)
    if kind == "add-tool-result":
        return _add_tool_result(fields)
    return CustomCommand(kind, fields.values)


def _add_message(fields: _Fields) -> AddMessageCommand:
    message = fields.object("message")
    role = message.text("role")
    if role != "user":
        raise RequestError(
            f"`{message.where}.role` is {_short(role)}: a client may only add messages of the user."
        )
    parts = [_user_part(part) for part in message.objects("parts")]
    if not any(not isinstance(part, TextPart) or part.text.strip() for part in parts):
        raise RequestError(f"`{message.where}.parts` has no content: send a text, image or file.")
    return AddMessageCommand(
        parts, fields.optional_text("parentId"), fields.optional_text("sourceId")
    )


def _user_part(fields: _Fields) -> UserMessagePart:
    match fields.text("type"):
        case "text":
            return TextPart(fields.text("text"))
        case "image":
            return ImagePart(_check_url(fields.text("image"), f"{fields.where}.image", "image/"))
        case "file":
            return _file_part(fields, "mimeType")
        case other:
            raise RequestError(
                f"`{fields.where}.type` is {_short(other)}; known are 'text', 'image' and 'file'."
            )


def _file_part(fields: _Fields, mime_type: str) -> FilePart:
    data = fields.text("data")
    if not _BASE64.fullmatch(data):
        _check_url(data, f"{fields.where}.data")
    return FilePart(data, fields.text(mime_type), fields.optional_text("filename"))


def _add_tool_result(fields: _Fields) -> AddToolResultCommand:
    tool_call_id = fields.text("toolCallId")
    if not tool_call_id:
        raise RequestError(f"`{fields.where}.toolCallId` is empty.")
    content = fields.objects("modelContent") if fields.has("modelContent") else None
    return AddToolResultCommand(
        tool_call_id=tool_call_id,
        tool_name=fields.optional_text("toolName"),
        result=fields.values.get("result"),  # a tool that returns `undefined` sends no key
        is_error=fields.flag("isError"),
        artifact=fields.values.get("artifact"),
        model_content=None if content is None else [_model_part(part) for part in content],
    )


def _model_part(fields: _Fields) -> TextPart | FilePart:
    match fields.text("type"):
        case "text":
            return TextPart(fields.text("text"))
        case "file":
            return _file_part(fields, "mediaType")
        case other:
            raise RequestError(
                f"`{fields.where}.type` is {_short(other)}; known are 'text' and 'file'."
            )


def _check_url(url: str, where: str, data_type: str = "") -> str:
    """Let `https:` and `data:` pass. Other schemes reach files and services of the server."""
    if url[:5].lower() == "data:":
        if url[5 : 5 + len(data_type)].lower() == data_type:
            return url
        raise RequestError(f"`{where}` must be a `data:{data_type}...` URL, it is of another type.")
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise RequestError(f"`{where}` must be an `https:` or a `data:` URL.")
    return url


class _Fields:
    """A JSON object and where in the body it stands, so that each complaint can say so."""

    def __init__(self, value: JSONValue, where: str) -> None:
        if not isinstance(value, dict):
            raise RequestError(f"`{where}` must be an object, not {_kind(value)}.")
        self.values = value
        self.where = where

    def has(self, key: str) -> bool:
        """Whether there is a value; `null` says the same as no key at all."""
        return self.values.get(key) is not None

    def text(self, key: str) -> str:
        value = self.values.get(key)
        if not isinstance(value, str):
            raise RequestError(f"`{self.where}.{key}` must be a string, not {_kind(value)}.")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else None

    def flag(self, key: str) -> bool:
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise RequestError(f"`{self.where}.{key}` must be true or false, not {_kind(value)}.")
        return bool(value)

    def object(self, key: str) -> _Fields:
        return _Fields(self.values.get(key), f"{self.where}.{key}")

    def optional_object(self, key: str) -> dict[str, JSONValue] | None:
        return self.object(key).values if self.has(key) else None

    def objects(self, key: str) -> list[_Fields]:
        value = self.values.get(key)
        if not isinstance(value, list):
            raise RequestError(f"`{self.where}.{key}` must be an array, not {_kind(value)}.")
        return [_Fields(item, f"{self.where}.{key}[{i}]") for i, item in enumerate(value)]


def _short(text: str) -> str:
    """`text` in a message: it is the client's, and can be megabytes."""
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def _kind(value: JSONValue) -> str:
    match value:
        case None:
            return "missing or null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "an object"
