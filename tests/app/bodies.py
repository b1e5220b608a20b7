"""Good requests of every client, for tests that change them."""

from __future__ import annotations

from typing import Any

__all__ = ("GOOD",)

_TOOLS = {"pick_color": {"description": "Pick.", "parameters": {"type": "object"}}}

_PIXEL = "data:image/png;base64,iVBORw0KGgo="

GOOD: list[tuple[str, dict[str, Any]]] = [
    (
        "/assistant",
        {
            "commands": [
                {
                    "type": "add-message",
                    "message": {
                        "role": "user",
                        "parts": [
                            {"type": "text", "text": "Hi"},
                            {"type": "image", "image": _PIXEL},
                        ],
                    },
                    "parentId": None,
                    "sourceId": None,
                }
            ],
            "state": {"messages": []},
            "threadId": "t1",
            "tools": _TOOLS,
            "system": "Be kind.",
        },
    ),
    (
        "/assistant",
        {
            "commands": [
                {
                    "type": "add-tool-result",
                    "toolCallId": "c1",
                    "toolName": "pick_color",
                    "result": {"color": "blue"},
                    "isError": False,
                    "modelContent": [{"type": "text", "text": "blue"}],
                }
            ],
            "threadId": "t1",
        },
    ),
    ("/assistant", {"commands": [{"type": "resume", "value": 1, "id": "i1"}], "threadId": "t1"}),
    ("/assistant", {"commands": [{"type": "regenerate", "messageId": "m1"}], "threadId": "t1"}),
    (
        "/chat",
        {
            "messages": [
                {"role": "system", "content": "Obey."},
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "tool-call", "toolCallId": "c1", "toolName": "a", "input": {}}
                    ],
                },
                {
                    "role": "tool",
                    "content": [
                        {
                            "type": "tool-result",
                            "toolCallId": "c1",
                            "toolName": "a",
                            "output": {"type": "json", "value": 1},
                        }
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "file", "data": _PIXEL, "mediaType": "image/png", "filename": "a"}
                    ],
                },
            ],
            "tools": _TOOLS,
            "threadId": "t2",
            "parentId": "u1",
            "state": {"threadId": "t2", "messageId": "u0"},
            "runConfig": {},
        },
    ),
    (
        "/chat",
        {
            "id": "t3",
            "trigger": "submit-message",
            "messageId": "a1",
            "messages": [
                {
                    "id": "u1",
                    "role": "user",
                    "parts": [
                        {"type": "text", "text": "Hi"},
                        {"type": "file", "url": _PIXEL, "mediaType": "image/png"},
                        {"type": "data-x", "data": 1},
                    ],
                },
                {
                    "id": "a1",
                    "role": "assistant",
                    "parts": [
                        {"type": "step-start"},
                        {
                            "type": "tool-send",
                            "toolCallId": "c1",
                            "state": "approval-responded",
                            "input": {},
                            "approval": {"id": "p1", "approved": True, "reason": "ok"},
                        },
                    ],
                },
            ],
            "tools": _TOOLS,
        },
    ),
    (
        "/agui",
        {
            "threadId": "t4",
            "runId": "r1",
            "messages": [
                {"id": "u1", "role": "user", "content": "Hi"},
                {
                    "id": "a1",
                    "role": "assistant",
                    "toolCalls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "a", "arguments": "{}"},
                        }
                    ],
                },
                {"id": "r1", "role": "tool", "toolCallId": "c1", "content": "done"},
                {
                    "id": "u2",
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "x"},
                        {
                            "type": "image",
                            "source": {"type": "data", "value": "aGk=", "mimeType": "image/png"},
                        },
                    ],
                },
            ],
            "tools": [{"name": "a", "description": "A.", "parameters": {"type": "object"}}],
            "context": [{"description": "system", "value": "Obey."}],
            "state": {"a": 1},
            "forwardedProps": {"command": {"resume": 1}},
        },
    ),
    (
        "/agui",
        {
            "threadId": "t4",
            "runId": "r2",
            "messages": [],
            "resume": [{"interruptId": "i1", "status": "resolved", "payload": {"approved": True}}],
        },
    ),
    (
        "/v1/chat/completions",
        {
            "model": "agent",
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [
                {"role": "system", "content": "Obey."},
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "a", "arguments": "{}"},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "1"},
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": _PIXEL}}],
                },
            ],
            "tools": [{"type": "function", "function": {"name": "a", "parameters": {}}}],
            "n": 1,
            "metadata": {"thread_id": "t5"},
        },
    ),
    (
        "/v1/chat/completions",
        {"model": "agent", "messages": [{"role": "user", "content": "Hi"}]},
    ),
    ("/resume-state", {"threadId": "t1"}),
    ("/resume", {"threadId": "t1", "runId": "r1", "commands": []}),
]
"""Address and body."""
