"""The messages of a run as parts, each told once in whatever forms it comes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage

from assistant_stream_ce._melting import Delta
from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_langchain import MessageTranslator, Place
from assistant_stream_langchain._message_index import MessageState
from assistant_stream_langchain._next_delta import next_delta

from ._books import Books
from ._channels import messages_in
from ._clock import Clock
from ._floor import Floor
from ._foreign_writes import ForeignWrites
from ._routes import HIDDEN, Route, Routes
from ._shapes import as_items
from ._workflows import Workflows
from .subgraphs import ToolCallOwners

__all__ = ("MessageParts",)

_Chunks = Sequence[AssistantStreamChunk]


class MessageParts:
    """Tells what is new of the messages that it is shown, where each of them belongs.

    Args:
        messages: Translates them.
        messages_key: The channel of messages.
        floor: Knows who speaks.
        owners: Knows in which calls agents run.
        clock: Knows when messages began.
        books: The books on the answer.
        routes: Decides where each message goes.
        workflows: Knows what functions give back.
    """

    def __init__(
        self,
        messages: MessageTranslator,
        messages_key: str,
        *,
        floor: Floor,
        owners: ToolCallOwners,
        clock: Clock,
        books: Books,
        routes: Routes,
        workflows: Workflows,
    ) -> None:
        self._messages = messages
        self._floor = floor
        self._owners = owners
        self._clock = clock
        self._books = books
        self._routes = routes
        self._workflows = workflows
        self._messages_key = messages_key
        self._written = ForeignWrites(messages_key)
        self._speakers: dict[str, MessageState] = {}
        """What is told as it comes, by the ids of its chunks."""

    def next_delta(self, message: BaseMessage) -> Delta | None:
        """What a streamed message adds, if that is one more delta of what is being said.

        `None` says that nothing was done, and that `feed` has to look at it.
        """
        if type(message) is not AIMessageChunk or self._floor.is_shared:
            return None
        fields = message.__dict__
        speaker = self._speakers.get(fields["id"])
        return None if speaker is None else next_delta(fields, speaker, self._messages.teller)

    def feed(
        self, namespace: tuple[str, ...], message: BaseMessage, metadata: Mapping[str, Any]
    ) -> _Chunks:
        """A token, or a whole message from a node."""
        route = self._routes.get(message.id)
        if route is None:
            route = self._find_streamed(namespace, message, metadata)
        return self._emit(message, route, False)

    def tell(self, place: Place, channels: Mapping[str, Any]) -> _Chunks:
        """Tell what was not seen yet of the messages in `channels`."""
        key = self._messages_key
        chunks: list[AssistantStreamChunk] = []
        told = self._tell_channel(place, channels.get(key), chunks)
        for channel, value in channels.items():
            if channel != key:
                self._tell_channel(place, value, chunks, told)
        return chunks

    def handed_over(self, channels: Mapping[str, Any]) -> list[BaseMessage]:
        """The results in a graph's first state that calls of this run wait for: a handoff may
        give one to the agent that it goes to, and to nobody else."""
        return [
            message
            for message in messages_in(channels)
            if isinstance(message, ToolMessage) and self._messages.waits_for(message.tool_call_id)
        ]

    def note_written(self, place: Place, channels: Mapping[str, Any]) -> None:
        """A node has written to channels, and a state is going to tell it."""
        self._written.note(place, channels)

    def remember(self, messages: Iterable[BaseMessage]) -> None:
        """Take messages as shown before this run."""
        for message in messages:
            if not self._routes.hide(message):
                continue
            if isinstance(message, ToolMessage):
                self._owners.answer(message.tool_call_id)
            elif isinstance(message, AIMessage):
                self._owners.describe(message)
                self._books.note_past(call["id"] for call in message.tool_calls if call["id"])

    def settle(self, namespace: tuple[str, ...]) -> None:
        """A state has told all that was written before it."""
        self._written.settle(namespace)
        self._messages.settle(namespace)

    def end_step(self, namespace: tuple[str, ...]) -> Iterator[AssistantStreamChunk]:
        """A step has ended, and with it what was still being said there: it broke off."""
        for broken in self._messages.open_answers:
            if broken.place.namespace == namespace:
                chunks = self._books.follow(self._messages.end_answer(broken), namespace)
                yield from self._floor.end(broken, list(chunks))

    def _find_streamed(
        self, namespace: tuple[str, ...], message: BaseMessage, metadata: Mapping[str, Any]
    ) -> Route:
        """Where a message goes of which nothing has come yet."""
        node, task = map(metadata.get, ("langgraph_node", "langgraph_checkpoint_ns"))
        self._workflows.note_message(namespace, metadata)
        is_returned = "ls_model_type" not in metadata  # And not told by its model.
        if is_returned and self._gives_back(Place(namespace, node), message):
            return HIDDEN
        return self._routes.find(message, Place(namespace, node, task), metadata)

    def _gives_back(
        self, place: Place, message: BaseMessage, *, in_conversation: bool = False
    ) -> bool:
        """Whether a workflow gives back what was told before the pause."""
        if not self._workflows.gives_back(
            place.namespace, place.node, message, in_conversation=in_conversation
        ):
            return False
        self.remember([message])
        return True

    def _tell_channel(
        self,
        place: Place,
        value: Any,
        chunks: list[AssistantStreamChunk],
        conversation: Sequence[BaseMessage] | None = None,
    ) -> Sequence[BaseMessage]:
        """Append what was not seen yet of the messages of a channel; returns the messages.

        Args:
            place: Who has written it.
            value: What stands in the channel.
            chunks: What to append to.
            conversation: What stands in the channel of messages, if this is another one.
        """
        messages = [item for item in as_items(value) if isinstance(item, BaseMessage)]
        settled = False
        in_conversation = self._workflows.is_resumed(place.namespace) and any(
            message.type == "human" or self._routes.get(message.id) for message in messages
        )
        for message in messages:
            route = self._routes.get_written(message.id, aside=conversation is not None)
            if route is None:
                if conversation and self._routes.hide_copy(message, conversation):
                    continue
                if not settled:
                    settled = True
                    self._messages.settle_named(item.id for item in messages)
                origin = self._written.place_of(message, place)
                if self._gives_back(origin, message, in_conversation=in_conversation):
                    continue
                route = self._routes.find(message, origin, None)
            if isinstance(message, AIMessage):
                self._owners.describe(message)
            chunks.extend(self._emit(message, route, True, aside=conversation is not None))
        return messages

    def _emit(
        self, message: BaseMessage, route: Route, whole: bool, *, aside: bool = False
    ) -> _Chunks:
        place, parent_id, hidden, answer, schema, about = route
        if hidden:
            if isinstance(message, ToolMessage):
                self._owners.answer(message.tool_call_id)
            return ()
        if isinstance(message, ToolMessage) and self._books.is_past(message.tool_call_id):
            self._owners.answer(message.tool_call_id)
            is_told = self._books.takes_earlier(message.tool_call_id)
            return (self._messages.earlier_result(message),) if is_told else ()
        data: _Chunks = ()
        if answer is not None and isinstance(message, AIMessage):
            message, data = answer.take(message, parent_id, whole)
        chunks: _Chunks = self._messages.feed(
            message,
            place=place,
            parent_id=parent_id,
            whole=whole,
            schema=schema,
            about=about,
            aside=aside,
        )
        if answer is None and message.id and self._messages.speaker is not None:
            self._speakers[message.id] = self._messages.speaker
        if chunks and (started_at := self._clock.take_start(message.id)) is not None:
            self._messages.note_times(str(message.id), started_at, time.monotonic() - started_at)
        chunks = self._books.follow(chunks, place.namespace)
        told = [*data, *chunks] if data else chunks
        return self._floor.say(message, told)
