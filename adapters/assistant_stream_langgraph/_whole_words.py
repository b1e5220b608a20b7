"""What the transformers of a graph are given to edit: whole words of texts, whole calls, and
interrupts as a part of the state.

What they are to find may be split over tokens. LangChain's own keep the last characters of a text
back, but take the beginning of an address for the whole, and what comes then for something else.
And a word that JSON has escaped is none in a piece of a call's arguments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ._channels import channels_of
from ._screen import without_repeats
from ._shapes import is_items, is_mapping
from ._tool_progress import output_delta
from .events import INTERRUPT

__all__ = ("WholeWords",)

_Part: TypeAlias = Mapping[str, Any]
"""What `graph.astream(version="v2")` yields."""

_CALLS = frozenset({"tool_call_chunk", "server_tool_call_chunk"})
_TEXTS = frozenset({"text", "reasoning"})


_END = re.compile(r".*[\s\u3000-\u303f\uff01\uff0c\uff1a\uff1b\uff1f]", re.DOTALL)
"""A text to the end of its last whole word. Chinese and Japanese have no spaces, but marks."""


class _Words:
    """A text that grows, given out in whole words."""

    def __init__(self) -> None:
        self._held: list[str] = []
        """The beginning of its last word, in pieces."""

    def add(self, text: str) -> str:
        """What can be judged now that `text` has come."""
        end = _END.match(text)
        if end is None:
            self._held.append(text)
            return ""
        words = self.rest() + end.group()
        self._held.append(text[end.end() :])
        return words

    def rest(self) -> str:
        """The last word, for nothing comes behind it."""
        rest = "".join(self._held)
        self._held.clear()
        return rest


@dataclass(slots=True)
class _Block:
    """A block of a message that streams."""

    kind: str
    about: Mapping[str, Any]
    """What came when it began."""
    said: list[str] = field(default_factory=list[str])
    words: _Words = field(default_factory=_Words)
    is_finished: bool = False


class WholeWords:
    """Prepares the parts of one stream."""

    def __init__(self) -> None:
        self._messages: dict[Any, dict[Any, _Block]] = {}
        """By model call its blocks, by their index."""
        self._outputs: dict[Any, _Words] = {}
        """By tool call what it puts out."""

    def read(self, part: _Part) -> Iterator[_Part]:
        """The parts for one part."""
        data: Any = part["data"]
        match part["type"]:
            case "messages" if is_items(data) and is_mapping(data[0]):
                payload, metadata = data
                for prepared in self._on_message(payload, metadata.get("run_id")):
                    yield {**part, "data": (prepared, metadata)}
            case "tools" if is_mapping(data):
                for prepared in self._on_tool(data, data.get("tool_call_id")):
                    yield {**part, "data": prepared}
            case "values":
                yield _with_interrupts(part)
            case _:
                yield part

    def _on_tool(self, payload: Mapping[str, Any], call: Any) -> Iterator[Any]:
        delta = payload.get("delta") if output_delta(payload) is not None else None
        if isinstance(delta, str):
            words = self._outputs.setdefault(call, _Words()).add(delta)
            if words:
                yield {**payload, "delta": words}
            return
        rest = self._outputs.pop(call, _Words()).rest()
        if rest:
            yield {"event": "tool-output-delta", "tool_call_id": call, "delta": rest}
        yield payload

    def _on_message(self, payload: Any, run: Any) -> Iterator[Any]:
        blocks = self._messages.setdefault(run, {})
        match payload:
            case {"event": "content-block-start", "content": content, "index": index}:
                yield from _finish_others(blocks, index)
                block = blocks[index] = _Block(content.get("type"), content)
                if content.get("args") and block.kind in _CALLS:
                    block.said.append(content["args"])
                if block.kind != "tool_call_chunk":
                    # A call of the provider's own is not finished until the message is.
                    args = {"args": ""} if "args" in content else {}
                    yield {**payload, "content": {**content, **args}}
            case {"event": "content-block-delta", "delta": delta, "index": index}:
                yield from _on_delta(blocks, index, payload, delta)
            case {"event": "content-block-finish", "content": content, "index": index}:
                if index in blocks:
                    blocks[index].is_finished = True
                yield {**payload, "content": {**content}}
            case {"event": "message-finish" | "error"}:
                del self._messages[run]
                yield payload
            case _:
                yield payload


def _on_delta(
    blocks: dict[Any, _Block], index: Any, payload: Mapping[str, Any], delta: Mapping[str, Any]
) -> Iterator[Any]:
    match delta:
        case {"type": "tool-call-delta", "args": str(args)}:
            blocks.setdefault(index, _Block("tool_call_chunk", {})).said.append(args)
        case {"fields": {"type": str(kind), "args": str(args)} as fields} if kind in _CALLS:
            blocks[index] = _Block(kind, fields, [args])  # All that came until now.
        case {"type": "text-delta", "text": str(text)}:
            yield from _finish_others(blocks, index)
            words = _words(blocks.setdefault(index, _Block("text", {})), text)
            if words:
                yield {**payload, "delta": {**delta, "text": words}}
        case {"type": "reasoning-delta", "reasoning": str(text)}:
            yield from _finish_others(blocks, index)
            words = _words(blocks.setdefault(index, _Block("reasoning", {})), text)
            if words:
                yield {**payload, "delta": {**delta, "reasoning": words}}
        case _:
            yield payload


def _words(block: _Block, text: str) -> str:
    """What can be judged of a block that goes on with `text`."""
    block.said.append(text)
    block.is_finished = False
    return block.words.add(text)


def _finish_others(blocks: Mapping[Any, _Block], index: Any) -> Iterator[Any]:
    """The ends of the blocks before one that goes on. A model's own come after its last block,
    and only with them the last words do: they would stand behind those of this one."""
    for place, block in blocks.items():
        if place == index or block.is_finished:
            continue
        content = _finished(block)
        if content is not None:
            block.is_finished = True
            block.words.rest()
            yield {"event": "content-block-finish", "index": place, "content": content}


def _finished(block: _Block) -> dict[str, Any] | None:
    text = "".join(block.said)
    if block.kind in _TEXTS:
        return {"type": block.kind, block.kind: text} if text else None
    if block.kind != "tool_call_chunk" or not block.about.get("name"):
        return None
    try:
        args = json.loads(text or "{}")
    except ValueError:
        return None
    about = {key: block.about.get(key) for key in ("id", "name")}
    return {"type": "tool_call", **about, "args": args} if isinstance(args, dict) else None


def _with_interrupts(part: _Part) -> _Part:
    """The interrupts are given in the state, for transformers do not look beside it."""
    channels = channels_of(part["data"])
    if channels is None and not part.get("interrupts"):
        return {**part, "data": without_repeats(part["data"])}  # What a function has returned.
    data = {name: without_repeats(value) for name, value in (channels or {}).items()}
    if part.get("interrupts"):
        data[INTERRUPT] = [interrupt.value for interrupt in part["interrupts"]]
    return {**part, "data": data}
