"""Citations and annotations of every provider as sources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from ._shapes import as_items, as_mapping, as_text, first_text

__all__ = (
    "SourceFragment",
    "has_safe_scheme",
    "read_annotation",
    "read_document",
    "read_message_sources",
)


_IGNORED_BY_BROWSERS = re.compile(r"[\x00-\x20]")

_SCRIPT_SCHEMES = frozenset({"javascript", "data", "vbscript", "blob"})


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
        if nested := as_mapping(annotation.get(inner)):
            annotation = {**nested, **{k: v for k, v in annotation.items() if k != inner}}
    title = first_text(annotation, "title", "document_title", "filename", "source_title")
    url = first_text(annotation, "url", "uri") or _location_url(annotation.get("location"))
    if not url and (source := first_text(annotation, "source")) and "://" in source:
        url = source
    if url and has_safe_scheme(url):
        return SourceFragment(url, url, title)
    key = first_text(annotation, "file_id", "document_id", "id", "source") or _document_key(
        annotation
    )
    if not key and not title:
        return None
    filename = first_text(annotation, "filename")
    return SourceFragment(
        key or f"document:{title}",
        "",
        title or key,
        source_type="document",
        media_type=first_text(annotation, "media_type", "mime_type") or "application/octet-stream",
        filename=filename,
    )


def has_safe_scheme(url: str) -> bool:
    """Whether a front end may link `url` blindly; models cite what pages have told them."""
    scheme = url.partition(":")[0]
    return _IGNORED_BY_BROWSERS.sub("", scheme).lower() not in _SCRIPT_SCHEMES


def read_document(document: Document) -> SourceFragment:
    """Return a retrieved document as a source; its metadata names its url and title."""
    metadata = document.metadata
    place = first_text(metadata, "url", "link", "source", "uri", "file_path", "path")
    title = first_text(metadata, "title", "name", "filename", "file_name")
    if place and "://" in place and has_safe_scheme(place):
        return SourceFragment(place, place, title)
    key = document.id or place or first_text(metadata, "id", "doc_id") or title
    return SourceFragment(
        str(key) if key else f"document:{crc32(document.page_content.encode()):08x}",
        "",
        title or place or _first_words(document.page_content),
        source_type="document",
        media_type=first_text(metadata, "media_type", "mime_type", "content_type") or "text/plain",
        filename=first_text(metadata, "filename", "file_name"),
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
            for item in as_items(place.get(name)):
                if (url := as_text(item)) and "://" in url and has_safe_scheme(url):
                    yield SourceFragment(url, url)
                elif source := read_annotation(_fields(item)):
                    yield source
        for name in ("grounding_metadata", "groundingMetadata"):
            yield from _grounding_sources(as_mapping(place.get(name)))


def _grounding_sources(grounding: Mapping[str, Any]) -> Iterator[SourceFragment]:
    chunks = grounding.get("grounding_chunks") or grounding.get("groundingChunks")
    for chunk in map(as_mapping, as_items(chunks)):
        for name in ("web", "retrieved_context", "retrievedContext", "maps"):
            if source := read_annotation(as_mapping(chunk.get(name))):
                yield source


def _fields(item: object) -> Mapping[str, Any]:
    """A citation as a mapping; Perplexity's client leaves objects of its SDK."""
    return item.model_dump() if isinstance(item, BaseModel) else as_mapping(item)


def _document_key(annotation: Mapping[str, Any]) -> str | None:
    index = annotation.get("document_index", annotation.get("search_result_index"))
    return None if index is None else f"document:{index}"


def _location_url(location: object) -> str | None:
    """Bedrock puts a web citation's url into `location.web.url`."""
    place = as_mapping(location)
    return first_text(place, "url") or first_text(as_mapping(place.get("web")), "url")


def _first_words(text: str, limit: int = 60) -> str | None:
    line = " ".join(text.split())
    if len(line) <= limit:
        return line or None
    return line[:limit].rsplit(" ", 1)[0] + "…"
