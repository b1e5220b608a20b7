"""The task of an `updates` payload. LangGraph leaves it out; it is put where LangGraph puts what
else there is to say of an update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._shapes import is_mapping

__all__ = ("of_task", "task_of")


def of_task(payload: Mapping[str, Any], task: str) -> Mapping[str, Any]:
    """An update with the task that it is from, by the names around it."""
    return {**payload, "__metadata__": {"task": task}}


def task_of(payload: Any) -> str | None:
    """The task that an update is from, as far as the stream tells."""
    metadata: Any = payload.get("__metadata__") if is_mapping(payload) else None
    task = metadata.get("task") if is_mapping(metadata) else None
    return task if isinstance(task, str) else None
