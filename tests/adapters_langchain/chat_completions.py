"""Answers of the chat completions API, which many providers speak with words of their own added."""

from __future__ import annotations

import json
from typing import Any, Literal

from .provider import Item, Said, events, json_answer

__all__ = ("USAGE", "asks", "said")

UsagePlace = Literal["own chunk", "last chunk", "x_groq"]

USAGE = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}


def asks(index: int, *pieces: str, **first: Any) -> list[Item]:
    """The deltas of a tool call: the first names it, the others hold its arguments."""
    name = {"name": first.pop("name")} if "name" in first else {}
    head = {"index": index, **first, "function": {"arguments": "", **name}}
    rest = [{"index": index, "function": {"arguments": piece}} for piece in pieces]
    return [{"tool_calls": [call]} for call in (head, *rest)]


def said(
    *deltas: Item,
    finish_reason: str = "stop",
    usage: Item | None = USAGE,
    last_delta: Item | None = None,
    usage_on: UsagePlace = "own chunk",
    message: Item | None = None,
    every: Item | None = None,
) -> Said:
    """An answer: streamed as deltas, the finish reason and the usage, or all of it at once.

    Args:
        deltas: What is streamed before the end.
        finish_reason: Why it ends.
        usage: Its tokens.
        last_delta: What the chunk with the finish reason says.
        usage_on: Where a stream has the tokens.
        message: The complete message, where it is not the sum of the deltas.
        every: What every chunk, and the complete body, says beside its choice.
    """
    head = {"id": "chatcmpl-9", "created": 1, "model": "m", **(every or {})}

    def chunk(*choices: Item, **more: Any) -> Item:
        return {**head, "object": "chat.completion.chunk", "choices": list(choices), **more}

    def choice(delta: Item, reason: str | None = None) -> Item:
        return {"index": 0, "delta": delta, "finish_reason": reason}

    first = {"role": "assistant", "content": ""}
    end = choice(last_delta or {"content": ""}, finish_reason)
    items = [chunk(choice(delta)) for delta in (first, *deltas)]
    if usage is None:
        items.append(chunk(end))
    elif usage_on == "last chunk":
        items.append(chunk(end, usage=usage))
    elif usage_on == "x_groq":
        items.append(chunk(end, x_groq={"id": "req_1", "usage": usage}))
    else:
        items += [chunk(end), chunk(usage=usage)]
    whole = message or _sum([*deltas, last_delta or {}])
    body = {**head, "object": "chat.completion", "usage": usage}
    body["choices"] = [
        {"index": 0, "message": {"role": "assistant", **whole}, "finish_reason": finish_reason}
    ]
    return Said(events(items, done=True), json_answer(body))


def _sum(deltas: list[Item]) -> Item:
    """The message that the deltas add up to."""
    message: Item = {"content": None}
    calls: dict[int, Item] = {}
    for delta in json.loads(json.dumps(deltas)):
        for piece in delta.pop("tool_calls", ()):
            call = calls.setdefault(piece["index"], {"type": "function", "function": {}})
            function = call["function"]
            for key, value in piece.pop("function").items():
                function[key] = function.get(key, "") + value
            call.update(piece)
        for key, value in delta.items():
            if value is not None:
                message[key] = value if message.get(key) is None else message[key] + value
    if calls:
        message["tool_calls"] = list(calls.values())
    return message
