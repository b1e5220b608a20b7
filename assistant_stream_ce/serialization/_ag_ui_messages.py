"""Which AG-UI message a part belongs to, and which sub-agent a message belongs to.

An AG-UI conversation is a list of messages: one assistant message a model call, with its tool
calls, and one tool message a result. Chunks say none of this, so it is worked out here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from assistant_stream_ce.chunks import ToolCallBeginChunk

from ._ag_ui_events import Fields, event

__all__ = ("MessageIds", "SubAgents")


class MessageIds:
    """The ids of the messages of one run; no two messages share one.

    Args:
        known: The ids of messages that the client has already.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._base = f"msg_{secrets.token_hex(12)}"
        self._used: set[str] = set(known)
        self._steps: set[str] = set()
        self._current: dict[str | None, str] = {}
        """By sub-agent, the assistant message that is being written."""

    def start_step(self, name: str) -> str:
        """Turn to a new assistant message, of every agent; returns the step's name."""
        self._base = name = _unique(name or "step", self._steps)
        self._current.clear()
        return name

    def assistant(self, agent: str | None) -> str:
        """The assistant message of an agent that text and tool calls go to."""
        if agent not in self._current:
            wanted = self._base if agent is None else f"{self._base}_{agent}"
            self._current[agent] = _unique(wanted, self._used)
        return self._current[agent]

    def finish_assistant(self, agent: str | None) -> None:
        """Let the next text or tool call of an agent be in a message of its own."""
        self._current.pop(agent, None)

    def finish_all(self) -> None:
        """Do so for every agent."""
        self._current.clear()

    def other(self, wanted: str) -> str:
        """An id for a message that nothing is added to later on."""
        return _unique(wanted, self._used)


class SubAgents:
    """The sub-agents of one run: what a chunk's `parent_id` names, when that is a tool call.

    What has another parent is the agent's own: the clients show a sub-agent within the call that
    it works for, and would not show it at all without one.
    """

    def __init__(self) -> None:
        self._calls: dict[str, tuple[str, str | None]] = {}
        self._open: dict[str, None] = {}
        self._seen: set[str] = set()

    def remember(self, chunk: ToolCallBeginChunk, caller: str | None) -> None:
        """Take note of a tool call and of the sub-agent that makes it."""
        self._calls[chunk.tool_call_id] = (chunk.tool_name, caller)

    def known(self, parent_id: str | None) -> str | None:
        """The sub-agent of a chunk with this parent; `None` is the agent itself."""
        return parent_id if parent_id in self._calls else None

    def caller(self, tool_call_id: str) -> str | None:
        """The sub-agent that has made a call; `None` is the agent itself."""
        return self._calls[tool_call_id][1] if tool_call_id in self._calls else None

    def start(self, agent: str | None) -> str:
        """Return the frame that announces a sub-agent, when it has not been announced yet."""
        if agent is None or agent in self._seen:
            return ""
        self._seen.add(agent)
        self._open[agent] = None
        name, caller = self._calls[agent]
        fields: Fields = {"subagentRunId": agent, "name": name, "parentToolCallId": agent}
        if caller is not None:
            fields["parentSubagentRunId"] = caller  # announced when it made the call
        return event("SUBAGENT_STARTED", fields)

    def finish(self, agent: str) -> str:
        """Return the frame that says that a sub-agent is done, when one of that name works."""
        if agent not in self._open:
            return ""
        del self._open[agent]
        return event("SUBAGENT_FINISHED", {"subagentRunId": agent})

    def finish_all(self) -> str:
        """Return the frames that say that every sub-agent is done."""
        return "".join(map(self.finish, list(self._open)))


def _unique(wanted: str, used: set[str]) -> str:
    unique, number = wanted, 1
    while unique in used:
        number += 1
        unique = f"{wanted}_{number}"
    used.add(unique)
    return unique
