"""What `display` takes, as a stream of chunks, and how a paused run of each kind goes on."""

# `Any` stands for LangChain's and LangGraph's own values.

from __future__ import annotations

import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from os import PathLike
from typing import Any, Protocol, cast

from assistant_stream_ce.chunks import AssistantStreamChunk, TextDeltaChunk, ToolResultChunk
from assistant_stream_ce.message import AssistantMessage
from assistant_stream_ce.typing import ChunkStream

from ._shapes import is_dict, is_sequence

__all__ = ("GraphSource", "PlainSource", "ServerSource", "Source", "open_source")


class Source(Protocol):
    """Where a run comes from."""

    stream: ChunkStream
    """The run."""
    hint: str
    """The code that answers its interrupts; `{answer}` stands for the answer."""
    can_resume: bool
    """Whether the run can be told to go on."""

    def resume(self, answers: Mapping[str, Any], message: AssistantMessage) -> ChunkStream | None:
        """Go on after a pause; `None` when it cannot."""
        ...


def open_source(source: object, request: object = None) -> Source:
    """Find out what `source` is.

    Raises:
        TypeError: It is nothing that chunks can be read from.
    """
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        return ServerSource(source, request)
    if isinstance(source, (str, PathLike)):
        from assistant_stream_ce.recording import replay  # noqa: PLC0415 - only for files

        return PlainSource(replay(cast("str | PathLike[str]", source)))
    if not isinstance(source, (AsyncIterable, Iterable)):
        raise TypeError(
            f"`display` shows a stream of chunks, a LangChain or LangGraph stream, the file of a "
            f"recorded run or the URL of a server, not {type(source).__name__!r}."
        )
    from assistant_stream_langgraph.graph_call import graph_call  # noqa: PLC0415 - loads LangGraph

    stream = as_chunks(cast("AsyncIterable[Any]", source))
    call = graph_call(cast("object", source))
    return PlainSource(stream) if call is None else GraphSource(stream, call)


async def as_chunks(source: AsyncIterable[Any] | Iterable[Any]) -> ChunkStream:
    """Pass chunks through, take text as text, and translate what LangChain and LangGraph give."""
    items = source if isinstance(source, AsyncIterable) else _to_async(source)
    iterator = aiter(items)
    try:
        async for item in iterator:
            if isinstance(item, AssistantStreamChunk):
                yield item
            elif isinstance(item, str):
                yield TextDeltaChunk(item)
            else:
                from assistant_stream_langgraph import from_langgraph_events  # noqa: PLC0415

                async with aclosing(from_langgraph_events(_again(item, iterator))) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


async def _to_async(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


async def _again(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    yield first
    async for item in rest:
        yield item


@dataclass
class PlainSource:
    """A stream that says nothing about where it comes from."""

    stream: ChunkStream
    hint: str = "Command(resume={answer}), in a new run on the same thread"
    can_resume: bool = False

    def resume(self, answers: Mapping[str, Any], message: AssistantMessage) -> None:
        """There is no way to know how."""


class GraphSource:
    """A run of `stream_graph`: its graph goes on, on the same thread."""

    hint = "await result.answer({answer})"
    can_resume = True

    def __init__(self, stream: ChunkStream, call: Any) -> None:
        self.stream = stream
        self._call = call

    def resume(self, answers: Mapping[str, Any], message: AssistantMessage) -> ChunkStream:
        """Go on with a `Command`, and tell the results of calls that began before the pause."""
        from langgraph.types import Command  # noqa: PLC0415 - loads LangGraph

        from assistant_stream_langgraph.translate import (  # noqa: PLC0415
            from_langgraph_events,
            graph_events,
        )

        waiting = {
            part["toolCallId"]
            for part in message["parts"]
            if part["type"] == "tool-call" and part["state"] != "result"
        }
        watch = _ResultWatch(waiting)
        call, answer = self._call, dict(answers)
        events = graph_events(call.graph, Command(resume=answer), call.config, call.options)
        state = message["metadata"]["unstable_state"]
        return watch.merge(from_langgraph_events(watch.look(events), initial_state=state))


class _ResultWatch:
    """Finds the results of calls that a resumed stream leaves out.

    To the translator they belong to an answer that was over when the run paused; here the answer
    goes on, and its calls get their results.
    """

    def __init__(self, waiting: set[str]) -> None:
        self._waiting = waiting
        self._found: list[Any] = []

    async def look(self, events: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Pass the graph's events through."""
        async for event in events:
            if self._waiting:
                self._collect(event, 6)
            yield event

    async def merge(self, chunks: ChunkStream) -> ChunkStream:
        """Put the results that were found between the chunks."""
        async with aclosing(chunks):
            async for chunk in chunks:
                for message in self._found:
                    yield ToolResultChunk(
                        message.tool_call_id,
                        message.content,
                        artifact=message.artifact,
                        is_error=message.status == "error",
                    )
                self._found.clear()
                yield chunk

    def _collect(self, value: Any, depth: int) -> None:
        call_id = getattr(value, "tool_call_id", None)
        if call_id is not None:
            if call_id in self._waiting and getattr(value, "type", None) == "tool":
                self._waiting.discard(call_id)
                self._found.append(value)
        elif depth and is_dict(value):
            for item in value.values():
                self._collect(item, depth - 1)
        elif depth and is_sequence(value):
            for item in value:
                self._collect(item, depth - 1)


class ServerSource:
    """A server of assistant-ui runs: `create_app`, or anything else with the same requests."""

    hint = "await result.answer({answer})"
    can_resume = True

    def __init__(
        self, url: str, request: object, *, new_id: Callable[[], object] = uuid.uuid4
    ) -> None:
        self._url = url
        self._body = request_body(request, str(new_id()))
        self.stream = self._post(self._body)

    def resume(self, answers: Mapping[str, Any], message: AssistantMessage) -> ChunkStream:
        """Post the answers as `resume` commands on the same thread."""
        commands = [{"type": "resume", "id": key, "value": value} for key, value in answers.items()]
        state = message["metadata"]["unstable_state"]
        return self._post({**self._body, "commands": commands, "state": state, "messages": []})

    def _post(self, body: Mapping[str, Any]) -> ChunkStream:
        from assistant_stream_ce.client import stream_run  # noqa: PLC0415 - needs httpx

        return stream_run(self._url, body)


def request_body(request: object, thread_id: str) -> dict[str, Any]:
    """A request as the assistant-ui runtimes send it; a dict is taken as it is.

    Raises:
        TypeError: There is nothing to ask.
    """
    if isinstance(request, Mapping):
        fields = dict(cast("Mapping[str, Any]", request))
        return {"threadId": thread_id, **fields}
    if not isinstance(request, str):
        raise TypeError("Say what to ask the server: display(url, 'a question'), or a dict.")
    parts = [{"type": "text", "text": request}]
    return {
        "threadId": thread_id,
        "messages": [{"role": "user", "content": parts}],
        "commands": [{"type": "add-message", "message": {"role": "user", "parts": parts}}],
        "state": {},
        "tools": {},
    }
