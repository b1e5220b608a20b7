"""Graph events to the parts of an assistant message."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage

from assistant_stream_ce._channel import Delta
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
    MessageFinishChunk,
    StepFinishChunk,
    StepStartChunk,
    ToolCallBeginChunk,
    ToolResultChunk,
)
from assistant_stream_ce.typing import FinishReason
from assistant_stream_langchain import MessageTranslator, Place
from assistant_stream_langchain._message_index import MessageState
from assistant_stream_langchain._next_delta import next_delta
from assistant_stream_langchain.messages import STOPPED
from assistant_stream_langchain.visibility import Action, Visibility

from ._clock import Clock
from ._custom import UIMessages, custom_data_part
from ._floor import Floor
from ._foreign_writes import ForeignWrites
from ._repeats import Repeats
from ._revive import with_written_messages
from ._route import HIDDEN, Route
from ._shapes import as_items, call_ids_of, id_of
from ._structured_calls import StructuredAnswer, native_schema_of, schema_of
from ._tool_progress import RunningTasks, call_named_in, output_delta, output_part
from ._transcripts import Transcripts
from ._update_task import task_of
from .events import GraphEvent, channels_of, messages_in, update_writes
from .subgraphs import ToolCallOwners, base_of

__all__ = ("Nested", "PartsTranslator", "Steps")

Steps: TypeAlias = Literal["run", "model"]

Nested: TypeAlias = Literal["parts", "messages"]

_Chunks = Sequence[AssistantStreamChunk]

_FOLLOWED = frozenset({StepFinishChunk, StepStartChunk, ToolCallBeginChunk, ToolResultChunk})

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
        self._decide = (visibility or Visibility()).decide
        self._routes: dict[str, Route] = {}
        self._speakers: dict[str | None, MessageState] = {}
        """What is told as it comes, by the ids of its chunks."""
        self._anonymous: dict[int, tuple[BaseMessage, Route]] = {}
        """Messages without an id that were seen, by identity; held so that none is reused."""
        self._known_namespaces: set[tuple[str, ...]] = set()
        self._begun: set[tuple[str, ...]] = set()
        """Namespaces that have been given a state, where only nodes are."""
        self._telling: set[tuple[str, ...]] = set()
        """Namespaces that tell their state, and so what they make of a message in another form."""
        self._past_calls: set[str] = set()
        self._tells_earlier = earlier_results
        self._told_earlier: set[str] = set()
        self._messages_key = messages_key
        self._repeats = Repeats(expected=resumes)
        self._interrupts: set[str] = set()
        self._ui_messages = UIMessages()
        self._one_step = steps == "run"
        self._step_open = False
        for message in shown:
            self._routes[id_of(message) or ""] = HIDDEN
            self._past_calls.update(call_ids_of(message))

    def start(self) -> None:
        """The run begins."""
        self._clock.start()

    def feed(self, event: GraphEvent) -> _Chunks:
        """The chunks for one event."""
        namespace, mode, payload = event
        if mode == "messages":
            message, metadata = payload
            route = self._routes.get(message.id)
            if route is None:
                node, task = map(metadata.get, ("langgraph_node", "langgraph_checkpoint_ns"))
                route = self._route_of(message, Place(namespace, node, task), metadata)
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
                return self._on_custom(namespace, payload)
            case "interrupts":
                return self._on_interrupts(namespace, payload)
            case "tools":
                return self._on_tool(payload)
            case "tasks":
                self._on_task(namespace, payload)
            case _:
                pass
        return ()

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
        chunks = [*self._tell_cached(), *self._floor.close()]
        chunks.extend(self._follow(self._messages.finish(), ()))
        if self._known_namespaces and not self._interrupts:
            # The call of a message that has not come to the state is no client's to answer.
            chunks.extend(self._follow(self._messages.give_up_calls(), ()))
        usage = (self._messages.input_tokens, self._messages.output_tokens)
        reason = self._finish_reason()
        chunks.extend(self._finish_step(reason))
        chunks.append(MessageFinishChunk(reason, *usage))
        return chunks

    def _tell_cached(self) -> Iterator[AssistantStreamChunk]:
        for place, channels in () if self._interrupts else self._repeats.release():
            yield from self._emit_whole(place, channels)

    def fail(self) -> _Chunks:
        """What has to follow the last event when the graph has raised."""
        return self._break_off(_CALL_FAILED, "error")

    def stop(self) -> _Chunks:
        """The end of the message, after the last event of a graph that was cancelled."""
        chunks = self._break_off(STOPPED, "other")
        # Clients take a message without a reason for complete.
        chunks.append(MessageFinishChunk("other", *self._usage))
        return chunks

    @property
    def _usage(self) -> tuple[int, int]:
        return self._messages.input_tokens, self._messages.output_tokens

    def _break_off(self, result: str, reason: FinishReason) -> list[AssistantStreamChunk]:
        chunks = [*self._floor.close(), *self._follow(self._messages.finish(), ())]
        chunks.extend(
            ToolResultChunk(tool_call_id, result, is_error=True)
            for tool_call_id in self._messages.waiting_calls
        )
        chunks.extend(self._finish_step(reason))
        return chunks

    def _finish_step(self, reason: FinishReason) -> _Chunks:
        """The end of the one step around the run, if it has begun."""
        if not self._step_open:
            return ()
        step = StepFinishChunk(reason, self._messages.input_tokens, self._messages.output_tokens)
        step.time_to_first_token = self._clock.time_to_first_token
        step.duration = self._clock.duration
        return (step,)

    def _finish_reason(self) -> FinishReason:
        # "tool-calls" only when a call waits. A client that reads it and finds a result at every
        # call, or no call at all, asks again by itself: so an interrupt outside of a call is no
        # reason for it.
        reason = self._messages.finish_reason
        return "stop" if reason == "unknown" else reason

    def _on_updates(self, namespace: tuple[str, ...], payload: Any) -> _Chunks:
        may_repeat = self._repeats.has(namespace, payload)
        if not may_repeat:
            self._remember_repeats(namespace)
        chunks: list[AssistantStreamChunk] = []
        for node, written in update_writes(payload):
            channels = written
            if namespace not in self._telling:
                channels = with_written_messages(written, self._messages_key)
            if may_repeat:
                self._repeats.hold(Place(namespace, node), channels)
                self._owners.resume(channels, namespace)
            else:
                if self._transcripts and (call_id := self._nests(namespace)):
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
        if channels is None:
            return ()
        chunks: _Chunks = ()
        if namespace in self._known_namespaces:
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
        if self._transcripts and (call_id := self._nests(namespace)):
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
                chunks = self._follow(self._messages.end_answer(broken), namespace)
                yield from self._floor.end(broken, list(chunks))

    def _on_task(self, namespace: tuple[str, ...], payload: Any) -> None:
        if "input" not in payload:
            self._running.end(namespace, payload["id"])
            return
        # A task that starts with a call which nobody has made in this run goes on after a pause.
        calls = self._owners.start_task(payload)
        self._clock.start_task(payload["id"])
        self._messages.begin_task(payload["id"])
        self._running.start(namespace, payload["id"], calls)
        for call_id in calls:
            if not self._messages.waits_for(call_id):
                self._past_calls.add(call_id)

    def _on_tool(self, payload: Any) -> _Chunks:
        told = output_delta(payload)
        if told is None or not self._messages.waits_for(told[0]):
            return ()  # A call that is not shown has no place for its output.
        return self._emit_data(output_part(told[1]), told[0])

    def _on_custom(self, namespace: tuple[str, ...], payload: Any) -> _Chunks:
        action = self._action_in(namespace)
        if action == "hide":
            return ()
        owner = call_named_in(payload)
        if owner is None or not self._messages.waits_for(owner):
            owner = self._running.only_call(namespace, self._owners.waiting_in(namespace))
            owner = owner or self._owners.owner_of(namespace)
        part = custom_data_part(self._ui_messages.complete(payload))
        return self._emit_data(part, owner if action == "nest" else None)

    def _emit_data(self, part: DataPartChunk | None, owner: str | None) -> _Chunks:
        if part is None:
            return ()
        part.parent_id = owner
        return self._floor.follow(owner, (part,))

    def _on_interrupts(self, namespace: tuple[str, ...], interrupts: Iterable[Any]) -> _Chunks:
        # A subgraph's interrupt is told again by every graph around it, the subgraph first.
        self._remember_repeats(namespace)
        parent_id = self._owners.owner_of(namespace)
        if parent_id is not None and not self._messages.waits_for(parent_id):
            parent_id = None  # Its card is hidden, or in an earlier answer. The question is not.
        chunks: list[AssistantStreamChunk] = []
        for interrupt in interrupts:
            if interrupt["id"] not in self._interrupts:
                self._interrupts.add(interrupt["id"])
                chunks.append(DataPartChunk("interrupt", interrupt, interrupt["id"], parent_id))
        return self._floor.follow(parent_id, chunks)

    def _emit_whole(self, place: Place, channels: Mapping[str, Any]) -> _Chunks:
        """Emit what was not seen yet of the messages in `channels`."""
        self._known_namespaces.add(place.namespace)
        chunks: list[AssistantStreamChunk] = []
        for value in channels.values():
            messages = [item for item in as_items(value) if isinstance(item, BaseMessage)]
            settled = False
            for message in messages:
                route = self._routes.get(message.id) if message.id else None
                if route is None:
                    if not settled:
                        settled = True
                        self._messages.settle_named(item.id for item in messages)
                    origin = self._written.place_of(message, place)
                    route = self._route_of(message, origin, None)
                if isinstance(message, AIMessage):
                    self._owners.describe(message)
                chunks.extend(self._emit(message, route, True))
        return chunks

    def _emit(self, message: BaseMessage, route: Route, whole: bool) -> _Chunks:
        place, parent_id, hidden, answer, schema, about = route
        if hidden:
            if isinstance(message, ToolMessage):
                self._owners.answer(message.tool_call_id)
            return ()
        if isinstance(message, ToolMessage) and message.tool_call_id in self._past_calls:
            self._owners.answer(message.tool_call_id)
            # The call stands in an earlier answer, and its place for a result too.
            if not self._tells_earlier or message.tool_call_id in self._told_earlier:
                return ()
            self._told_earlier.add(message.tool_call_id)
            return (self._messages.earlier_result(message),)
        data: _Chunks = ()
        if answer is not None and isinstance(message, AIMessage):
            message, data = answer.take(message, parent_id, whole)
        chunks: _Chunks = self._messages.feed(
            message, place=place, parent_id=parent_id, whole=whole, schema=schema, about=about
        )
        if answer is None and self._messages.speaker is not None:
            self._speakers[message.id] = self._messages.speaker
        if chunks and (started_at := self._clock.take_start(message.id)) is not None:
            self._messages.note_times(str(message.id), started_at, time.monotonic() - started_at)
        for chunk in chunks:
            if type(chunk) in _FOLLOWED:
                chunks = list(self._follow(chunks, place.namespace))
                break
        told = [*data, *chunks] if data else chunks
        return self._floor.say(message, parent_id, told)

    def _follow(
        self, chunks: _Chunks, namespace: tuple[str, ...]
    ) -> Iterator[AssistantStreamChunk]:
        """Keep the books on calls and steps; leaves out all steps but the first start."""
        for chunk in chunks:
            match chunk:
                case ToolCallBeginChunk():
                    self._owners.begin(chunk.tool_call_id, namespace)
                    self._past_calls.discard(chunk.tool_call_id)
                case ToolResultChunk():
                    self._owners.answer(chunk.tool_call_id)
                    if self._transcripts:
                        chunk.messages = self._transcripts.take(chunk.tool_call_id)
                case StepStartChunk() if self._one_step:
                    if self._step_open:
                        continue
                    self._step_open = True
                    self._clock.note_token()
                case StepFinishChunk() if self._one_step:
                    continue
                case _:
                    pass
            yield chunk

    def _route_of(
        self, message: BaseMessage, place: Place, metadata: Mapping[str, Any] | None
    ) -> Route:
        """Where a message of an unknown id, or of none, goes."""
        seen = self._anonymous.get(id(message))
        if seen is None:
            return self._open_route(message, place, metadata)
        # LangGraph gives an id to the very message that a node has written without one.
        return self._keep(message, seen[1]) if message.id else HIDDEN

    def _open_route(
        self,
        message: BaseMessage,
        place: Place,
        metadata: Mapping[str, Any] | None,
    ) -> Route:
        """Decide where a message goes; its later chunks and repetitions go there too."""
        namespace = place.namespace
        if metadata is not None and isinstance(message, AIMessageChunk):
            self._clock.start_message(message.id, metadata)
        if metadata is None:  # Not streamed. The rules can still go by the namespace.
            metadata = {"langgraph_checkpoint_ns": "|".join((*namespace, ""))}
        owner = self._owners.owner_of(namespace)
        if isinstance(message, AIMessage):
            owner = self._owners.owner_of_task(namespace, metadata)
        action = self._decide(metadata.get("tags"), metadata)
        in_transcript = self._transcripts and action == "nest" and self._owners.owner_of(namespace)
        if action == "hide" or in_transcript:
            return self._keep(message, HIDDEN)
        name = schema_of(metadata)
        answer = None if name is None else StructuredAnswer(name)
        parent_id = owner if action == "nest" else None
        schema = native_schema_of(metadata)
        return self._keep(message, Route(place, parent_id, False, answer, schema, metadata))

    def _nests(self, namespace: tuple[str, ...]) -> str | None:
        """The call that has started the agent of a namespace, if what it says is nested. What
        that agent runs in namespaces of its own belongs to its conversation, or to none."""
        owner = self._owners.owner_of(namespace)
        if owner is None or owner == self._owners.owner_of(base_of(namespace)[:-1]):
            return None
        return owner if self._action_in(namespace) == "nest" else None

    def _action_in(self, namespace: tuple[str, ...]) -> Action:
        """What the rules say of a whole namespace; the graph's own is never hidden as a whole."""
        if not namespace:
            return "nest"
        return self._decide(None, {"langgraph_checkpoint_ns": "|".join((*namespace, ""))})

    def _keep(self, message: BaseMessage, route: Route) -> Route:
        if message.id:
            self._routes[message.id] = route
        else:
            self._anonymous[id(message)] = (message, route)
        return route

    def _remember(self, channels: Mapping[str, Any]) -> None:
        """Take the messages in `channels` as shown before this run."""
        for message in messages_in(channels):
            route = self._routes.get(message.id or "", HIDDEN)
            if route is not HIDDEN or id(message) in self._anonymous:
                continue  # It was shown in this run.
            self._keep(message, HIDDEN)
            if isinstance(message, ToolMessage):
                self._owners.answer(message.tool_call_id)
            elif isinstance(message, AIMessage):
                self._owners.describe(message)
                self._past_calls.update(call["id"] for call in message.tool_calls if call["id"])
