"""`astream_events(version="v3")`: the events of LangChain's streaming protocol, as a graph's.

Mirrors `langchain_protocol` 0.0.20.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_core.messages import AIMessageChunk, BaseMessage, ToolMessage

from ._revive import as_interrupts, as_message_pair, with_messages
from ._shapes import as_items, is_items, is_mapping
from ._tool_progress import output_delta

__all__ = ("ProtocolEvents", "is_protocol_event")

_Event: TypeAlias = tuple[tuple[str, ...], str, Any]

_SEPARATORS = ((", ", ": "), (",", ":"))
"""How models write JSON."""

_TEXTS = ("text", "reasoning")
"""Blocks that stream as text, which they have under the name of their type."""

_SERVER_CALLS = frozenset({"server_tool_call", "server_tool_call_chunk"})
_PLAIN = frozenset({"checkpoints", "custom", "debug", "tasks", "updates"})


def is_protocol_event(event: Any) -> bool:
    """Whether `event` is one of `astream_events(version="v3")`."""
    return (
        is_mapping(event)
        and "method" in event
        and is_mapping(params := event.get("params"))
        and is_items(params.get("namespace"))
    )


@dataclass
class _Message:
    """A message that streams block by block."""

    id: str | None
    told: dict[Any, list[str]] = field(default_factory=dict[Any, list[str]])
    """By block what was told of it, if anything was: its text, or the text of its arguments."""


class ProtocolEvents:
    """Reads the events of one stream."""

    def __init__(self) -> None:
        self._messages: dict[Any, _Message] = {}
        self._results: dict[tuple[str, ...], list[ToolMessage]] = {}
        """By namespace, what tools have returned of which the state is still to come."""

    def read(self, event: Mapping[str, Any]) -> Sequence[_Event]:
        """The graph events in `event`."""
        params = event["params"]
        namespace, data = tuple(params["namespace"]), params.get("data")
        match event["method"]:
            case "messages":
                return self._on_message(namespace, data)
            case "values":
                interrupts = params.get("interrupts")
                if interrupts:
                    asked = (namespace, "interrupts", as_interrupts(interrupts))
                    return (*self._returned(namespace), asked)
                state = (namespace, "values", with_messages(data))
                return (state, *self._returned(namespace, state[2]))
            case "tools":
                return self._on_tool(namespace, data)
            case "lifecycle":
                return _cause(namespace, data)
            case str(mode) if mode in _PLAIN:
                return ((namespace, mode, with_messages(data)),)
            case _:
                return ()  # Transformers may add what they like.

    def _on_tool(self, namespace: tuple[str, ...], data: Any) -> Sequence[_Event]:
        """What a tool says, as the `tools` stream mode tells it. What it returns is held back until
        the step has ended: middleware may make something else of it, or try once more."""
        if output_delta(data) is not None:
            return ((namespace, "tools", data),)
        output: Any = data.get("output") if is_mapping(data) else None
        if isinstance(output, ToolMessage):
            self._results.setdefault(namespace, []).append(output)
        return ()

    def _returned(self, namespace: tuple[str, ...], state: Any = None) -> Sequence[_Event]:
        """What tools have returned in a step that has ended, of which the state says nothing: when
        another waits for a person, or it was no node that has called them."""
        results = self._results.pop(namespace, ())
        if results and state is not None:
            channels = state.values() if is_mapping(state) else (state,)
            items = [item for value in channels for item in as_items(value)]
            told = {item.tool_call_id for item in items if isinstance(item, ToolMessage)}
            results = [result for result in results if result.tool_call_id not in told]
        return [(namespace, "updates", {"tools": {"messages": [result]}}) for result in results]

    def _on_message(self, namespace: tuple[str, ...], data: Any) -> Sequence[_Event]:
        payload: Any = data
        metadata: Mapping[str, Any] = {}
        if is_items(data) and len(data) == 2:
            payload, metadata = data
        if isinstance(payload, BaseMessage) or not is_mapping(payload) or "event" not in payload:
            pair = as_message_pair(data)
            return () if pair is None else ((namespace, "messages", pair),)
        key: Any = metadata.get("run_id") or (namespace, metadata.get("langgraph_checkpoint_ns"))
        if payload["event"] == "message-start":
            self._messages[key] = _Message(payload.get("id"))
            return ()
        message = self._messages.get(key)
        if message is None:
            return ()
        chunks = _chunks(message, payload)
        return [(namespace, "messages", (chunk, metadata)) for chunk in chunks]


def _chunks(message: _Message, payload: Mapping[str, Any]) -> Iterator[AIMessageChunk]:
    """The chunks that a protocol event of a message is."""
    index = payload.get("index")
    match payload:
        case {"event": "content-block-delta", "delta": delta}:
            yield from _delta(message, index, delta)
        case {"event": "content-block-start", "content": {"type": "tool_call_chunk"} as block}:
            message.told[index] = [block.get("args") or ""]
            yield _call(message, index, block.get("id"), block.get("name"), block.get("args"))
        case {
            "event": "content-block-start",
            "content": {"type": str(kind), "id": call_id} as block,
        } if kind in _SERVER_CALLS:
            # It ends with the message, after all that the model goes on to say.
            opened = {"type": "server_tool_call_chunk", "id": call_id, "name": block.get("name")}
            yield _block(message, {**opened, "args": "", "index": index})
        case {"event": "content-block-finish", "content": block}:
            yield from _rest(message, index, block)
        case {"event": "message-finish" | "error"}:
            yield AIMessageChunk(
                content="",
                id=message.id,
                usage_metadata=payload.get("usage"),
                response_metadata=payload.get("metadata") or {},
                chunk_position="last",
            )
        case _:
            pass


def _delta(message: _Message, index: Any, delta: Mapping[str, Any]) -> Iterator[AIMessageChunk]:
    match delta:
        case {"type": "text-delta", "text": text}:
            _note(message, index, text)
            yield _block(message, {"type": "text", "text": text, "index": index})
        case {"type": "reasoning-delta", "reasoning": text}:
            _note(message, index, text)
            yield _block(message, {"type": "reasoning", "reasoning": text, "index": index})
        case {"type": "tool-call-delta", "args": args}:
            _note(message, index, args)
            yield _call(message, index, None, None, args)
        case _:
            message.told.pop(index, None)  # It comes whole when it is finished.


def _note(message: _Message, index: Any, text: str) -> None:
    """Note what is told of a block: what a transformer has held back comes with the finished one
    and in no delta."""
    message.told.setdefault(index, []).append(text)


def _rest(message: _Message, index: Any, block: Mapping[str, Any]) -> Iterator[AIMessageChunk]:
    """What of a finished block has not streamed."""
    kind = block.get("type")
    if kind in ("tool_call", "invalid_tool_call"):
        yield from _rest_of_call(message, index, block)
    elif index not in message.told:
        text = block.get(kind) if kind in _TEXTS else None
        _note(message, index, text if isinstance(text, str) else "")
        yield _block(message, {"index": index, **block})
    elif kind in _TEXTS:
        yield from _rest_of_text(message, index, block, kind)


def _rest_of_call(
    message: _Message, index: Any, block: Mapping[str, Any]
) -> Iterator[AIMessageChunk]:
    is_new = index not in message.told
    args = _rest_of_args("".join(message.told.get(index, ())), block.get("args"))
    _note(message, index, args)
    if is_new:
        yield _call(message, index, block.get("id"), block.get("name"), args)
    elif args:
        yield _call(message, index, None, None, args)


def _rest_of_text(
    message: _Message, index: Any, block: Mapping[str, Any], kind: str
) -> Iterator[AIMessageChunk]:
    told, text = "".join(message.told[index]), block.get(kind)
    if isinstance(text, str) and len(text) > len(told) and text.startswith(told):
        _note(message, index, text[len(told) :])
        yield _block(message, {"type": kind, kind: text[len(told) :], "index": index})
    if block.get("annotations"):
        cited = {"type": "text", "text": "", "annotations": block["annotations"], "index": index}
        yield _block(message, cited)


def _rest_of_args(told: str, args: Any) -> str:
    """The text of a call's arguments after what was told; there is none if that does not fit."""
    if isinstance(args, str):
        texts = [args]
    elif not args:
        return ""  # Where there are none, they may still stand in the complete message.
    elif _parses_to(told, args):
        return ""
    else:
        texts = [json.dumps(args, ensure_ascii=False, separators=s) for s in _SEPARATORS]
    return next((text[len(told) :] for text in texts if text.startswith(told)), "")


def _parses_to(text: str, value: Any) -> bool:
    try:
        return bool(text) and json.loads(text) == value
    except ValueError:
        return False


def _block(message: _Message, block: dict[str, Any]) -> AIMessageChunk:
    return AIMessageChunk(content=[block], id=message.id)


def _call(message: _Message, index: Any, call_id: Any, name: Any, args: Any) -> AIMessageChunk:
    piece: Any = {"id": call_id, "name": name, "args": args, "index": index}
    piece["type"] = "tool_call_chunk"
    return AIMessageChunk(content="", id=message.id, tool_call_chunks=[piece])


def _cause(namespace: tuple[str, ...], data: Any) -> Sequence[_Event]:
    """Which tool call has started a subgraph, where the protocol says so."""
    match data:
        case {"trigger_call_id": task, "cause": {"tool_call_id": str(call_id)}}:
            call = {"type": "tool_call", "id": call_id}
            return ((namespace, "tasks", {"id": task, "input": {"tool_call": call}}),)
        case _:
            return ()
