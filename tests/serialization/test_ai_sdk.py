"""Every case of the table as a UI message stream, read by five versions of the AI SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    ErrorChunk,
    ReasoningDeltaChunk,
    TextDeltaChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)
from assistant_stream_ce.serialization import UIMessageStreamEncoder
from assistant_stream_ce.state.operations import apply_operations
from tests.serialization.ai_sdk import SDK, SDKS, VERSIONS, encode, parts_of, read
from tests.serialization.cases import CASES, Case, Part, by_name
from tests.serialization.strategies import chunk_lists


def text(value: str, **more: Any) -> Part:
    return {"type": "text", "text": value, "state": "done", **more}


def done_call(**more: Any) -> Part:
    fields = {"toolCallId": "c1", "state": "output-available", "input": {"q": 1}, "output": "ok"}
    return {"type": "tool-search", **fields, **more}


OTHERWISE: dict[str, list[Part]] = {
    # After the result comes the next step, and what is in it is a part of its own.
    "text between arguments": [done_call(), text("ab"), text("c")],
    "arguments that are no JSON": [done_call(input='{"q":')],
    "metadata does not split text": [text("a"), {"type": "data-data", "data": 1}, text("b")],
    "a data part": [{"type": "data-chart", "id": "d1", "data": {"points": [1, 2]}}],
}
"""The parts of the cases that this wire shows in another way."""


def expected_parts(case: Case, sdk: SDK) -> list[Part]:
    if case.name in OTHERWISE:
        return OTHERWISE[case.name]
    parts = [ui_part(part) for part in case.parts]
    for part in parts:
        if part["type"] == "file" and sdk not in ("ai6", "ai7"):
            part.pop("providerMetadata", None)  # Older versions lose it.
    return parts + [{"type": "data-data", "data": item} for item in case.data]


def ui_part(part: Part) -> Part:
    kept = {"parentId": part.get("parentId"), "summary": part.get("unstable_summary")}
    kept = {name: value for name, value in kept.items() if value is not None}
    more: Part = {"providerMetadata": {"assistant-stream": kept}} if kept else {}
    match part["type"]:
        case "text" | "reasoning":
            return {"type": part["type"], "text": part["text"], "state": "done", **more}
        case "tool-call":
            return ui_call(part, more)
        case "source" if part["sourceType"] == "url":
            fields = {"sourceId": part["id"], "url": part["url"]}
            return {"type": "source-url", **fields, **titled(part), **more}
        case "source":
            fields = {"sourceId": "s1", "mediaType": "application/pdf", "filename": "report.pdf"}
            return {"type": "source-document", **fields, **titled(part)}
        case "file":
            url = f"data:{part['mimeType']};base64,{part['data']}"
            return {"type": "file", "mediaType": part["mimeType"], "url": url, **more}
        case _:
            return {"type": f"data-{part['name']}", "data": part["data"]}


def titled(part: Part) -> Part:
    return {"title": part["title"]} if "title" in part else {}


def ui_call(part: Part, more: Part) -> Part:
    call = {
        "type": f"tool-{part['toolName']}",
        "toolCallId": part["toolCallId"],
        "state": "input-available",
        "input": part["args"],
    }
    if more:
        call["callProviderMetadata"] = more["providerMetadata"]
    if part.get("isError"):
        call |= {"state": "output-error", "errorText": part["result"]}
    elif "result" in part:
        call |= {"state": "output-available", "output": part["result"]}
    return call


def expected_error(case: Case) -> str | None:
    """What the client reports: a fatal error. Warnings are no errors on this wire."""
    for chunk in case.chunks:
        if isinstance(chunk, ErrorChunk) and chunk.severity in (None, "critical"):
            return f"Error: {chunk.error}" if chunk.error else "Error"
    return None


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_client_shows_the_expected_message(case: Case, sdk: SDK) -> None:
    wire = encode(case.chunks, VERSIONS[sdk])

    whole = read(wire, sdk, chat=True)

    assert whole.warnings == []
    assert whole.error == expected_error(case)
    assert whole.parts == expected_parts(case, sdk)
    assert whole.metadata.get("annotations", []) == case.annotations
    split = read(wire, sdk, split=1 if len(wire) < 5_000 else 1_021)
    assert (split.message, split.error, split.warnings) == (whole.message, whole.error, [])
    assert whole.chat is not None
    assert whole.chat.error == expected_error(case)
    assert whole.chat.requests == 1
    assert sorted(whole.chat.tool_calls) == [part["toolCallId"] for part in called(case)]
    assert (whole.chat.message or {}).get("metadata") == (whole.message or {}).get("metadata")
    if expected_error(case) is None:
        # The engine drops a message that a failed run has not changed; else they are the same.
        assert parts_of(whole.chat.message) == whole.all_parts
        assert state_of(whole.chat.data) == case.state


def state_of(data: list[dict[str, Any]]) -> Any:
    state: Any = None
    for part in data:
        if part["type"] == "data-update-state":
            assert part["transient"] is True
            state = apply_operations(state, part["data"])
    return state


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_client_never_shows_what_is_not_in_the_message(case: Case, sdk: SDK) -> None:
    result = read(encode(case.chunks, VERSIONS[sdk]), sdk, messages=True)

    for message in result.messages:
        for shown, final in zip(parts_of(message), result.all_parts, strict=False):
            assert shown["type"] == final["type"]
            assert units(final.get("text", "")).startswith(units(shown.get("text", "")))


def units(value: str) -> bytes:
    """JavaScript's view of a text: half a surrogate pair is a prefix of the whole."""
    return value.encode("utf-16-le", "surrogatepass")


