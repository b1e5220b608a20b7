"""What clients send of a conversation, as LangChain messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, cast
from uuid import uuid4

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from assistant_stream_ce import server
from assistant_stream_ce._json import dumps
from assistant_stream_ce.server import (
    AddMessageCommand,
    AddToolResultCommand,
    AssistantReply,
    ClientMessage,
    TextPart,
    ToolCallPart,
    ToolResult,
    UserMessage,
)
from assistant_stream_ce.typing import JSONValue

from ._blocks import ContentBlocks, content_blocks, shown_blocks

__all__ = (
    "STOPPED",
    "shown_human_message",
    "stopped_tool_message",
    "to_human_message",
    "to_langchain_messages",
    "to_tool_message",
)

_PARSED = (UserMessage, AssistantReply, ToolResult, server.SystemMessage)

STOPPED = "The call was stopped before it had a result."
"""What stands in for the result of a call that will never have one."""


def to_langchain_messages(
    messages: Iterable[ClientMessage | Mapping[str, Any]], *, allow_system: bool = False
) -> list[BaseMessage]:
    """Return a client's messages as LangChain messages.

    ```python
    request = parse_ui_message_request(await read_json_body(http_request), history=True)
    answer = await model.ainvoke(to_langchain_messages(request.messages))
    ```

    Models refuse a conversation in which a call has no result. So a call that the conversation
    went on without gets one that says so; the calls at its very end stay open, for you to answer.

    Args:
        messages: The `messages` of a parsed request, of whatever client. The unparsed messages of
            `useDataStreamRuntime`, Vercel's prompt format, are taken as well.
        allow_system: Whether the unparsed messages may hold system prompts. They are left out
            otherwise, because they are the browser's, not yours.

    Raises:
        RequestError: Says which unparsed message cannot be used, and why.
    """
    conversation = _Conversation()
    for message in _parsed(messages, allow_system=allow_system):
        conversation.add(message)
    return conversation.messages


def to_human_message(message: UserMessage | AddMessageCommand) -> HumanMessage:
    """Return what the user said.

    A command's message gets an id of its own, because the client has none for it yet, and blocks
    that the client can show when it gets them back in the state.
    """
    if isinstance(message, AddMessageCommand):
        return shown_human_message(UserMessage(message.parts))
    return HumanMessage(_content(content_blocks(message.parts)), id=message.id)


def shown_human_message(message: UserMessage) -> HumanMessage:
    """Return what the user said, for a thread that clients are shown: always with an id, and with
    blocks that the client can show when it gets them back in the state."""
    return HumanMessage(_content(shown_blocks(message.parts)), id=message.id or str(uuid4()))


def to_tool_message(result: ToolResult, call: ToolCall | None = None) -> ToolMessage:
    """Return how a tool call ended; `call` knows the tool's name where the client does not."""
    content: str | ContentBlocks
    if result.model_content is not None:
        content = content_blocks(result.model_content)
    elif isinstance(result.result, str):
        content = result.result
    else:
        content = dumps(result.result)
    return ToolMessage(
        content,
        id=str(uuid4()) if isinstance(result, AddToolResultCommand) else None,
        tool_call_id=result.tool_call_id,
        # The call's own name: the client refuses a whole thread over a result with another one.
        name=result.tool_name if call is None else call["name"],
        artifact=result.artifact,
        status="error" if result.is_error else "success",
    )


def stopped_tool_message(call: ToolCall) -> ToolMessage:
    """Return what stands in for the result of a call that will never have one."""
    return ToolMessage(
        STOPPED, id=str(uuid4()), tool_call_id=call["id"], name=call["name"], status="error"
    )


class _Conversation:
    """LangChain messages in the one order that models accept."""

    def __init__(self) -> None:
        self.messages: list[BaseMessage] = []
        self._open: dict[str, ToolCall] = {}
        self._known: set[str] = set()
        self._ids: set[str | None] = set()

    def add(self, message: ClientMessage) -> None:
        """Take the next message of the client."""
        if isinstance(message, ToolResult):
            self._result(message)
            return
        self._stop_open_calls()
        match message:
            case UserMessage():
                if (said := to_human_message(message)).content:
                    self.messages.append(said)
            case AssistantReply():
                self._reply(message)
            case server.SystemMessage():
                self.messages.append(SystemMessage(message.text, id=message.id))

    def _result(self, result: ToolResult) -> None:
        call = self._open.pop(result.tool_call_id, None)
        # A second result, or one that comes after the call was given up, breaks the order. One of
        # an unknown call is for a conversation that goes on elsewhere.
        if call is not None or result.tool_call_id not in self._known:
            self.messages.append(to_tool_message(result, call))

    def _reply(self, reply: AssistantReply) -> None:
        texts = [part.text for part in reply.parts if isinstance(part, TextPart)]
        calls = [part for part in reply.parts if isinstance(part, ToolCallPart)]
        if not calls and not any(texts):
            return
        valid = [_tool_call(part, part.args) for part in calls if not isinstance(part.args, str)]
        invalid = [_invalid(part, part.args) for part in calls if isinstance(part.args, str)]
        # Several replies may come from one message of the client, and ids have to differ.
        message_id = None if reply.id in self._ids else reply.id
        self._ids.add(reply.id)
        self.messages.append(
            AIMessage("".join(texts), id=message_id, tool_calls=valid, invalid_tool_calls=invalid)
        )
        self._open = {part.tool_call_id: _tool_call(part, {}) for part in calls}
        self._known |= self._open.keys()

    def _stop_open_calls(self) -> None:
        for call in self._open.values():
            self.messages.append(stopped_tool_message(call))
        self._open = {}


def _parsed(
    messages: Iterable[ClientMessage | Mapping[str, Any]], *, allow_system: bool
) -> Iterator[ClientMessage]:
    for is_parsed, group in groupby(messages, lambda message: isinstance(message, _PARSED)):
        if is_parsed:
            yield from cast("Iterable[ClientMessage]", group)
        else:
            values = cast("list[JSONValue]", list(group))
            yield from server.read_prompt(values, allow_system=allow_system)


def _content(blocks: ContentBlocks) -> str | ContentBlocks:
    match blocks:
        case [{"type": "text", "text": str(text)}]:
            return text
        case _:
            return blocks


def _tool_call(part: ToolCallPart, args: Mapping[str, Any]) -> ToolCall:
    return ToolCall(type="tool_call", id=part.tool_call_id, name=part.tool_name, args=dict(args))


def _invalid(part: ToolCallPart, args: str) -> InvalidToolCall:
    return InvalidToolCall(
        type="invalid_tool_call",
        id=part.tool_call_id,
        name=part.tool_name,
        args=args,
        error="The arguments are not a JSON object.",
    )
