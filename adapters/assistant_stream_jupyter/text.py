"""A run as plain text, and as a rich renderable for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assistant_stream_ce._controls import without_controls
from assistant_stream_ce.message import MessagePart, ToolCallPart
from assistant_stream_ce.typing import JSONValue

from ._json_tree import brief, clip
from ._state_messages import readable
from ._tools import duration
from .record import Snapshot

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ("render_rich", "render_text")

RESULT = 400
"""Characters of a tool's result."""

PLAIN = 20_000
"""Characters of a text; the HTML beside it has all of it."""


def render_text(snapshot: Snapshot, *, hint: str = "") -> str:
    """Render a run as plain text."""
    snapshot = replace(snapshot, message=readable(snapshot.message))
    lines = [_head(snapshot)]
    parents = _call_ids(snapshot)
    for part in snapshot.message["parts"]:
        indent = "    " if part.get("parentId") in parents else ""
        lines.extend(indent + line for line in _part(part, snapshot).splitlines())
    lines.extend(_tail(snapshot, hint))
    return without_controls("\n".join(lines))


def render_rich(snapshot: Snapshot, *, hint: str = "") -> RenderableType:
    """Render a run for `rich`; which has to be installed."""
    from rich.console import Group  # noqa: PLC0415 - an optional library
    from rich.markdown import Markdown  # noqa: PLC0415
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    snapshot = replace(snapshot, message=readable(snapshot.message))
    styles = {"running": "blue", "complete": "green", "incomplete": "red"}
    status = snapshot.message["status"]["type"]
    items: list[RenderableType] = [Text(_head(snapshot), styles.get(status, "yellow"))]
    parents = _call_ids(snapshot)
    for part in snapshot.message["parts"]:
        shown: RenderableType
        if part["type"] == "text":
            shown = Markdown(without_controls(part["text"]), hyperlinks=False)
        else:
            shown = Text(without_controls(_part(part, snapshot)), _style(part))
        items.append(Padding(shown, (1, 0, 0, 4 if part.get("parentId") in parents else 0)))
    items.extend(Text(without_controls(line), "dim") for line in _tail(snapshot, hint))
    return Group(*items)


def _call_ids(snapshot: Snapshot) -> set[str | None]:
    return {part["toolCallId"] for part in snapshot.message["parts"] if part["type"] == "tool-call"}


def _style(part: MessagePart) -> str:
    if part["type"] == "tool-call":
        return "red" if part.get("isError") else "cyan"
    return "dim italic" if part["type"] == "reasoning" else "dim"


def _head(snapshot: Snapshot) -> str:
    usage = snapshot.usage
    facts = [_word(snapshot), duration(snapshot.elapsed)]
    if usage["inputTokens"] or usage["outputTokens"]:
        facts.append(f"{usage['inputTokens']:,} tokens in, {usage['outputTokens']:,} out")
    return f"[{' · '.join(facts)}]"


def _word(snapshot: Snapshot) -> str:
    status = snapshot.message["status"]
    if snapshot.is_live:
        return "running"
    if snapshot.interrupts:
        return "waiting for an answer"
    if status.get("reason") in {"error", "cancelled"}:
        return "failed" if status.get("reason") == "error" else "stopped"
    return "done" if status["type"] == "complete" else status["type"]


def _part(part: MessagePart, snapshot: Snapshot) -> str:
    match part["type"]:
        case "text":
            return clip(part["text"], PLAIN)
        case "reasoning":
            return "\n".join(f"| {line}" for line in clip(part["text"], PLAIN).splitlines())
        case "tool-call":
            return _call(part, snapshot.call_seconds.get(part["toolCallId"]))
        case "source":
            return f"* {part.get('title') or part['id']} <{part['url']}>"
        case "file":
            return f"[file {part['mimeType']}, {len(part['data']):,} characters]"
        case "data":
            return f"[{part['name']}] {brief(part['data'], 200)}"


def _call(part: ToolCallPart, seconds: float | None) -> str:
    lines = [f"> {part['toolName']} {clip(part['argsText'], RESULT)}"]
    if "result" in part:
        word = "failed" if part.get("isError") else "result"
        took = "" if seconds is None else f" ({duration(seconds)})"
        lines.append(f"  {word}{took}: {clip(_as_text(part['result']), RESULT)}")
    return "\n".join(lines)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tail(snapshot: Snapshot, hint: str) -> Iterator[str]:
    error = snapshot.message["status"].get("error")
    if error is not None:
        yield f"Error: {error['message']}"
    state: JSONValue = snapshot.message["metadata"]["unstable_state"]
    if state not in (None, {}):
        yield f"State: {clip(json.dumps(state, ensure_ascii=False), 2 * RESULT)}"
    if not snapshot.is_live:
        for interrupt in snapshot.interrupts:
            yield f"The run is waiting: {clip(_as_text(interrupt['value']), RESULT)}"
        if hint:
            yield f"To answer: {hint}"
