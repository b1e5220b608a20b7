"""What OpenAI clients send to `POST /chat/completions`.

Mirrors `CompletionCreateParams` of the Python package `openai` 3.54.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assistant_stream_ce.typing import JSONValue

from ._fields import DEFAULT_LIMITS, Fields, RequestLimits, check_url, read_file
from .client_request import (
    ClientRequest,
    Conversation,
    read_args,
    read_conversation,
    read_tool,
    refuse_empty,
)
from .conversation import (
    AssistantReply,
    ClientMessage,
    FilePart,
    ImagePart,
    ReplyPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResult,
    UserMessage,
    UserMessagePart,
)

__all__ = ("OpenAIRequest", "parse_openai_request")

_ROLES = ("system", "developer", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIRequest(ClientRequest):
    """The body of a chat completions request."""

    model: str
    """The model that the client names; the answer's chunks repeat it."""
    stream: bool = False
    include_usage: bool = False
    """Whether the stream ends with the token counts."""
    tool_choice: JSONValue = None
    user: str | None = None
    """Who the client says its user is."""


def parse_openai_request(
    body: JSONValue,
    *,
    history: bool = False,
    allow_system: bool = False,
    limits: RequestLimits = DEFAULT_LIMITS,
) -> OpenAIRequest:
    """Parse the body of a chat completions request.

    The protocol has no thread id: use `history=True`, unless you know the conversation otherwise.

    Args:
        body: The parsed JSON.
        history: Whether to use the conversation as the client remembers it, replies and results
            included.
        allow_system: Whether to use system and developer prompts. They are dropped otherwise.
        limits: How much the request may hold.

    Raises:
        RequestError: Says which field cannot be used, and why.
    """
    fields = Fields(body, "body", limits)
    conversation = read_conversation(
        fields.objects("messages", limits.messages),
        _message,
        _ROLES,
        history=history,
        allow_system=allow_system,
    )
    request = _request(fields, conversation)
    refuse_empty(request, history=history)
    return request


def _request(fields: Fields, conversation: Conversation) -> OpenAIRequest:
    if fields.values.get("n") not in (None, 1):
        raise fields.refused("n", "must be 1 or absent: this server gives one answer.")
    options = fields.object("stream_options") if fields.has("stream_options") else None
    return OpenAIRequest(
        messages=conversation.messages,
        tool_results=conversation.tool_results,
        tools=[
            read_tool(tool.object("function"))
            for tool in fields.optional_objects("tools", fields.limits.tools)
            if tool.word("type") == "function"
        ],
        body=fields.values,
        model=fields.name("model"),
        stream=fields.flag("stream"),
        include_usage=options is not None and options.flag("include_usage"),
        tool_choice=fields.values.get("tool_choice"),
        user=fields.optional_name("user"),
    )


def _message(fields: Fields) -> Iterable[ClientMessage]:
    match fields.word("role"):
        case "system" | "developer":
            yield SystemMessage("".join(part.text for part in _texts(fields)))
        case "user":
            yield UserMessage([_user_part(part) for part in _content(fields)])
        case "assistant":
            yield AssistantReply(list(_reply(fields)))
        case _:
            result = "".join(part.text for part in _texts(fields))
            yield ToolResult(fields.name("tool_call_id"), None, result)


def _content(fields: Fields) -> list[Fields]:
    content = fields.values.get("content")
    if isinstance(content, str):
        text: dict[str, JSONValue] = {"type": "text", "text": fields.text("content")}
        return [Fields(text, f"{fields.where}.content", fields.limits)]
    return fields.objects("content", fields.limits.parts)


def _texts(fields: Fields) -> Iterable[TextPart]:
    for part in _content(fields):
        if part.word("type") != "text":
            raise part.unknown("type", "text")
        yield TextPart(part.text("text"))


def _user_part(fields: Fields) -> UserMessagePart:
    match fields.word("type"):
        case "text":
            return TextPart(fields.text("text"))
        case "image_url":
            image = fields.object("image_url")
            return ImagePart(check_url(image.file("url"), f"{image.where}.url", "image/"))
        case "input_audio":
            sound = fields.object("input_audio")
            return read_file(sound, "data", f"audio/{sound.name('format')}")
        case "file":
            return _file(fields.object("file"))
        case _:
            raise fields.unknown("type", "text", "image_url", "input_audio", "file")


def _file(fields: Fields) -> FilePart:
    if not fields.has("file_data"):
        raise fields.refused(
            "file_data", "is missing. Files that lie at a model's provider are not taken."
        )
    return read_file(fields, "file_data", "application/octet-stream")


def _reply(fields: Fields) -> Iterable[ReplyPart]:
    if fields.has("content"):
        for part in _content(fields):
            if part.word("type") in ("text", "refusal"):
                yield TextPart(part.text(part.word("type")))
    for call in fields.optional_objects("tool_calls", fields.limits.parts):
        function = call.object("function")
        args = read_args(function.values.get("arguments"))
        yield ToolCallPart(call.name("id"), function.name("name"), args)
