"""Whatever chunks come in whatever order, no client throws, warns or shows something else."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_ce.serialization import (
    AssistantTransportEncoder,
    DataStreamEncoder,
    StreamEncoder,
)
from tests.npm import decode
from tests.serialization.strategies import chunk_lists


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def encode(encoder: StreamEncoder, chunks: list[AssistantStreamChunk]) -> bytes:
    wire = "".join(map(encoder.encode_chunk, chunks)) + encoder.encode_end()
    return encoder.escape(wire).encode()


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chunk_lists(), st.integers(1, 9))
def test_both_clients_accept_it_and_show_the_same(
    chunks: list[AssistantStreamChunk], size: int
) -> None:
    data_stream = decode(encode(DataStreamEncoder(), chunks), "data-stream", split=size)
    transport = decode(
        encode(AssistantTransportEncoder(), chunks), "assistant-transport", split=size
    )

    assert comparable(data_stream.checked().message) == comparable(transport.checked().message)


def comparable(message: Any) -> Any:
    """A message without what only assistant transport carries, and without invented ids.

    The data stream cannot say that a text part has ended at a fatal error, so text beyond it
    continues the part; neighbouring parts of one kind are joined for that.
    """
    parts: list[dict[str, Any]] = []
    for part in message["parts"]:
        shown = {key: part[key] for key in part if key not in ("modelContent", "messages")}
        if parts and shown["type"] in ("text", "reasoning") and mergeable(parts[-1], shown):
            parts[-1]["text"] += shown["text"]
        else:
            parts.append(shown)
    status = message["status"]
    if "error" in status:
        status = {**status, "error": status["error"]["message"]}
    steps = [
        {key: step[key] for key in step if key != "messageId"}
        for step in message["metadata"]["steps"]
    ]
    return {
        "parts": parts,
        "status": status,
        "metadata": {**message["metadata"], "steps": steps},
    }


def mergeable(last: dict[str, Any], part: dict[str, Any]) -> bool:
    return (
        last["type"] == part["type"]
        and last.get("parentId") == part.get("parentId")
        and "unstable_summary" not in part
    )
