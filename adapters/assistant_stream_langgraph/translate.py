"""LangGraph streams to chunks: `from_langgraph_events` and `stream_graph`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable
from typing import Any

from assistant_stream_ce.chunks import AssistantStreamChunk, UpdateStateChunk
from assistant_stream_ce.typing import JSONValue

from .events import EventReader, GraphEvent, open_events
from .parts import PartsTranslator, Steps
from .state import MESSAGES, StateMirror

__all__ = ("GraphTranslator", "from_langgraph_events", "stream_graph")

STREAM_MODES = ("messages", "updates", "values", "custom", "tasks")


def from_langgraph_events(
    events: object,
    *,
    parts: bool = True,
    state: bool | Collection[str] = True,
    initial_state: JSONValue = None,
    stream_mode: str | None = None,
    steps: Steps = "run",
    interrupts_key: str | None = "interrupts",
) -> AsyncGenerator[AssistantStreamChunk, None]:
    """Translate a graph's stream into chunks.

    Takes what `graph.astream(...)` and `graph.stream(...)` return, whatever the stream modes,
    with or without `subgraphs=True` and `version="v2"`, and finds out by itself which it is. The
    more modes the stream has, the more can be shown: `messages` brings tokens, `values` the
    state, `updates` a node's messages as soon as it is done, `custom` data parts, `tasks` tells
    parallel sub-agents apart.

    Closing the generator closes `events`. An exception of the graph closes the parts that are
    open and is raised on.

    Args:
        events: The stream, async or not.
        parts: Whether to give the answer as parts: text, reasoning, tool calls and so on, and one
            `MessageFinishChunk` at the end.
        state: `True` mirrors every channel that has a JSON form, except `messages` when the parts
            carry them; a collection names the channels; `False` mirrors nothing.
        initial_state: What the client shows already. Operations are relative to it.
        stream_mode: The mode of a stream that was asked for with one mode as a plain string. Its
            events do not name it, and a dict can be either `updates`, `values` or `custom`;
            without this it is guessed.
        steps: `"run"` gives one step around the whole answer, `"model"` one per model call. A
            client whose runtime counts steps (`maxSteps`, 2 by default) refuses to go on with a
            frontend tool after that many, which is why one step is the default.
        interrupts_key: Where in the state the interrupts stand that wait for an answer, as
            `[{"id", "value"}]`; `None` leaves them out of the state.

    Raises:
        TypeError: `events` is no stream.
    """
    translator = GraphTranslator(
        parts=parts,
        state=state,
        initial_state=initial_state,
        steps=steps,
        interrupts_key=interrupts_key,
    )
    return _translate(open_events(events), EventReader(stream_mode), translator)


def stream_graph(
    graph: Any,
    input: Any,
    config: Any = None,
    *,
    context: Any = None,
    parts: bool = True,
    state: bool | Collection[str] = True,
    initial_state: JSONValue = None,
    steps: Steps = "run",
    interrupts_key: str | None = "interrupts",
    **options: Any,
) -> AsyncGenerator[AssistantStreamChunk, None]:
    """Run a graph and translate its stream, with every stream mode that has something to show.

    Args:
        graph: A compiled graph.
        input: The graph's input, or a `Command`.
        config: The run's config.
        context: The run's context, for a graph with a `context_schema`.
        parts: As for `from_langgraph_events`.
        state: As for `from_langgraph_events`.
        initial_state: As for `from_langgraph_events`.
        steps: As for `from_langgraph_events`.
        interrupts_key: As for `from_langgraph_events`.
        options: Further arguments of `graph.astream`, such as `durability`.
    """
    if context is not None:
        options["context"] = context
    events = graph.astream(
        input, config, stream_mode=list(STREAM_MODES), subgraphs=True, **options
    )
    return from_langgraph_events(
        events,
        parts=parts,
        state=state,
        initial_state=initial_state,
        steps=steps,
        interrupts_key=interrupts_key,
    )


class GraphTranslator:
    """Turns the events of one run into chunks: parts, state operations, or both."""

    def __init__(
        self,
        *,
        parts: bool,
        state: bool | Collection[str],
        initial_state: JSONValue,
        steps: Steps,
        interrupts_key: str | None,
    ) -> None:
        self._parts = PartsTranslator(steps=steps) if parts else None
        self._mirror: StateMirror | None = None
        if state is not False:
            keys = None if state is True else state
            self._mirror = StateMirror(
                initial_state,
                keys=keys,
                messages=not parts if keys is None else MESSAGES in keys,
                interrupts_key=interrupts_key,
            )

    def feed(self, event: GraphEvent) -> list[AssistantStreamChunk]:
        """The chunks for one event."""
        chunks: list[AssistantStreamChunk] = []
        if self._parts is not None:
            chunks.extend(self._parts.feed(event))
        if self._mirror is not None:
            operations = self._mirror.feed(event)
            if operations:
                chunks.append(UpdateStateChunk(operations))
        return chunks

    def finish(self) -> list[AssistantStreamChunk]:
        """The chunks after the last event."""
        chunks: list[AssistantStreamChunk] = []
        if self._mirror is not None:
            operations = self._mirror.finish()
            if operations:
                chunks.append(UpdateStateChunk(operations))
        if self._parts is not None:
            chunks.extend(self._parts.finish())
        return chunks

    def fail(self) -> Iterable[AssistantStreamChunk]:
        """The chunks after the last event of a graph that has raised."""
        return self._parts.fail() if self._parts is not None else ()


async def _translate(
    events: AsyncIterator[object], reader: EventReader, translator: GraphTranslator
) -> AsyncGenerator[AssistantStreamChunk, None]:
    try:
        try:
            async for raw in events:
                for event in reader.read(raw):
                    for chunk in translator.feed(event):
                        yield chunk
        except Exception:
            for chunk in translator.fail():
                yield chunk
            raise
        for chunk in translator.finish():
            yield chunk
    finally:
        # A `for` loop that is left early does not close what it loops over.
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
