"""Characters that a terminal would obey instead of show."""

from __future__ import annotations

import re

__all__ = ("with_visible_controls", "without_controls")

# Escape sequences could move the cursor, retitle the window or fill the clipboard; the others
# change the direction of what follows.
_KEPT = "\t\n"
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def without_controls(text: str) -> str:
    """Return `text` without them; tabs and line ends stay."""
    return _CONTROLS.sub(lambda match: match[0] if match[0] in _KEPT else "", text)


def with_visible_controls(text: str) -> str:
    """Return `text` in one line, with escapes in the place of them."""
    return _CONTROLS.sub(lambda match: ascii(match[0])[1:-1], text)
