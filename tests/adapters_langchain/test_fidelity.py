"""Any message, cut into any chunks, side by side with any other: what is told is the message."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from assistant_stream_ce.testing import check_stream
from assistant_stream_langchain import MessageTranslator

texts = st.text(alphabet="ab <>&\n\u00e9\U0001f600", max_size=12)
arguments = st.dictionaries(st.sampled_from("xyz"), texts | st.integers() | st.none(), max_size=3)


@st.composite
def pieces(draw: st.DrawFn, text: str) -> list[str]:
    """`text` in pieces, some of them empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@st.composite
def answers(draw: st.DrawFn, message_id: str) -> tuple[list[AIMessageChunk], AIMessage]:
    """A message, and the chunks that a provider might have streamed it in."""
    text, thought = draw(texts), draw(texts)
    calls = [
        {"name": f"tool{n}", "args": args, "id": f"{message_id}-{n}"}
        for n, args in enumerate(draw(st.lists(arguments, max_size=3)))
    ]
    same_index, with_index = draw(st.booleans()), draw(st.booleans())
    chunks: list[dict[str, Any]] = [
        {"content": [{"type": "thinking", "thinking": piece, "index": 0}]}
        for piece in draw(pieces(thought))
    ]
    as_blocks = draw(st.booleans())
    for piece in draw(pieces(text)):
        block = [{"type": "text", "text": piece, "index": 1}]
        chunks.append({"content": block if as_blocks else piece})
    for number, call in enumerate(calls):
        index = (2 if same_index else number + 2) if with_index else None
        for position, piece in enumerate(draw(pieces(json.dumps(call["args"])))):
            named = {"name": call["name"], "id": call["id"]} if position == 0 else {}
            fragment = {"name": None, "id": None, **named, "args": piece, "index": index}
            chunks.append({"content": "", "tool_call_chunks": [fragment]})
    chunks.append({"content": "", "chunk_position": draw(st.sampled_from(["last", None]))})
    content = [
        *([{"type": "thinking", "thinking": thought}] if thought else []),
        *([{"type": "text", "text": text}] if text else []),
    ]
    finished = AIMessage(content, id=message_id, tool_calls=calls)
    return [AIMessageChunk(id=message_id, **chunk) for chunk in chunks], finished


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[list[AIMessageChunk], list[AIMessage]]:
    """Two answers at once."""
    one, two = draw(answers("one")), draw(answers("two"))
    left, right = list(one[0]), list(two[0])
    order: list[AIMessageChunk] = []
    while left or right:
        side = left if left and (not right or draw(st.booleans())) else right
        order.append(side.pop(0))
    return order, [one[1], two[1]]


@settings(max_examples=150, deadline=None)
@given(interleaved())
def test_what_is_told_is_what_the_messages_say(
    streams: tuple[list[AIMessageChunk], list[AIMessage]],
) -> None:
    streamed, finished = streams
    translator = MessageTranslator()
    told = [c for chunk in streamed for c in translator.feed(chunk, parent_id=chunk.id)]
    told += [c for message in finished for c in translator.feed(message, parent_id=message.id)]
    told += translator.finish()

    check_stream(told)
    for message in finished:
        mine = [c for c in told if getattr(c, "parent_id", None) == message.id]
        assert "".join(c.text_delta for c in mine if c.type == "text-delta") == message.text
        thought = "".join(c.reasoning_delta for c in mine if c.type == "reasoning-delta")
        assert thought == "".join(b.get("thinking", "") for b in message.content)
        begun = [(c.tool_call_id, c.tool_name) for c in mine if c.type == "tool-call-begin"]
        assert begun == [(call["id"], call["name"]) for call in message.tool_calls]
        for call in message.tool_calls:
            deltas = [c for c in told if c.type == "tool-call-delta"]
            args = "".join(c.args_text_delta for c in deltas if c.tool_call_id == call["id"])
            assert json.loads(args or "{}") == call["args"]
    assert sum(c.type == "step-start" for c in told) == 2
    assert sum(c.type == "step-finish" for c in told) == 2
