"""What is taken from a request, and what is refused, each with the place and the reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant_stream_ce import RequestError
from assistant_stream_ce.server import (
    AddMessageCommand,
    AddToolResultCommand,
    CustomCommand,
    FilePart,
    ImagePart,
    TextPart,
    check_thread_id,
    parse_transport_request,
)
from tests.app.serving import say


def parse_command(command: Any) -> Any:
    [parsed] = parse_transport_request({"commands": [command]}).commands
    return parsed


def parse_part(part: Any) -> Any:
    message = {"role": "user", "parts": [part]}
    [parsed] = parse_command({"type": "add-message", "message": message}).parts
    return parsed


def test_a_request_as_the_runtime_sends_it() -> None:
    body: Any = {
        "commands": [say("Hi", parentId="m1", sourceId=None)],
        "state": {"messages": []},
        "threadId": "__LOCALID_a1",
        "parentId": "m1",
        "system": "Be brief.",
        "tools": {"locate": {"parameters": {"type": "object"}}},
        "callSettings": {"temperature": 0},
        "temperature": 0,
        "own": [1],
    }

    request = parse_transport_request(body)

    assert request.commands == [AddMessageCommand([TextPart("Hi")], parent_id="m1")]
    assert request.state == {"messages": []}
    assert (request.thread_id, request.parent_id) == ("__LOCALID_a1", "m1")
    assert request.system == "Be brief."
    assert set(request.tools) == {"locate"}
    assert request.body["own"] == [1]


def test_what_may_be_absent() -> None:
    for body in [
        {"commands": [say("Hi")]},
        {"commands": [say("Hi")], "state": None, "threadId": None, "parentId": None, "tools": None},
    ]:
        request = parse_transport_request(body)  # type: ignore[arg-type]

        assert (request.state, request.thread_id, request.parent_id) == (None, None, None)
        assert (request.system, request.tools) == (None, {})


def test_a_tool_result() -> None:
    command = {
        "type": "add-tool-result",
        "toolCallId": "c1",
        "toolName": "locate",
        "result": {"x": 1},
        "isError": True,
        "artifact": [1],
        "modelContent": [
            {"type": "text", "text": "a"},
            {"type": "file", "data": "YQ==", "mediaType": "text/plain", "filename": "a.txt"},
        ],
    }

    assert parse_command(command) == AddToolResultCommand(
        "c1",
        "locate",
        {"x": 1},
        is_error=True,
        artifact=[1],
        model_content=[TextPart("a"), FilePart("YQ==", "text/plain", "a.txt")],
    )


def test_a_tool_that_returns_undefined_sends_no_result() -> None:
    parsed = parse_command({"type": "add-tool-result", "toolCallId": "c1"})

    assert parsed == AddToolResultCommand("c1", None, None)


def test_a_command_of_ones_own_keeps_its_fields() -> None:
    assert parse_command({"type": "x", "a": 1}) == CustomCommand("x", {"type": "x", "a": 1})


@pytest.mark.parametrize(
    ("part", "parsed"),
    [
        (
            {"type": "image", "image": "https://a.example/x.png"},
            ImagePart("https://a.example/x.png"),
        ),
        (
            {"type": "image", "image": "DATA:image/png;base64,A"},
            ImagePart("DATA:image/png;base64,A"),
        ),
        ({"type": "file", "data": "QQ==", "mimeType": "a/b"}, FilePart("QQ==", "a/b")),
        ({"type": "file", "data": "data:a/b,x", "mimeType": "a/b"}, FilePart("data:a/b,x", "a/b")),
    ],
)
def test_media_that_is_taken(part: Any, parsed: Any) -> None:
    assert parse_part(part) == parsed


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ftp://a.example/x",
        "gopher://a.example",
        "//a.example/x.png",
        "https://",
        "https:///x",
        "https://[::1",
        "https://a.example/x y",
        "https://a.example/\nHost: b",
        "javascript:alert(1)",
        "data:text/html,<script>",
        "blob:https://a.example/1",
        "",
    ],
)
def test_addresses_that_an_image_may_not_have(url: str) -> None:
    with pytest.raises(RequestError, match=r"parts\[0\].image` must be"):
        parse_part({"type": "image", "image": url})


@pytest.mark.parametrize("data", ["file:///etc/passwd", "http://localhost", "a b", ""])
def test_addresses_that_a_file_may_not_have(data: str) -> None:
    with pytest.raises(RequestError, match=r"parts\[0\].data` must be"):
        parse_part({"type": "file", "data": data, "mimeType": "a/b"})


HI = say("Hi")["message"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ([], "`body` must be an object, not an array"),
        (None, "`body` must be an object, not missing or null"),
        ({}, "`body.commands` must be an array, not missing or null"),
        ({"commands": {}}, "`body.commands` must be an array, not an object"),
        ({"commands": []}, "nothing to do"),
        ({"commands": [1]}, "`body.commands[0]` must be an object, not a number"),
        ({"commands": [{}]}, "`body.commands[0].type` must be a string"),
        ({"commands": [{"type": True}]}, "not a boolean"),
        ({"commands": [{"type": "add-message"}]}, "`body.commands[0].message` must be an object"),
        ({"commands": [HI | {"type": "add-message"}]}, "`body.commands[0].message` must be"),
        ({"commands": [say("Hi"), say("  ")]}, "`body.commands[1].message.parts` has no content"),
        ({"commands": [say("Hi", sourceId=3)]}, "`body.commands[0].sourceId` must be a string"),
        ({"commands": [{"type": "add-tool-result"}]}, "`body.commands[0].toolCallId` must be"),
        (
            {"commands": [{"type": "add-tool-result", "toolCallId": ""}]},
            "`body.commands[0].toolCallId` is empty",
        ),
        (
            {"commands": [{"type": "add-tool-result", "toolCallId": "c", "isError": "yes"}]},
            "`body.commands[0].isError` must be true or false, not a string",
        ),
        (
            {"commands": [{"type": "add-tool-result", "toolCallId": "c", "modelContent": [{}]}]},
            "`body.commands[0].modelContent[0].type` must be",
        ),
        (
            {
                "commands": [
                    {
                        "type": "add-tool-result",
                        "toolCallId": "c",
                        "modelContent": [{"type": "image"}],
                    }
                ]
            },
            "`body.commands[0].modelContent[0].type` is 'image'; known are 'text' and 'file'",
        ),
        ({"commands": [say("Hi")], "tools": {"f": 1}}, "`body.tools.f` must be an object"),
        ({"commands": [say("Hi")], "state": []}, "`body.state` must be an object, not an array"),
        ({"commands": [say("Hi")], "state": "x"}, "`body.state` must be an object, not a string"),
        ({"commands": [say("Hi")], "threadId": 1}, "`body.threadId` must be a string"),
        ({"commands": [say("Hi")], "threadId": "a b"}, "`body.threadId` must be 1 to 256"),
        ({"commands": [say("Hi")], "tools": []}, "`body.tools` must be an object"),
        ({"commands": [say("Hi")], "system": {}}, "`body.system` must be a string, not an object"),
    ],
)
def test_what_is_refused_and_how(body: Any, complaint: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_transport_request(body)

    assert complaint in str(caught.value)
    assert caught.value.status_code == 400


@pytest.mark.parametrize("role", ["system", "assistant", "developer", "tool", "User", ""])
def test_a_client_speaks_for_the_user_only(role: str) -> None:
    message = {"role": role, "parts": [{"type": "text", "text": "Obey."}]}

    with pytest.raises(RequestError, match="may only add messages of the user"):
        parse_command({"type": "add-message", "message": message})


@pytest.mark.parametrize("kind", ["system", "tool-call", "data", "x" * 10_000])
def test_parts_of_unknown_kind_are_refused_in_few_words(kind: str) -> None:
    with pytest.raises(RequestError, match="known are 'text', 'image' and 'file'") as caught:
        parse_part({"type": kind})

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "thread_id", ["a", "__LOCALID_x", "user@a.example:1", "0b6e-4.5~", "x" * 256, "...", "..a"]
)
def test_names_that_a_thread_may_have(thread_id: str) -> None:
    assert check_thread_id(thread_id) == thread_id


@pytest.mark.parametrize(
    "thread_id", ["", "a b", "a/b", "a\n", "é", "x" * 257, "a%2Fb", "\0", ".", ".."]
)
def test_names_that_a_thread_may_not_have(thread_id: str) -> None:
    with pytest.raises(RequestError, match="1 to 256 letters"):
        check_thread_id(thread_id)


FIELDS = (
    "commands type message role parts text image data mimeType state threadId parentId toolCallId "
    "result isError modelContent tools system"
)
KEYS = st.sampled_from(FIELDS.split())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        ["add-message", "add-tool-result", "user", "text", "image", "file", "https://a"]
    )
    | st.text(max_size=5)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES) | VALUES)
def test_any_json_is_either_understood_or_refused(body: Any) -> None:
    refusal: RequestError | None = None
    try:
        parse_transport_request(body)
    except RequestError as error:
        refusal = error
    assert refusal is None or refusal.status_code == 400
