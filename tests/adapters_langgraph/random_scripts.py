"""What the models of random graphs stream."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from langchain_core.messages import AIMessage, AIMessageChunk

from tests.adapters_langgraph.random_plans import Speech, Use

__all__ = ("script",)


def script(speech: Speech, name: str) -> Any:
    """The items that a model streams; `name` tells its ids from those of others."""
    calls = [_call(use, f"call_{name}_{place}") for place, use in enumerate(speech.uses)]
    own_id = f"msg_{name}" if speech.own_id else None
    if speech.style == "whole":
        made = [{**call, "type": "tool_call"} for call in calls]
        kwargs = {"reasoning_content": "".join(speech.thoughts)} if speech.thoughts else {}
        return AIMessage(
            "".join(speech.text),
            tool_calls=made,
            id=own_id,
            additional_kwargs={**kwargs, **_cited(speech, name)},
            usage_metadata=_counts(name) if speech.counts else None,
            response_metadata={"finish_reason": speech.ends} if speech.ends else {},
        )
    if speech.style == "blocks":
        chunks = _in_blocks(speech, name, calls)
    else:
        chunks = _as_text(speech, name, calls)
    if speech.style == "blocks":
        for chunk in chunks:
            chunk.response_metadata["model_provider"] = "anthropic"
        chunks[0].id = own_id  # The others get LangChain's.
    else:
        for chunk in chunks:
            chunk.id = own_id
    return [0.002 if speech.pause else 0.0, *chunks]


def _call(use: Use, call_id: str) -> dict[str, Any]:
    return {"name": use.tool, "args": {"query": use.query}, "id": call_id}


def _counts(name: str) -> Any:
    """How many tokens the provider has counted."""
    number = crc32(name.encode())
    given, made = number % 97 + 1, number % 89 + 1
    return {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}


def _source(name: str) -> dict[str, str]:
    return {"url": f"https://example.com/{crc32(name.encode()) % 3}", "title": "T"}


def _cited(speech: Speech, name: str) -> Mapping[str, Any]:
    """What the provider leaves beside the content."""
    cited = {"type": "url_citation", "url_citation": _source(name)}
    return {"annotations": [cited]} if speech.cites else {}


def _as_text(speech: Speech, name: str, calls: list[dict[str, Any]]) -> list[AIMessageChunk]:
    thoughts = [
        AIMessageChunk(content="", additional_kwargs={"reasoning_content": text})
        for text in speech.thoughts
    ]
    texts = [AIMessageChunk(content=text) for text in speech.text]
    pieces = [AIMessageChunk(content="", tool_call_chunks=[p]) for p in _pieces(speech, calls, 0)]
    ends = []
    if speech.cites:
        ends.append(AIMessageChunk(content="", additional_kwargs=_cited(speech, name)))
    if speech.ends:
        ends.append(AIMessageChunk(content="", response_metadata={"finish_reason": speech.ends}))
    if speech.counts:
        ends.append(AIMessageChunk(content="", usage_metadata=_counts(name)))
    return [*thoughts, *texts, *pieces, *ends]


def _in_blocks(speech: Speech, name: str, calls: list[dict[str, Any]]) -> list[AIMessageChunk]:
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": text, "index": 0} for text in speech.thoughts
    ]
    blocks.extend({"type": "text", "text": text, "index": 1} for text in speech.text)
    if speech.cites:
        cited = {"type": "web_search_result_location", **_source(name)}
        blocks.append({"type": "text", "text": "", "citations": [cited], "index": 1})
    chunks = [AIMessageChunk(content=[block]) for block in blocks]
    for piece in _pieces(speech, calls, 2):
        block = {"type": "input_json_delta", "partial_json": piece["args"], "index": piece["index"]}
        if piece["id"]:
            block = {"type": "tool_use", "id": piece["id"], "name": piece["name"], "input": {}}
            block["index"] = piece["index"]
        chunks.append(AIMessageChunk(content=[block], tool_call_chunks=[piece]))
    metadata = {"stop_reason": speech.ends} if speech.ends else {}
    end = AIMessageChunk(content=[], response_metadata=metadata)
    if speech.counts:
        # Anthropic counts what it was given at the start, and what it made at the end.
        given, made = _counts(name), _counts(name)
        given |= {"output_tokens": 0, "total_tokens": given["input_tokens"]}
        made |= {"input_tokens": 0, "total_tokens": made["output_tokens"]}
        chunks.insert(0, AIMessageChunk(content=[], usage_metadata=given))
        end.usage_metadata = made
    return [*chunks, end]


def _pieces(speech: Speech, calls: list[dict[str, Any]], base: int) -> list[Any]:
    """The pieces of the calls, which come in turns."""
    queues = []
    for place, (use, call) in enumerate(zip(speech.uses, calls, strict=True)):
        text, pieces = json.dumps(call["args"], ensure_ascii=False), []
        for cut in use.cuts:
            pieces.append(text[:cut])
            text = text[cut:]
        head = {"name": call["name"], "args": "", "id": call["id"]}
        rest = [{"name": None, "args": piece, "id": None} for piece in (*pieces, text) if piece]
        fixed = {"index": base + place, "type": "tool_call_chunk"}
        queues.append([{**piece, **fixed} for piece in (head, *rest)])
    turns = itertools.zip_longest(*queues)
    return [piece for turn in turns for piece in turn if piece is not None]
