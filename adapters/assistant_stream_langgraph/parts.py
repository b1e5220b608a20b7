"""Graph events to the parts of an assistant message."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from assistant_stream_ce._json import to_json
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
    MessageFinishChunk,
    StepFinishChunk,
    StepStartChunk,
    ToolCallBeginChunk,
    ToolResultChunk,
)
from assistant_stream_ce.errors import NotJSONError
from assistant_stream_ce.typing import FinishReason
from assistant_stream_langchain import MessageTranslator

from ._visibility import is_internal
from .events import GraphEvent, channels_of, messages_in, update_writes
from .interrupts import interrupt_to_json
from .subgraphs import ToolCallOwners

__all__ = ("PartsTranslator", "Steps", "custom_data_part")

logger = logging.getLogger(__name__)

Steps: TypeAlias = Literal["run", "model"]

_Chunks = Sequence[AssistantStreamChunk]

_CALL_FAILED = "The run failed before this call returned."


class _Route:
    """Where the chunks of one message go."""

    __slots__ = ("hidden", "namespace", "parent_id")

    def __init__(self, namespace: tuple[str, ...], parent_id: str | None, hidden: bool) -> None:
        self.namespace = namespace
        self.parent_id = parent_id
        self.hidden = hidden


_HIDDEN = _Route((), None, hidden=True)


class PartsTranslator:
    """Makes one assistant message of a run.

    A message may come token by token (`messages`), whole from its node (`updates`), and again in
    every state after (`values`); it is shown once, as soon as it is known. What stands in the
    first state of the graph was there before the run and is not shown.

    Args:
        steps: `"run"` for one step around the whole run, `"model"` for one per model call.
    """

    def __init__(self, *, steps: Steps = "run") -> None:
        self._messages = MessageTranslator()
        self._owners = ToolCallOwners()
        self._routes: dict[str, _Route] = {}
        self._anonymous: dict[int, BaseMessage] = {}
        """Messages without an id that were seen, by identity; held so that none is reused."""
        self._known_namespaces: set[tuple[str, ...]] = set()
        self._past_calls: set[str] = set()
        self._interrupts: set[str] = set()
        self._one_step = steps == "run"
        self._step_open = False

    def feed(self, event: GraphEvent) -> _Chunks:
        """The chunks for one event."""
        namespace, mode, payload = event
        match mode:
            case "messages":
                return self._on_message(namespace, payload)
            case "updates":
                return self._on_updates(namespace, payload)
            case "values":
                return self._on_values(namespace, payload)
            case "custom":
                return self._on_custom(namespace, payload)
            case "interrupts":
                return self._on_interrupts(namespace, payload)
            case "tasks":
                self._owners.start_task(payload)
        return ()

    def finish(self) -> _Chunks:
        """The end of the message, after the last event."""
        chunks = self._pass_on(self._messages.finish(), ())
        usage = (self._messages.input_tokens, self._messages.output_tokens)
        reason = self._finish_reason()
        if self._step_open:
            chunks.append(StepFinishChunk(reason, *usage))
        chunks.append(MessageFinishChunk(reason, *usage))
        return chunks

    def fail(self) -> _Chunks:
        """What has to follow the last event when the graph has raised."""
        chunks = self._pass_on(self._messages.finish(), ())
        for tool_call_id in self._owners.unanswered:
            if tool_call_id not in self._past_calls:
                chunks.append(ToolResultChunk(tool_call_id, _CALL_FAILED, is_error=True))
        if self._step_open:
            self._step_open = False
            chunks.append(
                StepFinishChunk("error", self._messages.input_tokens, self._messages.output_tokens)
            )
        return chunks

    def _finish_reason(self) -> FinishReason:
        # A client that reads "tool-calls" asks again by itself once every call has a result, so
        # it is only said when an answer must come from there.
        if self._interrupts or self._owners.unanswered:
            return "tool-calls"
        reason = self._messages.finish_reason
        return "stop" if reason in (None, "tool-calls", "unknown") else reason

    def _on_message(self, namespace: tuple[str, ...], payload: Any) -> _Chunks:
        message, metadata = payload
        route = self._routes.get(message.id)
        if route is None:
            if not isinstance(message, BaseMessage) or self._seen(message):
                return ()
            route = self._route(message, namespace, hidden=is_internal(metadata))
        return self._emit(message, route)

    def _on_updates(self, namespace: tuple[str, ...], payload: Any) -> _Chunks:
        cached = isinstance(payload, Mapping) and _is_cached(payload)
        chunks: list[AssistantStreamChunk] = []
        for channels in update_writes(payload):
            if cached:
                self._remember(channels)
            else:
                chunks.extend(self._emit_whole(namespace, channels))
        return chunks

    def _on_values(self, namespace: tuple[str, ...], payload: Any) -> _Chunks:
        channels = channels_of(payload)
        if channels is None:
            return ()
        if namespace in self._known_namespaces:
            return self._emit_whole(namespace, channels)
        self._known_namespaces.add(namespace)
        self._remember(channels, namespace)
        if namespace:
            self._owners.start_subgraph(namespace, channels)
        return ()

    def _on_custom(self, namespace: tuple[str, ...], payload: Any) -> _Chunks:
        chunk = custom_data_part(payload)
        if chunk is None:
            return ()
        chunk.parent_id = self._owners.owner_of(namespace)
        return (chunk,)

    def _on_interrupts(self, namespace: tuple[str, ...], payload: Iterable[Any]) -> _Chunks:
        chunks: list[AssistantStreamChunk] = []
        for interrupt in payload:
            if interrupt.id not in self._interrupts:
                self._interrupts.add(interrupt.id)
                chunks.append(
                    DataPartChunk(
                        "interrupt",
                        interrupt_to_json(interrupt),
                        interrupt.id,
                        self._owners.owner_of(namespace),
                    )
                )
        return chunks

    def _emit_whole(self, namespace: tuple[str, ...], channels: Mapping[str, Any]) -> _Chunks:
        """Emit the messages in `channels` that were not, or not fully, seen as they came."""
        self._known_namespaces.add(namespace)
        chunks: list[AssistantStreamChunk] = []
        for message in messages_in(channels):
            route = self._routes.get(message.id) if message.id else None
            if route is None:
                if self._seen(message):
                    continue
                route = self._route(message, namespace, hidden=False)
            if isinstance(message, AIMessage):
                self._owners.describe(message)
            chunks.extend(self._emit(message, route))
        return chunks

    def _emit(self, message: BaseMessage, route: _Route) -> _Chunks:
        if route.hidden:
            return ()
        if isinstance(message, ToolMessage):
            self._owners.answer(message.tool_call_id)
            if message.tool_call_id in self._past_calls:
                return ()
        chunks = self._messages.feed(
            message, namespace=route.namespace, parent_id=route.parent_id
        )
        return self._pass_on(chunks, route.namespace) if chunks else chunks

    def _pass_on(
        self, chunks: list[AssistantStreamChunk], namespace: tuple[str, ...]
    ) -> list[AssistantStreamChunk]:
        """Follow calls and steps in what the message translator gives."""
        kept: list[AssistantStreamChunk] = []
        for chunk in chunks:
            if type(chunk) is ToolCallBeginChunk:
                self._owners.begin(chunk.tool_call_id, namespace)
            elif type(chunk) is ToolResultChunk:
                self._owners.answer(chunk.tool_call_id)
            elif self._one_step and type(chunk) is StepStartChunk:
                if self._step_open:
                    continue
                self._step_open = True
            elif self._one_step and type(chunk) is StepFinishChunk:
                continue
            kept.append(chunk)
        return kept

    def _route(self, message: BaseMessage, namespace: tuple[str, ...], *, hidden: bool) -> _Route:
        route = _HIDDEN if hidden else _Route(namespace, self._owners.owner_of(namespace), False)
        if message.id:
            self._routes[message.id] = route
        else:
            self._anonymous[id(message)] = message
        return route

    def _seen(self, message: BaseMessage) -> bool:
        return id(message) in self._anonymous

    def _remember(
        self, channels: Mapping[str, Any], namespace: tuple[str, ...] = ()
    ) -> None:
        """Take the messages in `channels` as shown before this run."""
        for message in messages_in(channels):
            if message.id in self._routes or self._seen(message):
                continue
            self._route(message, namespace, hidden=True)
            if isinstance(message, AIMessage):
                self._owners.describe(message)
                self._past_calls.update(call["id"] for call in message.tool_calls if call["id"])


def custom_data_part(payload: Any) -> DataPartChunk | None:
    """The data part for what a node wrote with `get_stream_writer()` or `push_ui_message()`.

    `{"type": "ui", "id", "name", "props"}` is a UI message: its name and props. A dict with a
    `name` and `data` is taken at its word, and one with a `type` is named by it. Everything else
    is named `"custom"`. A dict's `id` is the part's id.
    """
    try:
        data = to_json(payload)
    except NotJSONError as error:
        logger.warning("Passed over a custom event: %s", error)
        return None
    if not isinstance(data, dict):
        return DataPartChunk("custom", data)
    part_id = data.get("id")
    part_id = part_id if isinstance(part_id, str) else None
    match data:
        case {"type": "ui", "name": str(name), "props": props}:
            return DataPartChunk(name, props, part_id)
        case {"name": str(name), "data": value}:
            return DataPartChunk(name, value, part_id)
        case {"type": str(name)}:
            return DataPartChunk(name, data, part_id)
        case _:
            return DataPartChunk("custom", data, part_id)


def _is_cached(payload: Mapping[str, Any]) -> bool:
    """Whether an update repeats what a node did before the pause that this run resumes from."""
    metadata = payload.get("__metadata__")
    return isinstance(metadata, Mapping) and bool(metadata.get("cached"))
