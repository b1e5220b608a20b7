"""The stream of a graph whose transformers edit it: `astream_events(version="v3")`, which alone
runs them, brought to what `astream` yields.

Version 3 has less than `astream`: no updates of nodes, no tasks. Both are asked for beside it, and
told when the transformers have seen what is in them.
"""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from copy import copy
from typing import Any, ClassVar, cast

from langchain_core._api import suppress_langchain_beta_warning
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.stream import StreamChannel, StreamTransformer

from ._channels import channels_of
from ._editors import Editor
from ._protocol_events import ProtocolEvents
from ._refused import Refused
from ._screen import Screen, hides, with_values, without_repeats
from ._shapes import as_items, is_items, is_mapping
from ._tool_progress import output_delta
from ._whole_words import WholeWords
from .events import INTERRUPT, GraphEvent
from .subgraphs import calls_in

__all__ = ("edited_events",)

_CHANNEL = "assistant_stream"
_METHOD = f"custom:{_CHANNEL}"
"""How LangGraph names the events of a transformer's channel."""

_SEEN_IN_BLOCKS = frozenset({"args", "id", "index", "name", "reasoning", "text", "type"})
"""What the transformers are shown of a block that streams, and what they leave as it is."""


async def edited_events(
    graph: Any, screen: Screen, input: Any, config: Any, options: Mapping[str, Any]
) -> AsyncGenerator[GraphEvent, None]:
    """What `graph.astream` yields with all stream modes, as the graph's transformers edit it.

    Args:
        graph: A compiled graph.
        screen: Has the transformers that may edit the stream of the graph or of one inside it.
        input: As for `graph.astream`.
        config: As for `graph.astream`.
        options: As for `graph.astream`, but for the stream modes.
    """
    own = {id(editor) for editor in graph.stream_transformers}
    inner = [editor for editor in screen.editors if id(editor) not in own]
    added = [*map(_unread, inner), _once(lambda scope: _After(scope, screen))]
    sources: list[_Source] = []

    def astream(*args: Any, **kwargs: Any) -> _Source:
        sources.append(_Source(graph.astream(*args, **kwargs), Refused(screen)))
        return sources[-1]

    running = copy(graph)
    running.astream = astream  # Version 3 runs the graph by it.
    protocol = ProtocolEvents()
    with suppress_langchain_beta_warning():
        run = await running.astream_events(
            input, config, version="v3", transformers=added, **_free(options)
        )
    try:
        async for event in run:
            for graph_event in _read(protocol, event):
                yield graph_event
    finally:
        try:
            await run.abort()
        finally:
            # A run that a transformer has failed, or whose reader was cancelled, leaves its graph.
            for source in sources:
                await source.aclose()


