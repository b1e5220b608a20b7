"""Keeps answers apart that are streamed at the same time.

A client appends text to the part that stands last, so the words of two models that run side by
side would end up shuffled in one part. Where two answers would share a part, one has the floor and
the other is held back until it ends, or until it has been silent for a while. Answers under
different tool calls do not share any.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from assistant_stream_ce.chunks import (
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    ToolCallBeginChunk,
)

from ._teller import Chunks

__all__ = ("Voices",)

PATIENCE = 1.0
"""Seconds of silence after which the floor goes to whoever has something to say."""


class _Voice:
    __slots__ = ("ended", "held", "key", "spoke")

    def __init__(self, key: str) -> None:
        self.key = key
        self.spoke = 0.0
        self.held: Chunks = []
        self.ended = False


class Voices:
    """The answers of a run that are being told, by the id of their model run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._voices: dict[str, _Voice] = {}
        self._lines: dict[str | None, list[_Voice]] = {}
        """Who speaks under each parent: the first has the floor, the others wait."""
        self._held_calls: dict[str, _Voice] = {}
        self._last: dict[str | None, str] = {}
        """Whose words were let through last under each parent."""

    @property
    def is_busy(self) -> bool:
        """Whether anybody has not ended."""
        return bool(self._voices)

    def last(self, parent_id: str | None) -> str | None:
        """The answer whose words stand last under a parent, of those that have shared it."""
        return self._last.get(parent_id)

    def say(
        self, key: str, parent_id: str | None, chunks: Chunks, *, ended: bool = False
    ) -> Chunks:
        """Return the chunks to emit now that the answer `key` has said `chunks`."""
        line = self._lines.setdefault(parent_id, [])
        voice = self._voices.get(key)
        if not line and not ended:
            self._last[parent_id] = key  # Others come now, below what it has said.
        if voice is None:
            voice = self._voices[key] = _Voice(key)
            line.append(voice)
        now = self._clock()
        out: Chunks = []
        if voice is not line[0] and now - line[0].spoke > PATIENCE:
            line.remove(voice)
            line.insert(0, voice)
            out = self._release(voice, parent_id)
        if voice is line[0]:
            voice.spoke = now
            if chunks:
                self._last[parent_id] = key
            out = [*out, *chunks] if out else chunks
        else:
            self._hold(voice, chunks)
        if ended:
            del self._voices[key]
            voice.ended = True
            while line and line[0].ended:
                del line[0]
                if line:
                    line[0].spoke = now
                    out = [*out, *self._release(line[0], parent_id)]
        return out

    def follow(self, tool_call_id: str, chunks: Chunks) -> Chunks:
        """Return `chunks`, which belong to a tool call, unless the call itself is held back."""
        voice = self._held_calls.get(tool_call_id)
        if voice is None:
            return chunks
        self._hold(voice, chunks)
        return []

    def release_all(self) -> Chunks:
        """Return everything that is still held back, for the end of the run."""
        voices = [(voice, parent) for parent, line in self._lines.items() for voice in line]
        self._voices.clear()
        self._lines.clear()
        return [chunk for voice, parent in voices for chunk in self._release(voice, parent)]

    def _hold(self, voice: _Voice, chunks: Chunks) -> None:
        voice.held.extend(chunks)
        for chunk in chunks:
            if isinstance(chunk, ToolCallBeginChunk):
                self._held_calls[chunk.tool_call_id] = voice

    def _release(self, voice: _Voice, parent_id: str | None) -> Chunks:
        held, voice.held = voice.held, []
        if held:
            self._last[parent_id] = voice.key
        if held and isinstance(held[0], ReasoningDeltaChunk):
            # It now follows something else than when it was said: perhaps another's reasoning.
            held.insert(0, ReasoningPartStartChunk(parent_id=held[0].parent_id))
        for chunk in held:
            if isinstance(chunk, ToolCallBeginChunk):
                self._held_calls.pop(chunk.tool_call_id, None)
        return held
