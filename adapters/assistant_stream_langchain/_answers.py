"""Results of tool calls, and which call each of them answers."""

from __future__ import annotations

from langchain_core.messages import ToolMessage

from assistant_stream_ce.chunks import ToolResultChunk

from ._calls import CallState, real_id
from ._message_index import Place
from ._results import artifact_sources, json_value
from ._teller import Chunks, Teller

__all__ = ("Answers", "earlier_result")


def earlier_result(answer: ToolMessage) -> ToolResultChunk:
    """Return the result of a call that stands in an earlier answer of the thread."""
    content, artifact = json_value(answer.content), json_value(answer.artifact)
    is_error = _has_failed(answer)
    return ToolResultChunk(answer.tool_call_id, content, artifact, is_error, is_earlier=True)


class Answers:
    """The answers to the calls of a run. The first answer to a call counts."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._seen: set[str] = set()

    def end(self, call_id: str, result: object, artifact: object, *, is_error: bool) -> Chunks:
        """Return the chunks for the result of the call with this id on the wire."""
        out: Chunks = []
        call = self._teller.waiting.get(call_id) or self._teller.calls.get(call_id)
        if call is not None and not call.answered:
            self._teller.answer(call, json_value(result), json_value(artifact), is_error, out)
        return out

    def waiting_call(self, call_id: str, place: Place, parent_id: str | None) -> str | None:
        """Return the id on the wire of the call that is meant at a place, if it has no result."""
        call = self._teller.call_named(call_id, place, parent_id)
        return None if call is None or call.answered else call.wire_id

    def waits_for(self, call_id: str) -> bool:
        """Whether a call with this id has begun and has no result yet."""
        call = self._teller.calls.get(call_id)
        while call is not None and call.answered:
            call = call.namesake
        return call is not None

    def take(self, answer: ToolMessage, place: Place, parent_id: str | None) -> Chunks:
        """Return the chunks for an answer; one to a call that nobody announced begins it, too."""
        if answer.id is not None:
            if answer.id in self._seen:
                return []
            self._seen.add(answer.id)
        call = self._answered_call(answer, place, parent_id)
        out: Chunks = []
        if call is None:
            call_id = real_id(answer.tool_call_id) or answer.id or "call"
            name = answer.name or "tool"
            call = self._teller.begin_tool(call_id, name, "", place, out, parent_id=parent_id)
        if call.answered:
            return []
        content, artifact = json_value(answer.content), json_value(answer.artifact)
        self._teller.answer(call, content, artifact, _has_failed(answer), out)
        self._teller.tell_sources(artifact_sources(answer.artifact), parent_id, out)
        return out

    def _answered_call(
        self, answer: ToolMessage, place: Place, parent_id: str | None
    ) -> CallState | None:
        if call_id := real_id(answer.tool_call_id):
            return self._teller.call_named(call_id, place, parent_id)
        # The oldest call of that name, where the provider gave no id.
        waiting = self._teller.waiting.values()
        return next((call for call in waiting if answer.name in (None, call.name)), None)


def _has_failed(answer: ToolMessage) -> bool:
    return getattr(answer, "status", None) == "error"
