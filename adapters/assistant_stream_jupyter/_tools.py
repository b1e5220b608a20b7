"""A tool call as a card: arguments while they grow, result, artifact, what ran inside it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from assistant_stream_ce.message import ToolCallPart

from ._json_tree import brief, clip
from ._limits import Limits
from ._markdown import markdown_tail, to_html
from ._parts import CARET, image_source, labelled, value_html
from ._shapes import as_dict, as_list, is_dict, is_list

__all__ = ("duration", "render_tool")


def render_tool(
    part: ToolCallPart, inside: str, limits: Limits, *, is_live: bool, seconds: float | None
) -> str:
    """Render one call; `inside` is the HTML of the parts that it started."""
    is_failed = part.get("isError", False)
    is_busy = part["state"] != "result"
    opened = " open" if is_failed or inside or (is_busy and is_live) else ""
    return (
        f'<details class="asc-part asc-card"{opened}><summary>'
        f"<b>{escape(clip(part['toolName'], 80))}</b>"
        f'<span class="asc-brief">{escape(_brief(part))}</span>'
        f"{_state(part, is_live=is_live, seconds=seconds)}</summary>"
        f'<div class="asc-body">{_arguments(part, limits, is_live=is_live)}'
        f"{_inside(part, inside, limits)}{_outcome(part, limits)}</div></details>"
    )


def duration(seconds: float) -> str:
    """Say how long something took."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _brief(part: ToolCallPart) -> str:
    if part["state"] == "partial-call" or not is_dict(part["args"]):
        return ""
    args = part["args"]
    return brief(next(iter(args.values())) if len(args) == 1 else args, 90)


def _state(part: ToolCallPart, *, is_live: bool, seconds: float | None) -> str:
    took = "" if seconds is None else f" · {duration(seconds)}"
    if part.get("isError"):
        kind, text = "bad", f"failed{took}"
    elif part["state"] == "result":
        kind, text = "good", took.removeprefix(" · ") or "done"
    elif not is_live:
        kind, text = "warn", "no result"
    else:
        kind, text = "busy", "writing arguments" if part["state"] == "partial-call" else "running"
    return f'<span class="asc-state asc-{kind}">{text}</span>'


def _arguments(part: ToolCallPart, limits: Limits, *, is_live: bool) -> str:
    text = part["argsText"]
    if part["state"] != "partial-call" and isinstance(part["args"], dict):
        if not part["args"]:
            return ""
        return labelled("Arguments", value_html(part["args"], limits))
    # The end is what is being written: a long text is cut at its beginning.
    shown = text if len(text) <= limits.string else f"…{text[-limits.string :]}"
    caret = CARET if is_live and part["state"] == "partial-call" else ""
    return labelled("Arguments", f"<pre>{escape(shown)}{caret}</pre>")


def _outcome(part: ToolCallPart, limits: Limits) -> str:
    html = ""
    if "result" in part:
        label = "Error" if part.get("isError") else "Result"
        html += labelled(label, value_html(part["result"], limits))
    if "modelContent" in part:
        html += labelled("What the model sees", value_html(part["modelContent"], limits))
    if "artifact" in part:
        image = _artifact_image(part["artifact"], limits)
        html += labelled("Artifact", image or value_html(part["artifact"], limits))
    return html


def _artifact_image(artifact: Any, limits: Limits) -> str:
    """An artifact that is an image of one of LangChain's forms, or a data URL, is shown as one."""
    source = None
    if isinstance(artifact, str):
        source = image_source(artifact, "") if artifact.startswith("data:") else None
    else:
        fields = as_dict(artifact)
        data, mime_type = fields.get("base64") or fields.get("data"), fields.get("mime_type")
        if isinstance(data, str) and isinstance(mime_type, str):
            source = image_source(data, mime_type)
    if source is None or len(source) > limits.image:
        return ""
    return f'<img class="asc-image" alt="artifact" src="{escape(source)}">'


def _inside(part: ToolCallPart, inside: str, limits: Limits) -> str:
    transcript = _transcript(part.get("messages"), limits, limits.depth)
    if not inside and not transcript:
        return ""
    return labelled("Inside", f'<div class="asc-nest">{inside}{transcript}</div>')


def _transcript(messages: Any, limits: Limits, depth: int) -> str:
    """Render thread messages: `{"role", "content": [part, ...]}`, whatever else is in them."""
    if depth == 0:
        return ""
    html: list[str] = []
    for message in as_list(messages)[-limits.parts :]:
        fields = as_dict(message)
        content = fields.get("content", fields.get("parts"))
        items = content if is_list(content) else [content]
        role = clip(str(fields.get("role", "message")), 40)
        html.append(f'<div class="asc-role">{escape(role)}</div>')
        html.extend(_transcript_part(item, limits, depth) for item in items)
    return "".join(html)


def _transcript_part(item: Any, limits: Limits, depth: int) -> str:
    if isinstance(item, str):
        return to_html(markdown_tail(item, limits.older_text))
    if not is_dict(item):
        return "" if item is None else value_html(item, limits)
    part = item
    match part.get("type"):
        case "text" | "reasoning" if isinstance(part.get("text"), str):
            return to_html(markdown_tail(part["text"], limits.older_text))
        case "tool-call":
            return _transcript_call(part, limits, depth)
        case _:
            return value_html(dict(part), limits)


def _transcript_call(part: Mapping[str, Any], limits: Limits, depth: int) -> str:
    args = part.get("args")
    body = labelled("Arguments", value_html(args, limits)) if args else ""
    if "result" in part:
        body += labelled(
            "Error" if part.get("isError") else "Result", value_html(part["result"], limits)
        )
    body += _transcript(part.get("messages"), limits, depth - 1)
    return (
        f'<details class="asc-part asc-card"><summary>'
        f"<b>{escape(clip(str(part.get('toolName', 'tool')), 80))}</b>"
        f'<span class="asc-brief">{escape(brief(args))}</span></summary>'
        f'<div class="asc-body">{body}</div></details>'
    )
