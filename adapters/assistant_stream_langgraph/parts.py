"""Graph events to the parts of an assistant message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage

from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
)
from assistant_stream_langchain import MessageTranslator, Place
from assistant_stream_langchain.visibility import Visibility

from ._books import Books
from ._channels import channels_of, messages_in, returned_messages, update_writes
from ._clock import Clock
from ._data_parts import DataParts
from ._ending import Ending
from ._floor import Floor
from ._left_calls import calls_left
from ._message_parts import MessageParts
from ._repeats import Repeats
from ._revive import with_written_messages
from ._routes import Routes
from ._shapes import call_ids_of, id_of
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
        self._workflows = Workflows()
        self._told = MessageParts(
            self._messages,
            messages_key,
            floor=self._floor,
            owners=self._owners,
            clock=self._clock,
            books=self._books,
            routes=self._routes,
            workflows=self._workflows,
        )
        self.next_delta = self._told.next_delta
        """The short way of a token: `MessageParts.next_delta`."""
        self._ending = Ending(self._messages, self._floor, self._books)
        self._data = DataParts(self._messages, self._routes, self._owners, self._running)
        self._known_namespaces: set[tuple[str, ...]] = set()
        self._begun: set[tuple[str, ...]] = set()
        """Namespaces that have been given a state, where only nodes are."""
        self._telling: set[tuple[str, ...]] = set()
        """Namespaces that tell their state, and so what they make of a message in another form."""
        self._messages_key = messages_key
        self._conversation: Any = None
        """The messages in the graph's last state, as far as it has told them."""
        self._repeats = Repeats(expected=resumes)
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
        self._told.remember(messages)

    def feed(self, event: GraphEvent) -> _Chunks:
        """The chunks for one event."""
        namespace, mode, payload = event
        if mode == "messages":
            return self._told.feed(namespace, *payload)
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

    def finish(self) -> _Chunks:
        """The end of the message, after the last event."""
        cached = () if self._data.has_asked else self._repeats.release()
        chunks = [c for place, channels in cached for c in self._tell(place, channels)]
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
                    self._told.note_written(place, written)
                chunks.extend(self._tell(place, channels))
        return chunks

    def _remember_repeats(self, namespace: tuple[str, ...]) -> None:
        for _, channels in self._repeats.confirm(namespace):
            self._told.remember(messages_in(channels))

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
            chunks = self._tell(Place(namespace), channels)
            self._told.settle(namespace)
        else:
            self._known_namespaces.add(namespace)
            if handed := self._told.handed_over(channels):
                chunks = self._tell(Place(namespace), {self._messages_key: handed})
            self._told.remember(messages_in(channels))
            self._owners.resume(channels, namespace)
            if namespace:
                self._owners.start_subgraph(namespace, channels)
        if self._transcripts and (call_id := self._routes.nests(namespace)):
            self._transcripts.settle(call_id, namespace, channels)
        return [*chunks, *self._told.end_step(namespace)]

    def _on_input(self, namespace: tuple[str, ...], payload: Any) -> _Chunks:
        """What a node is given: at first, what was there before the run."""
        if namespace not in self._known_namespaces:
            self._begun.add(namespace)
            return self._on_values(namespace, payload)
        if namespace and namespace not in self._begun:
            # A subgraph that goes on after a pause may do so with a tool, which is given no state.
            self._begun.add(namespace)
            self._told.remember(messages_in(channels_of(payload) or {}))
        return ()

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
            messages = messages_in(channels_of(given) or {})
            self._told.remember(m for m in messages if isinstance(m, AIMessage))

    def _tell(self, place: Place, channels: Mapping[str, Any]) -> _Chunks:
        self._known_namespaces.add(place.namespace)
        return self._told.tell(place, channels)

    def _emit_data(self, part: DataPartChunk | None) -> _Chunks:
        return () if part is None else self._floor.follow(part.parent_id, (part,))

    def _on_interrupts(self, namespace: tuple[str, ...], interrupts: Iterable[Any]) -> _Chunks:
        self._remember_repeats(namespace)
        parent_id, parts = self._data.interrupts(namespace, interrupts)
        return self._floor.follow(parent_id, parts)
