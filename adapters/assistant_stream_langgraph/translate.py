"""LangGraph streams to chunks: `from_langgraph_events` and `stream_graph`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, cast

from langchain_core.runnables import RunnableBinding
from langchain_core.runnables.config import merge_configs

from assistant_stream_ce.typing import ChunkStream, JSONValue
from assistant_stream_langchain.visibility import Visibility

from ._pump import pump
from ._screen import create_screen
from ._structured_calls import StructuredCalls
from ._told_before import note_told_before
from ._translator import GraphTranslator
from .events import EventReader, open_events
from .graph_call import GraphCall, remember_call
from .parts import Nested, Steps
from .threads import fleeting_channels, goes_on, is_graph, untracked_channels

__all__ = ("from_langgraph_events", "graph_events", "stream_graph")

_SERVED_MODES = ("messages", "updates", "values", "custom", "tasks")
"""The stream modes that have something to show, as far as a LangGraph server takes them."""


def from_langgraph_events(
    events: object,
    *,
    parts: bool = True,
    state: bool | Collection[str] = True,
    initial_state: JSONValue = None,
    stream_mode: str | None = None,
    steps: Steps = "run",
    nested: Nested = "parts",
    interrupts_key: str | None = "interrupts",
    visibility: Visibility | None = None,
    predict: Mapping[str, tuple[str, str]] | None = None,
    earlier_results: bool = False,
    messages_key: str = "messages",
) -> ChunkStream:
    """Translate a graph's stream into chunks.

    Takes what `graph.astream(...)` and `graph.stream(...)` return, whatever the stream modes,
    with or without `subgraphs=True` and `version="v2"`; the events of `astream_events` in all
    versions, or the run that version 3 returns; the stream of a `RemoteGraph` or of
    `langgraph_sdk`; `model.astream(...)`. It finds out by itself which it is.

    The more modes a stream has, the more can be shown: `messages` brings tokens, `values` the
    state, `updates` a node's messages as soon as it is done, `custom` data parts, `tasks` tells
    parallel sub-agents apart.

    Closing the generator closes `events`. An exception of the graph closes the parts that are
    open and is raised on.

    Args:
        events: The stream, async or not.
        parts: Whether to give the answer as parts: text, reasoning, tool calls and so on, and one
            `MessageFinishChunk` at the end.
        state: `True` mirrors every channel that has a JSON form, except the messages when the parts
            carry them; a collection names the channels; `False` mirrors nothing.
        initial_state: What the client shows already. Operations are relative to it, and the
            messages in it do not come again as parts.
        stream_mode: The mode of a stream that was asked for with one mode as a plain string. Its
            events do not name it, and a dict can be either `updates`, `values` or `custom`;
            without this it is guessed.
        steps: `"run"` gives one step around the whole answer, `"model"` one per model call. A
            client whose runtime counts steps (`maxSteps`, 2 by default) refuses to go on with a
            frontend tool after that many, which is why one step is the default.
        nested: How a sub-agent inside a tool is told: `"parts"` as parts grouped under its call,
            live; `"messages"` as the `messages` of the call's result, whole, for a client that
            shows a thread in the tool's card.
        interrupts_key: Where in the state the interrupts stand that wait for an answer, as
            `[{"id", "value"}]`; `None` leaves them out of the state.
        visibility: What is shown, by node, tag, namespace or model. By default all but the
            machinery's own model calls; what runs inside a tool is nested under its call.
        predict: Channels that show an argument of a tool call while it streams, before the tool
            has run: `{"draft": ("write_doc", "text")}`. What the graph then writes is the truth.
        earlier_results: Whether to tell the result of a call that stands in an earlier answer of
            the thread, one that waited for a person for example. The wires of the AI SDK and of
            AG-UI carry it to where the client has the call.
        messages_key: The channel of messages: the one that the parts carry and `state=True` leaves
            out, or that grows token by token with `parts=False`.

    Raises:
        TypeError: `events` is no stream.
    """
    translator = GraphTranslator(
        parts=parts,
        state=state,
        initial_state=initial_state,
        steps=steps,
        nested=nested,
        interrupts_key=interrupts_key,
        visibility=visibility,
        predict=predict,
        earlier_results=earlier_results,
        messages_key=messages_key,
    )
    return pump(open_events(events), EventReader(stream_mode), translator)


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
    nested: Nested = "parts",
    interrupts_key: str | None = "interrupts",
    visibility: Visibility | None = None,
    predict: Mapping[str, tuple[str, str]] | None = None,
    earlier_results: bool = False,
    messages_key: str = "messages",
    **options: Any,
) -> ChunkStream:
    """Run a graph and translate its stream, with every stream mode that has something to show.

    What the stream transformers of the graph redact, or of a graph that can be seen to run inside
    it, is not told: such a graph is run by `astream_events(version="v3")`.

    Args:
        graph: A compiled graph.
        input: The graph's input, or a `Command`.
        config: The run's config.
        context: The run's context, for a graph with a `context_schema`.
        parts: As for `from_langgraph_events`.
        state: As for `from_langgraph_events`.
        initial_state: As for `from_langgraph_events`.
        steps: As for `from_langgraph_events`.
        nested: As for `from_langgraph_events`.
        interrupts_key: As for `from_langgraph_events`.
        visibility: As for `from_langgraph_events`.
        predict: As for `from_langgraph_events`.
        earlier_results: As for `from_langgraph_events`.
        messages_key: As for `from_langgraph_events`.
        options: Further arguments of `graph.astream`, such as `durability`.
    """
    if context is not None:
        options["context"] = context
    translator = GraphTranslator(
        parts=parts,
        state=state,
        initial_state=initial_state,
        steps=steps,
        nested=nested,
        interrupts_key=interrupts_key,
        visibility=visibility,
        predict=predict,
        earlier_results=earlier_results,
        messages_key=messages_key,
        left_out=untracked_channels(graph),
        fleeting=fleeting_channels(graph),
        resumes=goes_on(input),
    )
    events = open_events(graph_events(graph, input, config, options))
    inner, bound, _ = _unbound(graph, config, {})
    prepare = partial(note_told_before, translator, inner, input, bound)
    stream = pump(events, EventReader(), translator, prepare)
    remember_call(stream, GraphCall(graph, config, options))
    return stream


def graph_events(graph: Any, input: Any, config: Any, options: Mapping[str, Any]) -> Any:
    """The stream of a run with all that the translators can make use of.

    A graph with transformers that may edit its stream is asked for the form that they edit.

    Args:
        graph: As for `stream_graph`.
        input: As for `stream_graph`.
        config: As for `stream_graph`.
        options: Further arguments of `graph.astream`.
    """
    marked: Any = merge_configs(config, {"callbacks": [StructuredCalls()]})
    inner, bound, arguments = _unbound(graph, marked, options)
    screen = create_screen(inner)
    if screen.editors:
        # Older versions of LangGraph have no transformers, and nothing to import for them.
        from ._edited_events import edited_events  # noqa: PLC0415

        return edited_events(inner, screen, input, bound, arguments)
    modes: Any = _stream_modes(graph)
    return graph.astream(input, marked, stream_mode=modes, subgraphs=True, **options)


def _unbound(
    graph: Any, config: Any, options: Mapping[str, Any]
) -> tuple[Any, Any, Mapping[str, Any]]:
    """The graph in a wrapper, with the config and the arguments that the wrapper adds."""
    while isinstance(graph, RunnableBinding):
        added = [make(config) for make in graph.config_factories]
        config = merge_configs(graph.config, config, *added)
        options = {**graph.kwargs, **options}
        graph = cast("Any", graph).bound
    return graph, config, options


def _stream_modes(graph: object) -> list[str]:
    # A server refuses a mode that it does not know.
    return [*_SERVED_MODES, "tools"] if is_graph(graph) else [*_SERVED_MODES]
