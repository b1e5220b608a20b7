"""Interrupts in the form that a client sees."""

from __future__ import annotations

import logging
from typing import Any

from assistant_stream_ce._json import to_json
from assistant_stream_ce.errors import NotJSONError
from assistant_stream_ce.typing import JSONValue

__all__ = ("interrupt_to_json",)

logger = logging.getLogger(__name__)


def interrupt_to_json(interrupt: Any) -> dict[str, JSONValue]:
    """`{"id", "value"}` and what else the interrupt says, such as its `response_schema`.

    A value without a JSON form is given as its `repr`: the pause must not go unseen.
    """
    shown: dict[str, JSONValue] = {
        "id": interrupt.id,
        "value": _json_or_repr(interrupt.value),
    }
    schema = getattr(interrupt, "response_schema", None)
    if schema is not None:
        shown["response_schema"] = _json_or_repr(schema)
    return shown


def _json_or_repr(value: object) -> JSONValue:
    try:
        return to_json(value)
    except NotJSONError as error:
        logger.warning("The value of an interrupt has no JSON form: %s", error)
        return repr(value)
