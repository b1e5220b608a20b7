"""JSON for the wires: a value's JSON-safe snapshot, and its text.

`to_json` decides once what every foreign type looks like to a client; `dumps` writes text that
the assistant-ui clients accept. Pydantic, LangChain and numpy are recognised by what their
objects offer, so that none of them has to be imported.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
import json.encoder
import logging
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson

from .errors import NotJSONError
from .typing import JSONValue

__all__ = ("copy_json", "dumps", "json_string", "register_json_type", "to_json")

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")

PLAIN_TYPES = frozenset({str, int, bool, type(None)})
"""Exact types that are their own JSON form."""

_MESSAGE_TYPES = {
    f"{name}MessageChunk": name.lower()
    for name in ("AI", "Human", "System", "Tool", "Function", "Chat")
}
"""The client's message converter skips a message whose type names a chunk class."""

_converters: dict[type, Callable[[object], object]] = {}
_warned: set[str] = set()

type_of: Callable[[object], type[object]] = type
"""`type(value)`, but the type checkers do not carry an unknown value's type along with it."""

json_string: Callable[[str], str] = json.encoder.encode_basestring
"""Quote a text as a JSON string at C speed; a lone surrogate is left to the HTTP layer."""


def register_json_type(type_: type[_T], convert: Callable[[_T], object]) -> None:
    """Teach the package the JSON form of a type and of its subclasses.

    Args:
        type_: The type. `str`, `int`, `bool`, `float`, `dict`, `list` and `tuple` are fixed.
        convert: Takes a value of the type and returns one that has a JSON form. It comes before
            the built-in rules, so it can also change the form of a type they know.
    """
    if type_ in PLAIN_TYPES or type_ in (float, dict, list, tuple):
        raise ValueError(f"The JSON form of `{type_.__name__}` is fixed; register a subclass of it")
    _converters[type_] = cast("Callable[[object], object]", convert)


def to_json(value: object) -> JSONValue:
    """Return a deep, JSON-safe snapshot of a value; it shares no container with the value.

    NaN and infinity become `None`, and keys that the clients refuse (`__proto__`) are dropped.

    Raises:
        NotJSONError: Something inside has no JSON form; the message says where.
    """
    try:
        return _convert(value)
    except RecursionError:
        raise NotJSONError("The value contains itself or is nested too deeply for JSON") from None
    except _NoFormError as error:
        raise NotJSONError(_no_form_message(value, error.culprit)) from error.__cause__


def copy_json(value: JSONValue) -> JSONValue:
    """Return a deep copy of a value that is JSON already."""
    if type(value) is dict:
        members = value.copy()  # and then deeper: quicker than building it anew
        for key, item in members.items():
            if type(item) is dict or type(item) is list:
                members[key] = copy_json(item)
        return members
    if type(value) is list:
        return [
            copy_json(item) if type(item) is dict or type(item) is list else item for item in value
        ]
    return value


def dumps(value: object) -> str:
    """Write a value as compact JSON that every client accepts.

    Lone surrogates become escapes, NaN becomes `null`, and keys that make the clients drop the
    whole frame are left out with one warning.

    Raises:
        NotJSONError: Something inside has no JSON form; the message says where.
    """
    try:
        text = orjson.dumps(value, to_json, _OPTIONS).decode()
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits, lone surrogates, keys that are no strings, deep nesting.
        slow = json.dumps(to_json(value), ensure_ascii=False, separators=(",", ":"))
        return slow.encode("utf-8", "backslashreplace").decode()
    if ('"__proto__":' in text or '"constructor":' in text) and _has_unsafe_key(text):
        text = orjson.dumps(to_json(value)).decode()
    return text


_OPTIONS = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
"""Leave to `to_json` what it would write differently."""


def _has_unsafe_key(text: str) -> bool:
    value: object = orjson.loads(text)
    return to_json(value) != value


class _NoFormError(Exception):
    def __init__(self, culprit: object) -> None:
        self.culprit = culprit


# Below, `Any` is any Python value: it is looked at by exact type, and a cast would cost a call.


def _convert(value: Any) -> JSONValue:
    kind = type_of(value)
    plain: JSONValue = value
    if kind in PLAIN_TYPES:
        return plain
    if kind is dict:
        return _convert_mapping(value)
    if kind is list or kind is tuple:
        return _convert_items(value)
    if kind is float:
        return plain if math.isfinite(value) else None
    return _convert_object(value)


def _convert_items(items: Iterable[Any]) -> list[JSONValue]:
    return [item if type(item) in PLAIN_TYPES else _convert(item) for item in items]


