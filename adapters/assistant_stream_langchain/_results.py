"""Results of tools as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.documents import Document

from assistant_stream_ce._json import dumps, to_json
from assistant_stream_ce.typing import JSONValue

from ._shapes import as_items
from ._sources import SourceFragment, read_document

__all__ = ("args_text", "artifact_sources", "error_text", "json_value")


def artifact_sources(artifact: object) -> list[SourceFragment]:
    """Return the documents that a retrieval tool left in its artifact."""
    return [read_document(item) for item in as_items(artifact) if isinstance(item, Document)]


def json_value(value: object) -> JSONValue:
    """Return `value` in JSON form; what has none is told by its text, or else by its type."""
    try:
        return to_json(value)
    except Exception:  # The value's own code may raise anything.
        return _text(value) or f"<{type(value).__name__}>"


def error_text(error: BaseException) -> str:
    """Return what an error says, or else its type."""
    return _text(error) or type(error).__name__


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return ""


def args_text(args: str | Mapping[str, Any]) -> str:
    """Return a call's arguments as JSON text, without those that have no JSON form: these were
    injected by the program and are not the model's."""
    if isinstance(args, str):
        return args
    try:
        return dumps(args)
    except Exception:
        return dumps({key: value for key, value in args.items() if _has_json_form(value)})


def _has_json_form(value: object) -> bool:
    try:
        to_json(value)
    except Exception:
        return False
    return True
