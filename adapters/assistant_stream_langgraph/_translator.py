"""A run's events to its chunks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from assistant_stream_ce._channel import Channel
from assistant_stream_ce.chunks import AssistantStreamChunk, UpdateStateChunk
from assistant_stream_ce.state.operations import diff
from assistant_stream_ce.typing import JSONValue
from assistant_stream_langchain.visibility import Visibility

from ._custom import custom_data
from ._prediction import Predictions
from ._questions import LiveQuestions
from ._routes import action_in
from ._shapes import is_dict, is_list
from ._task_updates import TaskUpdates
from ._tool_progress import output_delta
from .events import GraphEvent
from .parts import Nested, PartsTranslator, Steps
from .state import StateMirror

__all__ = ("GraphTranslator",)


class GraphTranslator:
    """Turns the events of one run into chunks: parts, state operations, or both."""

    def __init__(
        self,
        *,
        parts: bool,
        state: bool | Collection[str],
        initial_state: JSONValue,
        steps: Steps = "run",
        nested: Nested = "parts",
        interrupts_key: str | None = "interrupts",
        visibility: Visibility | None = None,
        predict: Mapping[str, tuple[str, str]] | None = None,
        earlier_results: bool = False,
        messages_key: str = "messages",
        left_out: Collection[str] = (),
        fleeting: Collection[str] = (),
        resumes: bool = True,
    ) -> None:
        self._predictions = Predictions(predict) if predict and state is not False else None
        self._visibility = visibility or Visibility()
        self._questions = LiveQuestions()
        self._updates = TaskUpdates()
        self._parts: PartsTranslator | None = None
        self._listener: PartsTranslator | None = None
        """An answer without parts needs them too, to know the calls."""
        if parts or self._predictions:
            shown = _messages_in(initial_state, messages_key)
            translator = PartsTranslator(
                steps=steps,
                nested=nested,
                visibility=self._visibility,
                shown=shown,
                earlier_results=earlier_results,
                messages_key=messages_key,
                resumes=resumes,
            )
            self._parts, self._listener = (translator, None) if parts else (None, translator)
        self._mirror: StateMirror | None = None
        mirrors_messages = not parts if isinstance(state, bool) else messages_key in state
        self._tokens_are_parts = parts and not mirrors_messages and self._predictions is None
        if state is not False:
            self._mirror = StateMirror(
                initial_state,
                keys=None if state is True else state,
                messages=mirrors_messages,
                interrupts_key=interrupts_key,
                visibility=self._visibility,
                messages_key=messages_key,
                left_out=left_out,
                fleeting=fleeting,
            )

    def start(self) -> None:
        """The run begins; before the first event."""
        if self._parts is not None:
            self._parts.start()

    def note_past(self, messages: Sequence[BaseMessage]) -> None:
        """All that the workflow of this run may give back of what was told before it."""
        if self._parts is not None:
            self._parts.note_past(messages)

    def short_way(self, channel: Channel) -> Callable[[GraphEvent], bool]:
        """The way of most tokens of most answers: straight into `channel`, to which nobody writes
        but this, and in the thread of its loop.

        Returns:
            What tells a message, if it is one more delta of what is being said. It returns
            whether it has; if not, nothing was done and `feed` has to look at the event.
        """
        parts, mirror = self._parts, self._mirror
        if self._predictions is None and parts is not None:
            return _short_way_of_parts(parts, None if self._tokens_are_parts else mirror, channel)
        if self._predictions is None and mirror is not None:
            return _short_way_of_state(mirror, channel)
        return lambda event: False

    def feed(self, event: GraphEvent) -> Sequence[AssistantStreamChunk]:
        """The chunks for one event."""
        if event[1] != "messages":
            return self._feed_all(self._updates.read(event))
        parts = self._parts.feed(event) if self._parts is not None else ()
        return parts if self._tokens_are_parts else self._with_state(event, parts)

    def _feed_all(self, events: Sequence[GraphEvent]) -> Sequence[AssistantStreamChunk]:
        if len(events) == 1:
            return self._feed(events[0])
        return [chunk for event in events for chunk in self._feed(event)]

    def _feed(self, event: GraphEvent) -> Sequence[AssistantStreamChunk]:
        """The chunks for an event that is no token."""
        namespace, mode, payload = event
        if mode == "interrupts":
            event = (namespace, "interrupts", self._questions.show(payload))
        else:
            self._questions.feed(event)
        parts: Sequence[AssistantStreamChunk] = ()
        if self._parts is not None:
            parts = self._parts.feed(event)
        elif mode in ("custom", "tools"):
            is_hidden = action_in(self._visibility, namespace) == "hide"
            return () if is_hidden else _data(mode, payload)
        return self._with_state(event, parts)

    def _with_state(
        self, event: GraphEvent, parts: Sequence[AssistantStreamChunk]
    ) -> Sequence[AssistantStreamChunk]:
        """The chunks of an event's parts and of what it changes in the state."""
        if self._mirror is None:
            return parts
        if self._predictions is not None:
            return self._feed_predicting(event, parts, self._mirror, self._predictions)
        operations = self._mirror.feed(event)
        return (*parts, UpdateStateChunk(operations)) if operations else parts

    def _feed_predicting(
        self,
        event: GraphEvent,
        parts: Sequence[AssistantStreamChunk],
        mirror: StateMirror,
        predictions: Predictions,
    ) -> Sequence[AssistantStreamChunk]:
        operations = mirror.feed(event)
        heard = self._listener.feed(event) if self._listener is not None else parts
        for channel, text, is_first in predictions.read(heard):
            operations.extend(mirror.predict(channel, text, is_first=is_first))
        return (*parts, UpdateStateChunk(operations)) if operations else parts

    def finish(self) -> Sequence[AssistantStreamChunk]:
        """The chunks after the last event."""
        held = self._feed_all(self._updates.release())
        operations = self._mirror.finish() if self._mirror is not None else []
        state = [UpdateStateChunk(operations)] if operations else []
        return [*held, *state, *(self._parts.finish() if self._parts is not None else ())]

    def stop(self, state: Any, told: JSONValue) -> Sequence[AssistantStreamChunk]:
        """The chunks after the last event of a run that was cancelled.

        Args:
            state: What the run has left.
            told: The state as the client has it. What was translated of the run's last moments
                may not have gone out.
        """
        chunks: list[AssistantStreamChunk] = [
            chunk
            for chunk in self.feed(((), "values", state))
            if not isinstance(chunk, UpdateStateChunk)
        ]
        if self._mirror is not None:
            self._mirror.finish()
            operations = diff(told, self._mirror.value)
            if operations:
                chunks.append(UpdateStateChunk(operations))
        chunks.extend(self._parts.stop() if self._parts is not None else ())
        return chunks

    def fail(self) -> Sequence[AssistantStreamChunk]:
        """The chunks after the last event of a graph that has raised."""
        held = self._feed_all(self._updates.release())
        operations = self._mirror.take_back() if self._mirror is not None else []
        state = [UpdateStateChunk(operations)] if operations else []
        return [*held, *state, *(self._parts.fail() if self._parts is not None else ())]


