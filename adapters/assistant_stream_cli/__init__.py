"""The command `assistant-stream-ce`: serve a graph, look at the demo, play and inspect runs."""

from __future__ import annotations

from ._main import main

__all__ = ("main",)
