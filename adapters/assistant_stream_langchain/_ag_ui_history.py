"""A history of LangChain messages as AG-UI messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, assert_never

from assistant_stream_ce.chunks import FileChunk, SourceChunk
from assistant_stream_ce.typing import JSONValue

from ._blocks import base64_of
from ._media import FileFragment
from ._turns import (
    AssistantTurn,
    CallPiece,
    History,
    ReasoningPiece,
    Step,
    SystemTurn,
    TextPiece,
    UserTurn,
    result_text,
    shown_turns,
    source_fields,
)

__all__ = ("to_ag_ui_messages",)

Fields: TypeAlias = dict[str, JSONValue]

_KINDS = ("image", "audio", "video")


def to_ag_ui_messages(history: History, *, system: bool = False) -> list[Fields]:
    """Return the `initialMessages` of AG-UI's `HttpAgent`, or those of a `MESSAGES_SNAPSHOT`.

    Sources and files of the assistant, for which the protocol has no messages, are activities of
    the types `source` and `file`; clients do not send these back.

    Args:
        history: LangChain messages, oldest first.
        system: Whether to send the system prompts, too.
    """
    messages: list[Fields] = []
    for turn in shown_turns(history, system=system):
        match turn:
            case SystemTurn():
                messages.append({"id": turn.id, "role": "system", "content": turn.text})
            case UserTurn():
                messages.append({"id": turn.id, "role": "user", "content": _user_content(turn)})
            case AssistantTurn():
                for step in turn.steps:
                    messages.extend(_step_messages(step))
            case _:
                assert_never(turn)
    return messages


def _user_content(turn: UserTurn) -> JSONValue:
    match turn.parts:
        case []:
            return ""
        case [TextPiece(text=text)]:
            return text
        case parts:
            return [_user_part(part) for part in parts]


def _user_part(part: TextPiece | FileFragment) -> Fields:
    if isinstance(part, TextPiece):
        return {"type": "text", "text": part.text}
    kind = part.mime_type.partition("/")[0]
    source: Fields = {"type": "url", "value": part.data, "mimeType": part.mime_type}
    if part.data.startswith("data:"):
        source |= {"type": "data", "value": base64_of(part.data)}
    name: Fields = {} if part.filename is None else {"metadata": {"filename": part.filename}}
    return {"type": kind if kind in _KINDS else "document", "source": source, **name}


def _step_messages(step: Step) -> Iterator[Fields]:
    """The messages of one model call, in the order in which the wire tells them."""
    thoughts = [piece.text for piece in step.pieces if isinstance(piece, ReasoningPiece)]
    for number, text in enumerate(thoughts):
        yield {"id": f"{step.id}_r{number}", "role": "reasoning", "content": text}
    text = "".join(piece.text for piece in step.pieces if isinstance(piece, TextPiece))
    calls = [piece for piece in step.pieces if isinstance(piece, CallPiece)]
    if text or calls:
        content: Fields = {"content": text} if text else {}
        made: Fields = {"toolCalls": [_call(call) for call in calls]} if calls else {}
        yield {"id": step.id, "role": "assistant", **content, **made}
    yield from (_result(call) for call in calls if call.result is not None)
    extras = [piece for piece in step.pieces if isinstance(piece, SourceChunk | FileChunk)]
    for number, extra in enumerate(extras):
        yield {"id": f"{step.id}_extra_{number}", "role": "activity", **_activity(extra)}


def _call(call: CallPiece) -> Fields:
    function: Fields = {"name": call.tool_name, "arguments": call.args_text or "{}"}
    return {"id": call.tool_call_id, "type": "function", "function": function}


def _result(call: CallPiece) -> Fields:
    assert call.result is not None
    text = result_text(call.result)
    error: Fields = {"error": text} if call.result.is_error else {}
    ids: Fields = {"id": f"{call.tool_call_id}_result", "toolCallId": call.tool_call_id}
    return {**ids, "role": "tool", "content": text, **error}


def _activity(piece: SourceChunk | FileChunk) -> Fields:
    if isinstance(piece, SourceChunk):
        source: Fields = {"sourceType": piece.source_type, **source_fields(piece)}
        return {"activityType": "source", "content": source}
    file: Fields = {"data": piece.data, "mimeType": piece.mime_type}
    if piece.filename is not None:
        file["filename"] = piece.filename
    return {"activityType": "file", "content": file}
