"""A history of LangChain messages as turns: what a thread's messages in any client are made of.

The assistant's part goes through the translator that streams it, so a client that loads a thread
shows what it showed while the thread was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    MessageLikeRepresentation,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
)

from assistant_stream_ce._json import dumps
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    FileChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)
from assistant_stream_ce.typing import JSONValue

from ._media import FileFragment, read_file
from ._shapes import as_mapping, as_text
from .translator import MessageTranslator

__all__ = (
    "CANCELLED",
    "AssistantTurn",
    "CallPiece",
    "History",
    "Piece",
    "ReasoningPiece",
    "Step",
    "SystemTurn",
    "TextPiece",
    "Turn",
    "UserTurn",
    "read_turns",
    "result_text",
    "shown_turns",
    "source_fields",
)

CANCELLED = "cancelled"
"""The finish reason of a message that was stopped while the model spoke."""

History: TypeAlias = Iterable[MessageLikeRepresentation]
"""Messages in any form that LangChain takes."""


@dataclass(slots=True)
class TextPiece:
    """A stretch of text."""

    text: str


@dataclass(slots=True)
class ReasoningPiece:
    """A stretch of the model's visible reasoning."""

    text: str


@dataclass(slots=True)
class CallPiece:
    """A tool call and how it ended."""

    tool_call_id: str
    tool_name: str
    args_text: str = ""
    result: ToolResultChunk | None = None

    @property
    def args(self) -> JSONValue:
        """The arguments, or `None` when their text is no JSON."""
        try:
            args: JSONValue = orjson.loads(self.args_text or "{}")
        except orjson.JSONDecodeError:
            return None
        return args


Piece: TypeAlias = TextPiece | ReasoningPiece | CallPiece | SourceChunk | FileChunk


@dataclass(slots=True)
class SystemTurn:
    """A prompt."""

    id: str
    text: str


@dataclass(slots=True)
class UserTurn:
    """What the user said."""

    id: str
    parts: list[TextPiece | FileFragment]


@dataclass(slots=True)
class AssistantTurn:
    """What the assistant said and did until the user's turn came."""

    id: str
    steps: list[Step] = field(default_factory=list["Step"])
    is_cancelled: bool = False
    """Whether it was stopped while it spoke."""

    @property
    def pieces(self) -> Iterator[Piece]:
        """The pieces of all steps."""
        return (piece for step in self.steps for piece in step.pieces)

    @property
    def is_waiting(self) -> bool:
        """Whether a call has no result."""
        return any(isinstance(piece, CallPiece) and piece.result is None for piece in self.pieces)


@dataclass(slots=True)
class Step:
    """One model call, and what came of its tools."""

    id: str
    pieces: list[Piece] = field(default_factory=list[Piece])


Turn: TypeAlias = SystemTurn | UserTurn | AssistantTurn


def read_turns(history: History) -> list[Turn]:
    """Return the turns of a history; consecutive messages of the assistant and its tools are one.

    Messages without an id get one from their place, which is stable as long as the thread grows.
    """
    turns: list[Turn] = []
    reader: _TurnReader | None = None
    for position, message in enumerate(convert_to_messages(list(map(_finished, history)))):
        message_id = message.id or f"message-{position}"
        if isinstance(message, AIMessage | ToolMessage):
            if reader is None:
                reader = _TurnReader(message_id)
                turns.append(reader.turn)
            reader.feed(message, message_id)
        elif isinstance(message, HumanMessage):
            turns.append(UserTurn(message_id, list(_user_parts(message))))
            reader = None
        elif isinstance(message, SystemMessage):
            turns.append(SystemTurn(message_id, str(message.text)))
    return turns


def _finished(message: MessageLikeRepresentation) -> MessageLikeRepresentation:
    """A dumped chunk that was never merged into a message, under a type that LangChain loads."""
    if isinstance(message, dict) and message.get("type") == "AIMessageChunk":
        return {**message, "type": "ai"}
    return message


def result_text(result: ToolResultChunk) -> str:
    """Return a result for clients that take text only."""
    return result.result if isinstance(result.result, str) else dumps(result.result)


def source_fields(source: SourceChunk) -> dict[str, JSONValue]:
    """Return what is known of a source, in the clients' spelling."""
    fields: dict[str, JSONValue] = {
        "id": source.id,
        "url": source.url or None,
        "title": source.title,
        "mediaType": source.media_type,
        "filename": source.filename,
    }
    return {name: value for name, value in fields.items() if value is not None}


def shown_turns(history: History, *, system: bool) -> Iterator[Turn]:
    """Yield the turns that a client is shown."""
    return (turn for turn in read_turns(history) if system or not isinstance(turn, SystemTurn))


def _user_parts(message: HumanMessage) -> Iterator[TextPiece | FileFragment]:
    content: str | Sequence[Any] = message.content
    for block in [content] if isinstance(content, str) else content:
        fields = as_mapping(block)
        text = as_text(block) or (as_text(fields.get("text")) if "text" in fields else None)
        if text is not None:
            yield TextPiece(text)
        elif file := read_file(fields):
            yield file


class _TurnReader:
    """Folds the chunks of one turn into pieces."""

    def __init__(self, turn_id: str) -> None:
        self.turn = AssistantTurn(turn_id)
        self._translator = MessageTranslator()
        self._calls: dict[str, CallPiece] = {}
        self._ends_part = True

    def feed(self, message: BaseMessage, message_id: str) -> None:
        """Take the next message of the turn."""
        if isinstance(message, AIMessage) or not self.turn.steps:
            self.turn.steps.append(Step(message_id))
            reason = message.response_metadata.get("finish_reason")
            self.turn.is_cancelled = reason == CANCELLED
        for chunk in self._translator.feed(message, whole=True):
            self._add(chunk)
        self._ends_part = True

    def _add(self, chunk: AssistantStreamChunk) -> None:
        match chunk:
            case TextDeltaChunk(text_delta=text):
                self._add_text(TextPiece(text))
            case ReasoningDeltaChunk(reasoning_delta=text):
                self._add_text(ReasoningPiece(text))
            case ReasoningPartStartChunk():
                self._ends_part = True
            case ToolCallBeginChunk(tool_call_id=call_id, tool_name=name):
                call = self._calls[call_id] = CallPiece(call_id, name)
                self._append(call)
            case ToolCallDeltaChunk() | ToolCallArgsTextFinishChunk():
                self._calls[chunk.tool_call_id].args_text += chunk.args_text_delta
            case ToolResultChunk():
                self._calls[chunk.tool_call_id].result = chunk
            case SourceChunk() | FileChunk():
                self._append(chunk)
            case _:
                pass  # steps and their usage are no part of a thread

    def _append(self, piece: Piece) -> None:
        self.turn.steps[-1].pieces.append(piece)
        self._ends_part = True

    def _add_text(self, piece: TextPiece | ReasoningPiece) -> None:
        pieces = self.turn.steps[-1].pieces
        last = pieces[-1] if pieces and not self._ends_part else None
        if isinstance(last, TextPiece | ReasoningPiece) and type(last) is type(piece):
            last.text += piece.text
        else:
            self._append(piece)
            self._ends_part = False
