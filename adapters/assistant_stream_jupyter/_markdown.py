"""Markdown of a model as HTML that cannot do anything."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

__all__ = ("link", "markdown_tail", "safe_url", "to_html")

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
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"])
    # What is not a link to a page or a mail stays the text that it is.
    parser.validateLink = lambda url: safe_url(url) is not None  # type: ignore[method-assign]
    return parser


class _Renderer(RendererHTML):
    """Renders links that open elsewhere and tell nothing, and images as links."""

    def link_open(
        self,
        tokens: Sequence[Token],
        idx: int,
        options: OptionsDict,
        env: MutableMapping[str, Any],
    ) -> str:
        """Open a link; its address has passed `safe_url`."""
        href = str(tokens[idx].attrs.get("href", ""))
        return f'<a href="{escape(href)}" {LINK_ATTRIBUTES}>'

    def image(
        self,
        tokens: Sequence[Token],
        idx: int,
        options: OptionsDict,
        env: MutableMapping[str, Any],
    ) -> str:
        """Name the image: loading it would tell its host what the model wants it to."""
        token = tokens[idx]
        text = token.content or "image"
        return link(str(token.attrs.get("src", "")), f"🖼 {text}")
