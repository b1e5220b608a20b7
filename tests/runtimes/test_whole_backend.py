"""Real client runtimes in a browser, against the backend that `create_app` is.

Each holds a conversation with a tool of the server's, one of its own, and one that a person has to
allow; then the page is loaded again and goes on with the same thread.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, Response, expect
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant_stream_langgraph.app import create_app
from tests.app.agents import SENT, agent
from tests.runtimes.backend import ClientPage, client_page
from tests.runtimes.test_runtimes import SETTLED, merged, say, shown
from tests.serving import serve

PICK_COLOR: Any = {"type": "function", "function": {"name": "pick_color", "parameters": {}}}
"""For the AI SDK's own hook, which sends no tools."""

CLIENTS = [
    ClientPage("use_data_stream_runtime", "/chat"),
    ClientPage("use_chat", "/chat", {"version": "6"}),
    ClientPage("use_chat", "/chat?version=7", {"version": "7"}),
    ClientPage("use_chat_runtime", "/chat?version=7"),
    ClientPage("use_ag_ui_runtime", "/agui", {"agent": "1"}),
    ClientPage("use_assistant_transport_langgraph", "/assistant"),
    ClientPage(
        "use_assistant_transport_langgraph",
        "/assistant?protocol=assistant-transport",
        {"protocol": "assistant-transport"},
    ),
]


LATE = 0.06
"""Seconds by which all that the backend sends is late, so that a client shows a call well before
the run has ended."""


def late(app: ASGIApp) -> ASGIApp:
    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_late(message: Message) -> None:
            await asyncio.sleep(LATE)
            await send(message)

        await app(scope, receive, send_late)

    return respond


def backend(bundles: Path, *front_end: Any) -> Starlette:
    return Starlette(
        routes=[
            Route("/page/{bundle}", client_page),
            Mount("/bundles", StaticFiles(directory=bundles)),
            Mount("/", late(create_app(agent(*front_end)))),
        ]
    )


class Threads:
    """The ids that the server has named."""

    def __init__(self, page: Page) -> None:
        self.seen: set[str] = set()
        page.on("response", self._look)

    def _look(self, response: Response) -> None:
        thread_id = response.headers.get("x-thread-id")
        if thread_id is not None:
            self.seen.add(thread_id)


async def decide(page: Page, button: str, answer: str) -> None:
    """Wait for a question, decide it, and wait for the end of what follows."""
    await page.get_by_role("button", name=button).click()
    await expect(page.locator("article").last).to_contain_text(answer)
    await expect(page.locator('main[data-running="false"]')).to_be_visible()
    await page.wait_for_timeout(SETTLED)
    assert await page.locator("main").get_attribute("data-problem") is None


@pytest.mark.parametrize("client", CLIENTS, ids=str)
async def test_a_conversation(client: ClientPage, page: Page, bundles: Path) -> None:
    SENT.clear()
    threads = Threads(page)
    front_end = [PICK_COLOR] if client.bundle == "use_chat" else []
    async with serve(backend(bundles, *front_end)) as url:
        options = {"api": client.api, **client.options}
        await page.goto(f"{url}/page/{client.bundle}?{urlencode(options)}")

        await say(page, "How is the weather?", "The tool said: Sunny in Oslo")
        await say(page, "Which colour?", 'The tool said: {"color":"blue","of":"wall"}')
        await page.locator("input").fill("Send a mail")
        await page.get_by_role("button", name="Send").first.click()
        await expect(page.get_by_role("button", name="Approve send_mail")).to_be_visible()
        assert SENT == []
        await decide(page, "Approve send_mail", "The tool said: Sent to ada")

        assert SENT == ["ada"]
        assert len(threads.seen) == 1
        before = texts(await shown(page))

        (thread_id,) = threads.seen
        history = await page.request.get(f"{url}/threads/{thread_id}/state")
        messages = (await history.json())["values"]["messages"]
        kinds = [message["type"] for message in messages]
        assert kinds == ["human", "ai", "tool", "ai"] * 3

        await page.goto(f"{url}/page/{client.bundle}?{urlencode({**options, 'thread': thread_id})}")

        await expect(page.locator("article").last).to_contain_text("Sent to ada")
        assert texts(await shown(page)) == before
        await say(page, "Hello again", "Echo 13: Hello again")
        assert threads.seen == {thread_id}


def texts(messages: list[tuple[str, list[Any]]]) -> list[tuple[str, list[Any]]]:
    """What was said, and which tools were called."""
    return [
        (role, [part if isinstance(part, str) else part["name"] for part in parts])
        for role, parts in merged(messages)
    ]
