"""Agents inside a graph are found wherever a node or a tool has them, and nothing is run for it."""

from __future__ import annotations

import time
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph

from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph._editors import stream_editors
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.redacting import agent
from tests.adapters_langgraph.runs import Graph

AGENT = agent(["Well."], checkpointer=None)
MODULE = ModuleType("a_module")
vars(MODULE)["agent"] = AGENT
PLENTY = {number: {str(number): [number]} for number in range(5_000)}


def ask(state: Any) -> Any:
    return AGENT.invoke(state)


class Holder:
    """Neither a node nor a tool, but it has an agent."""

    def __init__(self) -> None:
        self.agent = AGENT

    def ask(self, state: Any) -> Any:
        return ask(state)

    def node(self) -> Any:
        return lambda state: [self.agent.invoke(state)]

    def other_node(self) -> Any:
        return lambda state: [self.ask(state)]


HOLDER = Holder()


class Node:
    def __init__(self, agent: Graph) -> None:
        self.agent = agent

    def __call__(self, state: MessagesState) -> Any:
        return self.agent.invoke(state)


class NamingNode:
    def __call__(self, state: MessagesState) -> Any:
        return ask(state)


class FieldTool(BaseTool):
    name: str = "ask"
    description: str = "Ask."
    held: Any

    def _run(self, q: str) -> Any:
        return self.held.invoke(q)


class HolderTool(FieldTool):
    def _run(self, q: str) -> Any:
        return self.held.agent.invoke(q)


class NamingTool(BaseTool):
    name: str = "ask"
    description: str = "Ask."

    async def _arun(self, q: str) -> Any:
        return await AGENT.ainvoke(human(q))

    def _run(self, q: str) -> Any:
        raise NotImplementedError


def with_default(state: MessagesState, agent: Graph = AGENT) -> Any:
    return agent.invoke(state)


def with_keyword(state: MessagesState, *, agent: Graph = AGENT) -> Any:
    return agent.invoke(state)


def of_module(state: MessagesState) -> Any:
    return MODULE.agent.invoke(state)


def of_holder(state: MessagesState) -> Any:
    return HOLDER.agent.invoke(state)


def beside_plenty(state: MessagesState) -> Any:
    return PLENTY, AGENT.invoke(state)


def without_module(state: MessagesState) -> Any:
    return AGENT.invoke(state)


without_module.__module__ = None  # type: ignore[assignment]


def node(value: Any) -> Graph:
    return StateGraph(MessagesState).add_node("a", value).add_edge(START, "a").compile()


def tooled(*tools: Any) -> Graph:
    graph: Graph = create_agent(ScriptedChatModel(turns=[]), list(tools))
    return graph


def function_tool(function: Any) -> Graph:
    return tooled(StructuredTool.from_function(function, name="ask", description="Ask."))


def workflow() -> Graph:
    @task
    def work(given: Any) -> Any:
        return ask(given)

    @entrypoint()
    def flow(given: Any) -> Any:
        return work(given).result()

    return flow


@pytest.mark.parametrize(
    "graph",
    [
        node(Node(AGENT)),
        node(NamingNode()),
        node(HOLDER.ask),
        node(HOLDER.node()),
        node(HOLDER.other_node()),
        node(with_default),
        node(with_keyword),
        node(of_module),
        node(of_holder),
        node(beside_plenty),
        node(without_module),
        node(partial(with_default, agent=AGENT)),
        node(RunnableLambda(ask)),
        node(RunnableParallel(a=AGENT)),
        node(AGENT.with_fallbacks([AGENT])),
        node(AGENT.with_retry()),
        node(AGENT | ask),
        tooled(FieldTool(held=AGENT)),
        tooled(HolderTool(held=HOLDER)),
        tooled(NamingTool()),
        function_tool(with_default),
        function_tool(of_module),
        function_tool(of_holder),
        function_tool(HOLDER.ask),
        workflow(),
    ],
)
def test_an_agent_is_found_wherever_a_node_or_a_tool_has_it(graph: Graph) -> None:
    assert stream_editors(graph) == stream_editors(AGENT) != ()


class Proxy:
    """Looks for what it stands for as soon as anything is asked of it."""

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        raise RuntimeError

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError


class Odd:
    __slots__ = ()
    __module__: Any = property(lambda self: "")  # type: ignore[assignment]

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError

    def node(self, state: MessagesState) -> Any:
        return AGENT.invoke(state)


class Steps(FieldTool):
    steps: int = 3
    """A name that sequences of LangChain have."""


PROXY, ODD = Proxy(), Odd()


def beside_odd_things(state: MessagesState) -> Any:
    return PROXY, ODD, AGENT.invoke(state)


@pytest.mark.parametrize(
    "graph",
    [
        node(beside_odd_things),
        function_tool(beside_odd_things),
        tooled(Steps(held=AGENT)),
        tooled(Steps(held=PROXY), FieldTool(held=AGENT)),
    ],
)
def test_odd_things_hide_no_agent_and_are_not_asked(graph: Graph) -> None:
    assert stream_editors(graph) == stream_editors(AGENT)


def test_a_node_that_is_no_function_of_python_names_nothing() -> None:
    assert stream_editors(node(len)) == ()


def test_the_search_is_bounded_and_made_once() -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep, [*range(50)], PLENTY]

    wide = [[*PLENTY.values()] for _ in range(500)]

    def names_much(state: MessagesState) -> Any:
        return deep, wide

    graph = node(names_much)
    began = time.process_time()
    assert stream_editors(graph) == ()
    assert time.process_time() - began < 1
    assert stream_editors(graph) is stream_editors(graph)
