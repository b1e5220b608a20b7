"""Reads the JSON of a frame as `secure-json-parse` does for the TypeScript clients."""

from __future__ import annotations

import json
import math
from typing import NoReturn

from assistant_stream_ce.typing import JSONValue

__all__ = ("InvalidJSONError", "parse_json")

MAX_DEPTH = 200
"""How deep a frame may nest; what works on the value may recurse."""


class InvalidJSONError(ValueError):
    """Raised when a frame is not JSON, or holds a key that the clients guard against."""


def parse_json(text: str) -> JSONValue:
    """Return the value of `text`.

    NaN is no JSON, `__proto__` is no key, and a number too big for a float is null.

    Raises:
        InvalidJSONError: The clients would drop the frame.
    """
    try:
        value: JSONValue = _decoder.decode(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise InvalidJSONError(str(error)) from error
    if isinstance(value, dict | list):
        _check(value)
    return value


def _check(value: JSONValue) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[JSONValue] = []
        for node in level:
            if isinstance(node, dict):
                _check_keys(node)
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
        if not below:
            return
        level = below
    raise InvalidJSONError(f"It nests more than {MAX_DEPTH} levels deep")


def _check_keys(node: dict[str, JSONValue]) -> None:
    constructor = node.get("constructor")
    if "__proto__" in node or (isinstance(constructor, dict) and "prototype" in constructor):
        raise InvalidJSONError("It holds a key that the clients guard against")


def _parse_constant(name: str) -> NoReturn:
    raise InvalidJSONError(f"`{name}` is no JSON")


def _parse_float(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _parse_int(text: str) -> int | float | None:
    # Python refuses to read integers of thousands of digits, for they take long.
    return int(text) if len(text) < 400 else _parse_float(text)


_decoder = json.JSONDecoder(
    parse_float=_parse_float, parse_int=_parse_int, parse_constant=_parse_constant
)
