"""The assistant message as an assistant-ui client holds it, in the client's own spelling.

Mirrors `core/utils/types.ts` of the npm package `assistant-stream` 0.3.44, without the timings,
which say something about the client's clock only.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from .typing import FinishReason

__all__ = (
    "AssistantMessage",
    "DataPart",
    "FilePart",
    "MessageError",
    "MessageMetadata",
    "MessagePart",
    "MessageStatus",
    "PartStatus",
    "ReasoningPart",
    "SourcePart",
    "Step",
    "TextPart",
    "ToolCallPart",
    "Usage",
)

# `Any` below stands for JSON of the user's own shape.


class PartStatus(TypedDict):
    """How far a part is."""

    type: Literal["running", "complete"]
    reason: NotRequired[Literal["unknown"]]
    isArgsComplete: NotRequired[bool]


class TextPart(TypedDict):
    """A stretch of the answer's text."""

    type: Literal["text"]
    text: str
    status: PartStatus
    parentId: NotRequired[str]


class ReasoningPart(TypedDict):
    """A stretch of the model's visible reasoning."""

    type: Literal["reasoning"]
    text: str
    status: PartStatus
    unstable_summary: NotRequired[str]
    parentId: NotRequired[str]


class ToolCallPart(TypedDict):
    """A tool call; `args` is what can be read of `argsText` so far."""

    type: Literal["tool-call"]
    state: Literal["partial-call", "call", "result"]
    status: PartStatus
    toolCallId: str
    toolName: str
    argsText: str
    args: Any
    result: NotRequired[Any]
    isError: NotRequired[bool]
    artifact: NotRequired[Any]
    modelContent: NotRequired[Any]
    messages: NotRequired[Any]
    parentId: NotRequired[str]


class SourcePart(TypedDict):
    """A source that the answer leans on."""

    type: Literal["source"]
    sourceType: Literal["url", "document"]
    id: str
    url: str
    status: PartStatus
    title: NotRequired[str]
    parentId: NotRequired[str]


class FilePart(TypedDict):
    """A file in the answer."""

    type: Literal["file"]
    data: str
    mimeType: str
    status: PartStatus
    parentId: NotRequired[str]


class DataPart(TypedDict):
    """A named piece of data in the answer."""

    type: Literal["data"]
    name: str
    data: Any
    status: PartStatus
    parentId: NotRequired[str]


MessagePart: TypeAlias = TextPart | ReasoningPart | ToolCallPart | SourcePart | FilePart | DataPart


class MessageError(TypedDict):
    """What went wrong."""

    code: str
    message: str
    severity: NotRequired[Literal["critical", "warning", "info"]]


class MessageStatus(TypedDict):
    """How far the message is, and how it ended."""

    type: Literal["running", "complete", "requires-action", "incomplete"]
    reason: NotRequired[FinishReason | Literal["cancelled"]]
    error: NotRequired[MessageError]


class Usage(TypedDict):
    """Token counts."""

    inputTokens: int
    outputTokens: int


class Step(TypedDict):
    """One model call."""

    state: Literal["started", "finished"]
    messageId: str
    finishReason: NotRequired[FinishReason]
    usage: NotRequired[Usage]
    isContinued: NotRequired[bool]


class MessageMetadata(TypedDict):
    """What the message carries beside its parts."""

    unstable_state: Any
    unstable_data: list[Any]
    unstable_annotations: list[Any]
    steps: list[Step]
    custom: dict[str, Any]


class AssistantMessage(TypedDict):
    """The answer as the client shows it."""

    role: Literal["assistant"]
    status: MessageStatus
    parts: list[MessagePart]
    metadata: MessageMetadata
