"""What one LangChain message (or message chunk) says, whatever the provider.

`read_content` is pure: it turns the content of one message into fragments, in the order in which
they stand there. It keeps no state, so a fragment of a tool call may lack its id or its name;
`translator.py` knows which call it belongs to.

LangChain's own `content_blocks` is not used: it is slow per token, and for a chunk with more than
one tool call, a citation without text or a provider it does not know it loses what it was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk

from ._media import FileFragment, read_file
from ._server_tools import CallFragment, ResultFragment, read_executed_tool, read_server_tool
from ._shapes import as_index, as_items, as_mapping, as_text, first_text
from ._sources import SourceFragment, read_annotation, read_message_sources

__all__ = (
    "CallFragment",
    "FileFragment",
    "Fragment",
    "ReasoningFragment",
    "ResultFragment",
    "SourceFragment",
    "TextFragment",
    "read_content",
)


@dataclass(slots=True)
class TextFragment:
    """A piece of the answer's text, in the content block of this index."""

    text: str
    index: int | str | None = None


@dataclass(slots=True)
class ReasoningFragment:
    """A piece of reasoning; pieces with different keys stand in different parts."""

    text: str
    key: object = None


Fragment: TypeAlias = (
    TextFragment | ReasoningFragment | CallFragment | ResultFragment | SourceFragment | FileFragment
)

Block: TypeAlias = Mapping[str, Any]  # Providers put any JSON into their blocks.

_CALL_BLOCKS = frozenset(
    {"tool_use", "function_call", "custom_tool_call", "tool_call", "tool_call_chunk"}
    | {"invalid_tool_call", "input_json_delta"}
)
_EXECUTED_TOOL_BLOCKS = ("server_tool_call", "server_tool_result")


def read_content(message: AIMessage) -> list[Fragment]:
    """Return what `message` says, in order, as fragments."""
    content, kwargs = message.content, message.additional_kwargs
    calls = _Calls(message)
    reasoning = _kwargs_reasoning(kwargs) if kwargs else []
    fragments: list[Fragment] = [*_kwargs_server_tools(kwargs)] if kwargs else []
    if isinstance(content, str):
        fragments[:0] = reasoning
        if content:
            fragments.append(TextFragment(content))
    else:
        # LangChain's own blocks for these give every tool of a stream the same id.
        twice = _EXECUTED_TOOL_BLOCKS if kwargs.get("executed_tools") else ()
        for position, block in enumerate(content):
            if isinstance(block, str) or as_text(block.get("type")) not in twice:
                fragments.extend(_read_block(block, position, calls))
        if reasoning and not any(isinstance(f, ReasoningFragment) for f in fragments):
            fragments[:0] = reasoning
    if kwargs and (refusal := as_text(kwargs.get("refusal"))) and not message.text:  # OpenAI.
        fragments.append(TextFragment(refusal))
    fragments.extend(calls.rest())
    if kwargs:
        fragments.extend(_kwargs_media(kwargs, bool(content)))
    fragments.extend(read_message_sources(message))
    return fragments


class _Calls:
    """The calls of a message, handed out once each: where a content block marks their place,
    or else at the end."""

    def __init__(self, message: AIMessage) -> None:
        self._left = list(_read_calls(message))
        self.announced = bool(self._left)

    def at(self, block: Block) -> list[CallFragment]:
        """The call that `block` stands for, if it has not been handed out."""
        block_id = block.get("call_id") or block.get("id")
        for call in self._left:
            if (block_id and call.id == block_id) or (
                not block_id and call.index is not None and call.index == block.get("index")
            ):
                self._left.remove(call)
                return [call]
        return []

    def rest(self) -> list[CallFragment]:
        """Every call that no block stood for."""
        rest, self._left = self._left, []
        return rest


def _read_calls(message: AIMessage) -> Iterator[CallFragment]:
    if isinstance(message, AIMessageChunk):
        # `tool_calls` of a chunk is guessed from these fragments, so it adds nothing.
        for chunk in message.tool_call_chunks:
            yield CallFragment(chunk["id"], chunk["name"], chunk["args"], chunk["index"])
        return
    for call in message.tool_calls:
        yield CallFragment(call["id"], call["name"], call["args"], whole=True)
    for invalid in message.invalid_tool_calls:
        yield CallFragment(invalid["id"], invalid["name"], invalid["args"], whole=True)


