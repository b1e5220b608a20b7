"""A message dict in a state that grows by chunks, the way LangChain adds them up.

The state may be plain dicts and lists or a run's `StateProxy`, which makes operations of what is
written. Only what a chunk brings is touched, so a delta costs the same however long the message
is; parsed arguments, which cannot grow piece by piece, are read again as often as they have grown
by a share of their length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableSequence
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import add_usage
from langchain_core.utils.json import parse_partial_json

from assistant_stream_ce._json import to_json
from assistant_stream_ce.state import StateProxy

from ._growth import FIXED_KEYS
from ._shapes import as_items, is_mapping

__all__ = ("grow_message", "parse_calls")

# `Any` in this module is a piece of the user's state, or of a message: JSON that the user typed.

READS_PER_DOUBLING = 8
"""How often parsed arguments are brought up to date while their text doubles."""


def grow_message(message: Any, chunk: AIMessageChunk) -> None:
    """Add a chunk to the dict of the message that it goes on with."""
    if chunk.content:
        _grow_content(message, chunk.content)
    grown = [_grow_call(message, to_json(piece)) for piece in chunk.tool_call_chunks]
    for field in ("additional_kwargs", "response_metadata"):
        delta: Any = to_json(getattr(chunk, field))
        if delta:
            _grow(_member(message, field, {}), delta, join=field == "additional_kwargs")
    if chunk.usage_metadata:
        usage: Any = _plain(message.get("usage_metadata"))
        message["usage_metadata"] = to_json(add_usage(usage, chunk.usage_metadata))
    if chunk.chunk_position is not None:
        message["chunk_position"] = chunk.chunk_position
        grown.append(bool(message.get("tool_call_chunks")))
    if any(grown):
        parse_calls(message)


def parse_calls(message: Any) -> None:
    """Bring `tool_calls` up to date with the text that has arrived."""
    calls: list[Any] = []
    invalid: list[Any] = []
    for piece in _plain(message.get("tool_call_chunks")) or ():
        args = _parse(piece.get("args") or "")
        call = {"name": piece.get("name"), "args": args, "id": piece.get("id")}
        if isinstance(args, dict):
            calls.append({**call, "name": call["name"] or "", "type": "tool_call"})
        else:
            call["args"] = piece.get("args")
            invalid.append({**call, "error": None, "type": "invalid_tool_call"})
    message["tool_calls"] = calls
    if invalid or message.get("invalid_tool_calls"):
        message["invalid_tool_calls"] = invalid


def _grow_content(message: Any, delta: Any) -> None:
    content: Any = message.get("content") or ""
    if isinstance(content, str) and isinstance(delta, str):
        message["content"] = content + delta
        return
    if isinstance(content, str):
        message["content"] = [content] if content else []
    blocks: Any = message["content"]
    for block in as_items(to_json(delta)):
        if isinstance(block, str) and len(blocks) and isinstance(blocks[-1], str):
            blocks[-1] += block
        elif isinstance(block, str):
            blocks.append(block)
        else:
            _grow_item(blocks, block)


def _grow_call(message: Any, piece: Any) -> bool:
    """Add a piece of a tool call; returns whether the parsed calls should follow now."""
    pieces = _member(message, "tool_call_chunks", [])
    place = _place_of(pieces, piece)
    if place is None:
        pieces.append(piece)
        return True
    call = pieces[place]
    args, more = call.get("args") or "", piece.get("args") or ""
    if more:
        call["args"] = args + more
    news = False
    for key in ("name", "id"):
        if piece.get(key) and not call.get(key):
            call[key] = piece[key]
            news = True
    return news or _is_due(len(args), len(args) + len(more))


def _is_due(before: int, now: int) -> bool:
    return int(math.log2(before + 1) * READS_PER_DOUBLING) != int(
        math.log2(now + 1) * READS_PER_DOUBLING
    )


def _grow(into: Any, delta: Mapping[str, Any], *, join: bool = True) -> None:
    """Add a piece of an object: with `join` texts grow; containers merge, the rest is set."""
    for key, value in delta.items():
        current: Any = into.get(key)
        if value is None or (current is not None and key in FIXED_KEYS):
            continue
        if isinstance(value, str) and isinstance(current, str) and join:
            into[key] = current + value
        elif is_mapping(value) and is_mapping(current):
            _grow(current, value, join=join)
        elif isinstance(value, list) and isinstance(current, MutableSequence):
            for item in as_items(value):
                _grow_item(current, item)
        else:
            into[key] = value


def _grow_item(items: Any, item: Any) -> None:
    place = _place_of(items, item)
    if place is None:
        items.append(item)
    else:
        _grow(items[place], item)


def _place_of(items: Any, item: Any) -> int | None:
    """Where the item stands that this one goes on with, told by `index`; most often at the end."""
    index = item.get("index") if is_mapping(item) else None
    if index is None:
        return None
    for place in range(len(items) - 1, -1, -1):
        other: Any = items[place]
        if is_mapping(other) and other.get("index") == index:
            first, second = other.get("id"), item.get("id")
            return place if not first or not second or first == second else None
    return None


def _member(message: Any, key: str, empty: Any) -> Any:
    if message.get(key) is None:
        message[key] = empty
    return message[key]


def _plain(value: Any) -> Any:
    return value.copy() if isinstance(value, StateProxy) else value


def _parse(text: str) -> Any:
    try:
        return to_json(parse_partial_json(text)) if text else {}
    except ValueError:
        return None
