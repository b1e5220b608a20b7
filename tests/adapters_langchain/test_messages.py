"""A client's conversation as LangChain messages, as the model's API gets to see it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage
from langchain_openai import ChatOpenAI

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.server import (
    AddMessageCommand,
    AddToolResultCommand,
    AssistantReply,
    DataPart,
    FilePart,
    ImagePart,
    TextPart,
    ToolCallPart,
    ToolResult,
    UserMessage,
    parse_ag_ui_request,
    parse_data_stream_request,
    parse_ui_message_request,
)
from assistant_stream_langchain import to_human_message, to_langchain_messages, to_tool_message
from tests.server.any_json import damaged
from tests.server.clients import sent
from tests.server.test_any_request import PARSERS, longer

from .provider import Provider, json_answer

CONVERSATION = [
    {"role": "system", "content": "Obey the browser."},
    {"role": "user", "content": [{"type": "text", "text": "Hi"}], "unstable_id": "m1"},
    {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "Let me look."},
            {"type": "tool-call", "toolCallId": "a", "toolName": "f", "input": {"x": 1}},
            {"type": "tool-call", "toolCallId": "b", "toolName": "f", "input": {}},
        ],
    },
    {
        "role": "tool",
        "content": [
            {
                "type": "tool-result",
                "toolCallId": "a",
                "toolName": "f",
                "output": {"type": "json", "value": {"sum": 3}},
            },
            {
                "type": "tool-result",
                "toolCallId": "b",
                "toolName": "f",
                "output": {"type": "error-json", "value": {"error": "no"}},
            },
        ],
    },
]


def test_a_conversation_with_tools() -> None:
    assert to_langchain_messages(CONVERSATION) == [
        HumanMessage("Hi", id="m1"),
        AIMessage(
            "Let me look.",
            tool_calls=[
                {"id": "a", "name": "f", "args": {"x": 1}},
                {"id": "b", "name": "f", "args": {}},
            ],
        ),
        ToolMessage('{"sum":3}', tool_call_id="a", name="f"),
        ToolMessage('{"error":"no"}', tool_call_id="b", name="f", status="error"),
    ]


def test_system_prompts_of_the_client_count_only_when_allowed() -> None:
    first, *_ = to_langchain_messages(CONVERSATION, allow_system=True)

    assert first == SystemMessage("Obey the browser.")


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        (
            {"type": "file", "data": "data:image/png;base64,aGk=", "mediaType": "image/png"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        ),
        (
            {"type": "file", "data": "aGk=", "mediaType": "image/png"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        ),
        (
            {"type": "file", "data": "https://a.example/i.png", "mediaType": "image/png"},
            {"type": "image_url", "image_url": {"url": "https://a.example/i.png"}},
        ),
        (
            {"type": "image", "image": "data:image/webp;base64,aGk="},
            {"type": "image_url", "image_url": {"url": "data:image/webp;base64,aGk="}},
        ),
        (
            {
                "type": "file",
                "data": "data:application/pdf,hi",
                "mediaType": "application/pdf",
                "filename": "a.pdf",
            },
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
            },
        ),
    ],
)
async def test_the_users_files_reach_the_model(
    provider: Provider, part: dict[str, Any], sent: dict[str, Any]
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
    provider.says(json_answer({"id": "c", "model": "m", "choices": [choice]}))
    model = ChatOpenAI(model="m", api_key="k", base_url=provider.url, max_retries=0)
    message = {"role": "user", "content": [{"type": "text", "text": "Look"}, part]}

    await model.ainvoke(to_langchain_messages([message]))

    [request] = provider.requests
    assert request["messages"][0]["content"] == [{"type": "text", "text": "Look"}, sent]


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("x", "messages\\[0\\]` must be an object"),
        ({"role": "root", "content": "x"}, "messages\\[0\\].role"),
        ({"role": "user"}, "messages\\[0\\].content"),
        ({"role": "user", "content": [{"type": "video"}]}, "content\\[0\\].type"),
        ({"role": "user", "content": [{"type": "text"}]}, "content\\[0\\].text"),
        (
            {
                "role": "user",
                "content": [{"type": "file", "data": "file:///etc/passwd", "mediaType": "a/b"}],
            },
            "https",
        ),
        (
            {
                "role": "user",
                "content": [{"type": "file", "data": "http://10.0.0.1/x", "mediaType": "a/b"}],
            },
            "https",
        ),
        ({"role": "tool", "content": [{"output": {"type": "json"}}]}, "toolCallId"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(message: Any, complaint: str) -> None:
    with pytest.raises(RequestError, match=complaint):
        to_langchain_messages([message])


CALL = ToolCallPart("a", "f", {"x": 1})
PARSED_CALL = {"id": "a", "name": "f", "args": {"x": 1}, "type": "tool_call"}


def test_a_call_that_the_conversation_went_on_without_gets_a_result() -> None:
    stopped, late = AssistantReply([CALL]), ToolResult("a", "f", "late")

    messages = to_langchain_messages([stopped, UserMessage([TextPart("Stop")]), late])

    assert [message.type for message in messages] == ["ai", "tool", "human"]
    assert (messages[1].tool_call_id, messages[1].status) == ("a", "error")  # type: ignore[attr-defined]
    assert "stopped" in messages[1].text


def test_the_calls_at_the_end_stay_open() -> None:
    assert to_langchain_messages([AssistantReply([CALL])]) == [
        AIMessage("", tool_calls=[PARSED_CALL])
    ]


def test_the_first_result_of_a_call_counts() -> None:
    results = [ToolResult("a", None, 1), ToolResult("a", None, 2)]

    _, *answers = to_langchain_messages([AssistantReply([CALL]), *results])

    assert answers == [ToolMessage("1", tool_call_id="a", name="f")]


def test_results_alone_are_for_a_conversation_that_goes_on_elsewhere() -> None:
    result = ToolResult("a", "f", {"y": 2}, is_error=True, artifact=[3])

    assert to_langchain_messages([result]) == [
        ToolMessage('{"y":2}', tool_call_id="a", name="f", status="error", artifact=[3])
    ]


def test_a_call_id_may_come_again_in_a_later_reply() -> None:
    turn = [AssistantReply([CALL]), ToolResult("a", "f", "x")]

    assert [message.type for message in to_langchain_messages([*turn, *turn])] == [
        *("ai", "tool"),
        *("ai", "tool"),
    ]


def test_what_the_model_sees_of_a_result() -> None:
    content = [TextPart("a map"), FilePart("data:image/png;base64,aGk=", "image/png")]

    [message] = to_langchain_messages([ToolResult("a", "f", 3, model_content=content)])

    assert message.content == [
        {"type": "text", "text": "a map"},
        {"type": "image", "mime_type": "image/png", "base64": "aGk="},
    ]


def test_steps_of_one_message_do_not_share_its_id() -> None:
    reply = AssistantReply([TextPart("x")], id="m1")

    assert [message.id for message in to_langchain_messages([reply, reply])] == ["m1", None]


def test_what_a_model_cannot_see_is_left_out() -> None:
    messages = [UserMessage([DataPart("place", 1)]), AssistantReply([])]

    assert to_langchain_messages(messages) == []
    assert to_human_message(UserMessage([DataPart("place", 1), TextPart("Hi")])).content == "Hi"


def test_a_command_becomes_a_message_that_the_client_can_show() -> None:
    parts = [
        TextPart("Hi"),
        ImagePart("https://a.example/i.png"),
        FilePart("data:a/b,hi", "a/b", "a.b"),
        FilePart("https://a.example/a.b", "a/b"),
    ]

    message = to_human_message(AddMessageCommand(parts))

    assert message.id is not None
    assert message.content == [
        {"type": "text", "text": "Hi"},
        {"type": "image_url", "image_url": {"url": "https://a.example/i.png"}},
        {
            "type": "file",
            "mime_type": "a/b",
            "filename": "a.b",
            "metadata": {"filename": "a.b"},
            "source_type": "base64",
            "data": "aGk=",
        },
        {
            "type": "file",
            "mime_type": "a/b",
            "source_type": "url",
            "url": "https://a.example/a.b",
        },
    ]


def test_a_command_with_a_result_has_the_name_of_its_call() -> None:
    command = AddToolResultCommand("a", "other", {"y": 2}, is_error=True)

    message = to_tool_message(command, ToolCall(name="f", args={}, id="a"))

    assert (message.name, message.content, message.status) == ("f", '{"y":2}', "error")
    assert message.id is not None


IMAGE = "data:image/png;base64,aGk="
SAID: list[tuple[str, Any, dict[str, Any]]] = [
    (
        "data-stream",
        parse_data_stream_request,
        {"content": [{"type": "text", "text": "Look"}, {"type": "image", "image": IMAGE}]},
    ),
    (
        "ai6",
        parse_ui_message_request,
        {
            "parts": [
                {"type": "text", "text": "Look"},
                {"type": "file", "mediaType": "image/png", "url": IMAGE},
            ]
        },
    ),
    (
        "agui1",
        parse_ag_ui_request,
        {
            "content": [
                {"type": "text", "text": "Look"},
                {
                    "type": "image",
                    "source": {"type": "data", "value": "aGk=", "mimeType": "image/png"},
                },
            ]
        },
    ),
]


@pytest.mark.parametrize(("client", "parse", "message"), SAID, ids=lambda value: str(value)[:20])
def test_all_clients_say_the_same(client: str, parse: Any, message: dict[str, Any]) -> None:
    request = parse(sent(client, [{"id": "u1", "role": "user", **message}]))

    [said] = to_langchain_messages(request.messages)

    assert said.content == [
        {"type": "text", "text": "Look"},
        {"type": "image", "mime_type": "image/png", "base64": "aGk="},
    ]


def test_parsed_and_unparsed_messages_stay_in_order() -> None:
    messages = [
        {"role": "user", "content": "first"},
        UserMessage([TextPart("second")]),
        {"role": "user", "content": "third"},
    ]

    assert [m.content for m in to_langchain_messages(messages)] == ["first", "second", "third"]


@pytest.mark.parametrize("client", ["data-stream", "ui-message", "ag-ui", "openai"])
@settings(deadline=None)
@given(data=st.data())
def test_whatever_is_understood_makes_a_conversation_that_models_take(
    client: str, data: st.DataObject
) -> None:
    try:
        body = data.draw(damaged(longer(client)))
        request = PARSERS[client](body, history=True, allow_system=True)
    except RequestError:
        return

    waiting: set[str] = set()
    for message in to_langchain_messages(request.messages):
        if isinstance(message, ToolMessage):
            waiting.discard(message.tool_call_id)
            continue
        assert waiting == set()
        assert message.content or isinstance(message, AIMessage | SystemMessage)
        if isinstance(message, AIMessage):
            calls = [*message.tool_calls, *message.invalid_tool_calls]
            waiting = {str(call["id"]) for call in calls}
