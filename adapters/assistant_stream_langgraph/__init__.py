"""LangGraph streams as chunks."""

from __future__ import annotations

from .app import create_app
from .compat import append_langgraph_event, get_tool_call_subgraph_state
from .translate import from_langgraph_events, stream_graph

__all__ = (
    "append_langgraph_event",
    "create_app",
    "from_langgraph_events",
    "get_tool_call_subgraph_state",
    "stream_graph",
)
