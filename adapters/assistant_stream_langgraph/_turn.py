"""From what a client asks to what the graph is given: messages, tool results, answers."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from langchain_core.messages import AnyMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START
from langgraph.types import Command, StateSnapshot

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.server import ToolResult
from assistant_stream_langchain.messages import (
    shown_human_message,
    stopped_tool_message,
    to_langchain_messages,
    to_tool_message,
)

from ._fork import Fork, find_fork, find_head, said_before, said_next
from ._questions import Questions, open_questions
from ._resent import only_new
from ._turn_request import TurnRequest
from .answers import InterruptAnswer, collect_answers
from .threads import (
    Graph,
    at_checkpoint,
    checkpoint_id,
    is_settled,
    open_tool_calls,
    settle,
    thread_messages,
)

__all__ = ("Turn", "plan_turn")

GraphInput: TypeAlias = dict[str, list[AnyMessage]] | Command[Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one request has the graph do."""

    config: RunnableConfig
    input: GraphInput | None
    """`None`: nothing yet, the results of other calls have to come first."""
    head_id: str | None = None
    """The newest checkpoint of the thread before the run."""


async def plan_turn(graph: Graph, config: RunnableConfig, request: TurnRequest) -> Turn:
    """Bring the thread into a state from which it can go on, and return how it goes on.

    A new message abandons what is unfinished: questions that nobody answered, and tool calls
    that a cancelled run left open, which get a result that says so.

    Raises:
        RequestError: What is asked does not fit the thread (409), or a part of it has a form that
            cannot be used (400). The thread is then as it was before.
    """
    if request.conversation:
        messages = to_langchain_messages(request.conversation)
        if not messages:
            raise RequestError("The conversation says nothing: there is nothing to answer.")
        return Turn(config, _input(messages))
    head = newest = await graph.aget_state(config)
    if request.head_id is not None:
        head = await find_head(graph, config, newest, request.head_id)
    head_id = checkpoint_id(newest.config)
    request = only_new(request, head)
    plan = _Plan(head, request)
    fork = await plan.find_fork(graph)
    if fork is not None:
        return Turn(at_checkpoint(config, fork.snapshot.config), plan.fork(fork), head_id)
    if head is not newest:
        config = at_checkpoint(config, head.config)
    if request.answers or (request.results and head.interrupts):
        questions = await open_questions(graph, config, head)
        return Turn(config, plan.answer(questions), head_id)
    plan.take_results()
    if not is_settled(head):
        settled = await settle(graph, config)
        head_id = checkpoint_id(settled)
        if head is not newest:
            config = at_checkpoint(config, settled)
    if plan.said or not plan.open_calls:
        return Turn(config, plan.go_on(), head_id)
    await graph.aupdate_state(config, {"messages": plan.results}, as_node=START)
    return Turn(config, None)


class _Plan:
    """Sorts what one request asks by what it means to the thread as it stands."""

    def __init__(self, head: StateSnapshot, request: TurnRequest) -> None:
        self._head = head
        self._request = request
        self._messages = thread_messages(head)
        calls = open_tool_calls(self._messages)
        self.open_calls: dict[str, ToolCall] = {call["id"]: call for call in calls if call["id"]}
        self.results: list[ToolMessage] = []
        self.said: list[BaseMessage] = [shown_human_message(said) for said in request.said]

    async def find_fork(self, graph: Graph) -> Fork | None:
        """Where the thread is left for another branch; `None` when it goes on at its end."""
        message_id = self._replaced()
        if message_id is None:
            return None
        request = self._request
        if request.results or request.answers:
            raise RequestError(
                "A tool's result or an answer cannot go with the edit of a message.",
                status_code=409,
            )
        if not self.said:
            raise RequestError("An edit needs a message that takes the place of the old one.")
        return await find_fork(graph, self._head, message_id)

    def _replaced(self) -> str | None:
        """The id of the message that is replaced, with all that came after it."""
        request = self._request
        if request.regenerate is not None:
            said = said_before(self._messages, self._regenerated(request.regenerate))
            self.said = [said]
            return said.id
        if request.edit_of is not None:
            return request.edit_of
        known = {message.id for message in self._messages}
        repeated = [said.id for said in request.said if said.id is not None and said.id in known]
        if repeated:
            return repeated[0]
        if request.parent_id is None or not request.said:
            return None
        return said_next(self._messages, request.parent_id)

    def _regenerated(self, message_id: str) -> str:
        """A client that gives its answers ids of its own still says what they answer."""
        known = {message.id for message in self._messages}
        last = self._request.said[-1].id if self._request.said else None
        return last if message_id not in known and last in known and last else message_id

    def fork(self, fork: Fork) -> GraphInput:
        """The input of a run on another branch."""
        messages = thread_messages(fork.snapshot)
        answered = {said.tool_call_id for said in fork.left if isinstance(said, ToolMessage)}
        calls = [call for call in open_tool_calls(messages) if call["id"] not in answered]
        stopped = [stopped_tool_message(call) for call in calls]
        return _input([*_tool_messages_first(fork.left, stopped), *self.said])

    def answer(self, questions: Questions) -> GraphInput:
        """The input that lets the interrupted run go on."""
        if self.said:
            raise RequestError(
                "A message cannot go with the answer to an interrupt: send it after the run.",
                status_code=409,
            )
        waiting = {call["id"] for call in open_tool_calls(questions.messages)} | {*self.open_calls}
        for result in self._request.results:
            if result.tool_call_id not in waiting:
                raise _waits_not(result)
        answers = [*self._request.answers, *map(_as_answer, self._request.results)]
        given = collect_answers(questions.interrupts, answers, questions.messages, questions.calls)
        return Command(resume=given)

    def take_results(self) -> None:
        """Match the results with the calls that wait for them."""
        for result in self._request.results:
            self.results.append(to_tool_message(result, self._open_call(result)))

    def go_on(self) -> GraphInput:
        """The input of a new run, in the one order that models accept."""
        stopped = [stopped_tool_message(call) for call in self.open_calls.values()]
        return _input([*self.results, *stopped, *self.said])

    def _open_call(self, result: ToolResult) -> ToolCall:
        call = self.open_calls.pop(result.tool_call_id, None)
        if call is None:
            raise _waits_not(result)
        return call


def _waits_not(result: ToolResult) -> RequestError:
    return RequestError(
        f"No tool call {result.tool_call_id!r} waits for a result in this thread.",
        status_code=409,
    )


def _tool_messages_first(
    left: Sequence[BaseMessage], stopped: Sequence[ToolMessage]
) -> list[BaseMessage]:
    place = sum(1 for message in left if isinstance(message, ToolMessage))
    return [*left[:place], *stopped, *left[place:]]


def _as_answer(result: ToolResult) -> InterruptAnswer:
    return InterruptAnswer(
        result.result,
        tool_call_id=result.tool_call_id,
        is_error=result.is_error,
        result=result,
    )


def _input(messages: Sequence[Any]) -> GraphInput:
    return {"messages": list(messages)}
