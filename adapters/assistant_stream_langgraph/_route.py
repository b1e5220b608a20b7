"""Where the chunks of a message go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from assistant_stream_langchain import Place

from ._structured_calls import StructuredAnswer

__all__ = ("HIDDEN", "Route")


class Route(NamedTuple):
    """Where the chunks of one message go."""

    place: Place = Place()
    parent_id: str | None = None
    hidden: bool = False
    answer: StructuredAnswer | None = None
    """For a message that is a value and no text."""
    schema: str | None = None
    """The schema that its text is to fill."""
    about: Mapping[str, Any] | None = None
    """What LangGraph tells of the model call."""


HIDDEN = Route(hidden=True)
