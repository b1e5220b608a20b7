"""Who speaks, when several nodes or agents stream at the same time.

The parts of an answer are one list, and a client appends to the part that stands last: words that
come in turns from two models would be shuffled. So one of them is told while the others wait.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, ToolMessage

from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_langchain import MessageTranslator
from assistant_stream_langchain._message_index import MessageState
from assistant_stream_langchain._voices import Voices

__all__ = ("Floor",)

_Chunks = Sequence[AssistantStreamChunk]


class Floor:
    """Keeps the answers of one run apart. As long as one speaks at a time it does nothing.

    Args:
        messages: What translates the messages of the run.
    """

    def __init__(self, messages: MessageTranslator) -> None:
        self.is_shared = False
        """Whether several answers are going on that would share a part."""
        self._messages = messages
        self._voices = Voices()

    def say(self, message: BaseMessage, chunks: _Chunks) -> _Chunks:
        """The chunks to emit now that `message` has just been translated to `chunks`."""
        if isinstance(message, ToolMessage):
            return self.follow(message.tool_call_id, chunks)
        speaker = self._messages.speaker
        if speaker is None or not (chunks or speaker.finished):
            return chunks
        # Under another of its names it may seem to belong elsewhere; its words stand here.
        parent_id = speaker.parent_id
        if not self.is_shared:
            others = [
                other
                for other in self._messages.open_answers
                if other is not speaker and other.parent_id == parent_id and other.step_open
            ]
            if not others:
                return chunks
            self.is_shared = True
            for other in others:
                self._voices.say(other.id, other.parent_id, [])
        told = self._voices.say(speaker.id, parent_id, [*chunks], ended=speaker.finished)
        self._messages.note_last(self._voices.last(parent_id), parent_id)
        if parent_id is not None:
            told = self._voices.follow(parent_id, told)
        self.is_shared = self._voices.is_busy
        return told

    def end(self, speaker: MessageState, chunks: _Chunks) -> _Chunks:
        """The chunks to emit now that an answer has ended with `chunks`, not by its own end."""
        if not self.is_shared:
            return chunks
        told = self._voices.say(speaker.id, speaker.parent_id, [*chunks], ended=True)
        self._messages.note_last(self._voices.last(speaker.parent_id), speaker.parent_id)
        self.is_shared = self._voices.is_busy
        return self.follow(speaker.parent_id, told)

    def follow(self, tool_call_id: str | None, chunks: _Chunks) -> _Chunks:
        """The chunks to emit now of those that belong to a call, which may not have been told."""
        if not self.is_shared or tool_call_id is None:
            return chunks
        return self._voices.follow(tool_call_id, [*chunks])

    def close(self) -> _Chunks:
        """What still waits when the run has ended."""
        self.is_shared = False
        return self._voices.release_all()
