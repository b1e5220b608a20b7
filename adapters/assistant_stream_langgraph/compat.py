"""The two functions of upstream's `assistant_stream.modules.langgraph`.

They keep a graph's conversation in `controller.state`, event by event. For new code there is
`from_langgraph_events(..., parts=False)`, which takes the whole stream.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage, RemoveMessage, ToolMessage
from langgraph.types import Overwrite

from assistant_stream_ce import RunController
from assistant_stream_ce._json import to_json
from assistant_stream_ce.errors import NotJSONError

from ._channels import channels_of, update_writes
from ._merging import grow_message, parse_calls
from ._message_list import REMOVE_ALL
from ._shapes import as_items, is_mapping
from .events import INTERRUPT
from .interrupts import interrupt_to_json

__all__ = ("append_langgraph_event", "get_tool_call_subgraph_state")

logger = logging.getLogger(__name__)

# `Any` in this module is a piece of the user's state, or LangGraph's payload.

MESSAGES = "messages"

INTERRUPTS = "interrupts"


def append_langgraph_event(state: Any, _namespace: object, type: str, payload: Any) -> None:
    """Bring one event of a graph into `state`.

    `messages` events grow or replace the message with the same id (a tool's result: with the same
    `tool_call_id`). `updates` events set every other channel that a node has written, take the
    messages away that it has removed, and put interrupts under `interrupts`, by their ids; these
    stay until you empty the list. The graph's own `values` settle every channel but `messages`:
    what an update writes to a channel with a reducer is less than the channel holds, so ask for
    this mode too if you have any. Other events change nothing.

    Args:
        state: A `StateProxy`, or a plain dict.
        _namespace: The event's namespace. For the events of a subgraph, hand in what
            `get_tool_call_subgraph_state` gives; its `values` are passed over.
        type: The stream mode of the event.
        payload: What the graph has streamed: `(message, metadata)`, or the nodes' writes.
    """
    if type == "messages":
        _append_message(state, payload[0])
    elif type == "updates":
        _settle_last_message(state)
        if is_mapping(payload) and INTERRUPT in payload:
            _add_interrupts(state, payload[INTERRUPT])
        for _, channels in update_writes(payload):
            for name, value in channels.items():
                if name == MESSAGES:
                    _remove_messages(state, value)
                else:
                    _set_channel(state, name, value)
    elif type == "values" and not _namespace:
        for name, value in (channels_of(payload) or {}).items():
            if name not in (MESSAGES, INTERRUPT):
                _set_channel(state, name, value)


def get_tool_call_subgraph_state(
    controller: RunController,
    namespace: tuple[str, ...],
    subgraph_node: str | list[str] | Callable[[list[str]], bool],
    default_state: Mapping[str, Any],
    *,
    artifact_field_name: str | None = None,
    tool_name: str | list[str] | None = None,
) -> Any:
    """Return the part of the state that belongs to the subgraph an event comes from.

    The state of a subgraph that a tool runs is the artifact of the tool's message, which is added
    while the tool has none yet. A namespace keeps its tool call, so that several sub-agents side
    by side do not mix; a new one takes the first call that has no message yet.

    Args:
        controller: The run's controller.
        namespace: The event's namespace.
        subgraph_node: The node that runs the tools, several, or a function that is asked with a
            list of one name.
        default_state: The state of a subgraph at its beginning, and of the run if it has none.
        artifact_field_name: The artifact's member that holds the state; the whole artifact if
            `None`.
        tool_name: The tools that run a subgraph; all if `None`.

    Returns:
        A `StateProxy` into `controller.state`.
    """
    if controller.state is None:
        controller.state = default_state
    state = controller.state
    for part in namespace:
        if not _is_one_of(subgraph_node, part.partition(":")[0]):
            continue
        message = _tool_message(state, part, tool_name, artifact_field_name, default_state)
        if message is None:
            return state
        state = _artifact_state(message, artifact_field_name, default_state)
    return state


def _append_message(state: Any, message: BaseMessage) -> None:
    if MESSAGES not in state:
        state[MESSAGES] = []
    messages = state[MESSAGES]
    if isinstance(message, RemoveMessage):
        _remove(state, {message.id})
        return
    call_id = message.tool_call_id if isinstance(message, ToolMessage) else None
    place = _place_of(messages, message.id, call_id)
    if place is None:
        messages.append(to_json(message))
    elif isinstance(message, AIMessageChunk):
        grow_message(messages[place], message)
    else:
        value: Any = to_json(message)
        if call_id is not None and value.get("artifact") is None:
            value["artifact"] = to_json(messages[place].get("artifact"))  # a subgraph's state
        messages[place] = value


def _place_of(messages: Any, message_id: str | None, call_id: str | None) -> int | None:
    """Where a message stands; looked for from the end, where the one that streams is."""
    for place in range(len(messages) - 1, -1, -1):
        message: Any = messages[place]
        if not is_mapping(message):
            continue
        if message_id is not None and message.get("id") == message_id:
            return place
        if call_id is not None and message.get("tool_call_id") == call_id:
            return place
    return None


def _settle_last_message(state: Any) -> None:
    """A node has ended, so the text of its calls is whole, whether or not a chunk has said so."""
    messages: Any = state.get(MESSAGES)
    last: Any = messages[-1] if messages else None
    if is_mapping(last) and last.get("tool_call_chunks") and not last.get("chunk_position"):
        parse_calls(last)


def _remove_messages(state: Any, written: Any) -> None:
    """Take away what a node's write to `messages` removes; the messages themselves have come."""
    items = as_items(written)
    ids = {item.id for item in items if isinstance(item, RemoveMessage)}
    if REMOVE_ALL not in ids:
        _remove(state, ids)
        return
    start = 1 + max(
        place
        for place, item in enumerate(items)
        if isinstance(item, RemoveMessage) and item.id == REMOVE_ALL
    )
    state[MESSAGES] = [to_json(item) for item in items[start:]]


