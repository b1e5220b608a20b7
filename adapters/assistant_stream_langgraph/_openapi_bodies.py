"""The JSON schemas of what the endpoints take and give, for `/openapi.json`.

They say what the parsers in `assistant_stream_ce.server` use; other fields are let through.
"""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ("SCHEMAS", "Schema")

Schema: TypeAlias = dict[str, Any]


def _object(required: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _const(value: str) -> Schema:
    return {"const": value}


def _one(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "maxLength": 512}
FLAG: Schema = {"type": ["boolean", "null"]}
ANY: Schema = {}
ANY_OBJECT: Schema = {"type": "object"}
URL: Schema = {"type": "string", "description": "A `data:` URL, or `https:` of a public host."}
TOOLS = {
    "type": ["object", "null"],
    "description": "The front end's tools by name.",
    "additionalProperties": _object(description=_maybe(TEXT), parameters=_maybe(ANY_OBJECT)),
}
RESUME = _maybe(_list(_ref("Resume")))

_TEXT_PART = _object(("type", "text"), type=_const("text"), text=TEXT)

_COMMANDS: dict[str, Schema] = {
    "AddMessage": _object(
        ("type", "message"),
        type=_const("add-message"),
        message=_object(
            ("role", "parts"),
            role=_const("user"),
            parts=_list(
                {
                    "oneOf": [
                        _TEXT_PART,
                        _object(("type", "image"), type=_const("image"), image=URL),
                        _object(
                            ("type", "data", "mimeType"),
                            type=_const("file"),
                            data=URL,
                            mimeType=NAME,
                            filename=_maybe(NAME),
                        ),
                    ]
                },
                minItems=1,
            ),
        ),
        parentId=_maybe(TEXT),
        sourceId=_maybe({**TEXT, "description": "The message that this one replaces."}),
    ),
    "AddToolResult": _object(
        ("type", "toolCallId"),
        type=_const("add-tool-result"),
        toolCallId=NAME,
        toolName=_maybe(TEXT),
        result=ANY,
        isError=FLAG,
        artifact=ANY,
        modelContent=_maybe(_list(ANY_OBJECT)),
    ),
    "ResumeCommand": _object(
        ("type",),
        type=_const("resume"),
        value={"description": "The answer to the interrupt."},
        decisions={"description": "Instead of a value: the decision about each action."},
        id=_maybe({**TEXT, "description": "The interrupt, or one of its actions."}),
        toolCallId=_maybe(TEXT),
    ),
    "RegenerateCommand": _object(
        ("type", "messageId"),
        type=_const("regenerate"),
        messageId={**TEXT, "description": "The answer that is made again."},
    ),
}

_ASSISTANT: dict[str, Schema] = {
    **_COMMANDS,
    "AssistantRequest": _object(
        ("commands",),
        commands=_list({"anyOf": [_ref(name) for name in _COMMANDS]}, minItems=1, maxItems=1_000),
        state=_maybe(ANY_OBJECT),
        threadId=_maybe(_ref("ThreadId")),
        headId=_maybe({**TEXT, "description": "The last message of the branch that is shown."}),
        parentId=_maybe(TEXT),
        system=_maybe(TEXT),
        tools=TOOLS,
    ),
    "ResumeRequest": _object(("threadId",), threadId=_ref("ThreadId"), runId=_maybe(TEXT)),
}

_CHAT: dict[str, Schema] = {
    "DataStreamMessage": _object(
        ("role", "content"),
        role=_one("system", "user", "assistant", "tool"),
        content={"anyOf": [TEXT, _list(_object(("type",), type=TEXT))]},
        id=_maybe(NAME),
        unstable_id=_maybe(NAME),
    ),
    "DataStreamRequest": _object(
        ("messages",),
        messages=_list(_ref("DataStreamMessage"), minItems=1, maxItems=1_000),
        threadId=_maybe(_ref("ThreadId")),
        parentId=_maybe(NAME),
        state=ANY,
        system=_maybe(TEXT),
        tools=TOOLS,
        resume=RESUME,
    ),
    "UIMessage": _object(
        ("role", "parts"),
        id=_maybe(NAME),
        role=_one("system", "user", "assistant"),
        parts=_list(_object(("type",), type=TEXT)),
    ),
    "UIRequest": _object(
        ("messages",),
        id=_maybe(_ref("ThreadId")),
        messages=_list(_ref("UIMessage"), minItems=1, maxItems=1_000),
        trigger=_maybe(_one("submit-message", "regenerate-message")),
        messageId=_maybe(NAME),
        system=_maybe(TEXT),
        tools=TOOLS,
        resume=RESUME,
    ),
}

_AG_UI: dict[str, Schema] = {
    "Resume": _object(
        ("interruptId", "status"),
        interruptId={**NAME, "minLength": 1},
        status=_one("resolved", "cancelled"),
        payload=ANY,
    ),
    "AGUIMessage": _object(
        ("role",),
        id=_maybe(NAME),
        role=_one("developer", "system", "user", "assistant", "tool", "reasoning", "activity"),
        content={"anyOf": [TEXT, _list(_object(("type",), type=TEXT)), ANY_OBJECT]},
        toolCalls=_maybe(_list(ANY_OBJECT)),
        toolCallId=NAME,
        error=_maybe(TEXT),
    ),
    "AGUIRequest": _object(
        ("threadId", "runId", "messages"),
        threadId=_ref("ThreadId"),
        runId={**NAME, "minLength": 1},
        parentRunId=_maybe(NAME),
        messages=_list(_ref("AGUIMessage"), maxItems=1_000),
        state=ANY,
        tools=_maybe(_list(_object(("name",), name={**NAME, "minLength": 1}))),
        context=_maybe(_list(_object(("description", "value"), description=TEXT, value=TEXT))),
        resume=RESUME,
        forwardedProps=ANY,
    ),
}

_OPENAI: dict[str, Schema] = {
    "OpenAIMessage": _object(
        ("role",),
        role=_one("system", "developer", "user", "assistant", "tool"),
        content={"anyOf": [TEXT, _list(_object(("type",), type=TEXT)), {"type": "null"}]},
        tool_calls=_maybe(_list(ANY_OBJECT)),
        tool_call_id=NAME,
    ),
    "OpenAIRequest": _object(
        ("model", "messages"),
        model={**NAME, "minLength": 1},
        messages=_list(_ref("OpenAIMessage"), minItems=1, maxItems=1_000),
        stream=FLAG,
        stream_options=_maybe(_object(include_usage=FLAG)),
        tools=_maybe(_list(_object(("type",), type=TEXT, function=ANY_OBJECT))),
        tool_choice=ANY,
        n={"enum": [1, None]},
        user=_maybe(NAME),
        metadata=_maybe(_object(thread_id=_maybe(_ref("ThreadId")))),
    ),
    "Completion": _object(
        ("id", "object", "created", "model", "choices"),
        id=TEXT,
        object=_const("chat.completion"),
        created={"type": "integer"},
        model=TEXT,
        choices=_list(ANY_OBJECT),
        usage=ANY_OBJECT,
    ),
    "Models": _object(("object", "data"), object=_const("list"), data=_list(ANY_OBJECT)),
    "OpenAIError": _object(
        ("error",),
        error=_object(
            ("message", "type", "param", "code"),
            message=TEXT,
            type=TEXT,
            param=_maybe(TEXT),
            code=_maybe(TEXT),
        ),
    ),
}

_THREADS: dict[str, Schema] = {
    "ThreadId": {"type": "string", "pattern": r"^(?!\.{1,2}$)[A-Za-z0-9_.:@~-]{1,256}$"},
    "Interrupt": _object(
        ("id", "value"),
        id=TEXT,
        value=ANY,
        response_schema=ANY,
        tool_call_id={**TEXT, "description": "The tool call that it was raised in."},
        actions=_list(
            _object(
                ("id", "tool_call_id", "name", "allowed_decisions"),
                id=TEXT,
                tool_call_id=_maybe(TEXT),
                name=TEXT,
                allowed_decisions=_list(_one("approve", "edit", "reject", "respond")),
            )
        ),
    ),
    "ThreadState": _object(
        ("threadId", "values", "runId", "interrupts"),
        threadId=_ref("ThreadId"),
        values={**ANY_OBJECT, "description": "The graph's state, `messages` in it."},
        runId={**_maybe(TEXT), "description": "The run that goes on."},
        interrupts=_list(_ref("Interrupt")),
    ),
    "ThreadMessages": _object(
        ("threadId", "runId", "messages", "interrupts"),
        threadId=_ref("ThreadId"),
        runId=_maybe(TEXT),
        messages=_list(ANY_OBJECT),
        interrupts=_list(_ref("Interrupt")),
    ),
    "ThreadList": _object(
        ("threads", "next"),
        threads=_list(
            _object(
                ("id", "title", "updatedAt", "status"),
                id=TEXT,
                title=TEXT,
                updatedAt={"type": "string"},
                status=_one("idle", "running", "interrupted"),
            )
        ),
        next={**_maybe(TEXT), "description": "The `before` of the next page."},
    ),
    "Cancelled": _object(("cancelled",), cancelled={"type": "boolean"}),
    "RunState": _object(("runId", "state"), runId=TEXT, state=ANY_OBJECT),
    "Health": _object(("status",), status=_const("ok")),
    "Error": _object(
        ("error",), error=_object(("message", "code"), message=TEXT, code={"type": "string"})
    ),
}

SCHEMAS: dict[str, Schema] = {**_ASSISTANT, **_CHAT, **_AG_UI, **_OPENAI, **_THREADS}
"""By name."""
