"""The wires in the other direction: decoders from bytes to chunks, for clients in Python."""

from __future__ import annotations

from .assistant_transport_decoder import AssistantTransportDecoder
from .data_stream_decoder import DataStreamDecoder
from .stream_decoder import StreamDecoder

__all__ = ("AssistantTransportDecoder", "DataStreamDecoder", "StreamDecoder")
