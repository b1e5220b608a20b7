"""What `useAssistantTransportRuntime` sends, as typed values.

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

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.typing import JSONValue

from ._fields import DEFAULT_LIMITS, Fields, RequestLimits, check_url, read_file, short
from .conversation import FilePart, ImagePart, TextPart, ToolResult, UserMessagePart

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
    "read_model_content",
)

_THREAD_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.:@~-]{1,256}")
"""Not one or two dots: clients take those out of a path."""


@dataclass(frozen=True, slots=True)
class AddMessageCommand:
    """The user said something."""

    parts: Sequence[UserMessagePart]
    parent_id: str | None = None
    """The message before it, as the client shows the thread."""
    source_id: str | None = None
    """The message that this one replaces, when the user has edited one."""


@dataclass(frozen=True, slots=True)
class AddToolResultCommand(ToolResult):
    """A tool that runs in the front end has ended."""


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


def parse_transport_request(
    body: JSONValue, *, limits: RequestLimits = DEFAULT_LIMITS
) -> AssistantTransportRequest:
    """Parse the body of a request of `useAssistantTransportRuntime`.

    Raises:
        RequestError: Says which field cannot be used, and why.
    """
    fields = Fields(body, "body", limits)
    commands = [_command(command) for command in fields.objects("commands", limits.messages)]
    if not commands:
        raise RequestError("`body.commands` is empty: there is nothing to do.")
    thread_id = fields.optional_text("threadId")
    tools = dict(fields.named_objects("tools", limits.tools))
    return AssistantTransportRequest(
        commands=commands,
        state=fields.optional_object("state"),
        thread_id=None if thread_id is None else check_thread_id(thread_id, "body.threadId"),
        parent_id=fields.optional_text("parentId"),
        system=fields.optional_text("system"),
        tools={name: tool.values for name, tool in tools.items()},
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


def read_model_content(fields: Fields, key: str) -> list[TextPart | FilePart] | None:
    """Return what the model should see of a tool's result, where the client tells."""
    if not fields.has(key):
        return None
    return [_model_part(part) for part in fields.objects(key, fields.limits.parts)]


def _command(fields: Fields) -> TransportCommand:
    kind = fields.word("type")
    if kind == "add-message":
        return _add_message(fields)
    if kind == "add-tool-result":
        return _add_tool_result(fields)
    return CustomCommand(kind, fields.values)


def _add_message(fields: Fields) -> AddMessageCommand:
    message = fields.object("message")
    role = message.word("role")
    if role != "user":
        raise RequestError(
            f"`{message.where}.role` is {short(role)}: a client may only add messages of the user."
        )
    parts = [_user_part(part) for part in message.objects("parts", fields.limits.parts)]
    if not any(not isinstance(part, TextPart) or part.text.strip() for part in parts):
        raise RequestError(f"`{message.where}.parts` has no content: send a text, image or file.")
    return AddMessageCommand(
        parts, fields.optional_text("parentId"), fields.optional_text("sourceId")
    )


def _user_part(fields: Fields) -> UserMessagePart:
    match fields.word("type"):
        case "text":
            return TextPart(fields.text("text"))
        case "image":
            return ImagePart(check_url(fields.file("image"), f"{fields.where}.image", "image/"))
        case "file":
            return read_file(fields, "data", fields.name("mimeType"))
        case _:
            raise fields.unknown("type", "text", "image", "file")


def _add_tool_result(fields: Fields) -> AddToolResultCommand:
    return AddToolResultCommand(
        tool_call_id=fields.name("toolCallId"),
        tool_name=fields.optional_text("toolName"),
        result=fields.values.get("result"),  # a tool that returns `undefined` sends no key
        is_error=fields.flag("isError"),
        artifact=fields.values.get("artifact"),
        model_content=read_model_content(fields, "modelContent"),
    )


def _model_part(fields: Fields) -> TextPart | FilePart:
    match fields.word("type"):
        case "text":
            return TextPart(fields.text("text"))
        case "file":
            return read_file(fields, "data", fields.name("mediaType"))
        case _:
            raise fields.unknown("type", "text", "file")
