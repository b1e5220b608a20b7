"""A history of LangChain messages in the form in which each client loads a thread.

All functions take messages in any form that LangChain takes, and return JSON values. What the
assistant said between two messages of the user is one message in the clients of assistant-ui and
of the AI SDK; its steps stay visible. System prompts stay on the server unless you say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, assert_never

from assistant_stream_ce.chunks import FileChunk, SourceChunk
from assistant_stream_ce.typing import JSONValue

from ._ag_ui_history import to_ag_ui_messages
from ._media import FileFragment
from ._openai_history import to_openai_messages
from ._turns import (
    AssistantTurn,
    CallPiece,
    History,
    Piece,
    ReasoningPiece,
    SystemTurn,
    TextPiece,
    Turn,
    UserTurn,
    result_text,
    shown_turns,
    source_fields,
)

__all__ = ("to_ag_ui_messages", "to_openai_messages", "to_thread_messages", "to_ui_messages")

Fields: TypeAlias = dict[str, JSONValue]

NOT_JSON = "The arguments of the call are not valid JSON."


def to_thread_messages(history: History, *, system: bool = False) -> list[Fields]:
    """Return the `initialMessages` of `useDataStreamRuntime` and `useLocalRuntime`.

    Args:
        history: LangChain messages, oldest first.
        system: Whether to send the system prompts, too.
    """
    return [_thread_message(turn) for turn in shown_turns(history, system=system)]


def to_ui_messages(
    history: History,
    *,
    system: bool = False,
    dynamic_tools: bool = False,
    provider_executed: bool = False,
) -> list[Fields]:
    """Return the `messages` of the AI SDK's `useChat`.

    Args:
        history: LangChain messages, oldest first.
        system: Whether to send the system prompts, too.
        dynamic_tools: As with `UIMessageStreamResponse`; say the same.
        provider_executed: Likewise.
    """
    flags: Fields = {"providerExecuted": True} if provider_executed else {}
    messages: list[Fields] = []
    for turn in shown_turns(history, system=system):
        match turn:
            case SystemTurn():
                role, parts = "system", [_ui_text(turn.text)]
            case UserTurn():
                # The AI SDK takes no message without parts.
                role, parts = "user", [_ui_user_part(part) for part in turn.parts]
            case AssistantTurn():
                role, parts = "assistant", list(_ui_steps(turn, flags, dynamic=dynamic_tools))
            case _:
                assert_never(turn)
        messages.append({"id": turn.id, "role": role, "parts": [*(parts or [_ui_text("")])]})
    return messages


# -- assistant-ui ------------------------------------------------------------------------------


def _thread_message(turn: Turn) -> Fields:
    match turn:
        case SystemTurn():
            content: list[JSONValue] = [{"type": "text", "text": turn.text}]
            return {"id": turn.id, "role": "system", "content": content}
        case UserTurn():
            parts: list[JSONValue] = [_thread_user_part(part) for part in turn.parts]
            return {"id": turn.id, "role": "user", "content": parts}
        case AssistantTurn():
            said: list[JSONValue] = [_thread_part(piece) for piece in turn.pieces]
            status: Fields = {"type": "complete", "reason": "stop"}
            if turn.is_waiting:
                status = {"type": "requires-action", "reason": "tool-calls"}
            elif turn.is_cancelled:
                status = {"type": "incomplete", "reason": "cancelled"}
            return {"id": turn.id, "role": "assistant", "content": said, "status": status}


def _thread_user_part(part: TextPiece | FileFragment) -> Fields:
    if isinstance(part, TextPiece):
        return {"type": "text", "text": part.text}
    name: Fields = {} if part.filename is None else {"filename": part.filename}
    if part.mime_type.startswith("image/"):
        return {"type": "image", "image": part.data, **name}
    return {"type": "file", "data": part.data, "mimeType": part.mime_type, **name}


def _thread_part(piece: Piece) -> Fields:
    match piece:
        case TextPiece():
            return {"type": "text", "text": piece.text}
        case ReasoningPiece():
            return {"type": "reasoning", "text": piece.text}
        case CallPiece():
            return _thread_call(piece)
        case SourceChunk():
            return {"type": "source", "sourceType": piece.source_type, **source_fields(piece)}
        case FileChunk():
            name: Fields = {} if piece.filename is None else {"filename": piece.filename}
            return {"type": "file", "data": piece.data, "mimeType": piece.mime_type, **name}


def _thread_call(call: CallPiece) -> Fields:
    part: Fields = {
        "type": "tool-call",
        "toolCallId": call.tool_call_id,
        "toolName": call.tool_name,
        "argsText": call.args_text or "{}",
    }
    if isinstance(call.args, dict):
        part["args"] = call.args
    if call.result is not None:
        part |= {"result": call.result.result, "isError": call.result.is_error}
        if call.result.artifact is not None:
            part["artifact"] = call.result.artifact
    return part


# -- AI SDK ------------------------------------------------------------------------------------


def _ui_text(text: str) -> Fields:
    return {"type": "text", "text": text}


def _ui_user_part(part: TextPiece | FileFragment) -> Fields:
    if isinstance(part, TextPiece):
        return _ui_text(part.text)
    return _ui_file(part)


def _ui_steps(turn: AssistantTurn, flags: Fields, *, dynamic: bool) -> Iterator[Fields]:
    for step in turn.steps:
        yield {"type": "step-start"}
        for piece in step.pieces:
            match piece:
                case TextPiece() | ReasoningPiece():
                    kind = "text" if isinstance(piece, TextPiece) else "reasoning"
                    yield {"type": kind, "text": piece.text, "state": "done"}
                case CallPiece():
                    yield {**_ui_call(piece, dynamic=dynamic), **flags}
                case SourceChunk():
                    yield _ui_source(piece)
                case FileChunk():
                    yield _ui_file(piece)


def _ui_call(call: CallPiece, *, dynamic: bool) -> Fields:
    part: Fields = {"type": f"tool-{call.tool_name}", "toolCallId": call.tool_call_id}
    if dynamic:
        part |= {"type": "dynamic-tool", "toolName": call.tool_name}
    result, args = call.result, call.args
    if args is None and (result is None or result.is_error):
        error = NOT_JSON if result is None else result_text(result)
        return {**part, "state": "output-error", "rawInput": call.args_text, "errorText": error}
    part["input"] = call.args_text if args is None else args
    if result is None:
        return {**part, "state": "input-available"}
    if result.is_error:
        return {**part, "state": "output-error", "errorText": result_text(result)}
    return {**part, "state": "output-available", "output": result.result}


def _ui_source(source: SourceChunk) -> Fields:
    if source.source_type == "url":
        title: Fields = {} if source.title is None else {"title": source.title}
        return {"type": "source-url", "sourceId": source.id, "url": source.url, **title}
    name: Fields = {} if source.filename is None else {"filename": source.filename}
    return {
        "type": "source-document",
        "sourceId": source.id,
        "mediaType": source.media_type or "application/octet-stream",
        "title": source.title or source.filename or source.url or source.id,
        **name,
    }


def _ui_file(file: FileChunk | FileFragment) -> Fields:
    name: Fields = {} if file.filename is None else {"filename": file.filename}
    return {"type": "file", "mediaType": file.mime_type, "url": file.data, **name}
