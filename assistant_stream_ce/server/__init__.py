"""The server side that needs no LangChain: what clients send, read and parsed."""

from __future__ import annotations

from .requests import (
    AddMessageCommand,
    AddToolResultCommand,
    AssistantTransportRequest,
    CustomCommand,
    FilePart,
    ImagePart,
    TextPart,
    TransportCommand,
    UserMessagePart,
    check_thread_id,
    parse_transport_request,
    read_json_body,
)

__all__ = (
    "AddMessageCommand",
    "AddToolResultCommand",
    "AssistantTransportRequest",
    "CustomCommand",
    "FilePart",
    "ImagePart",
    "TextPart",
    "TransportCommand",
    "UserMessagePart",
    "check_thread_id",
    "parse_transport_request",
    "read_json_body",
)
