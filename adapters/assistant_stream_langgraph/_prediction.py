"""Arguments of tool calls, read while they stream, as what they are going to be in the state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)

__all__ = ("Predictions",)

_LONG_ESCAPE = 6
_PAIR = 12
_PAIR_SO_FAR = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(\\(u([dD]([c-fC-F][0-9a-fA-F]{0,2})?)?)?)?"
)


class Predictions:
    """Follows the calls of tools whose argument is shown in a channel before the tool has run. Of
    several at the same time the channel shows the one whose argument has begun last.

    Args:
        predict: Channel to tool and argument, such as `{"draft": ("write_doc", "text")}`.
    """

    def __init__(self, predict: Mapping[str, tuple[str, str]]) -> None:
        self._predict = predict
        self._calls: dict[str, list[tuple[str, _Argument]]] = {}
        self._shown: dict[str, _Argument] = {}
        """By channel, what it shows."""

    def read(self, chunks: Sequence[AssistantStreamChunk]) -> Iterator[tuple[str, str, bool]]:
        """Channel, new text, and whether it is the first of its call."""
        answered = {c.tool_call_id for c in chunks if isinstance(c, ToolResultChunk)}
        for chunk in chunks:
            if isinstance(chunk, ToolCallBeginChunk):
                followed = [
                    (channel, _Argument(argument))
                    for channel, (tool, argument) in self._predict.items()
                    if tool == chunk.tool_name
                ]
                # One that is told with its result is no guess any more.
                if followed and chunk.tool_call_id not in answered:
                    self._calls[chunk.tool_call_id] = followed
            elif isinstance(chunk, (ToolCallDeltaChunk, ToolCallArgsTextFinishChunk)):
                for channel, argument in self._calls.get(chunk.tool_call_id, ()):
                    text = argument.read(chunk.args_text_delta)
                    is_first = bool(text) and not argument.begun
                    if is_first:
                        argument.begun = True
                        self._shown[channel] = argument
                    if text and self._shown[channel] is argument:
                        yield channel, text, is_first


class _Argument:
    """The text of one member of a JSON object that comes in pieces; linear in its length."""

    def __init__(self, name: str) -> None:
        self.begun = False
        self._name = name
        self._key = ""
        self._depth = 0
        self._awaits_key = False
        self._in_string = False
        self._in_key = False
        self._wanted = False
        self._escape = ""

    def read(self, piece: str) -> str:
        """The text that a piece of the JSON adds to the member."""
        found: list[str] = []
        for char in piece:
            if self._escape:
                self._go_on_escape(char, found)
            elif not self._in_string:
                self._structure(char)
            elif char == "\\":
                self._escape = char
            elif char == '"':
                self._in_string = self._in_key = self._wanted = False
            else:
                self._take(char, found)
        return "".join(found)

    def _structure(self, char: str) -> None:
        if char == '"':
            self._in_string = True
            self._in_key = self._depth == 1 and self._awaits_key
            self._wanted = self._depth == 1 and not self._in_key and self._key == self._name
            if self._in_key:
                self._key, self._awaits_key = "", False
        elif char in "{[":
            self._depth += 1
            self._awaits_key = self._depth == 1
        elif char in "}]":
            self._depth -= 1
        elif char == "," and self._depth == 1:
            self._awaits_key = True

    def _go_on_escape(self, char: str, found: list[str]) -> None:
        escape = self._escape = self._escape + char
        size = len(escape)
        if escape[1] == "u":
            # An emoji is two escapes, the first of which says nothing alone.
            is_pair = _PAIR_SO_FAR.fullmatch(escape) is not None
            if size < (_PAIR if is_pair else _LONG_ESCAPE):
                return
            size = _PAIR if is_pair else _LONG_ESCAPE
        self._escape = ""
        try:
            self._take(json.loads(f'"{escape[:size]}"'), found)
        except json.JSONDecodeError:
            self._take("\N{REPLACEMENT CHARACTER}", found)
        found.append(self.read(escape[size:]))  # What half a pair was held back for.

    def _take(self, text: str, found: list[str]) -> None:
        if self._wanted:
            found.append(text)
        elif self._in_key:
            self._key += text
