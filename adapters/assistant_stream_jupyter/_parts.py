"""The parts of a message as HTML. Every text in them is escaped here or in what is called."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, assert_never

from assistant_stream_ce.message import (
    DataPart,
    FilePart,
    MessagePart,
    ReasoningPart,
    SourcePart,
    TextPart,
)

from ._json_tree import brief, clip, json_tree
from ._limits import Limits
from ._markdown import link, markdown_tail, safe_url, to_html

__all__ = ("CARET", "ToolRenderer", "labelled", "render_parts", "value_html")

CARET = '<span class="asc-caret"></span>'

_IMAGE = re.compile(r"image/(png|jpeg|gif|webp|avif|bmp)", re.IGNORECASE)

_LAST_TAGS = re.compile(r"(\s*</(p|li|ul|ol|h[1-6]|code|pre|blockquote)>)*\s*\Z")

ToolRenderer = Callable[[Any, str], str]
"""Renders a tool call, given the HTML of the parts that belong to it."""


@dataclass
class _Context:
    limits: Limits
    is_live: bool
    tool: ToolRenderer
    children: Mapping[str, Sequence[MessagePart]]


def render_parts(
    parts: Sequence[MessagePart], limits: Limits, *, is_live: bool, tool: ToolRenderer
) -> str:
    """Render a message's parts; what a tool call started stands inside its card."""
    calls = {part["toolCallId"] for part in parts if part["type"] == "tool-call"}
    children: dict[str, list[MessagePart]] = {}
    top: list[MessagePart] = []
    for part in parts:
        parent = part.get("parentId")
        is_child = parent is not None and parent in calls and not _is_own_parent(part, parent)
        (children.setdefault(str(parent), []) if is_child else top).append(part)
    return _list(top, _Context(limits, is_live, tool, children))


def _is_own_parent(part: MessagePart, parent: str) -> bool:
    return part["type"] == "tool-call" and part["toolCallId"] == parent


def _list(parts: Sequence[MessagePart], context: _Context) -> str:
    html: list[str] = []
    omitted = len(parts) - context.limits.parts
    if omitted > 0:
        when = "shown when the run ends" if context.is_live else "left out"
        html.append(f'<div class="asc-part asc-more">{omitted:,} earlier parts, {when}</div>')
        parts = parts[omitted:]
    sources: list[SourcePart] = []
    for index, part in enumerate(parts):
        if part["type"] == "source":
            sources.append(part)
            continue
        html.append(_render(part, context, is_last=index == len(parts) - 1))
    html.append(_sources(sources))
    return "".join(html)


def _render(part: MessagePart, context: _Context, *, is_last: bool) -> str:
    match part["type"]:
        case "text":
            return _text(part, context, is_last=is_last)
        case "reasoning":
            return _reasoning(part, context, is_last=is_last)
        case "tool-call":
            inside = context.children.get(part["toolCallId"], ())
            return context.tool(part, _list(inside, context) if inside else "")
        case "file":
            return _file(part, context.limits, is_live=context.is_live)
        case "data":
            return _data(part, context.limits)
        case "source":
            return _sources([part])
        case _:
            assert_never(part["type"])


def _text(part: TextPart, context: _Context, *, is_last: bool) -> str:
    if not part["text"].strip():
        return ""
    is_growing = context.is_live and is_last and part["status"]["type"] == "running"
    html = _prose(part["text"], context, is_last=is_last)
    return f'<div class="asc-part asc-text">{_with_caret(html) if is_growing else html}</div>'


def _reasoning(part: ReasoningPart, context: _Context, *, is_last: bool) -> str:
    is_growing = context.is_live and is_last and part["status"]["type"] == "running"
    title = part.get("unstable_summary") or ("Thinking" if is_growing else "Thought")
    html = _prose(part["text"], context, is_last=is_last)
    return (
        f'<details class="asc-part asc-thought"{" open" if is_growing else ""}>'
        f"<summary>{escape(clip(title, 200))}</summary>"
        f"<div>{_with_caret(html) if is_growing else html}</div></details>"
    )


def _with_caret(html: str) -> str:
    """Put the caret where the text ends: inside the last paragraph, not below it."""
    end = _LAST_TAGS.search(html)
    at = end.start() if end else len(html)
    return html[:at] + CARET + html[at:]


def _prose(text: str, context: _Context, *, is_last: bool) -> str:
    limits = context.limits
    length = limits.text if is_last else limits.older_text
    if len(text) <= length:
        return to_html(text)
    left_out = f"{len(text) - length:,} earlier characters"
    when = ", shown when the run ends" if context.is_live else " left out"
    tail = to_html(markdown_tail(text, length))
    return f'<p class="asc-more">… {left_out}{when}</p>{tail}'


def _sources(parts: Iterable[SourcePart]) -> str:
    items = "".join(
        f"<li><i>{number}</i>{link(part['url'], _source_title(part))}</li>"
        for number, part in enumerate(parts, start=1)
    )
    return f'<ul class="asc-part asc-sources">{items}</ul>' if items else ""


def _source_title(part: SourcePart) -> str:
    return clip(part.get("title") or part["url"] or part["id"], 120)


def _file(part: FilePart, limits: Limits, *, is_live: bool) -> str:
    data, mime_type = part["data"], part["mimeType"]
    source = image_source(data, mime_type)
    if source is not None and len(source) <= limits.image:
        return f'<img class="asc-part asc-image" alt="image" src="{escape(source)}">'
    if safe_url(data) is not None:
        label = link(data, clip(data, 120))
    elif source is not None:
        when = "shown when the run ends" if is_live else "too large to be shown"
        label = f'<span class="asc-nil">{when}</span>'
    else:
        label = f'<span class="asc-nil">{len(data):,} characters</span>'
    return f'<div class="asc-part">📄 <code>{escape(clip(mime_type, 100))}</code> {label}</div>'


def image_source(data: str, mime_type: str) -> str | None:
    """Return the data URL of an image that comes with its data; one elsewhere is not loaded."""
    if data[:5].lower() == "data:":
        header, _, data = data[5:].partition(",")
        mime_type, _, encoding = header.partition(";")
        if encoding.lower() != "base64":
            return None
    match = _IMAGE.fullmatch(mime_type.strip())
    if match is None:
        return None
    try:
        base64.b64decode(data[:4096][: len(data[:4096]) // 4 * 4], validate=True)
    except binascii.Error:
        return None
    return f"data:{match[0].lower()};base64,{data}"


def _data(part: DataPart, limits: Limits) -> str:
    return (
        '<details class="asc-part asc-card"><summary>'
        f"<b>{escape(clip(part['name'], 80))}</b>"
        f'<span class="asc-brief">{escape(brief(part["data"]))}</span>'
        '<span class="asc-state">data</span></summary>'
        f'<div class="asc-body">{value_html(part["data"], limits)}</div></details>'
    )


def labelled(label: str, html: str) -> str:
    """Put a small heading above a piece of HTML."""
    return f'<div class="asc-label">{escape(label)}</div>{html}'


def value_html(value: Any, limits: Limits) -> str:
    """Render a JSON value: text as it is, the rest as a tree."""
    if isinstance(value, str):
        return f"<pre>{escape(clip(value, limits.string))}</pre>"
    tree = json_tree(value, limits)
    return tree if isinstance(value, (dict, list)) and value else f"<div>{tree}</div>"
