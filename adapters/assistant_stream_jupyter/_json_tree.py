"""A JSON value as a tree that folds, with what changed last marked."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from html import escape
from typing import TypeAlias, cast

from assistant_stream_ce.typing import JSONValue

from ._limits import Limits

__all__ = ("Path", "brief", "clip", "json_tree")

Path: TypeAlias = tuple[str, ...]
"""Keys from the root to a value; list indices as text, as in state operations."""

OPEN_ITEMS = 12
"""A container with more items starts folded, unless something in it has changed."""


def json_tree(value: JSONValue, limits: Limits, *, changed: Collection[Path] = ()) -> str:
    """Render `value`; the values at and below the paths in `changed` are marked."""
    return _Tree(limits, changed).render(value, ())


def clip(text: str, length: int) -> str:
    """Return `text`, cut with a note when it is longer than `length`."""
    if len(text) <= length:
        return text
    return f"{text[:length]}… ({len(text) - length:,} more characters)"


def brief(value: JSONValue, length: int = 60) -> str:
    """Say `value` in one short line, as plain text."""
    if isinstance(value, dict):
        text = ", ".join(f"{key}: {_short(item)}" for key, item in list(value.items())[:6])
    elif isinstance(value, str):
        text = value
    else:
        text = _short(value)
    text = " ".join(text[: 4 * length].split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _short(value: JSONValue) -> str:
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return f"[{len(value)}]" if value else "[]"
    return json.dumps(value[:200] if isinstance(value, str) else value, ensure_ascii=False)


class _Tree:
    """One rendering; counts the values it has shown."""

    def __init__(self, limits: Limits, changed: Collection[Path]) -> None:
        self._limits = limits
        self._changed = changed
        self._left = limits.nodes

    def render(self, value: JSONValue, path: Path) -> str:
        """Render one value."""
        self._left -= 1
        match value:
            case dict() if value:
                return self._items(value.items(), len(value), path)
            case list() if value:
                pairs = ((str(index), item) for index, item in enumerate(value))
                return self._items(pairs, len(value), path)
            case _:
                return self._leaf(value)

    def _leaf(self, value: JSONValue) -> str:
        if isinstance(value, str):
            kind, text = "str", clip(value, self._limits.string)
        else:
            kind, text = "num" if isinstance(value, (int, float)) else "nil", json.dumps(value)
        return f'<span class="asc-{kind}">{escape(text)}</span>'

    def _items(self, items: Iterable[tuple[str, JSONValue]], count: int, path: Path) -> str:
        rows: list[str] = []
        for key, item in items:
            if self._left <= 0:
                rows.append(f'<li class="asc-more">{count - len(rows):,} more</li>')
                break
            rows.append(self._row(key, item, (*path, key)))
        return f'<ul class="asc-tree">{"".join(rows)}</ul>'

    def _row(self, key: str, value: JSONValue, path: Path) -> str:
        is_new = path in self._changed
        mark = ' class="asc-new"' if is_new else ""
        name = f'<span class="asc-key">{escape(clip(key, 200))}</span>'
        if not isinstance(value, (dict, list)) or not value:
            return f"<li{mark}>{name} {self.render(value, path)}</li>"
        unit = "key" if isinstance(value, dict) else "item"
        size = f"{len(value):,} {unit}{'' if len(value) == 1 else 's'}"
        opened = " open" if len(value) <= OPEN_ITEMS or self._is_changed_below(path) else ""
        inner = self.render(cast("JSONValue", value), path)
        return (
            f"<li{mark}><details{opened}><summary>{name} "
            f'<span class="asc-nil">{size}</span></summary>{inner}</details></li>'
        )

    def _is_changed_below(self, path: Path) -> bool:
        return any(changed[: len(path)] == path for changed in self._changed)