def _remove(state: Any, ids: set[Any]) -> None:
    messages: Any = state.get(MESSAGES)
    if not ids or not messages:
        return
    kept: list[Any] = []
    if REMOVE_ALL not in ids:
        kept = [m for m in messages if not (is_mapping(m) and m.get("id") in ids)]
    if len(kept) < len(messages):
        state[MESSAGES] = kept


def _set_channel(state: Any, name: str, value: Any) -> None:
    if isinstance(value, Overwrite):
        value = value.value
    try:
        state[name] = to_json(value)
    except NotJSONError as error:
        logger.warning("The channel `%s` is not in the state: %s", name, error)


def _add_interrupts(state: Any, interrupts: Sequence[Any]) -> None:
    shown: list[Any] = list(state.get(INTERRUPTS) or ())
    known = {item.get("id") for item in shown if is_mapping(item)}
    new = [interrupt_to_json(item) for item in interrupts if item.id not in known]
    if new:
        state[INTERRUPTS] = to_json([*shown, *new])


def _tool_message(
    state: Any,
    part: str,
    tool_name: str | list[str] | None,
    artifact_field_name: str | None,
    default_state: Mapping[str, Any],
) -> Any:
    """The message of the tool that a namespace part runs in, added if need be; `None` if no call
    waits for one."""
    messages: Any = state.get(MESSAGES)
    if not messages:
        return None
    answered: dict[Any, Any] = {}
    place = len(messages) - 1
    while place > 0 and messages[place]["type"] == "tool":
        answered[messages[place].get("tool_call_id")] = messages[place]
        place -= 1
    for message in answered.values():
        marks: Any = message.get("additional_kwargs")
        if is_mapping(marks) and marks.get("namespace") == part:
            return message
    last: Any = messages[place]
    for call in (last.get("tool_calls") or ()) if last["type"] == "ai" else ():
        if call["id"] not in answered and _is_tool(tool_name, call["name"]):
            messages.append(
                to_json(
                    ToolMessage(
                        content="",
                        tool_call_id=call["id"],
                        name=call["name"],
                        artifact={} if artifact_field_name else to_json(default_state),
                        additional_kwargs={"streaming": True, "namespace": part},
                    )
                )
            )
            return messages[-1]
    return messages[-1] if messages[-1]["type"] == "tool" else None


def _artifact_state(
    message: Any, artifact_field_name: str | None, default_state: Mapping[str, Any]
) -> Any:
    if message.get("artifact") is None:
        message["artifact"] = {} if artifact_field_name else to_json(default_state)
    artifact = message["artifact"]
    if artifact_field_name is None:
        return artifact
    if artifact_field_name not in artifact:
        artifact[artifact_field_name] = to_json(default_state)
    return artifact[artifact_field_name]


def _is_one_of(subgraph_node: str | list[str] | Callable[[list[str]], bool], name: str) -> bool:
    if isinstance(subgraph_node, str):
        return name == subgraph_node
    return name in subgraph_node if isinstance(subgraph_node, list) else subgraph_node([name])


def _is_tool(tool_name: str | list[str] | None, name: str) -> bool:
    return tool_name is None or name == tool_name or name in as_items(tool_name)
