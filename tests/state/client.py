"""The real TypeScript accumulator, strict, as the judge of state operations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from assistant_stream_ce._json import dumps
from tests.npm import decode

__all__ = ("replay", "same_json")


def replay(initial: object, batches: Sequence[Any]) -> tuple[Any, str | None]:
    """Send one `update-state` chunk a batch; returns the client's state, and what it threw.

    `initial` is the state that the client had before.
    """
    frames = [
        f"data: {dumps({'type': 'update-state', 'path': [], 'operations': operations})}\n\n"
        for operations in batches
    ]
    wire = "".join(frames) + "data: [DONE]\n\n"
    decoded = decode(wire, "assistant-transport", initial_state=initial)
    if decoded.error is None:
        decoded.checked()
    return (decoded.state if decoded.message else initial), decoded.error


def same_json(one: object, other: object) -> bool:
    """Whether two values are the same JSON: `1` and `1.0` are, `1` and `true` are not."""
    # Through the text, where two lone surrogates side by side are one character, as in JavaScript.
    return _same(json.loads(json.dumps(one)), json.loads(json.dumps(other)))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        # JavaScript has floats only, and writes a large one without exponent.
        return isinstance(one, bool) == isinstance(other, bool) and float(one) == float(other)
    return bool(one == other)
