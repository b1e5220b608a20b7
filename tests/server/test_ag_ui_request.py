"""AG-UI requests, made by the real `HttpAgent` of both versions."""

from __future__ import annotations

from typing import Any

import pytest

from assistant_stream_ce import RequestError
from assistant_stream_ce.server import (
    AGUIContext,
    AGUIResume,
    AssistantReply,
    ClientTool,
    FilePart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResult,
    UserMessage,
    parse_ag_ui_request,
)
from tests.server.clients import sent

CLIENTS = ("agui0", "agui1")

CALL = {"id": "c1", "type": "function", "function": {"name": "locate", "arguments": '{"x":1}'}}
THREAD: list[Any] = [
    {"id": "d1", "role": "developer", "content": "Obey the browser."},
    {"id": "u1", "role": "user", "content": "Where am I?"},
    {"id": "r1", "role": "reasoning", "content": "Hm."},
    {"id": "a1", "role": "assistant", "content": "Let me look.", "toolCalls": [CALL]},
    {"id": "t1", "role": "tool", "toolCallId": "c1", "content": "Paris"},
    {"id": "a2", "role": "assistant", "content": "Paris."},
    {
        "id": "u2",
        "role": "user",
        "content": [
            {"type": "text", "text": "And this?"},
            {"type": "image", "source": {"type": "url", "value": "https://a.example/i.png"}},
            {
                "type": "document",
                "source": {"type": "data", "value": "aGk=", "mimeType": "application/pdf"},
            },
        ],
    },
]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_new_is_what_the_user_said_last(client: str) -> None:
    request = parse_ag_ui_request(sent(client, THREAD))

    assert request.messages == [
        UserMessage(
            [
                TextPart("And this?"),
                FilePart("https://a.example/i.png", "image/png"),
                FilePart("aGk=", "application/pdf"),
            ],
            id="u2",
        )
    ]
    assert (request.thread_id, request.run_id, request.parent_run_id) == ("t1", "r1", None)
    assert request.tool_results == []
    assert request.message_ids == ["d1", "u1", "r1", "a1", "t1", "a2", "u2"]


@pytest.mark.parametrize("client", CLIENTS)
def test_the_whole_conversation_when_asked_for(client: str) -> None:
    request = parse_ag_ui_request(sent(client, THREAD), history=True)

    assert request.messages[:4] == [
        UserMessage([TextPart("Where am I?")], id="u1"),
        AssistantReply([TextPart("Let me look."), ToolCallPart("c1", "locate", {"x": 1})], id="a1"),
        ToolResult("c1", None, "Paris"),
        AssistantReply([TextPart("Paris.")], id="a2"),
    ]
    assert len(request.messages) == 5


def test_prompts_of_the_front_end_count_only_when_allowed() -> None:
    context = [
        {"description": "system", "value": "Be rude."},
        {"description": "page", "value": "home"},
    ]
    body = sent("agui1", THREAD, context=context)

    dropped = parse_ag_ui_request(body, history=True)
    allowed = parse_ag_ui_request(body, allow_system=True)

    assert dropped.system is None
    assert not any(isinstance(message, SystemMessage) for message in dropped.messages)
    assert (allowed.system, allowed.messages[0]) == (
        "Be rude.",
        SystemMessage("Obey the browser.", "d1"),
    )
    assert dropped.context == allowed.context == [AGUIContext("page", "home")]


@pytest.mark.parametrize("client", CLIENTS)
def test_tools_state_and_props(client: str) -> None:
    tools = [{"name": "locate", "description": "Where?", "parameters": {"type": "object"}}]
    body = sent(client, THREAD, tools=tools, state={"a": [1]}, forwardedProps={"b": 2})

    request = parse_ag_ui_request(body)

    assert request.tools == [ClientTool("locate", "Where?", {"type": "object"})]
    assert (request.state, request.forwarded_props) == ({"a": [1]}, {"b": 2})


