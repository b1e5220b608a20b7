"""Reading a request's JSON body: within limits of size, depth and time, and with clear refusals."""

from __future__ import annotations

import re

import anyio
import orjson
from starlette.requests import Request

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.typing import JSONValue

__all__ = ("MAX_BODY_BYTES", "MAX_DEPTH", "check_depth", "read_json_body")

MAX_BODY_BYTES = 10 * 1024 * 1024
"""The client sends its whole state with every request, images in it as data URLs."""

MAX_DEPTH = 100
"""Levels of arrays and objects. Tool arguments nest deepest, and stay far below this."""

BODY_TIMEOUT = 30.0
"""Seconds a client has to send its body."""

_LONE_SURROGATE = re.compile(
    rb"(?<!\\)((?:\\\\)*)"  # an even number of backslashes: the next one starts an escape
    rb"(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


async def read_json_body(
    request: Request,
    *,
    max_bytes: int = MAX_BODY_BYTES,
    max_depth: int = MAX_DEPTH,
    time_limit: float = BODY_TIMEOUT,
) -> JSONValue:
    """Read and parse the JSON body of `request`.

    The media type has to say JSON. Browsers send such a request to a foreign origin only after
    the server has allowed it, which is what keeps other sites from driving a local agent.

    Raises:
        RequestError: The body is not JSON (400, 415), too large (413), nested too deep (400) or
            too slow (408).
        starlette.requests.ClientDisconnect: The client went away before the end.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise RequestError(
            f"The body must be JSON: send `Content-Type: application/json`, not `{media_type}`.",
            status_code=415,
        )
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise RequestError(
            "The body must come as it is: without a `Content-Encoding`.", status_code=415
        )
    body = await _read(request, max_bytes, time_limit)
    value = _parse(body)
    check_depth(value, max_depth)
    return value


async def _read(request: Request, max_bytes: int, time_limit: float) -> bytes:
    too_large = RequestError(
        f"The body is larger than {max_bytes} bytes, which is this server's limit.",
        status_code=413,
    )
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > max_bytes:
        raise too_large
    body = bytearray()
    try:
        with anyio.fail_after(time_limit):
            async for piece in request.stream():
                body += piece
                if len(body) > max_bytes:
                    raise too_large
    except TimeoutError as error:
        raise RequestError(
            f"The body did not arrive within {time_limit:g} seconds.", status_code=408
        ) from error
    return bytes(body)


def _parse(body: bytes) -> JSONValue:
    if not body.strip():
        raise RequestError("The body is empty; send a JSON object.")
    try:
        value: JSONValue = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # A browser that cut a text inside an emoji sends half a surrogate pair as an escape. That
        # is valid JSON but no Unicode text, and neither models nor databases take it.
        repaired = _LONE_SURROGATE.sub(_keep_pairs, body)
        if repaired == body:
            raise RequestError(f"The body is not valid JSON: {error}.") from error
        return _parse(repaired)
    return value


def _keep_pairs(match: re.Match[bytes]) -> bytes:
    backslashes, pair = match.group(1), match.group(2)
    return backslashes + (pair or rb"\ufffd")


def check_depth(value: JSONValue, max_depth: int) -> None:
    """Refuse a value that nests too deep for what reads it later."""
    level: list[JSONValue] = [value]
    for _ in range(max_depth + 1):
        level = [
            child
            for container in level
            for child in _children(container)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise RequestError(f"The body nests deeper than {max_depth} levels.")


def _children(value: JSONValue) -> list[JSONValue]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
