"""The JSON fields that assistant-ui's two wires share, in the clients' own spelling.

Mirrors `core/AssistantStreamChunk.ts` of the npm package `assistant-stream` 0.3.44. A key whose
value is absent is left out.
"""

from __future__ import annotations

from assistant_stream_ce.chunks import (
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    MessageFinishChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    StepFinishChunk,
    ToolCallBeginChunk,
)
from assistant_stream_ce.typing import JSONValue

__all__ = (
    "data_part_fields",
    "file_fields",
    "is_fatal",
    "message_finish_fields",
    "reasoning_fields",
    "source_fields",
    "step_finish_fields",
    "tool_call_fields",
    "without_absent",
)

Fields = dict[str, JSONValue]


def without_absent(**fields: JSONValue) -> Fields:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def tool_call_fields(chunk: ToolCallBeginChunk) -> Fields:
    """The fields of a tool-call part that opens."""
    return without_absent(
        toolCallId=chunk.tool_call_id,
        toolName=chunk.tool_name,
        parentId=chunk.parent_id or None,
    )


def reasoning_fields(chunk: ReasoningPartStartChunk) -> Fields:
    """The fields of a reasoning part that opens."""
    return without_absent(unstable_summary=chunk.unstable_summary, parentId=chunk.parent_id or None)


def source_fields(chunk: SourceChunk) -> Fields:
    """The fields of a source part."""
    return without_absent(
        sourceType=chunk.source_type,
        id=chunk.id,
        url=chunk.url,
        title=chunk.title,
        mediaType=chunk.media_type,
        filename=chunk.filename,
        parentId=chunk.parent_id or None,
    )


def file_fields(chunk: FileChunk) -> Fields:
    """The fields of a file part."""
    return without_absent(
        data=chunk.data,
        mimeType=chunk.mime_type,
        filename=chunk.filename,
        parentId=chunk.parent_id or None,
    )


def data_part_fields(chunk: DataPartChunk) -> Fields:
    """The fields of a named data part. Neither wire can replace a part, so `id` stays behind."""
    fields: Fields = {"name": chunk.name, "data": chunk.data}
    if chunk.parent_id:
        fields["parentId"] = chunk.parent_id
    return fields


def message_finish_fields(chunk: MessageFinishChunk | StepFinishChunk) -> Fields:
    """Why something ended, and its token counts."""
    return {
        "finishReason": chunk.finish_reason,
        "usage": {"inputTokens": chunk.input_tokens, "outputTokens": chunk.output_tokens},
    }


def step_finish_fields(chunk: StepFinishChunk) -> Fields:
    """The fields of a step's end."""
    fields: Fields = {**message_finish_fields(chunk), "isContinued": chunk.is_continued}
    if chunk.time_to_first_token is not None:
        fields["timeToFirstToken"] = chunk.time_to_first_token
    if chunk.duration is not None:
        fields["duration"] = chunk.duration
    return fields


def is_fatal(chunk: ErrorChunk) -> bool:
    """Whether the run has failed with this error."""
    return chunk.severity not in ("warning", "info")
