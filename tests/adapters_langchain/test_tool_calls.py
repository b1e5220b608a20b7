"""Tool calls of every shape that providers and graphs have been seen to send."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage

from assistant_stream_ce.testing import check_stream
from assistant_stream_langchain import MessageTranslator
from assistant_stream_langchain._message_index import Place

from .shown import calls, kinds, results, show, translate


def piece(
    args: str | None = None,
    *,
    id: str | None = None,
    name: str | None = None,
    index: int | None = 0,
    message_id: str = "m1",
    **fields: Any,
) -> AIMessageChunk:
    """A chunk with one fragment of a call."""
    fragment = {"name": name, "args": args, "id": id, "index": index}
    return AIMessageChunk(
        content=fields.pop("content", ""), id=message_id, tool_call_chunks=[fragment], **fields
    )


LAST = AIMessageChunk(content="", id="m1", chunk_position="last")

SHAPES = {
    "id and name on the first fragment only": [
        piece("", id="a", name="f"),
        piece('{"x"'),
        piece(": 1}"),
    ],
    "empty id and name after the first fragment": [
        piece("", id="a", name="f"),
        piece('{"x"', id="", name=""),
        piece(": 1}", id="", name=""),
    ],
    "id and name on every fragment": [
        piece('{"x"', id="a", name="f"),
        piece(": 1}", id="a", name="f"),
    ],
    "no index anywhere": [
        piece("", id="a", name="f", index=None),
        piece('{"x"', index=None),
        piece(": 1}", index=None),
    ],
    "index only after the first fragment": [
        piece("", id="a", name="f", index=None),
        piece('{"x": 1}', index=0),
    ],
    "the whole call in one fragment": [piece('{"x": 1}', id="a", name="f")],
    "id before the name": [piece("", id="a"), piece('{"x"', name="f"), piece(": 1}")],
    "name before the id": [piece("", name="f"), piece('{"x"', id="a"), piece(": 1}")],
    "the name repeated without an id": [
        piece('{"x"', id="a", name="f"),
        piece(": 1}", name="f"),
    ],
    "the string null as id of the continuation": [
        piece("", id="a", name="f"),
        piece('{"x": 1}', id="null", name=""),
    ],
    "a new id on every continuation": [
        piece("", id="a", name="f"),
        piece('{"x"', id="b"),
        piece(": 1}", id="c"),
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_fragments_gives_the_one_call(shape: str) -> None:
    shown = show(translate([*SHAPES[shape], LAST]))

    assert calls(shown) == [("a", "f", {"x": 1})]
    assert shown.parts[0]["state"] == "call"


PARALLEL = {
    "indexes tell them apart, interleaved": [
        piece("", id="a", name="f", index=0),
        piece("", id="b", name="g", index=1),
        piece('{"x"', index=0),
        piece('{"y"', index=1),
        piece(": 1}", index=0),
        piece(": 2}", index=1),
    ],
    "one after the other under the same index": [
        piece('{"x"', id="a", name="f"),
        piece(": 1}"),
        piece('{"y"', id="b", name="g"),
        piece(": 2}"),
    ],
    "ids tell them apart, interleaved, same index": [
        piece('{"x"', id="a", name="f"),
        piece('{"y"', id="b", name="g"),
        piece(": 1}", id="a"),
        piece(": 2}", id="b"),
    ],
    "no index": [
        piece('{"x": 1}', id="a", name="f", index=None),
        piece('{"y"', id="b", name="g", index=None),
        piece(": 2}", index=None),
    ],
    "all in one chunk": [
        AIMessageChunk(
            content="",
            id="m1",
            tool_call_chunks=[
                {"name": "f", "args": '{"x": 1}', "id": "a", "index": 0},
                {"name": "g", "args": '{"y": 2}', "id": "b", "index": 1},
            ],
        )
    ],
    "all in one chunk under one index": [
        AIMessageChunk(
            content="",
            id="m1",
            tool_call_chunks=[
                {"name": "f", "args": '{"x": 1}', "id": "a", "index": 0},
                {"name": "g", "args": '{"y": 2}', "id": "b", "index": 0},
            ],
        )
    ],
}


@pytest.mark.parametrize("shape", PARALLEL)
def test_parallel_calls_never_get_each_others_arguments(shape: str) -> None:
    shown = show(translate([*PARALLEL[shape], LAST]))

    assert calls(shown) == [("a", "f", {"x": 1}), ("b", "g", {"y": 2})]


def test_two_calls_of_one_tool_without_ids_are_two_calls() -> None:
    pieces = [piece('{"x": 1}', name="f"), piece('{"x": 2}', name="f")]

    shown = show(translate([*pieces, LAST]))

    assert [(name, args) for _, name, args in calls(shown)] == [("f", {"x": 1}), ("f", {"x": 2})]
    assert len({call_id for call_id, _, _ in calls(shown)}) == 2


def test_atomic_arguments_ride_on_the_first_fragment() -> None:
    chunks = MessageTranslator().feed(piece('{"x": 1}', id="a", name="f"))

    assert [chunk.type for chunk in chunks] == ["step-start", "tool-call-begin", "tool-call-delta"]


def test_arguments_that_only_the_finished_message_has_are_told() -> None:
    streamed = piece(None, id="a", name="f")
    finished = AIMessage("", id="m1", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "a"}])

    assert calls(show(translate([streamed, finished]))) == [("a", "f", {"x": 1})]


def test_a_call_without_arguments_closes_with_the_empty_object() -> None:
    assert calls(show(translate([piece("", id="a", name="f"), LAST]))) == [("a", "f", {})]


def test_one_chunk_may_carry_everything_at_once() -> None:
    chunk = AIMessageChunk(
        content=[
            {"type": "reasoning", "reasoning": "Hm."},
            {
                "type": "text",
                "text": "Let me look.",
                "annotations": [{"type": "citation", "url": "https://a.example/p", "title": "A"}],
            },
            {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
        ],
        id="m1",
        tool_call_chunks=[
            {"name": "f", "args": '{"x": 1}', "id": "a", "index": 0},
            {"name": "g", "args": "", "id": "b", "index": 1},
        ],
        usage_metadata={"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
        response_metadata={"finish_reason": "STOP"},
        chunk_position="last",
    )

    shown = show(translate([chunk]))

    expected = ["reasoning", "text", "source", "file", "tool-call", "tool-call"]
    assert kinds(shown) == expected
    assert calls(shown) == [("a", "f", {"x": 1}), ("b", "g", {})]
    [step] = shown.metadata["steps"]
    assert (step["finishReason"], step["usage"]["inputTokens"]) == ("tool-calls", 3)


def test_text_after_a_call_and_a_call_after_text_keep_their_order() -> None:
    finished = AIMessage(
        content=[
            {"type": "text", "text": "one"},
            {"type": "tool_use", "id": "b", "name": "g", "input": {}},
            {"type": "text", "text": "two"},
        ],
        tool_calls=[
            {"name": "f", "args": {}, "id": "a"},
            {"name": "g", "args": {}, "id": "b"},
        ],
    )

    shown = show(translate([finished]))

    assert kinds(shown) == ["text", "tool-call", "text", "tool-call"]
    assert [call_id for call_id, _, _ in calls(shown)] == ["b", "a"]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "function_call", "call_id": "a", "id": "fc", "name": "f", "arguments": '{"x": 1}'},
        {"type": "tool_call", "id": "a", "name": "f", "args": {"x": 1}},
    ],
)
def test_call_blocks_in_the_content_do_not_become_text_nor_a_second_call(block: Any) -> None:
    with_calls = AIMessage([block], tool_calls=[{"name": "f", "args": {"x": 1}, "id": "a"}])
    without = AIMessage([block])

    for message in (with_calls, without):
        shown = show(translate([message]))
        assert kinds(shown) == ["tool-call"]
        assert calls(shown) == [("a", "f", {"x": 1})]


def test_an_announced_call_is_not_announced_again() -> None:
    translator = MessageTranslator()
    message = AIMessage("", id="m1", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "a"}])
    first = translator.feed(message)

    assert [chunk.type for chunk in first].count("tool-call-begin") == 1
    assert translator.feed(message) == []
    assert translator.feed(message.model_copy(), place=Place(("inner",))) == []
    assert translator.begin_tool("a", "f", {"x": 1}) == ("a", [])


def test_ids_that_a_local_model_numbers_anew_in_each_answer_stay_apart() -> None:
    def turn(number: int) -> list[Any]:
        call = {"name": "f", "args": {"x": number}, "id": "call_0"}
        return [
            AIMessage("", id=f"m{number}", tool_calls=[call]),
            ToolMessage(f"r{number}", id=f"t{number}", tool_call_id="call_0"),
        ]

    first, second = turn(1), turn(2)
    repeated = [*first, *second, *first, *second]  # a graph shows its state again

    shown = show(translate(repeated))

    assert [args for _, _, args in calls(shown)] == [{"x": 1}, {"x": 2}]
    assert list(results(shown).values()) == ["r1", "r2"]


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("message", "result", "is_error"),
    [
        (ToolMessage("sunny", tool_call_id="a"), "sunny", False),
        (ToolMessage("", tool_call_id="a"), "", False),
        (
            ToolMessage([{"type": "text", "text": "sunny"}], tool_call_id="a"),
            [{"type": "text", "text": "sunny"}],
            False,
        ),
        (ToolMessage("boom", tool_call_id="a", status="error"), "boom", True),
        (ToolMessage.model_construct(content=None, tool_call_id="a"), None, False),
        (ToolMessage.model_construct(content={"n": 1}, tool_call_id="a"), {"n": 1}, False),
    ],
)
def test_every_content_of_a_tool_message(message: Any, result: Any, is_error: bool) -> None:
    call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "a"}])

    [part] = show(translate([call, message])).parts

    assert part["result"] == result
    assert part.get("isError", False) is is_error


def test_an_artifact_goes_to_the_client_in_json_form() -> None:
    call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "a"}])
    answer = ToolMessage("ok", tool_call_id="a", artifact={"colours": {Colour.RED}, "n": (1, 2)})

    [part] = show(translate([call, answer])).parts

    assert part["artifact"] == {"colours": ["red"], "n": [1, 2]}


def test_what_has_no_json_form_is_told_by_its_text_and_kills_nothing() -> None:
    class Handle:
        def __str__(self) -> str:
            return "<handle>"

    call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "a"}])
    answer = ToolMessage("ok", tool_call_id="a", artifact=Handle())

    [part] = show(translate([call, answer])).parts

    assert part["artifact"] == "<handle>"


def test_arguments_that_were_injected_are_not_sent() -> None:
    class Store:
        pass

    _, chunks = MessageTranslator().begin_tool("a", "f", {"x": 1, "store": Store()})

    assert calls(show(chunks)) == [("a", "f", {"x": 1})]


def test_an_answer_without_a_name_or_a_usable_id_finds_its_call() -> None:
    call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "null"}])
    answer = ToolMessage("r", tool_call_id="null")

    shown = show(translate([call, answer]))

    assert list(results(shown).values()) == ["r"]


def test_an_answer_to_a_call_that_was_never_seen_is_shown_with_its_name() -> None:
    shown = show(translate([ToolMessage("r", tool_call_id="a", name="f")]))

    assert calls(shown) == [("a", "f", {})]
    assert results(shown) == {"a": "r"}


def test_an_answer_closes_the_arguments_of_its_call() -> None:
    translator = MessageTranslator()
    chunks = translator.feed(piece('{"x": 1}', id="a", name="f"))
    chunks += translator.feed(ToolMessage("r", tool_call_id="a"))
    chunks += translator.feed(piece("", index=0, content="late"))
    chunks += translator.finish()

    check_stream(chunks)
    assert results(show(chunks)) == {"a": "r"}


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "stop"),
        ([AIMessage("x", response_metadata={"finish_reason": "length"})], "length"),
        ([AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "a"}])], "tool-calls"),
        (
            [
                AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "a"}]),
                ToolMessage("r", tool_call_id="a"),
            ],
            "stop",
        ),
    ],
)
def test_a_run_ends_with_tool_calls_only_while_an_answer_is_awaited(
    messages: Any, reason: str
) -> None:
    translator = MessageTranslator()
    for message in messages:
        translator.feed(message)

    assert translator.finish_reason == reason
