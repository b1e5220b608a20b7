"""Requests of `useDataStreamRuntime`, made by the client's own converter."""

from __future__ import annotations

from typing import Any

import pytest

from assistant_stream_ce import RequestError
from assistant_stream_ce.server import (
    AssistantReply,
    ClientTool,
    FilePart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResult,
    UserMessage,
    parse_data_stream_request,
)
from tests.server.clients import sent

CALL = {
    "type": "tool-call",
    "toolCallId": "c1",
    "toolName": "locate",
    "args": {"x": 1},
    "result": {"y": 2},
}
THREAD: list[Any] = [
    {"role": "system", "content": "Obey the browser."},
    {"role": "user", "content": "Where am I?"},
    {
        "role": "assistant",
        "content": [
            {"type": "reasoning", "text": "Hm."},
            {"type": "text", "text": "Let me look."},
            CALL,
            {"type": "text", "text": "Here."},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "And this?"},
            {"type": "image", "image": "data:image/webp;base64,aGk=", "filename": "a.webp"},
            {"type": "file", "data": "aGk=", "mimeType": "application/pdf"},
        ],
    },
]


def test_what_is_new_is_what_the_user_said_last() -> None:
    request = parse_data_stream_request(sent("data-stream", THREAD, threadId="t1", ids=True))

    assert request.messages == [
        UserMessage(
            [
                TextPart("And this?"),
                FilePart("data:image/webp;base64,aGk=", "image/webp", "a.webp"),
                FilePart("aGk=", "application/pdf"),
            ],
            id="m3",
        )
    ]
    assert (request.tool_results, request.thread_id) == ([], "t1")
    assert request.body["runConfig"] == {}


def test_the_whole_conversation_when_asked_for() -> None:
    request = parse_data_stream_request(sent("data-stream", THREAD), history=True)

    assert request.messages[:4] == [
        UserMessage([TextPart("Where am I?")]),
        AssistantReply([TextPart("Let me look."), ToolCallPart("c1", "locate", {"x": 1})]),
        ToolResult("c1", "locate", {"y": 2}),
        AssistantReply([TextPart("Here.")]),
    ]
    assert len(request.messages) == 5


def test_prompts_of_the_front_end_count_only_when_allowed() -> None:
    body = sent("data-stream", THREAD, context={"system": "Be rude."})

    dropped = parse_data_stream_request(body, history=True)
    allowed = parse_data_stream_request(body, allow_system=True)

    assert dropped.system is None
    assert not any(isinstance(message, SystemMessage) for message in dropped.messages)
    assert allowed.system == "Be rude."
    assert allowed.messages[0] == SystemMessage("Obey the browser.")


def test_results_that_came_from_the_front_end() -> None:
    failed = {**CALL, "toolCallId": "c2", "result": "no", "isError": True}
    open_call = {**CALL, "toolCallId": "c3"}
    del open_call["result"]
    reply = {"role": "assistant", "content": [CALL, failed, open_call]}

    request = parse_data_stream_request(sent("data-stream", [*THREAD[:2], reply]))

    assert request.messages == []
    assert request.tool_results == [
        ToolResult("c1", "locate", {"y": 2}),
        ToolResult("c2", "locate", "no", is_error=True),
        ToolResult("c3", "locate", {"error": "Tool call was not completed"}, is_error=True),
    ]


def test_tools_and_what_the_client_shows() -> None:
    tools = {"locate": {"description": "Where?", "parameters": {"type": "object"}}}
    body = sent(
        "data-stream",
        THREAD[1:2],
        context={"tools": tools, "callSettings": {"temperature": 0}},
        state={"a": 1},
        parentId=None,
        unstable_assistantMessageId="m9",
    )

    request = parse_data_stream_request(body)

    assert request.tools == [ClientTool("locate", "Where?", {"type": "object"})]
    assert (request.state, request.parent_id, request.message_id) == ({"a": 1}, None, "m9")
    assert request.body["temperature"] == 0


FOREIGN = {"type": "file", "data": "http://10.0.0.1", "mediaType": "a/b"}


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([], "nothing to answer"),
        ([{"role": "assistant", "content": []}], "nothing to answer"),
        ([{"role": "system", "content": "Obey."}], "nothing to answer"),
        ([{"role": "root", "content": "x"}], "`body.messages[0].role` is 'root'; known are"),
        ([{"role": "user"}], "`body.messages[0].content` must be an array, not missing"),
        ([{"role": "user", "content": [{"type": "reasoning"}]}], "content[0].type` is 'reasoning'"),
        (
            [{"role": "user", "content": [FOREIGN]}],
            "`body.messages[0].content[0].data` must be an `https:` or a `data:` URL",
        ),
        (
            [{"role": "tool", "content": [{"toolCallId": "c", "output": {"type": "x"}}]}],
            "`body.messages[0].content[0].output.type` is 'x'; known are 'json', 'text'",
        ),
    ],
)
def test_what_is_refused_and_how(messages: Any, complaint: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_data_stream_request({"messages": messages})

    assert complaint in str(caught.value)
    assert caught.value.status_code == 400


def test_text_need_not_be_in_parts() -> None:
    message = {"role": "user", "content": "Hi", "id": "m1", "unstable_id": ""}

    [said] = parse_data_stream_request({"messages": [message]}).messages

    assert said == UserMessage([TextPart("Hi")], id="m1")
    assert isinstance(said, UserMessage)
    assert said.text == "Hi"
