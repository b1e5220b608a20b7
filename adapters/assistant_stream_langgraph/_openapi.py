"""`GET /openapi.json`: every endpoint of `create_app`, as OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from assistant_stream_ce import __version__

from ._openapi_bodies import SCHEMAS, Schema

__all__ = ("create_openapi", "openapi_endpoint")

_REFUSALS = {
    "400": "The request cannot be used; the message says why.",
    "401": "The app's own hook does not know who asks.",
    "403": "The app's own hook refuses the request.",
    "404": "There is no such thing.",
    "408": "The body did not arrive in time.",
    "409": "The request does not fit the thread, or the thread is busy.",
    "413": "The body, or something in it, is larger than the server takes.",
    "415": "The body is not said to be JSON, or is compressed.",
    "500": "Something went wrong on the server; the message has an id that the log knows.",
    "503": "Too many runs go on, answers cannot be stored, or a run does not end; try again.",
}

_THREAD_HEADER: Schema = {
    "x-thread-id": {"description": "The thread's id.", "schema": {"type": "string"}}
}
_THREAD_IN_HEADER: Schema = {
    "name": "x-thread-id",
    "in": "header",
    "description": "Names the thread, before the body does.",
    "schema": {"$ref": "#/components/schemas/ThreadId"},
}
_THREAD_IN_PATH: Schema = {
    "name": "thread_id",
    "in": "path",
    "required": True,
    "schema": {"$ref": "#/components/schemas/ThreadId"},
}
_STREAM: Schema = {"schema": {"type": "string"}}


def create_openapi(root_path: str = "") -> dict[str, Any]:
    """Return the document.

    Args:
        root_path: Where the app is mounted.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "assistant-stream-ce",
            "version": __version__,
            "description": "A LangGraph graph for the clients of assistant-ui, the AI SDK, AG-UI "
            "and OpenAI.",
        },
        "servers": [{"url": root_path or "/"}],
        "paths": {**_run_paths(), **_openai_paths(), **_thread_paths(), **_other_paths()},
        "components": {"schemas": SCHEMAS},
    }


async def openapi_endpoint(request: Request) -> Response:
    """Answer `GET /openapi.json`."""
    root_path: str = request.scope.get("root_path", "")
    return JSONResponse(create_openapi(root_path))


def _run_paths() -> Schema:
    wires = _query("protocol", "data-stream", "assistant-transport")
    return {
        "/assistant": {
            "post": _operation(
                "Run a turn, for `useAssistantTransportRuntime`.",
                _streamed("text/plain", "text/event-stream"),
                body="AssistantRequest",
                parameters=[wires, _THREAD_IN_HEADER],
            )
        },
        "/chat": {
            "post": _operation(
                "Run a turn, for `useDataStreamRuntime` and the AI SDK's `useChat`.",
                _streamed("text/plain", "text/event-stream"),
                body=("DataStreamRequest", "UIRequest"),
                parameters=[
                    _query("protocol", "data-stream", "ai-sdk"),
                    _query("version", "5", "6", "7"),
                    _THREAD_IN_HEADER,
                ],
            )
        },
        "/chat/{thread_id}/stream": {
            "get": _operation(
                "Read the run that goes on in a thread, for the AI SDK.",
                {**_streamed("text/event-stream"), "204": {"description": "None does."}},
                parameters=[_THREAD_IN_PATH],
            )
        },
        "/agui": {
            "post": _operation(
                "Run a turn, for AG-UI's clients.",
                _streamed("text/event-stream"),
                body="AGUIRequest",
            )
        },
        "/resume-state": {
            "post": _operation(
                "Say which run goes on in a thread, for `useAssistantTransportRuntime`.",
                {**_json("RunState"), "204": {"description": "None does."}},
                body="ResumeRequest",
                parameters=[wires],
            )
        },
        "/resume": {
            "post": _operation(
                "Read a run from its start, for `useAssistantTransportRuntime`.",
                _streamed("text/plain", "text/event-stream"),
                body="ResumeRequest",
                parameters=[wires],
            )
        },
    }


def _openai_paths() -> Schema:
    completion = _streamed("text/event-stream")
    completion["200"]["content"].update(_json("Completion")["200"]["content"])
    return {
        "/v1/chat/completions": {
            "post": _operation(
                "Answer a conversation, for OpenAI's clients.",
                completion,
                body="OpenAIRequest",
                parameters=[_THREAD_IN_HEADER],
                error="OpenAIError",
            )
        },
        "/v1/models": {
            "get": _operation("List the models: one.", _json("Models"), error="OpenAIError")
        },
    }


def _thread_paths() -> Schema:
    limit: Schema = {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    }
    before: Schema = {
        "name": "before",
        "in": "query",
        "schema": {"type": "string", "pattern": "^[0-9A-Za-z-]{1,64}$"},
    }
    forms = _query("format", "thread", "ui", "ag-ui")
    one = [_THREAD_IN_PATH]
    return {
        "/threads": {
            "get": _operation(
                "List the threads, newest first.", _json("ThreadList"), parameters=[limit, before]
            )
        },
        "/threads/{thread_id}": {
            "delete": _operation(
                "Forget a thread.", {"204": {"description": "It is gone."}}, parameters=one
            )
        },
        "/threads/{thread_id}/state": {
            "get": _operation("What a thread holds.", _json("ThreadState"), parameters=one)
        },
        "/threads/{thread_id}/messages": {
            "get": _operation(
                "A thread's messages, in a client's form.",
                _json("ThreadMessages"),
                parameters=[*one, forms],
            )
        },
        "/threads/{thread_id}/cancel": {
            "post": _operation(
                "Stop the run that goes on in a thread.", _json("Cancelled"), parameters=one
            )
        },
    }


def _other_paths() -> Schema:
    document: Schema = {
        "200": {"description": "OK", "content": {"application/json": {"schema": {}}}}
    }
    return {
        "/openapi.json": {"get": _operation("This document.", document)},
        "/health": {"get": _operation("Say that the server is up.", _json("Health"))},
    }


def _operation(
    summary: str,
    responses: Schema,
    *,
    body: str | tuple[str, ...] | None = None,
    parameters: list[Schema] | None = None,
    error: str = "Error",
) -> Schema:
    operation: Schema = {"summary": summary, "responses": {**responses, **_errors(error)}}
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        refs = [_ref(name) for name in ([body] if isinstance(body, str) else body)]
        schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _errors(schema: str) -> Schema:
    content = {"application/json": {"schema": _ref(schema)}}
    return {code: {"description": why, "content": content} for code, why in _REFUSALS.items()}


def _json(schema: str) -> Schema:
    content = {"application/json": {"schema": _ref(schema)}}
    return {"200": {"description": "OK", "content": content}}


def _streamed(*media_types: str) -> Schema:
    content = dict.fromkeys(media_types, _STREAM)
    response = {"description": "The run, streamed.", "headers": _THREAD_HEADER, "content": content}
    return {"200": response}


def _query(name: str, *values: str) -> Schema:
    return {"name": name, "in": "query", "schema": {"type": "string", "enum": list(values)}}


def _ref(schema: str) -> Schema:
    return {"$ref": f"#/components/schemas/{schema}"}
