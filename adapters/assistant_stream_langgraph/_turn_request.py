"""What a client asks of a thread, in one form for the requests of all clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.server import (
    AddMessageCommand,
    AddToolResultCommand,
    AGUIResume,
    AssistantTransportRequest,
    ClientMessage,
    ClientTool,
    CustomCommand,
    ToolResult,
    UserMessage,
)
from assistant_stream_ce.typing import JSONValue

from .answers import InterruptAnswer

__all__ = ("ROOT", "TurnRequest", "from_transport_request", "to_answers")

ROOT = ""
"""As a `parent_id`: before the first message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """What one request asks of a thread. All of it is a claim of the client's.

    A message in `said` whose id the thread has already replaces that message, as an edit does: so
    a client that sends its last message again gets a new answer, and no second copy.
    """

    said: Sequence[UserMessage] = ()
    """What the user says, oldest first."""
    results: Sequence[ToolResult] = ()
    """Results of tools that ran in the front end, and answers that came as such."""
    answers: Sequence[InterruptAnswer] = ()
    """Answers to interrupts."""
    edit_of: str | None = None
    """The id of the message that `said` replaces: the thread is forked before it."""
    regenerate: str | None = None
    """The id of the assistant's message that is made again: the thread is forked before what the
    user had said, and goes on with that."""
    parent_id: str | None = None
    """The id of the message after which `said` comes, from a client that knows. What the user said
    after it is left behind on another branch. `ROOT` for the beginning; `None` for the end."""
    head_id: str | None = None
    """The id of the last message of the branch that the client shows, from a client that knows
    several. `None` for the branch that the thread took last."""
    is_resent: bool = False
    """Whether the client sends its conversation with every request: then results and messages
    that the thread has already are no fault, and are left out."""
    conversation: Sequence[ClientMessage] = ()
    """The whole conversation, of a client that has no thread: the run is given this and leaves
    nothing behind."""
    tools: Sequence[ClientTool] = ()
    """The tools that run in the front end."""
    system: str | None = None
    """The front end's system prompt; `None` unless it is allowed."""


def from_transport_request(request: AssistantTransportRequest) -> TurnRequest:
    """Return what the commands of an assistant-transport request ask.

    Raises:
        RequestError: A command is unknown or incomplete, or two messages are edited (400).
    """
    said: list[UserMessage] = []
    results: list[ToolResult] = []
    answers: list[InterruptAnswer] = []
    edits: list[str] = []
    regenerated: list[str] = []
    for command in request.commands:
        match command:
            case AddMessageCommand():
                said.append(UserMessage(command.parts))
                if command.source_id is not None:
                    edits.append(command.source_id)
            case AddToolResultCommand():
                results.append(command)
            case CustomCommand(type="resume"):
                answers.append(_answer(command.payload))
            case CustomCommand(type="regenerate"):
                regenerated.append(_regenerated(command.payload))
            case CustomCommand():
                raise RequestError(
                    f"Unknown command {command.type!r}; known are 'add-message', "
                    "'add-tool-result', 'resume' and 'regenerate'."
                )
    if len(edits) > 1:
        raise RequestError("A request can edit one message, not several.")
    if regenerated and len(request.commands) > 1:
        raise RequestError("The command 'regenerate' stands alone in its request.")
    return TurnRequest(
        said=said,
        results=results,
        answers=answers,
        edit_of=edits[0] if edits else None,
        regenerate=regenerated[0] if regenerated else None,
        head_id=_text(request.body, "headId", "body"),
        tools=[_tool(name, tool) for name, tool in request.tools.items()],
        system=request.system,
    )


def to_answers(resume: Iterable[AGUIResume]) -> list[InterruptAnswer]:
    """Return the answers of a request that gives them as AG-UI does."""
    return [
        InterruptAnswer(
            item.payload, interrupt_id=item.interrupt_id, cancelled=item.status == "cancelled"
        )
        for item in resume
    ]


def _answer(payload: Mapping[str, JSONValue]) -> InterruptAnswer:
    if "decisions" in payload:
        value: JSONValue = {"decisions": payload["decisions"]}
    elif "value" in payload:
        value = payload["value"]
    else:
        raise RequestError("The command 'resume' needs a `value` or `decisions`: the answer.")
    return InterruptAnswer(
        value,
        interrupt_id=_text(payload, "id", "command 'resume'"),
        tool_call_id=_text(payload, "toolCallId", "command 'resume'"),
    )


def _regenerated(payload: Mapping[str, JSONValue]) -> str:
    message_id = _text(payload, "messageId", "command 'regenerate'")
    if not message_id:
        raise RequestError("The command 'regenerate' needs the `messageId` of an answer.")
    return message_id


def _text(payload: Mapping[str, JSONValue], key: str, where: str) -> str | None:
    value = payload.get(key)
    if value is None or isinstance(value, str):
        return value
    raise RequestError(f"The `{key}` of the {where} must be a text.")


def _tool(name: str, value: JSONValue) -> ClientTool:
    fields = value if isinstance(value, dict) else {}
    description, parameters = fields.get("description"), fields.get("parameters")
    return ClientTool(
        name=name,
        description=description if isinstance(description, str) else None,
        parameters=parameters if isinstance(parameters, dict) else {},
    )
