"""`POST /v1/chat/completions` and `GET /v1/models`: OpenAI's clients, and what is built on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.server import (
    OpenAIRequest,
    UserMessage,
    check_thread_id,
    parse_openai_request,
    read_args,
)
from assistant_stream_ce.typing import JSONValue

from ._access import ThreadCall
from ._ask_by_call import ChatOpenAIEncoder, WholeOpenAIEncoder
from ._backend import THREAD_ID_HEADER, Backend, Wire
from ._errors import error_text, json_response, report_failure, with_end, with_retry_after
from ._turn_request import TurnRequest

__all__ = ("MODEL", "OpenAIEndpoint", "openai_models", "respond_to_openai")

GONE = 499
"""A status that nobody sees, for the log of who stands in front."""

MODEL = "agent"
"""The name of the one model there is. A request may name any."""


async def respond_to_openai(backend: Backend, request: Request) -> Response:
    """Answer a chat completions request.

    Raises:
        RequestError: The request cannot be used.
    """
    value = await backend.read_body(request)
    thread_id = _thread_id(request, value)
    has_thread = thread_id is not None
    body = parse_openai_request(value, history=not has_thread, limits=backend.limits)
    call = ThreadCall(request, thread_id or str(uuid4()), body)
    turn = _turn(body) if has_thread else TurnRequest(conversation=body.messages, tools=body.tools)
    if body.stream:
        encoder = ChatOpenAIEncoder(body.model, include_usage=body.include_usage)
        wire = Wire("openai", encoder, state=False, outlives_client=has_thread)
        return await backend.run(call, turn, wire)
    whole = WholeOpenAIEncoder(body.model)
    wire = Wire("openai:whole", whole, state=False, outlives_client=has_thread)
    return _WholeResponse(await backend.run(call, turn, wire))


def _thread_id(request: Request, body: JSONValue) -> str | None:
    """The thread that a client names, in the header or in the request's `metadata`."""
    header = request.headers.get(THREAD_ID_HEADER)
    if header is not None:
        return check_thread_id(header, THREAD_ID_HEADER)
    metadata = body.get("metadata") if isinstance(body, dict) else None
    named = metadata.get("thread_id") if isinstance(metadata, dict) else None
    if named is None:
        return None
    if not isinstance(named, str):
        raise RequestError("`body.metadata.thread_id` must be a string.")
    return check_thread_id(named, "body.metadata.thread_id")


def _turn(body: OpenAIRequest) -> TurnRequest:
    said = [message for message in body.messages if isinstance(message, UserMessage)]
    results = [replace(result, result=_value(result.result)) for result in body.tool_results]
    return TurnRequest(said=said, results=results, is_resent=True, tools=body.tools)


def _value(result: JSONValue) -> JSONValue:
    """A result is a text on this wire; a decision about a call is a JSON object in it."""
    args = read_args(result) if isinstance(result, str) and result.startswith("{") else result
    return dict(args) if isinstance(args, Mapping) else args


async def openai_models(backend: Backend, request: Request) -> Response:
    """Answer `GET /v1/models`.

    Raises:
        RequestError: The request is refused.
    """
    await backend.admit(ThreadCall(request, ""))
    model: dict[str, JSONValue] = {"id": MODEL, "object": "model", "created": 0}
    return json_response({"object": "list", "data": [{**model, "owned_by": "assistant-stream"}]})


class OpenAIEndpoint:
    """An endpoint whose refusals and failures have OpenAI's form.

    Args:
        respond: Returns the response to a request; may raise `RequestError`.
        debug: Whether the client sees the text of exceptions.
    """

    def __init__(self, respond: Callable[[Request], Awaitable[Response]], *, debug: bool) -> None:
        self._respond = respond
        self._debug = debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(Request(scope, receive))
        except RequestError as error:
            response = with_end(_refusal(str(error), error.status_code), scope)
        except HTTPException as error:  # the hooks' own
            response = _refusal(error_text(error), error.status_code)
            response.headers.update(error.headers or {})
        except ClientDisconnect:
            return
        except Exception as error:  # the hooks' own: it may be anything
            what = f"{scope['method']} {scope['path']}"
            response = _failure(report_failure(error, what, debug=self._debug))
        await response(scope, receive, send)


def _refusal(message: str, status_code: int) -> Response:
    known = status_code in HTTPStatus.__members__.values()
    code = HTTPStatus(status_code).name.lower() if known else "refused"
    return _error(message, "invalid_request_error", code, status_code)


def _failure(message: str) -> Response:
    return _error(message, "server_error", None, 500)


def _error(message: str, kind: str, code: str | None, status_code: int) -> Response:
    error: JSONValue = {"message": message, "type": kind, "param": None, "code": code}
    return with_retry_after(json_response({"error": error}, status_code))


class _WholeResponse(Response):
    """Sends a completion when all of it is there: only then its status is known."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self._response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: MutableMapping[str, Any] = {}
        pieces: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                pieces.append(message.get("body", b""))

        await self._response(scope, receive, keep)
        body = b"".join(pieces)
        if not body:  # The client has gone. A middleware between expects an answer all the same.
            await Response(status_code=GONE)(scope, receive, send)
            return
        if body.startswith(b'{"error":'):
            start["status"] = 500
        start["headers"] = [*start["headers"], (b"content-length", str(len(body)).encode("ascii"))]
        await send(start)
        await send({"type": "http.response.body", "body": body})
