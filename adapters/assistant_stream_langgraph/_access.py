"""Who may use which thread: the `authorize` hook, and whose threads are whose."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

from langchain_core.runnables import RunnableConfig
from starlette.requests import Request

from assistant_stream_ce.errors import RequestError
from assistant_stream_ce.server import AssistantTransportRequest, ClientRequest

__all__ = (
    "AuthorizeHook",
    "ConfigHook",
    "ContextHook",
    "ThreadCall",
    "awaited",
    "client_thread_id",
    "find_owner",
    "stored_thread_id",
)


@dataclass(frozen=True, slots=True)
class ThreadCall:
    """What a hook learns about a request."""

    request: Request
    thread_id: str
    """The thread's id at the client; empty when the request is about no thread in particular."""
    body: AssistantTransportRequest | ClientRequest | None = None
    """What the client asks; `None` when it only reads the thread."""
    owner: str | None = None
    """Whose threads these are: what `authorize` has returned. Not known yet in that hook."""

    @property
    def stored_thread_id(self) -> str:
        """The thread's id in the checkpointer."""
        return stored_thread_id(self.owner, self.thread_id)


AuthorizeHook: TypeAlias = Callable[[ThreadCall], bool | str | Awaitable[bool | str]]
"""Decides about a request: the owner of the threads that it may use, or `True` for the threads
that belong to nobody. `False`, `None` and an empty owner refuse it with 403; for another answer
raise a `RequestError`."""

ConfigHook: TypeAlias = Callable[[ThreadCall], RunnableConfig | Awaitable[RunnableConfig]]
"""Makes the config of a request; may refuse it with a `RequestError`."""

ContextHook: TypeAlias = Callable[[ThreadCall], Any]
"""Makes the graph's runtime context, of whatever type its `context_schema` is; may be async."""


async def find_owner(authorize: AuthorizeHook | None, call: ThreadCall) -> str | None:
    """Return whose threads a request may use; `None` for those that belong to nobody.

    Raises:
        RequestError: The request is refused.
    """
    if authorize is None:
        return None
    verdict: object = await awaited(authorize(call))
    if verdict is True:
        return None
    if isinstance(verdict, str) and verdict:
        return verdict
    raise RequestError("You may not do this.", status_code=403)


def stored_thread_id(owner: str | None, thread_id: str) -> str:
    """Return the id of a thread in the checkpointer.

    The owner is a part of it, so that the threads of others are not there, whatever a client
    asks for. A client's id holds no slash, so it cannot name an owner.
    """
    return thread_id if owner is None else f"{quote(owner, safe='')}/{thread_id}"


def client_thread_id(owner: str | None, stored: str) -> str | None:
    """Return the id that the owner knows a stored thread by; `None` when it is another's."""
    prefix = stored_thread_id(owner, "")
    thread_id = stored.removeprefix(prefix) if stored.startswith(prefix) else ""
    return thread_id if thread_id and "/" not in thread_id else None


async def awaited(value: Any) -> Any:
    """Return what a hook has returned, whether it is async or not."""
    return await value if inspect.isawaitable(value) else value
