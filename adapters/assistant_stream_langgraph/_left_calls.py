"""Calls without a result that nobody is going to answer: the conversation has gone on without them.

Of two handoffs in one answer, for example, only one is followed, and LangGraph drops the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage

from ._shapes import is_items

__all__ = ("calls_left",)


def calls_left(conversation: Any, *, waits: bool) -> Callable[[str | None, str | None], bool]:
    """Return what tells by its id and its parent's whether a call is left.

    Args:
        conversation: The messages in the graph's last state, if it told them. A call that is not
            among them is no client's to answer either.
        waits: Whether the run has paused: then agents inside may have messages that are not there
            yet.
    """
    if not is_items(conversation):
        return lambda call_id, parent_id: False
    known, passed = _calls_in([m for m in conversation if isinstance(m, (AIMessage, ToolMessage))])

    def is_left(call_id: str | None, parent_id: str | None) -> bool:
        if waits or call_id is None:
            return call_id in passed
        return parent_id is not None or call_id in passed or call_id not in known

    return is_left


def _calls_in(messages: list[AIMessage | ToolMessage]) -> tuple[set[str], set[str]]:
    """The ids of all calls, and of those that an agent has spoken after when it had the results of
    others that it had made at the same time."""
    answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
    made = [
        {str(call["id"]) for call in message.tool_calls if call["id"]}
        for message in messages
        if isinstance(message, AIMessage)
    ]
    passed = [ids - answered for ids in made[:-1] if not ids.isdisjoint(answered)]
    return {i for ids in made for i in ids}, {i for ids in passed for i in ids}