OPTIONS: list[dict[str, Any]] = [
    {"dynamic_tools": True},
    {"provider_executed": True},
    {"dynamic_tools": True, "provider_executed": True},
]


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("options", OPTIONS, ids="+".join)
def test_the_client_keeps_the_flags_of_every_call(options: dict[str, Any], sdk: SDK) -> None:
    is_dynamic = "dynamic_tools" in options
    for case in CASES:
        wire = encode(case.chunks, UIMessageStreamEncoder(VERSIONS[sdk], **options))

        result = read(wire, sdk, chat=True)

        assert (result.error, result.warnings) == (expected_error(case), [])
        calls = [part for part in result.parts if "toolCallId" in part]
        for shown, expected in zip(calls, called(case), strict=True):
            assert shown["type"] == ("dynamic-tool" if is_dynamic else expected["type"])
            assert shown["state"] == expected["state"]
            if not (is_dynamic and sdk in ("ai5old", "ai5")):  # which keep it of static calls only
                assert shown.get("providerExecuted") is options.get("provider_executed")
        assert result.chat is not None
        assert result.chat.requests == 1
        if "provider_executed" in options:
            assert result.chat.tool_calls == []


def called(case: Case) -> list[Part]:
    return [part for part in expected_parts(case, "ai7") if "toolCallId" in part]


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("call_id", ["__proto__", "constructor", "toString", "", "0"])
def test_a_call_may_have_any_id(call_id: str, sdk: SDK) -> None:
    chunks: list[AssistantStreamChunk] = [
        ToolCallBeginChunk(call_id, call_id),
        ToolCallDeltaChunk(call_id, '{"q":1}'),
        ToolResultChunk(call_id, "ok"),
    ]

    result = read(encode(chunks, VERSIONS[sdk]), sdk)

    assert result.error is None
    assert result.parts == [done_call(type=f"tool-{call_id}", toolCallId=call_id)]


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(chunks=chunk_lists(), size=st.integers(1, 9))
@pytest.mark.parametrize("sdk", SDKS)
def test_any_order_of_chunks_is_accepted(
    sdk: SDK, chunks: list[AssistantStreamChunk], size: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    wire = encode(chunks, VERSIONS[sdk])

    result = read(wire, sdk, split=size, chat=True)

    said = [json.loads(frame[6:]) for frame in wire.decode().split("\n\n")[:-2]]
    errors = [frame["errorText"] for frame in said if frame["type"] == "error"]
    assert (result.error is not None) == bool(errors)
    assert result.warnings == []
    assert result.chat is not None
    assert result.chat.requests == 1
    assert all(part.get("state", "done") in FINAL_STATES for part in result.parts)
    for kind in ("text", "reasoning"):
        shown = "".join(part["text"] for part in result.parts if part["type"] == kind)
        assert units(shown) == units(told(chunks, kind))
    ids = [part["toolCallId"] for part in result.parts if "toolCallId" in part]
    assert len(ids) == len(set(ids))


def told(chunks: list[AssistantStreamChunk], kind: str) -> str:
    """The text or the reasoning up to a fatal error, where the client stops reading."""
    deltas: list[str] = []
    for chunk in chunks:
        match chunk:
            case TextDeltaChunk() if kind == "text":
                deltas.append(chunk.text_delta)
            case ReasoningDeltaChunk() if kind == "reasoning":
                deltas.append(chunk.reasoning_delta)
            case ErrorChunk(severity=None | "critical"):
                break
            case _:
                pass
    return "".join(deltas)


FINAL_STATES = ("done", "input-available", "output-available", "output-error")
