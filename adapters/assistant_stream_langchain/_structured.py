"""Structured output: the value that a model was made to produce."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.utils.json import parse_json_markdown

from ._shapes import as_mapping, first_text

__all__ = ("NativeAnswer", "native_schema_name", "native_value", "schema_name", "structured_value")

_UNNAMED = "structured-output"


def schema_name(options: object) -> str | None:
    """Return the name of the schema when a model run is asked for structured output."""
    wanted = as_mapping(as_mapping(options).get("ls_structured_output_format"))
    if not wanted:
        return None
    return first_text(as_mapping(wanted.get("schema")), "title") or _UNNAMED


def native_schema_name(params: object) -> str | None:
    """Return the name of the schema that a model's text is to fill, by the parameters of its run.

    An agent asks like that with `ProviderStrategy`, and the same run may call tools instead.
    """
    wanted = as_mapping(params).get("response_format")
    if isinstance(wanted, type):
        return wanted.__name__
    if as_mapping(wanted).get("type") != "json_schema":
        return None
    given = as_mapping(as_mapping(wanted).get("json_schema"))
    title = first_text(as_mapping(given.get("schema")), "title")
    return first_text(given, "name") or title or _UNNAMED


def structured_value(message: AIMessage) -> Any:
    """Return the value in a model's structured answer, or its text where it is not JSON."""
    parsed = message.additional_kwargs.get("parsed")
    if parsed is not None:
        return parsed
    if message.tool_calls:
        return message.tool_calls[0]["args"]
    text = str(message.text)
    try:
        return parse_json_markdown(text)
    except ValueError:
        return text


class NativeAnswer:
    """The text of a model that is to fill a schema, held back while it may be the value.

    A value begins with a brace or a bracket, so any other text is told as it comes.
    """

    __slots__ = ("_held", "_is_value", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        """The name of the schema."""
        self._held: list[str] = []
        self._is_value = False

    def feed(self, text: str) -> str:
        """Return what is plain text for certain after another piece."""
        self._held.append(text)
        if self._is_value:
            return ""
        start = text.lstrip()
        if start[:1] in ("{", "["):
            self._is_value = True
        return "" if self._is_value or not start else self.flush()

    def flush(self) -> str:
        """Return the text that is held back; it is held no more."""
        held = "".join(self._held)
        self._held.clear()
        return held


def native_value(text: str) -> Any:
    """Return the value that a text is.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("The value is nested too deep.") from error
