"""The two functions of upstream's LangGraph module, ours and upstream's: a token and an argument
delta, early and late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from langchain_core.messages import AIMessageChunk

import assistant_stream_ce as ours
from assistant_stream_langgraph import append_langgraph_event, compat

from .measure import Case
from .peers import upstream

DELTAS = 100


def text(before: int) -> AIMessageChunk:
    """A message of `before` tokens."""
    return AIMessageChunk(content="token " * before, id="m")


def arguments(before: int) -> AIMessageChunk:
    """A call with `before` pieces of arguments."""
    args = '{"text":"' + "piece " * before
    piece: Any = {"name": "write", "id": "c", "args": args, "index": 0}
    return AIMessageChunk(content="", id="m", tool_call_chunks=[piece])


NEXT_TOKEN = AIMessageChunk(content="token ", id="m")
NEXT_PIECE = AIMessageChunk(
    content="", id="m", tool_call_chunks=[{"name": None, "id": None, "args": "piece ", "index": 0}]
)


def per_delta(package: Any, append: Any, first: AIMessageChunk, delta: AIMessageChunk) -> float:
    """Microseconds to bring a delta into `controller.state`."""
    seconds = 0.0

    async def run(controller: Any) -> None:
        nonlocal seconds
        append(controller.state, (), "messages", (first, {}))
        start = time.process_time()
        for _ in range(DELTAS):
            append(controller.state, (), "messages", (delta, {}))
        seconds = time.process_time() - start

    async def main() -> None:
        async for _ in package.create_run(run, state={"messages": []}):
            pass

    asyncio.run(main())
    return seconds / DELTAS * 1e6


def per_nested_token(package: Any, module: Any, before: int) -> float:
    """Microseconds to bring a sub-agent's token into the artifact of its call."""
    seconds = 0.0
    calls = [{"name": "research", "id": "call_1", "args": {}}]
    initial = {"messages": [{"type": "ai", "id": "a", "content": "", "tool_calls": calls}]}
    namespace = ("tools:1",)

    async def run(controller: Any) -> None:
        nonlocal seconds

        def bring(message: AIMessageChunk) -> None:
            target = module.get_tool_call_subgraph_state(
                controller, namespace, "tools", {"messages": []}, artifact_field_name="inner"
            )
            module.append_langgraph_event(target, namespace, "messages", (message, {}))

        bring(text(before))
        start = time.process_time()
        for _ in range(DELTAS):
            bring(NEXT_TOKEN)
        seconds = time.process_time() - start

    async def main() -> None:
        async for _ in package.create_run(run, state=initial):
            pass

    asyncio.run(main())
    return seconds / DELTAS * 1e6


def cases() -> list[Case]:
    """Both kinds of delta, at two lengths of what came before."""
    peer = upstream()
    peer_module = upstream("modules.langgraph")
    peer_append = peer_module.append_langgraph_event

    def case(
        name: str, make: Callable[[int], AIMessageChunk], before: int, delta: AIMessageChunk
    ) -> Case:
        first = make(before)
        return Case(
            f"{name} after {before:,}",
            "µs",
            lambda: per_delta(ours, append_langgraph_event, first, delta),
            lambda: per_delta(peer, peer_append, first, delta),
            repeats=5,
        )

    nested = [
        Case(
            f"a sub-agent's token after {before:,}",
            "µs",
            lambda before=before: per_nested_token(ours, compat, before),  # type: ignore[misc]
            lambda before=before: per_nested_token(peer, peer_module, before),  # type: ignore[misc]
            repeats=5,
        )
        for before in (100, 20_000)
    ]
    return [
        *nested,
        case("text token", text, 100, NEXT_TOKEN),
        case("text token", text, 20_000, NEXT_TOKEN),
        case("tool-argument delta", arguments, 100, NEXT_PIECE),
        case("tool-argument delta", arguments, 5_000, NEXT_PIECE),
    ]
