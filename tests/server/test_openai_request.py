"""Chat completions requests, made by the official `openai` client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from assistant_stream_ce import RequestError
from assistant_stream_ce.server import (
    AssistantReply,
    ClientTool,
    FilePart,
    ImagePart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResult,
    UserMessage,
    parse_openai_request,
)
from tests.adapters_langchain.provider import Provider, json_answer

CALL = {"id": "c1", "type": "function", "function": {"name": "locate", "arguments": '{"x":1}'}}
THREAD: list[Any] = [
    {"role": "system", "content": "Obey the client."},
    {"role": "developer", "content": [{"type": "text", "text": "Be rude."}]},
    {"role": "user", "content": "Where am I?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "Paris"},
    {"role": "assistant", "content": [{"type": "text", "text": "Paris."}]},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "And this?"},
            {"type": "image_url", "image_url": {"url": "data:image/webp;base64,aGk="}},
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
            {"type": "file", "file": {"file_data": "data:a/b;base64,aGk=", "filename": "a.b"}},
        ],
    },
]

Send = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def send() -> Iterator[Send]:
    """Sends messages with the client; gives the body that arrives."""
    provider = Provider()
    server = provider.start()
    client = openai.OpenAI(base_url=provider.url, api_key="none", max_retries=0)

    def send(messages: list[Any], **options: Any) -> dict[str, Any]:
        provider.says(json_answer({"id": "c", "choices": [], "model": "m", "created": 0}))
        client.chat.completions.create(model="m", messages=messages, **options)
        return provider.requests[-1]

    yield send
    client.close()
    server.shutdown()
    server.server_close()


def test_what_is_new_is_what_the_user_said_last(send: Send) -> None:
    request = parse_openai_request(send(THREAD))

    assert request.messages == [
        UserMessage(
            [
                TextPart("And this?"),
                ImagePart("data:image/webp;base64,aGk="),
                FilePart("aGk=", "audio/mp3"),
                FilePart("data:a/b;base64,aGk=", "a/b", "a.b"),
            ]
        )
    ]
    assert (request.model, request.stream, request.include_usage) == ("m", False, False)


def test_the_whole_conversation_when_asked_for(send: Send) -> None:
    request = parse_openai_request(send(THREAD), history=True, allow_system=True)

    assert request.messages[:6] == [
        SystemMessage("Obey the client."),
        SystemMessage("Be rude."),
        UserMessage([TextPart("Where am I?")]),
        AssistantReply([ToolCallPart("c1", "locate", {"x": 1})]),
        ToolResult("c1", None, "Paris"),
        AssistantReply([TextPart("Paris.")]),
    ]


def test_prompts_are_dropped_unless_allowed(send: Send) -> None:
    request = parse_openai_request(send(THREAD), history=True)

    assert not any(isinstance(message, SystemMessage) for message in request.messages)


def test_results_of_the_clients_tools(send: Send) -> None:
    tools = [
        {
            "type": "function",
            "function": {"name": "locate", "description": "Where?", "parameters": {"a": 1}},
        },
        {"type": "custom", "custom": {"name": "own"}},
    ]
    body = send(THREAD[:5], tools=tools, tool_choice="auto", user="u")

    request = parse_openai_request(body)

    assert request.tool_results == [ToolResult("c1", None, "Paris")]
    assert request.tools == [ClientTool("locate", "Where?", {"a": 1})]
    assert (request.tool_choice, request.user) == ("auto", "u")


def test_options_of_the_stream() -> None:
    body = {
        "model": "m",
        "messages": THREAD[2:3],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
    }

    request = parse_openai_request(body)  # type: ignore[arg-type]

    assert (request.stream, request.include_usage, request.body["temperature"]) == (True, True, 0)


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ("", {}),
        ("{}", {}),
        ('{"x":', '{"x":'),
        ("[1]", "[1]"),
        ("null", "null"),
    ],
)
def test_arguments_that_are_no_object_keep_their_text(
    send: Send, arguments: str, read: object
) -> None:
    call = {**CALL, "function": {"name": "locate", "arguments": arguments}}
    body = send([{"role": "assistant", "tool_calls": [call]}, THREAD[4]])

    reply, _ = parse_openai_request(body, history=True).messages

    assert reply == AssistantReply([ToolCallPart("c1", "locate", read)])  # type: ignore[arg-type]


def said(*parts: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": list(parts)}], **fields}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (said(model=None), "`body.model` must be a string"),
        (said(messages=[]), "nothing to answer"),
        (said(messages=[{"role": "function"}]), "`body.messages[0].role` is 'function'"),
        (said(n=2), "`body.n` must be 1 or absent"),
        (said(stream="yes"), "`body.stream` must be true or false, not a string"),
        (said({"type": "poem"}), "content[0].type` is 'poem'; known are 'text', 'image_url'"),
        (
            said({"type": "image_url", "image_url": {"url": "http://10.0.0.1/i.png"}}),
            "content[0].image_url.url` must be an `https:` or a `data:` URL",
        ),
        (
            said({"type": "file", "file": {"file_id": "file-1"}}),
            "content[0].file.file_data` is missing",
        ),
        (
            said(messages=[{"role": "tool", "content": [{"type": "image_url"}]}]),
            "`body.messages[0].content[0].type` is 'image_url'; known is 'text'",
        ),
        (
            said(messages=[{"role": "tool", "content": "x"}]),
            "`body.messages[0].tool_call_id` must be a string",
        ),
    ],
)
def test_what_is_refused_and_how(body: Any, complaint: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_openai_request(body)

    assert complaint in str(caught.value)
    assert caught.value.status_code == 400
