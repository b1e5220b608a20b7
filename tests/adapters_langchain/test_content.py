"""The content of one message, in the shapes of every provider."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk

from assistant_stream_langchain import MessageTranslator
from assistant_stream_langchain._sources import read_document

from .shown import calls, kinds, reasoning, results, show, sources, translate

LAST = AIMessageChunk(content="", id="m1", chunk_position="last")


def chunk(content: Any, **fields: Any) -> AIMessageChunk:
    return AIMessageChunk(content=content, id="m1", **fields)


@pytest.mark.parametrize(
    "content",
    [
        "Hello",
        ["Hel", "lo"],
        [{"type": "text", "text": "Hello"}],
        [{"type": "text", "text": "Hel", "index": 0}, {"type": "text", "text": "lo", "index": 1}],
        [{"type": "text_delta", "text": "Hello"}],
        [{"type": "output_text", "text": "Hello"}],
        [{"text": "Hello"}],
        [{"type": "refusal", "refusal": "Hello"}],
        [{"type": "non_standard", "value": {"type": "text", "text": "Hello"}}],
        [{"type": "compaction", "encrypted_content": "x"}, "Hello"],
    ],
)
def test_text(content: Any) -> None:
    for message in (chunk(content), AIMessage(content)):
        shown = show(translate([message]))
        assert kinds(shown) == ["text"]
        assert shown.text == "Hello"


def test_a_refusal_beside_empty_content_is_text() -> None:
    kwargs = {"refusal": "I cannot help with that."}
    for message in (chunk("", additional_kwargs=kwargs), AIMessage("", additional_kwargs=kwargs)):
        assert show(translate([message])).text == "I cannot help with that."
    said = show(translate([AIMessage("Hello", additional_kwargs={"refusal": None})]))
    assert said.text == "Hello"


REASONING = {
    "Anthropic": [
        chunk([{"type": "thinking", "thinking": "Let me ", "index": 0}]),
        chunk([{"type": "thinking", "thinking": "think.", "index": 0}]),
        chunk([{"type": "thinking", "thinking": "", "signature": "Eq", "index": 0}]),
    ],
    "LangChain v1": [
        chunk([{"type": "reasoning", "reasoning": "Let me ", "index": "lc_rs_0"}]),
        chunk([{"type": "reasoning", "reasoning": "think.", "index": "lc_rs_0"}]),
        chunk([{"type": "reasoning", "extras": {"signature": "Eq"}, "index": "lc_rs_0"}]),
    ],
    "Responses API, the item's id alone first": [
        chunk([{"type": "reasoning", "id": "rs_1", "summary": [], "index": 0}]),
        chunk([{"type": "reasoning", "summary": [{"index": 0, "text": "Let me "}], "index": 0}]),
        chunk([{"type": "reasoning", "summary": [{"index": 0, "text": "think."}], "index": 0}]),
        chunk([{"type": "reasoning", "summary": [], "encrypted_content": "gA", "index": 0}]),
    ],
    "Bedrock Converse, the signature on its own chunk": [
        chunk(
            [{"type": "reasoning_content", "reasoning_content": {"text": "Let me "}, "index": 0}]
        ),
        chunk([{"type": "reasoning_content", "reasoning_content": {"text": "think."}, "index": 0}]),
        chunk(
            [{"type": "reasoning_content", "reasoning_content": {"signature": "Eq"}, "index": 0}]
        ),
    ],
    "DeepSeek, Qwen, xAI, Ollama": [
        chunk("", additional_kwargs={"reasoning_content": "Let me "}),
        chunk("", additional_kwargs={"reasoning_content": "think."}),
    ],
    "Groq and OpenRouter": [
        chunk("", additional_kwargs={"reasoning": "Let me "}),
        chunk("", additional_kwargs={"reasoning": "think."}),
    ],
    "Responses API, version 0": [
        chunk("", additional_kwargs={"reasoning": {"summary": [{"index": 0, "text": "Let me "}]}}),
        chunk("", additional_kwargs={"reasoning": {"summary": [{"index": 0, "text": "think."}]}}),
    ],
    "Mistral": [
        chunk([{"type": "thinking", "thinking": [{"type": "text", "text": "Let me "}]}]),
        chunk([{"type": "thinking", "thinking": [{"type": "text", "text": "think."}]}]),
    ],
    "tags in the text": [
        chunk("\n<thi"),
        chunk("nk>Let me "),
        chunk("think.</th"),
        chunk("ink>"),
    ],
}


@pytest.mark.parametrize("provider", REASONING)
def test_reasoning_is_reasoning_and_not_text(provider: str) -> None:
    chunks = translate([*REASONING[provider], chunk("Yes."), LAST])

    shown = show(chunks)

    assert reasoning(shown) == ["Let me think."]
    assert shown.text == "Yes."
    assert "Eq" not in str(chunks)


def test_reasoning_beside_blocks_that_hold_it_too_is_told_once() -> None:
    message = AIMessage(
        [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."}],
        additional_kwargs={"reasoning_content": "Hm."},
    )

    assert reasoning(show(translate([message]))) == ["Hm."]


def test_reasoning_blocks_next_to_each_other_are_parts_of_their_own() -> None:
    message = AIMessage(
        [
            {"type": "reasoning", "summary": [{"text": "One."}, {"text": "Two."}]},
            {"type": "reasoning", "reasoning": "Three."},
            {"type": "text", "text": "Yes."},
        ]
    )

    assert reasoning(show(translate([message]))) == ["One.", "Two.", "Three."]


@pytest.mark.parametrize(
    "text",
    ["a <think> b", "<thinking", "<think", "  \n ", "<b>bold</b>", "x</think>y"],
)
def test_text_that_only_looks_like_a_reasoning_tag_stays_text(text: str) -> None:
    letters = [chunk(letter) for letter in text]

    for messages in (
        [*letters, LAST],
        [AIMessage(text)],
        [*letters, LAST, AIMessage(text, id="m1")],
    ):
        shown = show(translate(messages))
        assert shown.text == text
        assert reasoning(shown) == []


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_reasoning_tags_may_be_cut_anywhere(size: int) -> None:
    text = "<think>a < b</thin</think>\n\nYes.</think>"
    pieces = [chunk(text[i : i + size]) for i in range(0, len(text), size)]

    shown = show(translate([*pieces, LAST, AIMessage(text, id="m1")]))

    assert reasoning(shown) == ["a < b</thin"]
    assert shown.text == "\n\nYes.</think>"


PAGE = ("https://a.example/p", "Page A")
BOOK = ("", "Book")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (AIMessage([{"type": "text", "text": "x", "annotations": [a]}]), e)
        for a, e in [
            ({"type": "citation", "url": PAGE[0], "title": PAGE[1]}, PAGE),
            ({"type": "url_citation", "url": PAGE[0], "title": PAGE[1]}, PAGE),
            ({"type": "url_citation", "url_citation": {"url": PAGE[0], "title": PAGE[1]}}, PAGE),
            ({"type": "file_citation", "file_id": "f1", "filename": "Book", "index": 3}, BOOK),
            ({"type": "citation", "title": "Book", "extras": {"file_id": "f1"}}, BOOK),
            ({"type": "char_location", "document_title": "Book", "document_index": 0}, BOOK),
            (
                {"type": "non_standard_annotation", "value": {"url": PAGE[0], "title": PAGE[1]}},
                PAGE,
            ),
            ({"type": "search_result_location", "source": PAGE[0], "title": PAGE[1]}, PAGE),
            ({"location": {"web": {"url": PAGE[0]}}, "title": PAGE[1]}, PAGE),
        ]
    ]
    + [
        (
            AIMessage("x", additional_kwargs={"annotations": [{"url": PAGE[0], "title": PAGE[1]}]}),
            PAGE,
        ),
        (AIMessage("x", additional_kwargs={"citations": [PAGE[0]]}), (PAGE[0], None)),
        (
            AIMessage(
                "x",
                additional_kwargs={
                    "search_results": [{"url": PAGE[0], "title": PAGE[1], "date": "2026"}],
                    "citations": [PAGE[0]],
                },
            ),
            PAGE,
        ),
        (
            AIMessage(
                "x",
                response_metadata={
                    "grounding_metadata": {
                        "grounding_chunks": [{"web": {"uri": PAGE[0], "title": PAGE[1]}}]
                    }
                },
            ),
            PAGE,
        ),
    ],
)
def test_citations_are_sources(message: AIMessage, expected: tuple[str, str]) -> None:
    shown = show(translate([message]))

    assert sources(shown) == [expected]
    assert shown.text == "x"


@pytest.mark.parametrize(
    ("document", "source"),
    [
        (Document("x", metadata={"source": PAGE[0], "title": PAGE[1]}), PAGE),
        (Document("x", metadata={"source": "docs/a.md"}), ("", "docs/a.md")),
        (Document("x", metadata={"file_path": "a.pdf", "title": "Book"}), BOOK),
        (Document("x", id="1", metadata={"name": "Book"}), BOOK),
        (Document("Some  words of it"), ("", "Some words of it")),
        (Document("word " * 40), ("", "word " * 11 + "word…")),
    ],
)
def test_documents_are_sources(document: Document, source: tuple[str, str]) -> None:
    translator = MessageTranslator()
    chunks = translator.add_documents([document, document], parent_id="task")

    assert sources(show(chunks)) == [source]
    assert translator.add_documents([document]) == []


def test_a_source_is_told_once_in_a_run() -> None:
    cited = [{"type": "text", "text": "x", "annotations": [{"url": "https://a.example"}] * 2}]

    assert len(sources(show(translate([AIMessage(cited), AIMessage(cited)])))) == 1


PNG = "data:image/png;base64,aGk="


@pytest.mark.parametrize(
    ("block", "data", "mime_type"),
    [
        ({"type": "image", "base64": "aGk=", "mime_type": "image/png"}, PNG, "image/png"),
        ({"type": "image", "url": "https://a.example/i"}, "https://a.example/i", "image/png"),
        (
            {"type": "image", "source_type": "base64", "data": "aGk=", "mime_type": "image/png"},
            PNG,
            "image/png",
        ),
        ({"type": "image_url", "image_url": {"url": PNG}}, PNG, "image/png"),
        ({"type": "image_url", "image_url": PNG}, PNG, "image/png"),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
            },
            PNG,
            "image/png",
        ),
        ({"image": {"format": "png", "source": {"bytes": b"hi"}}}, PNG, "image/png"),
        (
            {"type": "image_generation_call", "id": "ig", "result": "aGk=", "output_format": "png"},
            PNG,
            "image/png",
        ),
        (
            {"type": "audio", "base64": "aGk=", "mime_type": "audio/mpeg"},
            "data:audio/mpeg;base64,aGk=",
            "audio/mpeg",
        ),
        (
            {"type": "file", "base64": "aGk=", "mime_type": "application/pdf"},
            "data:application/pdf;base64,aGk=",
            "application/pdf",
        ),
        (
            {"type": "media", "mime_type": "video/mp4", "file_uri": "https://a.example/v"},
            "https://a.example/v",
            "video/mp4",
        ),
    ],
)
def test_media_are_files(block: dict[str, Any], data: str, mime_type: str) -> None:
    for message in (chunk([block]), AIMessage([block])):
        [part] = show(translate([message])).parts
        assert (part["type"], part["data"], part["mimeType"]) == ("file", data, mime_type)


def test_media_the_client_cannot_fetch_are_left_out() -> None:
    assert show(translate([AIMessage([{"type": "image", "file_id": "file-1"}, "x"])])).text == "x"


@pytest.mark.parametrize("url", ["javascript:alert(1)", " JavaScript:alert(1)", "blob:x"])
def test_a_file_that_would_run_something_is_left_out(url: str) -> None:
    assert translate([AIMessage([{"type": "image", "url": url}])])[1:-1] == []
    kwargs = {"images": [{"image_url": url}]}
    assert translate([AIMessage("", additional_kwargs=kwargs)])[1:-1] == []


def test_an_image_that_an_older_client_put_beside_the_content_is_a_file() -> None:
    output = {"type": "image_generation_call", "id": "ig", "result": "aGk="}

    [part] = show(translate([AIMessage("", additional_kwargs={"tool_outputs": [output]})])).parts

    assert part["data"] == PNG


def test_spoken_answers_are_told_as_audio_and_transcript() -> None:
    message = AIMessage("", additional_kwargs={"audio": {"data": "aGk=", "transcript": "Hi."}})

    shown = show(translate([message]))

    assert kinds(shown) == ["text", "file"]
    assert shown.text == "Hi."


SERVER_TOOLS = {
    "LangChain v1, whole": [
        chunk(
            [
                {
                    "type": "server_tool_call",
                    "id": "s",
                    "name": "web_search",
                    "args": {"query": "x"},
                },
                {
                    "type": "server_tool_result",
                    "tool_call_id": "s",
                    "status": "success",
                    "output": ["found"],
                },
            ]
        )
    ],
    "LangChain v1, streamed": [
        chunk([{"type": "server_tool_call_chunk", "id": "s", "name": "web_search", "index": 1}]),
        chunk([{"type": "server_tool_call_chunk", "args": '{"query":', "index": 1}]),
        chunk([{"type": "server_tool_call_chunk", "args": ' "x"}', "index": 1}]),
        chunk(
            [{"type": "server_tool_result", "tool_call_id": "s", "output": ["found"], "index": 2}]
        ),
    ],
    "Anthropic, merged": [
        chunk(
            [
                {
                    "type": "server_tool_use",
                    "id": "s",
                    "name": "web_search",
                    "input": {},
                    "partial_json": '{"query": "x"}',
                },
                {"type": "web_search_tool_result", "tool_use_id": "s", "content": ["found"]},
            ]
        )
    ],
    "Responses API": [
        chunk(
            [
                {
                    "type": "web_search_call",
                    "id": "s",
                    "status": "completed",
                    "action": {"query": "x", "sources": ["found"]},
                }
            ]
        )
    ],
}


@pytest.mark.parametrize("shape", SERVER_TOOLS)
def test_tools_that_the_provider_runs_are_calls_with_results(shape: str) -> None:
    messages = [
        *SERVER_TOOLS[shape],
        chunk("", response_metadata={"stop_reason": "end_turn"}, chunk_position="last"),
    ]

    shown = show(translate(messages))

    assert calls(shown) == [("s", "web_search", {"query": "x"})]
    assert results(shown) == {"s": ["found"]}
    assert shown.metadata["steps"][0]["finishReason"] == "stop"


def test_gemini_code_execution_is_a_call_with_a_result() -> None:
    message = AIMessage(
        [
            {"type": "executable_code", "executable_code": "print(1)", "language": "PYTHON"},
            {"type": "code_execution_result", "code_execution_result": "1", "outcome": 1},
        ]
    )

    shown = show(translate([message]))

    [(call_id, name, args)] = calls(shown)
    assert (name, args["code"]) == ("code_execution", "print(1)")
    assert results(shown) == {call_id: "1"}


def test_a_server_tool_that_failed_is_an_error() -> None:
    failed = {
        "type": "web_search_tool_result",
        "tool_use_id": "s",
        "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
    }
    call = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}

    [part] = show(translate([AIMessage([call, failed])])).parts

    assert part["isError"] is True


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"finish_reason": "stop"}, "stop"),
        ({"finish_reason": "STOP"}, "stop"),
        ({"finish_reason": "FinishReason.MAX_TOKENS"}, "length"),
        ({"finish_reason": "content_filter"}, "content-filter"),
        ({"finish_reason": "SAFETY"}, "content-filter"),
        ({"finish_reason": "MALFORMED_FUNCTION_CALL"}, "error"),
        ({"stop_reason": "end_turn"}, "stop"),
        ({"stop_reason": "tool_use"}, "tool-calls"),
        ({"stopReason": "guardrail_intervened"}, "content-filter"),
        ({"done_reason": "length"}, "length"),
        ({"status": "completed"}, "stop"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            "content-filter",
        ),
        ({"finish_reason": "something_new"}, "other"),
        ({}, "unknown"),
    ],
)
def test_finish_reasons_of_every_provider(metadata: dict[str, Any], reason: str) -> None:
    [step] = show(translate([AIMessage("x", response_metadata=metadata)])).metadata["steps"]

    assert step["finishReason"] == reason


@pytest.mark.parametrize("reason", ["STOP", "stop", None])
def test_a_message_with_calls_ends_its_step_with_tool_calls(reason: str | None) -> None:
    message = AIMessage(
        "",
        tool_calls=[{"name": "f", "args": {}, "id": "a"}],
        response_metadata={"finish_reason": reason},
    )

    [step] = show(translate([message])).metadata["steps"]

    assert step["finishReason"] == "tool-calls"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript://%0aalert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
    ],
)
def test_a_source_that_would_run_something_is_named_but_not_linked(url: str) -> None:
    cited = [{"type": "text", "text": "x", "annotations": [{"url": url, "title": "Page"}]}]
    found = Document("x", metadata={"source": f"{url}//x", "title": "Page"})

    assert sources(show(translate([AIMessage(cited)]))) == [("", "Page")]
    assert read_document(found).url == ""
