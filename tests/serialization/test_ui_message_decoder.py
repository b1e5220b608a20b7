"""Every case of the table as a UI message stream, read by assistant-ui's own decoder.

`useDataStreamRuntime` uses it. It is poorer than the AI SDK: it has no ids of parts, no parents, no
summaries and no documents, and what is data goes to the message's metadata.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant_stream_ce.chunks import AssistantStreamChunk, DataPartChunk, ErrorChunk
from tests.npm import decode
from tests.serialization.ai_sdk import encode
from tests.serialization.cases import CASES, COMPLETE, DONE_CALL, Case, Part, by_name, call, text
from tests.serialization.strategies import chunk_lists

# A call is shown once its arguments are complete, so it may come after what began later.
OTHERWISE: dict[str, list[Part]] = {
    "parallel calls with interleaved arguments": [
        call('{"city":"Oslo"}', {"city": "Oslo"}, "c2", "weather", result=7),
        DONE_CALL,
    ],
    "text between arguments": [text("ab"), DONE_CALL, text("c")],
}


def expected_parts(case: Case) -> list[Part]:
    parts: list[Part] = []
    shown = OTHERWISE.get(case.name, case.parts)
    for part in map(poorer, shown):
        if part is None or (part["type"] == "reasoning" and not part["text"]):
            continue
        if parts and part["type"] in ("text", "reasoning") and parts[-1]["type"] == part["type"]:
            parts[-1]["text"] += part["text"]
        else:
            parts.append(part)
    return parts


def poorer(part: Part) -> Part | None:
    lost = ("parentId", "unstable_summary", "artifact", "status")
    kept = {key: value for key, value in part.items() if key not in lost}
    kept["status"] = COMPLETE
    match kept:
        case {"type": "data"} | {"sourceType": "document"}:
            return None
        case {"type": "file"}:
            kept["data"] = f"data:{part['mimeType']};base64,{part['data']}"
        case {"type": "tool-call"}:
            # The decoder writes the arguments anew, without the spaces of the original; arguments
            # that are no JSON are a text for it.
            args = kept["argsText"] if kept["argsText"] == '{"q":' else kept["args"]
            written = json.dumps(args, separators=(",", ":"), ensure_ascii=False)
            kept["argsText"] = written.encode("utf-8", "backslashreplace").decode()
        case _:
            pass
    return kept


def expected_data(case: Case) -> list[Part]:
    data = [{"name": "data", "data": item} for item in case.data]
    parts = [chunk for chunk in case.chunks if isinstance(chunk, DataPartChunk)]
    return data + [{"name": part.name, "data": part.data} for part in parts]


def expected_status(case: Case) -> Any:
    fatal = [
        c for c in case.chunks if isinstance(c, ErrorChunk) and c.severity in (None, "critical")
    ]
    warned = not fatal and any(isinstance(chunk, ErrorChunk) for chunk in case.chunks)
    return COMPLETE if warned else case.status


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_client_shows_the_expected_message(case: Case) -> None:
    wire = encode(case.chunks)

    whole = decode(wire, "ui-message-stream").checked()

    assert whole.parts == expected_parts(case)
    assert whole.status == expected_status(case)
    assert whole.metadata["unstable_data"] == expected_data(case)
    split = decode(wire, "ui-message-stream", split=1 if len(wire) < 5_000 else 1_021).checked()
    assert (split.parts, split.status) == (whole.parts, whole.status)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chunks=chunk_lists(), size=st.integers(1, 9))
def test_any_order_of_chunks_is_accepted(
    chunks: list[AssistantStreamChunk], size: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")

    decode(encode(chunks), "ui-message-stream", split=size).checked()
