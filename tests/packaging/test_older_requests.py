"""The request models of 0.0.2 at the top level: an endpoint that declares one still works."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import assistant_stream_ce
from assistant_stream_ce import server

REPLACED = {
    "AddMessageCommand": "AddMessageCommand",
    "AddToolResultCommand": "AddToolResultCommand",
    "ChatRequest": "AssistantTransportRequest",
    "MessagePart": "UserMessagePart",
    "UserMessage": "UserMessage",
}

BODY = {
    "commands": [
        {
            "type": "add-message",
            "message": {
                "role": "user",
                "parts": [{"type": "text", "text": "Hi"}, {"type": "image", "image": "data:a"}],
            },
            "parentId": None,
        },
        {"type": "add-tool-result", "toolCallId": "c1", "toolName": "f", "result": {"a": 1}},
    ],
    "system": "s",
    "tools": {"f": {}},
    "runConfig": {"b": 2},
    "state": {"messages": []},
    "threadId": "t",
}


@pytest.mark.parametrize(("name", "replacement"), REPLACED.items())
@pytest.mark.parametrize("module", ["", ".assistant_stream_models"])
def test_importing_one_warns_and_names_what_replaces_it(
    module: str, name: str, replacement: str
) -> None:
    path = f"assistant_stream_ce{module}"

    with pytest.warns(DeprecationWarning, match="is now") as caught:
        assert isinstance(getattr(importlib.import_module(path), name), type)

    [warning] = caught
    assert str(warning.message).startswith(
        f"`{path}.{name}` is now `assistant_stream_ce.server.{replacement}`"
    )
    assert warning.filename == __file__
    assert hasattr(server, replacement)


def test_an_endpoint_that_declares_one_still_works() -> None:
    with pytest.warns(DeprecationWarning, match="parse_transport_request"):
        from assistant_stream_ce import AddMessageCommand, AddToolResultCommand, ChatRequest
    app = FastAPI()
    seen: list[Any] = []

    async def chat(request: Any) -> None:
        seen.append(request)

    chat.__annotations__["request"] = ChatRequest
    app.post("/chat")(chat)

    with TestClient(app) as client:
        assert client.post("/chat", json=BODY).status_code == 200
        assert client.post("/chat", json={"commands": [{"type": "x"}]}).status_code == 422

    [request] = seen
    said, result = request.commands
    assert isinstance(said, AddMessageCommand)
    assert isinstance(result, AddToolResultCommand)
    assert [part.text for part in said.message.parts] == ["Hi", None]
    assert (said.type, said.message.role, said.message.parts[1].image) == (
        *("add-message", "user"),
        "data:a",
    )
    assert (result.type, result.toolCallId, result.result) == ("add-tool-result", "c1", {"a": 1})
    assert (request.system, request.tools, request.runConfig, request.state) == (
        *("s", {"f": {}}),
        {"b": 2},
        {"messages": []},
    )


def test_they_can_be_made_by_hand() -> None:
    with pytest.warns(DeprecationWarning, match="parse_transport_request"):
        from assistant_stream_ce import AddMessageCommand, ChatRequest, MessagePart, UserMessage

    message = UserMessage(parts=[MessagePart(type="text", text="Hi")])
    request = ChatRequest(commands=[AddMessageCommand(message=message)])

    assert ChatRequest(**request.model_dump()) == request


def test_they_are_offered_to_nobody_new() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert not {*REPLACED} & {*dir(assistant_stream_ce), *assistant_stream_ce.__all__}
        with pytest.raises(
            AttributeError, match="`assistant_stream_ce` has no attribute `Nothing`"
        ):
            _ = assistant_stream_ce.Nothing