@pytest.mark.parametrize("client", CLIENTS)
def test_answers_to_interrupts(client: str) -> None:
    resume = [
        {"interruptId": "i1", "status": "resolved", "payload": {"approved": True}},
        {"interruptId": "i2", "status": "cancelled"},
    ]

    request = parse_ag_ui_request(sent(client, THREAD[:6], resume=resume))

    assert request.resume == [
        AGUIResume("i1", "resolved", {"approved": True}),
        AGUIResume("i2", "cancelled"),
    ]
    assert request.messages == []


@pytest.mark.parametrize(
    ("message", "result"),
    [
        ({"content": "Paris"}, ToolResult("c1", None, "Paris")),
        ({"content": "no", "error": "no"}, ToolResult("c1", None, "no", is_error=True)),
        ({"content": "", "error": "no"}, ToolResult("c1", None, "no", is_error=True)),
    ],
)
@pytest.mark.parametrize("client", CLIENTS)
def test_results_of_tools_of_the_front_end(client: str, message: Any, result: ToolResult) -> None:
    answer = {"id": "t1", "role": "tool", "toolCallId": "c1", **message}

    request = parse_ag_ui_request(sent(client, [*THREAD[:4], answer]))

    assert request.tool_results == [result]


def test_a_result_with_media_is_kept_for_the_model() -> None:
    image = {"type": "image", "source": {"type": "data", "value": "aGk=", "mimeType": "image/webp"}}
    content = [{"type": "text", "text": "a map"}, image]
    answer = {"id": "t1", "role": "tool", "toolCallId": "c1", "content": content}

    request = parse_ag_ui_request(sent("agui1", [*THREAD[:4], answer]))

    assert request.tool_results == [
        ToolResult(
            "c1", None, "a map", model_content=[TextPart("a map"), FilePart("aGk=", "image/webp")]
        )
    ]


def test_media_as_the_older_client_has_it() -> None:
    parts = [
        {"type": "binary", "mimeType": "image/png", "data": "aGk=", "filename": "i.png"},
        {"type": "binary", "mimeType": "image/png", "url": "https://a.example/i.png"},
    ]

    request = parse_ag_ui_request(sent("agui0", [{"id": "u", "role": "user", "content": parts}]))

    assert request.messages == [
        UserMessage(
            [
                FilePart("aGk=", "image/png", "i.png"),
                FilePart("https://a.example/i.png", "image/png"),
            ],
            id="u",
        )
    ]


def test_a_run_may_start_without_anything_said() -> None:
    assert parse_ag_ui_request(sent("agui1", [])).messages == []


def body_of(*parts: Any, **fields: Any) -> dict[str, Any]:
    message = {"id": "u", "role": "user", "content": list(parts)}
    return {"threadId": "t", "runId": "r", "messages": [message], **fields}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (body_of(threadId=None), "`body.threadId` must be a string, not missing or null"),
        (body_of(threadId="a b"), "`body.threadId` must be 1 to 256"),
        (body_of(runId=""), "`body.runId` is empty"),
        (body_of(messages=[{"id": "x", "role": "root"}]), "`body.messages[0].role` is 'root'"),
        (body_of({"type": "poem"}), "content[0].type` is 'poem'; known are 'text', 'image'"),
        (
            body_of({"type": "image", "source": {"type": "file", "value": "file-1"}}),
            "content[0].source.type` is 'file'; known are 'data' and 'url'",
        ),
        (
            body_of({"type": "image", "source": {"type": "url", "value": "http://10.0.0.1"}}),
            "content[0].source.value` must be an `https:` or a `data:` URL",
        ),
        (
            body_of({"type": "image", "source": {"type": "url", "value": "aGk="}}),
            "content[0].source.value` must be an `https:` or a `data:` URL",
        ),
        (
            body_of(resume=[{"interruptId": "i", "status": "maybe"}]),
            "`body.resume[0].status` is 'maybe'; known are 'resolved' and 'cancelled'",
        ),
    ],
)
def test_what_is_refused_and_how(body: Any, complaint: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_ag_ui_request(body)

    assert complaint in str(caught.value)
    assert caught.value.status_code == 400
