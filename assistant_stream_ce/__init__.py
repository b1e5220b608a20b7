"""Stream LangChain chains and LangGraph agents to assistant-ui front ends, token by token.

Everything a user needs is importable from here. The core is imported at once; the adapters'
headline names load LangChain or LangGraph only when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import _legacy
from ._json import register_json_type
from ._version import __version__
from .chunks import (
    AnnotationsChunk,
    AssistantStreamChunk,
    DataChunk,
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from .controller import RunController
from .create_run import create_run
from .errors import (
    AssistantStreamError,
    NotJSONError,
    RecordingError,
    RequestError,
    RunCancelledError,
    RunResponseError,
    StateOperationError,
    StreamDecodeError,
)
from .serialization import (
    AGUIEncoder,
    AGUIResponse,
    AssistantStreamResponse,
    AssistantTransportDecoder,
    AssistantTransportEncoder,
    AssistantTransportResponse,
    DataStreamDecoder,
    DataStreamEncoder,
    DataStreamResponse,
    OpenAIStreamEncoder,
    OpenAIStreamResponse,
    PlainTextEncoder,
    PlainTextResponse,
    StreamDecoder,
    StreamEncoder,
    UIMessageStreamEncoder,
    UIMessageStreamResponse,
)
from .state import StateProxy
from .tee import tee
from .tool_call import ToolCallController

if TYPE_CHECKING:
    from assistant_stream_jupyter import display
    from assistant_stream_langchain import AssistantCallbackHandler
    from assistant_stream_langgraph import (
        append_langgraph_event,
        create_app,
        from_langgraph_events,
        get_tool_call_subgraph_state,
        stream_graph,
    )

    from .accumulator import MessageAccumulator, accumulate
    from .client import stream_run
    from .recording import record, replay

__all__ = (
    "AGUIEncoder",
    "AGUIResponse",
    "AnnotationsChunk",
    "AssistantCallbackHandler",
    "AssistantStreamChunk",
    "AssistantStreamError",
    "AssistantStreamResponse",
    "AssistantTransportDecoder",
    "AssistantTransportEncoder",
    "AssistantTransportResponse",
    "DataChunk",
    "DataPartChunk",
    "DataStreamDecoder",
    "DataStreamEncoder",
    "DataStreamResponse",
    "ErrorChunk",
    "FileChunk",
    "MessageAccumulator",
    "MessageFinishChunk",
    "NotJSONError",
    "OpenAIStreamEncoder",
    "OpenAIStreamResponse",
    "PlainTextEncoder",
    "PlainTextResponse",
    "ReasoningDeltaChunk",
    "ReasoningPartStartChunk",
    "RecordingError",
    "RequestError",
    "RunCancelledError",
    "RunController",
    "RunResponseError",
    "SourceChunk",
    "StateOperationError",
    "StateProxy",
    "StepFinishChunk",
    "StepStartChunk",
    "StreamDecodeError",
    "StreamDecoder",
    "StreamEncoder",
    "TextDeltaChunk",
    "ToolCallArgsTextFinishChunk",
    "ToolCallBeginChunk",
    "ToolCallController",
    "ToolCallDeltaChunk",
    "ToolResultChunk",
    "UIMessageStreamEncoder",
    "UIMessageStreamResponse",
    "UpdateStateChunk",
    "__version__",
    "accumulate",
    "append_langgraph_event",
    "create_app",
    "create_run",
    "display",
    "from_langgraph_events",
    "get_tool_call_subgraph_state",
    "record",
    "register_json_type",
    "replay",
    "stream_graph",
    "stream_run",
    "tee",
)

_LAZY = {
    "AssistantCallbackHandler": "assistant_stream_langchain",
    "MessageAccumulator": "assistant_stream_ce.accumulator",
    "accumulate": "assistant_stream_ce.accumulator",
    "append_langgraph_event": "assistant_stream_langgraph",
    "create_app": "assistant_stream_langgraph",
    "display": "assistant_stream_jupyter",
    "from_langgraph_events": "assistant_stream_langgraph",
    "get_tool_call_subgraph_state": "assistant_stream_langgraph",
    "record": "assistant_stream_ce.recording",
    "replay": "assistant_stream_ce.recording",
    "stream_graph": "assistant_stream_langgraph",
    "stream_run": "assistant_stream_ce.client",
}

_legacy.install(__name__)


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        return _legacy.older_name(name)
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
