"""Whatever JSON stands in the blocks of a message, it is told or left out, and never raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import ValidationError

from assistant_stream_ce.serialization import AssistantTransportEncoder, UIMessageStreamEncoder
from assistant_stream_ce.testing import check_stream
from assistant_stream_langchain import MessageTranslator

from .shown import show, translate

KINDS = [
    "text",
    "output_text",
    "refusal",
    "tool_use",
    "function_call",
    "tool_call",
    "input_json_delta",
    "thinking",
    "reasoning",
    "reasoning_content",
    "non_standard",
    "image",
    "image_url",
    "audio",
    "file",
    "document",
    "media",
    "server_tool_call",
    "server_tool_result",
    "server_tool_use",
    "web_search_tool_result",
    "executable_code",
    "mcp_call",
    "code_execution_result",
    "computer_call",
    "web_search_call",
    "image_generation_call",
]
KEYS = [
    "type",
    "id",
    "call_id",
    "tool_call_id",
    "tool_use_id",
    "name",
    "index",
    "text",
    "refusal",
    "thinking",
    "reasoning",
    "summary",
    "content",
    "args",
    "arguments",
    "input",
    "partial_json",
    "value",
    "annotations",
    "citations",
    "url",
    "source",
    "file",
    "data",
    "base64",
    "mime_type",
    "status",
    "output",
    "error",
    "action",
    "result",
    "is_error",
    "extras",
    "title",
    "file_id",
    "location",
]
BESIDE = [
    "reasoning_content",
    "reasoning",
    "refusal",
    "audio",
    "images",
    "tool_outputs",
    "executed_tools",
    "annotations",
    "citations",
    "search_results",
    "grounding_metadata",
    "finish_reason",
    "stop_reason",
    "status",
    "token_usage",
]

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 3)
    | st.sampled_from(["", "x", "https://a.example/b", "data:image/png;base64,aa", *KINDS]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=6,
)
BLOCKS = st.builds(
    lambda kind, fields: {**fields, "type": kind},
    st.sampled_from(KINDS) | VALUES,
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4),
)
BESIDES = st.dictionaries(st.sampled_from(BESIDE), VALUES, max_size=2)


@st.composite
def messages(draw: st.DrawFn) -> AIMessage | None:
    """A message or a chunk of one, if LangChain takes it."""
    make = draw(st.sampled_from([AIMessage, AIMessageChunk]))
    try:
        return make(
            content=draw(st.lists(BLOCKS, max_size=2)),
            id=draw(st.sampled_from([None, "a", "b"])),
            additional_kwargs=draw(BESIDES),
            response_metadata=draw(BESIDES),
        )
    except (ValidationError, TypeError, AttributeError, ValueError):
        return None  # LangChain's own constructor refuses it.


@given(st.lists(messages(), max_size=3))
def test_any_blocks_make_a_well_formed_stream(said: list[AIMessage | None]) -> None:
    translator = MessageTranslator()
    chunks = [chunk for message in said if message for chunk in translator.feed(message)]
    chunks += translator.finish()

    check_stream(chunks)
    for encoder in (AssistantTransportEncoder(), UIMessageStreamEncoder()):
        for chunk in chunks:
            encoder.encode_chunk(chunk)


@pytest.mark.parametrize(
    "odd",
    [
        {"type": ["text"], "text": "no"},
        {"type": "tool_use", "id": {}, "name": [], "index": {}},
        {"type": "server_tool_result", "tool_call_id": {"a": 1}, "output": 1},
        {"type": "text", "text": 5, "index": []},
    ],
)
def test_one_odd_block_leaves_the_others(odd: dict[str, Any]) -> None:
    content: Any = [{"type": "text", "text": "before "}, odd, {"type": "text", "text": "after"}]

    assert show(translate([AIMessage(content=content)])).text == "before after"
    assert show(translate([AIMessageChunk(content=content)])).text == "before after"
