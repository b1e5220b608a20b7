"""What of a request is new to its thread.

Most clients send their conversation again with every request, so results that the thread has, and
messages that it knows, come along with what is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from langgraph.types import StateSnapshot

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.server import ToolResult, UserMessage

from ._turn_request import TurnRequest
from .answers import InterruptAnswer
from .interrupts import named_call
from .threads import open_tool_calls, thread_messages

__all__ = ("only_new",)


def only_new(request: TurnRequest, head: StateSnapshot) -> TurnRequest:
    """Return `request` without what the thread at `head` knows.

    A result that names an interrupt instead of a call is an answer to it: clients that know no
    interrupts are asked by a tool call.

    Raises:
        RequestError: Nothing is left, although results or answers came (409).
    """
    results, answers = _sorted(request, head)
    said = list(request.said)
    if request.is_resent:
        request = _without_lost(request, head)
    if request.is_resent and (answers or (results and head.interrupts)):
        said = _unknown(said, head)
        if said and all(answer.cancelled for answer in request.answers):
            # The person goes on with something else, so nothing is answered.
            return replace(request, said=said, results=(), answers=())
    if request.is_resent and request.results and not (said or results or answers):
        raise RequestError("No tool call of this thread waits for these results.", status_code=409)
    return replace(request, said=said, results=results, answers=answers)


def _sorted(
    request: TurnRequest, head: StateSnapshot
) -> tuple[list[ToolResult], list[InterruptAnswer]]:
    interrupts = {item.id: item.id for item in head.interrupts}
    # A call that is named may be one of a sub-agent's, which is not in the thread's messages.
    for item in head.interrupts:
        if (named := named_call(item.value)) is not None:
            interrupts[named] = item.id
    waiting = {call["id"] for call in open_tool_calls(thread_messages(head))}
    results: list[ToolResult] = []
    answers = list(request.answers)
    for result in request.results:
        call_id = result.tool_call_id
        if call_id in interrupts:
            asked = interrupts[call_id]
            answers.append(
                InterruptAnswer(result.result, asked, is_error=result.is_error, result=result)
            )
        elif call_id in waiting or not request.is_resent:
            results.append(result)
    return results, answers


def _without_lost(request: TurnRequest, head: StateSnapshot) -> TurnRequest:
    """What hangs on messages that the thread has no more is asked at its end: a client whose
    server has lost a thread can go on all the same."""
    known = {message.id for message in thread_messages(head)}
    parent_id, again = request.parent_id, request.regenerate
    last = request.said[-1].id if request.said else None
    if parent_id not in known:
        parent_id = None
    if request.said and again not in known and last not in known:
        again = None
    return replace(request, parent_id=parent_id, regenerate=again)


def _unknown(said: Sequence[UserMessage], head: StateSnapshot) -> list[UserMessage]:
    known = {message.id for message in thread_messages(head)}
    return [message for message in said if message.id is None or message.id not in known]
