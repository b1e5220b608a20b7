"""How long a run and its model calls take."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

__all__ = ("Clock",)


class Clock:
    """Knows when the run, its tasks and its messages began, by `time.monotonic()`.

    LangGraph does not say when a model is called. The first message of a task is counted from the
    task's start, which the `tasks` stream mode tells; of any other no start is known.
    """

    def __init__(self) -> None:
        self._started_at: float | None = None
        self._first_token_at: float | None = None
        self._tasks: dict[str, float] = {}
        self._messages: dict[str, float] = {}

    def start(self) -> None:
        """The run begins."""
        self._started_at = time.monotonic()

    def start_task(self, task_id: str) -> None:
        """A task begins."""
        self._tasks[task_id] = time.monotonic()

    def start_message(self, message_id: str | None, metadata: Mapping[str, Any]) -> None:
        """The first chunk of a streamed message has come; it may be empty."""
        task = str(metadata.get("langgraph_checkpoint_ns", "")).rpartition(":")[2]
        started_at = self._tasks.pop(task, None)
        if message_id and started_at is not None:
            self._messages[message_id] = started_at

    def take_start(self, message_id: str | None) -> float | None:
        """When a message began that says its first thing now; told once."""
        return self._messages.pop(message_id or "", None)

    def note_token(self) -> None:
        """A token has come; the first one counts."""
        if self._first_token_at is None:
            self._first_token_at = time.monotonic()

    @property
    def time_to_first_token(self) -> float | None:
        """Seconds from the run's start to its first token."""
        if self._started_at is None or self._first_token_at is None:
            return None
        return self._first_token_at - self._started_at

    @property
    def duration(self) -> float | None:
        """Seconds from the run's start until now."""
        return None if self._started_at is None else time.monotonic() - self._started_at
