"""Chat completion chunks: the frames, and what `openai` and `ChatOpenAI` make of them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant_stream_ce import RunController, create_run
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    ErrorChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    StepFinishChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)
from assistant_stream_ce.serialization import (
    OpenAIStreamEncoder,
    OpenAIStreamResponse,
    ToolCallMode,
)
from assistant_stream_ce.serialization.heartbeat import SSE_HEARTBEAT
from assistant_stream_ce.serialization.stream_encoder import STREAM_FAILED
from assistant_stream_ce.typing import FinishReason
from tests.serialization.cases import CASES, Case, by_name
from tests.serialization.openai_clients import (
    QUESTION,
    Answer,
    ask,
    ask_helper,
    client_at,
    client_reading,
)
from tests.serialization.strategies import chunk_lists
from tests.serving import serve

PARALLEL: list[AssistantStreamChunk] = [
    ToolCallBeginChunk("c1", "search"),
    ToolCallBeginChunk("c2", "weather"),
    ToolCallDeltaChunk("c1", '{"q":'),
    ToolCallDeltaChunk("c2", '{"city":'),
    ToolCallDeltaChunk("c1", '"a"}'),
    ToolCallDeltaChunk("c2", '"Oslo"}'),
    ToolCallArgsTextFinishChunk("c1"),
    ToolCallArgsTextFinishChunk("c2"),
]

ANSWERED: list[AssistantStreamChunk] = [
    TextDeltaChunk("Let me look. "),
    *PARALLEL,
    ToolResultChunk("c1", "found"),
    ToolResultChunk("c2", "rain"),
    TextDeltaChunk("It rains."),
    MessageFinishChunk("stop", 10, 5),
]

BOTH_CALLS = [("c1", "search", '{"q":"a"}'), ("c2", "weather", '{"city":"Oslo"}')]

SCRIPTS: dict[str, list[AssistantStreamChunk]] = {
    "text": [
        TextDeltaChunk("Hel"),
        TextDeltaChunk("lo 😀\u2028"),
        MessageFinishChunk("stop", 7, 3),
    ],
    "reasoning": [ReasoningDeltaChunk("hm, "), ReasoningDeltaChunk("so"), TextDeltaChunk("yes")],
    "parallel": PARALLEL,
    "answered": ANSWERED,
    "error": [TextDeltaChunk("a"), ErrorChunk("overloaded", "rate_limit")],
    "nothing": [],
}


def encode(chunks: list[AssistantStreamChunk], encoder: OpenAIStreamEncoder | None = None) -> bytes:
    encoder = encoder or OpenAIStreamEncoder()
    frames = "".join(map(encoder.encode_chunk, chunks)) + encoder.encode_end()
    return encoder.escape(frames).encode()


def payloads(chunks: list[AssistantStreamChunk], **options: Any) -> list[dict[str, Any]]:
    *frames, done, rest = encode(chunks, OpenAIStreamEncoder(**options)).decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(frame.removeprefix("data: ")) for frame in frames]


async def chat_completions(request: Request) -> Response:
    body = await request.json()
    usage = (body.get("stream_options") or {}).get("include_usage", False)
    mode = "stream" if "tools" in body else "pending"
    stream = create_run(script(SCRIPTS.get(body["model"])))
    return OpenAIStreamResponse(stream, model=body["model"], include_usage=usage, tool_calls=mode)


def script(chunks: list[AssistantStreamChunk] | None) -> Any:
    async def run(controller: RunController) -> None:
        if chunks is None:
            controller.append_text("a")
            raise ValueError("boom")
        for chunk in chunks:
            controller.add_chunk(chunk)

    return run


@pytest.fixture(scope="module")
async def server() -> AsyncGenerator[str, None]:
    app = Starlette(routes=[Route("/v1/chat/completions", chat_completions, methods=["POST"])])
    async with serve(app) as url:
        yield url


@pytest.fixture
async def client(server: str) -> AsyncGenerator[openai.AsyncOpenAI, None]:
    async with client_at(server) as client:
        yield client


USAGE = {"stream_options": {"include_usage": True}}
TOOLS = [
    {"type": "function", "function": {"name": name, "strict": True, "parameters": {}}}
    for name in ("search", "weather")
]


# -- The official client, over a real server --------------------------------------------------


@pytest.mark.parametrize("asking", [ask, ask_helper])
async def test_text(client: openai.AsyncOpenAI, asking: Any) -> None:
    answer = await asking(client, "text", **USAGE)

    assert answer.content == "Hello 😀\u2028"
    assert answer.finish_reason == "stop"
    assert answer.usage == (7, 3, 10)
    assert len(answer.ids) == 1


@pytest.mark.parametrize("asking", [ask, ask_helper])
async def test_usage_is_told_only_on_request(client: openai.AsyncOpenAI, asking: Any) -> None:
    assert (await asking(client, "text")).usage is None


@pytest.mark.parametrize("asking", [ask, ask_helper])
async def test_reasoning(client: openai.AsyncOpenAI, asking: Any) -> None:
    answer = await asking(client, "reasoning")

    assert (answer.reasoning, answer.content) == ("hm, so", "yes")


@pytest.mark.parametrize("asking", [ask, ask_helper])
async def test_parallel_calls_for_the_client_to_run(
    client: openai.AsyncOpenAI, asking: Any
) -> None:
    for more in ({}, {"tools": TOOLS}):
        answer = await asking(client, "parallel", **more)

        assert answer.calls == BOTH_CALLS
        assert answer.finish_reason == "tool_calls"


async def test_calls_stream_when_the_client_runs_all_tools(client: openai.AsyncOpenAI) -> None:
    pieces: list[tuple[int, str]] = []

    def note(delta: Any) -> None:
        pieces.extend((call.index, call.function.arguments) for call in delta.tool_calls or ())

    await ask(client, "parallel", tools=TOOLS, on_delta=note)

    assert pieces == [(0, ""), (0, '{"q":'), (0, '"a"}'), (1, '{"city":"Oslo"}')]


@pytest.mark.parametrize("asking", [ask, ask_helper])
async def test_calls_that_are_answered_are_not_told(
    client: openai.AsyncOpenAI, asking: Any
) -> None:
    answer = await asking(client, "answered")

    assert answer.calls == []
    assert answer.content == "Let me look. It rains."
    assert answer.finish_reason == "stop"


@pytest.mark.parametrize("asking", [ask, ask_helper])
async def test_an_error(client: openai.AsyncOpenAI, asking: Any) -> None:
    assert (await asking(client, "error")).error == "overloaded"


@pytest.mark.parametrize("asking", [ask, ask_helper])
async def test_a_run_that_raises(client: openai.AsyncOpenAI, asking: Any) -> None:
    assert (await asking(client, "raises")).error == "boom"


async def test_an_error_has_a_code(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.APIError) as raised:
        async for _ in await client.chat.completions.create(
            model="error", messages=QUESTION, stream=True
        ):
            pass

    assert raised.value.code == "rate_limit"
    assert raised.value.type == "server_error"


@pytest.mark.parametrize("asking", [ask, ask_helper])
async def test_an_empty_answer(client: openai.AsyncOpenAI, asking: Any) -> None:
    answer = await asking(client, "nothing", **USAGE)

    assert (answer.content, answer.calls, answer.finish_reason) == ("", [], "stop")
    assert answer.usage == (0, 0, 0)


async def test_the_headers_of_the_response(server: str) -> None:
    async with httpx.AsyncClient() as http:
        response = await http.post(f"{server}/v1/chat/completions", json={"model": "text"})

    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"
    assert "no-cache" in response.headers["cache-control"]


# -- LangChain --------------------------------------------------------------------------------


async def answer_of(server: str, model: str, **options: Any) -> AIMessageChunk:
    chat = ChatOpenAI(
        model=model,
        base_url=f"{server}/v1",
        api_key="none",  # type: ignore[arg-type]
        max_retries=0,
        stream_usage=True,
    ).bind(**options)
    chunks = [chunk async for chunk in chat.astream("Hi")]
    answer = chunks[0]
    for chunk in chunks[1:]:
        answer = answer + chunk
    assert isinstance(answer, AIMessageChunk)
    return answer


async def test_langchain_reads_text_and_usage(server: str) -> None:
    answer = await answer_of(server, "text")

    assert answer.text == "Hello 😀\u2028"
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.response_metadata["model_name"] == "text"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_tokens"] == 7
    assert answer.usage_metadata["output_tokens"] == 3


@pytest.mark.parametrize("options", [{}, {"tools": TOOLS}], ids=["pending", "stream"])
async def test_langchain_reads_parallel_calls(server: str, options: dict[str, Any]) -> None:
    answer = await answer_of(server, "parallel", **options)

    assert answer.tool_calls == [
        {"name": "search", "args": {"q": "a"}, "id": "c1", "type": "tool_call"},
        {"name": "weather", "args": {"city": "Oslo"}, "id": "c2", "type": "tool_call"},
    ]
    assert answer.invalid_tool_calls == []


async def test_langchain_sees_no_call_that_is_answered(server: str) -> None:
    answer = await answer_of(server, "answered")

    assert (answer.text, answer.tool_calls) == ("Let me look. It rains.", [])


@pytest.mark.parametrize(("model", "message"), [("error", "overloaded"), ("raises", "boom")])
async def test_langchain_raises_an_error(server: str, model: str, message: str) -> None:
    with pytest.raises(openai.APIError, match=message):
        await answer_of(server, model)


async def test_langchain_reads_an_empty_answer(server: str) -> None:
    answer = await answer_of(server, "nothing")

    assert (answer.text, answer.tool_calls) == ("", [])


# -- The case table ---------------------------------------------------------------------------


def expected(chunks: list[AssistantStreamChunk]) -> Answer:
    answer = Answer(finish_reason="stop")
    for chunk in chunks:
        match chunk:
            case TextDeltaChunk():
                answer.content += chunk.text_delta
            case ReasoningDeltaChunk():
                answer.reasoning += chunk.reasoning_delta
            case MessageFinishChunk(finish_reason="length"):
                answer.finish_reason = "length"
            case MessageFinishChunk(finish_reason="content-filter"):
                answer.finish_reason = "content_filter"
            case ErrorChunk(severity=None | "critical"):
                answer.error = chunk.error or "An error occurred during streaming"
                answer.finish_reason = None
                break
            case _:
                pass
    return answer


def expected_of(case: Case) -> Answer:
    answer = expected(case.chunks)
    if answer.error is None:
        answer.calls = [
            (part["toolCallId"], part["toolName"], part["argsText"])
            for part in case.parts
            if part["type"] == "tool-call" and "result" not in part
        ]
        if answer.calls:
            answer.finish_reason = "tool_calls"
    return answer


@pytest.mark.parametrize("case", CASES, ids=by_name)
async def test_the_client_reads_the_expected_answer(case: Case) -> None:
    body = encode(case.chunks)

    for size in (len(body), 1 if len(body) < 5_000 else 1_021):
        async with client_reading(body, size) as client:
            answer = await ask(client)

        answer.ids.clear()
        assert answer == expected_of(case)


@pytest.mark.parametrize("mode", ["pending", "stream"])
@pytest.mark.parametrize("case", CASES, ids=by_name)
async def test_the_clients_own_helper_reads_the_expected_answer(
    case: Case, mode: ToolCallMode
) -> None:
    body = encode(case.chunks, OpenAIStreamEncoder(tool_calls=mode))
    wanted = expected_of(case)

    async with client_reading(body, len(body)) as client:
        if wanted.finish_reason in ("length", "content_filter"):
            with pytest.raises(openai.OpenAIError, match=r"length|content filter"):
                await ask_helper(client)
            return
        answer = await ask_helper(client)

    if wanted.error is not None:
        assert answer.error == wanted.error
    else:
        assert (answer.content, answer.reasoning) == (wanted.content, wanted.reasoning)
        assert answer.finish_reason == wanted.finish_reason
        told = [part["toolCallId"] for part in case.parts if part["type"] == "tool-call"]
        waiting = [call_id for call_id, _, _ in wanted.calls]
        assert [call[0] for call in answer.calls] == (told if mode == "stream" else waiting)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chunks=chunk_lists(), streamed=st.booleans(), usage=st.booleans())
async def test_any_order_of_chunks_is_accepted(
    chunks: list[AssistantStreamChunk],
    streamed: bool,
    usage: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("CRITICAL")
    mode = "stream" if streamed else "pending"
    encoder = OpenAIStreamEncoder(include_usage=usage, tool_calls=mode)

    async with client_reading(encode(chunks, encoder), 7) as client:
        answer = await ask(client)

    wanted = expected(chunks)
    assert (answer.content, answer.reasoning) == (wanted.content, wanted.reasoning)
    assert (answer.error is None) == (wanted.error is None)
    assert (answer.usage is not None) == (usage and wanted.error is None)
    ids = [call_id for call_id, _, _ in answer.calls]
    assert len(ids) == len(set(ids))


async def test_heartbeats_are_skipped() -> None:
    beating = encode(ANSWERED).replace(b"\n\n", b"\n\n" + SSE_HEARTBEAT.encode())

    async with client_reading(beating, 5) as client:
        answer = await ask(client)

    assert (answer.content, answer.error) == ("Let me look. It rains.", None)


# -- Frames -----------------------------------------------------------------------------------


def test_the_frames_of_a_text() -> None:
    encoder = OpenAIStreamEncoder("gpt", "fp_1")
    head = json.dumps(
        {"id": encoder.id, "object": "chat.completion.chunk", "created": 0, "model": "gpt"}
    )
    first, second, last = payloads([TextDeltaChunk('a"')], model="gpt", system_fingerprint="fp_1")

    assert first.keys() >= json.loads(head).keys()
    assert (first["object"], first["model"]) == ("chat.completion.chunk", "gpt")
    assert first["system_fingerprint"] == "fp_1"
    assert [frame["choices"] for frame in (first, second, last)] == [
        [choice({"role": "assistant", "content": ""})],
        [choice({"content": 'a"'})],
        [choice({}, "stop")],
    ]


def choice(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def test_usage_is_null_until_the_last_frame() -> None:
    *frames, last = payloads([TextDeltaChunk("a")], include_usage=True)

    assert all(frame["usage"] is None for frame in frames)
    assert last["choices"] == []
    assert all("usage" not in frame for frame in payloads([TextDeltaChunk("a")]))


def test_usage_is_that_of_the_message_or_else_of_its_steps() -> None:
    steps: list[AssistantStreamChunk] = [StepFinishChunk("stop", 1, 2), StepFinishChunk("stop", 3)]

    def usage(chunks: list[AssistantStreamChunk]) -> dict[str, int]:
        counts: dict[str, int] = payloads(chunks, include_usage=True)[-1]["usage"]
        return counts

    assert usage(steps) == {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    assert usage([*steps, MessageFinishChunk("stop")])["total_tokens"] == 6
    assert usage([*steps, MessageFinishChunk("stop", 7, 8)])["total_tokens"] == 15


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content-filter", "content_filter"),
        ("tool-calls", "stop"),
        ("error", "stop"),
        ("other", "stop"),
        ("unknown", "stop"),
    ],
)
def test_the_finish_reason(reason: FinishReason, told: str) -> None:
    last = payloads([MessageFinishChunk(reason)])[-1]

    assert last["choices"] == [choice({}, told)]


@pytest.mark.parametrize(("reason", "told"), [("stop", "tool_calls"), ("length", "length")])
def test_calls_for_the_client_are_a_finish_reason(reason: FinishReason, told: str) -> None:
    last = payloads([*PARALLEL, MessageFinishChunk(reason)])[-1]

    assert last["choices"] == [choice({}, told)]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    for mode in ("pending", "stream"):
        frames = payloads([ToolCallBeginChunk("c", "t")], tool_calls=mode)
        pieces = [
            call["function"]["arguments"]
            for frame in frames
            for call in frame["choices"][0]["delta"].get("tool_calls", ())
        ]
        assert "".join(pieces) == "{}"


def test_what_the_protocol_cannot_say_sends_nothing() -> None:
    encoder = OpenAIStreamEncoder()

    assert encoder.encode_chunk(ErrorChunk("slow", severity="warning")) == ""
    assert encoder.encode_chunk(StepFinishChunk("stop")) == ""


def test_nothing_follows_an_error() -> None:
    wire = encode([ErrorChunk("boom"), TextDeltaChunk("a")]).decode()

    assert '"content":"a"' not in wire
    assert wire.endswith("data: [DONE]\n\n")


async def test_a_stream_that_raises_tells_nothing_internal() -> None:
    async def chunks() -> AsyncGenerator[AssistantStreamChunk, None]:
        yield TextDeltaChunk("a")
        raise ValueError("secret")

    wire = "".join([frame async for frame in OpenAIStreamEncoder().encode_stream(chunks())])

    assert STREAM_FAILED in wire
    assert "secret" not in wire


# -- The encoder as upstream has it -----------------------------------------------------------


async def test_upstreams_arguments_and_attributes() -> None:
    encoder = OpenAIStreamEncoder("gpt-5", "fp_0000000000")

    wire = "".join([frame async for frame in encoder.encode_stream(create_run(script([])))])

    assert (encoder.model, encoder.system_fingerprint) == ("gpt-5", "fp_0000000000")
    assert encoder.id.startswith("chatcmpl-")
    first = json.loads(wire.split("\n\n")[0].removeprefix("data: "))
    assert first["id"] == encoder.id
    assert first["model"] == "gpt-5"
    assert first["system_fingerprint"] == "fp_0000000000"


def test_every_encoder_has_an_id_of_its_own() -> None:
    assert OpenAIStreamEncoder().id != OpenAIStreamEncoder().id


def test_another_mode_is_refused() -> None:
    with pytest.raises(ValueError, match='`tool_calls` must be "pending" or "stream"'):
        OpenAIStreamEncoder(tool_calls="all")  # type: ignore[arg-type]
