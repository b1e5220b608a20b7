"""Results of tools as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.documents import Document

from assistant_stream_ce._json import dumps, to_json
from assistant_stream_ce.errors import NotJSONError
from assistant_stream_ce.typing import JSONValue

from ._shapes import as_items
from ._sources import SourceFragment, read_document

__all__ = ("args_text", "artifact_sources", "json_value")


def artifact_sources(artifact: object) -> list[SourceFragment]:
    """Return the documents that a retrieval tool left in its artifact."""
    return [read_document(item) for item in as_items(artifact) if isinstance(item, Document)]


def json_value(value: object) -> JSONValue:
    """Return `value` in JSON form; what has none is told by its text."""
    try:
        return to_json(value)
    except NotJSONError:
        return str(value)


def args_text(args: str | Mapping[str, Any]) -> str:
    """Return a call's arguments as JSON text, without those that have no JSON form: these were
    injected by the program and are not the model's."""
    if isinstance(args, str):
        return args
    try:
        return dumps(args)
    except NotJSONError:
        return dumps({key: value for key, value in args.items() if _has_json_form(value)})


def _has_json_form(value: object) -> bool:
    try:
        to_json(value)
    except NotJSONError:
        return False
    return True
