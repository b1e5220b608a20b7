"""What the requests of the clients that send their whole conversation have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from assistant_stream_ce._json import dumps
from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.typing import JSONValue

from ._body import MAX_DEPTH, check_depth
from ._fields import Fields
from .conversation import (
    AssistantReply,
    ClientMessage,
    ClientTool,
    SystemMessage,
    ToolResult,
    UserMessage,
)

__all__ = (
    "ClientRequest",
    "Conversation",
    "read_args",
    "read_conversation",
    "read_tool",
    "refuse_empty",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRequest:
    """What every request of a chat client has."""

    messages: Sequence[ClientMessage]
    """What the user has said since the assistant's last message; the whole conversation when the
    parser was told so. System and developer prompts are in it only when they are allowed."""
    tool_results: Sequence[ToolResult] = ()
    """The results of tools since the assistant's last message. They are claims: match their ids
    with calls that wait for a result."""
    thread_id: str | None = None
    """The conversation's id at the client. It is not a permission."""
    system: str | None = None
    """The front end's system prompt; `None` unless it is allowed."""
    tools: Sequence[ClientTool] = ()
    """The tools that run in the front end."""
    body: Mapping[str, JSONValue] = field(default_factory=dict[str, JSONValue])
    """The whole body, for fields that have no attribute here. Nothing in it has been checked."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was used of a list of messages."""

    messages: Sequence[ClientMessage]
    tool_results: Sequence[ToolResult]


def read_conversation(
    items: Sequence[Fields],
    read: Callable[[Fields], Iterable[ClientMessage]],
    roles: Sequence[str],
    *,
    history: bool,
    allow_system: bool,
    with_last_reply: bool = False,
) -> Conversation:
    """Read as much of a conversation as is used.

    Args:
        items: The client's messages.
        read: Reads one of them, which may be several here.
        roles: The roles that the client's messages may have.
        history: Whether to use all of it.
        allow_system: Whether to use the prompts in it.
        with_last_reply: Whether the assistant's last message holds results of tools.
    """
    found = [_role(item, roles) for item in items]
    last = max((i for i, role in enumerate(found) if role == "assistant"), default=-1)
    first = 0 if history else max(last if with_last_reply else last + 1, 0)
    messages: list[ClientMessage] = []
    for i, (item, role) in enumerate(zip(items, found, strict=True)):
        if allow_system if role in ("system", "developer") else i >= first:
            messages.extend(read(item))
    last_reply = max(
        (i for i, message in enumerate(messages) if isinstance(message, AssistantReply)), default=-1
    )
    results = [item for item in messages[last_reply + 1 :] if isinstance(item, ToolResult)]
    if not history:
        messages = [item for item in messages if isinstance(item, UserMessage | SystemMessage)]
    return Conversation(messages, results)


def refuse_empty(request: ClientRequest, *, history: bool) -> None:
    """Refuse a request in which there is nothing to answer."""
    said = request.messages if history else [*request.messages, *request.tool_results]
    if all(isinstance(message, SystemMessage) for message in said):
        raise RequestError(
            "`body.messages` has nothing to answer: send a message of the user, or the result of "
            "a tool, after the assistant's last message."
        )


def read_tool(fields: Fields, name: str | None = None) -> ClientTool:
    """Return a tool from its description."""
    return ClientTool(
        name=fields.name("name") if name is None else name,
        description=fields.optional_text("description"),
        parameters=fields.optional_object("parameters") or {},
    )


def read_args(value: JSONValue) -> Mapping[str, JSONValue] | str:
    """Return the arguments of a call, from their value or their JSON text."""
    if isinstance(value, str):
        text, value = value, _parsed(value)
        return value if isinstance(value, dict) else text
    if value is None or isinstance(value, dict):
        return value or {}
    return dumps(value)


def _parsed(text: str) -> JSONValue:
    try:
        value: JSONValue = orjson.loads(text or "{}")
    except ValueError:
        return None  # A model can write anything; its next call is shown the text.
    check_depth(value, MAX_DEPTH)
    return value


def _role(fields: Fields, roles: Sequence[str]) -> str:
    role = fields.word("role")
    if role not in roles:
        raise fields.unknown("role", *roles)
    return role
