"""Type aliases and Protocols of the core."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, Union

if TYPE_CHECKING:
    from .chunks import AssistantStreamChunk
    from .controller import RunController
    from .message import AssistantMessage

__all__ = (
    "CancelCallback",
    "CancellationSignal",
    "ChunkSource",
    "ChunkStream",
    "FinishReason",
    "JSONValue",
    "RunCallback",
)

JSONValue: TypeAlias = Union[None, bool, int, float, str, "list[JSONValue]", "dict[str, JSONValue]"]
"""A value that JSON can hold. Floats are finite."""

FinishReason: TypeAlias = Literal[
    "stop", "length", "content-filter", "tool-calls", "error", "other", "unknown"
]
"""Why a model call or a message ended, in the words of the assistant-ui clients."""

ChunkStream: TypeAlias = "AsyncGenerator[AssistantStreamChunk, None]"
"""What `create_run` returns: closing it ends the run."""

ChunkSource: TypeAlias = "AsyncIterable[AssistantStreamChunk]"
"""Anything chunks can be read from; nothing is assumed about closing it."""

RunCallback: TypeAlias = "Callable[[RunController], Awaitable[None]]"
"""The user's coroutine function; it emits chunks through the controller it is given."""


CancelCallback: TypeAlias = "Callable[[AssistantMessage], Awaitable[None] | None]"
"""What `create_run(on_cancel=...)` takes: it gets the message as far as it had come."""


class CancellationSignal(Protocol):
    """A read-only view of a run's cancellation."""

    def is_set(self) -> bool:
        """Whether the run has been cancelled."""
        ...

    async def wait(self) -> bool:
        """Return `True` once the run has been cancelled."""
        ...
