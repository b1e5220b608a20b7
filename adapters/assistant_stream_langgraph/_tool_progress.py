"""What a tool says before it has a result, and whose call that is.

LangGraph marks what `get_stream_writer()` writes with the namespace alone. So it belongs to the
one call that runs there, or to none when several do, unless it says so itself. What a tool gives
to `ToolRuntime.emit_output_delta()` comes with its call, in the `tools` stream mode.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from assistant_stream_ce.chunks import DataPartChunk

from ._custom import custom_data_part
from ._shapes import is_mapping

__all__ = ("RunningTasks", "call_named_in", "output_delta", "output_part")

OUTPUT = "tool-output"
"""The name of a data part with a piece of a tool's output that has no name of its own."""

_Namespace = tuple[str, ...]


class RunningTasks:
    """The tasks that run now, as far as the `tasks` stream mode tells."""

    def __init__(self) -> None:
        self._calls: dict[_Namespace, set[str]] = {}
        self._others: dict[_Namespace, set[str]] = {}
        self._tells_ends = False
        """Whether the stream says when a task has ended; `astream_events` does not."""

    def start(self, namespace: _Namespace, task_id: str, calls: Collection[str]) -> None:
        """A task has started; `calls` are the tool calls it runs."""
        if calls:
            self._calls.setdefault(namespace, set()).update(calls)
        else:
            self._others.setdefault(namespace, set()).add(task_id)

    def end(self, namespace: _Namespace, task_id: str) -> None:
        """A task has ended. A call has when it has a result."""
        self._tells_ends = True
        self._others.get(namespace, set[str]()).discard(task_id)

    def only_call(self, namespace: _Namespace, waiting: Collection[str]) -> str | None:
        """The one call that runs in a namespace, if nothing else does.

        Args:
            namespace: The namespace.
            waiting: The calls made there that have no result.
        """
        running = self._calls.get(namespace)
        if self._tells_ends:
            # A task that is given the whole state may be the one that runs the call.
            others = len(self._others.get(namespace, ()))
            if others > (0 if running else 1):
                return None
        found = [call for call in waiting if not running or call in running]
        return found[0] if len(found) == 1 else None


def call_named_in(payload: Any) -> str | None:
    """The call that a custom event itself says it belongs to."""
    call_id: Any = payload.get("tool_call_id") if is_mapping(payload) else None
    return call_id if isinstance(call_id, str) else None


def output_delta(payload: Any) -> tuple[str, Any] | None:
    """The call and the piece of its output in a payload of the `tools` stream mode."""
    match payload:
        case {"event": "tool-output-delta", "tool_call_id": str(call_id), "delta": delta}:
            return call_id, delta
        case _:
            return None


def output_part(delta: Any) -> DataPartChunk | None:
    """The data part for a piece of output: named as a custom event is, or else `"tool-output"`."""
    part = custom_data_part(delta)
    if part is not None and part.name == "custom":
        part.name = OUTPUT
    return part
