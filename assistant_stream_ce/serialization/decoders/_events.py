"""Server-sent events out of lines."""

from __future__ import annotations

from assistant_stream_ce.errors import StreamDecodeError

__all__ = ("EventReader",)


class EventReader:
    """Collects the lines of an event; of its fields, only `data` and `event` matter.

    Args:
        max_length: How many characters the data of an event may have.
    """

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length
        self._name = ""
        self._data: list[str] = []
        self._length = 0

    def take_line(self, line: str) -> tuple[str, str] | None:
        """Take a line; returns the name and the data of the event that it ends.

        Raises:
            StreamDecodeError: The event has too much data.
        """
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._length += len(value) + 1
            if self._length > self._max_length:
                raise StreamDecodeError(
                    f"An event of the stream has more than {self._max_length} characters; if the "
                    "server means it, raise the decoder's `max_frame_size`"
                )
            self._data.append(value)
        elif name == "event":
            self._name = value
        return None

    def _dispatch(self) -> tuple[str, str] | None:
        event = (self._name or "message", "\n".join(self._data)) if self._data else None
        self._name = ""
        self._data.clear()
        self._length = 0
        return event
