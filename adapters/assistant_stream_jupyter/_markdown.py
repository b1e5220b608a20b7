"""Markdown of a model as HTML that cannot do anything."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

__all__ = ("LINK_ATTRIBUTES", "link", "markdown_tail", "safe_url", "to_html")

LINK_SCHEMES = frozenset({"http", "https", "mailto"})
LINK_ATTRIBUTES = 'target="_blank" rel="noopener noreferrer nofollow"'

_FENCE = re.compile(r"^ {0,3}(```|~~~)", re.MULTILINE)


def safe_url(url: str) -> str | None:
    """Return `url` when a click on it can only open a page or a mail; else `None`."""
    # Browsers skip control characters and spaces in a scheme, so one with any is not trusted.
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme.lower() not in LINK_SCHEMES:
        return None
    if parts.scheme.lower() != "mailto" and not parts.netloc:
        return None
    return url


def link(url: str, text: str) -> str:
    """Return a link, or the text alone when the address is not to be trusted."""
    safe = safe_url(url)
    if safe is None:
        return f"<span>{escape(text)}</span>"
    return f'<a href="{escape(safe)}" {LINK_ATTRIBUTES}>{escape(text)}</a>'


@lru_cache(maxsize=256)
def to_html(markdown: str) -> str:
    """Render Markdown. HTML in it is shown as text; images become links, so that nothing loads."""
    return str(_parser().render(markdown))


def markdown_tail(markdown: str, length: int) -> str:
    """Return about the last `length` characters, beginning with a whole paragraph or line."""
    if len(markdown) <= length:
        return markdown
    start = len(markdown) - length
    for boundary in ("\n\n", "\n", " "):
        found = markdown.find(boundary, start, start + length // 2)
        if found >= 0:
            start = found + len(boundary)
            break
    # An odd number of fences before the cut: the tail begins within code.
    is_code = len(_FENCE.findall(markdown[:start])) % 2 == 1
    return ("```\n" if is_code else "") + markdown[start:]


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    try:
        from ._markdown_parser import create_parser  # noqa: PLC0415 - an optional library
    except ModuleNotFoundError as error:
        raise ImportError(
            "The notebook view needs `markdown-it-py`: pip install 'assistant-stream-ce[notebook]'"
        ) from error
    return create_parser()
