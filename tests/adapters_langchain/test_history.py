"""A thread as each client loads it, judged by the clients: what they send back is the history."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_openai import ChatOpenAI

from assistant_stream_ce import (
    AGUIEncoder,
    AssistantTransportEncoder,
    StreamEncoder,
    UIMessageStreamEncoder,
)
from assistant_stream_ce.server import (
    parse_ag_ui_request,
    parse_data_stream_request,
    parse_openai_request,
    parse_ui_message_request,
)
from assistant_stream_langchain import (
    MessageTranslator,
    to_ag_ui_messages,
    to_langchain_messages,
    to_openai_messages,
    to_thread_messages,
    to_ui_messages,
)
from tests.npm import ask, decode
from tests.server.clients import prompt_of, sent

from .provider import Provider, json_answer

PIXEL = "data:image/png;base64,aGk="


def call(call_id: str, **args: Any) -> Any:
    return {"id": call_id, "name": "locate", "args": args, "type": "tool_call"}


HISTORY: list[BaseMessage] = [
    SystemMessage("Be polite.", id="s1"),
    HumanMessage("Where am I?", id="h1"),
    AIMessage(
        [
            {"type": "reasoning", "reasoning": "Hm."},
            {"type": "text", "text": "Let me look."},
        ],
        id="a1",
        tool_calls=[call("c1", x=1), call("c2")],
    ),
    ToolMessage('{"city":"Paris"}', tool_call_id="c1", name="locate", id="t1"),
    ToolMessage("no signal", tool_call_id="c2", name="locate", id="t2", status="error"),
    AIMessage("In Paris.", id="a2"),
    HumanMessage(
        [
            {"type": "text", "text": "And this?"},
            {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
            {"type": "image_url", "image_url": {"url": "https://a.example/i.png"}},
            {"type": "file", "base64": "aGk=", "mime_type": "application/pdf", "filename": "a.pdf"},
        ],
        id="h2",
    ),
    AIMessage(
        [
            {
                "type": "text",
                "text": "A map.",
                "annotations": [
                    {"type": "citation", "url": "https://a.example", "title": "A"},
                    {"type": "citation", "id": "doc-1", "title": "Atlas"},
                ],
            },
            {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
        ],
        id="a3",
    ),
]


def said(messages: list[BaseMessage]) -> list[tuple[Any, ...]]:
    """What two histories have to agree in."""
    return [
        (
            message.type,
            message.text,
            [(made["id"], made["name"], made["args"]) for made in message.tool_calls]
            if isinstance(message, AIMessage)
            else (message.tool_call_id, message.status)
            if isinstance(message, ToolMessage)
            else None,
        )
        for message in messages
    ]


def media(message: BaseMessage) -> list[Any]:
    blocks = [block for block in message.content_blocks if block["type"] != "text"]
    return [
        (block["type"], block.get("base64") or block.get("url"), block.get("mime_type"))
        for block in blocks
    ]


SHOWN = HISTORY[1:]
IMAGES = [
    ("image", "aGk=", "image/png"),
    ("image", "https://a.example/i.png", "image/png"),
    ("file", "aGk=", "application/pdf"),
]


@pytest.mark.parametrize("client", ["ai5", "ai6", "ai7"])
def test_the_ai_sdk_sends_back_what_it_was_given(client: str) -> None:
    messages = to_ui_messages(HISTORY)

    request = parse_ui_message_request(sent(client, messages), history=True)
    back = to_langchain_messages(request.messages)

    assert said(back) == said(SHOWN)
    assert media(back[5]) == IMAGES
    assert [message["id"] for message in messages] == ["h1", "a1", "h2", "a3"]


@pytest.mark.parametrize("client", ["ai5", "ai6"])  # 7 has another form for files in prompts
def test_a_model_sees_what_the_ai_sdk_would_show_it(client: str) -> None:
    messages = to_ui_messages(HISTORY)
    request = parse_ui_message_request(sent(client, messages), history=True)

    ours = to_langchain_messages(request.messages)
    theirs = to_langchain_messages(prompt_of(client, messages))

    assert said(ours) == said(theirs)
    assert media(ours[5]) == media(theirs[5])


def test_ui_messages_have_the_steps_reasoning_sources_and_files() -> None:
    _, first, _, second = to_ui_messages(HISTORY)
    tool = {"type": "tool-locate", "toolCallId": "c1", "input": {"x": 1}}

    assert first["parts"] == [
        {"type": "step-start"},
        {"type": "reasoning", "text": "Hm.", "state": "done"},
        {"type": "text", "text": "Let me look.", "state": "done"},
        {**tool, "state": "output-available", "output": '{"city":"Paris"}'},
        {
            **tool,
            "toolCallId": "c2",
            "input": {},
            "state": "output-error",
            "errorText": "no signal",
        },
        {"type": "step-start"},
        {"type": "text", "text": "In Paris.", "state": "done"},
    ]
    assert second["parts"] == [
        {"type": "step-start"},
        {"type": "text", "text": "A map.", "state": "done"},
        {
            "type": "source-url",
            "sourceId": "https://a.example",
            "url": "https://a.example",
            "title": "A",
        },
        {
            "type": "source-document",
            "sourceId": "doc-1",
            "mediaType": "application/octet-stream",
            "title": "Atlas",
        },
        {"type": "file", "mediaType": "image/png", "url": PIXEL},
    ]


def streamed(encoder: StreamEncoder, turn: list[BaseMessage]) -> str:
    translator = MessageTranslator()
    chunks = [chunk for message in turn for chunk in translator.feed(message)]
    frames = [encoder.encode_chunk(chunk) for chunk in (*chunks, *translator.finish())]
    return "".join(frames) + encoder.encode_end()


TURNS = [HISTORY[2:6], HISTORY[7:]]


@pytest.mark.parametrize("turn", TURNS, ids=["tools", "sources"])
@pytest.mark.parametrize("client", ["ai5", "ai6", "ai7"])
def test_use_chat_shows_a_thread_as_it_showed_the_run(client: Any, turn: list[BaseMessage]) -> None:
    shown = ask(client, streamed(UIMessageStreamEncoder(message_id=turn[0].id), turn))
    [loaded] = to_ui_messages(turn)

    for part in shown["message"]["parts"]:
        if part["type"] == "reasoning":
            part.pop("id", None)  # the wire's own
    assert shown["message"]["id"] == loaded["id"]
    assert shown["message"]["parts"] == loaded["parts"]


@pytest.mark.parametrize("turn", TURNS, ids=["tools", "sources"])
def test_assistant_ui_shows_a_thread_as_it_showed_the_run(turn: list[BaseMessage]) -> None:
    shown = decode(streamed(AssistantTransportEncoder(), turn), "assistant-transport").checked()
    [loaded] = to_thread_messages(turn)
    content: Any = loaded["content"]

    # The client keeps less of a document while it streams.
    names = {"source": ("sourceType", "id", "title")}
    for live, kept in zip(shown.parts, content, strict=True):
        for name in names.get(kept["type"], kept.keys()):
            assert live[name] == kept[name]


@pytest.mark.parametrize("turn", TURNS, ids=["tools", "sources"])
@pytest.mark.parametrize("client", ["agui0", "agui1"])
def test_ag_ui_shows_a_thread_as_it_showed_the_run(client: str, turn: list[BaseMessage]) -> None:
    _, *shown = ask(client, streamed(AGUIEncoder(), turn))["history"]
    loaded = [message for message in to_ag_ui_messages(turn) if message["role"] != "activity"]

    # The events have no place for whether a tool failed.
    assert shown == [{k: v for k, v in item.items() if k != "error"} for item in loaded]


def test_the_flags_of_the_wire_are_those_of_the_history() -> None:
    _, first, *_ = to_ui_messages(HISTORY, dynamic_tools=True, provider_executed=True)
    parts: Any = first["parts"]

    sent("ai6", to_ui_messages(HISTORY, dynamic_tools=True, provider_executed=True))
    assert parts[3]["type"] == "dynamic-tool"
    assert (parts[3]["toolName"], parts[3]["providerExecuted"]) == ("locate", True)


def test_use_data_stream_runtime_sends_back_what_it_was_given() -> None:
    messages = to_thread_messages(HISTORY)

    request = parse_data_stream_request(sent("data-stream", messages, ids=True), history=True)
    back = to_langchain_messages(request.messages)

    assert said(back) == said(SHOWN)
    assert media(back[5]) == IMAGES
    assert [message["id"] for message in messages] == ["h1", "a1", "h2", "a3"]


def test_thread_messages_have_reasoning_results_sources_and_files() -> None:
    history = [
        *HISTORY[:3],
        ToolMessage("x", tool_call_id="c1", artifact={"map": 1}),
        *HISTORY[-1:],
    ]

    _, reply = to_thread_messages(history)
    content: Any = reply["content"]

    assert [part["type"] for part in content] == [
        *("reasoning", "text", "tool-call", "tool-call"),
        *("text", "source", "source", "file"),
    ]
    assert content[2] == {
        "type": "tool-call",
        "toolCallId": "c1",
        "toolName": "locate",
        "args": {"x": 1},
        "argsText": '{"x":1}',
        "result": "x",
        "isError": False,
        "artifact": {"map": 1},
    }
    assert "result" not in content[3]
    assert content[5] == {
        "type": "source",
        "sourceType": "url",
        "id": "https://a.example",
        "url": "https://a.example",
        "title": "A",
    }
    assert content[7] == {"type": "file", "data": PIXEL, "mimeType": "image/png"}
    assert reply["status"] == {"type": "requires-action", "reason": "tool-calls"}


@pytest.mark.parametrize("client", ["agui0", "agui1"])
def test_ag_ui_sends_back_what_it_was_given(client: str) -> None:
    messages = to_ag_ui_messages(HISTORY)

    request = parse_ag_ui_request(sent(client, messages), history=True)
    back = to_langchain_messages(request.messages)

    assert said(back) == said(SHOWN)
    assert media(back[5]) == IMAGES
    assert [message["role"] for message in messages] == [
        *("user", "reasoning", "assistant", "tool", "tool", "assistant", "user", "assistant"),
        *("activity", "activity", "activity"),
    ]
    assert len({message["id"] for message in messages}) == len(messages)


def test_ag_ui_activities_are_the_sources_and_files() -> None:
    *_, url, document, file = to_ag_ui_messages(HISTORY)

    assert (url["activityType"], document["activityType"], file["activityType"]) == (
        *("source", "source"),
        "file",
    )
    assert url["content"] == {
        "sourceType": "url",
        "id": "https://a.example",
        "url": "https://a.example",
        "title": "A",
    }
    assert file["content"] == {"data": PIXEL, "mimeType": "image/png"}


async def test_chat_openai_sends_what_it_was_given(provider: Provider) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
    provider.says(json_answer({"id": "c", "model": "m", "choices": [choice]}))
    model = ChatOpenAI(model="m", api_key="k", base_url=provider.url, max_retries=0)  # type: ignore[arg-type]
    messages: Any = to_openai_messages(HISTORY, system=True)

    await model.ainvoke(messages)

    [body] = provider.requests
    request = parse_openai_request(body, history=True, allow_system=True)
    back = to_langchain_messages(request.messages)
    # The protocol has no place for whether a tool failed.
    expected = [(kind, text, about) for kind, text, about in said(HISTORY) if kind != "tool"]
    assert [item for item in said(back) if item[0] != "tool"] == expected
    assert [item.text for item in back if item.type == "tool"] == ['{"city":"Paris"}', "no signal"]
    assert media(back[6]) == IMAGES


def test_openai_messages_have_reasoning_sources_and_files() -> None:
    messages = to_openai_messages(HISTORY)

    assert messages[1]["reasoning_content"] == "Hm."
    assert messages[-1] == {
        "role": "assistant",
        "content": "A map.",
        "annotations": [
            {"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "A"}},
            {"type": "file_citation", "file_citation": {"file_id": "doc-1", "filename": "Atlas"}},
        ],
        "images": [{"type": "image_url", "image_url": {"url": PIXEL}}],
    }


ALL = [to_thread_messages, to_ui_messages, to_ag_ui_messages, to_openai_messages]


@pytest.mark.parametrize("convert", ALL)
def test_system_prompts_stay_on_the_server(convert: Any) -> None:
    assert "Be polite." not in str(convert(HISTORY))
    assert "Be polite." in str(convert(HISTORY, system=True))


@pytest.mark.parametrize("convert", ALL)
def test_messages_may_come_in_any_form_of_langchains(convert: Any) -> None:
    dicts = [message.model_dump() for message in HISTORY]
    chunks = [
        AIMessageChunk(**message.model_dump(exclude={"type"}))
        if isinstance(message, AIMessage)
        else message
        for message in HISTORY
    ]

    # LangChain writes the arguments of a chunk's calls with a space.
    assert str(convert(chunks)).replace('": ', '":') == str(convert(HISTORY)).replace('": ', '":')
    assert convert(dicts) == convert(HISTORY)
    assert convert([chunk.model_dump() for chunk in chunks]) == convert(HISTORY)
    assert convert([("human", "Hi"), RemoveMessage(id="x")]) == convert([HumanMessage("Hi")])


def test_documents_that_a_tool_found_are_sources() -> None:
    documents = [Document("text", metadata={"source": "https://a.example/d", "title": "D"})]
    history = [
        AIMessage("", id="a1", tool_calls=[call("c1")]),
        ToolMessage("text", tool_call_id="c1", artifact=documents),
    ]

    [message] = to_ui_messages(history)
    parts: Any = message["parts"]

    assert parts[-1]["type"] == "source-url"
    assert (parts[-1]["url"], parts[-1]["title"]) == ("https://a.example/d", "D")


NOT_JSON = "The arguments of the call are not valid JSON."


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([], {"state": "output-error", "errorText": NOT_JSON}),
        (
            [ToolMessage("Error: bad", tool_call_id="c1", status="error")],
            {"state": "output-error", "errorText": "Error: bad"},
        ),
        ([ToolMessage("ok", tool_call_id="c1")], {"state": "output-available", "output": "ok"}),
    ],
)
def test_arguments_that_are_no_json(answer: list[Any], expected: dict[str, Any]) -> None:
    broken = {"id": "c1", "name": "locate", "args": '{"x":', "error": None}
    history = [
        AIMessage("", id="a1", invalid_tool_calls=[{**broken, "type": "invalid_tool_call"}]),
        *answer,
    ]

    [message] = messages = to_ui_messages(history)
    part: Any = message["parts"][1]  # type: ignore[index]
    [thread_message] = to_thread_messages(history)
    shown: Any = thread_message["content"]

    assert {key: part[key] for key in expected} == expected
    assert '{"x":' in (part.get("rawInput"), part.get("input"))
    assert (shown[0]["argsText"], "args" in shown[0]) == ('{"x":', False)
    reply = parse_ui_message_request(sent("ai6", messages), history=True).messages[0]
    assert to_langchain_messages([reply])[0].invalid_tool_calls[0]["args"] == '{"x":'  # type: ignore[attr-defined]


@pytest.mark.parametrize("client", ["ai5", "ai6", "ai7"])
def test_messages_with_nothing_in_them_break_no_client(client: str) -> None:
    history = [HumanMessage("", id="h"), AIMessage("", id="a"), HumanMessage([], id="i")]

    sent(client, to_ui_messages(history))
    assert len(to_thread_messages(history)) == 3
    assert [message["role"] for message in to_ag_ui_messages(history)] == ["user", "user"]


def test_nothing_is_nothing() -> None:
    assert [convert([]) for convert in ALL] == [[], [], [], []]


RICH = [
    HumanMessage(
        [
            {"type": "audio", "base64": "aGk=", "mime_type": "audio/mp3"},
            {"type": "audio", "url": "https://a.example/a.mp3", "mime_type": "audio/mp3"},
        ],
        id="h",
    ),
    AIMessage(
        [
            {"type": "thinking", "thinking": "One.", "signature": "s", "index": 0},
            {"type": "thinking", "thinking": "Two.", "signature": "t", "index": 1},
            {"type": "text", "text": "Here "},
            {"type": "text", "text": "you are."},
            {
                "type": "file",
                "base64": "aGk=",
                "mime_type": "application/pdf",
                "filename": "a.pdf",
            },
        ],
        id="a",
        tool_calls=[call("c1")],
    ),
]
PDF = "data:application/pdf;base64,aGk="


def test_reasoning_parts_stay_apart_and_text_together() -> None:
    _, reply = to_thread_messages(RICH)
    content: Any = reply["content"]

    assert [(part["type"], part.get("text")) for part in content] == [
        ("reasoning", "One."),
        ("reasoning", "Two."),
        ("text", "Here you are."),
        ("file", None),
        ("tool-call", None),
    ]
    assert to_openai_messages(RICH)[1]["reasoning_content"] == "One.\n\nTwo."


def test_a_call_that_waits_says_so() -> None:
    parts: Any = to_ui_messages(RICH)[1]["parts"]
    again = parse_ui_message_request(sent("ai6", to_ui_messages(RICH)), history=True)

    assert (parts[-1]["state"], "output" in parts[-1]) == ("input-available", False)
    assert to_langchain_messages(again.messages)[-1].tool_calls == [call("c1")]  # type: ignore[attr-defined]


def test_names_and_sounds_are_kept() -> None:
    sounds: Any = to_openai_messages(RICH)[0]["content"]
    document: Any = to_openai_messages(RICH)[1]["annotations"]
    activity = to_ag_ui_messages(RICH)[-1]
    thread: Any = to_thread_messages(RICH)
    ui: Any = to_ui_messages(RICH)

    assert sounds == [
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
        {
            "type": "file",
            "file": {"filename": "file.mp3", "file_data": "https://a.example/a.mp3"},
        },
    ]
    assert document == [{"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}]
    assert activity["content"] == {
        "data": PDF,
        "mimeType": "application/pdf",
        "filename": "a.pdf",
    }
    assert thread[1]["content"][3]["filename"] == ui[1]["parts"][4]["filename"] == "a.pdf"
