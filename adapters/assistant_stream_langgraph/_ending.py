"""How the message of a run ends."""

from __future__ import annotations

from collections.abc import Callable

from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    MessageFinishChunk,
    ToolResultChunk,
)
from assistant_stream_ce.typing import FinishReason
from assistant_stream_langchain import MessageTranslator
from assistant_stream_langchain.messages import STOPPED

from ._books import Books
from ._floor import Floor

__all__ = ("Ending",)

_Chunks = list[AssistantStreamChunk]


class Ending:
    """Closes what is open, and says how the run has ended.

    Args:
        messages: What has translated the messages of the run.
        floor: What may hold some of it back.
        books: The books on it.
    """

    def __init__(self, messages: MessageTranslator, floor: Floor, books: Books) -> None:
        self._messages = messages
        self._floor = floor
        self._books = books

    def finish(self, *, gives_up: bool, left: Callable[[str | None, str | None], bool]) -> _Chunks:
        """The end of a run that has come to it, or to a pause.

        Args:
            gives_up: Whether the calls of messages that never came complete get a result: a
                message that has not come to the state has calls that are no client's to answer.
            left: Which other calls get one, by their ids and those of their parents.
        """
        chunks = self._close()
        if gives_up:
            chunks.extend(self._books.follow(self._messages.give_up_calls(), ()))
        chunks.extend(self._books.follow(self._messages.give_up_waiting(left), ()))
        # "tool-calls" only when a call waits. A client that reads it and finds a result at every
        # call, or no call at all, asks again by itself: so an interrupt outside of a call is no
        # reason for it.
        reason = self._messages.finish_reason
        reason = "stop" if reason == "unknown" else reason
        chunks.extend(self._books.finish_step(reason, self._usage))
        chunks.append(MessageFinishChunk(reason, *self._usage))
        return chunks

    def break_off(self, result: str, reason: FinishReason) -> _Chunks:
        """The end of a run that has not come to it, without the message's own: all calls that
        wait get `result`."""
        chunks = self._close()
        chunks.extend(
            ToolResultChunk(tool_call_id, result, is_error=True)
            for tool_call_id in self._messages.waiting_calls
        )
        chunks.extend(self._books.finish_step(reason, self._usage))
        return chunks

    def stop(self) -> _Chunks:
        """The end of a run that was cancelled."""
        chunks = self.break_off(STOPPED, "other")
        # Clients take a message without a reason for complete.
        chunks.append(MessageFinishChunk("other", *self._usage))
        return chunks

    def _close(self) -> _Chunks:
        return [*self._floor.close(), *self._books.follow(self._messages.finish(), ())]

    @property
    def _usage(self) -> tuple[int, int]:
        return self._messages.input_tokens, self._messages.output_tokens
