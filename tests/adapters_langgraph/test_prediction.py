"""Predictive state: an argument of a tool call grows in a channel before the tool has run."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain.agents import AgentState, create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from assistant_stream_ce import ToolCallBeginChunk, ToolCallDeltaChunk
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from assistant_stream_langgraph._prediction import Predictions
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.runs import Graph, Run, call, play, values_of

CONFIG: Any = {"configurable": {"thread_id": "1"}}
PREDICT = {"draft": ("write_doc", "text")}
PIECES = ['{"title": "x", "te', 'xt": "Once', " upon\\n", "a ti", 'me"}']


class Writing(AgentState[Any]):
    draft: str


def writer(*, writes: bool = True) -> Graph:
    @tool
    def write_doc(title: str, text: str, call_id: Annotated[str, InjectedToolCallId]) -> Any:
        """Write."""
        update: dict[str, Any] = {"messages": [ToolMessage("ok", tool_call_id=call_id)]}
        return Command(update={**update, "draft": text + "."} if writes else update)

    first, *rest = PIECES
    pieces = [call("write_doc", first, "c1"), *(call(None, piece) for piece in rest)]
    model = ScriptedChatModel(turns=[pieces, "Done."], delay=0.005)
    tools = [write_doc]
    return create_agent(model, tools, state_schema=Writing, checkpointer=InMemorySaver())


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


@given(
    text=st.text(max_size=20),
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
    assert "".join(new for _, new, _ in read) == text
