"""DeepSeek, Mistral, Ollama, Gemini and Bedrock over their real clients."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from .provider import Answer, Provider, events, json_lines
from .shown import assert_shows, calls, kinds, reasoning, results, show, sources, stream

Item = dict[str, Any]

WEATHER = {
    "name": "weather",
    "description": "The weather.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
PARIS, ROME = {"city": "Paris"}, {"city": "Rome"}


class TestDeepSeek:
    """An OpenAI-compatible server with `reasoning_content`."""

    @pytest.fixture
    def model(self, provider: Provider) -> Any:
        client = pytest.importorskip("langchain_deepseek")
        return client.ChatDeepSeek(
            model="deepseek-reasoner", api_key="k", api_base=f"{provider.url}/v1", max_retries=0
        )

    @staticmethod
    def streamed(*deltas: Item, finish_reason: str = "stop") -> Answer:
        head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "deepseek"}
        choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
        choices.append({"index": 0, "delta": {"content": ""}, "finish_reason": finish_reason})
        usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
        items = [{**head, "choices": [choice]} for choice in choices]
        items.append({**head, "choices": [], "usage": usage})
        return events(items, done=True)

    @pytest.mark.shows("DeepSeek", "text", "reasoning", "usage")
    async def test_reasoning_comes_before_the_answer(self, provider: Provider, model: Any) -> None:
        provider.says(
            self.streamed(
                {"role": "assistant", "content": None, "reasoning_content": "Let me "},
                {"content": None, "reasoning_content": "think."},
                {"content": "Yes."},
            )
        )

        chunks, merged = await stream(model.astream("hi"))

        shown = assert_shows(chunks, merged)
        assert shown.metadata["steps"][0]["usage"]["outputTokens"] > 0
        assert reasoning(shown) == ["Let me think."]
        assert kinds(shown) == ["reasoning", "text"]

    @pytest.mark.shows("DeepSeek", "parallel calls")
    async def test_parallel_calls(self, provider: Provider, model: Any) -> None:
        def delta(index: int, arguments: str, **first: Any) -> Item:
            name = {"name": first.pop("name")} if first else {}
            call = {"index": index, **first, "function": {"arguments": arguments, **name}}
            return {"tool_calls": [call]}

        provider.says(
            self.streamed(
                delta(0, "", id="a", type="function", name="weather"),
                delta(0, '{"city": "Paris"}'),
                delta(1, "", id="b", type="function", name="weather"),
                delta(1, '{"city": "Rome"}'),
                finish_reason="tool_calls",
            )
        )

        chunks, merged = await stream(model.bind_tools([WEATHER]).astream("hi"))

        shown = assert_shows(chunks, merged)
        assert calls(shown) == [("a", "weather", PARIS), ("b", "weather", ROME)]


class TestMistral:
    """Calls come whole; its client makes ids up where the server sends none."""

    @pytest.fixture
    def model(self, provider: Provider) -> Any:
        client = pytest.importorskip("langchain_mistralai")
        return client.ChatMistralAI(
            model="mistral-large", api_key="k", endpoint=f"{provider.url}/v1", max_retries=1
        )

    @staticmethod
    def streamed(*deltas: Item, finish_reason: str = "stop") -> Answer:
        head = {"id": "cmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
        items = [
            {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
            for delta in deltas
        ]
        last = {"index": 0, "delta": {"content": ""}, "finish_reason": finish_reason}
        items.append({**head, "choices": [last], "usage": usage})
        return events(items, done=True)

    @pytest.mark.shows("Mistral", "text")
    async def test_text(self, provider: Provider, model: Any) -> None:
        provider.says(self.streamed({"role": "assistant", "content": "Hel"}, {"content": "lo"}))

        chunks, merged = await stream(model.astream("hi"))

        assert assert_shows(chunks, merged).text == "Hello"

    @pytest.mark.shows("Mistral", "parallel calls")
    async def test_parallel_calls_that_come_whole(self, provider: Provider, model: Any) -> None:
        function = {"name": "weather", "arguments": '{"city": "Paris"}'}
        other = {"name": "weather", "arguments": '{"city": "Rome"}'}
        tools = [
            {"id": "aaaaaaaaa", "function": function, "index": 0},
            {"id": "bbbbbbbbb", "function": other, "index": 1},
        ]
        provider.says(
            self.streamed({"content": "", "tool_calls": tools}, finish_reason="tool_calls")
        )

        chunks, merged = await stream(model.bind_tools([WEATHER]).astream("hi"))

        shown = assert_shows(chunks, merged)
        assert calls(shown) == [("aaaaaaaaa", "weather", PARIS), ("bbbbbbbbb", "weather", ROME)]

    async def test_fragments_that_get_a_new_id_each(self, provider: Provider, model: Any) -> None:
        """langchain #38677: without an id, index 0 counts as no index."""
        provider.says(
            self.streamed(
                {
                    "content": "",
                    "tool_calls": [{"index": 0, "function": {"name": "weather", "arguments": "{"}}],
                },
                {
                    "content": "",
                    "tool_calls": [
                        {"index": 0, "function": {"name": "", "arguments": '"city": "Paris"}'}}
                    ],
                },
                finish_reason="tool_calls",
            )
        )

        chunks, _ = await stream(model.bind_tools([WEATHER]).astream("hi"))

        [(_, name, args)] = calls(show(chunks))
        assert (name, args) == ("weather", PARIS)


