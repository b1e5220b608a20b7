"""Where the messages of a run go: decided once for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from assistant_stream_langchain import Place
from assistant_stream_langchain.visibility import Action, Visibility

from ._clock import Clock
from ._structured_calls import StructuredAnswer, native_schema_of, schema_of
from .subgraphs import ToolCallOwners, base_of

__all__ = ("HIDDEN", "Route", "Routes", "action_in")


class Route(NamedTuple):
    """Where the chunks of one message go."""

    place: Place = Place()
    parent_id: str | None = None
    hidden: bool = False
    answer: StructuredAnswer | None = None
    """For a message that is a value and no text."""
    schema: str | None = None
    """The schema that its text is to fill."""
    about: Mapping[str, Any] | None = None
    """What LangGraph tells of the model call."""


HIDDEN = Route(hidden=True)
_WITHHELD = Route(hidden=True)
"""Of what a model says that is nobody's business, unless it comes to stand in the messages."""
_COPY = Route(hidden=True)
"""Of a message beside the conversation that says what stands in there."""


class Routes:
    """Decides where each message goes; its later chunks and its repetitions go there too.

    Args:
        owners: Knows in which calls agents run.
        clock: Is told when messages begin.
        visibility: What is shown, and what is nested under a tool call.
        has_transcripts: Whether what a sub-agent says is kept for the result of its call.
    """

    def __init__(
        self,
        owners: ToolCallOwners,
        clock: Clock,
        visibility: Visibility,
        *,
        has_transcripts: bool,
    ) -> None:
        self._owners = owners
        self._clock = clock
        self._visibility = visibility
        self._decide = visibility.decide
        self._has_transcripts = has_transcripts
        self._by_id: dict[str, Route] = {}
        self._anonymous: dict[int, tuple[BaseMessage, Route]] = {}
        """Messages without an id that were seen, by identity; held so that none is reused."""

    def get(self, message_id: str | None) -> Route | None:
        """The route of a message that is known by its id."""
        return self._by_id.get(message_id) if message_id else None

    def get_written(self, message_id: str | None, *, aside: bool) -> Route | None:
        """The route of a message that a node has written, beside the conversation or in there;
        none if it was withheld until now, or was there a copy and is here a message."""
        route = self.get(message_id)
        return None if route is _WITHHELD or (route is _COPY and not aside) else route

    def find(self, message: BaseMessage, place: Place, metadata: Mapping[str, Any] | None) -> Route:
        """Where a message of an unknown id, or of none, goes."""
        seen = self._anonymous.get(id(message))
        if seen is None or seen[1] is _COPY:
            return self._open(message, place, metadata)
        # LangGraph gives an id to the very message that a node has written without one.
        return self._keep(message, seen[1]) if message.id else HIDDEN

    def hide(self, message: BaseMessage) -> bool:
        """Take a message as shown before this run; whether that is new. One that was shown in
        this run is left alone."""
        route = self._by_id.get(message.id or "", HIDDEN)
        if route is not HIDDEN or id(message) in self._anonymous:
            return False
        self._keep(message, HIDDEN)
        return True

    def hide_copy(self, message: BaseMessage, told: Iterable[BaseMessage]) -> bool:
        """Take a new message for one that says the same, of those that were told in this run;
        whether there is one."""
        seen = self._anonymous.get(id(message))
        if seen is not None or not isinstance(message, AIMessage):
            return seen is not None and seen[1] is _COPY
        is_copy = any(self._says(other, message) for other in told)
        if is_copy:
            self._keep(message, _COPY)
        return is_copy

    def _says(self, told: BaseMessage, message: AIMessage) -> bool:
        route = self.get(told.id)
        return (
            isinstance(told, AIMessage)
            and route is not HIDDEN
            and told.text == message.text
            and [call["id"] for call in told.tool_calls]
            == [call["id"] for call in message.tool_calls]
        )

    def hide_id(self, message_id: str) -> None:
        """The client has the message of this id."""
        self._by_id[message_id] = HIDDEN

    def nests(self, namespace: tuple[str, ...]) -> str | None:
        """The call that has started the agent of a namespace, if what it says is nested. What
        that agent runs in namespaces of its own belongs to its conversation, or to none."""
        owner = self._owners.owner_of(namespace)
        if owner is None or owner == self._owners.owner_of(base_of(namespace)[:-1]):
            return None
        return owner if self.action_in(namespace) == "nest" else None

    def action_in(self, namespace: tuple[str, ...]) -> Action:
        """What the rules say of a whole namespace."""
        return action_in(self._visibility, namespace)

    def _open(
        self, message: BaseMessage, place: Place, metadata: Mapping[str, Any] | None
    ) -> Route:
        namespace = place.namespace
        if metadata is not None and isinstance(message, AIMessageChunk):
            self._clock.start_message(message.id, metadata)
        if metadata is None:  # Not streamed. The rules can still go by the namespace.
            metadata = _only_place(namespace)
        owner = agent = self._owners.owner_of(namespace)
        if isinstance(message, AIMessage):
            owner = self._owners.owner_of_task(namespace, metadata)
        action = self._decide(metadata.get("tags"), metadata)
        visibility = self._visibility
        if visibility.withholds(metadata.get("tags"), metadata) or visibility.seals(namespace):
            return self._keep(message, _WITHHELD)
        in_transcript = self._has_transcripts and action == "nest" and agent is not None
        if action == "hide" or in_transcript:
            return self._keep(message, HIDDEN)
        name = schema_of(metadata)
        answer = None if name is None else StructuredAnswer(name)
        parent_id = owner if action == "nest" else None
        schema = native_schema_of(metadata)
        return self._keep(message, Route(place, parent_id, False, answer, schema, metadata))

    def _keep(self, message: BaseMessage, route: Route) -> Route:
        if message.id:
            self._by_id[message.id] = route
        else:
            self._anonymous[id(message)] = (message, route)
        return route


def action_in(visibility: Visibility, namespace: tuple[str, ...]) -> Action:
    """What the rules say of a whole namespace; the graph's own is never hidden as a whole."""
    return visibility.decide(None, _only_place(namespace)) if namespace else "nest"


def _only_place(namespace: tuple[str, ...]) -> Mapping[str, Any]:
    """The metadata of which nothing but the namespace is known."""
    return {"langgraph_checkpoint_ns": "|".join((*namespace, ""))}
