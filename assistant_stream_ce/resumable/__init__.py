"""Resumable streams: the bytes of an answer go to a store, and a reload replays and follows.

    store = create_in_memory_resumable_stream_store()
    context = create_resumable_stream_context(store=store)

`create_resumable_assistant_stream_response` starts a run whose answer outlives its client, and
`create_resume_assistant_stream_response` sends that answer again. The Redis store needs the extra
`redis`, and is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .context import ResumableStreamContext, create_resumable_stream_context
from .errors import (
    DEFAULT_TTL,
    DEFAULT_TTL_MS,
    ResumableStreamError,
    ResumableStreamErrorCode,
    validate_stream_id,
)
from .in_memory import InMemoryResumableStreamStore, create_in_memory_resumable_stream_store
from .response import (
    REPLAY_CONTENT_LENGTH_HEADER,
    RESUMABLE_STREAM_ID_HEADER,
    create_resumable_assistant_stream_response,
    create_resume_assistant_stream_response,
    cursor_from_request,
)
from .types import (
    CancellationSignal,
    ManagedStreamStore,
    ResumableStreamEntry,
    ResumableStreamInfo,
    ResumableStreamRole,
    ResumableStreamStatus,
    ResumableStreamStore,
    StreamEnd,
)

if TYPE_CHECKING:
    from .redis import RedisLikeClient as RedisLikeClient
    from .redis import RedisResumableStreamStore as RedisResumableStreamStore
    from .redis import create_redis_resumable_stream_store as create_redis_resumable_stream_store

__all__ = (
    "DEFAULT_TTL",
    "DEFAULT_TTL_MS",
    "REPLAY_CONTENT_LENGTH_HEADER",
    "RESUMABLE_STREAM_ID_HEADER",
    "CancellationSignal",
    "InMemoryResumableStreamStore",
    "ManagedStreamStore",
    "ResumableStreamContext",
    "ResumableStreamEntry",
    "ResumableStreamError",
    "ResumableStreamErrorCode",
    "ResumableStreamInfo",
    "ResumableStreamRole",
    "ResumableStreamStatus",
    "ResumableStreamStore",
    "StreamEnd",
    "create_in_memory_resumable_stream_store",
    "create_resumable_assistant_stream_response",
    "create_resumable_stream_context",
    "create_resume_assistant_stream_response",
    "cursor_from_request",
    "validate_stream_id",
)

_NEEDS_REDIS = (
    "RedisLikeClient",
    "RedisResumableStreamStore",
    "create_redis_resumable_stream_store",
)
"""Not in `__all__`, so that a star import needs no Redis."""


def __getattr__(name: str) -> Any:
    if name not in _NEEDS_REDIS:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(".redis", __name__), name)


def __dir__() -> list[str]:
    return sorted((*__all__, *_NEEDS_REDIS))
