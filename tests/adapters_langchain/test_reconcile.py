"""One message, several names and forms: nothing is doubled, lost, or told out of place."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from assistant_stream_langchain import MessageTranslator
from assistant_stream_langchain._message_index import Place

from .shown import calls, kinds, reasoning, results, show, sources, translate

RUN = f"lc_run--{uuid4()}"


def text(piece: str, message_id: str | None = "m1", **fields: Any) -> AIMessageChunk:
    return AIMessageChunk(content=piece, id=message_id, **fields)


STREAMED = [text("Hel"), text("lo"), text("", chunk_position="last")]

NAMES = {
    "the same id": ("m1", "m1", "m1"),
    "LangChain's id on the last chunk": ("m1", RUN, "m1"),
    "the provider's id on the first chunk only": ("m1", RUN, RUN),
    "LangChain's id throughout, with a number in the end": (RUN, RUN, f"{RUN}-0"),
    "LangChain's id while streaming, the provider's in the end": (RUN, RUN, "m1"),
    "the provider's id on a later chunk": (RUN, "m1", "m1"),
    "an id of the node's own": (RUN, RUN, "custom"),
    "no id while streaming": (None, None, "m1"),
    "no id in the end": ("m1", "m1", None),
    "no id at all": (None, None, None),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_message_is_told_once_whatever_it_is_called(case: str) -> None:
    first, later, final = NAMES[case]
    streamed = [text("Hel", first), text("lo", later), text("", later, chunk_position="last")]

    shown = show(translate([*streamed, AIMessage("Hello", id=final)]))

    assert shown.text == "Hello"
    assert len(shown.metadata["steps"]) == 1


@pytest.mark.parametrize("case", NAMES)
def test_calls_follow_their_message_through_every_name(case: str) -> None:
    first, later, final = NAMES[case]

    def piece(args: str, message_id: str | None, call_id: str | None = None) -> AIMessageChunk:
        fragment = {"name": "f" if call_id else None, "args": args, "id": call_id, "index": 0}
        return AIMessageChunk(content="", id=message_id, tool_call_chunks=[fragment])

    finished = AIMessage("", id=final, tool_calls=[{"name": "f", "args": {"x": 1}, "id": "a"}])

    shown = show(translate([piece('{"x"', first, "a"), piece(": 1}", later), finished]))

    assert calls(shown) == [("a", "f", {"x": 1})]


def test_what_was_not_streamed_is_added() -> None:
    finished = AIMessage(
        [
            {"type": "text", "text": "Hello there", "annotations": [{"url": "https://a.example"}]},
            {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
        ],
        id="m1",
        tool_calls=[{"name": "f", "args": {}, "id": "a"}],
    )

    shown = show(translate([*STREAMED, finished]))

    assert shown.text == "Hello there"
    assert sources(shown) == [("https://a.example", None)]
    assert kinds(shown) == ["text", "source", "file", "tool-call"]


def test_an_edited_message_leaves_what_was_said_as_it_is() -> None:
    shown = show(translate([*STREAMED, AIMessage("Goodbye", id="m1")]))

    assert shown.text == "Hello"


def test_a_message_that_loses_its_reasoning_does_not_lose_it_on_screen() -> None:
    streamed = [
        AIMessageChunk([{"type": "thinking", "thinking": "Hm.", "index": 0}], id="m1"),
        AIMessageChunk([{"type": "text", "text": "Yes.", "index": 1}], id="m1"),
    ]

    shown = show(translate([*streamed, AIMessage("Yes.", id="m1")]))

    assert reasoning(shown) == ["Hm."]
    assert shown.text == "Yes."


def test_the_merged_chunk_that_a_node_returns_adds_nothing() -> None:
    merged = STREAMED[0] + STREAMED[1] + STREAMED[2]

    assert show(translate([*STREAMED, merged])).text == "Hello"


def test_messages_without_ids_are_messages_of_their_own() -> None:
    messages = [AIMessage("one"), AIMessage("two"), AIMessage("two")]

    shown = show(translate(messages))

    assert shown.text == "onetwotwo"
    assert len({step["messageId"] for step in shown.metadata["steps"]}) == 3


def test_a_model_that_gives_every_answer_the_same_id_is_told_each_time() -> None:
    again = [text("Bye"), text("", chunk_position="last")]

    assert show(translate([*STREAMED, *again])).text == "HelloBye"


def test_two_answers_streamed_side_by_side_keep_to_themselves() -> None:
    other = f"lc_run--{uuid4()}"

    def piece(message_id: str, args: str, call_id: str | None = None) -> AIMessageChunk:
        fragment = {"name": "f" if call_id else None, "args": args, "id": call_id, "index": 0}
        return AIMessageChunk(content="", id=message_id, tool_call_chunks=[fragment])

    interleaved = [
        piece(RUN, '{"x"', "a"),
        piece(other, '{"x"', "b"),
        piece(RUN, ": 1}"),
        piece(other, ": 2}"),
        text("", RUN, chunk_position="last"),
        text("", other, chunk_position="last"),
    ]

    shown = show(translate(interleaved))

    assert calls(shown) == [("a", "f", {"x": 1}), ("b", "f", {"x": 2})]
    assert [step["finishReason"] for step in shown.metadata["steps"]] == ["tool-calls"] * 2


def test_namespaces_keep_messages_with_alike_ids_apart() -> None:
    translator = MessageTranslator()
    chunks = translator.feed(text("one", None), place=Place(("a:1",)))
    chunks += translator.feed(text("two", None), place=Place(("b:1",)))
    chunks += translator.feed(text("", None, chunk_position="last"), place=Place(("a:1",)))
    chunks += translator.finish()

    assert len({c.message_id for c in chunks if c.type == "step-start"}) == 2


def test_a_static_message_that_repeats_an_earlier_answer_is_told() -> None:
    static = AIMessage("Hello", id="other")
    finished = AIMessage("Hello", id="m1")

    assert show(translate([*STREAMED, finished, static])).text == "HelloHello"


@pytest.mark.parametrize("message", [HumanMessage("x"), SystemMessage("x"), RemoveMessage(id="m1")])
def test_other_messages_add_nothing(message: Any) -> None:
    assert translate([message]) == []


def test_parent_id_is_on_every_part() -> None:
    message = AIMessage(
        [
            {"type": "reasoning", "reasoning": "Hm."},
            {"type": "text", "text": "x", "annotations": [{"url": "https://a.example"}]},
            {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
        ],
        tool_calls=[{"name": "f", "args": {}, "id": "a"}],
    )

    shown = show(translate([message], parent_id="task"))

    assert {part.get("parentId") for part in shown.parts} == {"task"}


USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


@pytest.mark.parametrize(
    "messages",
    [
        [text("x"), text("", usage_metadata=USAGE, chunk_position="last")],
        [
            text("", usage_metadata={"input_tokens": 5, "output_tokens": 0, "total_tokens": 5}),
            text("x", usage_metadata={"input_tokens": 0, "output_tokens": 1, "total_tokens": 1}),
            text("", usage_metadata={"input_tokens": 0, "output_tokens": 1, "total_tokens": 1}),
        ],
        [AIMessage("x", usage_metadata=USAGE)],
        [
            AIMessage(
                "x", response_metadata={"token_usage": {"prompt_tokens": 5, "completion_tokens": 2}}
            )
        ],
        [text("x"), AIMessage("x", id="m1", usage_metadata=USAGE)],
        [text("x", usage_metadata=USAGE), AIMessage("x", id="m1", usage_metadata=USAGE)],
    ],
)
def test_usage_is_counted_once_in_every_shape(messages: Any) -> None:
    translator = MessageTranslator()
    chunks = [chunk for message in messages for chunk in translator.feed(message)]
    chunks += translator.finish()

    [step] = show(chunks).metadata["steps"]
    assert (step["usage"]["inputTokens"], step["usage"]["outputTokens"]) == (5, 2)
    assert (translator.input_tokens, translator.output_tokens) == (5, 2)


def test_usage_that_comes_after_the_end_counts_for_the_run() -> None:
    translator = MessageTranslator()
    for message in [*STREAMED, AIMessage("Hello", id="m1", usage_metadata=USAGE)]:
        translator.feed(message)

    assert (translator.input_tokens, translator.output_tokens) == (5, 2)


def test_an_answer_fed_twice_is_told_once() -> None:
    call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "a"}])
    answer = ToolMessage("r", tool_call_id="a")

    chunks = translate([call, answer, answer, ToolMessage("r2", tool_call_id="a")])

    assert [chunk.type for chunk in chunks].count("tool-result") == 1


def test_a_usage_chunk_after_the_last_one_counts_for_the_run() -> None:
    translator = MessageTranslator()
    for message in [*STREAMED, text("", usage_metadata=USAGE)]:
        translator.feed(message)

    assert (translator.input_tokens, translator.output_tokens) == (5, 2)


def fragment(args: str, **call: Any) -> AIMessageChunk:
    piece = {"name": None, "id": None, "index": 0, **call, "args": args}
    return AIMessageChunk(content="", id="m1", tool_call_chunks=[piece])


def test_a_call_that_got_its_id_at_the_end_is_the_one_that_was_streamed() -> None:
    finished = AIMessage(
        "",
        id="m1",
        tool_calls=[{"name": "f", "args": {"x": 1}, "id": "a"}],
    )

    shown = show(translate([fragment('{"x": 1}', name="f"), finished]))

    assert calls(shown) == [("a", "f", {"x": 1})]


def test_the_answer_finds_a_call_whose_id_came_after_its_end() -> None:
    call_ = {"name": "f", "args": {"x": 1}, "id": "a"}
    finished = AIMessage("", id="m1", tool_calls=[call_])
    last = text("", chunk_position="last")

    shown = show(
        translate(
            [fragment('{"x": 1}', name="f"), last, finished, ToolMessage("r", tool_call_id="a")]
        )
    )

    assert list(results(shown).values()) == ["r"]


def test_a_call_that_was_not_streamed_is_added_to_those_that_were() -> None:
    finished = AIMessage(
        "",
        id="m1",
        tool_calls=[
            {"name": "f", "args": {"x": 1}, "id": "a"},
            {"name": "g", "args": {"y": 2}, "id": "b"},
        ],
    )

    shown = show(translate([fragment('{"x": 1}', name="f", id="a"), finished]))

    assert calls(shown) == [("a", "f", {"x": 1}), ("b", "g", {"y": 2})]


def test_arguments_without_any_call_are_left_out() -> None:
    assert translate([fragment('{"x": 1}'), text("x")])[1].type == "text-delta"