def _free(options: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that version 3 leaves to its caller."""
    return {k: v for k, v in options.items() if k not in ("stream_mode", "subgraphs", "version")}


def _read(protocol: ProtocolEvents, event: Any) -> tuple[GraphEvent, ...]:
    """The graph events in an event that has passed the transformers. What they do not know, as
    checkpoints, is not told."""
    method, params = event["method"], event["params"]
    if method == _METHOD:
        return (params["data"],)
    if method == "values" and params.get("interrupts"):
        # As `astream` tells them.
        return ((tuple(params["namespace"]), "values", {INTERRUPT: params["interrupts"]}),)
    if method in ("custom", "messages", "values"):
        return tuple(protocol.read(event))
    # The result of a tool comes with the update of its node.
    told = output_delta(params["data"]) if method == "tools" else None
    if told is not None and told[1] != "":
        return ((tuple(params["namespace"]), "tools", params["data"]),)
    return ()


class _Source:
    """A graph's stream as its transformers are given it. It can be closed while somebody waits for
    its next part."""

    def __init__(self, stream: Any, refused: Refused) -> None:
        self._stream = stream
        self._refused = refused
        self._words = WholeWords()
        self._ready: deque[Any] = deque()
        self._pull: asyncio.Task[Any] | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        self._pull = asyncio.current_task()
        try:
            while not self._ready:
                parts = self._words.read(await anext(self._stream))
                self._ready.extend([await self._refused.without(part) for part in parts])
        finally:
            self._pull = None
        return self._ready.popleft()

    async def aclose(self) -> None:
        """End the graph, and wait for its end. Being cancelled meanwhile cancels it again, and only
        that: it saves what was done."""
        pull, cancelled = self._pull, False
        if pull is not None and not pull.cancelling():
            pull.cancel()
        while pull is not None and not pull.done():
            try:
                await asyncio.wait({pull})
            except asyncio.CancelledError:
                cancelled = pull.cancel()
        await self._stream.aclose()
        if cancelled:
            raise asyncio.CancelledError


def _unread(editor: Editor) -> Editor:
    """A factory of a graph inside: what its transformer has for the callers of that graph is left
    out, for LangGraph lets no two have the same."""

    def factory(scope: tuple[str, ...]) -> StreamTransformer:
        made = editor(scope)
        opened = made.init

        def init() -> dict[str, Any]:
            opened()
            return {}

        made.init = init
        return cast("StreamTransformer", made)

    return factory


def _once(make: Callable[[tuple[str, ...]], StreamTransformer]) -> Editor:
    """A factory for the root alone: LangGraph opens each transformer for every subgraph too."""
    made: list[StreamTransformer] = []

    def factory(scope: tuple[str, ...]) -> StreamTransformer:
        made.append(make(scope) if not made else _Idle(scope))
        return made[-1]

    return factory


class _Idle(StreamTransformer):
    def init(self) -> dict[str, Any]:
        return {}

    def process(self, event: Any) -> bool:
        return True


class _After(StreamTransformer):
    """Comes after the transformers that edit, and adds what version 3 does not tell."""

    before_builtins: ClassVar[bool] = True
    required_stream_modes: ClassVar[tuple[str, ...]] = (
        "custom",
        "messages",
        "tasks",
        "tools",
        "updates",
        "values",
    )
    requires_async: ClassVar[bool] = True

    def __init__(self, scope: tuple[str, ...], screen: Screen) -> None:
        super().__init__(scope)
        self._screen = screen
        self._told: StreamChannel[GraphEvent] = StreamChannel(_CHANNEL)

    def init(self) -> dict[str, Any]:
        return {_CHANNEL: self._told}

    async def aprocess(self, event: Any) -> bool:
        params = event["params"]
        namespace, data = tuple(params["namespace"]), params["data"]
        match event["method"]:
            case "messages" if is_items(data) and isinstance(data[0], BaseMessage):
                params["data"] = (without_repeats(data[0]), data[1])
            case "messages" if is_items(data) and is_mapping(data[0]):
                if data[0].get("event") == "content-block-finish":
                    finished = await self._finished(data[0]["content"], namespace)
                    params["data"] = ({**data[0], "content": finished}, data[1])
            case "values":
                await self._finish_state(params)
            case "tasks":
                self._told.push((namespace, "tasks", _task(data)))
            case "updates":
                await self._tell_update(namespace, data)
                return False
            case _:
                pass
        return True

    async def _finished(
        self, block: Mapping[str, Any], namespace: tuple[str, ...]
    ) -> Mapping[str, Any]:
        """A finished block. LangChain's transformer looks into texts and arguments here, and into
        all else, as citations, images and what a provider's tool has found, in states alone."""
        seen = {k: v for k, v in block.items() if k in _SEEN_IN_BLOCKS}
        if len(seen) == len(block):
            return block
        rest = {k: v for k, v in block.items() if k not in seen}
        message = AIMessage(content=[{"type": block.get("type"), **rest}])
        try:
            shown = await self._screen.apply({"messages": [message]}, namespace)
            return {**shown["messages"][0].content[0], **seen}
        except Exception:
            return seen  # The state after the step tells it, or why not.

    async def _finish_state(self, params: dict[str, Any]) -> None:
        if not is_mapping(params["data"]):
            if hides(params["data"]):
                shown = await self._screen.show({"returned": params["data"]})
                params["data"] = shown.get("returned")
            return
        state: dict[str, Any] = dict(params["data"])
        values: Any = state.pop(INTERRUPT, ())
        if params.get("interrupts"):
            params["interrupts"] = tuple(with_values(params["interrupts"], values))
        hidden = [name for name in state if hides(state[name])]
        if hidden:
            shown = await self._screen.show(state, tuple(params["namespace"]))
            seen = {name: shown[name] for name in hidden if name in shown}
            state = {k: v for k, v in state.items() if k not in hidden} | seen
        params["data"] = state

    async def _tell_update(self, namespace: tuple[str, ...], update: Any) -> None:
        if not is_mapping(update) or INTERRUPT in update:
            return  # The state has them, too.
        shown: dict[str, Any] = {}
        try:
            for node, output in update.items():
                if str(node).startswith("__"):
                    shown[node] = output
                    continue
                writes = [await self._write(write, namespace) for write in as_items(output)]
                shown[node] = writes if is_items(output) else writes[0]
        except Exception:
            return  # The state after the step tells it again, or why not.
        self._told.push((namespace, "updates", shown))

    async def _write(self, write: Any, namespace: tuple[str, ...]) -> Any:
        if isinstance(write, BaseMessage):
            (message,) = (await self._screen.apply({"messages": [write]}, namespace))["messages"]
            return message
        channels = channels_of(write)
        return None if channels is None else await self._screen.apply(channels, namespace)


def _task(payload: Any) -> dict[str, Any]:
    """Of a task that begins or has ended only which it is, and what calls of tools it runs."""
    known = ("id", "name", "triggers")
    told: dict[str, Any] = {key: payload[key] for key in known if key in payload}
    if "input" in payload:
        calls = [{"type": "tool_call", "id": call} for call in calls_in(payload["input"])]
        told["input"] = calls or None
    else:
        told.update(result=None, interrupts=())
    return told
