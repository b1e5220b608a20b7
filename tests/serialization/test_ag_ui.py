"""AG-UI, read by the real `HttpAgent` of both versions of its client."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant_stream_ce import AGUIEncoder, AGUIResponse, create_run
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
from assistant_stream_ce.server import parse_ag_ui_request
from tests.npm import ask
from tests.serialization.cases import CASES, Case, by_name
from tests.serialization.strategies import chunk_lists

Version = Literal["agui0", "agui1"]
VERSIONS: list[Version] = ["agui0", "agui1"]

CALL: list[AssistantStreamChunk] = [
    ToolCallBeginChunk("c1", "search"),
    ToolCallDeltaChunk("c1", '{"q":1}'),
]

USER = {"id": "u1", "role": "user", "content": "Hi"}


@dataclass(frozen=True)
class Seen:
    """What the client has after a run."""

    history: list[dict[str, Any]]
    state: Any
    custom: list[dict[str, Any]]
    sub_agents: list[dict[str, Any]]
    run_error: dict[str, Any] | None

    @property
    def texts(self) -> list[str]:
        return [m["content"] for m in self.history if m["role"] == "assistant" and "content" in m]

    @property
    def calls(self) -> list[tuple[str, str, str]]:
        return [
            (call["id"], call["function"]["name"], call["function"]["arguments"])
            for message in self.history
            for call in message.get("toolCalls", [])
        ]

    @property
    def results(self) -> dict[str, str]:
        return {m["toolCallId"]: m["content"] for m in self.history if m["role"] == "tool"}


def encode(chunks: list[AssistantStreamChunk], **options: Any) -> bytes:
    encoder = AGUIEncoder("t1", "r1", **options)
    wire = "".join(map(encoder.encode_chunk, chunks)) + encoder.encode_end()
    return encoder.escape(wire).encode()


def read(wire: bytes | str, version: Version, **options: Any) -> Seen:
    """Have the client read a wire; it must have nothing to complain about."""
    answer = ask(version, wire, **options)
    assert (answer["error"], answer["warnings"]) == (None, [])
    user, *history = answer["history"]
    assert user == USER
    return Seen(history, answer["state"], answer["custom"], answer["subAgents"], answer["runError"])


# -- The table ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_client_has_the_expected_messages(case: Case, version: Version) -> None:
    wire = encode(case.chunks)

    seen = read(wire, version)

    assert read(wire, version, split=1 if len(wire) < 5_000 else 1_021) == seen
    assert_has(seen, case)


def assert_has(seen: Seen, case: Case) -> None:
    def of_type(part_type: str) -> list[dict[str, Any]]:
        return [part for part in case.parts if part["type"] == part_type]

    assert "".join(seen.texts) == "".join(part["text"] for part in of_type("text"))
    reasoning = [m["content"] for m in seen.history if m["role"] == "reasoning"]
    assert reasoning == [part["text"] for part in of_type("reasoning")]
    assert seen.calls == [
        (part["toolCallId"], part["toolName"], part["argsText"]) for part in of_type("tool-call")
    ]
    results = {p["toolCallId"]: p["result"] for p in of_type("tool-call") if "result" in p}
    assert {call: parsed(text) for call, text in seen.results.items()} == results
    assert seen.state == ({} if case.state is None else case.state)
    errors = [chunk for chunk in case.chunks if isinstance(chunk, ErrorChunk)]
    fatal = [chunk for chunk in errors if chunk.severity in (None, "critical")]
    assert (seen.run_error or {}).get("message") == (fatal[0].error if fatal else None)
    assert seen.custom == custom_events(case.chunks)
    ids = [message["id"] for message in seen.history]
    assert len(set(ids)) == len(ids)


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def custom_events(chunks: list[AssistantStreamChunk]) -> list[dict[str, Any]]:
    """What has no event of its own."""
    events: list[tuple[str, Any]] = []
    for chunk in chunks:
        match chunk:
            case DataChunk():
                events.append(("data", chunk.data))
            case AnnotationsChunk():
                events.append(("annotations", chunk.annotations))
            case DataPartChunk():
                events.append((chunk.name, chunk.data))
            case ErrorChunk(severity="warning" | "info"):
                events.append(("error", {"message": chunk.error, "severity": chunk.severity}))
            case SourceChunk() | FileChunk():
                names = {
                    "source_type": "sourceType",
                    "id": "id",
                    "url": "url",
                    "data": "data",
                    "mime_type": "mimeType",
                    "title": "title",
                    "media_type": "mediaType",
                    "filename": "filename",
                    "parent_id": "parentId",
                }
                found = {names[n]: getattr(chunk, n) for n in names if hasattr(chunk, n)}
                value = {name: item for name, item in found.items() if item is not None}
                events.append((chunk.type, value))
            case _:
                pass
    return [{"name": name, "value": value} for name, value in events]


@pytest.mark.parametrize("case", [case for case in CASES if case.drops], ids=by_name)
def test_a_dropped_chunk_is_reported_once_per_reason(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        encode(case.chunks)

    assert len(caplog.records) == case.drops


@pytest.mark.parametrize("version", VERSIONS)
def test_heartbeats_are_skipped(version: Version) -> None:
    wire = encode([StepStartChunk("s"), TextDeltaChunk("a"), *CALL]).decode()

    beating = wire.replace("\n\n", f"\n\n{AGUIEncoder.heartbeat}")

    assert read(beating, version, split=1) == read(wire, version)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chunk_lists(), st.integers(1, 9))
def test_any_chunks_in_any_order_are_accepted(
    caplog: pytest.LogCaptureFixture, chunks: list[AssistantStreamChunk], size: int
) -> None:
    caplog.set_level(logging.CRITICAL)
    wire = encode(chunks)

    older, newer = (read(wire, version, split=size) for version in VERSIONS)

    if newer.state:  # The older client does not take a state that is null, false, 0 or "".
        assert older == newer
    assert older.history == newer.history
    ids = [message["id"] for message in newer.history]
    assert len(set(ids)) == len(ids)


# -- Messages ----------------------------------------------------------------------------------


def layout(chunks: list[AssistantStreamChunk], version: Version) -> list[tuple[Any, ...]]:
    """Each message as role, id without what is made up, text, and ids of its calls."""
    shown: list[tuple[Any, ...]] = []
    for message in read(encode(chunks), version).history:
        name = message["id"]
        if name.startswith("msg_"):
            name = "m" + name[len("msg_") + 24 :]
        calls = [call["id"] for call in message.get("toolCalls", [])]
        shown.append((message["role"], name, message.get("content"), *calls))
    return shown


@pytest.mark.parametrize("version", VERSIONS)
class TestMessages:
    def test_each_step_is_a_message(self, version: Version) -> None:
        chunks: list[AssistantStreamChunk] = [
            StepStartChunk("s1"),
            ReasoningDeltaChunk("hm"),
            TextDeltaChunk("Let me look."),
            *CALL,
            StepFinishChunk("tool-calls"),
            ToolResultChunk("c1", {"n": 1}),
            StepStartChunk("s2"),
            TextDeltaChunk("One."),
            StepFinishChunk("stop"),
            MessageFinishChunk("stop"),
        ]

        assert layout(chunks, version) == [
            ("reasoning", "s1_r0", "hm"),
            ("assistant", "s1", "Let me look.", "c1"),
            ("tool", "c1_result", '{"n":1}'),
            ("assistant", "s2", "One."),
        ]

    def test_text_after_a_result_is_a_message_of_its_own(self, version: Version) -> None:
        chunks: list[AssistantStreamChunk] = [
            TextDeltaChunk("a"),
            *CALL,
            ToolResultChunk("c1", 1),
            TextDeltaChunk("b"),
            DataPartChunk("n", 1),
            TextDeltaChunk("c"),
        ]

        assert layout(chunks, version) == [
            ("assistant", "m", "a", "c1"),
            ("tool", "c1_result", "1"),
            ("assistant", "m_2", "bc"),
        ]

    def test_a_result_in_the_middle_of_a_text_does_not_split_it(self, version: Version) -> None:
        chunks: list[AssistantStreamChunk] = [
            *CALL,
            TextDeltaChunk("a"),
            ToolResultChunk("c1", 1),
            TextDeltaChunk("b"),
        ]

        assert layout(chunks, version) == [
            ("assistant", "m", "ab", "c1"),
            ("tool", "c1_result", "1"),
        ]

    def test_calls_side_by_side_are_of_one_message(self, version: Version) -> None:
        chunks: list[AssistantStreamChunk] = [
            *CALL,
            ToolCallBeginChunk("c2", "search"),
            ToolResultChunk("c1", 1),
            TextDeltaChunk("a"),
            ToolResultChunk("c2", 2),
        ]

        assert layout(chunks, version) == [
            ("assistant", "m", "a", "c1", "c2"),
            ("tool", "c1_result", "1"),
            ("tool", "c2_result", "2"),
        ]

    def test_text_after_a_step_is_a_message_of_its_own(self, version: Version) -> None:
        chunks: list[AssistantStreamChunk] = [
            TextDeltaChunk("a"),
            StepStartChunk("s1"),
            TextDeltaChunk("b"),
            StepStartChunk("s2"),
            StepFinishChunk("stop"),
            TextDeltaChunk("c"),
            StepFinishChunk("stop"),
            TextDeltaChunk("d"),
        ]

        assert layout(chunks, version) == [
            ("assistant", "m", "a"),
            ("assistant", "s1", "b"),
            ("assistant", "s2", "c"),
            ("assistant", "s2_2", "d"),
        ]

    def test_steps_of_one_name_are_two_messages(self, version: Version) -> None:
        chunks: list[AssistantStreamChunk] = [
            StepStartChunk("s"),
            TextDeltaChunk("a"),
            StepStartChunk("s"),
            TextDeltaChunk("b"),
            StepStartChunk(""),
            TextDeltaChunk("c"),
        ]

        assert layout(chunks, version) == [
            ("assistant", "s", "a"),
            ("assistant", "s_2", "b"),
            ("assistant", "step", "c"),
        ]

    def test_ids_of_messages_never_meet(self, version: Version) -> None:
        chunks: list[AssistantStreamChunk] = [
            StepStartChunk("c1_result"),
            TextDeltaChunk("a"),
            *CALL,
            ToolResultChunk("c1", 1),
            StepStartChunk("s"),
            ReasoningDeltaChunk("b"),
            StepStartChunk("s_r2"),
            TextDeltaChunk("c"),
        ]

        messages = layout(chunks, version)

        assert [(role, text) for role, _, text, *_ in messages] == [
            ("assistant", "a"),
            ("tool", "1"),
            ("reasoning", "b"),
            ("assistant", "c"),
        ]
        assert len({name for _, name, *_ in messages}) == 4

    def test_a_message_that_the_client_has_is_left_alone(self, version: Version) -> None:
        older = [USER, {"id": "s", "role": "assistant", "content": "older"}]
        wire = encode([StepStartChunk("s"), TextDeltaChunk("a")], known_message_ids=["u1", "s"])

        assert read(wire, version, history=older).history == [
            older[1],
            {"id": "s_2", "role": "assistant", "content": "a"},
        ]

    def test_what_a_tool_call_is_the_parent_of_is_a_sub_agents(self, version: Version) -> None:
        chunks: list[AssistantStreamChunk] = [
            StepStartChunk("s1"),
            ToolCallBeginChunk("c1", "research"),
            ToolCallArgsTextFinishChunk("c1"),
            TextDeltaChunk("let me", "c1"),
            ReasoningDeltaChunk("hm", "c1"),
            ToolCallBeginChunk("c2", "search", "c1"),
            TextDeltaChunk("deeper", "c2"),
            ToolResultChunk("c2", "found"),
            TextDeltaChunk("done", "c1"),
            ToolResultChunk("c1", "report"),
            TextDeltaChunk("late", "c1"),
            TextDeltaChunk("Here you are."),
        ]

        seen = read(encode(chunks), version)

        assert seen.sub_agents == [
            {"subagentRunId": "c1", "name": "research", "parentToolCallId": "c1"},
            {
                "subagentRunId": "c2",
                "name": "search",
                "parentToolCallId": "c2",
                "parentSubagentRunId": "c1",
            },
            {"subagentRunId": "c2", "finished": True},
            {"subagentRunId": "c1", "finished": True},
        ]
        assert [
            (m["role"], m["id"], m.get("content"), m.get("subagentRunId")) for m in seen.history
        ] == [
            ("assistant", "s1", None, None),
            ("tool", "c1_result", "report", None),
            ("assistant", "s1_c1", "let me", "c1"),
            ("tool", "c2_result", "found", "c1"),
            ("reasoning", "s1_c1_r1", "hm", "c1"),
            ("assistant", "s1_c2", "deeper", "c2"),
            ("assistant", "s1_c1_2", "donelate", "c1"),
            ("assistant", "s1_2", "Here you are.", None),
        ]

    def test_a_parent_that_is_no_call_is_no_sub_agent(self, version: Version) -> None:
        seen = read(encode([TextDeltaChunk("a", "p"), ReasoningDeltaChunk("b", "p")]), version)

        assert seen.sub_agents == []
        assert [message["content"] for message in seen.history] == ["a", "b"]


# -- Frames ------------------------------------------------------------------------------------

FRAMES: list[tuple[AssistantStreamChunk, list[str]]] = [
    (
        TextDeltaChunk('a"'),
        [
            '{"type":"TEXT_MESSAGE_START","messageId":"s","role":"assistant"}',
            '{"type":"TEXT_MESSAGE_CONTENT","messageId":"s","delta":"a\\""}',
        ],
    ),
    (TextDeltaChunk(""), ['{"type":"TEXT_MESSAGE_START","messageId":"s","role":"assistant"}']),
    (
        ReasoningDeltaChunk("a"),
        [
            '{"type":"REASONING_START","messageId":"s_r0"}',
            '{"type":"REASONING_MESSAGE_START","messageId":"s_r0","role":"reasoning"}',
            '{"type":"REASONING_MESSAGE_CONTENT","messageId":"s_r0","delta":"a"}',
        ],
    ),
    (
        ReasoningPartStartChunk("Plan"),
        [
            '{"type":"REASONING_START","messageId":"s_r0"}',
            '{"type":"REASONING_MESSAGE_START","messageId":"s_r0","role":"reasoning"}',
        ],
    ),
    (
        ToolCallBeginChunk("c", "t"),
        [('{"type":"TOOL_CALL_START","toolCallId":"c","toolCallName":"t","parentMessageId":"s"}')],
    ),
    (DataChunk([1]), ['{"type":"CUSTOM","name":"data","value":[1]}']),
    (AnnotationsChunk([1]), ['{"type":"CUSTOM","name":"annotations","value":[1]}']),
    (DataPartChunk("chart", None), ['{"type":"CUSTOM","name":"chart","value":null}']),
    (
        SourceChunk("s", "u"),
        ['{"type":"CUSTOM","name":"source","value":{"sourceType":"url","id":"s","url":"u"}}'],
    ),
    (
        FileChunk("x", "y/z"),
        ['{"type":"CUSTOM","name":"file","value":{"data":"x","mimeType":"y/z"}}'],
    ),
    (
        ErrorChunk("slow", "busy", "warning"),
        [
            (
                '{"type":"CUSTOM","name":"error","value":'
                '{"message":"slow","code":"busy","severity":"warning"}}'
            )
        ],
    ),
    (
        ErrorChunk("boom", "busy"),
        [
            '{"type":"STEP_FINISHED","stepName":"s"}',
            '{"type":"RUN_ERROR","message":"boom","code":"busy"}',
        ],
    ),
    (StepFinishChunk("stop"), ['{"type":"STEP_FINISHED","stepName":"s"}']),
    (MessageFinishChunk("stop"), []),
    (UpdateStateChunk([]), []),
    (
        UpdateStateChunk([{"type": "set", "path": ["a"], "value": 1}]),
        ['{"type":"STATE_SNAPSHOT","snapshot":{"a":1}}'],
    ),
]


@pytest.mark.parametrize(("chunk", "frames"), FRAMES, ids=lambda value: getattr(value, "type", ""))
def test_the_frames_of_a_chunk(chunk: AssistantStreamChunk, frames: list[str]) -> None:
    encoder = AGUIEncoder("t", "r")
    assert encoder.encode_chunk(StepStartChunk("s")) == (
        'data: {"type":"RUN_STARTED","threadId":"t","runId":"r"}\n\n'
        'data: {"type":"STEP_STARTED","stepName":"s"}\n\n'
    )

    assert encoder.encode_chunk(chunk) == "".join(f"data: {frame}\n\n" for frame in frames)


def test_the_frames_of_a_tool_call() -> None:
    encoder = AGUIEncoder()
    encoder.encode_chunk(ToolCallBeginChunk("c", "t"))

    assert encoder.encode_chunk(ToolCallDeltaChunk("c", "")) == ""
    assert encoder.encode_chunk(ToolCallDeltaChunk("c", "[")) == (
        'data: {"type":"TOOL_CALL_ARGS","toolCallId":"c","delta":"["}\n\n'
    )
    assert encoder.encode_chunk(ToolResultChunk("c", [1])) == (
        'data: {"type":"TOOL_CALL_END","toolCallId":"c"}\n\n'
        'data: {"type":"TOOL_CALL_RESULT","messageId":"c_result","toolCallId":"c",'
        '"content":"[1]","role":"tool"}\n\n'
    )


def test_a_run_that_fails_ends_with_the_error() -> None:
    encoder = AGUIEncoder()
    encoder.encode_chunk(TextDeltaChunk("a"))
    encoder.encode_chunk(ErrorChunk("boom"))

    assert encoder.encode_chunk(TextDeltaChunk("b")) == ""
    assert encoder.encode_end() == ""


def test_an_encoder_serves_many_streams() -> None:
    encoder = AGUIEncoder()
    chunks: list[AssistantStreamChunk] = [TextDeltaChunk("a"), ErrorChunk("boom")]
    first = "".join(map(encoder.encode_chunk, chunks))
    encoder.reset()

    second = "".join(map(encoder.encode_chunk, chunks))

    assert len(first) == len(second)
    assert first != second


def test_the_request_tells_what_the_client_has() -> None:
    body: dict[str, Any] = {"threadId": "t1", "runId": "r1", "messages": [USER]}
    asked = parse_ag_ui_request(body)
    encoder = AGUIEncoder(known_message_ids=asked.message_ids)

    assert asked.message_ids == ["u1"]
    assert '"messageId":"u1_2"' in "".join(
        map(encoder.encode_chunk, [StepStartChunk("u1"), TextDeltaChunk("a")])
    )


async def test_the_response_names_the_thread_and_the_run() -> None:
    async def run(controller: Any) -> None:
        controller.append_text("Hello")
        raise RuntimeError("secret")

    response = AGUIResponse(create_run(run), thread_id="t1", run_id="r1", status_code=201)
    body = "".join([str(frame) async for frame in response.body_iterator])

    assert response.status_code == 201
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = [json.loads(frame.removeprefix("data: ")) for frame in body.split("\n\n")[:-1]]
    assert events[0] == {"type": "RUN_STARTED", "threadId": "t1", "runId": "r1"}
    assert [event["type"] for event in events[1:]] == [
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "RUN_ERROR",
    ]
