"""What edits a graph's stream, applied to what a client is shown beside it: the state of a thread
that rests, what a node has written.

The same transformers are given the state as a `values` event, which is the one event of which
LangGraph says that it is a state. So a page that is loaded shows what a live one has shown.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langgraph.types import Overwrite, StateSnapshot

from assistant_stream_ce._json import to_json
from assistant_stream_ce.errors import NotJSONError

from ._channels import channels_of
from ._editors import Editor, stream_editors
from ._questions import Questions
from ._shapes import as_items, is_dict, is_list, is_mapping, is_tuple

__all__ = ("Screen", "create_screen", "hides", "silent", "with_values", "without_repeats")

logger = logging.getLogger(__name__)

_CALLS_AGAIN = frozenset({"tool_calls", "function_call"})
"""Where some providers repeat the calls of a message, which no transformer looks into."""


class Screen:
    """Shows values as the transformers of a graph let a client see them.

    Args:
        editors: The transformers. Without any, everything is shown as it is.
    """

    def __init__(self, editors: Sequence[Editor]) -> None:
        self.editors = editors

    async def apply(
        self, channels: Mapping[str, Any], namespace: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Return what a client may see of a state, or of a part of one.

        Args:
            channels: The state.
            namespace: Of the graph whose state it is.

        Raises:
            Exception: A transformer refuses it, as one does that blocks what it finds.
        """
        try:
            return await self._apply(channels, namespace)
        except Exception:
            if "messages" in channels:
                raise
        # Most look for the messages in every state.
        shown = await self._apply({**channels, "messages": []}, namespace)
        shown.pop("messages", None)
        return shown

    async def _apply(
        self, channels: Mapping[str, Any], namespace: tuple[str, ...]
    ) -> dict[str, Any]:
        overwritten = [name for name, value in channels.items() if isinstance(value, Overwrite)]
        data: Any = {name: _seen_through(value) for name, value in channels.items()}
        event: Any = {
            "type": "event",
            "method": "values",
            "params": {"namespace": [*namespace], "timestamp": _now(), "data": data},
        }
        # LangGraph has one for the run, and one for each graph inside it.
        scopes = [namespace[:depth] for depth in range(len(namespace) + 1)]
        transformers = [editor(scope) for scope in scopes for editor in self.editors]
        # As LangGraph's own order is.
        transformers.sort(key=lambda made: not getattr(made, "before_builtins", False))
        is_shown = True
        for transformer in transformers:
            transformer.init()
            is_shown = bool(await transformer.aprocess(event)) and is_shown
        edited: Any = event["params"]["data"]
        shown: dict[str, Any] = dict(edited) if is_shown and is_mapping(edited) else {}
        shown.update({name: Overwrite(shown[name]) for name in overwritten if name in shown})
        return shown

    async def show(
        self, channels: Mapping[str, Any], namespace: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """As `apply`, but of what is refused something is left: messages without their words."""
        try:
            return await self.apply(channels, namespace)
        except Exception:
            logger.warning("A transformer refuses the state of a thread.", exc_info=True)
        shown: dict[str, Any] = {}
        for name, value in channels.items():
            if is_list(value):
                items = [await self._item(name, item) for item in value]
                shown[name] = [item for found in items for item in found]
            else:
                shown.update(await self._one({name: value}))
        return shown

    async def snapshot(self, snapshot: StateSnapshot) -> StateSnapshot:
        """As `show`, for the values of a thread."""
        if not self.editors:
            return snapshot
        channels = channels_of(snapshot.values)
        if channels is None:
            shown = (await self.show({"values": snapshot.values})).get("values")
            return snapshot._replace(values=shown)  # What a function has returned.
        return snapshot._replace(values=await self.show(channels))

    async def questions(self, questions: Questions) -> Questions:
        """As `show`, for what waits in a thread."""
        if not self.editors:
            return questions
        interrupts = await self._interrupts(questions.interrupts)
        messages = await self.messages(questions.messages)
        return replace(questions, interrupts=interrupts, messages=messages)

    async def messages(self, messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
        """As `show`, for messages alone."""
        if not self.editors:
            return messages
        shown: Any = (await self.show({"messages": [*messages]})).get("messages")
        return [message for message in as_items(shown) if isinstance(message, BaseMessage)]

    async def _interrupts(self, interrupts: Sequence[Any]) -> list[Any]:
        shown = [await self._one({"interrupt": interrupt.value}) for interrupt in interrupts]
        values = [value.get("interrupt") for value in shown]
        return with_values(interrupts, values)

    async def _one(self, channels: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self.apply(channels)
        except Exception:
            return {}

    async def _item(self, name: str, item: Any) -> list[Any]:
        found: Any = (await self._one({name: [item]})).get(name)
        if is_list(found):
            return found
        return [silent(item)] if isinstance(item, BaseMessage) else []


def _now() -> int:
    return int(time.time() * 1000)


def create_screen(graph: object) -> Screen:
    """Return what screens a graph's values."""
    return Screen(stream_editors(graph))


def with_values(interrupts: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """Copies of interrupts that have other values."""
    copies = [copy(interrupt) for interrupt in interrupts]
    for interrupt, value in zip(copies, values, strict=True):
        interrupt.value = value
    return copies


def without_repeats(value: Any) -> Any:
    """A value whose messages say everything once, in the fields that transformers look into."""
    if is_list(value):
        return [without_repeats(item) for item in value]
    if not isinstance(value, AIMessage):
        return value
    kwargs = {k: v for k, v in value.additional_kwargs.items() if k not in _CALLS_AGAIN}
    if isinstance(value, AIMessageChunk) and value.tool_call_chunks:
        fields: Any = {name: getattr(value, name) for name in AIMessage.model_fields}
        fields.update(type="ai", additional_kwargs=kwargs)
        return AIMessage.model_construct(**fields)
    if len(kwargs) == len(value.additional_kwargs):
        return value
    return value.model_copy(update={"additional_kwargs": kwargs})


def hides(value: Any) -> bool:
    """Whether there is something in a value that transformers do not look into."""
    if is_dict(value):
        return any(map(hides, value.values()))
    if is_list(value) or is_tuple(value):
        return any(map(hides, value))
    return not (value is None or isinstance(value, (BaseMessage, str, int, float)))


def _seen_through(value: Any) -> Any:
    if isinstance(value, Overwrite):
        value = value.value
    return without_repeats(_opened(value) if hides(value) else value)


def _opened(value: Any) -> Any:
    """A value of dicts, lists and messages: the others as a client would see them."""
    if is_dict(value):
        return {key: _opened(item) for key, item in value.items()}
    if is_list(value):
        return [_opened(item) for item in value]
    if is_tuple(value):
        return tuple(map(_opened, value))
    if not hides(value):
        return value
    try:
        return to_json(value)
    except NotJSONError:
        return value  # A client is not shown it either.


def silent(message: BaseMessage) -> BaseMessage:
    """A message of which nothing but its place is shown."""
    update: dict[str, Any] = {"content": "", "additional_kwargs": {}, "response_metadata": {}}
    if isinstance(message, AIMessage):
        update["tool_calls"] = [{**call, "args": {}} for call in message.tool_calls]
        update["invalid_tool_calls"] = []
    if isinstance(message, ToolMessage):
        update["artifact"] = None
    shown: BaseMessage = without_repeats(message)
    return shown.model_copy(update=update)
