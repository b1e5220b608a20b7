"""How a model's message ends: what is closed, what its step says, and the account of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from assistant_stream_ce.typing import FinishReason

from ._message_index import MessageIndex, MessageState
from ._teller import Chunks, Teller

__all__ = ("Endings",)

GIVEN_UP = "The run went on without this call."
UNREADABLE = "The arguments of this call could not be read."


class Endings:
    """Ends the messages of one run, each once."""

    def __init__(self, index: MessageIndex, teller: Teller) -> None:
        self._index = index
        self._teller = teller
        self._last_reason: FinishReason = "unknown"
        self.last: dict[str | None, MessageState] = {}
        """Whose words stand last under each parent."""
        self.input_tokens = 0
        """Input tokens of the run so far."""
        self.output_tokens = 0
        """Output tokens of the run so far."""

    @property
    def finish_reason(self) -> FinishReason:
        """Why the run ended: `"tool-calls"` only while calls wait for somebody."""
        if self._teller.waiting:
            return "tool-calls"
        return "stop" if self._last_reason in ("tool-calls", "unknown") else self._last_reason

    def count(self, usage: tuple[int, int] | None) -> None:
        """Add the input and output tokens of a message to those of the run."""
        if usage is not None:
            self.input_tokens += usage[0]
            self.output_tokens += usage[1]

    def finish(self, message: MessageState, out: Chunks, *, streamed: bool = False) -> None:
        """End a message of which all has been told; `streamed` when the last chunk says so, and
        the complete message is still to come."""
        self._index.close(message)
        said = len(out)
        self._teller.tell_held(message, out)
        self._teller.tell_value(message, out)
        if len(out) > said:
            self.last[message.parent_id] = message
        message.think = message.structured = None
        self._teller.close_results(message, out)
        reason = message.finish_reason or "unknown"
        for call in message.book.calls:
            # Arguments of which nothing has streamed may still stand in the complete message.
            if call.args or call.on_server or not streamed:
                self._teller.close_call(call, message, out)
            else:
                self._teller.begin_call(call, message, out)
            if not call.on_server and reason in ("stop", "unknown"):
                reason = "tool-calls"
        self.count(message.usage)
        if message.parent_id is None:
            self._last_reason = reason
        self._teller.steps.start(message, out)
        self._teller.steps.finish(message, reason, self._index.open_messages(), out)

    def break_off(self, message: MessageState, reason: FinishReason) -> Chunks:
        """End a message whose model run has ended without telling it whole."""
        out: Chunks = []
        if message.finished:
            return out
        message.finish_reason = reason
        if reason == "error":
            self.give_up(message, out)
        last_reason = self._last_reason
        self.finish(message, out)
        if reason == "other" and message is not self._index.newest:
            # Nobody read on, which may come to light long after the next answer.
            self._last_reason = last_reason
        return out

    def end_all(self) -> Chunks:
        """End what is open, for the end of the run."""
        out: Chunks = []
        for message in self._index.open_messages():
            self.finish(message, out)
        self._teller.close_waiting(out)
        return out

    def give_up(self, message: MessageState, out: Chunks, *, unreadable: bool = False) -> None:
        """Answer the calls of a message that nobody will answer; with `unreadable`, those whose
        arguments are no JSON."""
        for call in message.book.calls:
            if call.on_server or call.answered or (unreadable and call.args_are_complete()):
                continue
            self._teller.begin_call(call, message, out)
            reason = UNREADABLE if unreadable else GIVEN_UP
            self._teller.answer(call, reason, None, True, out)

    def give_up_left(self, is_left: Callable[[str | None, str | None], bool]) -> Chunks:
        """Answer the calls that wait for nobody, by the provider's id and the parent's."""
        out: Chunks = []
        for call in [*self._teller.waiting.values()]:
            if is_left(call.provider_id, call.parent_id):
                self._teller.answer(call, GIVEN_UP, None, True, out)
        return out

    def give_up_rest(self, unreadable: Iterable[MessageState]) -> Chunks:
        """Answer the calls of messages that were never fed whole, and the unreadable ones."""
        out: Chunks = []
        for message in self._index.messages():
            if not message.reconciled:
                self.give_up(message, out)
        for message in unreadable:
            self.give_up(message, out, unreadable=True)
        return out
