"""DeepSeek, Mistral, Groq and Perplexity: chat completions with words of their own."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks

from .chat_completions import asks, said
from .provider import Item, Provider
from .shown import (
    Ask,
    assert_shows,
    calls,
    kinds,
    reasoning,
    results,
    show,
    sources,
    stream,
    translate,
)

WEATHER = {
    "name": "weather",
    "description": "The weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
PARIS, ROME = {"city": "Paris"}, {"city": "Rome"}
THREE_CALLS = [
    *asks(0, '{"city":', ' "Paris"}', id="call_a", name="weather", type="function"),
    *asks(1, '{"city": "Rome"}', id="call_b", name="weather", type="function"),
    *asks(2, "{}", id="call_c", name="weather", type="function"),
]
THREE_SHOWN = [
    ("call_a", "weather", PARIS),
    ("call_b", "weather", ROME),
    ("call_c", "weather", {}),
]


def thinks(key: str) -> list[Item]:
    """Reasoning under a key of its own, then the answer."""
    thoughts: list[Item] = [{"content": None, key: "Let me "}, {"content": None, key: "think."}]
    return [*thoughts, {"content": "Yes"}, {"content": "."}]


class TestDeepSeek:
    """Reasoning is `reasoning_content`, as with Qwen, vLLM and others."""

    @pytest.fixture
    def model(self, provider: Provider) -> Any:
        client = pytest.importorskip("langchain_deepseek")
        return client.ChatDeepSeek(
            model="deepseek-reasoner", api_key="k", api_base=f"{provider.url}/v1", max_retries=0
        )

    @pytest.mark.shows("DeepSeek", "text", "reasoning", "usage", "finish reason")
    async def test_reasoning_comes_before_the_answer(self, ask: Ask, model: Any) -> None:
        chunks, message = await ask(model, said(*thinks("reasoning_content")))

        shown = assert_shows(chunks, message, finish_reason="stop")
        assert message.usage_metadata is not None
        assert reasoning(shown) == ["Let me think."]
        assert kinds(shown) == ["reasoning", "text"]

    @pytest.mark.shows("DeepSeek", "parallel calls", "call without arguments")
    async def test_parallel_calls_and_one_without_arguments(self, ask: Ask, model: Any) -> None:
        answer = said(*THREE_CALLS, finish_reason="tool_calls")

        chunks, message = await ask(model, answer, [WEATHER])

        assert calls(assert_shows(chunks, message, finish_reason="tool-calls")) == THREE_SHOWN

    @pytest.mark.parametrize(
        ("reason", "shown_reason"),
        [("length", "length"), ("insufficient_system_resource", "error")],
    )
    async def test_its_own_finish_reasons(
        self, ask: Ask, model: Any, reason: str, shown_reason: str
    ) -> None:
        chunks, message = await ask(model, said({"content": "x"}, finish_reason=reason))

        assert_shows(chunks, message, finish_reason=shown_reason)


class TestMistral:
    """Calls come whole; the content is a list where the model thinks or cites."""

    @pytest.fixture
    def model(self, provider: Provider) -> Any:
        client = pytest.importorskip("langchain_mistralai")
        return client.ChatMistralAI(
            model="mistral-large", api_key="k", endpoint=f"{provider.url}/v1", max_retries=1
        )

    @pytest.mark.shows("Mistral", "text", "usage", "finish reason")
    @pytest.mark.parametrize(("reason", "shown_reason"), [("stop", "stop"), ("length", "length")])
    async def test_text_usage_and_finish_reason(
        self, ask: Ask, model: Any, reason: str, shown_reason: str
    ) -> None:
        answer = said(
            {"content": "Hel"}, {"content": "lo"}, finish_reason=reason, usage_on="last chunk"
        )

        chunks, message = await ask(model, answer)

        shown = assert_shows(chunks, message, finish_reason=shown_reason)
        assert message.usage_metadata is not None
        assert shown.text == "Hello"

    @pytest.mark.shows("Mistral", "reasoning")
    async def test_thinking_blocks_are_reasoning(self, ask: Ask, model: Any) -> None:
        def thought(text: str) -> Item:
            return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}

        answer = said(
            {"content": [thought("Let me ")]},
            {"content": [thought("think.")]},
            {"content": "Yes"},
            {"content": "."},
            usage_on="last chunk",
            message={"content": [thought("Let me think."), {"type": "text", "text": "Yes."}]},
        )

        chunks, message = await ask(model, answer)

        shown = assert_shows(chunks, message, finish_reason="stop")
        assert reasoning(shown) == ["Let me think."]
        assert kinds(shown) == ["reasoning", "text"]

    async def test_cited_text_is_text(self, ask: Ask, model: Any) -> None:
        cited = {"type": "reference", "text": "The Seine", "reference_ids": [1]}
        rest = {"type": "text", "text": " is a river."}
        answer = said({"content": [cited]}, {"content": [rest]}, usage_on="last chunk")

        chunks, message = await ask(model, answer)

        assert assert_shows(chunks, message).text == "The Seine is a river."

    @pytest.mark.shows("Mistral", "parallel calls", "call without arguments")
    async def test_parallel_calls_that_come_whole(self, ask: Ask, model: Any) -> None:
        tools = [
            {"id": f"call_{name}", "index": index, "function": {"name": "weather", **args}}
            for index, (name, args) in enumerate(
                [
                    ("a", {"arguments": '{"city": "Paris"}'}),
                    ("b", {"arguments": '{"city": "Rome"}'}),
                    ("c", {"arguments": "{}"}),
                ]
            )
        ]
        answer = said(
            {"content": "", "tool_calls": tools},
            finish_reason="tool_calls",
            usage_on="last chunk",
        )

        chunks, message = await ask(model, answer, [WEATHER])

        assert calls(assert_shows(chunks, message, finish_reason="tool-calls")) == THREE_SHOWN

    async def test_fragments_that_get_a_new_id_each(self, provider: Provider, model: Any) -> None:
        """langchain #38677: without an id, index 0 counts as no index."""
        named = {"index": 0, "function": {"name": "weather", "arguments": "{"}}
        rest = {"index": 0, "function": {"name": "", "arguments": '"city": "Paris"}'}}
        deltas: list[Item] = [{"content": "", "tool_calls": [call]} for call in (named, rest)]
        provider.says(said(*deltas, finish_reason="tool_calls").streamed)

        chunks, _ = await stream(model.bind_tools([WEATHER]).astream("hi"))

        [(_, name, args)] = calls(show(chunks))
        assert (name, args) == ("weather", PARIS)


