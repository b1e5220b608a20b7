"""What a client shows of a run: the chunks go through both wires and the real npm decoders."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_ce.controller import RunController
from assistant_stream_ce.create_run import create_run
from assistant_stream_ce.serialization import AssistantTransportEncoder, DataStreamEncoder
from assistant_stream_ce.testing import check_stream
from assistant_stream_langchain import AssistantCallbackHandler, MessageTranslator
from tests.npm import Decoded, decode

from .provider import Provider, Said

Chunks = list[AssistantStreamChunk]
Way = Literal["astream", "astream v1", "ainvoke", "ainvoke, not streamed"]
WAYS: tuple[Way, ...] = ("astream", "astream v1", "ainvoke", "ainvoke, not streamed")


def translate(messages: Iterable[BaseMessage], **where: Any) -> Chunks:
    """The chunks of messages fed one after another."""
    translator = MessageTranslator()
    chunks = [chunk for message in messages for chunk in translator.feed(message, **where)]
    return [*chunks, *translator.finish()]


async def stream(source: AsyncIterable[AIMessageChunk]) -> tuple[Chunks, AIMessageChunk]:
    """The chunks of a model's stream, and the message that LangChain makes of it.

    The merged message is fed too, as a graph does at the end of a node; it must add nothing but
    the end of calls that have no arguments.
    """
    translator = MessageTranslator()
    chunks: Chunks = []
    merged: AIMessageChunk | None = None
    async for chunk in source:
        chunks.extend(translator.feed(chunk))
        merged = chunk if merged is None else merged + chunk
    assert merged is not None
    added = translator.feed(merged, whole=True)
    assert {chunk.type for chunk in added} <= {"tool-call-args-text-finish"}
    chunks.extend(added)
    assert translator.feed(whole(merged)) == []
    assert translator.finish() == []
    return chunks, merged


def whole(merged: AIMessageChunk) -> AIMessage:
    """The merged message as a plain one, the way LangChain stores it."""
    fields = merged.model_dump(exclude={"type", "tool_call_chunks", "chunk_position"})
    return AIMessage(**fields)


async def call(
    use: Callable[[AssistantCallbackHandler], Coroutine[Any, Any, Any]],
) -> tuple[Chunks, Any]:
    """The chunks of a run whose callback hands a handler to `use`, and what `use` returned."""
    returned: list[Any] = []

    async def callback(controller: RunController) -> None:
        returned.append(await use(AssistantCallbackHandler(controller)))

    chunks = [chunk async for chunk in create_run(callback)]
    return chunks, returned[0]


@dataclass
class Ask:
    """Asks a model: reads its stream, with LangChain's own content blocks or the provider's,
    invokes it with the handler, which makes it stream, or invokes it while it may not stream."""

    way: Way
    provider: Provider

    @property
    def streams(self) -> bool:
        """Whether the provider is asked to stream."""
        return self.way != "ainvoke, not streamed"

    async def __call__(
        self, model: BaseChatModel, said: Said, tools: Sequence[Any] = ()
    ) -> tuple[Chunks, AIMessage]:
        """The chunks of the answer, and the message that LangChain makes of it."""
        self.provider.says(said.streamed if self.streams else said.complete)
        if not self.streams:
            model = model.model_copy(update={"disable_streaming": True})
        if self.way == "astream v1":
            model = model.model_copy(update={"output_version": "v1"})
        asked: Any = model.bind_tools(tools) if tools else model
        if self.way.startswith("astream"):
            return await stream(asked.astream("hi"))
        chunks, message = await call(lambda h: asked.ainvoke("hi", {"callbacks": [h]}))
        assert self.provider.was_asked_to_stream or not self.streams
        self.provider.says(said.complete)
        assert answer_of(message) == answer_of(await asked.ainvoke("hi"))
        return chunks, message


def answer_of(message: AIMessage) -> Any:
    """What a chain does with an answer; ids may be the client's own, and new in each."""
    usage = message.usage_metadata or {}
    # Bedrock's client makes a nameless call of what a tool on the server was streamed.
    called = [(made["name"], made["args"]) for made in message.tool_calls if made["name"]]
    return str(message.text), called, usage.get("input_tokens"), usage.get("output_tokens")


def show(chunks: Chunks) -> Decoded:
    """The message that a client shows; both wires must agree."""
    check_stream(chunks)
    by_data_stream = decode(_wire(DataStreamEncoder(), chunks)).checked()
    transport = _wire(AssistantTransportEncoder(), chunks)
    by_transport = decode(transport, "assistant-transport").checked()
    assert by_transport.text == by_data_stream.text
    assert calls(by_transport) == calls(by_data_stream)
    assert reasoning(by_transport) == reasoning(by_data_stream)
    return by_data_stream


def calls(shown: Decoded) -> list[tuple[str, str, Any]]:
    """Id, name and parsed arguments of every call that a client shows."""
    return [
        (part["toolCallId"], part["toolName"], part["args"])
        for part in shown.parts
        if part["type"] == "tool-call"
    ]


def results(shown: Decoded) -> dict[str, Any]:
    """The results that a client shows, by call."""
    return {
        part["toolCallId"]: part["result"]
        for part in shown.parts
        if part["type"] == "tool-call" and "result" in part
    }


def reasoning(shown: Decoded) -> list[str]:
    """The text of every reasoning part."""
    return [part["text"] for part in shown.parts if part["type"] == "reasoning"]


def sources(shown: Decoded) -> list[tuple[str, str | None]]:
    """Url and title of every source."""
    return [(p["url"], p.get("title")) for p in shown.parts if p["type"] == "source"]


def kinds(shown: Decoded) -> list[str]:
    """The types of the parts, in order."""
    return [part["type"] for part in shown.parts]


def assert_shows(
    chunks: Chunks, message: AIMessage, *, finish_reason: str | None = None
) -> Decoded:
    """Check that what a client ends up with is the message, and why its one step ended."""
    shown = show(chunks)
    assert shown.text == str(message.text)
    assert calls(shown) == [(c["id"], c["name"], c["args"]) for c in message.tool_calls]
    [step] = shown.metadata["steps"]
    if finish_reason is not None:
        assert step["finishReason"] == finish_reason
    usage = message.usage_metadata
    if usage is not None:
        assert usage["output_tokens"] > 0
        assert step["usage"]["inputTokens"] == usage["input_tokens"]
        assert step["usage"]["outputTokens"] == usage["output_tokens"]
    return shown


def _wire(encoder: Any, chunks: Chunks) -> str:
    return "".join([*map(encoder.encode_chunk, chunks), encoder.encode_end()])
