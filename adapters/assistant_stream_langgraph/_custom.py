"""What a node writes to the stream itself."""

from __future__ import annotations

import logging
from typing import Any

from assistant_stream_ce._json import to_json
from assistant_stream_ce.chunks import DataChunk, DataPartChunk
from assistant_stream_ce.errors import NotJSONError

from ._shapes import id_of, is_dict

__all__ = ("UIMessages", "custom_data", "custom_data_part")

logger = logging.getLogger(__name__)

_NO_FORM: Any = object()


def custom_data_part(payload: Any) -> DataPartChunk | None:
    """The data part for what a node wrote with `get_stream_writer()` or `push_ui_message()`.

    `{"type": "ui", "id", "name", "props"}` is a UI message: its name and props. A dict with a
    `name` and `data` is taken at its word, and one with a `type` is named by it. Everything else
    is named `"custom"`. A dict's `id` is the part's id.
    """
    data = _to_json(payload)
    if data is _NO_FORM:
        return None
    if not is_dict(data):
        return DataPartChunk("custom", data)
    part_id = id_of(data)
    match data:
        case {"type": "ui", "name": str(name), "props": props}:
            return DataPartChunk(name, props, part_id)
        case {"name": str(name), "data": value}:
            return DataPartChunk(name, value, part_id)
        case {"type": str(name)}:
            return DataPartChunk(name, data, part_id)
        case _:
            return DataPartChunk("custom", data, part_id)


class UIMessages:
    """Completes UI messages, which may say only what has changed in them.

    `push_ui_message(merge=True)` sends new props alone, `delete_ui_message()` an id alone; a data
    part is replaced whole.
    """

    def __init__(self) -> None:
        self._shown: dict[str, dict[str, Any]] = {}

    def complete(self, payload: Any) -> Any:
        """The payload with what is known of its UI message; any other as it is."""
        match payload:
            case {"type": "remove-ui", "id": str(ui_id)} if ui_id in self._shown:
                return {**self._shown.pop(ui_id), "props": None}
            case {"type": "ui", "id": str(ui_id), "props": {**props}}:
                known = self._shown.get(ui_id)
                metadata = payload.get("metadata")
                if known is not None and is_dict(metadata) and metadata.get("merge"):
                    payload = {**payload, "props": {**known["props"], **props}}
                self._shown[ui_id] = payload
            case _:
                pass
        return payload


def custom_data(payload: Any) -> DataChunk | None:
    """The same as an item of data, for an answer that has no parts."""
    data = _to_json(payload)
    return None if data is _NO_FORM else DataChunk(data)


def _to_json(payload: Any) -> Any:
    try:
        return to_json(payload)
    except NotJSONError as error:
        logger.warning("Passed over a custom event: %s", error)
        return _NO_FORM
