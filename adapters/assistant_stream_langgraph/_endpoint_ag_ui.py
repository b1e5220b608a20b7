"""`POST /agui`: `useAgUiRuntime`, `HttpAgent`, CopilotKit."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from assistant_stream_ce.serialization import AGUIEncoder
from assistant_stream_ce.server import AGUIRequest, UserMessage, parse_ag_ui_request

from ._access import ThreadCall
from ._backend import Backend, Wire
from ._shapes import is_mapping
from ._turn_request import TurnRequest, to_answers
from .answers import InterruptAnswer

__all__ = ("respond_to_ag_ui",)


async def respond_to_ag_ui(backend: Backend, request: Request) -> Response:
    """Answer an AG-UI request.

    Raises:
        RequestError: The request cannot be used.
    """
    body = parse_ag_ui_request(await backend.read_body(request), limits=backend.limits)
    assert body.thread_id is not None  # the parser sees to it
    encoder = AGUIEncoder(body.thread_id, body.run_id, known_message_ids=body.message_ids)
    wire = Wire("ag-ui", encoder, state=backend.state_beside_parts, earlier_results=True)
    return await backend.run(ThreadCall(request, body.thread_id, body), _turn(body), wire)


def _turn(body: AGUIRequest) -> TurnRequest:
    said = [message for message in body.messages if isinstance(message, UserMessage)]
    return TurnRequest(
        said=said,
        results=body.tool_results,
        answers=to_answers(body.resume) or _older_answer(body),
        is_resent=True,
        tools=body.tools,
    )


def _older_answer(body: AGUIRequest) -> list[InterruptAnswer]:
    """The answer as CopilotKit gives it: `forwardedProps.command.resume`, without an id."""
    props: object = body.forwarded_props
    command: object = props.get("command") if is_mapping(props) else None
    if not is_mapping(command) or command.get("resume") is None:
        return []
    return [InterruptAnswer(command["resume"])]