class TestGroq:
    """Reasoning is `reasoning`, usage a field of the server's, its own tools stand beside it."""

    @pytest.fixture
    def model(self, provider: Provider) -> Any:
        client = pytest.importorskip("langchain_groq")
        return client.ChatGroq(
            model="openai/gpt-oss-120b", api_key="k", base_url=provider.url, max_retries=0
        )

    @pytest.mark.shows("Groq", "text", "reasoning", "usage", "finish reason")
    async def test_reasoning_comes_before_the_answer(self, ask: Ask, model: Any) -> None:
        chunks, message = await ask(model, said(*thinks("reasoning"), usage_on="x_groq"))

        shown = assert_shows(chunks, message, finish_reason="stop")
        assert message.usage_metadata is not None
        assert reasoning(shown) == ["Let me think."]
        assert kinds(shown) == ["reasoning", "text"]

    @pytest.mark.shows("Groq", "parallel calls", "call without arguments")
    async def test_parallel_calls_that_come_whole(self, ask: Ask, model: Any) -> None:
        arguments = ['{"city": "Paris"}', '{"city": "Rome"}', "null"]
        tools = [
            {
                "index": index,
                "id": f"call_{letter}",
                "type": "function",
                "function": {"name": "weather", "arguments": args},
            }
            for index, (letter, args) in enumerate(zip("abc", arguments, strict=True))
        ]
        answer = said({"tool_calls": tools}, finish_reason="tool_calls", usage_on="x_groq")

        chunks, message = await ask(model, answer, [WEATHER])

        assert calls(assert_shows(chunks, message, finish_reason="tool-calls")) == THREE_SHOWN

    @pytest.mark.shows("Groq", "server-side tools")
    async def test_tools_that_it_ran_are_calls_with_results(self, ask: Ask, model: Any) -> None:
        search = {"index": 0, "type": "search", "arguments": '{"query": "x"}'}
        python = {"index": 1, "type": "python", "arguments": '{"code": "print(1)"}'}
        ran = [{**search, "output": "Page A"}, {**python, "output": "1"}]
        answer = said(
            {"executed_tools": [search]},
            {"executed_tools": [python]},
            {"executed_tools": [ran[1]]},
            {"executed_tools": [ran[0]]},
            {"content": "Done."},
            message={"content": "Done.", "executed_tools": ran},
            usage_on="x_groq",
        )

        chunks, message = await ask(model, answer)

        shown = show(chunks)
        assert [(name, args) for _, name, args in calls(shown)] == [
            ("search", {"query": "x"}),
            ("python", {"code": "print(1)"}),
        ]
        assert list(results(shown).values()) == ["Page A", "1"]
        assert shown.text == message.text == "Done."
        assert shown.metadata["steps"][0]["finishReason"] == "stop"


