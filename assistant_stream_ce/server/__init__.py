"""The server side that needs no LangChain: what clients send, read and parsed."""

from __future__ import annotations

from ._body import MAX_BODY_BYTES, read_json_body
from ._fields import DEFAULT_LIMITS, RequestLimits
from .ag_ui_request import AGUIContext, AGUIRequest, AGUIResume, parse_ag_ui_request, read_resume
from .client_request import ClientRequest, read_args
from .conversation import (
    AssistantReply,
    ClientMessage,
    ClientTool,
    DataPart,
    FilePart,
    ImagePart,
    ReplyPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResult,
    UserMessage,
    UserMessagePart,
)
from .data_stream_request import DataStreamRequest, parse_data_stream_request, read_prompt
from .openai_request import OpenAIRequest, parse_openai_request
from .requests import (
    AddMessageCommand,
    AddToolResultCommand,
    AssistantTransportRequest,
    CustomCommand,
    TransportCommand,
    check_thread_id,
    parse_transport_request,
)
from .ui_message_request import ToolApproval, UIMessageRequest, parse_ui_message_request

__all__ = (
    "DEFAULT_LIMITS",
    "MAX_BODY_BYTES",
    "AGUIContext",
    "AGUIRequest",
    "AGUIResume",
    "AddMessageCommand",
    "AddToolResultCommand",
    "AssistantReply",
    "AssistantTransportRequest",
    "ClientMessage",
    "ClientRequest",
    "ClientTool",
    "CustomCommand",
    "DataPart",
    "DataStreamRequest",
    "FilePart",
    "ImagePart",
    "OpenAIRequest",
    "ReplyPart",
    "RequestLimits",
    "SystemMessage",
    "TextPart",
    "ToolApproval",
    "ToolCallPart",
    "ToolResult",
    "TransportCommand",
    "UIMessageRequest",
    "UserMessage",
    "UserMessagePart",
    "check_thread_id",
    "parse_ag_ui_request",
    "parse_data_stream_request",
    "parse_openai_request",
    "parse_transport_request",
    "parse_ui_message_request",
    "read_args",
    "read_json_body",
    "read_prompt",
    "read_resume",
)
