"""What was said, in one form for the requests of all clients.

A message here is a claim of the client's. What the user says is the user's own; replies of the
assistant and results of tools are what the client remembers of them, or makes up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from assistant_stream_ce.typing import JSONValue

__all__ = (
    "AssistantReply",
    "ClientMessage",
    "ClientTool",
    "DataPart",
    "FilePart",
    "ImagePart",
    "ReplyPart",
    "SystemMessage",
    "TextPart",
    "ToolCallPart",
    "ToolResult",
    "UserMessage",
    "UserMessagePart",
)


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image of the user."""

    image: str
    """An `https:` URL, or a `data:image/...` URL."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file: an image, a sound, a document."""

    data: str
    """An `https:` URL, a `data:` URL, or base64 text."""
    mime_type: str
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class DataPart:
    """A named piece of data, for the application; models do not see it."""

    name: str
    data: JSONValue
    id: str | None = None


UserMessagePart: TypeAlias = TextPart | ImagePart | FilePart | DataPart
"""A part of a user's message."""


@dataclass(frozen=True, slots=True)
class UserMessage:
    """The user said something."""

    parts: Sequence[UserMessagePart]
    id: str | None = None
    """The message's id at the client."""

    @property
    def text(self) -> str:
        """The texts of the message, a line break between two."""
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A tool call in a reply."""

    tool_call_id: str
    tool_name: str
    args: Mapping[str, JSONValue] | str
    """The arguments; their text as it came when that is no JSON object."""


ReplyPart: TypeAlias = TextPart | ToolCallPart
"""A part of a reply that a model can be shown again."""


@dataclass(frozen=True, slots=True)
class AssistantReply:
    """What the assistant said, as the client has it; one for each model call where it tells."""

    parts: Sequence[ReplyPart]
    id: str | None = None
    """The message's id at the client."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """How a tool call ended, as the client has it."""

    tool_call_id: str
    tool_name: str | None
    result: JSONValue
    is_error: bool = False
    artifact: JSONValue = None
    model_content: Sequence[TextPart | FilePart] | None = None
    """What the model should see of the result, where it differs."""


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """A system or developer prompt of the client's."""

    text: str
    id: str | None = None


ClientMessage: TypeAlias = UserMessage | AssistantReply | ToolResult | SystemMessage
"""A message of a conversation that a client sends."""


@dataclass(frozen=True, slots=True)
class ClientTool:
    """A tool that runs in the front end."""

    name: str
    description: str | None = None
    parameters: Mapping[str, JSONValue] = field(default_factory=dict[str, JSONValue])
    """The JSON schema of its arguments."""
