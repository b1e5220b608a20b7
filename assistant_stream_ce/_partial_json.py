"""Reads a JSON text of which only the beginning has arrived.

Gives what `utils/json/parse-partial-json-object.ts` of the npm package `assistant-stream` 0.3.44
gives: a text ends where it ends, a number at its last whole digit, a started `true` is true, and
a key without a value is not there yet.
"""

from __future__ import annotations

import json
import re
from typing import Literal, TypeAlias

from ._json import to_json
from .typing import JSONValue

__all__ = ("PartialJSON",)

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]+|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*("?)')
_NUMBER_LIKE = re.compile(r"[-+.eE0-9]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[a-z]+")
_WORDS = ("true", "false", "null")

_Expected: TypeAlias = Literal[
    "root", "value", "first value", "key", "first key", "colon", "comma", "nothing"
]

_Cut: TypeAlias = tuple[int, str]
"""How much of the text to keep, and what completes the token that is cut off there."""


class PartialJSON:
    """A JSON object or list that arrives in pieces.

    What was read once is not scanned again, so looking at the value now and then while a long
    text arrives stays cheap.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._position = 0
        self._kept = 0
        self._closers: list[str] = []
        self._expected: _Expected = "root"
        self._value: JSONValue = {}
        self._changed = False

    @property
    def text(self) -> str:
        """All of the text so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def append(self, piece: str) -> None:
        """Add the next piece of the text."""
        if piece:
            self._pieces.append(piece)
            self._changed = True

    @property
    def value(self) -> JSONValue:
        """What can be read so far, `{}` at first. Where the text stops being JSON, the value stays
        what it was until there. It is the same object until more arrives."""
        if self._changed:
            self._changed = False
            self._read()
        return self._value

    def _read(self) -> None:
        text = self.text
        kept, completion = self._scan(text)
        if not kept:
            return
        whole = text[:kept] + completion + "".join(reversed(self._closers))
        try:
            value: JSONValue = json.loads(whole)
        except RecursionError:
            return
        # The clients refuse a text with such keys; here, only the keys are left out.
        unsafe = '"__proto__"' in whole or '"constructor"' in whole
        self._value = to_json(value) if unsafe else value

    def _scan(self, text: str) -> _Cut:
        """Go on to the end of the text, or to where it stops being JSON."""
        while True:
            space = _SPACE.match(text, self._position)
            start = space.end() if space else self._position
            if start == len(text):
                return self._kept, ""
            step = self._punctuation(text[start], start) or self._token(text, start)
            if not isinstance(step, int):
                return step or (self._kept, "")
            self._position = step

    def _punctuation(self, char: str, start: int) -> int | None:
        """Take a bracket, a colon or a comma, when one is due; returns where it ends."""
        end = start + 1
        expected = self._expected
        if char in "{[" and expected in ("root", "value", "first value"):
            self._closers.append("}" if char == "{" else "]")
            self._expected = "first key" if char == "{" else "first value"
            self._kept = end
            return end
        if char in "}]" and self._closers and char == self._closers[-1]:
            if expected not in ("comma", "first key" if char == "}" else "first value"):
                return None
            self._closers.pop()
            self._finish_value(end)
            return end
        if char == ":" and expected == "colon":
            self._expected = "value"
            return end
        if char == "," and expected == "comma":
            self._expected = "key" if self._closers[-1] == "}" else "value"
            return end
        return None

    def _token(self, text: str, start: int) -> int | _Cut | None:
        """Take a text, number or word; returns where it ends, or how to cut it, or `None` when
        nothing of the kind is due."""
        is_key = self._expected in ("key", "first key")
        if text[start] == '"' and (is_key or self._expected in ("value", "first value")):
            return self._string(text, start, is_key)
        if self._expected not in ("value", "first value"):
            return None
        number = _NUMBER_LIKE.match(text, start)
        if number:
            whole = _NUMBER.match(text, start)
            if whole is None or whole.end() == number.end() < len(text):
                return self._finish_value(number.end()) if whole else None
            return whole.end(), ""
        return self._word(text, start)

    def _word(self, text: str, start: int) -> int | _Cut | None:
        match = _WORD.match(text, start)
        if match:
            for name in _WORDS:
                if name == match[0]:
                    return self._finish_value(match.end())
                if name.startswith(match[0]) and match.end() == len(text):
                    return match.end(), name[len(match[0]) :]
        return None

    def _string(self, text: str, start: int, is_key: bool) -> int | _Cut | None:
        match = _STRING.match(text, start)
        end = match.end() if match else start
        if match and match[1]:
            if is_key:
                self._expected = "colon"
                return end
            return self._finish_value(end)
        return None if is_key else (end, '"')

    def _finish_value(self, end: int) -> int:
        self._kept = end
        self._expected = "comma" if self._closers else "nothing"
        return end
