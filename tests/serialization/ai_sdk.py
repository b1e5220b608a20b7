"""What the AI SDK makes of a UI message stream, in each of the versions that are installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_ce.serialization import AISDKVersion, UIMessageStreamEncoder
from tests.npm import ask

__all__ = ("SDK", "SDKS", "VERSIONS", "Chat", "Read", "encode", "read")

SDK = Literal["ai5old", "ai5", "ai6first", "ai6", "ai7"]

SDKS: tuple[SDK, ...] = get_args(SDK)

VERSIONS: dict[SDK, AISDKVersion] = {"ai5old": 5, "ai5": 5, "ai6first": 6, "ai6": 6, "ai7": 7}
"""The setting that is meant for each client."""


@dataclass(frozen=True)
class Chat:
    """What the engine of `useChat` made of a body."""

    message: dict[str, Any] | None
    status: str
    error: str | None
    finish_reason: str | None
    requests: int
    """How often it sent the conversation, with an app that sends again once calls are answered."""
    data: list[dict[str, Any]]
    """What it handed to `onData`."""
    tool_calls: list[str]
    """The calls it handed to `onToolCall`."""


@dataclass(frozen=True)
class Read:
    """What `readUIMessageStream` over `DefaultChatTransport` made of a body."""

    message: dict[str, Any] | None
    error: str | None
    warnings: list[str]
    messages: list[dict[str, Any]] = field(default_factory=list)
    chat: Chat | None = None

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The parts of the message, the starts of steps left out."""
        return [part for part in self.all_parts if part["type"] != "step-start"]

    @property
    def all_parts(self) -> list[dict[str, Any]]:
        """The parts of the message; without the ids that version 7 keeps of reasoning."""
        return parts_of(self.message)

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of the message."""
        return (self.message or {}).get("metadata") or {}


def parts_of(message: dict[str, Any] | None) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [dict(part) for part in message["parts"]] if message else []
    for part in parts:
        if part["type"] == "reasoning":
            part.pop("id", None)
    return parts


def encode(
    chunks: Sequence[AssistantStreamChunk], encoder: UIMessageStreamEncoder | AISDKVersion = 6
) -> bytes:
    """The body for `chunks`."""
    if isinstance(encoder, int):
        encoder = UIMessageStreamEncoder(encoder)
    frames = "".join(map(encoder.encode_chunk, chunks)) + encoder.encode_end()
    return encoder.escape(frames).encode()


def read(
    wire: bytes,
    sdk: SDK,
    *,
    split: int | None = None,
    messages: bool = False,
    chat: bool = False,
    history: object = None,
) -> Read:
    """Read a body with one version of the AI SDK.

    Args:
        wire: The body.
        sdk: The version.
        split: How the body arrives, as in `tests.npm.decode`.
        messages: Whether to give every intermediate message too.
        chat: Whether to run `useChat`'s engine on the body too.
        history: The assistant message that the stream continues.
    """
    more = {} if history is None else {"history": history}
    answer = ask(sdk, wire, split=split, messages=messages, chat=chat, **more)
    seen = answer.get("chat")
    return Read(
        message=answer["message"],
        error=answer["error"],
        warnings=answer["warnings"],
        messages=answer.get("messages", []),
        chat=seen
        and Chat(
            message=seen["message"],
            status=seen["status"],
            error=seen["error"],
            finish_reason=seen["finishReason"],
            requests=seen["requests"],
            data=seen["data"],
            tool_calls=seen["toolCalls"],
        ),
    )
