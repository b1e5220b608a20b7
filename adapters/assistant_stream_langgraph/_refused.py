"""What stands in a thread though a transformer of the graph refuses it.

A transformer that blocks fails a run for each state that it is given, and the state has the whole
thread: what a person said once would fail every later run. LangChain's middleware itself looks at
what is new, and the graph's own nodes have judged the rest before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import BaseMessage

from ._screen import Screen, silent
from ._shapes import is_list, is_mapping

__all__ = ("Refused",)


class Refused:
    """Takes from the states of a run what was refused in the one that it began with.

    Args:
        screen: Has the transformers.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._begun: set[tuple[str, ...]] = set()
        self._channels: set[str] = set()
        self._messages: set[str] = set()
        """The ids of messages of which only the place is shown."""

    async def without(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """A part of the stream, without that."""
        channels = part["data"]
        if part["type"] != "values" or not is_mapping(channels):
            return part
        namespace = part["ns"]
        if namespace not in self._begun:
            self._begun.add(namespace)
            if await self._is_refused(channels, namespace):
                for name, value in channels.items():
                    await self._look(name, value, namespace)
        if not self._messages and not self._channels:
            return part
        kept = {k: self._shown(v) for k, v in channels.items() if k not in self._channels}
        return {**part, "data": kept}

    async def _look(self, name: str, value: Any, namespace: tuple[str, ...]) -> None:
        for item in value if is_list(value) else ():
            is_known = isinstance(item, BaseMessage) and item.id is not None
            if is_known and await self._is_refused({name: [item]}, namespace):
                self._messages.add(str(item.id))
        if await self._is_refused({name: self._shown(value)}, namespace):
            self._channels.add(name)

    async def _is_refused(self, channels: Mapping[str, Any], namespace: tuple[str, ...]) -> bool:
        try:
            await self._screen.apply(channels, namespace)
        except Exception:
            return True
        return False

    def _shown(self, value: Any) -> Any:
        if not is_list(value):
            return value
        return [
            silent(item) if isinstance(item, BaseMessage) and item.id in self._messages else item
            for item in value
        ]
