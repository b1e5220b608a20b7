"""The tool calls of a streaming message in the mirrored state."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.utils.json import parse_partial_json

from ._growth import Operations, extend, put

__all__ = ("LiveCalls",)


class LiveCalls:
    """Tool calls whose arguments grow as `partial_json`, where the client's converter looks for
    them first.

    Args:
        calls: The message's `tool_calls` in the mirror.
    """

    def __init__(self, calls: list[Any]) -> None:
        self._calls = calls
        self._path: list[str] = []
        self._args_paths: list[list[str]] = []
        self._by_id: dict[str, int] = {}
        self._by_index: dict[Any, int] = {}

    def move(self, path: list[str]) -> None:
        """Stand at `path` in the state from now on."""
        self._path = path
        places = range(len(self._calls))
        self._args_paths = [[*path, str(place), "partial_json"] for place in places]

    def append(self, piece: Mapping[str, Any], operations: Operations) -> None:
        """Add one tool-call chunk."""
        place = self._place(piece)
        args = piece.get("args") or ""
        if place is None:
            self._open(piece, args, operations)
            return
        call = self._calls[place]
        for key in ("id", "name"):
            if piece.get(key) and not call[key]:
                put(call, key, piece[key], [*self._path, str(place)], operations)
        if args:
            extend(call, "partial_json", args)
            path = self._args_paths[place][:]
            operations.append({"type": "append-text", "path": path, "value": args})

    def next_args(self, pieces: Sequence[Mapping[str, Any]]) -> tuple[list[str], str] | None:
        """Add a piece of the arguments of a call known by its index; returns their path and the
        piece. If the pieces are more than that, nothing is done."""
        piece = pieces[0]
        args, place = piece["args"], self._by_index.get(piece["index"])
        if len(pieces) > 1 or piece["id"] or piece["name"] or not args or place is None:
            return None
        extend(self._calls[place], "partial_json", args)
        return self._args_paths[place], args

    def finished(self) -> list[Any]:
        """The calls as they are in a finished message."""
        return [
            {
                "name": call["name"],
                "args": _parse(call["partial_json"]),
                "id": call["id"],
                "type": "tool_call",
            }
            for call in self._calls
        ]

    def _place(self, piece: Mapping[str, Any]) -> int | None:
        """The call that a chunk goes on with; by id, by index, or else the last one."""
        call_id, index = piece.get("id"), piece.get("index")
        if call_id and call_id in self._by_id:
            return self._by_id[call_id]
        if index is not None:
            place = self._by_index.get(index)
        else:
            place = None if call_id or not self._calls else len(self._calls) - 1
        if place is not None and call_id and self._calls[place]["id"]:
            return None  # Some providers give every call the same index.
        return place

    def _open(self, piece: Mapping[str, Any], args: str, operations: Operations) -> None:
        place = len(self._calls)
        call_id, index = piece.get("id"), piece.get("index")
        if call_id:
            self._by_id[call_id] = place
        if index is not None:
            self._by_index[index] = place
        self._args_paths.append([*self._path, str(place), "partial_json"])
        call: dict[str, Any] = {
            "name": piece.get("name") or "",
            "args": {},
            "id": call_id,
            "type": "tool_call",
            "partial_json": args,
        }
        put(self._calls, place, call, self._path, operations)


def _parse(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except json.JSONDecodeError:
        return parse_partial_json(text) if text.lstrip().startswith("{") else {}
