"""`stream_run`: ask a server for a run from Python and read its chunks.

It reads what the assistant-ui clients read: the data stream and assistant transport.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Literal

from ._json import dumps
from .chunks import AssistantStreamChunk
from .errors import RunResponseError
from .serialization import AssistantTransportDecoder, DataStreamDecoder, StreamDecoder

if TYPE_CHECKING:
    import httpx

__all__ = ("StreamProtocol", "stream_run")

StreamProtocol = Literal["data-stream", "assistant-transport"]
"""The wires that can be read, in the words of `useAssistantTransportRuntime`."""

_DECODERS: dict[StreamProtocol, type[StreamDecoder]] = {
    "data-stream": DataStreamDecoder,
    "assistant-transport": AssistantTransportDecoder,
}

_MAX_ERROR_BODY = 64 * 1024


async def stream_run(
    url: str,
    request: object,
    *,
    headers: Mapping[str, str] | None = None,
    protocol: StreamProtocol | None = None,
    strict: bool = True,
    timeout: float | None = 60.0,  # noqa: ASYNC109 - between two pieces, not for the whole
    client: httpx.AsyncClient | None = None,
) -> AsyncGenerator[AssistantStreamChunk, None]:
    """Post a request and yield the chunks of the run as they arrive.

    Closing the generator closes the connection, which ends the run on the server.

    Args:
        url: Where the run is served.
        request: The body; anything with a JSON form, a pydantic model too.
        headers: Further headers, for example with credentials.
        protocol: The wire. By default it is told by the response's headers.
        strict: Whether to be as strict as the clients are by default; see `StreamDecoder`.
        timeout: Seconds to wait for the connection and for the next piece of the body. Servers
            with this package send a heartbeat every 15 seconds.
        client: Your own HTTP client, which stays open; `timeout` is for requests without one.

    Raises:
        RunResponseError: The server refuses, or answers with something else than a run.
        StreamDecodeError: The body is cut off, or is not what its headers say.
        httpx.HTTPError: The server cannot be reached, or the connection breaks.
        ImportError: httpx is not installed.
    """
    async with AsyncExitStack() as stack:
        if client is None:
            client = await stack.enter_async_context(_new_client(timeout))
        response = await stack.enter_async_context(
            client.stream(
                "POST",
                url,
                content=dumps(request).encode(),
                headers={"content-type": "application/json", "accept": "*/*", **(headers or {})},
            )
        )
        if not response.is_success:
            raise await _refused(response)
        decoder = _DECODERS[protocol or _told_protocol(response)](strict=strict)
        chunks = decoder.decode_stream(response.aiter_bytes())
        async for chunk in await stack.enter_async_context(aclosing(chunks)):
            yield chunk


def _new_client(timeout: float | None) -> httpx.AsyncClient:
    try:
        import httpx  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise ImportError(
            "`stream_run` needs the package `httpx`: pip install 'assistant-stream-ce[client]'"
        ) from error
    return httpx.AsyncClient(timeout=timeout)


def _told_protocol(response: httpx.Response) -> StreamProtocol:
    headers = response.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if headers.get("x-vercel-ai-data-stream") == "v1":
        return "data-stream"
    if "x-vercel-ai-ui-message-stream" in headers:
        found = "a UI message stream"
    elif media_type == "text/event-stream":
        return "assistant-transport"
    elif media_type == "text/plain":  # servers that do not send the header above
        return "data-stream"
    else:
        found = f"`{media_type or 'no content type'}`"
    raise RunResponseError(
        f"The server answered with {found}, which `stream_run` does not read; if it is one of "
        "the wires that it reads, name it: `protocol=...`",
        response.status_code,
    )


async def _refused(response: httpx.Response) -> RunResponseError:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) >= _MAX_ERROR_BODY:
            break
    text = body[:_MAX_ERROR_BODY].decode(errors="replace")
    told = f": {text[:500]}" if text.strip() else ""
    return RunResponseError(
        f"The server answered {response.status_code} {response.reason_phrase}{told}",
        response.status_code,
        text,
    )
