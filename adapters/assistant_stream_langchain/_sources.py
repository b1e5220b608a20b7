"""Citations and annotations of every provider as sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.documents import Document
from langchain_core.messages import AIMessage

__all__ = ("SourceFragment", "read_annotation", "read_document", "read_message_sources")


@dataclass(slots=True)
class SourceFragment:
    """Something the answer leans on. `key` tells two sources apart."""

    key: str
    url: str
    title: str | None = None
    source_type: Literal["url", "document"] = "url"
    media_type: str | None = None
    filename: str | None = None


def read_annotation(annotation: Mapping[str, Any]) -> SourceFragment | None:
    """Return the source that a citation points to, or `None` when it names none."""
    for inner in ("value", "url_citation", "file_citation", "extras"):
        if isinstance(nested := annotation.get(inner), Mapping):
            annotation = {**nested, **{k: v for k, v in annotation.items() if k != inner}}
    title = _text(annotation, "title", "document_title", "filename", "source_title")
    url = _text(annotation, "url", "uri") or _location_url(annotation.get("location"))
    if not url and (source := _text(annotation, "source")) and "://" in source:
        url = source
    if url:
        return SourceFragment(url, url, title)
    key = _text(annotation, "file_id", "document_id", "id", "source") or _document_key(annotation)
    if not key and not title:
        return None
    filename = _text(annotation, "filename")
    return SourceFragment(
        key or f"document:{title}",
        "",
        title or key,
        source_type="document",
        media_type=_text(annotation, "media_type", "mime_type") or "application/octet-stream",
        filename=filename,
    )


def read_document(document: Document) -> SourceFragment:
    """Return a retrieved document as a source; its metadata names its url and title."""
    metadata = document.metadata
    place = _text(metadata, "url", "link", "source", "uri", "file_path", "path")
    title = _text(metadata, "title", "name", "filename", "file_name")
    if place and "://" in place:
        return SourceFragment(place, place, title)
    key = document.id or place or _text(metadata, "id", "doc_id") or title
    return SourceFragment(
        str(key) if key else f"document:{hash(document.page_content) & 0xFFFFFFFF:08x}",
        "",
        title or place or _first_words(document.page_content),
        source_type="document",
        media_type=_text(metadata, "media_type", "mime_type", "content_type") or "text/plain",
        filename=_text(metadata, "filename", "file_name"),
    )


_SOURCE_KEYS = frozenset(
    {"annotations", "search_results", "citations", "grounding_metadata", "groundingMetadata"}
)


def read_message_sources(message: AIMessage) -> Iterator[SourceFragment]:
    """Yield the sources that stand beside a message's content."""
    for place in (message.additional_kwargs, message.response_metadata):
        if not place or _SOURCE_KEYS.isdisjoint(place):
            continue
        for name in ("annotations", "search_results", "citations"):
            for item in _items(place.get(name)):
                if isinstance(item, str) and "://" in item:
                    yield SourceFragment(item, item)
                elif isinstance(item, Mapping) and (source := read_annotation(item)):
                    yield source
        grounding = place.get("grounding_metadata") or place.get("groundingMetadata")
        if isinstance(grounding, Mapping):
            yield from _grounding_sources(grounding)


def _grounding_sources(grounding: Mapping[str, Any]) -> Iterator[SourceFragment]:
    chunks = grounding.get("grounding_chunks") or grounding.get("groundingChunks")
    for chunk in _items(chunks):
        if not isinstance(chunk, Mapping):
            continue
        for name in ("web", "retrieved_context", "retrievedContext", "maps"):
            if isinstance(place := chunk.get(name), Mapping) and (source := read_annotation(place)):
                yield source


def _document_key(annotation: Mapping[str, Any]) -> str | None:
    index = annotation.get("document_index", annotation.get("search_result_index"))
    return None if index is None else f"document:{index}"


def _location_url(location: object) -> str | None:
    """Bedrock puts a web citation's url into `location.web.url`."""
    if isinstance(location, Mapping):
        for place in (location, location.get("web")):
            if isinstance(place, Mapping) and (url := _text(place, "url")):
                return url
    return None


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(mapping: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        if isinstance(value := mapping.get(name), str) and value:
            return value
    return None


def _first_words(text: str, limit: int = 60) -> str | None:
    line = " ".join(text.split())
    if len(line) <= limit:
        return line or None
    return line[:limit].rsplit(" ", 1)[0] + "…"
