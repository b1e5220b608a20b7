"""What a node writes to the stream itself."""

from __future__ import annotations

import logging
from typing import Any

from assistant_stream_ce._json import to_json
from assistant_stream_ce.chunks import DataPartChunk
from assistant_stream_ce.errors import NotJSONError

__all__ = ("custom_data_part",)

logger = logging.getLogger(__name__)


def custom_data_part(payload: Any) -> DataPartChunk | None:
    """The data part for what a node wrote with `get_stream_writer()` or `push_ui_message()`.

    `{"type": "ui", "id", "name", "props"}` is a UI message: its name and props. A dict with a
    `name` and `data` is taken at its word, and one with a `type` is named by it. Everything else
    is named `"custom"`. A dict's `id` is the part's id.
    """
    try:
        data = to_json(payload)
    except NotJSONError as error:
        logger.warning("Passed over a custom event: %s", error)
        return None
    if not isinstance(data, dict):
        return DataPartChunk("custom", data)
    part_id = data.get("id")
    part_id = part_id if isinstance(part_id, str) else None
    match data:
        case {"type": "ui", "name": str(name), "props": props}:
            return DataPartChunk(name, props, part_id)
        case {"name": str(name), "data": value}:
            return DataPartChunk(name, value, part_id)
        case {"type": str(name)}:
            return DataPartChunk(name, data, part_id)
        case _:
            return DataPartChunk("custom", data, part_id)
