"""A client's conversation as LangChain messages, as the model's API gets to see it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI

from assistant_stream_ce.errors import RequestError
from assistant_stream_langchain import to_langchain_messages

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
