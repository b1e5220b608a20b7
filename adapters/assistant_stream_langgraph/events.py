"""Every form of LangGraph stream, brought to one: `(namespace, stream mode, payload)`.

That triple is what `graph.astream(..., stream_mode=[...], subgraphs=True)` yields, so the form
that carries most costs nothing here. The translators never see another one; a new form is taught
to `EventReader` and to nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Iterable,
    Mapping,
    Sequence,
)
from typing import Any, TypeAlias, cast

from langchain_core.messages import AIMessageChunk, BaseMessage

from ._bare_payloads import guess_mode, is_complete
from ._checked import Checks, is_namespace
from ._protocol_events import ProtocolEvents, is_protocol_event
from ._revive import as_interrupts, as_message_pair, with_messages
from ._run_events import RunEvents, is_run_event
from ._server_events import ServerEvents, is_server_event
from ._shapes import is_mapping, is_tuple
from ._sync import from_sync

__all__ = ("EventReader", "GraphEvent", "open_events")

logger = logging.getLogger(__name__)

GraphEvent: TypeAlias = tuple[tuple[str, ...], str, Any]
"""Namespace, stream mode, payload. The payload is LangGraph's and the user's, so `Any`.

The modes are LangGraph's, and five of our own. `"interrupts"` is a sequence of `Interrupt`,
whatever place LangGraph has put them in. `"input"` is the state before a step as its first node
has been given it, which may be less than the whole; `"output"` the state that a graph has
returned, with nothing new in it; `"resumed"` says that the run goes on after a pause,
and `"workflow"` that the function of an `@entrypoint` begins, with its name and what it is given.
"""

STREAM_MODES = frozenset(
    {"checkpoints", "custom", "debug", "messages", "tasks", "tools", "updates", "values"}
)

INTERRUPT = "__interrupt__"

_NOTHING: Any = object()

_MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What it may come to when an event is read that has not the shape of its form."""

ACCEPTED = (
    "what `graph.astream(...)` or `graph.stream(...)` returns (any `stream_mode`, with or without "
    '`subgraphs=True` or `version="v2"`), `astream_events(...)` of a graph, chain or model (with '
    '`version="v3"` what it returns when awaited), `model.astream(...)`, the stream of a '
    "`RemoteGraph` or of `langgraph_sdk`, or an iterable of recorded events"
)


class EventReader:
    """Reads the events of one stream, whatever form it has.

    Args:
        stream_mode: The mode of a stream that was asked for with a single mode as a string. Its
            payloads come bare, and a bare dict does not say what it is.
    """

    def __init__(self, stream_mode: str | None = None) -> None:
        self._stream_mode = stream_mode
        self._warned = False
        self._has_no_state = False
        """Whether a bare `None` has just come, as of a workflow that has returned nothing yet."""
        self._runs = RunEvents(self.read)
        self._protocol = ProtocolEvents()
        self._server = ServerEvents(self.read)
        self._checks = Checks()
        self._namespace: Any = None
        self._about: Any = _NOTHING
        """The metadata of the last token with which nothing is wrong: the next one often has the
        same."""

    def read(self, event: Any) -> Sequence[GraphEvent]:
        """The graph events in `event`; none, with one warning a stream, when it is unknown."""
        # A token: nothing else may cost anything here. A server's payload is a list.
        if event.__class__ is tuple and len(event) == 3:
            namespace, mode, pair = event
            if mode == "messages" and pair.__class__ is tuple and len(pair) == 2:
                message, about = pair
                if (
                    about is self._about
                    and message.__class__ is AIMessageChunk
                    and message.__dict__["id"]
                    and namespace == self._namespace
                ):
                    return (event,)
                return self._take_token(event, namespace, message, about)
        return self._take(event)

    def _take_token(
        self, event: Any, namespace: Any, message: Any, about: Any
    ) -> Sequence[GraphEvent]:
        """A token that has other metadata than the last one."""
        if self._checks.knows(namespace, message, about):
            taken: Sequence[GraphEvent] = (event,)
        else:
            taken = self._take(event)
        if taken and taken[0] is event:
            self._namespace, self._about = namespace, about
        return taken

    def _take(self, event: Any) -> Sequence[GraphEvent]:
        """The graph events in `event` that are what they should be."""
        events = [self._checks.checked(found) for found in self._find(event)]
        taken = [found for found in events if found is not None]
        if len(taken) < len(events):
            self._warn(event)
        return taken

    def _find(self, event: Any) -> Sequence[GraphEvent]:
        """What there may be of graph events in `event`."""
        try:
            if event.__class__ is tuple and len(event) == 3:
                if _is_mode(event[1]) and is_namespace(event[0]):
                    return _split(event)
            elif is_run_event(event):
                return self._runs.read(event)
            elif is_protocol_event(event):
                return self._protocol.read(event)
            elif is_server_event(event):
                return self._server.read(event)
            return self._read_plain(event)
        except _MALFORMED:
            self._warn(event)
            return ()

    def _read_plain(self, event: Any) -> Sequence[GraphEvent]:
        """What `astream` yields, or a server in its place."""
        if event is None and self._stream_mode is None:
            self._has_no_state = True  # What comes next says whether that is a state.
            return ()
        graph_event = self._complete(event)
        if graph_event is None:
            self._warn(event)
            return ()
        if self._has_no_state:
            self._has_no_state = False
            if graph_event[1] == "values" and graph_event[2] is event:
                return (((), "values", None), *_split(graph_event))
            self._warn(None)
        return _split(graph_event)

    def _complete(self, event: Any) -> GraphEvent | None:
        """Add what a shorter form leaves out."""
        if is_mapping(event) and _is_mode(event.get("type")) and ("ns" in event or "data" in event):
            return _from_part(event)
        if is_tuple(event) and len(event) == 2:
            first, payload = event
            if _is_mode(first):
                return ((), first, payload)
            if is_namespace(first):
                return self._name(first, payload)
        return self._name((), event)

    def _name(self, namespace: Any, payload: Any) -> GraphEvent | None:
        """Name the mode of a payload that comes without."""
        mode = self._stream_mode or guess_mode(payload)
        if mode == "messages" and self._has_no_state and is_complete(payload):
            mode = "values"
        if mode is None:
            return None
        return (namespace, mode, payload)

    def _warn(self, event: object) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "Passed over an unknown event of type `%s`: %.200r. Known is %s.",
                type(event).__name__,
                event,
                ACCEPTED,
            )


