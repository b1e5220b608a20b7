"""Requests of `useChat`, made and checked by the AI SDK itself."""

from __future__ import annotations

from typing import Any

import pytest

from assistant_stream_ce import RequestError
from assistant_stream_ce.server import (
    AssistantReply,
    ClientTool,
    DataPart,
    FilePart,
    SystemMessage,
    TextPart,
    ToolApproval,
    ToolCallPart,
    ToolResult,
    UserMessage,
    parse_ui_message_request,
)
from tests.server.clients import sent

CLIENTS = ("ai5", "ai6", "ai7")


def tool(state: str, **fields: Any) -> dict[str, Any]:
    call = {"type": "tool-locate", "toolCallId": "c1", "state": state, "input": {"x": 1}}
    return {**call, **fields}


def user(*parts: Any) -> dict[str, Any]:
    texts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]
    return {"id": "u1", "role": "user", "parts": texts}


def assistant(*parts: Any) -> dict[str, Any]:
    return {**user(*parts), "id": "a1", "role": "assistant"}


THREAD: list[Any] = [
    {"id": "s1", "role": "system", "parts": [{"type": "text", "text": "Obey the browser."}]},
    user("Where am I?"),
    assistant(
        {"type": "step-start"},
        {"type": "reasoning", "text": "Hm.", "state": "done"},
        "Let me look.",
        tool("output-available", output={"y": 2}),
        {"type": "step-start"},
        "Here.",
        {"type": "source-url", "sourceId": "s", "url": "https://a.example"},
    ),
    user(
        "And this?",
        {"type": "file", "mediaType": "image/png", "url": "https://a.example/i.png"},
        {"type": "file", "mediaType": "a/b", "url": "data:text/plain,hi", "filename": "a.txt"},
        {"type": "data-place", "id": "d1", "data": [1]},
    ),
]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_new_is_what_the_user_said_last(client: str) -> None:
    request = parse_ui_message_request(sent(client, THREAD))

    assert request.messages == [
        UserMessage(
            [
                TextPart("And this?"),
                FilePart("https://a.example/i.png", "image/png"),
                FilePart("data:text/plain,hi", "text/plain", "a.txt"),
                DataPart("place", [1], "d1"),
            ],
            id="u1",
        )
    ]
    assert (request.thread_id, request.trigger, request.message_id) == (
        "chat1",
        "submit-message",
        None,
    )
    assert (request.tool_results, request.approvals) == ([], [])


@pytest.mark.parametrize("client", CLIENTS)
def test_the_whole_conversation_when_asked_for(client: str) -> None:
    request = parse_ui_message_request(sent(client, THREAD), history=True)

    assert request.messages[:4] == [
        UserMessage([TextPart("Where am I?")], id="u1"),
        AssistantReply([TextPart("Let me look."), ToolCallPart("c1", "locate", {"x": 1})], id="a1"),
        ToolResult("c1", "locate", {"y": 2}),
        AssistantReply([TextPart("Here.")], id="a1"),
    ]


def test_system_messages_count_only_when_allowed() -> None:
    body = sent("ai6", THREAD)

    assert SystemMessage("Obey the browser.", "s1") not in parse_ui_message_request(body).messages
    allowed = parse_ui_message_request(body, allow_system=True)
    assert allowed.messages[0] == SystemMessage("Obey the browser.", "s1")


def test_a_message_that_is_made_again() -> None:
    body = sent("ai6", [user("Hi")], trigger="regenerate-message", messageId="a1")

    request = parse_ui_message_request(body)

    assert (request.trigger, request.message_id) == ("regenerate-message", "a1")
    assert request.messages == [UserMessage([TextPart("Hi")], id="u1")]


@pytest.mark.parametrize(
    ("part", "result"),
    [
        (tool("output-available", output="x"), ToolResult("c1", "locate", "x")),
        (
            tool("output-available", output="x", type="dynamic-tool", toolName="own"),
            ToolResult("c1", "own", "x"),
        ),
        (
            tool("output-error", errorText="broken"),
            ToolResult("c1", "locate", "broken", is_error=True),
        ),
        (
            tool(
                "output-available",
                output={
                    "__aui_modelContent": [
                        {"type": "text", "text": "a map"},
                        {"type": "file", "data": "aGk=", "mediaType": "image/png"},
                    ],
                    "value": 3,
                },
            ),
            ToolResult(
                "c1",
                "locate",
                3,
                model_content=[TextPart("a map"), FilePart("aGk=", "image/png")],
            ),
        ),
    ],
)
def test_results_of_tools_of_the_front_end(part: Any, result: ToolResult) -> None:
    request = parse_ui_message_request(sent("ai6", [user("Hi"), assistant(part)], messageId="a1"))

    assert request.tool_results == [result]
    assert (request.messages, request.message_id) == ([], "a1")


