"""What the demo's search looks through: pages that are worth reading next."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ("PAGES", "Page", "find_pages")


class Page(NamedTuple):
    """A page on the web and what it says."""

    title: str
    url: str
    text: str


PAGES = (
    Page(
        "Streaming in LangGraph",
        "https://docs.langchain.com/oss/python/langgraph/streaming",
        "A graph can stream its model's tokens, its state after each step and events of your own, "
        "all in one go.",
    ),
    Page(
        "Server-sent events",
        "https://developer.mozilla.org/en-US/docs/Web/API/Server-sent_events",
        "A web server can keep a response open and send text over HTTP, event by event, as it "
        "becomes ready.",
    ),
    Page(
        "Assistant transport",
        "https://www.assistant-ui.com/docs/runtimes/assistant-transport",
        "A front end sends commands to an agent and shows the agent's state, which a stream of "
        "operations keeps up to date.",
    ),
    Page(
        "Agents in LangChain",
        "https://docs.langchain.com/oss/python/langchain/agents",
        "An agent is a model that calls tools in a loop until it can answer the question.",
    ),
    Page(
        "Tools in LangChain",
        "https://docs.langchain.com/oss/python/langchain/tools",
        "A tool is a function with a schema, so that a model can call it; it may update the state "
        "of the graph as well.",
    ),
    Page(
        "Persistence in LangGraph",
        "https://docs.langchain.com/oss/python/langgraph/persistence",
        "A checkpointer saves the state of a thread at every step: memory, history, and a way "
        "back to an earlier message.",
    ),
    Page(
        "Interrupts in LangGraph",
        "https://docs.langchain.com/oss/python/langgraph/interrupts",
        "A graph can stop, ask a human for approval or input, and go on with the answer later.",
    ),
    Page(
        "Sub-applications in FastAPI",
        "https://fastapi.tiangolo.com/advanced/sub-applications/",
        "A FastAPI app can mount another ASGI app, such as this backend, under a path of its own.",
    ),
)


def find_pages(query: str, limit: int = 3) -> list[Page]:
    """The pages that share the most words with `query`; the first ones when none does."""
    wanted = _stems(query)
    return sorted(PAGES, key=lambda page: -len(wanted & _stems(f"{page.title} {page.text}")))[
        :limit
    ]


def _stems(text: str) -> set[str]:
    """The longer words, cut short, so that `stream`, `streams` and `streaming` are one."""
    return {word[:6] for word in re.findall(r"\w{4,}", text.lower())}
