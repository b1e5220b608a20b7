"""The demo agent: a model with two tools, a thread, and notes in the graph's state."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, SystemMessage, ToolMessage
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send

from ._demo_pages import find_pages
from ._demo_script import create_scripted_model
from .threads import Graph, GraphError

__all__ = ("DemoState", "create_demo_graph")

PROMPT = SystemMessage(
    "You are the demo agent of assistant-stream-ce, which streams LangGraph agents to web pages. "
    "Answer in Markdown. Before the answer, call `search_docs` for pages to cite, and `take_note` "
    "with what the user is interested in, both at once."
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
        return _create_graph(
            create_scripted_model(pace), _tools(40 * pace if tool_time is None else tool_time)
        )
    return _create_graph(_real_model(model_name), _tools(0))


def _create_graph(model: BaseChatModel, tools: list[BaseTool]) -> Graph:
    bound = model.bind_tools(tools)

    async def call_model(state: DemoState) -> dict[str, Any]:
        return {"messages": [await bound.ainvoke([PROMPT, *state["messages"]])]}

    def next_step(state: DemoState) -> list[Send] | str:
        last = state["messages"][-1]
        calls = last.tool_calls if isinstance(last, AIMessage) else []
        # A task for each call: a result is shown as soon as its tool is done.
        return [Send("tools", [call]) for call in calls] or END

    builder = StateGraph(DemoState)
    builder.add_node("model", call_model)
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", next_step, ["tools", END])
    builder.add_edge("tools", "model")
    return builder.compile()


def _tools(thinking_time: float) -> list[BaseTool]:
    @tool(response_format="content_and_artifact")
    async def search_docs(query: str, limit: int = 3) -> tuple[str, dict[str, Any]]:
        """Search pages about streaming agents to the web; returns titles, addresses and texts."""
        await asyncio.sleep(thinking_time)
        pages = find_pages(query, limit)
        found = "\n".join(f"{page.title} ({page.url}): {page.text}" for page in pages)
        documents = [{"title": page.title, "url": page.url, "content": page.text} for page in pages]
        return found, {"documents": documents}

    @tool
    async def take_note(
        text: str, tool_call_id: Annotated[str, InjectedToolCallId]
    ) -> Command[Any]:
        """Write a note into the state of this thread."""
        await asyncio.sleep(thinking_time / 2)
        answer = ToolMessage("Noted.", tool_call_id=tool_call_id, name="take_note")
        return Command(update={"notes": [text], "messages": [answer]})

    return [search_docs, take_note]


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
