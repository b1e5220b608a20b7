"""Code written for upstream finds every name where it left it."""

from __future__ import annotations

from importlib import import_module

import pytest

from assistant_stream_ce import resumable

NAMES = {
    "resumable": (
        "DEFAULT_TTL_MS",
        "RESUMABLE_STREAM_ID_HEADER",
        "CancellationSignal",
        "RedisLikeClient",
        "RedisResumableStreamStore",
        "ResumableStreamContext",
        "ResumableStreamEntry",
        "ResumableStreamError",
        "ResumableStreamErrorCode",
        "ResumableStreamRole",
        "ResumableStreamStatus",
        "ResumableStreamStore",
        "create_in_memory_resumable_stream_store",
        "create_redis_resumable_stream_store",
        "create_resumable_assistant_stream_response",
        "create_resumable_stream_context",
        "create_resume_assistant_stream_response",
        "validate_stream_id",
    ),
    "resumable.context": ("ResumableStreamContext", "create_resumable_stream_context"),
    "resumable.errors": ("DEFAULT_TTL_MS", "ResumableStreamError", "validate_stream_id"),
    "resumable.response": (
        "RESUMABLE_STREAM_ID_HEADER",
        "create_resumable_assistant_stream_response",
        "create_resume_assistant_stream_response",
    ),
    "resumable.stores": (
        "create_in_memory_resumable_stream_store",
        "create_redis_resumable_stream_store",
    ),
    "resumable.stores.in_memory": ("create_in_memory_resumable_stream_store",),
    "resumable.stores.redis": (
        "RedisLikeClient",
        "RedisResumableStreamStore",
        "create_redis_resumable_stream_store",
    ),
    "resumable.types": (
        "CancellationSignal",
        "ResumableStreamEntry",
        "ResumableStreamRole",
        "ResumableStreamStatus",
        "ResumableStreamStore",
    ),
}


@pytest.mark.parametrize("module", NAMES)
def test_names(module: str) -> None:
    older = import_module(f"assistant_stream.{module}")
    for name in NAMES[module]:
        assert getattr(older, name) is getattr(resumable, name)


def test_nothing_is_offered_that_is_not_there() -> None:
    assert "create_redis_resumable_stream_store" in dir(resumable)
    with pytest.raises(AttributeError, match="no attribute `create_nothing`"):
        _ = resumable.create_nothing