def _read_block(block: str | Block, position: int, calls: _Calls) -> Sequence[Fragment]:
    if isinstance(block, str):
        return [TextFragment(block)] if block else []
    kind = as_text(block.get("type"))
    if kind in _TEXT_KEYS:
        return _read_text(block, kind)
    if kind in _CALL_BLOCKS:
        return calls.at(block) if calls.announced else _read_call_block(block)
    if kind in ("thinking", "reasoning", "reasoning_content"):
        return _read_reasoning(block, position)
    if kind == "non_standard":
        inner = as_mapping(block.get("value"))
        return _read_block({**inner, "index": block.get("index")}, position, calls)
    if block.get("type") is None and (text := as_text(block.get("text"))):
        return [TextFragment(text)]
    file = read_file(block)
    return read_server_tool(block) if file is None else [file]


_TEXT_KEYS = {
    "text": "text",
    "text_delta": "text",
    "output_text": "text",
    "refusal": "refusal",
}


def _read_text(block: Block, kind: str) -> list[Fragment]:
    fragments: list[Fragment] = []
    if text := as_text(block.get(_TEXT_KEYS[kind])):
        fragments.append(TextFragment(text, as_index(block.get("index"))))
    fragments.extend(
        source
        for key in ("annotations", "citations")
        for annotation in as_items(block.get(key))
        if (source := read_annotation(as_mapping(annotation)))
    )
    return fragments


def _read_reasoning(block: Block, position: int) -> list[Fragment]:
    key = block.get("index", position)
    block = as_mapping(block.get("reasoning_content")) or block  # Bedrock Converse.
    if text := first_text(block, "thinking", "reasoning", "text"):
        return [ReasoningFragment(text, key)]
    # The Responses API: summaries, each its own part; some servers send plain `content` instead,
    # and Mistral a list of text blocks under `thinking`.
    keyed = block.get("summary")
    items = keyed or block.get("content") or block.get("thinking")
    return [
        ReasoningFragment(text, (key, item.get("index", number)) if keyed else key)
        for number, item in enumerate(map(as_mapping, as_items(items)))
        if (text := first_text(item, "text"))
    ]


def _read_call_block(block: Block) -> list[Fragment]:
    """A call that stands in the content only, as server-side deltas and old clients leave it."""
    args: Any = None
    for key in ("partial_json", "arguments", "args", "input"):
        if block.get(key) not in (None, {}):
            args = block[key]
            break
    name, index = as_text(block.get("name")), as_index(block.get("index"))
    whole = block.get("type") in ("tool_call", "invalid_tool_call")
    return [CallFragment(first_text(block, "call_id", "id"), name, args, index, whole=whole)]


def _kwargs_reasoning(kwargs: Mapping[str, Any]) -> list[Fragment]:
    for name in ("reasoning_content", "reasoning", "thinking"):
        if text := as_text(kwargs.get(name)):
            return [ReasoningFragment(text)]
        if value := as_mapping(kwargs.get(name)):
            return _read_reasoning(value, 0)
    return []


def _kwargs_server_tools(kwargs: Mapping[str, Any]) -> Iterator[Fragment]:
    """What the provider ran, which is mostly before it answered."""
    for block in map(as_mapping, as_items(kwargs.get("tool_outputs"))):  # OpenAI.
        if read_file(block) is None:
            yield from read_server_tool(block)
    for tool in map(as_mapping, as_items(kwargs.get("executed_tools"))):  # Groq.
        yield from read_executed_tool(tool)


def _kwargs_media(kwargs: Mapping[str, Any], has_content: bool) -> Iterator[Fragment]:
    for block in map(as_mapping, as_items(kwargs.get("tool_outputs"))):
        if file := read_file(block):
            yield file
    for image in map(as_mapping, as_items(kwargs.get("images"))):  # Perplexity.
        if file := read_file({"type": "image_url", **image}):
            yield file
    audio = kwargs.get("audio")
    if isinstance(audio, bytes):
        audio = {"data": audio}
    audio = as_mapping(audio)
    if not has_content and (transcript := first_text(audio, "transcript")):
        yield TextFragment(transcript)
    if file := read_file({"type": "audio", **audio}):
        yield file
