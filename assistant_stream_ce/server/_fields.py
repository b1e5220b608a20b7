"""Reading fields of a JSON body, so that each complaint says what, where and what to do."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.typing import JSONValue

from .conversation import FilePart

__all__ = ("DEFAULT_LIMITS", "Fields", "RequestLimits", "check_url", "read_file", "short")

_DATA_TYPE = re.compile(r"data:([\w.+-]{1,127}/[\w.+-]{1,127})[;,]", re.IGNORECASE | re.ASCII)
_NO_URL = frozenset(" \\")
_PRIVATE_NAMES = ("localhost", "local", "internal")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """How much one request may hold. The size of the whole body is bounded when it is read."""

    messages: int = 1_000
    """Messages, or commands."""
    parts: int = 500
    """Parts of one message; a long answer with many tool calls has some hundred."""
    text_length: int = 1_000_000
    """Characters of one text."""
    file_length: int = 8 * 1024 * 1024
    """Characters of one file: of its base64 text, its `data:` URL or its address."""
    name_length: int = 512
    """Characters of an id, a name or a media type."""
    tools: int = 128
    """Tools that run in the front end."""


DEFAULT_LIMITS = RequestLimits()
"""The limits where none are set."""


class Fields:
    """A JSON object and where in the body it stands."""

    __slots__ = ("limits", "values", "where")

    def __init__(
        self, value: JSONValue, where: str, limits: RequestLimits = DEFAULT_LIMITS
    ) -> None:
        if not isinstance(value, dict):
            raise RequestError(f"`{where}` must be an object, not {_kind(value)}.")
        self.values = value
        self.where = where
        self.limits = limits

    def refused(self, key: str, why: str) -> RequestError:
        """Return the complaint that the field `key` `why`."""
        return RequestError(f"`{self.where}.{key}` {why}")

    def too_much(self, key: str, count: int, what: str, limit: int) -> RequestError:
        """Return the complaint that the field `key` has more than `limit` of something."""
        why = f"has {count} {what}; this server takes up to {limit}."
        return RequestError(f"`{self.where}.{key}` {why}", status_code=413)

    def unknown(self, key: str, *known: str) -> RequestError:
        """Return the complaint that the text `key` is none of those that are known."""
        *names, last = map(repr, known)
        listed = f"are {', '.join(names)} and {last}" if names else f"is {last}"
        return self.refused(key, f"is {short(self.word(key))}; known {listed}.")

    def has(self, key: str) -> bool:
        """Whether there is a value; `null` says the same as no key at all."""
        return self.values.get(key) is not None

    def text(self, key: str) -> str:
        """Return a text."""
        return self._text(key, self.limits.text_length)

    def word(self, key: str) -> str:
        """Return a text that is one of few."""
        value = self.values.get(key)
        if not isinstance(value, str):
            raise self.refused(key, f"must be a string, not {_kind(value)}.")
        return value

    def name(self, key: str) -> str:
        """Return an id or a name, which is short and not empty."""
        if not (value := self._text(key, self.limits.name_length)):
            raise self.refused(key, "is empty.")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return a text if there is one."""
        return self.text(key) if self.has(key) else None

    def optional_name(self, key: str) -> str | None:
        """Return an id or a name if there is one; an empty one is none."""
        if self.values.get(key) == "":
            return None
        return self.name(key) if self.has(key) else None

    def file(self, key: str) -> str:
        """Return the data or the address of a file."""
        return self._text(key, self.limits.file_length)

    def flag(self, key: str) -> bool:
        """Return whether the field says yes."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.refused(key, f"must be true or false, not {_kind(value)}.")
        return bool(value)

    def object(self, key: str) -> Fields:
        """Return an object."""
        return Fields(self.values.get(key), f"{self.where}.{key}", self.limits)

    def optional_object(self, key: str) -> dict[str, JSONValue] | None:
        """Return an object's values if there is one."""
        return self.object(key).values if self.has(key) else None

    def items(self, key: str, limit: int) -> list[JSONValue]:
        """Return an array of no more than `limit` items."""
        value = self.values.get(key)
        if not isinstance(value, list):
            raise self.refused(key, f"must be an array, not {_kind(value)}.")
        if len(value) > limit:
            raise self.too_much(key, len(value), "items", limit)
        return value

    def objects(self, key: str, limit: int) -> list[Fields]:
        """Return an array of no more than `limit` objects."""
        where = f"{self.where}.{key}"
        items = self.items(key, limit)
        return [Fields(item, f"{where}[{i}]", self.limits) for i, item in enumerate(items)]

    def optional_objects(self, key: str, limit: int) -> list[Fields]:
        """Return an array of objects; no array is an empty one."""
        return self.objects(key, limit) if self.has(key) else []

    def named_objects(self, key: str, limit: int) -> Iterator[tuple[str, Fields]]:
        """Yield the members of an object of objects; no object is an empty one."""
        if not self.has(key):
            return
        members = self.object(key)
        if len(members.values) > limit:
            raise self.too_much(key, len(members.values), "members", limit)
        for name in members.values:
            yield name, members.object(name)

    def _text(self, key: str, limit: int) -> str:
        value = self.word(key)
        if len(value) > limit:
            raise self.too_much(key, len(value), "characters", limit)
        return value


def read_file(fields: Fields, key: str, mime_type: str) -> FilePart:
    """Return the file of a part whose data may be base64 text or an address.

    What a `data:` URL says of its type counts more than `mime_type`.
    """
    data = fields.file(key)
    if not _BASE64.fullmatch(data):
        check_url(data, f"{fields.where}.{key}")
        if match := _DATA_TYPE.match(data):
            mime_type = match[1]
    return FilePart(data, mime_type, fields.optional_name("filename"))


def check_url(url: str, where: str, data_type: str = "") -> str:
    """Let `data:` pass, and `https:` to public hosts.

    Other schemes reach files and services of the server. So do private hosts, because some models'
    clients fetch a file before they send it on. A name that resolves to a private address cannot
    be told here.
    """
    if url[:5].lower() == "data:":
        if url[5 : 5 + len(data_type)].lower() == data_type:
            return url
        raise RequestError(f"`{where}` must be a `data:{data_type}...` URL, it is of another type.")
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        usable = parts.scheme == "https" and parts.username is None and parts.port != 0
    except ValueError:
        host, usable = "", False
    if not usable or not host or not url.isprintable() or not _NO_URL.isdisjoint(url):
        raise RequestError(f"`{where}` must be an `https:` or a `data:` URL.")
    if not _is_public(host):
        raise RequestError(f"`{where}` must be the address of a public host, not {short(host)}.")
    return url


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    # `127.1` and `0x7f000001` are addresses as well, to all that resolve names. Letters beyond
    # ASCII may stand for others; browsers send such a name in its ASCII form.
    name = host.rpartition(".")[2]
    return host.isascii() and name[:1].isalpha() and name not in _PRIVATE_NAMES


def short(text: str) -> str:
    """`text` in a message: it is the client's, and can be megabytes."""
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def _kind(value: JSONValue) -> str:
    match value:
        case None:
            return "missing or null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "an object"
