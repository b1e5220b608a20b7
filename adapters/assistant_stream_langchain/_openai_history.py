"""A history of LangChain messages as chat completions messages."""

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
    Piece,
    ReasoningPiece,
    Step,
    SystemTurn,
    TextPiece,
    UserTurn,
    result_text,
    shown_turns,
)

__all__ = ("to_openai_messages",)

Fields: TypeAlias = dict[str, JSONValue]


def to_openai_messages(history: History, *, system: bool = False) -> list[Fields]:
    """Return messages in the format of OpenAI's chat completions.

    Reasoning is `reasoning_content`, as the wire has it; sources and files of the assistant are
    `annotations` and `images`, as chat front ends over several providers read them.

    Args:
        history: LangChain messages, oldest first.
        system: Whether to send the system prompts, too.
    """
    messages: list[Fields] = []
    for turn in shown_turns(history, system=system):
        match turn:
            case SystemTurn():
                messages.append({"role": "system", "content": turn.text})
            case UserTurn():
                messages.append({"role": "user", "content": _user_content(turn)})
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
    kind, _, subtype = part.mime_type.partition("/")
    if kind == "image":
        return _image(part.data)
    if kind == "audio" and part.data.startswith("data:"):
        sound: Fields = {"data": base64_of(part.data), "format": subtype}
        return {"type": "input_audio", "input_audio": sound}
    return _file(part)


def _image(url: str) -> Fields:
    return {"type": "image_url", "image_url": {"url": url}}


def _file(file: FileFragment | FileChunk) -> Fields:
    name = file.filename or f"file.{file.mime_type.rpartition('/')[2]}"
    return {"type": "file", "file": {"filename": name, "file_data": file.data}}


def _step_messages(step: Step) -> Iterator[Fields]:
    text = "".join(piece.text for piece in step.pieces if isinstance(piece, TextPiece))
    calls = [piece for piece in step.pieces if isinstance(piece, CallPiece)]
    extras = dict(_extras(step.pieces))
    if text or calls or extras:
        message: Fields = {"role": "assistant", "content": text or None, **extras}
        if calls:
            message["tool_calls"] = [_call(call) for call in calls]
        yield message
    for call in calls:
        if call.result is not None:
            content = result_text(call.result)
            yield {"role": "tool", "tool_call_id": call.tool_call_id, "content": content}


def _extras(pieces: list[Piece]) -> Iterator[tuple[str, JSONValue]]:
    """What is not the protocol's own."""
    thoughts = [piece.text for piece in pieces if isinstance(piece, ReasoningPiece)]
    if thoughts:
        yield "reasoning_content", "\n\n".join(thoughts)
    annotations = [_citation(piece) for piece in pieces if isinstance(piece, SourceChunk)]
    images: list[JSONValue] = []
    for piece in pieces:
        if isinstance(piece, FileChunk):
            is_image = piece.mime_type.startswith("image/")
            (images if is_image else annotations).append(
                _image(piece.data) if is_image else _file(piece)
            )
    if annotations:
        yield "annotations", annotations
    if images:
        yield "images", images


def _citation(source: SourceChunk) -> JSONValue:
    title = source.title or source.filename or source.url or source.id
    if source.source_type == "url":
        return {"type": "url_citation", "url_citation": {"url": source.url, "title": title}}
    return {"type": "file_citation", "file_citation": {"file_id": source.id, "filename": title}}


def _call(call: CallPiece) -> Fields:
    function: Fields = {"name": call.tool_name, "arguments": call.args_text or "{}"}
    return {"id": call.tool_call_id, "type": "function", "function": function}
