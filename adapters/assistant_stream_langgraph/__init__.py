"""LangGraph streams as chunks."""

from __future__ import annotations

from .translate import from_langgraph_events, stream_graph

__all__ = ("from_langgraph_events", "stream_graph")
