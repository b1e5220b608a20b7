"""What `useDataStreamRuntime` sends.

Mirrors `useDataStreamRuntime.ts` and `converters/toLanguageModelMessages.ts` of the npm package
`@assistant-ui/react-data-stream` 0.12.32.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    ImagePart,
    ReplyPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResult,
    UserMessage,
    UserMessagePart,
)
from .requests import check_thread_id

__all__ = ("DataStreamRequest", "parse_data_stream_request", "read_prompt")

_ROLES = ("system", "user", "assistant", "tool")
_OUTPUTS = ("json", "text", "error-json", "error-text")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStreamRequest(ClientRequest):
    """The body of a request of `useDataStreamRuntime`."""

    state: JSONValue = None
    """The state that the client got with the last answer. It will not be the base of the next
    one's state operations: that is `null`."""
    parent_id: str | None = None
    """The message that the answer follows."""
    message_id: str | None = None
    """The id that the answer has at the client."""


def parse_data_stream_request(
    body: JSONValue,
    *,
    history: bool = False,
    allow_system: bool = False,
    limits: RequestLimits = DEFAULT_LIMITS,
) -> DataStreamRequest:
    """Parse the body of a request of `useDataStreamRuntime`.

    Args:
        body: The parsed JSON.
        history: Whether to use the conversation as the client remembers it, replies and results
            included; for servers that keep none of their own.
        allow_system: Whether to use system prompts of the front end. They are dropped otherwise.
        limits: How much the request may hold.

    Raises:
        RequestError: Says which field cannot be used, and why.
    """
    fields = Fields(body, "body", limits)
    conversation = _read(
        fields.objects("messages", limits.messages), history=history, allow_system=allow_system
    )
    thread_id = fields.optional_name("threadId")
    request = DataStreamRequest(
        messages=conversation.messages,
        tool_results=conversation.tool_results,
        thread_id=None if thread_id is None else check_thread_id(thread_id, "body.threadId"),
        system=fields.optional_text("system") if allow_system else None,
        tools=[read_tool(tool, name) for name, tool in fields.named_objects("tools", limits.tools)],
        body=fields.values,
        state=fields.values.get("state"),
        parent_id=fields.optional_name("parentId"),
        message_id=fields.optional_name("unstable_assistantMessageId"),
    )
    if not fields.has("resume"):  # `read_resume` reads the answers to interrupts in it.
        refuse_empty(request, history=history)
    return request


def read_prompt(
    messages: Iterable[JSONValue],
    *,
    allow_system: bool = False,
    limits: RequestLimits = DEFAULT_LIMITS,
) -> Sequence[ClientMessage]:
    """Return the `messages` of a request of `useDataStreamRuntime`, all of them.

    Raises:
        RequestError: Says which message cannot be used, and why.
    """
    fields = Fields({"messages": list(messages)}, "body", limits)
    items = fields.objects("messages", limits.messages)
    return _read(items, history=True, allow_system=allow_system).messages


def _read(items: Sequence[Fields], *, history: bool, allow_system: bool) -> Conversation:
    return read_conversation(items, _message, _ROLES, history=history, allow_system=allow_system)


def _message(fields: Fields) -> Iterable[ClientMessage]:
    message_id = fields.optional_name("unstable_id") or fields.optional_name("id")
    match fields.word("role"):
        case "system":
            yield SystemMessage(fields.text("content"), message_id)
        case "user":
            yield UserMessage([_user_part(part) for part in _parts(fields)], message_id)
        case "assistant":
            parts = [part for item in _parts(fields) for part in _reply_part(item)]
            yield AssistantReply(parts, message_id)
        case _:
            for part in fields.objects("content", fields.limits.parts):
                yield _result(part)


def _parts(fields: Fields) -> list[Fields]:
    content = fields.values.get("content")
    if isinstance(content, str):
        text: dict[str, JSONValue] = {"type": "text", "text": content}
        return [Fields(text, f"{fields.where}.content", fields.limits)]
    return fields.objects("content", fields.limits.parts)


def _user_part(fields: Fields) -> UserMessagePart:
    match fields.word("type"):
        case "text":
            return TextPart(fields.text("text"))
        case "file":
            return read_file(fields, "data", fields.name("mediaType"))
        case "image":
            return ImagePart(check_url(fields.file("image"), f"{fields.where}.image", "image/"))
        case _:
            raise fields.unknown("type", "text", "file", "image")


def _reply_part(fields: Fields) -> Iterable[ReplyPart]:
    match fields.word("type"):
        case "text":
            yield TextPart(fields.text("text"))
        case "tool-call":
            args = read_args(fields.values.get("input"))
            yield ToolCallPart(fields.name("toolCallId"), fields.name("toolName"), args)
        case _:
            pass  # reasoning and files of a model are not shown to a model again


def _result(fields: Fields) -> ToolResult:
    output = fields.object("output")
    kind = output.word("type")
    if kind not in _OUTPUTS:
        raise output.unknown("type", *_OUTPUTS)
    return ToolResult(
        tool_call_id=fields.name("toolCallId"),
        tool_name=fields.optional_name("toolName"),
        result=output.values.get("value"),
        is_error=kind.startswith("error"),
    )
