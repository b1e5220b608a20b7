"""Predictive state: an argument of a tool call grows in a channel before the tool has run."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import AgentState, create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.channels import EphemeralValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from assistant_stream_ce import ToolCallBeginChunk, ToolCallDeltaChunk
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langchain.visibility import Rule, Visibility
from assistant_stream_langgraph import stream_graph
from assistant_stream_langgraph._prediction import Predictions
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.runs import Graph, Run, call, play, values_of

CONFIG: Any = {"configurable": {"thread_id": "1"}}
PREDICT = {"draft": ("write_doc", "text")}
PIECES = ['{"title": "x", "te', 'xt": "Once', " upon\\n", "a ti", 'me"}']


class Writing(AgentState[Any]):
    draft: str


class Fleeting(AgentState[Any]):
    draft: Annotated[str, EphemeralValue]


def writer(turns: list[Any] | None = None, *, writes: bool = True, schema: Any = Writing) -> Graph:
    @tool
    def write_doc(title: str, text: str, call_id: Annotated[str, InjectedToolCallId]) -> Any:
        """Write."""
        update: dict[str, Any] = {"messages": [ToolMessage("ok", tool_call_id=call_id)]}
        return Command(update={**update, "draft": text + "."} if writes else update)

    first, *rest = PIECES
    pieces = [call("write_doc", first, "c1"), *(call(None, piece) for piece in rest)]
    model = ScriptedChatModel(turns=turns or [pieces, "Done."], delay=0.005)
    return create_agent(model, [write_doc], state_schema=schema, checkpointer=InMemorySaver())


async def run(graph: Graph, **options: Any) -> Run:
    stream = stream_graph(graph, human("go"), CONFIG, predict=PREDICT, **options)
    return Run([chunk async for chunk in stream])


@pytest.mark.parametrize("parts", [True, False])
async def test_an_argument_grows_in_its_channel_and_the_graph_settles_it(parts: bool) -> None:
    graph = writer()
    done = await run(graph, parts=parts)
    drafts = [state.get("draft") for state in done.states[1:] if state.get("draft")]
    assert drafts[0] == "Once"
    assert len(drafts) > 2
    for before, after in pairwise(drafts):
        assert after.startswith(before), "what is shown never goes back"
    assert done.state["draft"] == (await values_of(graph, CONFIG))["draft"] == "Once upon\na time."
    values = [op for op in done.operations if op["path"] == ["draft"]]
    assert [op["type"] for op in values] == ["set", *["append-text"] * (len(values) - 1)]


async def test_a_prediction_that_the_graph_does_not_write_is_taken_back() -> None:
    done = await run(writer(writes=False))
    assert any(state.get("draft") for state in done.states[1:])
    assert done.state == {}


async def test_what_is_taken_back_leaves_the_messages_where_they_are() -> None:
    events = writer(writes=False).astream(human("go"), CONFIG, stream_mode=["messages"])
    done = await play(events, parts=False, predict=PREDICT)
    assert [message["type"] for message in done.state["messages"]] == ["ai", "tool", "ai"]
    assert "draft" not in done.state


async def test_of_two_calls_at_the_same_time_the_later_one_is_shown() -> None:
    turns = [
        [
            call("write_doc", '{"title": "", "text": "The fir', "c1", 0),
            call("write_doc", '{"title": "", "text": "The second', "c2", 1),
            call(None, 'st one"}', index=0),
            call(None, ' one"}', index=1),
        ],
        "Done.",
    ]
    done = await run(writer(turns, writes=False))
    drafts = [state.get("draft") for state in done.states[1:]]
    assert drafts == ["The fir", "The second", "The second one", None]


@pytest.mark.parametrize("parts", [True, False])
async def test_what_a_run_that_fails_has_not_written_is_taken_back(parts: bool) -> None:
    def fail(state: Any) -> None:
        raise RuntimeError("broken")

    turns: list[Any] = [[call("write_doc", piece, "c1") for piece in PIECES[:2]], fail]
    chunks = []
    with pytest.raises(RuntimeError):
        async for chunk in stream_graph(
            writer(turns, writes=False), human("go"), CONFIG, predict=PREDICT, parts=parts
        ):
            chunks.append(chunk)
    states = Run(chunks).states
    assert any(state.get("draft") for state in states[1:])
    assert "draft" not in states[-1]


async def test_a_call_that_is_told_with_its_result_is_no_guess() -> None:
    builder = StateGraph(Writing).add_node("agent", writer()).add_edge(START, "agent")
    events = builder.compile().astream(human("go"), CONFIG, stream_mode="values")
    done = await play(events, predict=PREDICT, stream_mode="values")
    assert [op["value"] for op in done.operations] == ["Once upon\na time."]


async def test_a_channel_that_empties_itself_meanwhile_goes_on_with_the_guess() -> None:
    calls = [call("write_doc", '{"title": "", "text": "Once"}', name) for name in ("c1", "c2")]
    graph = writer([[calls[0]], [calls[1]], "Done."], schema=Fleeting)
    done = await run(graph)
    drafts = [state.get("draft") for state in done.states[1:]]
    assert drafts == ["Once", "Once.", "Once", "Once", "Once.", None]


async def test_what_is_hidden_is_not_shown_in_its_channel_either() -> None:
    for parts in (True, False):
        hidden = Visibility(rules=[Rule(action="hide", node="model")])
        done = await run(writer(), parts=parts, visibility=hidden)
        drafts = [state["draft"] for state in done.states[1:] if "draft" in state]
        assert [*dict.fromkeys(drafts)] == ["Once upon\na time."]


@settings(max_examples=60)
@given(
    text=st.text(
        st.characters(exclude_categories=()) | st.sampled_from("\ud83d\ude00"), max_size=20
    ),
    cuts=st.lists(st.integers(0, 200), max_size=8),
    ascii_only=st.booleans(),
)
def test_any_text_is_read_from_any_pieces_of_its_json(
    text: str, cuts: list[int], ascii_only: bool
) -> None:
    other = {"a": [{"text": "no"}], 'q"\\': "text"}
    args = json.dumps({**other, "text": text, "z": {"text": 1}}, ensure_ascii=ascii_only)
    places = sorted({0, len(args), *(cut % (len(args) + 1) for cut in cuts)})
    pieces = [args[start:end] for start, end in pairwise(places)]
    chunks = [ToolCallDeltaChunk("c", piece) for piece in pieces]
    read = Predictions(PREDICT).read([ToolCallBeginChunk("c", "write_doc"), *chunks])
    assert "".join(new for _, new, _ in read) == json.loads(args)["text"]
