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

_PLAIN_TEXT = frozenset({"type", "text", "index"})


def next_delta(fields: Mapping[str, Any], message: MessageState, teller: Teller) -> Delta | None:
    """The delta that a chunk adds to `message`, if that is all there is to it.

    Text goes on as text, and arguments as those of a call known by its index. `None` says that
    nothing was done: the long way gives the same chunks for whatever this one takes.

    Args:
        fields: What `vars()` gives of an `AIMessageChunk`: pydantic makes each attribute dear.
        message: The message that the chunk belongs to.
        teller: Knows what stands last.
    """
    if (
        message.finished
        or fields["additional_kwargs"]
        or fields["usage_metadata"] is not None
        or fields["chunk_position"] is not None
    ):
        return None
    metadata = fields["response_metadata"]
    if metadata and not _SAYS_NOTHING.issuperset(metadata):
        return None
    content: _Content = fields["content"]
    pieces = fields["tool_call_chunks"]
    if not pieces:
        text = content if isinstance(content, str) else _text_of(content)
        return teller.next_text(text, message) if text else None
    piece = pieces[0]
    args = piece["args"]
    if len(pieces) > 1 or piece["id"] or piece["name"] or not args:
        return None
    if content and not _is_input(content):
        return None
    return teller.next_args(args, piece["index"], message)


def _text_of(content: list[str | dict[Any, Any]]) -> str | None:
    """The text in the content's only block, if that is plain text."""
    block = content[0] if len(content) == 1 else None
    if isinstance(block, dict) and block.get("type") == "text" and _PLAIN_TEXT.issuperset(block):
        text = block.get("text")
        return text if isinstance(text, str) else None
    return None


def _is_input(content: _Content) -> bool:
    """Whether the content's only block says the same as the piece of the call beside it."""
    block = content[0] if len(content) == 1 else None
    return isinstance(block, dict) and block.get("type") == "input_json_delta"
