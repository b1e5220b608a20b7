"""Reasoning that a model writes into its text, between `<think>` and `</think>`.

Servers without a reasoning parser pass it through like that. Only a tag at the very start of a
message counts: further on it is what the model talks about.
"""

from __future__ import annotations

from collections.abc import Iterable

from ._content import Fragment, ReasoningFragment, TextFragment

__all__ = ("ThinkTag", "split_thinking")

_OPEN = "<think>"
_CLOSE = "</think>"


class ThinkTag:
    """Splits the text of one message, piece by piece."""

    __slots__ = ("_inside", "held", "settled")

    def __init__(self) -> None:
        self.held = ""
        """What may be the beginning of a tag."""
        self._inside = False
        self.settled = False
        """Whether the rest of the message is plain text."""

    def feed(self, text: str) -> list[Fragment]:
        """Return what is certain after another piece of text."""
        text = self.held + text
        self.held = ""
        if self._inside:
            return self._inner(text)
        start = text.lstrip()
        if start.startswith(_OPEN):
            self._inside = True
            return self._inner(start[len(_OPEN) :])
        if _OPEN.startswith(start):
            self.held = text
            return []
        self.settled = True
        return [TextFragment(text)]

    def flush(self) -> list[Fragment]:
        """Return what was held back, at the end of the text or before something else."""
        held, self.held = self.held, ""
        if not held:
            return []
        self.settled = not self._inside
        return [ReasoningFragment(held, _OPEN) if self._inside else TextFragment(held)]

    def _inner(self, text: str) -> list[Fragment]:
        thought, closed, rest = text.partition(_CLOSE)
        if closed:
            self.settled = True
            return [ReasoningFragment(thought, _OPEN), TextFragment(rest)]
        keep = _tag_prefix_at_end(thought)
        self.held = thought[len(thought) - keep :]
        return [ReasoningFragment(thought[: len(thought) - keep], _OPEN)]


def split_thinking(fragments: Iterable[Fragment]) -> list[Fragment]:
    """Split the text of a complete message."""
    tag = ThinkTag()
    split: list[Fragment] = []
    for fragment in fragments:
        if isinstance(fragment, TextFragment) and not tag.settled:
            split.extend(tag.feed(fragment.text))
        else:
            split.extend((*tag.flush(), fragment))
    return [*split, *tag.flush()]


def _tag_prefix_at_end(text: str) -> int:
    """How many characters at the end could be the beginning of the closing tag."""
    for length in range(min(len(text), len(_CLOSE) - 1), 0, -1):
        if _CLOSE.startswith(text[-length:]):
            return length
    return 0
