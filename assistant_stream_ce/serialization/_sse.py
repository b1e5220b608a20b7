"""What every wire of server-sent events shares.

Frames end with LF LF: one client of ours splits on nothing else. There is never an `event:`,
`id:` or `retry:` field: the strict assistant-transport decoder refuses named events, and the
OpenAI client parses the empty event that the other two leave behind.
"""

from __future__ import annotations

__all__ = ("SSE_DONE", "SSE_FRAME_END", "SSE_HEARTBEAT", "SSE_MEDIA_TYPE", "sse_frame")

SSE_MEDIA_TYPE = "text/event-stream"

SSE_FRAME_END = "\n\n"

SSE_HEARTBEAT = ": heartbeat\n\n"
"""A comment, which every client skips."""

SSE_DONE = "data: [DONE]\n\n"
"""The terminator, on the wires that have one."""


def sse_frame(data: str) -> str:
    """Return the frame that carries `data`, a text without line ends."""
    return f"data: {data}\n\n"
