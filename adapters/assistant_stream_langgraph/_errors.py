"""What a client is told when something is wrong: JSON, in one form, and nothing internal."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant_stream_ce._json import dumps
from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.typing import JSONValue

__all__ = (
    "FailureGuard",
    "error_response",
    "error_text",
    "http_error_response",
    "json_response",
    "on_http_exception",
    "on_request_error",
    "report_failure",
    "with_end",
    "with_retry_after",
)

RETRY_AFTER = "2"
"""Seconds."""

logger = logging.getLogger(__name__)


def error_response(message: str, status_code: int) -> Response:
    """`{"error": {"message", "code"}}` with `status_code`."""
    known = status_code in HTTPStatus.__members__.values()
    code = HTTPStatus(status_code).name.lower() if known else "refused"
    error: JSONValue = {"message": message, "code": code}
    return with_retry_after(json_response({"error": error}, status_code))


def error_text(error: HTTPException) -> str:
    """What the client is told of an error in FastAPI's form, whose detail may be anything."""
    detail: Any = error.detail
    return detail if isinstance(detail, str) and detail else "The request is refused."


def http_error_response(error: HTTPException) -> Response:
    """Return the answer to a request that Starlette has refused, or a hook in Starlette's way."""
    response = error_response(error_text(error), error.status_code)
    response.headers.update(error.headers or {})
    return response


def with_retry_after(response: Response) -> Response:
    """Say when to try again, where the status says that it is worth it."""
    if response.status_code in (429, 503):
        response.headers["retry-after"] = RETRY_AFTER
    return response


def json_response(value: JSONValue, status_code: int = 200) -> Response:
    """`value` as JSON that every client can parse, whatever the graph has put into it."""
    body = dumps(value).encode("utf-8", "backslashreplace")
    return Response(body, status_code, media_type="application/json")


def report_failure(error: BaseException, what: str, *, debug: bool = False) -> str:
    """Log `error` with its traceback under a new id, and return what the client may know."""
    error_id = uuid4().hex[:12]
    logger.error("%s failed (error id %s).", what, error_id, exc_info=error)
    if debug:
        return f"{type(error).__name__}: {error}"
    return f"Something went wrong on the server. The log has the details under error id {error_id}."


def with_end(response: Response, scope: Scope) -> Response:
    """Have the server end the connection of a client that is too slow with its body."""
    if response.status_code == 408 and scope["http_version"].startswith("1"):
        response.headers["connection"] = "close"
    return response


async def on_request_error(request: Request, error: Exception) -> Response:
    """Answer a request that cannot be used."""
    assert isinstance(error, RequestError)
    return error_response(str(error), error.status_code)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer a request for something that is not there."""
    assert isinstance(error, HTTPException)
    return http_error_response(error)


class FailureGuard:
    """Middleware that answers a request which failed before its response had started.

    Starlette's own would do it outside of CORS, so that a page could not read the answer, and
    would have the server log the exception a second time.
    """

    def __init__(self, app: ASGIApp, debug: bool) -> None:
        self._app = app
        self._debug = debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def watch(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if has_started or scope["type"] != "http":
                raise
            what = f"{scope['method']} {scope['path']}"
            message = report_failure(error, what, debug=self._debug)
            await error_response(message, 500)(scope, receive, send)
