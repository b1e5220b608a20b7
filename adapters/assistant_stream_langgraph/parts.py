"""Graph events to the parts of an assistant message."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage

from assistant_stream_ce._melting import Delta
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
)
from assistant_stream_langchain import MessageTranslator, Place
from assistant_stream_langchain._message_index import MessageState
from assistant_stream_langchain._next_delta import next_delta
from assistant_stream_langchain.visibility import Visibility

from ._books import Books
from ._channels import channels_of, messages_in, returned_messages, update_writes
from ._clock import Clock
from ._data_parts import DataParts
from ._ending import Ending
from ._floor import Floor
from ._foreign_writes import ForeignWrites
from ._left_calls import calls_left
from ._repeats import Repeats
from ._revive import with_written_messages
from ._routes import HIDDEN, Route, Routes
from ._shapes import as_items, call_ids_of, id_of
from ._tool_progress import RunningTasks
from ._transcripts import Transcripts
from ._update_task import task_of
from ._workflows import Workflows, is_entry
from .events import GraphEvent
from .subgraphs import ToolCallOwners

__all__ = ("Nested", "PartsTranslator", "Steps")

Steps: TypeAlias = Literal["run", "model"]

Nested: TypeAlias = Literal["parts", "messages"]

_Chunks = Sequence[AssistantStreamChunk]

_CALL_FAILED = "The run failed before this call returned."


class PartsTranslator:
    """Makes one assistant message of a run.

    A message may come token by token (`messages`), whole from its node (`updates`), and again in
    every state after (`values`); it is shown once, as soon as it is known. What stands in the
    first state of the graph was there before the run and is not shown.

    Args:
        steps: `"run"` for one step around the whole run, `"model"` for one per model call.
        nested: Whether sub-agents inside tools are told as parts, or as the `messages` of their
            calls.
        visibility: What is shown, and what is nested under a tool call.
        shown: The messages, as dicts, that the client has already.
        earlier_results: Whether the results of calls of earlier answers are told.
        messages_key: The channel of messages.
        resumes: Whether the run may go on from a pause.
    """

    def __init__(
        self,
        *,
        steps: Steps = "run",
        nested: Nested = "parts",
        visibility: Visibility | None = None,
        shown: Iterable[Any] = (),
        earlier_results: bool = False,
        messages_key: str = "messages",
        resumes: bool = True,
    ) -> None:
        self._messages = MessageTranslator()
        self._floor = Floor(self._messages)
        self._owners = ToolCallOwners()
        self._written = ForeignWrites(messages_key)
        self._running = RunningTasks()
        self._clock = Clock()
        self._transcripts = Transcripts() if nested == "messages" else None
        self._books = Books(
            self._owners,
            self._clock,
            self._transcripts,
            one_step=steps == "run",
            earlier_results=earlier_results,
        )
        self._routes = Routes(
            self._owners,
            self._clock,
            visibility or Visibility(),
            has_transcripts=self._transcripts is not None,
        )
        self._ending = Ending(self._messages, self._floor, self._books)
        self._data = DataParts(self._messages, self._routes, self._owners, self._running)
        self._speakers: dict[str, MessageState] = {}
        """What is told as it comes, by the ids of its chunks."""
        self._known_namespaces: set[tuple[str, ...]] = set()
        self._begun: set[tuple[str, ...]] = set()
        """Namespaces that have been given a state, where only nodes are."""
        self._telling: set[tuple[str, ...]] = set()
        """Namespaces that tell their state, and so what they make of a message in another form."""
        self._messages_key = messages_key
        self._conversation: Any = None
        """The messages in the graph's last state, as far as it has told them."""
        self._repeats = Repeats(expected=resumes)
        self._workflows = Workflows()
        for message in shown:
            if message_id := id_of(message):
                self._routes.hide_id(message_id)
            self._books.note_past(call_ids_of(message))

    def start(self) -> None:
        """The run begins."""
        self._clock.start()

    def note_past(self, messages: Iterable[BaseMessage]) -> None:
        """All that the workflow of this run may give back of what was told before it."""
        self._workflows.knows_past = True
        self._remember({"messages": [*messages]})

    def feed(self, event: GraphEvent) -> _Chunks:
        """The chunks for one event."""
        namespace, mode, payload = event
        if mode == "messages":
            message, metadata = payload
            route = self._routes.get(message.id)
            if route is None:
                route = self._find_streamed(namespace, message, metadata)
            return self._emit(message, route, False)
        match mode:
            case "updates":
                return self._on_updates(namespace, payload)
            case "values":
                self._telling.add(namespace)
                return self._on_values(namespace, payload)
            case "input":
                return self._on_input(namespace, payload)
            case "custom":
                return self._emit_data(self._data.custom(namespace, payload))
            case "interrupts":
                return self._on_interrupts(namespace, payload)
            case "resumed":
                self._workflows.resume()
            case "workflow":
                self._begin_workflow(namespace, *payload)
            case "tools":
                return self._emit_data(self._data.tool_output(payload))
            case "tasks":
                self._on_task(namespace, payload)
            case _:
                pass
        return ()

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
        self._remember({"messages": [message]})
        return True

    def next_delta(self, message: BaseMessage) -> Delta | None:
        """What a streamed message adds, if that is one more delta of what is being said.

        `None` says that nothing was done, and that `feed` has to look at it.
        """
        if type(message) is not AIMessageChunk or self._floor.is_shared:
            return None
        fields = message.__dict__
        speaker = self._speakers.get(fields["id"])
        return None if speaker is None else next_delta(fields, speaker, self._messages.teller)

    def finish(self) -> _Chunks:
        """The end of the message, after the last event."""
        cached = () if self._data.has_asked else self._repeats.release()
        chunks = [c for place, channels in cached for c in self._emit_whole(place, channels)]
        has_asked = self._data.has_asked
        gives_up = bool(self._known_namespaces) and not has_asked
        left = calls_left(self._conversation, waits=has_asked)
        return [*chunks, *self._ending.finish(gives_up=gives_up, left=left)]

    def fail(self) -> _Chunks:
        """What has to follow the last event when the graph has raised."""
        return self._ending.break_off(_CALL_FAILED, "error")

    def stop(self) -> _Chunks:
        """The end of the message, after the last event of a graph that was cancelled."""
        return self._ending.stop()

    def _on_updates(self, namespace: tuple[str, ...], payload: Any) -> _Chunks:
        may_repeat = self._repeats.has(namespace, payload)
        if not may_repeat:
            self._remember_repeats(namespace)
        chunks: list[AssistantStreamChunk] = []
        for node, written in update_writes(payload):
            self._workflows.note_update(namespace, node)
            channels = written
            if namespace not in self._telling:
                channels = with_written_messages(written, self._messages_key)
            if may_repeat:
                self._repeats.hold(Place(namespace, node), channels)
                self._owners.resume(channels, namespace)
            else:
                if self._transcripts and (call_id := self._routes.nests(namespace)):
                    self._transcripts.extend(call_id, namespace, channels)
                place = Place(namespace, node, task_of(payload))
                if namespace in self._telling:
                    self._written.note(place, written)
                chunks.extend(self._emit_whole(place, channels))
        return chunks

    def _remember_repeats(self, namespace: tuple[str, ...]) -> None:
        for _, channels in self._repeats.confirm(namespace):
            self._remember(channels)

    def _on_values(self, namespace: tuple[str, ...], payload: Any) -> _Chunks:
        channels = channels_of(payload)
        is_first = self._workflows.begins(namespace, has_state=channels is not None)
        if channels is None:
            if self._workflows.has_updates(namespace):
                return ()
            channels = {self._messages_key: returned_messages(payload)}
        if not namespace:
            self._conversation = channels.get(self._messages_key)
        chunks: _Chunks = ()
        if namespace in self._known_namespaces or not is_first:
            self._repeats.end_step(namespace)
            chunks = self._emit_whole(Place(namespace), channels)
            self._written.settle(namespace)
            self._messages.settle(namespace)
        else:
            self._known_namespaces.add(namespace)
            chunks = self._tell_handed_over(Place(namespace), channels)
            self._remember(channels)
            self._owners.resume(channels, namespace)
            if namespace:
                self._owners.start_subgraph(namespace, channels)
        if self._transcripts and (call_id := self._routes.nests(namespace)):
            self._transcripts.settle(call_id, namespace, channels)
        return [*chunks, *self._end_step(namespace)]

    def _tell_handed_over(self, place: Place, channels: Mapping[str, Any]) -> _Chunks:
        """The results in a graph's first state that calls of this run wait for: a handoff may
        give one to the agent that it goes to, and to nobody else."""
        handed = [
            message
            for message in messages_in(channels)
            if isinstance(message, ToolMessage) and self._messages.waits_for(message.tool_call_id)
        ]
        return self._emit_whole(place, {"messages": handed}) if handed else ()

    def _on_input(self, namespace: tuple[str, ...], payload: Any) -> _Chunks:
        """What a node is given: at first, what was there before the run."""
        if namespace not in self._known_namespaces:
            self._begun.add(namespace)
            return self._on_values(namespace, payload)
        if namespace and namespace not in self._begun:
            # A subgraph that goes on after a pause may do so with a tool, which is given no state.
            self._begun.add(namespace)
            self._remember(channels_of(payload) or {})
        return ()

    def _end_step(self, namespace: tuple[str, ...]) -> Iterator[AssistantStreamChunk]:
        """A step has ended, and with it what was still being said there: it broke off."""
        for broken in self._messages.open_answers:
            if broken.place.namespace == namespace:
                chunks = self._books.follow(self._messages.end_answer(broken), namespace)
                yield from self._floor.end(broken, list(chunks))

    def _on_task(self, namespace: tuple[str, ...], payload: Any) -> None:
        if "input" not in payload:
            self._running.end(namespace, payload["id"])
            return
        if is_entry(payload.get("triggers")):
            self._begin_workflow(namespace, str(payload.get("name")), payload["input"])
        # A task that starts with a call which nobody has made in this run goes on after a pause.
        calls = self._owners.start_task(payload)
        self._clock.start_task(payload["id"])
        self._messages.begin_task(payload["id"])
        self._running.start(namespace, payload["id"], calls)
        self._books.note_past(call for call in calls if not self._messages.waits_for(call))

    def _begin_workflow(self, namespace: tuple[str, ...], name: str, given: Any) -> None:
        self._workflows.begin(namespace, name)
        if namespace not in self._known_namespaces:
            self._remember(_answers_in(channels_of(given) or {}))

    def _emit_data(self, part: DataPartChunk | None) -> _Chunks:
        return () if part is None else self._floor.follow(part.parent_id, (part,))

    def _on_interrupts(self, namespace: tuple[str, ...], interrupts: Iterable[Any]) -> _Chunks:
        self._remember_repeats(namespace)
        parent_id, parts = self._data.interrupts(namespace, interrupts)
        return self._floor.follow(parent_id, parts)

    def _emit_whole(self, place: Place, channels: Mapping[str, Any]) -> _Chunks:
        """Emit what was not seen yet of the messages in `channels`."""
        self._known_namespaces.add(place.namespace)
        key = self._messages_key
        chunks: list[AssistantStreamChunk] = []
        told = self._emit_channel(place, channels.get(key), chunks)
        for channel, value in channels.items():
            if channel != key:
                self._emit_channel(place, value, chunks, told)
        return chunks

    def _emit_channel(
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
            route = self._routes.get_written(message.id)
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

    def _remember(self, channels: Mapping[str, Any]) -> None:
        """Take the messages in `channels` as shown before this run."""
        for message in messages_in(channels):
            if not self._routes.hide(message):
                continue
            if isinstance(message, ToolMessage):
                self._owners.answer(message.tool_call_id)
            elif isinstance(message, AIMessage):
                self._owners.describe(message)
                self._books.note_past(call["id"] for call in message.tool_calls if call["id"])


def _answers_in(channels: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"messages": [m for m in messages_in(channels) if isinstance(m, AIMessage)]}
