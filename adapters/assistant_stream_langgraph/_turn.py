"""From a client's commands to what the graph is given: messages, tool results, answers."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from langchain_core.messages import AnyMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START
from langgraph.types import Command, Interrupt, StateSnapshot

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.server import (
    AddMessageCommand,
    AddToolResultCommand,
    AssistantTransportRequest,
    CustomCommand,
    TransportCommand,
)
from assistant_stream_ce.typing import JSONValue
from assistant_stream_langchain.messages import (
    stopped_tool_message,
    to_human_message,
    to_tool_message,
)

from .threads import Graph, find_fork, open_tool_calls, settle, thread_messages

__all__ = ("Turn", "plan_turn")

GraphInput: TypeAlias = dict[str, list[AnyMessage]] | Command[Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one request has the graph do."""

    config: RunnableConfig
    input: GraphInput | None
    """`None`: nothing yet, the results of other calls have to come first."""


async def plan_turn(
    graph: Graph, config: RunnableConfig, request: AssistantTransportRequest
) -> Turn:
    """Bring the thread into a state from which it can go on, and return how it goes on.

    A new message abandons what is unfinished: questions that nobody answered, and tool calls
    that a cancelled run left open, which get a result that says so.

    Raises:
        RequestError: A command is unknown (400) or does not fit the thread (409). The thread is
            then as it was before.
    """
    source_id = _edited_message(request)
    if source_id is None:
        snapshot = await graph.aget_state(config)
    else:
        snapshot = await find_fork(graph, config, source_id)
        config = _at_checkpoint(config, snapshot)
    plan = _Plan(snapshot)
    for command in request.commands:
        plan.take(command)
    if plan.answers:
        return Turn(config, plan.answer())
    if source_id is None and snapshot.next:
        await settle(graph, config)
    if plan.said or not plan.open_calls:
        return Turn(config, plan.go_on())
    await graph.aupdate_state(config, {"messages": plan.results}, as_node=START)
    return Turn(config, None)


def _edited_message(request: AssistantTransportRequest) -> str | None:
    edits = [
        command.source_id
        for command in request.commands
        if isinstance(command, AddMessageCommand) and command.source_id is not None
    ]
    if len(edits) > 1:
        raise RequestError("A request can edit one message, not several.")
    return edits[0] if edits else None


def _at_checkpoint(config: RunnableConfig, snapshot: StateSnapshot) -> RunnableConfig:
    checkpoint = snapshot.config.get("configurable", {})
    config = config.copy()
    config["configurable"] = {**config.get("configurable", {}), **checkpoint}
    return config


class _Plan:
    """Sorts the commands of one request by what they mean to the thread as it stands."""

    def __init__(self, snapshot: StateSnapshot) -> None:
        calls = open_tool_calls(thread_messages(snapshot))
        self.open_calls: dict[str, ToolCall] = {call["id"]: call for call in calls if call["id"]}
        self.answers: dict[str, JSONValue] = {}
        self.results: list[ToolMessage] = []
        self.said: list[HumanMessage] = []
        self._interrupts = {interrupt.id: interrupt for interrupt in snapshot.interrupts}

    def take(self, command: TransportCommand) -> None:
        match command:
            case AddMessageCommand():
                self.said.append(to_human_message(command))
            case AddToolResultCommand():
                self._take_result(command)
            case CustomCommand(type="resume"):
                self._take_answer(command)
            case CustomCommand():
                raise RequestError(
                    f"Unknown command {command.type!r}; known are 'add-message', "
                    "'add-tool-result' and 'resume'."
                )

    def answer(self) -> GraphInput:
        """The input that lets the interrupted run go on."""
        if self.said:
            raise RequestError(
                "A message cannot go with the answer to an interrupt: send it after the run.",
                status_code=409,
            )
        update = {"messages": self.results} if self.results else None
        return Command(resume=self.answers, update=update)

    def go_on(self) -> GraphInput:
        """The input of a new run, in the one order that models accept."""
        stopped = [stopped_tool_message(call) for call in self.open_calls.values()]
        return {"messages": [*self.results, *stopped, *self.said]}

    def _take_result(self, command: AddToolResultCommand) -> None:
        call = self.open_calls.pop(command.tool_call_id, None)
        if call is None:
            raise RequestError(
                f"No tool call {command.tool_call_id!r} waits for a result in this thread.",
                status_code=409,
            )
        if not self._interrupts:
            self.results.append(to_tool_message(command, call))
            return
        interrupt = self._interrupt_of(command.tool_call_id)
        failed: JSONValue = {"error": command.result}
        self._answer(interrupt.id, failed if command.is_error else command.result)

    def _take_answer(self, command: CustomCommand) -> None:
        if "value" not in command.payload:
            raise RequestError("The command 'resume' needs a `value`: the answer.")
        if not self._interrupts:
            raise RequestError("Nothing in this thread waits for an answer.", status_code=409)
        known = list(self._interrupts)
        interrupt_id = command.payload.get("id")
        if interrupt_id is None and len(known) == 1:
            interrupt_id = known[0]
        if not isinstance(interrupt_id, str) or interrupt_id not in known:
            raise RequestError(
                f"The command 'resume' needs the `id` of an interrupt that waits: {known}.",
                status_code=409,
            )
        self._answer(interrupt_id, command.payload["value"])

    def _answer(self, interrupt_id: str, value: JSONValue) -> None:
        self.answers[interrupt_id] = value
        del self._interrupts[interrupt_id]

    def _interrupt_of(self, tool_call_id: str) -> Interrupt:
        """The question that the result of this call answers: the one that names the call, else
        the only one that names none."""
        unnamed: list[Interrupt] = []
        for interrupt in self._interrupts.values():
            named = _named_call(interrupt.value)
            if named == tool_call_id:
                return interrupt
            if named is None:
                unnamed.append(interrupt)
        if len(unnamed) == 1:
            return unnamed[0]
        raise RequestError(
            f"Several interrupts wait and none names the tool call {tool_call_id!r}: answer with "
            "the command 'resume' and the interrupt's `id`.",
            status_code=409,
        )


def _named_call(value: Any) -> str | None:
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    for key in ("tool_call_id", "toolCallId"):
        if isinstance(fields.get(key), str):
            return str(fields[key])
    return None
