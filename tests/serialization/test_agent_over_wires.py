"""An agent that runs its own tools, over the wires of clients that would run them too."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from assistant_stream_ce import (
    OpenAIStreamEncoder,
    PlainTextEncoder,
    StreamEncoder,
    UIMessageStreamEncoder,
    from_langgraph_events,
)
from assistant_stream_langchain.testing import ScriptedChatModel
from tests.serialization.ai_sdk import SDK, SDKS, VERSIONS, read
from tests.serialization.openai_clients import ask, client_reading


def get_weather(city: str) -> str:
    """Say what the weather is like in a city."""
    return f"Sunny in {city}."


def tool_call(name: str | None, call_id: str | None, args: str) -> AIMessageChunk:
    piece = tool_call_chunk(name=name, args=args, id=call_id, index=0)
    return AIMessageChunk(content="", tool_call_chunks=[piece])


async def wire_of(encoder: StreamEncoder) -> bytes:
    calling = [tool_call("get_weather", "c1", '{"city"'), tool_call(None, None, ':"Oslo"}')]
    model = ScriptedChatModel(turns=[calling, "It is sunny."])
    question: Any = {"messages": [{"role": "user", "content": "How is the weather?"}]}
    events = create_agent(model, [get_weather]).astream(
        question, stream_mode=["messages", "updates", "values"]
    )
    frames = encoder.encode_stream(from_langgraph_events(events))
    return "".join([frame async for frame in frames]).encode()


@pytest.mark.parametrize("sdk", SDKS)
async def test_use_chat_shows_one_step_for_each_model_call(sdk: SDK) -> None:
    result = read(await wire_of(UIMessageStreamEncoder(VERSIONS[sdk])), sdk, chat=True)

    call = {"toolCallId": "c1", "input": {"city": "Oslo"}, "output": "Sunny in Oslo."}
    assert (result.error, result.warnings) == (None, [])
    assert result.all_parts == [
        {"type": "step-start"},
        {"type": "tool-get_weather", "state": "output-available", **call},
        {"type": "step-start"},
        {"type": "text", "text": "It is sunny.", "state": "done"},
    ]
    assert result.chat is not None
    assert result.chat.requests == 1


async def test_an_openai_client_sees_the_answer_and_no_call() -> None:
    wire = await wire_of(OpenAIStreamEncoder())

    async with client_reading(wire, len(wire)) as client:
        answer = await ask(client)

    assert (answer.content, answer.calls, answer.finish_reason) == ("It is sunny.", [], "stop")


async def test_curl_sees_the_answer() -> None:
    assert await wire_of(PlainTextEncoder()) == b"It is sunny."
