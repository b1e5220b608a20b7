"""Views of runs that a test makes up."""

from __future__ import annotations

from collections.abc import Iterable

from assistant_stream_ce import AssistantStreamChunk
from assistant_stream_jupyter import RunRecord, Snapshot, render_html


class Sheet:
    """A surface that keeps what is drawn on it."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self.hints: list[str] = []
        self.is_closed = False

    def draw(self, snapshot: Snapshot, hint: str) -> int:
        self.snapshots.append(snapshot)
        self.hints.append(hint)
        return 0

    def close(self) -> None:
        self.is_closed = True


def record_of(
    chunks: Iterable[AssistantStreamChunk], *, is_live: bool = False, wire: str | None = None
) -> RunRecord:
    record = RunRecord(wire=wire)
    for chunk in chunks:
        record.add(chunk)
    if not is_live:
        record.finish()
    return record


def view_of(
    chunks: Iterable[AssistantStreamChunk], *, is_live: bool = False, wire: str | None = None
) -> str:
    """The HTML of a run, without its style."""
    html = render_html(record_of(chunks, is_live=is_live, wire=wire).snapshot())
    return html.replace(html.partition("<style>")[2].partition("</style>")[0], "")
