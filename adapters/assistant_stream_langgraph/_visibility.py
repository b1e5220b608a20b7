"""Which model calls are not meant for the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langgraph.constants import TAG_NOSTREAM

__all__ = ("is_internal",)


def is_internal(metadata: Mapping[str, Any]) -> bool:
    """Whether a model call is the machinery's own: a middleware's summary or tool selection, or
    one that is tagged `nostream`."""
    tags = metadata.get("tags")
    return "lc_internal_call" in metadata or (tags is not None and TAG_NOSTREAM in tags)
