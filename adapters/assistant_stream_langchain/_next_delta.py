"""The short way for most chunks of most answers: one more delta of what streams already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from ._message_index import MessageState
from ._teller import Delta, Teller

__all__ = ("next_delta",)

_SAYS_NOTHING = frozenset({"model_provider"})
"""What stands in the metadata of every chunk."""

_Content: TypeAlias = str | list[str | dict[Any, Any]]

_KEYS = {kind: frozenset({"type", kind, "index"}) for kind in ("text", "thinking", "reasoning")}
"""What a block that only says something has at most, by its type; the type names the key."""

_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")


def next_delta(fields: Mapping[str, Any], message: MessageState, teller: Teller) -> Delta | None:
    """The delta that a chunk adds to `message`, if that is all there is to it.

    Text and reasoning go on as such, and arguments as those of a call known by its index. `None`
    says that nothing was done: the long way gives the same chunks for whatever this one takes.

    Args:
        fields: What `vars()` gives of an `AIMessageChunk`: pydantic makes each attribute dear.
        message: The message that the chunk belongs to.
        teller: Knows what stands last.
    """
    if (
        message.finished
        or message.open_results
        or fields["usage_metadata"] is not None
        or fields["chunk_position"] is not None
    ):
        return None
    metadata = fields["response_metadata"]
    if metadata and not _SAYS_NOTHING.issuperset(metadata):
        return None
    content: _Content = fields["content"]
    pieces = fields["tool_call_chunks"]
    if fields["additional_kwargs"]:
        text = None if content or pieces else _reasoning_in(fields["additional_kwargs"])
        return teller.next_reasoning(text, None, message) if text else None
    if not pieces:
        if isinstance(content, str):
            return teller.next_text(content, message) if content else None
        return _next_of_block(content, message, teller)
    piece = pieces[0]
    args = piece["args"]
    if len(pieces) > 1 or piece["id"] or piece["name"] or not args:
        return None
    if content and not _is_input(content):
        return None
    return teller.next_args(args, piece["index"], message)


def _next_of_block(
    content: list[str | dict[Any, Any]], message: MessageState, teller: Teller
) -> Delta | None:
    """What the content's only block adds, if that is plain text or plain reasoning."""
    block = content[0] if len(content) == 1 else None
    if not isinstance(block, dict):
        return None
    kind = block.get("type")
    keys = _KEYS.get(kind) if isinstance(kind, str) else None
    if keys is None or not keys.issuperset(block):
        return None
    text = block.get(kind)
    if not (isinstance(text, str) and text):
        return None
    if kind == "text":
        return teller.next_text(text, message)
    return teller.next_reasoning(text, block.get("index", 0), message)


def _reasoning_in(kwargs: Mapping[str, Any]) -> str | None:
    """The reasoning beside the content, if nothing else stands there."""
    for key in _REASONING_KEYS:
        if key in kwargs:
            text = kwargs[key]
            return text if len(kwargs) == 1 and isinstance(text, str) else None
    return None


def _is_input(content: _Content) -> bool:
    """Whether the content's only block says the same as the piece of the call beside it."""
    block = content[0] if len(content) == 1 else None
    return isinstance(block, dict) and block.get("type") == "input_json_delta"