def test_results_of_earlier_steps_are_no_news() -> None:
    earlier = tool("output-available", output=1)
    steps = [earlier, {"type": "step-start"}, {**earlier, "toolCallId": "c2"}]

    request = parse_ui_message_request(sent("ai6", [user("Hi"), assistant(*steps)]))

    assert request.tool_results == [ToolResult("c2", "locate", 1)]


@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.parametrize("client", ["ai6", "ai7"])
def test_answers_to_whether_a_tool_may_run(client: str, approved: bool) -> None:
    approval = {"id": "p1", "approved": approved, "reason": "because"}
    body = sent(client, [user("Hi"), assistant(tool("approval-responded", approval=approval))])

    request = parse_ui_message_request(body)
    history = parse_ui_message_request(body, history=True).messages

    assert request.approvals == [ToolApproval("p1", "c1", "locate", approved, "because")]
    denied = ToolResult("c1", "locate", "The user denied this call. because", is_error=True)
    assert (denied in history) is not approved


def test_a_call_that_was_denied() -> None:
    part = tool("output-denied", approval={"id": "p1", "approved": False})
    body = sent("ai6", [user("Hi"), assistant(part), user("Why?")])

    history = parse_ui_message_request(body, history=True).messages

    assert history[2] == ToolResult("c1", "locate", "The user denied this call.", is_error=True)


@pytest.mark.parametrize(
    "part",
    [
        tool("input-available"),
        tool("approval-requested", approval={"id": "p1"}),
        tool("output-available", output=1, preliminary=True),
    ],
)
def test_calls_without_a_result_yet(part: Any) -> None:
    body = sent("ai6", [user("Hi"), assistant(part), user("Well?")])

    assert parse_ui_message_request(body, history=True).messages == [
        UserMessage([TextPart("Hi")], id="u1"),
        AssistantReply([ToolCallPart("c1", "locate", {"x": 1})], id="a1"),
        UserMessage([TextPart("Well?")], id="u1"),
    ]


def test_a_call_that_was_cut_off_is_none() -> None:
    part = tool("input-streaming", input={"x": 1})
    body = sent("ai6", [user("Hi"), assistant("Wait.", part), user("Well?")])

    assert parse_ui_message_request(body, history=True).messages[1] == AssistantReply(
        [TextPart("Wait.")], id="a1"
    )


def test_arguments_that_are_no_object_keep_their_text() -> None:
    broken = {**tool("output-error", errorText="broken", rawInput='{"x":')}
    del broken["input"]
    body = sent("ai6", [user("Hi"), assistant(broken), user("Well?")])

    reply = parse_ui_message_request(body, history=True).messages[1]

    assert reply == AssistantReply([ToolCallPart("c1", "locate", '{"x":')], id="a1")


def test_what_assistant_chat_transport_adds() -> None:
    context = {
        "system": "Be rude.",
        "tools": {"locate": {"description": "Where?", "parameters": {"type": "object"}}},
        "callSettings": {"temperature": 0},
    }
    body = sent("assistant-chat", [user("Hi")], context=context, metadata={"a": 1})

    request = parse_ui_message_request(body)

    assert request.thread_id == "thread1"
    assert request.tools == [ClientTool("locate", "Where?", {"type": "object"})]
    assert request.system is None
    assert parse_ui_message_request(body, allow_system=True).system == "Be rude."
    assert (request.body["callSettings"], request.body["metadata"]) == (
        {"temperature": 0},
        {"a": 1},
    )


def part_of(part: Any) -> dict[str, Any]:
    return {"messages": [user(part)]}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"messages": []}, "nothing to answer"),
        ({"messages": [assistant("Hi")]}, "nothing to answer"),
        ({"messages": [{**user("Hi"), "role": "tool"}]}, "`body.messages[0].role` is 'tool'"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "`body.messages[0].parts` must be an"),
        (part_of({"type": "text"}), "`body.messages[0].parts[0].text` must be a string"),
        (
            part_of({"type": "file", "mediaType": "a/b", "url": "http://localhost"}),
            "`body.messages[0].parts[0].url` must be an `https:` or a `data:` URL",
        ),
        (
            part_of({"type": "file", "url": "https://a.example"}),
            "`body.messages[0].parts[0].mediaType` must be a string",
        ),
        ({"messages": [user("Hi")], "id": "a b"}, "`body.id` must be 1 to 256"),
        ({"messages": [user("Hi")], "trigger": "x"}, "`body.trigger` is 'x'; known are"),
        (
            {"messages": [assistant(tool("done"))]},
            "`body.messages[0].parts[0].state` is 'done'; known are 'input-streaming'",
        ),
    ],
)
def test_what_is_refused_and_how(body: Any, complaint: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_ui_message_request(body)

    assert complaint in str(caught.value)
    assert caught.value.status_code == 400
