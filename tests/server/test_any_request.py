"""What holds for the requests of every client: limits, and any JSON is understood or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant_stream_ce import RequestError
from assistant_stream_ce.server import (
    RequestLimits,
    parse_ag_ui_request,
    parse_data_stream_request,
    parse_openai_request,
    parse_transport_request,
    parse_ui_message_request,
)
from tests.server.any_json import bodies, damaged

Parse = Callable[..., Any]
PARSERS: dict[str, Parse] = {
    "transport": parse_transport_request,
    "data-stream": parse_data_stream_request,
    "ui-message": parse_ui_message_request,
    "ag-ui": parse_ag_ui_request,
    "openai": parse_openai_request,
}


def said(client: str, *parts: Any, count: int = 1, **fields: Any) -> dict[str, Any]:
    """A body in which the user says `parts`, `count` times."""
    if client == "transport":
        message = {"role": "user", "parts": list(parts)}
        command = {"type": "add-message", "message": message}
        return {"commands": [command] * count, **fields}
    key = "parts" if client == "ui-message" else "content"
    messages = [{"id": "u", "role": "user", key: list(parts)}] * count
    ids = {"threadId": "t", "runId": "r"} if client == "ag-ui" else {}
    return {"messages": messages, "model": "m", **ids, **fields}


def file_of(client: str, data: str) -> dict[str, Any]:
    match client:
        case "transport":
            return {"type": "file", "data": data, "mimeType": "a/b"}
        case "data-stream":
            return {"type": "file", "data": data, "mediaType": "a/b"}
        case "ui-message":
            return {"type": "file", "url": data, "mediaType": "a/b"}
        case "ag-ui":
            return {"type": "document", "source": {"type": "url", "value": data}}
        case _:
            return {"type": "file", "file": {"file_data": data}}


def tools_of(client: str, count: int) -> Any:
    names = [f"tool{number}" for number in range(count)]
    if client == "openai":
        return [{"type": "function", "function": {"name": name}} for name in names]
    if client == "ag-ui":
        return [{"name": name} for name in names]
    return {name: {} for name in names}


HI = {"type": "text", "text": "Hi"}
every_client = pytest.mark.parametrize("client", PARSERS)


@every_client
def test_what_is_within_the_limits_is_taken(client: str) -> None:
    limits = RequestLimits(messages=2, parts=2, text_length=2, tools=2)
    body = said(client, HI, HI, count=2, tools=tools_of(client, 2), unknown={"a": [1]})

    assert PARSERS[client](body, limits=limits).body["unknown"] == {"a": [1]}


@every_client
@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"messages": 1}, "has 2 items; this server takes up to 1"),
        ({"parts": 1}, "has 2 items; this server takes up to 1"),
        ({"text_length": 1}, "has 2 characters; this server takes up to 1"),
        ({"tools": 1}, "this server takes up to 1"),
    ],
)
def test_what_exceeds_a_limit_is_refused(
    client: str, limits: dict[str, int], complaint: str
) -> None:
    body = said(client, HI, HI, count=2, tools=tools_of(client, 2))

    with pytest.raises(RequestError, match=complaint) as caught:
        PARSERS[client](body, limits=RequestLimits(**limits))

    assert caught.value.status_code == 413


@every_client
def test_a_file_that_is_too_large_is_refused(client: str) -> None:
    body = said(client, file_of(client, "data:a/b;base64," + "A" * 100))

    with pytest.raises(RequestError, match="has 116 characters; this server takes up to 100"):
        PARSERS[client](body, limits=RequestLimits(file_length=100))
    assert PARSERS[client](body)


@every_client
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "//a.example/x.png",
        "https://",
        "https://a.example/\nHost: b",
        "javascript:alert(1)",
        "blob:https://a.example/1",
        "",
    ],
)
def test_addresses_that_a_file_may_not_have(client: str, url: str) -> None:
    with pytest.raises(RequestError, match="must be an `https:` or a `data:` URL"):
        PARSERS[client](said(client, file_of(client, url)))


@every_client
@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost.", "LOCALHOST:8443", "printer.local", "metadata.google.internal"),
        *("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1:8443", "0.0.0.0"),
        *("[::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f000001"),
        "127.0.0.\N{FULLWIDTH DIGIT ONE}",
    ],
)
def test_hosts_that_only_the_server_reaches_are_refused(client: str, host: str) -> None:
    with pytest.raises(RequestError, match="must be the address of a public host"):
        PARSERS[client](said(client, file_of(client, f"https://{host}/x")))


@every_client
@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/x y",
        "https://a@127.0.0.1/x",
        "https://a.example\\@127.0.0.1/x",
        "https://a.example:port/",
    ],
)
def test_addresses_that_two_readers_may_read_differently_are_refused(client: str, url: str) -> None:
    with pytest.raises(RequestError, match="must be an `https:` or a `data:` URL"):
        PARSERS[client](said(client, file_of(client, url)))


@every_client
@pytest.mark.parametrize("url", ["https://a.example:8443/x?y#z", "https://8.8.8.8/x", "HTTPS://b/"])
def test_addresses_that_a_file_may_have(client: str, url: str) -> None:
    assert PARSERS[client](said(client, file_of(client, url)))


@pytest.mark.parametrize("client", ["data-stream", "ag-ui", "openai"])
def test_arguments_that_nest_too_deep_are_refused(client: str) -> None:
    deep = '{"a":' * 200 + "1" + "}" * 200
    call: dict[str, Any] = {"id": "c", "function": {"name": "f", "arguments": deep}}
    part = {"type": "tool-call", "toolCallId": "c", "toolName": "f", "input": deep}
    reply: dict[str, Any] = {"id": "a", "role": "assistant", "content": [part]}
    if client != "data-stream":
        reply |= {"content": None, "toolCalls": [call], "tool_calls": [call]}
    body = said(client, HI)
    body["messages"] = [*body["messages"], reply, *body["messages"]]

    with pytest.raises(RequestError, match="deeper than 100 levels"):
        PARSERS[client](body, history=True)


APPROVAL = {"id": "p", "approved": False, "reason": "no"}
TOOL = {"type": "tool-f", "toolCallId": "c", "input": {"x": 1}}
PARTS = [
    {"type": "step-start"},
    {**TOOL, "state": "output-available", "output": {"__aui_modelContent": [HI], "value": 1}},
    {**TOOL, "state": "output-error", "errorText": "no", "rawInput": "{"},
    {**TOOL, "state": "approval-responded", "approval": APPROVAL},
    {**TOOL, "type": "dynamic-tool", "toolName": "f", "state": "output-denied"},
]
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
PROMPT_CALL = {"type": "tool-call", "toolCallId": "c", "toolName": "f", "input": {"x": 1}}
PROMPT_RESULT = {"toolCallId": "c", "toolName": "f", "output": {"type": "json", "value": 1}}
RESULT = {
    "type": "add-tool-result",
    "toolCallId": "c",
    "result": 1,
    "modelContent": [HI, {"type": "file", "data": "aGk=", "mediaType": "a/b"}],
}
LONGER: dict[str, list[Any]] = {
    "transport": [RESULT, {"type": "own", "a": 1}],
    "data-stream": [
        {"role": "system", "content": "s"},
        {"role": "assistant", "content": [HI, PROMPT_CALL]},
        {"role": "tool", "content": [PROMPT_RESULT]},
    ],
    "ui-message": [{"id": "a", "role": "assistant", "parts": PARTS}],
    "ag-ui": [
        {"id": "a", "role": "assistant", "content": "x", "toolCalls": [CALL]},
        {"id": "t", "role": "tool", "toolCallId": "c", "content": [HI], "error": "no"},
    ],
    "openai": [
        {"role": "developer", "content": [HI]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    ],
}
"""What comes after the user's message: something for every line that reads."""


