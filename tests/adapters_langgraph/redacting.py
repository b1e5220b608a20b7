"""Agents whose transformers redact, and what their runs tell."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import PIIMiddleware
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from assistant_stream_ce._json import dumps
from assistant_stream_ce.testing import check_stream, collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.runs import Graph, Run, call, usage

__all__ = (
    "CONFIG",
    "LONG",
    "MAILED",
    "SECRETS",
    "Card",
    "agent",
    "guard",
    "mailing",
    "run",
    "told",
)

CONFIG: Any = {"configurable": {"thread_id": "1"}}

SECRETS = {
    "email": "ann.lee@mail.kqzw.example.co.uk",
    "credit_card": "4111 1111 1111 1111",
    "ip": "10.23.117.245",
    "mac_address": "0A:1B:44:11:3A:B7",
    "url": "https://kqzw.example.com/jvx/path?token=zz9",
}
"""Some of these are whole before they end: `ann.lee@mail.kqzw`, `10.23.117.2`, `https://k`."""

LONG = "and then a good deal of other things that are of no interest to anybody but me " * 3


def guard(kind: str = "email", strategy: Any = "redact", **options: Any) -> Any:
    options.setdefault("apply_to_output", True)
    return PIIMiddleware(kind, strategy=strategy, **options)


def agent(turns: list[Any], *middleware: Any, **options: Any) -> Graph:
    options.setdefault("checkpointer", InMemorySaver())
    model = ScriptedChatModel(turns=turns)
    graph: Graph = create_agent(model, middleware=middleware or (guard(),), **options)
    return graph


async def run(graph: Graph, given: Any = None, **options: Any) -> Run:
    """A run whose every moment is checked: what is shown only grows."""
    chunks = await collect(stream_graph(graph, given or human("hi"), CONFIG, **options))
    check_stream(chunks)
    return Run(chunks)


def told(run: Run) -> str:
    """All that went to the client, and what the pieces of it add up to."""
    return " ".join([*map(repr, run.chunks), dumps(run.states), repr(run.parts)])


@tool
def mail(to: str, body: str) -> str:
    """Send a mail."""
    MAILED.append(to)
    return f"Sent {body} to {to}"


MAILED: list[str] = []


def mailing(*middleware: Any, **options: Any) -> Graph:
    secret = SECRETS["email"]
    args = ['{"to": "', *secret, f'", "body": "line\\n{secret} ', "\\u0061nn", '@kqzw.example"}']
    turns = [
        ["I write ", "it.", call("mail", "", "c1"), *(call(None, a) for a in args), usage(3, 4)],
        ["Done with ", secret[:9], secret[9:], ".", usage(1, 2)],
    ]
    return agent(turns, *middleware, tools=[mail], **options)


class Card(BaseModel):
    owner: str
    mails: list[str]
