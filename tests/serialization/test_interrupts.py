"""An interrupt on the wires that can ask in their own way, read by the real clients."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assistant_stream_ce import AGUIEncoder, create_run
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
    ErrorChunk,
    MessageFinishChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolResultChunk,
)
from assistant_stream_ce.serialization import (
    AssistantTransportEncoder,
    DataStreamEncoder,
    OpenAICompletionEncoder,
    OpenAIStreamEncoder,
    StreamEncoder,
)
from assistant_stream_ce.testing import check_stream
from tests.npm import ask, decode
from tests.serialization import ai_sdk
from tests.serialization.ai_sdk import SDK

APPROVAL = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}, "reason": {"type": "string"}},
    "required": ["approved"],
}


def call(call_id: str, name: str = "send") -> list[AssistantStreamChunk]:
    return [ToolCallBeginChunk(call_id, name), ToolCallArgsTextFinishChunk(call_id, "{}")]


def gate(*calls: str, allowed: tuple[str, ...] = ("approve", "reject")) -> DataPartChunk:
    """The interrupt of the human-in-the-loop middleware about these calls."""
    requests: Any = [{"name": "send", "args": {}, "description": f"Send {item}?"} for item in calls]
    actions: Any = [
        {"id": f"i1:{item}", "tool_call_id": item, "name": "send", "allowed_decisions": [*allowed]}
        for item in calls
    ]
    value = {"action_requests": requests, "review_configs": []}
    return DataPartChunk("interrupt", {"id": "i1", "value": value, "actions": actions}, "i1")


QUESTION = DataPartChunk("interrupt", {"id": "i2", "value": "Which colour?"}, "i2")


def encode(encoder: StreamEncoder, chunks: list[AssistantStreamChunk]) -> str:
    return "".join(map(encoder.encode_chunk, chunks)) + encoder.encode_end()


def interrupts(chunks: list[AssistantStreamChunk]) -> list[dict[str, Any]]:
    """What the AG-UI client has to answer after a run."""
    answer = ask("agui1", encode(AGUIEncoder("t1", "r1"), chunks))
    assert (answer["error"], answer["warnings"]) == (None, [])
    pending: list[dict[str, Any]] = answer["interrupts"]
    return pending


def test_ag_ui_asks_about_each_call_with_a_schema_that_buttons_answer() -> None:
    chunks = [*call("c1"), *call("c2"), gate("c1", "c2"), MessageFinishChunk("tool-calls")]

    first, second = interrupts(chunks)

    assert first["id"] == "i1:c1"
    assert (first["reason"], first["toolCallId"], first["message"]) == (
        "tool_call",
        "c1",
        "Send c1?",
    )
    assert first["responseSchema"] == APPROVAL
    assert second["toolCallId"] == "c2"


def test_ag_ui_asks_what_is_no_approval_as_it_is() -> None:
    schema = {"type": "integer"}
    data: Any = {"id": "i3", "value": {"reason": "input_required"}, "response_schema": schema}

    plain, typed = interrupts([QUESTION, DataPartChunk("interrupt", data, "i3")])

    assert (plain["id"], plain["reason"]) == ("i2", "langgraph:interrupt")
    assert plain["message"] == "Which colour?"
    assert plain["metadata"] == {"value": "Which colour?"}
    assert "responseSchema" not in plain
    assert (typed["reason"], typed["responseSchema"]) == ("input_required", schema)


def test_ag_ui_does_not_ask_after_an_error_and_not_by_another_data_part() -> None:
    chart = DataPartChunk("chart", {"id": "i1", "value": 1}, "i1")

    assert interrupts([chart]) == []
    assert interrupts([DataPartChunk("interrupt", "odd")]) == []
    assert interrupts([QUESTION, ErrorChunk("broken")]) == []
    older = ask("agui0", encode(AGUIEncoder("t1", "r1"), [QUESTION]))
    assert (older["error"], older["warnings"]) == (None, [])


@pytest.mark.parametrize("sdk", ["ai6first", "ai6", "ai7"])
def test_the_ai_sdk_requests_an_approval_for_each_call(sdk: SDK) -> None:
    chunks = [*call("c1"), *call("c2"), gate("c1", "c2"), MessageFinishChunk("tool-calls")]

    seen = ai_sdk.read(ai_sdk.encode(chunks), sdk)

    calls = [part for part in seen.parts if part["type"] == "tool-send"]
    assert [(part["state"], part["approval"]["id"]) for part in calls] == [
        ("approval-requested", "i1:c1"),
        ("approval-requested", "i1:c2"),
    ]


@pytest.mark.parametrize("sdk", ["ai5old", "ai5"])
def test_older_ai_sdks_get_the_data_part_only(sdk: SDK) -> None:
    chunks = [*call("c1"), gate("c1"), MessageFinishChunk("tool-calls")]

    seen = ai_sdk.read(ai_sdk.encode(chunks, 5), sdk)

    assert [part["type"] for part in seen.parts] == ["tool-send", "data-interrupt"]


def test_a_call_that_only_takes_an_answer_requests_no_approval() -> None:
    chunks = [*call("c1"), gate("c1", allowed=("respond",))]

    seen = ai_sdk.read(ai_sdk.encode(chunks), "ai7")

    assert seen.parts[0]["state"] == "input-available"
    (asked,) = interrupts(chunks)
    assert "responseSchema" not in asked


# -- The result of a call that stands in an earlier answer ------------------------------------

EARLIER: list[AssistantStreamChunk] = [
    ToolResultChunk("c0", "done", is_earlier=True),
    ToolResultChunk("c0", "again", is_earlier=True),
    TextDeltaChunk("It is done."),
    MessageFinishChunk("stop"),
]


@pytest.mark.parametrize("sdk", ai_sdk.SDKS)
def test_the_ai_sdk_puts_an_earlier_calls_result_where_the_call_is(sdk: SDK) -> None:
    history = {
        "id": "a1",
        "role": "assistant",
        "parts": [
            {"type": "step-start"},
            {"type": "tool-send", "toolCallId": "c0", "state": "input-available", "input": {}},
        ],
    }

    seen = ai_sdk.read(ai_sdk.encode(EARLIER, ai_sdk.VERSIONS[sdk]), sdk, history=history)

    assert seen.error is None
    assert (seen.parts[0]["state"], seen.parts[0]["output"]) == ("output-available", "done")
    assert seen.parts[-1]["text"] == "It is done."


@pytest.mark.parametrize("version", ["agui0", "agui1"])
def test_ag_ui_tells_the_result_of_an_earlier_call(version: Any) -> None:
    answer = ask(version, encode(AGUIEncoder("t1", "r1"), EARLIER))

    assert answer["error"] is None
    results = [m for m in answer["history"] if m["role"] == "tool"]
    assert [(m["toolCallId"], m["content"]) for m in results] == [("c0", "done")]


async def test_wires_that_cannot_place_it_leave_it_out() -> None:
    check_stream(EARLIER[:1] + EARLIER[2:])
    for encoder, protocol in (
        (DataStreamEncoder(), "data-stream"),
        (AssistantTransportEncoder(), "assistant-transport"),
    ):
        decoded = decode(encode(encoder, EARLIER), protocol).checked()  # type: ignore[arg-type]
        assert [part["type"] for part in decoded.parts] == ["text"]
    assert "tool_calls" not in encode(OpenAIStreamEncoder(), EARLIER)


async def test_a_run_lets_it_through() -> None:
    async def run(controller: Any) -> None:
        async def chunks() -> Any:
            for chunk in EARLIER:
                yield chunk

        await controller.forward(chunks())

    seen = [chunk async for chunk in create_run(run)]

    assert [chunk.result for chunk in seen if isinstance(chunk, ToolResultChunk)] == ["done"]


# -- The whole answer of chat completions -------------------------------------------------------


def test_a_completion_holds_what_the_stream_says() -> None:
    chunks = [TextDeltaChunk("Let me "), TextDeltaChunk("look."), *call("c1")]
    chunks += [
        ToolResultChunk("c1", "ok"),
        *call("c2", "ask"),
        MessageFinishChunk("tool-calls", 3, 4),
    ]

    completion = json.loads(encode(OpenAICompletionEncoder("agent"), chunks))

    assert completion["model"] == "agent"
    assert completion["choices"][0]["finish_reason"] == "tool_calls"
    assert completion["choices"][0]["message"] == {
        "role": "assistant",
        "content": "Let me look.",
        "refusal": None,
        "tool_calls": [
            {"id": "c2", "type": "function", "function": {"name": "ask", "arguments": "{}"}}
        ],
    }
    assert completion["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def test_a_completion_tells_the_error_that_ended_it() -> None:
    warning = ErrorChunk("slow", severity="warning")
    chunks = [ToolCallBeginChunk("c1", "ask"), warning, ErrorChunk("broken", "c1")]

    answer = json.loads(encode(OpenAICompletionEncoder(), chunks))

    assert answer == {
        "error": {"message": "broken", "type": "server_error", "param": None, "code": "c1"}
    }