class TestOllama:
    """JSON lines; calls come whole and share an index."""

    @pytest.fixture
    def model(self, provider: Provider) -> Any:
        client = pytest.importorskip("langchain_ollama")
        return client.ChatOllama(model="qwen3", base_url=provider.url, reasoning=True)

    @staticmethod
    def streamed(*messages: Item, done_reason: str = "stop") -> Answer:
        head = {"model": "qwen3", "created_at": "2026-01-01T00:00:00Z"}
        items: list[Item] = [
            {**head, "message": {"role": "assistant", "content": "", **message}, "done": False}
            for message in messages
        ]
        end = {"done_reason": done_reason, "prompt_eval_count": 9, "eval_count": 4}
        empty = {"role": "assistant", "content": ""}
        items.append({**head, "message": empty, "done": True, **end})
        return json_lines(items)

    @pytest.mark.shows("Ollama", "text", "reasoning", "usage", "finish reason")
    async def test_thinking_text_usage_and_finish_reason(
        self, provider: Provider, model: Any
    ) -> None:
        provider.says(
            self.streamed(
                {"thinking": "Let me "},
                {"thinking": "think."},
                {"content": "Yes"},
                {"content": "."},
                done_reason="length",
            )
        )

        chunks, merged = await stream(model.astream("hi"))

        shown = assert_shows(chunks, merged)
        assert shown.metadata["steps"][0]["usage"]["outputTokens"] > 0
        assert reasoning(shown) == ["Let me think."]
        assert shown.metadata["steps"][0]["finishReason"] == "length"

    @pytest.mark.shows("Ollama", "parallel calls", "call without arguments")
    async def test_parallel_calls(self, provider: Provider, model: Any) -> None:
        def asks(arguments: Item) -> Item:
            return {"tool_calls": [{"function": {"name": "weather", "arguments": arguments}}]}

        provider.says(self.streamed(asks(PARIS), asks(ROME), asks({})))

        chunks, merged = await stream(model.bind_tools([WEATHER]).astream("hi"))

        shown = assert_shows(chunks, merged)
        assert [args for _, _, args in calls(shown)] == [PARIS, ROME, {}]
        assert shown.metadata["steps"][0]["finishReason"] == "tool-calls"


