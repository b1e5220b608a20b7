"""The decoders in Python read what the real npm decoders read, and fail at what those fail at."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assistant_stream_ce import (
    AssistantStreamChunk,
    AssistantTransportEncoder,
    DataStreamEncoder,
    MessageAccumulator,
    StreamDecodeError,
    StreamEncoder,
)
from assistant_stream_ce.chunks import (
    ErrorChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)
from assistant_stream_ce.serialization import (
    AssistantTransportDecoder,
    DataStreamDecoder,
    StreamDecoder,
)
from assistant_stream_ce.testing import collect
from tests.npm import Protocol, decode
from tests.serialization.cases import CASES, Case, by_name
from tests.serialization.strategies import chunk_lists

WIRES: dict[Protocol, tuple[type[StreamEncoder], type[StreamDecoder]]] = {
    "data-stream": (DataStreamEncoder, DataStreamDecoder),
    "assistant-transport": (AssistantTransportEncoder, AssistantTransportDecoder),
}


def encode(chunks: Sequence[AssistantStreamChunk], protocol: Protocol) -> bytes:
    encoder = WIRES[protocol][0]()
    frames = "".join(map(encoder.encode_chunk, chunks)) + encoder.encode_end()
    return encoder.escape(frames).encode()


def read(
    wire: bytes, protocol: Protocol, *, strict: bool = True, size: int | None = None
) -> tuple[list[AssistantStreamChunk], StreamDecodeError | None]:
    """The chunks of a wire that arrives in pieces of that size, and the error that ended it."""
    decoder = WIRES[protocol][1](strict=strict)
    chunks: list[AssistantStreamChunk] = []
    step = size or max(1, len(wire))
    try:
        for start in range(0, len(wire), step):
            chunks += decoder.feed(wire[start : start + step])
        chunks += decoder.end()
    except StreamDecodeError as error:
        return chunks, error
    return chunks, None


def fold(chunks: Sequence[AssistantStreamChunk], *, end: bool = True) -> Any:
    accumulator = MessageAccumulator()
    for chunk in chunks:
        accumulator.add(chunk)
    if end:
        accumulator.finish()
    return comparable(accumulator.message)


def comparable(message: Any) -> Any:
    """The message as JavaScript reads it: halves of an emoji meet, and every number is a float.
    Ids that are made up are left out, and what says the same as when it is left out.

    The data stream does not say how severe an error is. In Python, text or reasoning beyond one
    that may be fatal is a part of its own, so neighbours are joined.
    """
    message = json.loads(json.dumps(message), parse_int=float)
    for step in message["metadata"]["steps"]:
        if len(step.get("messageId", "")) in (7, 32):
            step["messageId"] = "made up"
    for part in message["parts"]:
        for name in ("artifact", "modelContent", "messages"):
            if part.get(name, 0) is None:
                del part[name]
    message["status"].get("error", {}).pop("severity", None)
    joined = ("text", "reasoning") if "error" in message["status"] else ("text",)
    parts: list[dict[str, Any]] = []
    for part in message["parts"]:
        if (
            part["type"] in joined
            and parts
            and parts[-1] == {**part, "text": parts[-1].get("text")}
        ):
            parts[-1]["text"] += part["text"]
        else:
            parts.append(part)
    return {**message, "parts": parts}


EMPTY = fold([])


# -- What is well formed -----------------------------------------------------------------------


@pytest.mark.parametrize("protocol", WIRES)
@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_message_is_the_clients(case: Case, protocol: Protocol) -> None:
    wire = encode(case.chunks, protocol)
    theirs = decode(wire, protocol).checked()

    for size in (None, 1 if len(wire) < 5_000 else 1_021):
        for strict in (True, False):
            chunks, error = read(wire, protocol, strict=strict, size=size)
            assert error is None
            assert fold(chunks) == (comparable(theirs.message) if theirs.message else EMPTY)


@pytest.mark.parametrize("protocol", WIRES)
@settings(
    max_examples=75,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chunk_lists(), st.integers(1, 9))
def test_any_chunks_come_back(
    caplog: pytest.LogCaptureFixture,
    protocol: Protocol,
    chunks: list[AssistantStreamChunk],
    size: int,
) -> None:
    caplog.set_level(logging.CRITICAL)
    wire = encode(chunks, protocol)
    theirs = decode(wire, protocol).checked()

    decoded, error = read(wire, protocol, size=size)

    assert error is None
    assert fold(decoded) == (comparable(theirs.message) if theirs.message else EMPTY)
    again = encode(decoded, protocol)
    assert fold(read(again, protocol)[0]) == fold(decoded)


@pytest.mark.parametrize("protocol", WIRES)
async def test_a_whole_body_is_decoded_as_it_comes(protocol: Protocol) -> None:
    closed = False

    async def body() -> AsyncGenerator[bytes, None]:
        nonlocal closed
        try:
            yield encode([TextDeltaChunk("Hello")], protocol)
            yield b"\xff"
        finally:
            closed = True

    decoder = WIRES[protocol][1](strict=False)
    chunks: list[AssistantStreamChunk] = []
    for _ in range(2):
        stream = decoder.decode_stream(body())
        async for chunk in stream:
            chunks.append(chunk)
            if len(fold(chunks)["parts"]) and fold(chunks)["parts"][0]["text"]:
                break
        await stream.aclose()

    assert fold(chunks)["parts"][0]["text"] in ("Hello", "HelloHello")
    assert closed


# -- What is not -------------------------------------------------------------------------------

TOOL = 'b:{"toolCallId":"c","toolName":"t"}\n'

DATA_STREAM = {
    "nothing": "",
    "blank lines": '\n \n\r\n\t\n0:"a"\n\n',
    "carriage returns": '0:"a"\r0:"b"\r\n0:"c"\n\r0:"d"\r',
    "a byte order mark": '\ufeff0:"a"\n',
    "a byte order mark before the value": '0:\ufeff"a"\n',
    "white space around the value": '0: "a" \t\n',
    "escapes": '0:"\\u0061\\ud83d\\ude00\\ud800"\n',
    "halves of a pair": '0:"\\ud83d"\n0:"\\ude00"\n',
    "a line separator": '0:"a\u2028b"\n',
    "an sse comment": ': ping\n0:"a"\n',
    "no colon": 'hello\n0:"a"\n',
    "bad json": '0:"a\n0:b"\n0:{\n0:"ok"\n',
    "a raw newline in a text": '0:"a\nb"\n0:"ok"\n',
    "not a number": '2:[NaN]\n0:"ok"\n',
    "a trailing comma": '2:[1,]\n0:"ok"\n',
    "a prototype": 'aui-state:[{"type":"set","path":[],"value":{"__proto__":1}}]\n0:"ok"\n',
    "an escaped prototype": '2:[{"\\u005f_proto__":1}]\n0:"ok"\n',
    "a constructor": '2:[{"constructor":{"prototype":1}}]\n2:[{"constructor":{"x":1}}]\n',
    "a prototype as a value": '2:["__proto__"]\n',
    "a number without bounds": "2:[1e999]\n",
    "a long number": f"2:[{'9' * 5000}]\n",
    "cut off in a line": '0:"a"\n0:"b',
    "cut off before the line end": '0:"a"\n0:"b"',
    "cut off in white space": '0:"a"\n ',
    "cut off in a character": '0:"a"\n0:"\xc3',
    "an unknown code": '0:"a"\nz:1\n0:"b"\n',
    "an empty code": '0:"a"\n:1\n0:"b"\n',
    "a call twice": TOOL + TOOL + 'a:{"toolCallId":"c","result":1}\n',
    "arguments of an unknown call": '0:"a"\nc:{"toolCallId":"x","argsTextDelta":"{"}\n0:"b"\n',
    "a result of an unknown call": '0:"a"\na:{"toolCallId":"x","result":1}\n0:"b"\n',
    "arguments without a text": TOOL + 'c:{"toolCallId":"c"}\n0:"b"\n',
    "arguments of null": TOOL + 'c:{"toolCallId":"c","argsTextDelta":null}\n0:"b"\n',
    "arguments after their end": (
        TOOL
        + 'c:{"toolCallId":"c","argsTextDelta":"{}","isFinal":true}\n'
        + 'c:{"toolCallId":"c","argsTextDelta":"x"}\n'
    ),
    "final is not true": TOOL + 'c:{"toolCallId":"c","argsTextDelta":"{","isFinal":1}\n',
    "arguments after a step": (
        TOOL
        + 'e:{"finishReason":"stop","usage":{"inputTokens":1,"outputTokens":2},"isContinued":true}'
        + '\nc:{"toolCallId":"c","argsTextDelta":"x"}\n'
    ),
    "arguments after a finish": (
        TOOL + 'd:{"finishReason":"stop"}\nc:{"toolCallId":"c","argsTextDelta":"x"}\n'
    ),
    "arguments after an error": TOOL + '3:"no"\nc:{"toolCallId":"c","argsTextDelta":"[]"}\n',
    "two results": (TOOL + 'a:{"toolCallId":"c","result":1}\na:{"toolCallId":"c","result":2}\n'),
    "no result": TOOL + 'a:{"toolCallId":"c"}\n',
    "a result of null": TOOL + 'a:{"toolCallId":"c","result":null,"artifact":null}\n',
    "a failed result": TOOL + 'a:{"toolCallId":"c","result":1,"isError":true}\n',
    "a whole call": '9:{"toolCallId":"c","toolName":"t","args":{"a":[1,2.5,1.0,"é"]}}\n',
    "a whole call without arguments": '9:{"toolCallId":"c","toolName":"t"}\n',
    "a whole call after its beginning": (
        TOOL + '9:{"toolCallId":"c","toolName":"t","args":{"a":1}}\n'
    ),
    "a whole call after some arguments": (
        TOOL
        + 'c:{"toolCallId":"c","argsTextDelta":"{}"}\n'
        + '9:{"toolCallId":"c","toolName":"t","args":{"a":1}}\n'
    ),
    "a whole call with a parent": '9:{"toolCallId":"c","toolName":"t","args":{},"parentId":"p"}\n',
    "data that is no list": '0:"a"\n2:{}\n0:"b"\n',
    "annotations that are no list": '0:"a"\n8:5\n0:"b"\n',
    "operations that are no list": '0:"a"\naui-state:{}\n0:"b"\n',
    "a call that is null": '0:"a"\nb:null\n0:"b"\n',
    "an error of null": "3:null\n",
    "ignored codes": 'i:{"data":"x"}\nj:{"signature":"x"}\n0:"a"\n',
    "a reasoning part with a parent": (
        'aui-reasoning-part-start:{"parentId":"p"}\n'
        'aui-reasoning-delta:{"reasoningDelta":"a","parentId":"p"}\n'
        'aui-reasoning-delta:{"reasoningDelta":"b","parentId":""}\n'
    ),
    "an unknown finish reason": 'd:{"finishReason":"tired","usage":{}}\n',
    "usage with unknown names": (
        'f:{"messageId":"m"}\ne:{"finishReason":"stop","usage":{"inputTokens":1,"outputTokens":2},'
        '"isContinued":false}\n'
    ),
    "two finishes": 'd:{"finishReason":"stop"}\nd:{"finishReason":"length"}\n',
}

PART = 'data: {"type":"part-start","path":[],"part":{"type":"text"}}\n\n'
OTHER_PART = 'data: {"type":"part-start","path":[],"part":{"type":"reasoning"}}\n\n'
TOOL_PART = (
    'data: {"type":"part-start","part":{"type":"tool-call","toolCallId":"c","toolName":"t"}}\n\n'
)
DONE = "data: [DONE]\n\n"


def event(**fields: Any) -> str:
    return f"data: {json.dumps(fields)}\n\n"


TRANSPORT = {
    "nothing": "",
    "only the end": DONE,
    "no end": PART,
    "an end without a blank line": PART + "data: [DONE]\n",
    "something after the end": DONE + PART,
    "nonsense after the end": DONE + "event: x\ndata: {\n\n",
    "comments and other fields": f": hi\n\nid: 1\nretry: 5\nfoo: bar\nfoo\n{PART}{DONE}",
    "carriage returns": (PART + DONE).replace("\n", "\r\n"),
    "only carriage returns": (PART + DONE).replace("\n", "\r"),
    "no space": (PART + DONE).replace("data: ", "data:"),
    "a byte order mark": "\ufeff" + PART + DONE,
    "several lines of data": (PART + DONE).replace('"path"', '\ndata:  "path"'),
    "a named event": PART + 'event: ping\ndata: {"type":"data","data":[1]}\n\n' + OTHER_PART + DONE,
    "the name message": PART.replace("data:", "event: message\ndata:") + DONE,
    "an empty name": PART.replace("data:", "event:\ndata:") + DONE,
    "a named event without data": "event: ping\n\n" + PART + DONE,
    "bad json": PART + "data: {\n\n" + OTHER_PART + DONE,
    "no object": "data: [1]\n\ndata: null\n\ndata: 5\n\n" + PART + DONE,
    "empty data": "data:\n\ndata\n\n" + PART + DONE,
    "a prototype": event(type="data", data=[{"__proto__": 1}]) + PART + DONE,
    "an unknown type": event(type="tool-call-begin") + event(type=5) + event() + PART + DONE,
    "no part": event(type="part-start") + event(type="part-start", part=[]) + DONE,
    "a part of an unknown type": (
        event(type="part-start", part={"type": "video"})
        + event(type="text-delta", path=[0], textDelta="x")
        + PART
        + event(type="text-delta", path=[1], textDelta="y")
        + DONE
    ),
    "a path at the start of a part": (
        event(type="part-start", path=[7], part={"type": "text"})
        + event(type="text-delta", path=[0], textDelta="a")
        + DONE
    ),
    "no path": PART + event(type="text-delta", textDelta="a") + event(type="data", data=[1]) + DONE,
    "no index": PART
    + event(type="text-delta", path=["0"], textDelta="a")
    + event(type="text-delta", path=[-1], textDelta="b")
    + event(type="text-delta", path=[0.5], textDelta="c")
    + event(type="text-delta", path=0, textDelta="d")
    + event(type="text-delta", path=[True], textDelta="e")
    + event(type="text-delta", path=[0.0], textDelta="f")
    + event(type="data", path=["x"], data=[1])
    + DONE,
    "no such part": PART
    + event(type="text-delta", path=[1], textDelta="a")
    + event(type="text-delta", path=[0, 0], textDelta="b")
    + event(type="text-delta", path=[], textDelta="c")
    + event(type="result", path=[4], result=1)
    + DONE,
    "the wrong part": PART
    + event(type="result", path=[0], result=1)
    + event(type="tool-call-args-text-finish", path=[0])
    + event(type="part-start", part={"type": "file", "data": "x", "mimeType": "y"})
    + event(type="part-finish", path=[1])
    + event(type="text-delta", path=[1], textDelta="a")
    + event(type="part-finish", path=[0])
    + DONE,
    "no text": PART
    + event(type="text-delta", path=[0], textDelta=5)
    + event(type="part-finish", path=[0])
    + DONE,
    "is-error that is no truth value": TOOL_PART
    + event(type="text-delta", path=[0], textDelta="{}")
    + event(type="tool-call-args-text-finish", path=[0])
    + event(type="result", path=[0], result=1, isError="yes")
    + event(type="result", path=[0], result=2, isError=None)
    + event(type="result", path=[0], result=3)
    + event(type="part-finish", path=[0])
    + DONE,
    "all of a result": TOOL_PART
    + event(type="text-delta", path=[0], textDelta="[1]")
    + event(type="tool-call-args-text-finish", path=[0])
    + event(
        type="result", path=[0], result=1, isError=True, artifact=2, modelContent=[3], messages=[4]
    )
    + event(type="part-finish", path=[0])
    + DONE,
    "no finish reason": event(type="message-finish") + event(type="step-finish") + DONE,
    "an unknown finish reason": event(type="message-finish", finishReason="tired") + DONE,
    "an error without words": event(type="error") + DONE,
    "an error with everything": event(type="error", error="e", code="c", severity="info") + DONE,
    "an unknown severity": event(type="error", error="e", severity="loud") + DONE,
    "lists that are none": event(type="data", data=1)
    + event(type="annotations", annotations={})
    + event(type="update-state", operations=None)
    + DONE,
    "data after text": PART
    + event(type="text-delta", path=[0], textDelta="a")
    + event(type="data", data=[1, None])
    + event(type="annotations", annotations=[2])
    + event(type="update-state", operations=[{"type": "set", "path": ["a", 0], "value": 1}])
    + event(type="text-delta", path=[0], textDelta="b")
    + event(type="part-finish", path=[0])
    + DONE,
}

ODD = [
    *(("data-stream", name, wire) for name, wire in DATA_STREAM.items()),
    *(("assistant-transport", name, wire) for name, wire in TRANSPORT.items()),
]


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
@pytest.mark.parametrize(("protocol", "name", "text"), ODD, ids=[f"{p}-{n}" for p, n, _ in ODD])
def test_what_is_odd_is_read_as_the_client_reads_it(
    protocol: Protocol, name: str, text: str, strict: bool, caplog: pytest.LogCaptureFixture
) -> None:
    wire = text.encode("latin-1") if "\xc3" in text else text.encode()
    theirs = decode(wire, protocol, strict=strict)

    for size in (1, 2, 3, None):
        caplog.clear()
        chunks, error = read(wire, protocol, strict=strict, size=size)
        assert (error is None) == (theirs.error is None), (error, theirs.error)
        assert bool(caplog.records) == bool(theirs.warnings), theirs.warnings
        if theirs.error is None:
            ours = fold(chunks)
            assert ours == (without_running(theirs.message) if theirs.message else EMPTY)


def without_running(message: Any) -> Any:
    """In Python, a text without an end ends with the stream."""
    message = comparable(message)
    for part in message["parts"]:
        if part.get("status") == {"type": "running"}:
            part["status"] = {"type": "complete", "reason": "unknown"}
        if part["type"] in ("source", "file", "data"):
            part["status"] = {"type": "complete", "reason": "unknown"}
    return message


def test_how_severe_an_error_is() -> None:
    sent = event(type="error", error="e", code="c", severity="info") + DONE
    assert read(sent.encode(), "assistant-transport")[0] == [ErrorChunk("e", "c", "info")]
    # A server closes the arguments before an error that ends the run.
    assert read(b'3:"e"\n', "data-stream")[0] == [ErrorChunk("e")]
    chunks, _ = read(f'{TOOL}3:"e"\n'.encode(), "data-stream")
    assert chunks[1] == ErrorChunk("e", severity="warning")


SHAPELESS = {
    "0": "5",
    "g": "[]",
    "b": '{"toolCallId":"c"}',
    "a": '{"result":1}',
    "c": '{"argsTextDelta":"x"}',
    "9": '{"args":{}}',
    "h": '{"title":"x"}',
    "k": "{}",
    "aui-data": "7",
    "aui-text-delta": "{}",
    "aui-reasoning-delta": '{"reasoningDelta":1}',
    "aui-reasoning-part-start": "1",
}


@pytest.mark.parametrize("code", SHAPELESS)
def test_what_a_chunk_cannot_hold_raises_when_strict_and_is_left_out_otherwise(code: str) -> None:
    wire = f'0:"a"\n{code}:{SHAPELESS[code]}\n0:"b"\n'.encode()

    chunks, error = read(wire, "data-stream")
    assert chunks == [TextDeltaChunk("a")]
    assert error is not None
    assert read(wire, "data-stream", strict=False) == (
        [TextDeltaChunk("a"), TextDeltaChunk("b")],
        None,
    )


def test_what_a_chunk_of_a_part_cannot_hold_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    wire = (
        event(type="part-start", part={"type": "source", "url": "u"})
        + event(type="part-start", part={"type": "tool-call", "toolCallId": "c"})
        + event(type="text-delta", path=[1], textDelta="a")
        + event(type="result", path=[1], result=1)
        + TOOL_PART
        + event(type="tool-call-args-text-finish", path=[2])
        + event(type="tool-call-args-text-finish", path=[2])
        + event(type="text-delta", path=[2], textDelta="late")
        + event(type="result", path=[2], result=1)
        + event(type="result", path=[2], result=2)
        + DONE
    )

    chunks, error = read(wire.encode(), "assistant-transport")

    assert error is None
    assert chunks == [
        ToolCallBeginChunk("c", "t"),
        ToolCallArgsTextFinishChunk("c"),
        ToolResultChunk("c", 1),
    ]
    assert len(caplog.records) == 6


def test_a_result_closes_the_arguments() -> None:
    wire = TOOL_PART + event(type="result", path=[0], result=1) + DONE

    assert read(wire.encode(), "assistant-transport")[0][1:] == [
        ToolCallArgsTextFinishChunk("c"),
        ToolResultChunk("c", 1),
    ]


async def test_a_source_need_not_be_a_generator() -> None:
    class Body:
        def __aiter__(self) -> AsyncIterator[bytes]:
            async def once() -> AsyncIterator[bytes]:
                yield b'0:"a"\n'

            return once()

    assert await collect(DataStreamDecoder().decode_stream(Body())) == [TextDeltaChunk("a")]


def test_a_decoder_of_ones_own_says_what_it_lacks() -> None:
    with pytest.raises(NotImplementedError, match="`StreamDecoder` must override `_take_line`"):
        StreamDecoder().feed(b"a\n")
    with pytest.raises(NotImplementedError, match="`StreamDecoder` must override `_take_end`"):
        StreamDecoder().end()


# -- Errors and memory -------------------------------------------------------------------------


def test_an_error_comes_after_what_was_before_it_and_stays() -> None:
    decoder = DataStreamDecoder()

    assert decoder.feed(b'0:"a"\nz:1\n0:"b"\n') == [TextDeltaChunk("a")]
    for _ in range(2):
        with pytest.raises(StreamDecodeError, match="Unknown frame type `z`"):
            decoder.feed(b'0:"c"\n')
        with pytest.raises(StreamDecodeError):
            decoder.end()
    decoder.reset()
    assert decoder.feed(b'0:"c"\n') == [TextDeltaChunk("c")]


def test_a_report_comes_once_per_reason_and_shows_a_piece(caplog: pytest.LogCaptureFixture) -> None:
    decoder = DataStreamDecoder()
    for number in range(100):
        decoder.feed(f"{number} {'x' * 1000}\n".encode())

    assert len(caplog.records) == 1
    assert len(caplog.records[0].getMessage()) < 300


def test_reports_are_not_without_end(caplog: pytest.LogCaptureFixture) -> None:
    decoder = DataStreamDecoder(strict=False)
    for number in range(100):
        decoder.feed(f"code{number}:1\n".encode())

    assert len(caplog.records) == 20


FLOODS: list[tuple[type[StreamDecoder], Callable[[int], bytes]]] = [
    (DataStreamDecoder, lambda _: b'0:"' + b"x" * 100),
    (DataStreamDecoder, lambda _: b"\xff" * 100),
    (AssistantTransportDecoder, lambda _: b"x" * 100),
    (AssistantTransportDecoder, lambda _: b"data: x\n" * 20),
    (AssistantTransportDecoder, lambda _: b"data:\n" * 20),
]


@pytest.mark.parametrize(("kind", "flood"), FLOODS)
@pytest.mark.parametrize("size", [1, 10_000])
def test_a_frame_without_end_is_an_error(
    kind: type[StreamDecoder], flood: Callable[[int], bytes], size: int
) -> None:
    decoder = kind(max_frame_size=5_000)
    wire = b"".join(map(flood, range(400)))

    with pytest.raises(StreamDecodeError, match="max_frame_size"):
        for start in range(0, len(wire), size):
            assert decoder.feed(wire[start : start + size]) == []


def test_the_end_may_be_what_makes_a_frame_too_long() -> None:
    decoder = DataStreamDecoder(max_frame_size=3)
    assert decoder.feed(b"xxx\xc3") == []
    with pytest.raises(StreamDecodeError, match="max_frame_size"):
        decoder.end()


def test_a_huge_frame_in_small_pieces_costs_no_more_than_its_length() -> None:
    wire = b'0:"' + b"0123456789" * 200_000 + b'"\n'
    decoder = DataStreamDecoder()
    chunks = [
        chunk for start in range(0, len(wire), 7) for chunk in decoder.feed(wire[start : start + 7])
    ]

    assert chunks == [TextDeltaChunk("0123456789" * 200_000)]


@pytest.mark.parametrize("protocol", WIRES)
@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [150, 201, 2_000, 100_000])
def test_deep_nesting_is_read_or_left_out(protocol: Protocol, opening: str, depth: int) -> None:
    value = opening * depth + "1" + ("]" if opening == "[" else "}") * depth
    wire = (
        f"2:[{value}]\n"
        if protocol == "data-stream"
        else f'data: {{"type":"data","data":[{value}]}}\n\n'
    )

    chunks, error = read((wire + DONE * (protocol == "assistant-transport")).encode(), protocol)

    assert error is None
    assert len(chunks) == (depth == 150)
    fold(chunks)


# -- Fuzzing -----------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *(f"{line}\n" for wire in DATA_STREAM.values() for line in wire.split("\n")),
        *(f"{line}\n\n" for wire in TRANSPORT.values() for line in wire.split("\n\n")),
        '0:"',
        "data: ",
        "\n",
        "\r",
        "event: x\n",
        '{"type":"part-start","part":{"type":',
        "\\ud83d",
        "]}",
    ]
).map(lambda text: text.encode("utf-8", "replace"))


@pytest.mark.parametrize("protocol", WIRES)
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(PIECES | st.binary(max_size=12), max_size=25),
    st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), max_size=5),
    st.integers(1, 50),
    st.booleans(),
)
@example([b'0:"a"\nz:1\n'], [], 3, True)
def test_mutated_bytes_raise_nothing_but_the_decoders_error(
    caplog: pytest.LogCaptureFixture,
    protocol: Protocol,
    pieces: list[bytes],
    changes: list[tuple[int, int]],
    size: int,
    strict: bool,
) -> None:
    caplog.set_level(logging.CRITICAL)
    wire = bytearray(b"".join(pieces))
    for place, value in changes:
        if wire:
            wire[place % len(wire)] = value

    chunks, error = read(bytes(wire), protocol, strict=strict, size=size)
    whole, whole_error = read(bytes(wire), protocol, strict=strict)

    assert chunks == whole
    assert str(error) == str(whole_error)
    for kind in (DataStreamEncoder, AssistantTransportEncoder):
        encoder = kind()
        encoder.escape("".join(map(encoder.encode_chunk, chunks)) + encoder.encode_end()).encode()


def test_calls_of_two_parts_of_one_id_stay_apart() -> None:
    delta = event(type="text-delta", path=[1], textDelta="x")
    chunks, error = read((TOOL_PART + TOOL_PART + delta + DONE).encode(), "assistant-transport")

    assert error is None
    assert chunks == [ToolCallBeginChunk("c", "t")]
    assert ToolCallDeltaChunk("c", "x") not in chunks
