"""The Markdown parser: without HTML, without images, with links that open pages and mails only."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from ._markdown import LINK_ATTRIBUTES, link, safe_url

__all__ = ("create_parser",)


def create_parser() -> MarkdownIt:
    """Return a parser."""
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