def _short_way_of_parts(
    parts: PartsTranslator, mirror: StateMirror | None, channel: Channel
) -> Callable[[GraphEvent], bool]:
    """For tokens that are parts, and for tokens that are shown in `mirror` as well."""
    next_delta, put_delta = parts.next_delta, channel.put_delta_in_loop

    def tell(event: GraphEvent) -> bool:
        delta = next_delta(event[2][0])
        if delta is None:
            return False
        kind, text, key = delta
        put_delta(kind, text, key)
        if mirror is None:
            return True
        appended = mirror.next_text(event[2][0])
        if appended is not None:
            channel.put_text_in_loop(*appended)
        elif operations := mirror.feed(event):
            channel.put_operations(operations)
        return True

    return tell


def _short_way_of_state(mirror: StateMirror, channel: Channel) -> Callable[[GraphEvent], bool]:
    next_text, put_text = mirror.next_text, channel.put_text_in_loop

    def tell(event: GraphEvent) -> bool:
        appended = next_text(event[2][0])
        if appended is None:
            return False
        path, text = appended
        put_text(path, text)
        return True

    return tell


def _data(mode: str, payload: Any) -> Sequence[AssistantStreamChunk]:
    """What a node or a tool has written, for an answer without parts."""
    if mode == "tools":
        told = output_delta(payload)
        if told is None:
            return ()
        payload = told[1]
    data = custom_data(payload)
    return (data,) if data is not None else ()


def _messages_in(state: Any, key: str) -> list[Any]:
    """The messages in a state that the client has."""
    messages: Any = state.get(key) if is_dict(state) else None
    return messages if is_list(messages) else []
