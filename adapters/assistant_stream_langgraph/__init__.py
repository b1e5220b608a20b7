"""LangGraph streams as chunks."""

from __future__ import annotations

from .app import create_app
from .translate import from_langgraph_events, stream_graph

__all__ = ("create_app", "from_langgraph_events", "stream_graph")
