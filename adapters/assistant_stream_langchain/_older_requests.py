"""The request models of 0.0.2, for endpoints that still declare them.

They check little: no roles, no addresses, no sizes. `assistant_stream_ce.server` has what replaces
them. They live here because the core does not know pydantic.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

__all__ = (
    "AddMessageCommand",
    "AddToolResultCommand",
    "ChatRequest",
    "MessagePart",
    "UserMessage",
)

# `Any` below stands for JSON that nothing here looks into.


class MessagePart(BaseModel):
    """A text or an image."""

    type: str
    text: str | None = None
    image: str | None = None


class UserMessage(BaseModel):
    """A message, by its `role` of the user."""

    role: str = "user"
    parts: list[MessagePart]


class AddMessageCommand(BaseModel):
    """The user said something."""

    type: str = "add-message"
    message: UserMessage


class AddToolResultCommand(BaseModel):
    """A tool that runs in the front end has ended."""

    type: str = "add-tool-result"
    toolCallId: str  # noqa: N815 - the wire's name, and that of 0.0.2
    result: Any


class ChatRequest(BaseModel):
    """The body of a request of `useAssistantTransportRuntime`."""

    commands: list[AddMessageCommand | AddToolResultCommand]
    system: str | None = None
    tools: dict[str, Any] | None = None
    runConfig: dict[str, Any] | None = None  # noqa: N815
    state: dict[str, Any] | None = None
