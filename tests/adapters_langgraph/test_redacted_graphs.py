"""Which graphs have transformers that may edit what is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import PIIMiddleware, SummarizationMiddleware
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph._editors import stream_editors
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.redacting import SECRETS, agent, run, told
from tests.adapters_langgraph.runs import Graph, call


def test_transformers_that_edit_nothing_change_nothing() -> None:
    summarizing = SummarizationMiddleware(model=ScriptedChatModel(turns=[]))
    for middleware in ((summarizing,), (PIIMiddleware("email"),), ()):
        graph = create_agent(ScriptedChatModel(turns=[]), middleware=middleware)
        assert stream_editors(graph) == ()


def inner_node() -> Graph:
    return agent([f"It is {SECRETS['email']}"], checkpointer=None)


def as_node() -> Graph:
    return StateGraph(MessagesState).add_node("a", inner_node()).add_edge(START, "a").compile()


def called_by_a_node() -> Graph:
    inner = inner_node()

    async def node(state: MessagesState) -> Any:
        return await inner.ainvoke(state)

    return StateGraph(MessagesState).add_node("a", node).add_edge(START, "a").compile()


def called_by_a_tool() -> Graph:
    inner = inner_node()

    @tool
    async def research(q: str) -> str:
        """Research."""
        return str((await inner.ainvoke(human(q)))["messages"][-1].text)

    model = ScriptedChatModel(turns=[[call("research", '{"q": "x"}', "c1")], "Done."])
    graph: Graph = create_agent(model, [research])
    return graph


def two_levels_down() -> Graph:
    return StateGraph(MessagesState).add_node("b", as_node()).add_edge(START, "b").compile()


@pytest.mark.parametrize(
    "build",
    [
        as_node,
        called_by_a_node,
        called_by_a_tool,
        two_levels_down,
        lambda: inner_node().with_config(tags=["x"]),
        lambda: inner_node().bind(debug=False, stream_mode="values"),
        lambda: inner_node().with_config(tags=["x"]).bind().with_config(tags=["y"]),
    ],
)
async def test_an_agent_inside_another_graph_is_redacted(build: Callable[[], Any]) -> None:
    for options in ({}, {"parts": False}, {"nested": "messages"}):
        made = await run(build(), **options)
        assert "REDACTED" in told(made)
        assert "kqzw" not in told(made)
