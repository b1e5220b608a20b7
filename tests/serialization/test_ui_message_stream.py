"""The text of UI message stream frames. What clients make of them is in `test_ai_sdk.py`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assistant_stream_ce import RunController, create_run
from assistant_stream_ce.chunks import (
    AnnotationsChunk,
    AssistantStreamChunk,
    DataChunk,
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce.serialization import (
    AISDKVersion,
    UIMessageStreamEncoder,
    UIMessageStreamResponse,
)
from assistant_stream_ce.serialization.heartbeat import SSE_HEARTBEAT
from assistant_stream_ce.serialization.stream_encoder import STREAM_FAILED
from tests.npm import decode
from tests.serialization.ai_sdk import SDK, encode, read

PARENT = '"providerMetadata":{"assistant-stream":{"parentId":"p"}}'

FRAMES: list[tuple[AssistantStreamChunk, list[str]]] = [
    (
        TextDeltaChunk('a"\n'),
        ['{"type":"text-start","id":"0"}', r'{"type":"text-delta","id":"0","delta":"a\"\n"}'],
    ),
    (
        TextDeltaChunk("a", "p"),
        [
            '{"type":"text-start","id":"0",' + PARENT + "}",
            '{"type":"text-delta","id":"0","delta":"a"}',
        ],
    ),
    (
        ReasoningDeltaChunk("a"),
        [
            '{"type":"reasoning-start","id":"0"}',
            '{"type":"reasoning-delta","id":"0","delta":"a"}',
        ],
    ),
    (
        ReasoningPartStartChunk("s"),
        [
            (
                '{"type":"reasoning-start","id":"0",'
                '"providerMetadata":{"assistant-stream":{"summary":"s"}}}'
            )
        ],
    ),
    (
        SourceChunk("s", "https://a.b", title="t", parent_id="p"),
        [
            '{"type":"source-url","sourceId":"s","url":"https://a.b",' + PARENT + ',"title":"t"}',
        ],
    ),
    (
        SourceChunk("s", "", "document"),
        [
            (
                '{"type":"source-document","sourceId":"s",'
                '"mediaType":"application/octet-stream","title":"s"}'
            )
        ],
    ),
    (
        SourceChunk("s", "", "document", media_type="text/plain", filename="f.txt"),
        [
            (
                '{"type":"source-document","sourceId":"s","mediaType":"text/plain","title":"f.txt",'
                '"filename":"f.txt"}'
            )
        ],
    ),
    (
        FileChunk("aGk=", "text/plain"),
        ['{"type":"file","url":"data:text/plain;base64,aGk=","mediaType":"text/plain"}'],
    ),
    (
        FileChunk("https://a.b/c.png", "image/png", "p"),
        ['{"type":"file","url":"https://a.b/c.png","mediaType":"image/png",' + PARENT + "}"],
    ),
    (
        FileChunk("data:image/png;base64,xyz", "image/png"),
        ['{"type":"file","url":"data:image/png;base64,xyz","mediaType":"image/png"}'],
    ),
    (DataPartChunk("n", {"a": None}), ['{"type":"data-n","data":{"a":null}}']),
    (DataPartChunk("n", 1, id="d"), ['{"type":"data-n","id":"d","data":1}']),
    (DataChunk([1]), ['{"type":"data-data","data":[1]}']),
    (
        AnnotationsChunk([1]),
        ['{"type":"message-metadata","messageMetadata":{"annotations":[1]}}'],
    ),
    (ErrorChunk("boom", "code", "critical"), ['{"type":"error","errorText":"boom"}']),
    (
        ErrorChunk("slow", "code", "warning"),
        [
            (
                '{"type":"data-error",'
                '"data":{"message":"slow","code":"code","severity":"warning"},"transient":true}'
            )
        ],
    ),
    (
        UpdateStateChunk([{"type": "set", "path": ["a"], "value": 1}]),
        [
            (
                '{"type":"data-update-state","data":[{"type":"set","path":["a"],"value":1}],'
                '"transient":true}'
            )
        ],
    ),
    (UpdateStateChunk([]), []),
    (StepStartChunk("m"), []),  # A stream begins with a step.
    (StepFinishChunk("stop", 1, 2), ['{"type":"finish-step"}']),
    (MessageFinishChunk("stop", 1, 2), []),
    (ToolCallBeginChunk("c", "t"), ['{"type":"tool-input-start","toolCallId":"c","toolName":"t"}']),
]

BEGIN = ToolCallBeginChunk("c", "t")
ARGS = ToolCallDeltaChunk("c", '{"q":1}')


def frames_of(wire: str) -> list[str]:
    frames = wire.split("\n\n")
    assert frames.pop() == ""
    assert all(frame.startswith("data: ") for frame in frames)
    return [frame.removeprefix("data: ") for frame in frames]


def types_of(*chunks: AssistantStreamChunk) -> list[str]:
    *frames, done = frames_of(encode(chunks).decode())
    assert done == "[DONE]"
    return [json.loads(frame)["type"] for frame in frames]


def finish_of(
    *chunks: AssistantStreamChunk, version: AISDKVersion = 6, **options: Any
) -> dict[str, Any]:
    wire = encode(chunks, UIMessageStreamEncoder(version, **options)).decode()
    finish: dict[str, Any] = json.loads(frames_of(wire)[-2])
    assert finish.pop("type") == "finish"
    return finish


# -- Chunks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("chunk", "frames"), FRAMES, ids=lambda value: getattr(value, "type", ""))
def test_the_frames_of_a_chunk(chunk: AssistantStreamChunk, frames: list[str]) -> None:
    start, step, *rest = frames_of(UIMessageStreamEncoder().encode_chunk(chunk))

    assert (start, step) == ('{"type":"start"}', '{"type":"start-step"}')
    assert rest == frames


@pytest.mark.parametrize(
    ("chunk", "frames"),
    [
        (
            ToolCallDeltaChunk("c", '{"'),
            [r'{"type":"tool-input-delta","toolCallId":"c","inputTextDelta":"{\""}'],
        ),
        (
            ToolCallArgsTextFinishChunk("c"),
            [
                '{"type":"tool-input-delta","toolCallId":"c","inputTextDelta":"{}"}',
                '{"type":"tool-input-available","toolCallId":"c","toolName":"t",'
                + PARENT
                + ',"input":{}}',
            ],
        ),
        (
            ToolResultChunk("c", {"r": 1}),
            [
                '{"type":"tool-input-delta","toolCallId":"c","inputTextDelta":"{}"}',
                '{"type":"tool-input-available","toolCallId":"c","toolName":"t",'
                + PARENT
                + ',"input":{}}',
                '{"type":"finish-step"}',
                '{"type":"start-step"}',
                '{"type":"tool-output-available","toolCallId":"c","output":{"r":1}}',
            ],
        ),
    ],
)
def test_the_frames_of_a_chunk_within_a_tool_call(
    chunk: AssistantStreamChunk, frames: list[str]
) -> None:
    encoder = UIMessageStreamEncoder()
    encoder.encode_chunk(ToolCallBeginChunk("c", "t", "p"))

    assert frames_of(encoder.encode_chunk(chunk)) == frames


def test_an_error_result_is_a_text() -> None:
    chunks = [BEGIN, ARGS, ToolResultChunk("c", {"reason": "down"}, is_error=True)]

    frames = frames_of(encode(chunks).decode())

    assert r'{"type":"tool-output-error","toolCallId":"c","errorText":"{\"reason\":\"down\"}"}' in (
        frames
    )


def test_a_data_part_that_is_replaced_does_not_split_text() -> None:
    chunks: list[AssistantStreamChunk] = [
        DataPartChunk("progress", 1, id="d"),
        TextDeltaChunk("a"),
        DataPartChunk("progress", 2, id="d"),
        TextDeltaChunk("b"),
    ]

    assert read(encode(chunks), "ai6").parts == [
        {"type": "data-progress", "id": "d", "data": 2},
        {"type": "text", "text": "ab", "state": "done"},
    ]


def test_annotations_add_up() -> None:
    chunks: list[AssistantStreamChunk] = [AnnotationsChunk([1]), AnnotationsChunk([2])]

    assert read(encode(chunks), "ai6").metadata == {"annotations": [1, 2]}


# -- Steps ------------------------------------------------------------------------------------


def test_the_results_of_all_calls_end_the_step() -> None:
    second: list[AssistantStreamChunk] = [
        ToolCallBeginChunk("d", "t"),
        ToolCallArgsTextFinishChunk("d", "{}"),
    ]

    assert types_of(
        StepStartChunk("m1"),
        BEGIN,
        ARGS,
        *second,
        StepFinishChunk("tool-calls"),
        ToolResultChunk("d", 1),
        ToolResultChunk("c", 1),
        StepStartChunk("m2"),
        TextDeltaChunk("a"),
        StepFinishChunk("stop"),
    ) == [
        "start",
        "start-step",
        "tool-input-start",
        "tool-input-delta",
        "tool-input-start",
        "tool-input-delta",
        "tool-input-available",
        "tool-input-available",
        "finish-step",
        "tool-output-available",
        "start-step",
        "tool-output-available",
        "text-start",
        "text-delta",
        "text-end",
        "finish-step",
        "finish",
    ]


def test_a_step_waits_until_the_arguments_of_another_model_call_are_complete() -> None:
    assert types_of(BEGIN, StepStartChunk("m2"), ARGS, ToolCallArgsTextFinishChunk("c")) == [
        "start",
        "start-step",
        "tool-input-start",
        "tool-input-delta",
        "tool-input-available",
        "start-step",
        "finish-step",
        "finish-step",
        "finish",
    ]


def test_the_end_of_a_step_that_never_began_is_left_out() -> None:
    assert types_of(StepStartChunk("m1"), StepFinishChunk("stop"), StepFinishChunk("stop")) == [
        "start",
        "start-step",
        "finish-step",
        "finish",
    ]


def test_without_a_word_about_steps_there_is_one() -> None:
    assert types_of(TextDeltaChunk("a")) == [
        "start",
        "start-step",
        "text-start",
        "text-delta",
        "text-end",
        "finish-step",
        "finish",
    ]


# -- Arguments that are no JSON ---------------------------------------------------------------

BROKEN: list[AssistantStreamChunk] = [BEGIN, ToolCallDeltaChunk("c", '{"q":')]


@pytest.mark.parametrize("sdk", ["ai5old", "ai6first", "ai7"])
@pytest.mark.parametrize(
    "rest",
    [[], [StepStartChunk("m2"), TextDeltaChunk("a")], [ErrorChunk("boom")]],
    ids=["end", "step", "error"],
)
def test_a_call_that_nobody_can_run_has_failed(rest: list[AssistantStreamChunk], sdk: SDK) -> None:
    version: AISDKVersion = 5 if sdk == "ai5old" else 6
    result = read(encode([*BROKEN, *rest], version), sdk, chat=True)

    part = result.parts[0]
    assert part["state"] == "output-error"
    assert part["errorText"] == "The arguments of the call are not valid JSON."
    assert result.chat is not None
    assert result.chat.tool_calls == []
    assert result.chat.requests == 1


@pytest.mark.parametrize("sdk", ["ai5old", "ai5", "ai6first", "ai6", "ai7"])
def test_a_failed_result_says_why(sdk: SDK) -> None:
    version: AISDKVersion = 5 if sdk.startswith("ai5") else 6
    chunks = [*BROKEN, ToolResultChunk("c", "no such query", is_error=True)]

    (part,) = read(encode(chunks, version), sdk).parts

    assert (part["state"], part["errorText"]) == ("output-error", "no such query")
    assert part.get("input", part.get("rawInput")) == '{"q":'


@pytest.mark.parametrize(
    "args",
    ["[" * 500 + "]" * 500, "[" * 1500 + "]" * 1500, "NaN", '{"a":1}x', "plain words", ""],
    ids=["deep", "very deep", "NaN", "more", "words", "nothing"],
)
def test_whatever_the_arguments_are_the_call_closes(args: str) -> None:
    chunks = [BEGIN, ToolCallDeltaChunk("c", args), ToolResultChunk("c", "ok")]

    result = read(encode(chunks), "ai6")

    assert result.error is None
    assert [(part["state"], part["output"]) for part in result.parts] == [
        ("output-available", "ok")
    ]


# -- The end ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [6, 7])
def test_the_finish_reason_is_told(version: AISDKVersion) -> None:
    assert finish_of(MessageFinishChunk("length"), version=version) == {"finishReason": "length"}
    assert finish_of(MessageFinishChunk("unknown"), version=version) == {}
    assert finish_of(version=version) == {}


def test_version_5_is_told_no_finish_reason() -> None:
    assert finish_of(MessageFinishChunk("length"), version=5) == {}


def test_a_call_that_waits_is_a_finish_reason() -> None:
    assert finish_of(BEGIN, ARGS) == {"finishReason": "tool-calls"}
    assert finish_of(BEGIN, ARGS, ToolResultChunk("c", 1)) == {}


def test_usage_is_in_the_metadata() -> None:
    usage = {"messageMetadata": {"usage": {"inputTokens": 3, "outputTokens": 5}}}
    steps = [StepFinishChunk("tool-calls", 1, 2), StepFinishChunk("stop", 2, 3)]

    assert finish_of(*steps) == usage
    assert finish_of(*steps, MessageFinishChunk("stop")) == usage | {"finishReason": "stop"}
    assert finish_of(*steps, MessageFinishChunk("stop", 3, 5)) == usage | {"finishReason": "stop"}


def test_nothing_follows_a_fatal_error() -> None:
    assert types_of(TextDeltaChunk("a"), ErrorChunk("boom"), TextDeltaChunk("b")) == [
        "start",
        "start-step",
        "text-start",
        "text-delta",
        "text-end",
        "error",
    ]


@pytest.mark.parametrize("sdk", ["ai5old", "ai6", "ai7"])
async def test_a_run_that_raises_ends_with_an_error(sdk: SDK) -> None:
    async def run(controller: RunController) -> None:
        controller.append_text("a")
        raise ValueError("boom")

    version: AISDKVersion = 5 if sdk == "ai5old" else 6
    encoder = UIMessageStreamEncoder(version)
    wire = "".join([frame async for frame in encoder.encode_stream(create_run(run))])

    assert wire.endswith('data: {"type":"error","errorText":"boom"}\n\ndata: [DONE]\n\n')
    assert read(wire.encode(), sdk).error == "Error: boom"


async def test_a_stream_that_raises_tells_nothing_internal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def chunks() -> Any:
        yield TextDeltaChunk("a")
        raise ValueError("secret")

    wire = "".join([frame async for frame in UIMessageStreamEncoder().encode_stream(chunks())])

    assert f'"errorText":"{STREAM_FAILED}"' in wire
    assert "secret" not in wire
    assert "secret" in caplog.text


# -- Options ----------------------------------------------------------------------------------


def test_the_message_gets_an_id() -> None:
    wire = encode([TextDeltaChunk("a")], UIMessageStreamEncoder(message_id="m1"))

    assert (read(wire, "ai6").message or {})["id"] == "m1"


@pytest.mark.parametrize("message_id", ["m1", None])
@pytest.mark.parametrize("sdk", ["ai5old", "ai5", "ai6first", "ai6", "ai7"])
def test_a_stream_continues_a_message(sdk: SDK, message_id: str | None) -> None:
    version: AISDKVersion = 5 if sdk.startswith("ai5") else 6
    done = {"type": "text", "text": "before", "state": "done"}
    history = {"id": "m1", "role": "assistant", "parts": [done]}
    encoder = UIMessageStreamEncoder(version, message_id=message_id)

    result = read(encode([TextDeltaChunk("after")], encoder), sdk, history=history)

    assert (result.message or {})["id"] == "m1"
    assert result.parts == [done, {"type": "text", "text": "after", "state": "done"}]


@pytest.mark.parametrize("sdk", ["ai5old", "ai5", "ai6first", "ai6", "ai7"])
def test_heartbeats_are_skipped(sdk: SDK) -> None:
    wire = encode([TextDeltaChunk("a")], 5 if sdk.startswith("ai5") else 6)
    beating = wire.replace(b"\n\n", b"\n\n" + SSE_HEARTBEAT.encode())

    assert read(beating, sdk) == read(wire, sdk)
    assert decode(beating, "ui-message-stream").checked().text == "a"


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="`version` must be 5, 6 or 7, not 4"):
        UIMessageStreamEncoder(4)  # type: ignore[arg-type]


def test_the_response_hands_its_arguments_on() -> None:
    async def run(controller: RunController) -> None: ...

    response = UIMessageStreamResponse(create_run(run), version=5, status_code=201)

    assert response.status_code == 201
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert response.headers["x-accel-buffering"] == "no"


async def test_an_encoder_serves_many_streams() -> None:
    encoder = UIMessageStreamEncoder(message_id="m1", dynamic_tools=True)

    async def run(controller: RunController) -> None:
        (await controller.add_tool_call("t", "c")).set_response(1)

    first = "".join([frame async for frame in encoder.encode_stream(create_run(run))])
    second = "".join([frame async for frame in encoder.encode_stream(create_run(run))])

    assert first == second
    assert '"messageId":"m1"' in first
    assert '"dynamic":true' in first
