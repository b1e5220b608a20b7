"""The scripted chat model that users test with, and `stream_chain` over it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.output_parsers import StrOutputParser

from assistant_stream_ce.testing import collect
from assistant_stream_langchain import Rule, Visibility, stream_chain
from assistant_stream_langchain.testing import ScriptedChatModel

from .shown import show

FRAGMENTS = [
    AIMessageChunk("", tool_call_chunks=[{"name": "f", "args": '{"x"', "id": "a", "index": 0}]),
    AIMessageChunk("", tool_call_chunks=[{"name": None, "args": ": 1}", "id": None, "index": 0}]),
]


async def test_turns_are_played_in_order_and_the_prompts_kept() -> None:
    model = ScriptedChatModel(turns=["one two", ["th", "ree"], AIMessage("four", id="m4")])

    assert [chunk.content async for chunk in model.astream("a") if chunk.content] == ["one ", "two"]
    assert model.invoke("b").content == "three"
    assert (await model.ainvoke("c")).id == "m4"
    assert model.calls == [[HumanMessage(text)] for text in "abc"]


async def test_streaming_and_invoking_give_the_same_message() -> None:
    def model() -> ScriptedChatModel:
        return ScriptedChatModel(turns=[FRAGMENTS])

    invoked = [model().invoke("?"), await model().ainvoke("?")]
    merged: Any = None
    for chunk in model().stream("?"):
        merged = chunk if merged is None else merged + chunk

    for message in (*invoked, merged):
        assert message.tool_calls == [
            {"name": "f", "args": {"x": 1}, "id": "a", "type": "tool_call"}
        ]


@pytest.mark.parametrize("turn", [ValueError("broken"), ["Hel", ValueError("broken")]])
async def test_errors_are_raised_where_they_stand(turn: Any) -> None:
    model = ScriptedChatModel(turns=[turn], cycle=True)
    seen: list[Any] = []

    with pytest.raises(ValueError, match="broken"):
        async for chunk in model.astream("?"):
            seen.append(chunk.content)
    assert seen == ([] if isinstance(turn, ValueError) else ["Hel"])
    with pytest.raises(ValueError, match="broken"):
        model.invoke("?")


async def test_pauses_take_their_time() -> None:
    model = ScriptedChatModel(turns=[["a", 0.05, "b"]], cycle=True)

    for _ in range(1):
        start = time.monotonic()
        assert [chunk.content async for chunk in model.astream("?")][:2] == ["a", "b"]
        assert time.monotonic() - start >= 0.05
        start = time.monotonic()
        assert "".join(str(chunk.content) for chunk in model.stream("?")) == "ab"
        assert time.monotonic() - start >= 0.05


def test_after_the_last_turn_it_says_what_to_do() -> None:
    model = ScriptedChatModel(turns=["one"])
    model.invoke("?")

    with pytest.raises(IndexError, match="called 2 times but has 1 turns"):
        model.invoke("?")


def test_bound_tools_are_remembered_and_the_turns_shared() -> None:
    model = ScriptedChatModel(turns=["one", "two"])
    tools: list[Any] = [{"name": "f"}]

    assert model.bind_tools(tools).invoke("?").content == "one"
    assert model.bind_tools(tools, parallel_tool_calls=False).invoke("?").content == "two"
    assert model.tools == tools


def test_the_script_stays_out_of_the_repr() -> None:
    assert "secret" not in repr(ScriptedChatModel(turns=["secret"]))


def test_a_chunk_of_the_script_is_never_changed() -> None:
    chunk = AIMessageChunk("x")
    model = ScriptedChatModel(turns=[[chunk]], cycle=True)

    first, second = (next(iter(model.stream("?"))).id for _ in range(2))

    assert first != second
    assert chunk.id is None


async def test_a_chain_is_a_run_in_one_line() -> None:
    chain = ScriptedChatModel(turns=["Hello big world"]) | StrOutputParser()

    assert show(await collect(stream_chain(chain, "?"))).text == "Hello big world"


async def test_the_callbacks_of_the_configuration_are_called_as_well() -> None:
    from langchain_core.callbacks import UsageMetadataCallbackHandler

    usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    turn = [AIMessageChunk("x", usage_metadata=usage, response_metadata={"model_name": "m"})]
    other = UsageMetadataCallbackHandler()
    hidden = Visibility(rules=[Rule(action="hide", tag="quiet")])
    model = ScriptedChatModel(turns=[turn])

    chunks = await collect(
        stream_chain(model, "?", {"callbacks": [other], "tags": ["quiet"]}, visibility=hidden)
    )

    assert chunks == []
    assert other.usage_metadata["m"]["input_tokens"] == 5
