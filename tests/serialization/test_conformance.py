"""Every case of the table, over every wire, read by the client that the wire is for."""

from __future__ import annotations

import logging

import pytest

from assistant_stream_ce.serialization import (
    AssistantTransportEncoder,
    DataStreamEncoder,
    StreamEncoder,
)
from tests.npm import Decoded, Protocol, decode
from tests.serialization.cases import CASES, Case, by_name

ENCODERS: dict[Protocol, type[StreamEncoder]] = {
    "data-stream": DataStreamEncoder,
    "assistant-transport": AssistantTransportEncoder,
}


def encode(case: Case, protocol: Protocol) -> bytes:
    encoder = ENCODERS[protocol]()
    frames = "".join(map(encoder.encode_chunk, case.chunks)) + encoder.encode_end()
    return encoder.escape(frames).encode()


@pytest.mark.parametrize("protocol", ENCODERS)
@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_client_shows_the_expected_message(case: Case, protocol: Protocol) -> None:
    wire = encode(case, protocol)

    whole = decode(wire, protocol).checked()

    assert_shows(whole, case, protocol)
    if len(wire) < 5_000:
        assert decode(wire, protocol, split=1) == whole
    else:
        assert decode(wire, protocol, split=1_021) == whole


def assert_shows(decoded: Decoded, case: Case, protocol: Protocol) -> None:
    parts = case.parts
    status = case.status
    if protocol == "assistant-transport":
        parts = [{**part, **case.only_transport.get(i, {})} for i, part in enumerate(parts)]
        status = case.transport_status or status
    assert decoded.parts == parts
    assert decoded.status == status
    assert decoded.metadata == {
        "unstable_state": case.state,
        "unstable_data": case.data,
        "unstable_annotations": case.annotations,
        "steps": case.steps,
        "custom": {},
    }


@pytest.mark.parametrize("protocol", ENCODERS)
@pytest.mark.parametrize("case", [case for case in CASES if case.drops], ids=by_name)
def test_a_dropped_chunk_is_reported_once_per_reason(
    case: Case, protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        encode(case, protocol)

    assert len(caplog.records) == case.drops


@pytest.mark.parametrize("protocol", ENCODERS)
@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_client_never_shows_what_is_not_in_the_message(case: Case, protocol: Protocol) -> None:
    decoded = decode(encode(case, protocol), protocol, messages=True)

    for message in decoded.messages:
        for shown, final in zip(message["parts"], decoded.parts, strict=False):
            assert shown["type"] == final["type"]
            assert units(final.get("text", "")).startswith(units(shown.get("text", "")))
            assert units(final.get("argsText", "")).startswith(units(shown.get("argsText", "")))


def units(value: str) -> bytes:
    """JavaScript's view of a text: half a surrogate pair is a prefix of the whole."""
    return value.encode("utf-16-le", "surrogatepass")


@pytest.mark.parametrize("protocol", ENCODERS)
def test_a_lenient_client_shows_the_same(protocol: Protocol) -> None:
    for case in CASES:
        decoded = decode(encode(case, protocol), protocol, strict=False)
        assert_shows(decoded.checked(), case, protocol)