def open_events(events: Any) -> AsyncIterator[Any]:
    """An async iterator over `events`, which may be a sync iterable.

    Raises:
        TypeError: `events` is neither; the message names what was given and what is accepted.
    """
    kind = cast("type[object]", type(events))
    if issubclass(kind, AsyncIterable):
        return _abortable(events) if hasattr(events, "abort") else aiter(events)
    if issubclass(kind, Iterable) and not issubclass(kind, (str, bytes, Mapping)):
        return from_sync(events)
    given = f"{kind.__module__}.{kind.__qualname__}"
    hint = ""
    if hasattr(events, "astream"):
        hint = " A graph itself goes to `stream_graph(graph, input)`."
    elif hasattr(events, "__await__"):
        hint = " It is awaitable: `ainvoke` gives no stream, `astream` does and needs no `await`."
    raise TypeError(f"`events` cannot be a `{given}`; accepted is {ACCEPTED}.{hint}")


async def _abortable(run: Any) -> AsyncGenerator[Any, None]:
    """The events of a run that is not ended by closing its iterator, but by a method of its own."""
    ended = False
    try:
        async for event in run:
            yield event
        ended = True
    finally:
        if not ended:
            await run.abort()


def _from_part(part: Any) -> GraphEvent:
    """A `version="v2"` part; it has the interrupts of a state beside the state."""
    payload = part["data"]
    if part.get("interrupts") and part["type"] == "values":
        payload = {INTERRUPT: part["interrupts"]}
    return (tuple(part["ns"]), part["type"], payload)


def _split(event: GraphEvent) -> Sequence[GraphEvent]:
    """Make the interrupts in a payload an event of their own.

    A `values` payload with interrupts repeats a state that was told already, and lacks what nodes
    that run beside the interrupted one have done since: LangGraph tells that at the end.
    """
    namespace, mode, payload = event
    if mode == "messages":
        if is_tuple(payload) and len(payload) == 2 and isinstance(payload[0], BaseMessage):
            return (event,)
        return ((namespace, mode, as_message_pair(payload)),)
    if mode in ("values", "updates") and is_mapping(payload):
        if INTERRUPT in payload:
            return ((namespace, "interrupts", as_interrupts(payload[INTERRUPT])),)
        return ((namespace, mode, with_messages(payload)),)
    return (event,)


def _is_mode(value: Any) -> bool:
    return isinstance(value, str) and value in STREAM_MODES
