"""Every form of LangGraph stream, brought to one: `(namespace, stream mode, payload)`.

That triple is what `graph.astream(..., stream_mode=[...], subgraphs=True)` yields, so the form
that carries most costs nothing here. The translators never see another one; a new form is taught
to `EventReader` and to nothing else.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.messages import BaseMessage

from ._sync import from_sync

__all__ = ("EventReader", "GraphEvent", "channels_of", "messages_in", "update_writes")

logger = logging.getLogger(__name__)

GraphEvent: TypeAlias = tuple[tuple[str, ...], str, Any]
"""Namespace, stream mode, payload. The payload is LangGraph's and the user's, so `Any`.

The modes are LangGraph's, and one of our own: `"interrupts"`, a sequence of `Interrupt`, whatever
place LangGraph has put them in.
"""

STREAM_MODES = frozenset(
    {"checkpoints", "custom", "debug", "messages", "tasks", "updates", "values"}
)

INTERRUPT = "__interrupt__"

ACCEPTED = (
    "what `graph.astream(...)` or `graph.stream(...)` returns (any `stream_mode`, with or without "
    '`subgraphs=True` or `version="v2"`), or an iterable of its recorded events'
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

    def read(self, event: object) -> Sequence[GraphEvent]:
        """The graph events in `event`; none, with one warning a stream, when it is unknown."""
        if type(event) is tuple and len(event) == 3:
            mode = event[1]
            if mode == "messages" and type(event[0]) is tuple:
                return (event,)
        graph_event = self._triple(event)
        if graph_event is None:
            self._warn(event)
            return ()
        return _split(graph_event)

    def _triple(self, event: object) -> GraphEvent | None:
        match event:
            case (tuple() as namespace, str(mode), payload) if mode in STREAM_MODES:
                return (namespace, mode, payload)
            case (str(mode), payload) if mode in STREAM_MODES:
                return ((), mode, payload)
            case (tuple() as namespace, payload) if _is_namespace(namespace):
                return self._bare(namespace, payload)
            case {"type": str(mode), "ns": namespace, "data": payload} if mode in STREAM_MODES:
                interrupts = event.get("interrupts") if mode == "values" else None
                if interrupts and isinstance(payload, Mapping):
                    payload = {**payload, INTERRUPT: interrupts}
                return (tuple(namespace), mode, payload)
            case _:
                return self._bare((), event)

    def _bare(self, namespace: tuple[str, ...], payload: Any) -> GraphEvent | None:
        mode = self._stream_mode or _guess_mode(payload)
        if mode is None:
            return None
        if mode == "messages" and isinstance(payload, BaseMessage):
            payload = (payload, {})
        return (namespace, mode, payload)

    def _warn(self, event: object) -> None:
        if not self._warned:
            self._warned = True
            text = repr(event)
            logger.warning(
                "Passed over an unknown event of type %s (%.200s); known is %s.",
                type(event).__name__,
                text,
                ACCEPTED,
            )


def open_events(events: object) -> AsyncIterator[object]:
    """An async iterator over `events`, which may be a sync iterable.

    Raises:
        TypeError: `events` is neither; the message names what was given and what is accepted.
    """
    if isinstance(events, AsyncIterable):
        return aiter(events)
    if isinstance(events, Iterable) and not isinstance(events, (str, bytes, Mapping)):
        return from_sync(events)
    given = f"{type(events).__module__}.{type(events).__qualname__}"
    hint = ""
    if hasattr(events, "astream"):
        hint = " A graph itself goes to `stream_graph(graph, input)`."
    elif hasattr(events, "__await__"):
        hint = " It is awaitable: `ainvoke` gives no stream, `astream` does and needs no `await`."
    raise TypeError(f"`events` cannot be a `{given}`; accepted is {ACCEPTED}.{hint}")


def channels_of(state: object) -> Mapping[str, Any] | None:
    """The channels of a graph state, which may be a dict, a pydantic model or a dataclass."""
    if isinstance(state, Mapping):
        return state
    fields = getattr(type(state), "model_fields", None)
    if isinstance(fields, Mapping):
        return {name: getattr(state, name) for name in fields}
    if dataclasses.is_dataclass(state) and not isinstance(state, type):
        return {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    return None


def update_writes(payload: object) -> Iterator[Mapping[str, Any]]:
    """The writes to channels in an `updates` payload, node by node."""
    if not isinstance(payload, Mapping):
        return
    for node, output in payload.items():
        if str(node).startswith("__"):
            continue
        # A node that wrote more than once, or returned several `Command`s, has a list.
        for write in output if isinstance(output, (list, tuple)) else (output,):
            channels = channels_of(write)
            if channels is not None:
                yield channels


def messages_in(channels: Mapping[str, Any]) -> Iterator[BaseMessage]:
    """The messages that stand in channels, alone or in a list."""
    for value in channels.values():
        if isinstance(value, BaseMessage):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (item for item in value if isinstance(item, BaseMessage))


def _split(event: GraphEvent) -> Sequence[GraphEvent]:
    """Make the interrupts in a payload an event of their own.

    A `values` payload with interrupts repeats a state that was told already, and lacks what nodes
    that run beside the interrupted one have done since: LangGraph tells that at the end.
    """
    namespace, mode, payload = event
    if mode in ("values", "updates") and isinstance(payload, Mapping) and INTERRUPT in payload:
        return ((namespace, "interrupts", payload[INTERRUPT]),)
    return (event,)


def _is_namespace(value: tuple[object, ...]) -> bool:
    return all(isinstance(segment, str) for segment in value)


def _guess_mode(payload: object) -> str | None:
    """The stream mode of a bare payload, from how it looks."""
    if isinstance(payload, BaseMessage):
        return "messages"
    if isinstance(payload, tuple):
        is_pair = len(payload) == 2 and isinstance(payload[0], BaseMessage)
        return "messages" if is_pair else None
    channels = channels_of(payload)
    if channels is None:
        return None
    # `updates` comes as one node a time with a dict of writes, or `None`, below it.
    outputs = [value for key, value in channels.items() if not str(key).startswith("__")]
    is_update = len(outputs) <= 1 and all(
        output is None or channels_of(output) is not None for output in outputs
    )
    return "updates" if is_update and isinstance(payload, Mapping) else "values"
