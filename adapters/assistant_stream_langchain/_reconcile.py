"""A complete message against what was streamed of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ._calls import real_id
from ._content import CallFragment, Fragment, ReasoningFragment, TextFragment
from ._message_index import MessageState

__all__ = ("Rest", "repeats")


class Rest:
    """What of a complete message's text, or reasoning, has not been told."""

    def __init__(
        self,
        fragments: Iterable[Fragment],
        kind: type[TextFragment | ReasoningFragment],
        told: Sequence[str],
    ) -> None:
        text = _text(fragments, kind)
        streamed = "".join(told)
        # Where the two differ nothing more is told: what a client shows cannot be taken back.
        self._skip = len(streamed) if text.startswith(streamed) else len(text)

    def of(self, fragment: TextFragment | ReasoningFragment) -> str:
        """The part of the next fragment that has not been told."""
        rest = fragment.text[self._skip :]
        self._skip = max(0, self._skip - len(fragment.text))
        return rest


def repeats(fragments: Sequence[Fragment], message: MessageState) -> bool:
    """Whether the fragments of a complete message say what was streamed as `message`."""
    calls = {real_id(f.id) for f in fragments if isinstance(f, CallFragment)}
    streamed = {call.provider_id for call in message.book.calls}
    if calls - {None} != streamed - {None}:
        return False
    if _text(fragments, TextFragment) != "".join(message.text):
        return False
    if message.text or streamed:
        return True  # What a node builds anew may be without the reasoning.
    thought = "".join(message.reasoning)
    return thought != "" and _text(fragments, ReasoningFragment) == thought


def _text(fragments: Iterable[Fragment], kind: type[TextFragment | ReasoningFragment]) -> str:
    return "".join(f.text for f in fragments if isinstance(f, kind))
