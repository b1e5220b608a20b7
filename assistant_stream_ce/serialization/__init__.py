"""The wires: encoders from chunks to frames, and the HTTP responses that send them."""

from __future__ import annotations

from .assistant_stream_response import AssistantStreamResponse
from .assistant_transport import AssistantTransportEncoder, AssistantTransportResponse
from .data_stream import DataStreamEncoder, DataStreamResponse
from .heartbeat import HeartbeatOption
from .stream_encoder import StreamEncoder

__all__ = (
    "AssistantStreamResponse",
    "AssistantTransportEncoder",
    "AssistantTransportResponse",
    "DataStreamEncoder",
    "DataStreamResponse",
    "HeartbeatOption",
    "StreamEncoder",
)
