"""The typed chunks of a run: what a callback emits and what every wire encodes.

A run is a sequence of chunks. `chunk.type` is the chunk's name on the wire and a `Literal`,
so both `match chunk: case TextDeltaChunk(): ...` and `match chunk.type: case "text-delta": ...`
narrow in mypy and pyright. Chunks are plain slotted dataclasses and not frozen: creating one is
the hot path. Treat them as values all the same; nothing in this package changes a chunk that it
did not create.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypedDict

from .typing import FinishReason, JSONValue

__all__ = (
    "AnnotationsChunk",
    "AppendTextOperation",
    "AssistantStreamChunk",
    "DataChunk",
    "DataPartChunk",
    "ErrorChunk",
    "FileChunk",
    "MessageFinishChunk",
    "ReasoningDeltaChunk",
    "ReasoningPartStartChunk",
    "SetOperation",
    "SourceChunk",
    "StateOperation",
    "StepFinishChunk",
    "StepStartChunk",
    "TextDeltaChunk",
    "ToolCallArgsTextFinishChunk",
    "ToolCallBeginChunk",
    "ToolCallDeltaChunk",
    "ToolResultChunk",
    "UpdateStateChunk",
)


class SetOperation(TypedDict):
    """Put `value` at `path`; an empty path is the root."""

    type: Literal["set"]
    path: list[str]
    value: JSONValue


class AppendTextOperation(TypedDict):
    """Append `value` to the string that stands at `path`."""

    type: Literal["append-text"]
    path: list[str]
    value: str


StateOperation = SetOperation | AppendTextOperation


@dataclass(slots=True)
class TextDeltaChunk:
    """A piece of the answer's text."""

    type: ClassVar[Literal["text-delta"]] = "text-delta"
    text_delta: str
    parent_id: str | None = None


@dataclass(slots=True)
class ReasoningPartStartChunk:
    """Opens a new reasoning part, even when the last part is reasoning already."""

    type: ClassVar[Literal["reasoning-part-start"]] = "reasoning-part-start"
    unstable_summary: str | None = None
    parent_id: str | None = None


@dataclass(slots=True)
class ReasoningDeltaChunk:
    """A piece of the model's visible reasoning."""

    type: ClassVar[Literal["reasoning-delta"]] = "reasoning-delta"
    reasoning_delta: str
    parent_id: str | None = None


@dataclass(slots=True)
class ToolCallBeginChunk:
    """Opens a tool call. `tool_call_id` is unique in the run."""

    type: ClassVar[Literal["tool-call-begin"]] = "tool-call-begin"
    tool_call_id: str
    tool_name: str
    parent_id: str | None = None


@dataclass(slots=True)
class ToolCallDeltaChunk:
    """A piece of the JSON text of a call's arguments."""

    type: ClassVar[Literal["tool-call-delta"]] = "tool-call-delta"
    tool_call_id: str
    args_text_delta: str


@dataclass(slots=True)
class ToolCallArgsTextFinishChunk:
    """Closes a call's arguments; `args_text_delta` is their last piece, often empty."""

    type: ClassVar[Literal["tool-call-args-text-finish"]] = "tool-call-args-text-finish"
    tool_call_id: str
    args_text_delta: str = ""


@dataclass(slots=True)
class ToolResultChunk:
    """The result of a call. The first result of a call counts."""

    type: ClassVar[Literal["tool-result"]] = "tool-result"
    tool_call_id: str
    result: JSONValue
    artifact: JSONValue = None
    is_error: bool = False
    model_content: JSONValue = None
    """What the model sees of the result, where it differs: a list of content parts."""
    messages: JSONValue = None
    """The transcript of a sub-agent that ran inside the call: a list of thread messages."""
    is_earlier: bool = False
    """Whether the call stands in an earlier answer of the thread, which waited for this. Only the
    wires whose clients look there carry it: the AI SDK's and AG-UI."""


@dataclass(slots=True)
class DataChunk:
    """One item of the message's `unstable_data` metadata."""

    type: ClassVar[Literal["data"]] = "data"
    data: JSONValue


@dataclass(slots=True)
class DataPartChunk:
    """A named data part in the message's content. A later chunk with the same `id` replaces it
    on wires that can replace."""

    type: ClassVar[Literal["data-part"]] = "data-part"
    name: str
    data: JSONValue
    id: str | None = None
    parent_id: str | None = None
    text: str | None = None
    """What a wire without data parts says instead: the answer's own text, if the data is one."""


@dataclass(slots=True)
class ErrorChunk:
    """An error the user should see. Without `severity`, or with `"critical"`, it is fatal."""

    type: ClassVar[Literal["error"]] = "error"
    error: str
    code: str | None = None
    severity: Literal["critical", "warning", "info"] | None = None


@dataclass(slots=True)
class UpdateStateChunk:
    """State operations, to apply in order."""

    type: ClassVar[Literal["update-state"]] = "update-state"
    operations: list[StateOperation]


@dataclass(slots=True)
class SourceChunk:
    """A source that the answer leans on: a web page, or a document when
    `source_type` is `"document"` (then `url` may be empty and `media_type` is set)."""

    type: ClassVar[Literal["source"]] = "source"
    id: str
    url: str
    source_type: Literal["url", "document"] = "url"
    title: str | None = None
    parent_id: str | None = None
    media_type: str | None = None
    filename: str | None = None


@dataclass(slots=True)
class FileChunk:
    """A file in the answer; `data` is a data URL, an https URL or base64 text."""

    type: ClassVar[Literal["file"]] = "file"
    data: str
    mime_type: str
    parent_id: str | None = None
    filename: str | None = None


@dataclass(slots=True)
class AnnotationsChunk:
    """Items of the message's `unstable_annotations` metadata."""

    type: ClassVar[Literal["annotations"]] = "annotations"
    annotations: list[JSONValue]


@dataclass(slots=True)
class StepStartChunk:
    """A model call begins."""

    type: ClassVar[Literal["step-start"]] = "step-start"
    message_id: str


@dataclass(slots=True)
class StepFinishChunk:
    """A model call ended, with its token counts."""

    type: ClassVar[Literal["step-finish"]] = "step-finish"
    finish_reason: FinishReason
    input_tokens: int = 0
    output_tokens: int = 0
    is_continued: bool = False
    time_to_first_token: float | None = field(default=None, compare=False)
    """Seconds from the step's start to its first token, where they are known. The two assistant-ui
    wires carry the times as `timeToFirstToken` and `duration`; their clients keep their own. Steps
    that differ in what a clock has measured are equal."""
    duration: float | None = field(default=None, compare=False)
    """Seconds from the step's start to its end, where they are known."""


@dataclass(slots=True)
class MessageFinishChunk:
    """The whole message ended. A run has at most one; `RunController` moves it to the end."""

    type: ClassVar[Literal["message-finish"]] = "message-finish"
    finish_reason: FinishReason
    input_tokens: int = 0
    output_tokens: int = 0


AssistantStreamChunk = (
    TextDeltaChunk
    | ReasoningPartStartChunk
    | ReasoningDeltaChunk
    | ToolCallBeginChunk
    | ToolCallDeltaChunk
    | ToolCallArgsTextFinishChunk
    | ToolResultChunk
    | DataChunk
    | DataPartChunk
    | ErrorChunk
    | UpdateStateChunk
    | SourceChunk
    | FileChunk
    | AnnotationsChunk
    | StepStartChunk
    | StepFinishChunk
    | MessageFinishChunk
)
"""Any chunk of a run."""
