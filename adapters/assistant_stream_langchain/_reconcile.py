"""A complete message against what was streamed of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ._calls import real_id
from ._content import CallFragment, Fragment, ReasoningFragment, TextFragment
from ._message_index import MessageState
from ._teller import Chunks, Teller

__all__ = ("repeats", "tell_rest")


def tell_rest(
    fragments: Sequence[Fragment], message: MessageState, teller: Teller, out: Chunks
) -> None:
    """Tell what of a complete message has not been streamed."""
    text = _Rest(fragments, TextFragment, message.text)
    reasoning = _Rest(fragments, ReasoningFragment, message.reasoning)
    streamed_calls = bool(message.book.calls)
    position = 0
    for fragment in fragments:
        if isinstance(fragment, TextFragment):
            teller.tell_plain_text(text.of(fragment), message, out)
        elif isinstance(fragment, ReasoningFragment):
            fragment.text = reasoning.of(fragment)
            teller.tell_reasoning(fragment, message, out)
        elif isinstance(fragment, CallFragment) and streamed_calls:
            fragment.whole = True
            if call := message.book.find_whole(fragment, position):
                teller.tell_call(fragment, call, message, out)
            position += 1
        else:
            teller.tell(fragment, message, out)


class _Rest:
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
    return _text(fragments, ReasoningFragment) == "".join(message.reasoning)


def _text(fragments: Iterable[Fragment], kind: type[TextFragment | ReasoningFragment]) -> str:
    return "".join(f.text for f in fragments if isinstance(f, kind))
