"""The demo agent: a model with tools, a thread, and notes in the graph's state."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import operator
from typing import Annotated, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, SystemMessage
from langchain_core.tools import BaseTool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Send

from ._demo_script import create_researcher, create_scripted_model
from ._demo_tools import create_search, create_tools
from .threads import Graph, GraphError

__all__ = ("DemoState", "create_demo_graph")

PROMPT = SystemMessage(
    "You are the demo agent of assistant-stream-ce, which streams LangGraph agents to web pages. "
    "Answer in Markdown. Before the answer, call `search_docs` for pages to cite, and `take_note` "
    "with what the user is interested in, both at once. The other tools are there to be shown."
)

RESEARCH_PROMPT = SystemMessage(
    "You are a sub-agent. Call `search_docs` once, then sum up what it found in two sentences."
)

PACE = 0.02
"""Seconds that the scripted model takes for a token; its tools take some tokens' time."""


class DemoState(MessagesState):
    """The conversation, and what was noted in it."""

    notes: Annotated[list[str], operator.add]


def create_demo_graph(
    model_name: str | None = None, *, pace: float = PACE, tool_time: float | None = None
) -> Graph:
    """Return the demo's graph, with a scripted model, or with the one named `provider:name`.

    Args:
        model_name: A model that `langchain.chat_models.init_chat_model` knows.
        pace: Seconds that the scripted model takes for a token.
        tool_time: Seconds that its slower tool takes; 40 tokens' time by default.

    Raises:
        GraphError: There is no such model, or a package for it is missing.
    """
    if model_name is None:
        model: BaseChatModel = create_scripted_model(pace)
        inner: BaseChatModel = create_researcher(pace)
        pause = 40 * pace if tool_time is None else tool_time
    else:
        model = inner = _real_model(model_name)
        pause = 0
    researcher = _create_graph(inner, [create_search(pause)], RESEARCH_PROMPT)
    return _create_graph(model, create_tools(pause, researcher), PROMPT)


def _create_graph(model: BaseChatModel, tools: list[BaseTool], prompt: SystemMessage) -> Graph:
    bound = model.bind_tools(tools)

    async def call_model(state: DemoState) -> dict[str, Any]:
        return {"messages": [await bound.ainvoke([prompt, *state["messages"]])]}

    def next_step(state: DemoState) -> list[Send] | str:
        last = state["messages"][-1]
        calls = last.tool_calls if isinstance(last, AIMessage) else []
        # A task for each call: a result is shown as soon as its tool is done.
        return [Send("tools", [call]) for call in calls] or END

    builder = StateGraph(DemoState)
    builder.add_node("model", call_model)
    builder.add_node("tools", ToolNode(tools, handle_tool_errors=_explain))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", next_step, ["tools", END])
    builder.add_edge("tools", "model")
    return builder.compile()


def _explain(error: Exception) -> str:
    """A tool that fails is the model's to deal with; the run goes on."""
    return f"{type(error).__name__}: {error}"


def _real_model(name: str) -> BaseChatModel:
    try:
        from langchain.chat_models import init_chat_model  # noqa: PLC0415 - an optional package
    except ModuleNotFoundError as error:
        raise GraphError(
            "--model needs LangChain and the package of the provider: "
            "pip install langchain langchain-openai, for example."
        ) from error
    try:
        return init_chat_model(name)
    except Exception as error:  # each provider has its own
        reason = str(error).strip().partition("\n")[0]
        raise GraphError(f"the model {name!r} cannot be used: {reason}") from error
