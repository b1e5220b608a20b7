"""Structured output: the value that a model was made to produce."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.utils.json import parse_json_markdown

__all__ = ("structured_value",)


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
