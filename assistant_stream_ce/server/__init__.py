"""The server side that needs no LangChain: what clients send, read and parsed."""

from __future__ import annotations

from ._body import MAX_BODY_BYTES, read_json_body
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
)

__all__ = (
    "MAX_BODY_BYTES",
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