def _convert_mapping(mapping: Mapping[Any, Any]) -> dict[str, JSONValue]:
    result: dict[str, JSONValue] = {
        key if type(key) is str else _convert_key(key): item
        if type(item) in PLAIN_TYPES
        else _convert(item)
        for key, item in mapping.items()
    }
    if "__proto__" in result:
        _drop(result, "__proto__")
    if "constructor" in result:
        constructor = result["constructor"]
        if isinstance(constructor, dict) and "prototype" in constructor:
            _drop(result, "constructor")
    return result


def _drop(mapping: dict[str, JSONValue], key: str) -> None:
    # secure-json-parse in the client refuses a frame that holds such a key anywhere.
    del mapping[key]
    if key not in _warned:
        _warned.add(key)
        _logger.warning("Dropped a `%s` key: the clients refuse JSON that holds one", key)


def _convert_key(key: Any) -> str:
    converted = _convert(key)
    if isinstance(converted, str):
        return converted
    if isinstance(converted, (dict, list)):
        raise _NoFormError(key)
    return json.dumps(converted)


def _convert_object(value: Any) -> JSONValue:
    """Convert what is not one of the exact JSON types."""
    kind = type_of(value)
    for ancestor in kind.__mro__:
        convert = _converters.get(ancestor)
        if convert is not None:
            return _convert(convert(value))
    if isinstance(value, type):
        raise _NoFormError(value)
    if isinstance(value, Enum):
        return _convert(value.value)
    if isinstance(value, (str, int, float)):
        return _convert_scalar(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(cast("bytes", value)).decode()
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else None
    if isinstance(value, (UUID, PurePath)):
        return str(value)
    return _convert_structure(value)


def _convert_scalar(value: str | float) -> JSONValue:
    """Bring a subclass of a scalar down to the scalar itself."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    return _convert(float.__float__(value))


def _convert_structure(value: Any) -> JSONValue:
    """Convert containers and objects with fields, which are told by what they offer."""
    snapshot = getattr(value, "__to_json__", None)
    if callable(snapshot):
        return _convert(snapshot())
    if isinstance(value, Mapping):
        return _convert_mapping(cast("Mapping[object, object]", value))
    if isinstance(value, AbstractSet):
        return _convert_set(cast("AbstractSet[object]", value))
    if callable(getattr(value, "model_dump", None)):
        return _convert_model(value)
    if dataclasses.is_dataclass(value):
        return _convert_mapping(_fields(value))
    if hasattr(value, "dtype") and callable(getattr(value, "tolist", None)):
        # numpy and pandas scalars and arrays; tensors.
        return _convert(value.tolist())
    if isinstance(value, Collection):
        return _convert_items(cast("Collection[object]", value))
    raise _NoFormError(value)


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _convert_set(values: AbstractSet[Any]) -> list[JSONValue]:
    items = _convert_items(values)
    # The order of a set changes from process to process; a client should not see that.
    return sorted(items, key=lambda item: (type(item).__name__, json.dumps(item)))


def _convert_model(model: Any) -> JSONValue:
    """Dump a pydantic model, a LangChain message or document."""
    try:
        # `serialize_as_any`: a field typed `BaseMessage` must not lose an `AIMessage`'s fields.
        dumped = model.model_dump(mode="json", serialize_as_any=True, warnings=False)
    except Exception:  # pydantic's own error, or a serializer's: our rules may know more types
        try:
            dumped = model.model_dump()
        except Exception as error:
            raise _NoFormError(model) from error
    result = _convert(dumped)
    if isinstance(result, dict):
        name = result.get("type")
        if isinstance(name, str) and name in _MESSAGE_TYPES and "content" in result:
            result["type"] = _MESSAGE_TYPES[name]
    return result


def _no_form_message(value: object, culprit: object) -> str:
    where = ".".join(_path_to(value, culprit))
    place = f" at `{where}`" if where else ""
    name = f"{type(culprit).__module__}.{type(culprit).__qualname__}"
    return (
        f"A value of type `{name}`{place} has no JSON form. Convert it before you hand it over, "
        f"or teach its type once with `register_json_type({type(culprit).__name__}, convert)`"
    )


def _path_to(value: Any, culprit: object) -> list[str]:
    """Find where the culprit sits; only runs once the conversion has failed."""
    if value is culprit:
        return []
    pairs: Iterable[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = _fields(value).items()
    elif isinstance(value, (list, tuple)):
        pairs = enumerate(cast("list[object]", value))
    for key, item in pairs:
        try:
            _convert(item)
        except _NoFormError:
            return [str(key), *_path_to(item, culprit)]
    return []
