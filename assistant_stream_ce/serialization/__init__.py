"""The wires: encoders from chunks to frames, and the HTTP responses that send them."""

from __future__ import annotations

from .ag_ui import AGUIEncoder, AGUIResponse
from .assistant_stream_response import AssistantStreamResponse
from .assistant_transport import AssistantTransportEncoder, AssistantTransportResponse
from .data_stream import DataStreamEncoder, DataStreamResponse
from .decoders import AssistantTransportDecoder, DataStreamDecoder, StreamDecoder
from .heartbeat import HeartbeatOption
from .openai_completion import OpenAICompletionEncoder
from .openai_stream import OpenAIStreamEncoder, OpenAIStreamResponse, ToolCallMode
from .plain_text import PlainTextEncoder, PlainTextResponse
from .stream_encoder import StreamEncoder
from .ui_message_stream import AISDKVersion, UIMessageStreamEncoder, UIMessageStreamResponse

__all__ = (
    "AGUIEncoder",
    "AGUIResponse",
    "AISDKVersion",
    "AssistantStreamResponse",
    "AssistantTransportDecoder",
    "AssistantTransportEncoder",
    "AssistantTransportResponse",
    "DataStreamDecoder",
    "DataStreamEncoder",
    "DataStreamResponse",
    "HeartbeatOption",
    "OpenAICompletionEncoder",
    "OpenAIStreamEncoder",
    "OpenAIStreamResponse",
    "PlainTextEncoder",
    "PlainTextResponse",
    "StreamDecoder",
    "StreamEncoder",
    "ToolCallMode",
    "UIMessageStreamEncoder",
    "UIMessageStreamResponse",
)