def longer(client: str) -> dict[str, Any]:
    fields = {
        "tools": tools_of(client, 1),
        "context": [{"description": "system", "value": "v"}],
        "resume": [{"interruptId": "i", "status": "resolved"}],
        "stream_options": {"include_usage": True},
        "trigger": "submit-message",
        "state": {"a": 1},
    }
    body = said(client, HI, file_of(client, "data:a/b,x"), **fields)
    body["commands" if client == "transport" else "messages"] += LONGER[client]
    return body


@every_client
@settings(deadline=None)
@given(body=bodies(), trusting=st.booleans())
def test_any_json_is_either_understood_or_refused(client: str, body: Any, trusting: bool) -> None:
    check(client, body, trusting=trusting)


@every_client
@settings(deadline=None)
@given(data=st.data(), trusting=st.booleans())
def test_a_damaged_request_is_either_understood_or_refused(
    client: str, data: st.DataObject, trusting: bool
) -> None:
    check(client, longer(client), trusting=trusting)
    check(client, data.draw(damaged(longer(client))), trusting=trusting)


def check(client: str, body: Any, *, trusting: bool) -> None:
    options = {} if client == "transport" else {"history": trusting, "allow_system": trusting}
    refusal: RequestError | None = None
    try:
        PARSERS[client](body, **options)
    except RequestError as error:
        refusal = error
    assert refusal is None or (refusal.status_code in (400, 413) and len(str(refusal)) < 1000)
