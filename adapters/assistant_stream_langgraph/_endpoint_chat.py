"""`POST /chat`: `useDataStreamRuntime`, and the AI SDK's `useChat`."""

from __future__ import annotations

from typing import Literal, cast
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.serialization import AISDKVersion
from assistant_stream_ce.server import (
    ClientRequest,
    DataStreamRequest,
    UIMessageRequest,
    UserMessage,
    check_thread_id,
    parse_data_stream_request,
    parse_ui_message_request,
    read_resume,
)
from assistant_stream_ce.typing import JSONValue

from ._access import ThreadCall
from ._ask_by_call import ChatDataStreamEncoder, ChatUIEncoder
from ._backend import Backend, Wire
from ._turn_request import TurnRequest, to_answers
from .answers import Approve, InterruptAnswer, Reject

__all__ = ("ChatProtocol", "respond_to_chat", "resume_chat")

ChatProtocol = Literal["data-stream", "ai-sdk"]

PROTOCOLS: tuple[ChatProtocol, ...] = ("data-stream", "ai-sdk")

UI_WIRE = "chat:ai-sdk"

LOCAL_ID = "__LOCALID_"
"""How the ids begin that assistant-ui gives a thread before anybody has named it."""


async def respond_to_chat(backend: Backend, request: Request) -> Response:
    """Answer a request of either client.

    Raises:
        RequestError: The request cannot be used.
    """
    body = await backend.read_body(request)
    if _protocol(request, body) == "data-stream":
        asked = parse_data_stream_request(body, limits=backend.limits)
        return await _data_stream(backend, request, asked)
    version = _version(request)
    parsed = parse_ui_message_request(body, limits=backend.limits)
    return await _ai_sdk(backend, request, parsed, version)


async def resume_chat(backend: Backend, request: Request) -> Response:
    """Answer `GET /chat/{thread_id}/stream`, with which the AI SDK asks for a run that goes on.

    Raises:
        RequestError: The request is refused.
    """
    thread_id = check_thread_id(request.path_params["thread_id"])
    response = await backend.resume(ThreadCall(request, thread_id), UI_WIRE)
    return Response(status_code=204) if response is None else response


def _protocol(request: Request, body: JSONValue) -> ChatProtocol:
    named = request.query_params.get("protocol")
    if named is not None:
        for protocol in PROTOCOLS:
            if named == protocol:
                return protocol
        raise RequestError(f"Unknown protocol {named!r}; known are {', '.join(PROTOCOLS)}.")
    # Both have a list of messages: the AI SDK's have parts, the others content.
    fields = body if isinstance(body, dict) else {}
    messages = fields.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    has_parts = isinstance(first, dict) and "parts" in first
    return "ai-sdk" if has_parts or "trigger" in fields else "data-stream"


def _version(request: Request) -> AISDKVersion:
    version = request.query_params.get("version", "6")
    if version not in ("5", "6", "7"):
        raise RequestError(f"`version` is {version[:20]!r}; known are '5', '6' and '7'.")
    return cast("AISDKVersion", int(version))


async def _ai_sdk(
    backend: Backend, request: Request, body: UIMessageRequest, version: AISDKVersion
) -> Response:
    call = ThreadCall(request, backend.thread_id(request, body.thread_id), body)
    turn = _ui_turn(body)
    wire = Wire(
        UI_WIRE,
        ChatUIEncoder(version),
        state=backend.state_beside_parts,
        # The answer to an answer goes on with the message that has the calls.
        earlier_results=not turn.said,
    )
    return await backend.run(call, turn, wire)


def _ui_turn(body: UIMessageRequest) -> TurnRequest:
    said = _said(body)
    if body.trigger == "regenerate-message":
        again = body.message_id or (said[-1].id if said else None)
        if again is None:
            raise RequestError("`body.messageId` is missing: which message is made again?")
        return TurnRequest(said=said, regenerate=again, is_resent=True, tools=body.tools)
    asked = {approval.tool_call_id for approval in body.approvals}
    approvals = [
        InterruptAnswer(
            Approve() if approval.approved else Reject(approval.reason),
            interrupt_id=approval.approval_id,
            tool_call_id=approval.tool_call_id,
        )
        for approval in body.approvals
    ]
    return TurnRequest(
        said=said,
        results=[result for result in body.tool_results if result.tool_call_id not in asked],
        answers=[*approvals, *_resume(body)],
        is_resent=True,
        tools=body.tools,
    )


async def _data_stream(backend: Backend, request: Request, body: DataStreamRequest) -> Response:
    state = body.state if isinstance(body.state, dict) else {}
    thread_id = backend.thread_id(request, _thread_id(body, state))
    said = _said(body)
    if said and said[-1].id is None:
        # What the answer follows is what the user said last; a reload sends the same id again.
        last = UserMessage(said[-1].parts, body.parent_id or str(uuid4()))
        said = [*said[:-1], last]
    before = state.get("messageId") if state.get("threadId") == thread_id else None
    head: dict[str, JSONValue] = {
        "threadId": thread_id,
        "messageId": said[-1].id if said else before,
    }
    turn = TurnRequest(
        said=said,
        results=body.tool_results,
        answers=_resume(body),
        parent_id=before if isinstance(before, str) else None,
        is_resent=True,
        tools=body.tools,
    )
    wire = Wire(
        "chat:data-stream",
        ChatDataStreamEncoder(head),
        shown=head,
        state=backend.state_beside_parts,
    )
    return await backend.run(ThreadCall(request, thread_id, body), turn, wire)


def _thread_id(body: DataStreamRequest, state: dict[str, JSONValue]) -> str | None:
    """The thread that the client names, or else the one that it was told in its last answer."""
    told = state.get("threadId")
    if body.thread_id is not None and not body.thread_id.startswith(LOCAL_ID):
        return body.thread_id
    if isinstance(told, str):
        return check_thread_id(told, "body.state.threadId")
    return body.thread_id


def _said(body: ClientRequest) -> list[UserMessage]:
    return [message for message in body.messages if isinstance(message, UserMessage)]


def _resume(body: ClientRequest) -> list[InterruptAnswer]:
    return to_answers(read_resume(body.body))