class TestGemini:
    """Calls come whole, the finish reason is STOP all the same, usage is on every chunk."""

    @pytest.fixture
    def model(self, provider: Provider) -> Any:
        client = pytest.importorskip("langchain_google_genai")
        return client.ChatGoogleGenerativeAI(
            model="gemini-2.5-flash", api_key="k", base_url=provider.url, max_retries=1
        )

    @staticmethod
    def streamed(*parts: Sequence[Item], **last: Any) -> Answer:
        items = []
        for number, group in enumerate(parts):
            candidate: Item = {"content": {"role": "model", "parts": list(group)}, "index": 0}
            if number == len(parts) - 1:
                candidate |= {"finishReason": "STOP", **last}
            usage = {
                "promptTokenCount": 9,
                "candidatesTokenCount": number + 1,
                "totalTokenCount": 10 + number,
            }
            items.append(
                {
                    "candidates": [candidate],
                    "usageMetadata": usage,
                    "modelVersion": "gemini-2.5-flash",
                    "responseId": "r1",
                }
            )
        return events(items)

    @pytest.mark.shows("Gemini", "text", "reasoning", "usage")
    async def test_thoughts_text_and_usage(self, provider: Provider, model: Any) -> None:
        provider.says(
            self.streamed(
                [{"text": "Let me think.", "thought": True}], [{"text": "Yes"}], [{"text": "."}]
            )
        )

        chunks, merged = await stream(model.astream("hi"))

        shown = assert_shows(chunks, merged)
        assert shown.metadata["steps"][0]["usage"]["outputTokens"] > 0
        assert reasoning(shown) == ["Let me think."]
        assert shown.text == "Yes."

    @pytest.mark.shows("Gemini", "parallel calls", "finish reason")
    async def test_parallel_calls_end_the_step_with_tool_calls(
        self, provider: Provider, model: Any
    ) -> None:
        provider.says(
            self.streamed(
                [
                    {"functionCall": {"name": "weather", "args": PARIS}},
                    {"functionCall": {"name": "weather", "args": ROME}},
                ]
            )
        )

        chunks, merged = await stream(model.bind_tools([WEATHER]).astream("hi"))

        shown = assert_shows(chunks, merged)
        assert [args for _, _, args in calls(shown)] == [PARIS, ROME]
        assert shown.metadata["steps"][0]["finishReason"] == "tool-calls"

    @pytest.mark.shows("Gemini", "sources")
    async def test_grounding_is_sources(self, provider: Provider, model: Any) -> None:
        grounding = {
            "groundingChunks": [{"web": {"uri": "https://a.example/p", "title": "Page A"}}],
            "groundingSupports": [
                {
                    "segment": {"startIndex": 0, "endIndex": 4, "text": "Yes."},
                    "groundingChunkIndices": [0],
                }
            ],
            "webSearchQueries": ["x"],
        }
        provider.says(self.streamed([{"text": "Yes."}], groundingMetadata=grounding))

        chunks, merged = await stream(model.astream("hi"))

        assert sources(assert_shows(chunks, merged)) == [("https://a.example/p", "Page A")]

    @pytest.mark.filterwarnings(r"ignore:\s*Warning")
    @pytest.mark.shows("Gemini", "server-side tools")
    async def test_code_execution_is_a_call_with_a_result(
        self, provider: Provider, model: Any
    ) -> None:
        provider.says(
            self.streamed(
                [{"executableCode": {"language": "PYTHON", "code": "print(1)"}}],
                [{"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}],
                [{"text": "One."}],
            )
        )

        chunks, _ = await stream(model.astream("hi"))

        shown = show(chunks)
        [(call_id, _, args)] = calls(shown)
        assert args["code"] == "print(1)"
        assert results(shown) == {call_id: "1"}
        assert shown.text == "One."


def aws_event(kind: str, payload: Item) -> bytes:
    """A frame of AWS's event stream: prelude, headers, payload, checksums."""
    headers = b""
    for name, value in (
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ):
        headers += struct.pack("!B", len(name)) + name.encode()
        headers += struct.pack("!BH", 7, len(value)) + value.encode()
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    prelude += struct.pack("!I", zlib.crc32(prelude))
    frame = prelude + headers + body
    return frame + struct.pack("!I", zlib.crc32(frame))


class TestBedrock:
    """Converse: content blocks by index, the signature on a chunk of its own."""

    @pytest.fixture
    def model(self, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Any:
        client = pytest.importorskip("langchain_aws")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        return client.ChatBedrockConverse(
            model="anthropic.claude-sonnet-4-20250514-v1:0",
            provider="anthropic",
            region_name="us-east-1",
            endpoint_url=provider.url,
            aws_access_key_id="k",
            aws_secret_access_key="s",
        )

    @staticmethod
    def streamed(*frames: tuple[str, Item], stop_reason: str = "end_turn") -> Answer:
        usage = {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}
        every = [
            ("messageStart", {"role": "assistant"}),
            *frames,
            ("messageStop", {"stopReason": stop_reason}),
            ("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}),
        ]
        return Answer(
            [aws_event(kind, payload) for kind, payload in every],
            "application/vnd.amazon.eventstream",
        )

    @staticmethod
    def block(index: int, *deltas: Item, start: Item | None = None) -> list[tuple[str, Item]]:
        place = {"contentBlockIndex": index}
        frames = [("contentBlockStart", {"start": start, **place})] if start else []
        frames += [("contentBlockDelta", {"delta": delta, **place}) for delta in deltas]
        return [*frames, ("contentBlockStop", place)]

    @pytest.mark.shows("Bedrock Converse", "text", "reasoning", "usage")
    async def test_reasoning_with_a_signature_and_text(
        self, provider: Provider, model: Any
    ) -> None:
        provider.says(
            self.streamed(
                *self.block(
                    0,
                    {"reasoningContent": {"text": "Let me "}},
                    {"reasoningContent": {"text": "think."}},
                    {"reasoningContent": {"signature": "EqQB"}},
                ),
                *self.block(1, {"text": "Yes"}, {"text": "."}),
            )
        )

        chunks, merged = await stream(model.astream("hi"))

        shown = assert_shows(chunks, merged)
        assert shown.metadata["steps"][0]["usage"]["outputTokens"] > 0
        assert reasoning(shown) == ["Let me think."]
        assert shown.text == "Yes."
        assert "EqQB" not in str(chunks)

    @pytest.mark.shows(
        "Bedrock Converse", "parallel calls", "call without arguments", "finish reason"
    )
    async def test_parallel_calls_and_one_without_arguments(
        self, provider: Provider, model: Any
    ) -> None:
        def asks(index: int, call_id: str, *pieces: str) -> list[tuple[str, Item]]:
            start = {"toolUse": {"toolUseId": call_id, "name": "weather"}}
            return self.block(index, *({"toolUse": {"input": p}} for p in pieces), start=start)

        provider.says(
            self.streamed(
                *self.block(0, {"text": "Looking."}),
                *asks(1, "a", '{"city":', ' "Paris"}'),
                *asks(2, "b", '{"city": "Rome"}'),
                *asks(3, "c"),
                stop_reason="tool_use",
            )
        )

        chunks, merged = await stream(model.bind_tools([WEATHER]).astream("hi"))

        shown = assert_shows(chunks, merged)
        assert calls(shown) == [
            ("a", "weather", PARIS),
            ("b", "weather", ROME),
            ("c", "weather", {}),
        ]
        assert shown.metadata["steps"][0]["finishReason"] == "tool-calls"