class TestPerplexity:
    """Every answer has its search results beside it; `<think>` stands in the text."""

    @pytest.fixture
    def model(self, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Any:
        client = pytest.importorskip("langchain_perplexity")
        monkeypatch.setenv("PERPLEXITY_BASE_URL", provider.url)
        return client.ChatPerplexity(model="sonar", api_key="k", max_retries=0)

    @pytest.mark.shows("Perplexity", "text", "reasoning", "usage", "sources")
    async def test_reasoning_text_and_sources(self, ask: Ask, model: Any) -> None:
        page = {"title": "Page A", "url": "https://a.example/p", "date": "2026-01-01"}
        answer = said(
            {"content": "<think>Let me "},
            {"content": "think.</think>"},
            {"content": "Yes."},
            usage_on="last chunk",
            every={"search_results": [page], "citations": [page["url"]]},
        )

        chunks, message = await ask(model, answer)

        shown = show(chunks)
        assert reasoning(shown) == ["Let me think."]
        assert shown.text == "Yes."
        assert sources(shown) == [("https://a.example/p", "Page A")]
        assert message.usage_metadata is not None
        [step] = shown.metadata["steps"]
        assert step["usage"]["outputTokens"] == message.usage_metadata["output_tokens"]

    @pytest.mark.shows("Perplexity", "files")
    async def test_images_that_it_found_are_files(self, ask: Ask, model: Any) -> None:
        image = {
            "image_url": "https://a.example/p.webp",
            "origin_url": "https://a.example/p",
            "height": 1,
            "width": 1,
        }

        chunks, _ = await ask(model, said({"content": "There."}, every={"images": [image]}))

        shown = show(chunks)
        assert [p["data"] for p in shown.parts if p["type"] == "file"] == [image["image_url"]]

    @pytest.mark.shows("Perplexity", "finish reason")
    async def test_finish_reason(self, provider: Provider, model: Any) -> None:
        """The client leaves it out of an answer that is not streamed."""
        provider.says(said({"content": "x"}, finish_reason="length").streamed)

        chunks, merged = await stream(model.astream("hi"))

        assert_shows(chunks, merged, finish_reason="length")


def test_xai_by_the_message_chunks_of_its_client() -> None:
    """Without the client: it brings an HTTP library that changes what Gemini's client does."""
    head: Any = {"id": "lc_run--1", "response_metadata": {"model_provider": "xai"}}
    end: Any = {"finish_reason": "stop", "model_name": "grok-4", "model_provider": "xai"}
    tokens: Any = {"input_tokens": 20, "output_tokens": 7, "total_tokens": 27}
    pages = ["https://a.example/p", "https://b.example/q"]
    chunks = [
        AIMessageChunk("", additional_kwargs={"reasoning_content": "Let me "}, **head),
        AIMessageChunk("", additional_kwargs={"reasoning_content": "think."}, **head),
        AIMessageChunk("Yes", **head),
        AIMessageChunk(".", additional_kwargs={"citations": pages}, **head),
        AIMessageChunk("", id="lc_run--1", response_metadata=end),
        AIMessageChunk("", id="lc_run--1", usage_metadata=tokens, chunk_position="last"),
    ]

    message = add_ai_message_chunks(*chunks)
    shown = assert_shows(translate(chunks), message, finish_reason="stop")

    assert reasoning(shown) == ["Let me think."]
    assert sources(shown) == [(page, None) for page in pages]
