"""Agents for the endpoints' tests: what they do depends on what the user says last."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.types import interrupt

from assistant_stream_langchain.testing import Script, ScriptedChatModel
from assistant_stream_langgraph.frontend_tools import ToolSchema
from assistant_stream_langgraph.middleware import FrontendTools
from assistant_stream_langgraph.threads import Graph

__all__ = ("SECRET", "SENT", "agent")

SECRET = "the database password is hunter2"

SENT: list[str] = []
"""What the tool `send_mail` has sent."""


@tool
def get_weather(city: str) -> str:
    """Say what the weather is like."""
    return f"Sunny in {city}"


@tool
def send_mail(to: str) -> str:
    """Send a mail, after a person has agreed."""
    SENT.append(to)
    return f"Sent to {to}"


@tool
def ask_user(question: str) -> str:
    """Ask the user."""
    return f"The user says: {interrupt({'question': question})}"


def call(name: str, **args: Any) -> AIMessage:
    return AIMessage(
        "",
        tool_calls=[{"id": f"call_{uuid4().hex}", "name": name, "args": args}],
        usage_metadata={"input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
    )


def answer(messages: list[BaseMessage]) -> Script:
    """One call of the model."""
    said = next(m.text for m in reversed(messages) if isinstance(m, HumanMessage))
    last = messages[-1]
    if isinstance(last, ToolMessage):
        return f"The tool said: {last.text}"
    if "weather" in said:
        return call("get_weather", city="Oslo")
    if "mail" in said:
        return call("send_mail", to="ada")
    if "ask me" in said:
        return call("ask_user", question="Which one?")
    if "colour" in said:
        return call("pick_color", of="wall")
    if "fail" in said:
        return RuntimeError(SECRET)
    return f"Echo {len(messages)}: {said}"


def agent(*front_end: ToolSchema, **options: Any) -> Graph:
    """An agent with a tool, one that needs an approval, one that asks, and the front end's."""
    model = ScriptedChatModel(turns=[answer], cycle=True)
    middleware: list[Any] = [
        FrontendTools(*front_end),
        HumanInTheLoopMiddleware(interrupt_on={"send_mail": True}),
    ]
    graph: Graph = create_agent(
        model, [get_weather, send_mail, ask_user], middleware=middleware, **options
    )
    return graph
