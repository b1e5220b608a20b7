"""What the AI SDK's `useChat` and assistant-ui's `AssistantChatTransport` send.

Mirrors `ui/ui-messages.ts` and `ui/convert-to-model-messages.ts` of the npm package `ai` 5 to 7,
and `transport/AssistantChatTransport.ts` of `@assistant-ui/ai-sdk` 0.0.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

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
    DataPart,
    ReplyPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResult,
    UserMessage,
    UserMessagePart,
)
from .requests import check_thread_id, read_model_content

__all__ = ("ToolApproval", "UIMessageRequest", "parse_ui_message_request")

_ROLES = ("system", "user", "assistant")
_STATES = (
    "input-streaming",
    "input-available",
    "approval-requested",
    "approval-responded",
    "output-available",
    "output-error",
    "output-denied",
)
_DENIED = "The user denied this call."


@dataclass(frozen=True, slots=True)
class ToolApproval:
    """The user's answer to whether a tool may run."""

    approval_id: str
    tool_call_id: str
    tool_name: str
    approved: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UIMessageRequest(ClientRequest):
    """The body of a request of `useChat`."""

    trigger: Literal["submit-message", "regenerate-message"] = "submit-message"
    message_id: str | None = None
    """The assistant's message that is made again, or that goes on when its tool results or
    approvals have come; the answer has to have the same id."""
    approvals: Sequence[ToolApproval] = field(default_factory=list[ToolApproval])
    """The user's answers in the assistant's last message. They are claims: match their ids with
    approvals that were asked for."""


def parse_ui_message_request(
    body: JSONValue,
    *,
    history: bool = False,
    allow_system: bool = False,
    limits: RequestLimits = DEFAULT_LIMITS,
) -> UIMessageRequest:
    """Parse the body of a request of `useChat`.

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
    items = fields.objects("messages", limits.messages)
    conversation = read_conversation(
        items,
        _message,
        _ROLES,
        history=history,
        allow_system=allow_system,
        with_last_reply=True,
    )
    last = items[-1] if items and items[-1].word("role") == "assistant" else None
    request = _request(fields, conversation, last, allow_system=allow_system)
    if not request.approvals and not fields.has("resume"):
        refuse_empty(request, history=history)
    return request


def _request(
    fields: Fields, conversation: Conversation, last: Fields | None, *, allow_system: bool
) -> UIMessageRequest:
    tools = fields.named_objects("tools", fields.limits.tools)
    thread_id = fields.optional_name("id")
    return UIMessageRequest(
        messages=conversation.messages,
        tool_results=conversation.tool_results,
        thread_id=None if thread_id is None else check_thread_id(thread_id, "body.id"),
        system=fields.optional_text("system") if allow_system else None,
        tools=[read_tool(tool, name) for name, tool in tools],
        body=fields.values,
        trigger=_trigger(fields),
        message_id=fields.optional_name("messageId") or _id(last),
        approvals=[] if last is None else list(_approvals(last)),
    )


def _id(message: Fields | None) -> str | None:
    return None if message is None else message.optional_name("id")


def _trigger(fields: Fields) -> Literal["submit-message", "regenerate-message"]:
    match fields.word("trigger") if fields.has("trigger") else None:
        case None | "submit-message":
            return "submit-message"
        case "regenerate-message":
            return "regenerate-message"
        case _:
            raise fields.unknown("trigger", "submit-message", "regenerate-message")


def _message(fields: Fields) -> Iterable[ClientMessage]:
    message_id = fields.optional_name("id")
    parts = fields.objects("parts", fields.limits.parts)
    match fields.word("role"):
        case "system":
            texts = [part.text("text") for part in parts if part.word("type") == "text"]
            yield SystemMessage("".join(texts), message_id)
        case "user":
            yield UserMessage([found for part in parts for found in _user_part(part)], message_id)
        case _:
            yield from _replies(parts, message_id)


def _user_part(fields: Fields) -> Iterable[UserMessagePart]:
    kind = fields.word("type")
    if kind == "text":
        yield TextPart(fields.text("text"))
    elif kind == "file":
        check_url(fields.file("url"), f"{fields.where}.url")
        yield read_file(fields, "url", fields.name("mediaType"))
    elif kind.startswith("data-"):
        data = fields.values.get("data")
        yield DataPart(kind.removeprefix("data-"), data, fields.optional_name("id"))


def _replies(parts: Sequence[Fields], message_id: str | None) -> Iterable[ClientMessage]:
    """One reply for each step of an assistant's message, and the results of its calls."""
    said: list[ReplyPart] = []
    results: list[ToolResult] = []
    for part in parts:
        kind = part.word("type")
        if kind == "step-start" and (said or results):
            yield from _step(said, results, message_id)
            said, results = [], []
        elif kind == "text":
            said.append(TextPart(part.text("text")))
        elif (name := _tool_name(part)) is not None and _state(part) != "input-streaming":
            call_id = part.name("toolCallId")
            args = part.values.get("input", part.values.get("rawInput"))
            said.append(ToolCallPart(call_id, name, read_args(args)))
            results += _results(part, call_id, name)
    yield from _step(said, results, message_id)


def _step(
    said: list[ReplyPart], results: list[ToolResult], message_id: str | None
) -> Iterable[ClientMessage]:
    yield AssistantReply(said, message_id)
    yield from results


def _results(fields: Fields, call_id: str, name: str) -> Iterable[ToolResult]:
    state = _state(fields)
    if state == "output-available" and not fields.flag("preliminary"):
        result = ToolResult(call_id, name, fields.values.get("output"))
        yield _unwrapped(fields, result)
    elif state == "output-error":
        yield ToolResult(call_id, name, fields.text("errorText"), is_error=True)
    elif state == "output-denied" or _denied(fields):
        yield ToolResult(call_id, name, _denial(fields), is_error=True)


def _denied(fields: Fields) -> bool:
    answer = _answer(fields)
    return answer is not None and not answer.flag("approved")


def _denial(fields: Fields) -> str:
    reason = fields.object("approval").optional_text("reason") if fields.has("approval") else None
    return f"{_DENIED} {reason}" if reason else _DENIED


def _unwrapped(fields: Fields, result: ToolResult) -> ToolResult:
    """A front-end tool of assistant-ui may tell apart what the model sees of its result."""
    if not isinstance(result.result, dict) or "__aui_modelContent" not in result.result:
        return result
    output = fields.object("output")
    content = read_model_content(output, "__aui_modelContent")
    return replace(result, result=output.values.get("value"), model_content=content)


def _approvals(message: Fields) -> Iterable[ToolApproval]:
    for part in message.objects("parts", message.limits.parts):
        name = _tool_name(part)
        answer = None if name is None else _answer(part)
        if name is not None and answer is not None:
            yield ToolApproval(
                approval_id=answer.name("id"),
                tool_call_id=part.name("toolCallId"),
                tool_name=name,
                approved=answer.flag("approved"),
                reason=answer.optional_text("reason"),
            )


def _answer(fields: Fields) -> Fields | None:
    return fields.object("approval") if _state(fields) == "approval-responded" else None


def _tool_name(fields: Fields) -> str | None:
    kind = fields.word("type")
    if kind == "dynamic-tool":
        return fields.name("toolName")
    return (kind.removeprefix("tool-") or None) if kind.startswith("tool-") else None


def _state(fields: Fields) -> str:
    state = fields.word("state")
    if state not in _STATES:
        raise fields.unknown("state", *_STATES)
    return state
