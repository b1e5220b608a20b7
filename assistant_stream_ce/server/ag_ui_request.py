"""What AG-UI clients send: `HttpAgent`, `useAgUiRuntime`, CopilotKit.

Mirrors `RunAgentInput` of the npm package `@ag-ui/core` 1.0.0, and reads what 0.0.59 sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from assistant_stream_ce.typing import JSONValue

from ._fields import DEFAULT_LIMITS, Fields, RequestLimits, check_url, read_file
from .client_request import ClientRequest, Conversation, read_args, read_conversation, read_tool
from .conversation import (
    AssistantReply,
    ClientMessage,
    FilePart,
    ReplyPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResult,
    UserMessage,
)
from .requests import check_thread_id

__all__ = ("AGUIContext", "AGUIRequest", "AGUIResume", "parse_ag_ui_request", "read_resume")

_ROLES = ("developer", "system", "user", "assistant", "tool", "reasoning", "activity")
_MEDIA = {
    "image": "image/png",
    "audio": "audio/wav",
    "video": "video/mp4",
    "document": "application/octet-stream",
}
"""The kinds of media parts, and the types of those that do not say theirs."""


@dataclass(frozen=True, slots=True)
class AGUIContext:
    """Something that the application lets the agent know. Like a prompt, it is a claim."""

    description: str
    value: str


@dataclass(frozen=True, slots=True)
class AGUIResume:
    """The answer to an interrupt. It is a claim: match its id with interrupts that wait."""

    interrupt_id: str
    status: Literal["resolved", "cancelled"]
    payload: JSONValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AGUIRequest(ClientRequest):
    """The body of an AG-UI request."""

    run_id: str
    """The id that the events of the run have to have."""
    parent_run_id: str | None = None
    state: JSONValue = None
    """What the client shows; it says nothing about what the server knows."""
    context: Sequence[AGUIContext] = field(default_factory=list[AGUIContext])
    """What the application lets the agent know. The system prompt that `useAgUiRuntime` puts here
    is in `system` instead."""
    resume: Sequence[AGUIResume] = field(default_factory=list[AGUIResume])
    """Answers to interrupts."""
    message_ids: Sequence[str] = ()
    """The ids of all messages that the client has, for the response's `known_message_ids`."""
    forwarded_props: JSONValue = None
    """Whatever the application sends along. Nothing in it has been checked."""


def parse_ag_ui_request(
    body: JSONValue,
    *,
    history: bool = False,
    allow_system: bool = False,
    limits: RequestLimits = DEFAULT_LIMITS,
) -> AGUIRequest:
    """Parse the body of an AG-UI request.

    There may be nothing to answer in it: applications start runs by themselves, too.

    Args:
        body: The parsed JSON.
        history: Whether to use the conversation as the client remembers it, replies and results
            included; for servers that keep none of their own.
        allow_system: Whether to use system and developer prompts of the front end. They are
            dropped otherwise.
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
    return _request(fields, conversation, allow_system=allow_system)


def _request(fields: Fields, conversation: Conversation, *, allow_system: bool) -> AGUIRequest:
    limits = fields.limits
    ids = [item.values.get("id") for item in fields.objects("messages", limits.messages)]
    told = [_context(item) for item in fields.optional_objects("context", limits.messages)]
    prompts = [item.value for item in told if item.description == "system"]
    return AGUIRequest(
        messages=conversation.messages,
        tool_results=conversation.tool_results,
        thread_id=check_thread_id(fields.name("threadId"), "body.threadId"),
        system="\n".join(prompts) if prompts and allow_system else None,
        tools=[read_tool(tool) for tool in fields.optional_objects("tools", limits.tools)],
        body=fields.values,
        run_id=fields.name("runId"),
        parent_run_id=fields.optional_name("parentRunId"),
        state=fields.values.get("state"),
        context=[item for item in told if item.description != "system"],
        resume=[_resume(item) for item in fields.optional_objects("resume", limits.messages)],
        message_ids=[text for text in ids if isinstance(text, str)],
        forwarded_props=fields.values.get("forwardedProps"),
    )


def read_resume(
    body: Mapping[str, JSONValue], *, limits: RequestLimits = DEFAULT_LIMITS
) -> list[AGUIResume]:
    """Return the answers to interrupts in the `resume` of any client's request, if there are any.

    Raises:
        RequestError: Says which field cannot be used, and why.
    """
    fields = Fields(dict(body), "body", limits)
    return [_resume(item) for item in fields.optional_objects("resume", limits.messages)]


def _context(fields: Fields) -> AGUIContext:
    return AGUIContext(fields.text("description"), fields.text("value"))


def _resume(fields: Fields) -> AGUIResume:
    interrupt_id, payload = fields.name("interruptId"), fields.values.get("payload")
    match fields.word("status"):
        case "resolved":
            return AGUIResume(interrupt_id, "resolved", payload)
        case "cancelled":
            return AGUIResume(interrupt_id, "cancelled", payload)
        case _:
            raise fields.unknown("status", "resolved", "cancelled")


def _message(fields: Fields) -> Iterable[ClientMessage]:
    message_id = fields.optional_name("id")
    match fields.word("role"):
        case "system" | "developer":
            yield SystemMessage(fields.text("content"), message_id)
        case "user":
            yield UserMessage(_content(fields), message_id)
        case "assistant":
            yield AssistantReply(list(_reply(fields)), message_id)
        case "tool":
            yield _result(fields)
        case _:
            pass  # reasoning and progress are for the user's eyes


def _content(fields: Fields) -> list[TextPart | FilePart]:
    if isinstance(fields.values.get("content"), str):
        return [TextPart(fields.text("content"))]
    return [_part(part) for part in fields.objects("content", fields.limits.parts)]


def _part(fields: Fields) -> TextPart | FilePart:
    kind = fields.word("type")
    if kind == "text":
        return TextPart(fields.text("text"))
    if kind == "binary":  # what 0.0.59 calls all media
        key = "data" if fields.has("data") else "url"
        return _media(fields, key, fields.name("mimeType"), is_url=key == "url")
    if kind not in _MEDIA:
        raise fields.unknown("type", "text", *_MEDIA)
    source = fields.object("source")
    mime_type = source.optional_name("mimeType") or _MEDIA[kind]
    match source.word("type"):
        case "data":
            return _media(source, "value", mime_type, is_url=False)
        case "url":
            return _media(source, "value", mime_type, is_url=True)
        case _:  # such as `file`: one that lies at a model's provider, perhaps somebody else's
            raise source.unknown("type", "data", "url")


def _media(fields: Fields, key: str, mime_type: str, *, is_url: bool) -> FilePart:
    part = read_file(fields, key, mime_type)
    if is_url:
        check_url(part.data, f"{fields.where}.{key}")
    return part


def _reply(fields: Fields) -> Iterable[ReplyPart]:
    if fields.has("content"):
        yield from (part for part in _content(fields) if isinstance(part, TextPart) and part.text)
    for call in fields.optional_objects("toolCalls", fields.limits.parts):
        function = call.object("function")
        args = read_args(function.values.get("arguments"))
        yield ToolCallPart(call.name("id"), function.name("name"), args)


def _result(fields: Fields) -> ToolResult:
    content = _content(fields)
    texts = [part.text for part in content if isinstance(part, TextPart)]
    error = fields.optional_text("error")
    return ToolResult(
        tool_call_id=fields.name("toolCallId"),
        tool_name=None,
        result="\n".join(texts) or error or "",
        is_error=error is not None,
        model_content=None if len(texts) == len(content) else content,
    )
