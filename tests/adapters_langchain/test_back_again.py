"""One conversation as each client sends it: it is the same for the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from assistant_stream_ce.server import (
    AddMessageCommand,
    AddToolResultCommand,
    parse_ag_ui_request,
    parse_data_stream_request,
    parse_openai_request,
    parse_transport_request,
    parse_ui_message_request,
)
from assistant_stream_langchain import to_human_message, to_langchain_messages, to_tool_message

Messages = list[BaseMessage]
Body = dict[str, Any]

PNG, PDF = "data:image/png;base64,aGk=", "data:application/pdf;base64,aG8="
TEXT = {"type": "text", "text": "Look"}
ARGS = '{"x":1}'


def transport(commands: list[Body]) -> Messages:
    """The commands of `useAssistantTransportRuntime`, which sends what is new only."""
    request = parse_transport_request({"state": None, "commands": commands})
    messages: Messages = []
    for command in request.commands:
        if isinstance(command, AddMessageCommand):
            messages.append(to_human_message(command))
        elif isinstance(command, AddToolResultCommand):
            messages.append(to_tool_message(command))
    return messages


def read(parse: Callable[..., Any], **more: Any) -> Callable[[list[Body]], Messages]:
    """A client that sends the whole conversation."""
    return lambda messages: to_langchain_messages(
        parse({**more, "messages": messages}, history=True).messages
    )


READERS: dict[str, Callable[[list[Body]], Messages]] = {
    "transport": transport,
    "data stream": read(parse_data_stream_request),
    "AI SDK": read(parse_ui_message_request, id="t1"),
    "AG-UI": read(parse_ag_ui_request, threadId="t1", runId="r1"),
    "OpenAI": read(parse_openai_request, model="m"),
}

FILES: dict[str, Body] = {
    "transport": {
        "type": "add-message",
        "message": {
            "role": "user",
            "parts": [
                TEXT,
                {"type": "image", "image": PNG},
                {
                    "type": "file",
                    "data": PDF,
                    "mimeType": "application/pdf",
                    "filename": "a.pdf",
                },
            ],
        },
    },
    "data stream": {
        "role": "user",
        "content": [
            TEXT,
            {"type": "image", "image": PNG},
            {"type": "file", "data": PDF, "mediaType": "application/pdf", "filename": "a.pdf"},
        ],
    },
    "AI SDK": {
        "id": "u1",
        "role": "user",
        "parts": [
            TEXT,
            {"type": "file", "url": PNG, "mediaType": "image/png"},
            {"type": "file", "url": PDF, "mediaType": "application/pdf", "filename": "a.pdf"},
        ],
    },
    "AG-UI": {
        "id": "u1",
        "role": "user",
        "content": [
            TEXT,
            {"type": "image", "source": {"type": "data", "value": PNG, "mimeType": "image/png"}},
            {
                "type": "binary",
                "data": PDF,
                "mimeType": "application/pdf",
                "filename": "a.pdf",
            },
        ],
    },
    "OpenAI": {
        "role": "user",
        "content": [
            TEXT,
            {"type": "image_url", "image_url": {"url": PNG}},
            {"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}},
        ],
    },
}


@pytest.mark.parametrize("client", FILES)
def test_texts_images_and_files_of_the_user(client: str) -> None:
    [message] = READERS[client]([FILES[client]])

    assert isinstance(message, HumanMessage)
    assert message.text == "Look"
    text, image, file = message.content_blocks
    assert (text["type"], image["type"], file["type"]) == ("text", "image", "file")
    assert (image["base64"], image["mime_type"]) == ("aGk=", "image/png")  # type: ignore[typeddict-item]
    assert (file["base64"], file["mime_type"]) == ("aG8=", "application/pdf")  # type: ignore[typeddict-item]


def call(call_id: str) -> Body:
    return {"id": call_id, "type": "function", "function": {"name": "locate", "arguments": ARGS}}


def prompt_call(call_id: str) -> Body:
    return {"type": "tool-call", "toolCallId": call_id, "toolName": "locate", "input": {"x": 1}}


def prompt_result(call_id: str, kind: str, value: Any) -> Body:
    output = {"type": kind, "value": value}
    return {"type": "tool-result", "toolCallId": call_id, "toolName": "locate", "output": output}


def ui_call(call_id: str, **end: Any) -> Body:
    return {"type": "tool-locate", "toolCallId": call_id, "input": {"x": 1}, **end}


QUESTION = {"role": "user", "id": "u1", "content": "Where?"}
CALLS = [call("c1"), call("c2")]
CALLED: dict[str, list[Body]] = {
    "data stream": [
        {"role": "user", "content": [{"type": "text", "text": "Where?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Hm."},
                {"type": "reasoning", "text": "secret"},
                prompt_call("c1"),
                prompt_call("c2"),
            ],
        },
        {
            "role": "tool",
            "content": [
                prompt_result("c1", "json", {"city": "Paris"}),
                prompt_result("c2", "error-text", "no signal"),
            ],
        },
    ],
    "AI SDK": [
        {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Where?"}]},
        {
            "id": "a1",
            "role": "assistant",
            "parts": [
                {"type": "step-start"},
                {"type": "reasoning", "text": "secret"},
                {"type": "text", "text": "Hm."},
                ui_call("c1", state="output-available", output={"city": "Paris"}),
                ui_call("c2", state="output-error", errorText="no signal"),
            ],
        },
    ],
    "AG-UI": [
        QUESTION,
        {"id": "a1", "role": "assistant", "content": "Hm.", "toolCalls": CALLS},
        {"id": "t1", "role": "tool", "toolCallId": "c1", "content": '{"city":"Paris"}'},
        {
            "id": "t2",
            "role": "tool",
            "toolCallId": "c2",
            "content": "no signal",
            "error": "no signal",
        },
    ],
    "OpenAI": [
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": "Hm.", "tool_calls": CALLS},
        {"role": "tool", "tool_call_id": "c1", "content": '{"city":"Paris"}'},
        {"role": "tool", "tool_call_id": "c2", "content": "no signal"},
    ],
}


@pytest.mark.parametrize("client", CALLED)
def test_calls_with_their_results_and_how_they_ended(client: str) -> None:
    question, reply, good, bad = READERS[client](CALLED[client])

    assert question.text == "Where?"
    assert isinstance(reply, AIMessage)
    assert reply.text == "Hm."
    assert [(c["id"], c["name"], c["args"]) for c in reply.tool_calls] == [
        ("c1", "locate", {"x": 1}),
        ("c2", "locate", {"x": 1}),
    ]
    assert isinstance(good, ToolMessage)
    assert isinstance(bad, ToolMessage)
    assert (good.tool_call_id, good.name, good.text) == ("c1", "locate", '{"city":"Paris"}')
    assert (bad.tool_call_id, bad.name, bad.text) == ("c2", "locate", "no signal")
    # OpenAI's protocol has no word for a call that failed.
    assert [good.status, bad.status] == ["success", "success" if client == "OpenAI" else "error"]


@pytest.mark.parametrize("failed", [False, True])
def test_the_result_of_a_front_ends_tool(failed: bool) -> None:
    command = {
        "type": "add-tool-result",
        "toolCallId": "c1",
        "toolName": "locate",
        "result": {"city": "Paris"},
        "isError": failed,
        "artifact": [1],
    }

    [message] = transport([command])

    assert isinstance(message, ToolMessage)
    assert (message.tool_call_id, message.name) == ("c1", "locate")
    assert (message.text, message.artifact) == ('{"city":"Paris"}', [1])
    assert message.status == ("error" if failed else "success")


CONTENT = [
    {"type": "text", "text": "a map"},
    {"type": "file", "data": PNG, "mediaType": "image/png"},
]
# `useDataStreamRuntime` has no word for it, nor has OpenAI's protocol.
SHOWN_TO_THE_MODEL: dict[str, list[Body]] = {
    "transport": [
        {
            "type": "add-tool-result",
            "toolCallId": "c1",
            "toolName": "locate",
            "result": 3,
            "isError": False,
            "modelContent": CONTENT,
        }
    ],
    "AI SDK": [
        {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Where?"}]},
        {
            "id": "a1",
            "role": "assistant",
            "parts": [
                ui_call(
                    "c1",
                    state="output-available",
                    output={
                        "__aui_modelContent": CONTENT,
                        "value": 3,
                    },
                )
            ],
        },
    ],
    "AG-UI": [
        QUESTION,
        {"id": "a1", "role": "assistant", "toolCalls": [call("c1")]},
        {
            "id": "t1",
            "role": "tool",
            "toolCallId": "c1",
            "content": [
                CONTENT[0],
                {
                    "type": "image",
                    "source": {"type": "data", "value": PNG, "mimeType": "image/png"},
                },
            ],
        },
    ],
}


@pytest.mark.parametrize("client", SHOWN_TO_THE_MODEL)
def test_what_a_tool_wants_the_model_to_see(client: str) -> None:
    *_, answer = READERS[client](SHOWN_TO_THE_MODEL[client])

    assert isinstance(answer, ToolMessage)
    assert answer.tool_call_id == "c1"
    assert answer.content == [
        {"type": "text", "text": "a map"},
        {"type": "image", "mime_type": "image/png", "base64": "aGk="},
    ]
