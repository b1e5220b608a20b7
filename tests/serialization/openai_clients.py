"""What the official `openai` client makes of a stream of chat completion chunks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import openai

__all__ = ("QUESTION", "Answer", "ask", "ask_helper", "client_at", "client_reading")

QUESTION: list[Any] = [{"role": "user", "content": "Hi"}]


@dataclass
class Answer:
    """An answer, put together from its deltas."""

    content: str = ""
    reasoning: str = ""
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    """Id, name and arguments of each call."""
    finish_reason: str | None = None
    usage: tuple[int, int, int] | None = None
    error: str | None = None
    ids: set[str] = field(default_factory=set)


@asynccontextmanager
async def client_at(url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    """A client of the server at `url`."""
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


@asynccontextmanager
async def client_reading(body: bytes, size: int) -> AsyncIterator[openai.AsyncOpenAI]:
    """A client that gets `body` as its answer, in pieces of `size` bytes."""

    async def pieces() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    def respond(request: httpx.Request) -> httpx.Response:
        headers = {"content-type": "text/event-stream; charset=utf-8"}
        return httpx.Response(200, headers=headers, content=pieces())

    transport = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    async with openai.AsyncOpenAI(
        base_url="http://localhost/v1", api_key="none", max_retries=0, http_client=transport
    ) as client:
        yield client


async def ask(
    client: openai.AsyncOpenAI,
    model: str = "m",
    *,
    on_delta: Callable[[Any], None] = lambda delta: None,
    **options: Any,
) -> Answer:
    """Ask with `create(stream=True)` and put the answer together."""
    answer = Answer()
    try:
        stream = await client.chat.completions.create(
            model=model, messages=QUESTION, stream=True, **options
        )
        async for chunk in stream:
            answer.ids.add(chunk.id)
            if chunk.usage is not None:
                usage = chunk.usage
                answer.usage = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
            for choice in chunk.choices:
                on_delta(choice.delta)
                _add(answer, choice)
    except openai.APIError as error:
        answer.error = error.message
    return answer


def _add(answer: Answer, choice: Any) -> None:
    delta = choice.delta
    answer.content += delta.content or ""
    answer.reasoning += getattr(delta, "reasoning_content", None) or ""
    for call in delta.tool_calls or ():
        if call.index == len(answer.calls):
            assert call.type == "function"
            answer.calls.append((call.id, call.function.name, ""))
        call_id, name, arguments = answer.calls[call.index]
        answer.calls[call.index] = (call_id, name, arguments + (call.function.arguments or ""))
    answer.finish_reason = choice.finish_reason or answer.finish_reason


async def ask_helper(client: openai.AsyncOpenAI, model: str = "m", **options: Any) -> Answer:
    """Ask with `stream()`, which puts the answer together itself."""
    answer = Answer()
    try:
        async with client.chat.completions.stream(
            model=model, messages=QUESTION, **options
        ) as stream:
            async for _ in stream:
                pass
            completion = await stream.get_final_completion()
    except openai.APIError as error:
        answer.error = error.message
        return answer
    message = completion.choices[0].message
    answer.content = message.content or ""
    answer.reasoning = getattr(message, "reasoning_content", None) or ""
    answer.calls = [
        (call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ()
    ]
    answer.finish_reason = completion.choices[0].finish_reason
    answer.ids.add(completion.id)
    if completion.usage is not None:
        usage = completion.usage
        answer.usage = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    return answer
