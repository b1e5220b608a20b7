"""`langchain_openai.ChatOpenAI` over its real client: the Responses API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from .provider import Item, Provider, Said, events, json_answer
from .shown import Ask, assert_shows, calls, kinds, reasoning, results, show, sources

Model = Callable[..., ChatOpenAI]

VERSIONS = pytest.mark.parametrize("output_version", ["v0", "responses/v1", "v1"])


@pytest.fixture
def model(provider: Provider) -> Model:
    def make(**options: Any) -> ChatOpenAI:
        return ChatOpenAI(
            model="gpt-5",
            api_key="k",
            base_url=f"{provider.url}/v1",
            use_responses_api=True,
            max_retries=0,
            **options,
        )

    return make


def response(output: Sequence[Item], status: str = "completed", **more: Any) -> Item:
    usage = {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 16,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": "gpt-5",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": usage if status != "in_progress" else None,
        **more,
    }


def said(*items: tuple[Item, Item, list[Item]], **end: Any) -> Said:
    """A response of items, each with how it begins, how it ends and its deltas."""
    frames: list[Item] = [
        {"type": "response.created", "response": response([], "in_progress")},
        {"type": "response.in_progress", "response": response([], "in_progress")},
    ]
    for number, (start, done, deltas) in enumerate(items):
        frames.append({"type": "response.output_item.added", "output_index": number, "item": start})
        frames += [{"item_id": done.get("id"), "output_index": number, **delta} for delta in deltas]
        frames.append({"type": "response.output_item.done", "output_index": number, "item": done})
    last = response([done for _, done, _ in items], **end)
    frames.append({"type": f"response.{last['status']}", "response": last})
    numbered = [{"sequence_number": number, **frame} for number, frame in enumerate(frames)]
    return Said(events(numbered, named=True), json_answer(last))


def text_item(*pieces: str, annotations: Sequence[Item] = ()) -> tuple[Item, Item, list[Item]]:
    message = {"type": "message", "id": "msg_1", "role": "assistant"}
    part = {"type": "output_text", "annotations": [], "logprobs": []}
    deltas: list[Item] = [
        {"type": "response.content_part.added", "content_index": 0, "part": {**part, "text": ""}}
    ]
    deltas += [
        {"type": "response.output_text.delta", "content_index": 0, "delta": piece, "logprobs": []}
        for piece in pieces
    ]
    deltas += [
        {
            "type": "response.output_text.annotation.added",
            "content_index": 0,
            "annotation_index": number,
            "annotation": annotation,
        }
        for number, annotation in enumerate(annotations)
    ]
    full = {**part, "text": "".join(pieces), "annotations": list(annotations)}
    deltas.append(
        {
            "type": "response.output_text.done",
            "content_index": 0,
            "text": full["text"],
            "logprobs": [],
        }
    )
    return (
        {**message, "status": "in_progress", "content": []},
        {**message, "status": "completed", "content": [full]},
        deltas,
    )


def call_item(number: int, name: str, *pieces: str) -> tuple[Item, Item, list[Item]]:
    item = {
        "type": "function_call",
        "id": f"fc_{number}",
        "call_id": f"call_{number}",
        "name": name,
    }
    arguments = "".join(pieces)
    deltas: list[Item] = [
        {"type": "response.function_call_arguments.delta", "delta": piece} for piece in pieces
    ]
    deltas.append({"type": "response.function_call_arguments.done", "arguments": arguments})
    return (
        {**item, "status": "in_progress", "arguments": ""},
        {**item, "status": "completed", "arguments": arguments},
        deltas,
    )


def reasoning_item(*summaries: Sequence[str], **done: Any) -> tuple[Item, Item, list[Item]]:
    item = {"type": "reasoning", "id": "rs_1", "summary": []}
    deltas: list[Item] = []
    for number, pieces in enumerate(summaries):
        whole = {"type": "summary_text", "text": "".join(pieces)}
        place = {"summary_index": number}
        deltas.append(
            {
                "type": "response.reasoning_summary_part.added",
                "part": {"type": "summary_text", "text": ""},
                **place,
            }
        )
        deltas += [
            {"type": "response.reasoning_summary_text.delta", "delta": piece, **place}
            for piece in pieces
        ]
        deltas.append({"type": "response.reasoning_summary_part.done", "part": whole, **place})
    full = [{"type": "summary_text", "text": "".join(pieces)} for pieces in summaries]
    return item, {**item, "summary": full, **done}, deltas


@VERSIONS
@pytest.mark.shows("OpenAI Responses", "text", "usage", "finish reason")
async def test_text_with_usage_and_finish_reason(
    ask: Ask, model: Model, output_version: str
) -> None:
    answer = said(text_item("Hel", "lo"))

    chunks, message = await ask(model(output_version=output_version), answer)

    shown = assert_shows(chunks, message, finish_reason="stop")
    assert message.usage_metadata is not None
    assert shown.text == "Hello"
    assert [chunk.type for chunk in chunks].count("step-start") == 1


@VERSIONS
@pytest.mark.shows("OpenAI Responses", "reasoning")
async def test_each_reasoning_summary_is_a_part_of_its_own(
    ask: Ask, model: Model, output_version: str
) -> None:
    answer = said(
        reasoning_item(("First ", "thought."), ("Second thought.",), encrypted_content="gAAA"),
        text_item("So."),
    )

    chunks, _ = await ask(model(output_version=output_version), answer)

    shown = show(chunks)
    assert reasoning(shown) == ["First thought.", "Second thought."]
    assert shown.text == "So."
    assert "gAAA" not in str(chunks)


@VERSIONS
async def test_an_empty_reasoning_item_shows_nothing(
    ask: Ask, model: Model, output_version: str
) -> None:
    answer = said(reasoning_item(), text_item("So."))

    chunks, message = await ask(model(output_version=output_version), answer)

    assert kinds(assert_shows(chunks, message)) == ["text"]


@VERSIONS
async def test_a_refusal_is_text(ask: Ask, model: Model, output_version: str) -> None:
    part = {"type": "refusal", "refusal": "I will not."}
    start, done, _ = text_item("")
    deltas: list[Item] = [
        {"type": "response.refusal.delta", "content_index": 0, "delta": "I will not."},
        {"type": "response.refusal.done", "content_index": 0, "refusal": "I will not."},
    ]

    chunks, _ = await ask(
        model(output_version=output_version), said((start, {**done, "content": [part]}, deltas))
    )

    assert show(chunks).text == "I will not."


@VERSIONS
@pytest.mark.shows("OpenAI Responses", "parallel calls", "call without arguments")
async def test_parallel_function_calls(ask: Ask, model: Model, output_version: str) -> None:
    answer = said(
        text_item("Looking."),
        call_item(1, "weather", '{"city"', ':"Paris"}'),
        call_item(2, "weather", '{"city":"Rome"}'),
        call_item(3, "clock", "{}"),
    )

    chunks, message = await ask(model(output_version=output_version), answer)

    shown = assert_shows(chunks, message)
    assert calls(shown) == [
        ("call_1", "weather", {"city": "Paris"}),
        ("call_2", "weather", {"city": "Rome"}),
        ("call_3", "clock", {}),
    ]
    assert shown.metadata["steps"][0]["finishReason"] == "tool-calls"


@VERSIONS
@pytest.mark.shows("OpenAI Responses", "sources")
async def test_annotations_are_sources(ask: Ask, model: Model, output_version: str) -> None:
    url = {
        "type": "url_citation",
        "url": "https://a.example/p",
        "title": "Page A",
        "start_index": 0,
        "end_index": 3,
    }
    file = {"type": "file_citation", "file_id": "file-9", "filename": "book.pdf", "index": 3}
    answer = said(text_item("So it says", annotations=[url, url, file]))

    chunks, _ = await ask(model(output_version=output_version), answer)

    shown = show(chunks)
    assert sources(shown) == [("https://a.example/p", "Page A"), ("", "book.pdf")]


@VERSIONS
@pytest.mark.shows("OpenAI Responses", "server-side tools")
async def test_web_search_and_code_are_calls_that_have_run(
    ask: Ask, model: Model, output_version: str
) -> None:
    search = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "x"},
    }
    code = {
        "type": "code_interpreter_call",
        "id": "ci_1",
        "status": "completed",
        "code": "print(1)",
        "container_id": "cntr_1",
        "outputs": [{"type": "logs", "logs": "1"}],
    }
    answer = said((search, search, []), (code, code, []), text_item("Done."))

    chunks, _ = await ask(model(output_version=output_version), answer)

    shown = show(chunks)
    assert kinds(shown) == ["tool-call", "tool-call", "text"]
    names = {call_id: (name, args) for call_id, name, args in calls(shown)}
    assert names["ws_1"][0] == "web_search"
    assert names["ws_1"][1]["query"] == "x"
    assert names["ci_1"][0] == "code_interpreter"
    assert names["ci_1"][1]["code"] == "print(1)"
    assert "logs" in str(results(shown)["ci_1"])
    assert shown.metadata["steps"][0]["finishReason"] == "stop"


@VERSIONS
@pytest.mark.shows("OpenAI Responses", "files")
async def test_a_generated_image_is_a_file(ask: Ask, model: Model, output_version: str) -> None:
    image = {
        "type": "image_generation_call",
        "id": "ig_1",
        "status": "completed",
        "result": "iVBORw0K",
        "output_format": "webp",
    }
    answer = said((image, image, []), text_item("There."))

    chunks, _ = await ask(model(output_version=output_version), answer)

    shown = show(chunks)
    [file] = [part for part in shown.parts if part["type"] == "file"]
    assert file["data"].endswith(";base64,iVBORw0K")
    assert file["mimeType"].startswith("image/")


@VERSIONS
async def test_mcp_calls_carry_their_arguments_and_output(
    ask: Ask, model: Model, output_version: str
) -> None:
    mcp = {
        "type": "mcp_call",
        "id": "mcp_1",
        "server_label": "deepwiki",
        "name": "ask",
        "arguments": '{"repo":"a/b"}',
        "output": "an answer",
        "error": None,
    }
    answer = said((mcp, mcp, []), text_item("Done."))

    chunks, _ = await ask(model(output_version=output_version), answer)

    shown = show(chunks)
    [(call_id, name, args)] = calls(shown)
    assert (call_id, name, args) == ("mcp_1", "ask", {"repo": "a/b"})
    assert results(shown) == {"mcp_1": "an answer"}


async def test_an_incomplete_response_says_why(ask: Ask, model: Model) -> None:
    answer = said(
        text_item("Hel"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}
    )

    chunks, message = await ask(model(), answer)

    assert_shows(chunks, message, finish_reason="length")
