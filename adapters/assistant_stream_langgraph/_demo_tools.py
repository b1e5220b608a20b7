"""The tools of the demo agent: quick, slow, failing, asking, drawing, one with an agent in it."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from xml.sax.saxutils import escape

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langgraph.config import get_stream_writer
from langgraph.types import Command, interrupt

from assistant_stream_ce._json import to_json

from ._demo_pages import find_pages
from .threads import Graph

__all__ = ("create_search", "create_tools")

MOST_CHAPTERS = 12
MOST_VALUES = 24


def create_search(pause: float) -> BaseTool:
    """Return the search, which takes `pause` seconds."""

    @tool(response_format="content_and_artifact")
    async def search_docs(query: str, limit: int = 3) -> tuple[str, dict[str, Any]]:
        """Search pages about streaming agents to the web; returns titles, addresses and texts."""
        await asyncio.sleep(pause)
        pages = find_pages(query, limit)
        found = "\n".join(f"{page.title} ({page.url}): {page.text}" for page in pages)
        documents = [{"title": page.title, "url": page.url, "content": page.text} for page in pages]
        return found, {"documents": documents}

    return search_docs


def create_tools(pause: float, researcher: Graph) -> list[BaseTool]:
    """Return the tools of the demo agent.

    Args:
        pause: Seconds that a tool takes.
        researcher: The agent that works inside the tool `research`.
    """
    return [
        create_search(pause),
        _take_note(pause / 2),
        _read_sensor(pause / 2),
        _build_report(pause),
        _research(researcher),
        draw_chart,
        send_email,
        ask_user,
    ]


def _take_note(pause: float) -> BaseTool:
    @tool
    async def take_note(
        text: str, tool_call_id: Annotated[str, InjectedToolCallId]
    ) -> Command[Any]:
        """Write a note into the state of this thread."""
        await asyncio.sleep(pause)
        answer = ToolMessage("Noted.", tool_call_id=tool_call_id, name="take_note")
        return Command(update={"notes": [text], "messages": [answer]})

    return take_note


def _read_sensor(pause: float) -> BaseTool:
    @tool
    async def read_sensor(place: str) -> str:
        """Read the temperature at a place."""
        await asyncio.sleep(pause)
        raise ConnectionError(f"The sensor on {place} does not answer.")

    return read_sensor


def _build_report(pause: float) -> BaseTool:
    @tool(response_format="content_and_artifact")
    async def build_report(
        subject: str, chapters: int, tool_call_id: Annotated[str, InjectedToolCallId]
    ) -> tuple[str, dict[str, Any]]:
        """Write a report, which takes a while; tells its progress."""
        tell = get_stream_writer()
        count = max(1, min(chapters, MOST_CHAPTERS))
        for chapter in range(1, count + 1):
            tell(
                {
                    "type": "progress",
                    "tool_call_id": tool_call_id,
                    "progress": (chapter - 1) / count,
                    "message": f"Chapter {chapter} of {count}",
                }
            )
            await asyncio.sleep(pause)
        return f"A report of {count} chapters.", {"subject": subject, "pages": 7 * count}

    return build_report


def _research(researcher: Graph) -> BaseTool:
    @tool(response_format="content_and_artifact")
    async def research(
        task: str, tool_call_id: Annotated[str, InjectedToolCallId]
    ) -> tuple[str, dict[str, Any]]:
        """Give a task to a sub-agent that searches the documentation and sums up."""
        tell = get_stream_writer()
        messages: list[BaseMessage] = []
        asked = {"messages": [HumanMessage(task)]}
        async for state in researcher.astream(asked, stream_mode="values"):
            messages = state["messages"]
            transcript = to_json(messages)
            tell({"type": "transcript", "tool_call_id": tool_call_id, "messages": transcript})
        return messages[-1].text, {"subgraph_state": {"messages": to_json(messages)}}

    return research


@tool
def draw_chart(title: str, values: list[float]) -> list[dict[str, Any]]:
    """Draw a bar chart."""
    image = b64encode(_bars(title, values[:MOST_VALUES]).encode()).decode()
    text = f"{title}: {', '.join(f'{value:g}' for value in values[:MOST_VALUES])}"
    return [
        {"type": "text", "text": text},
        {"type": "image", "base64": image, "mime_type": "image/svg+xml"},
    ]


@tool
def send_email(to: str, subject: str, text: str) -> str:
    """Send an e-mail, if the user approves."""
    action = {"to": to, "subject": subject, "text": text}
    answer: Any = interrupt(
        {
            "action_requests": [
                {
                    "name": "send_email",
                    "args": action,
                    "description": "The demo wants to send this e-mail. It is only pretence.",
                }
            ],
            "review_configs": [
                {
                    "action_name": "send_email",
                    "allowed_decisions": ["approve", "edit", "reject", "respond"],
                }
            ],
        }
    )
    decision = answer["decisions"][0]
    kind: Literal["approve", "edit", "reject", "respond"] = decision["type"]
    match kind:
        case "approve":
            return f"Sent to {to}."
        case "edit":
            return f"Sent to {decision['edited_action']['args'].get('to', to)}, as edited."
        case "reject":
            return f"Not sent, the user has rejected it. {decision.get('message', '')}".strip()
        case "respond":
            return str(decision["message"])


@tool
def ask_user(question: str, options: list[str]) -> str:
    """Ask the user a question and wait for the answer."""
    return f"The user says: {interrupt({'question': question, 'options': options})}"


def _bars(title: str, values: Sequence[float]) -> str:
    """A bar chart as SVG, readable on light and dark."""
    width, height, gap = 480, 220, 10
    top = max([*values, 1])
    step = (width - 2 * gap) / max(1, len(values))
    bars = [
        f'<rect x="{gap + i * step + gap / 2:.1f}" y="{height - 30 - h:.1f}" rx="4" '
        f'width="{step - gap:.1f}" height="{h:.1f}" fill="#1f9484"/>'
        for i, h in enumerate(max(0.0, value / top) * (height - 80) for value in values)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">'
        f'<rect width="{width}" height="{height}" rx="12" fill="#f3f6f5"/>'
        f'<text x="{2 * gap}" y="30" font-family="sans-serif" font-size="16" fill="#22302d">'
        f"{escape(title)}</text>{''.join(bars)}</svg>"
    )
