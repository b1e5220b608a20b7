"""Real client runtimes, mounted in a browser, hold a conversation with a real server of ours.

Every client here runs a tool of its own and sends the conversation again when its result is in.
It must do so for that tool, once, and never for calls that the server has answered.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect

from tests.runtimes.backend import CLIENTS, COLOR, WEATHER, Backend, ClientPage
from tests.serving import serve

SETTLED = 300
"""Milliseconds in which a client that sends again by itself has done so."""


async def say(page: Page, text: str, answer: str) -> None:
    """Send `text` and wait until the client has the end of its answer and nothing more to do."""
    await page.locator("input").fill(text)
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("article").last).to_contain_text(answer)
    await expect(page.locator('main[data-running="false"]')).to_be_visible()
    await page.wait_for_timeout(SETTLED)
    await expect(page.locator('main[data-running="false"]')).to_be_visible()
    assert await page.locator("main").get_attribute("data-problem") is None


async def shown(page: Page) -> list[tuple[str, list[Any]]]:
    """The messages in the page: role, and texts and calls in order."""
    messages: list[tuple[str, list[Any]]] = []
    for article in await page.locator("article").all():
        role = await article.get_attribute("data-role")
        parts = [
            json.loads(text) if tag == "PRE" else text
            for tag, text in await article.evaluate(
                "article => [...article.children].map(e => [e.tagName, e.textContent])"
            )
        ]
        messages.append((role or "", parts))
    return messages


def merged(messages: list[tuple[str, list[Any]]]) -> list[tuple[str, list[Any]]]:
    """Neighbouring messages of one role as one: a client may continue its answer in either way."""
    result: list[tuple[str, list[Any]]] = []
    for role, parts in messages:
        if result and result[-1][0] == role:
            result[-1][1].extend(parts)
        else:
            result.append((role, list(parts)))
    return result


RAIN = {"name": "get_weather", "args": {"city": "Oslo"}, "result": {"sky": "rain"}}
BLUE = {
    "name": "pick_color",
    "args": {"of": "wall"},
    "result": {"color": "blue", "of": "wall"},
}
FIRST = [
    ("user", [WEATHER]),
    ("assistant", ["Let me look.", RAIN | {"isError": False}, "It rains."]),
]
SECOND = [("user", [COLOR]), ("assistant", [BLUE | {"isError": False}, "Blue it is."])]


@pytest.mark.parametrize("client", CLIENTS, ids=str)
async def test_two_turns(client: ClientPage, page: Page, bundles: Path) -> None:
    backend = Backend(bundles)
    async with serve(backend.app) as url:
        options = urlencode({"api": client.api, **client.options})
        await page.goto(f"{url}/page/{client.bundle}?{options}")

        await say(page, WEATHER, "It rains.")

        messages = await shown(page)
        if client.bundle == "use_ag_ui_runtime":
            # For AG-UI, what follows a tool's result is a message of its own.
            assert len(messages) == len(FIRST) + 1
            messages = merged(messages)
        assert messages == FIRST
        assert len(backend.requests) == 1

        await say(page, COLOR, "Blue it is.")

        assert merged(await shown(page)) == FIRST + SECOND
        assert len(backend.requests) == 3  # The question, and the colour that the client picked.
        assert "It rains." in json.dumps(backend.requests[1])  # It knows what was said.

        await say(page, WEATHER, "It rains.")

        assert merged(await shown(page)) == FIRST + SECOND + FIRST
        assert len(backend.requests) == 4
