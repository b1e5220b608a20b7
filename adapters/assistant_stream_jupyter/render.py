"""A run as HTML: pure, complete in itself, and without anything that runs.

No script, no event handler and no address that is loaded: a saved notebook shows the same years
later, and nothing a model or a tool says can do more than be read.
"""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any, cast

from assistant_stream_ce.message import AssistantMessage, MessageStatus

from ._interrupts import Interrupt, question_of
from ._json_tree import clip, json_tree
from ._limits import FINAL, LIVE, Limits
from ._parts import render_parts, value_html
from ._state_messages import readable
from ._style import STYLE
from ._tools import duration, render_tool
from .record import LOGGED_LINES, Snapshot, WireLog

__all__ = ("render_html",)

WIRE_LINE = 400
"""Characters of a wire's line that are shown."""


def render_html(snapshot: Snapshot, *, hint: str = "") -> str:
    """Render a run as it is at one moment.

    Args:
        snapshot: The run.
        hint: How to answer an interrupt, as code.
    """
    snapshot = replace(snapshot, message=readable(snapshot.message))
    limits = LIVE if snapshot.is_live else FINAL
    return (
        f'<div class="asc"><style>{STYLE}</style>{_head(snapshot)}'
        f"{_parts(snapshot, limits)}{_problem(snapshot.message['status'])}"
        f"{_waiting(snapshot, limits, hint)}{_foot(snapshot, limits)}</div>"
    )


def _head(snapshot: Snapshot) -> str:
    kind, word = _status(snapshot)
    facts = [duration(snapshot.elapsed)]
    if snapshot.first_token is not None:
        facts.append(f"first words after {duration(snapshot.first_token)}")
    usage = snapshot.usage
    if usage["inputTokens"] or usage["outputTokens"]:
        facts.append(f"{usage['inputTokens']:,} tokens in, {usage['outputTokens']:,} out")
    model_calls = len(snapshot.message["metadata"]["steps"])
    if model_calls > 1:
        facts.append(f"{model_calls} steps")
    told = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    return f'<div class="asc-head"><span class="asc-status asc-{kind}">{word}</span>{told}</div>'


def _status(snapshot: Snapshot) -> tuple[str, str]:
    status = snapshot.message["status"]
    if snapshot.is_live:
        return "running", "Running"
    if snapshot.interrupts:
        return "waiting", "Waiting for an answer"
    if status.get("reason") == "error":
        return "failed", "Failed"
    match status["type"]:
        case "requires-action":
            return "waiting", "Waiting for a tool"
        case "incomplete":
            reason = status.get("reason", "other")
            return "failed", "Stopped" if reason == "cancelled" else f"Incomplete: {escape(reason)}"
        case _:
            return "done", "Done"


def _parts(snapshot: Snapshot, limits: Limits) -> str:
    def tool(part: Any, inside: str) -> str:
        seconds = snapshot.call_seconds.get(part["toolCallId"])
        return render_tool(part, inside, limits, is_live=snapshot.is_live, seconds=seconds)

    parts = snapshot.message["parts"]
    return render_parts(parts, limits, is_live=snapshot.is_live, tool=tool)


def _problem(status: MessageStatus) -> str:
    error = status.get("error")
    if error is None:
        return ""
    code = "" if error["code"] == "unknown" else f" ({escape(clip(error['code'], 100))})"
    message = escape(clip(error["message"], 4_000))
    return f'<div class="asc-part asc-error"><b>Error{code}</b> {message}</div>'


def _waiting(snapshot: Snapshot, limits: Limits, hint: str) -> str:
    if not snapshot.interrupts:
        return ""
    asked = "".join(_asked(interrupt, limits) for interrupt in snapshot.interrupts)
    call = f'<div class="asc-label">To answer</div><pre>{escape(hint)}</pre>' if hint else ""
    return f'<div class="asc-part asc-ask"><b>The run is waiting</b>{asked}{call}</div>'


def _asked(interrupt: Interrupt, limits: Limits) -> str:
    """The question in plain words, and all of it below."""
    question = clip(question_of(interrupt).text, limits.string)
    value = interrupt["value"]
    if not isinstance(value, (dict, list)):
        return f"<p>{escape(question)}</p>"
    return (
        f"<p>{escape(question)}</p>"
        '<details class="asc-fold"><summary>Details</summary>'
        f"<div>{value_html(value, limits)}</div></details>"
    )


def _foot(snapshot: Snapshot, limits: Limits) -> str:
    folds = [
        _state(snapshot, limits),
        _metadata(snapshot.message, limits),
        *(_wire(log) for log in snapshot.wires if not snapshot.is_live),
    ]
    html = "".join(folds)
    return f'<div class="asc-foot">{html}</div>' if html else ""


def _state(snapshot: Snapshot, limits: Limits) -> str:
    state = snapshot.message["metadata"]["unstable_state"]
    if state is None or state in ({}, []):
        return ""
    tree = json_tree(state, limits, changed=snapshot.changed)
    return f'<details class="asc-fold" open><summary>State</summary><div>{tree}</div></details>'


def _metadata(message: AssistantMessage, limits: Limits) -> str:
    metadata = message["metadata"]
    html = ""
    for title, items in (
        ("Data", metadata["unstable_data"]),
        ("Annotations", metadata["unstable_annotations"]),
    ):
        if items:
            tree = json_tree(cast("Any", items), limits)
            html += (
                f'<details class="asc-fold"><summary>{title}</summary><div>{tree}</div></details>'
            )
    return html


def _wire(log: WireLog) -> str:
    lines = [clip(line, WIRE_LINE) for line in log.first]
    last = log.last[-LOGGED_LINES:]
    left_out = log.lines - len(lines) - len(last)
    if left_out:
        lines.append(f"… {left_out:,} lines …")
    lines.extend(clip(line, WIRE_LINE) for line in last)
    body = escape("\n".join(lines))
    title = f"Wire: {escape(log.name)}, {log.lines:,} lines, {log.characters:,} characters"
    return (
        f'<details class="asc-fold"><summary>{title}</summary>'
        f'<pre class="asc-wire">{body}</pre></details>'
    )
