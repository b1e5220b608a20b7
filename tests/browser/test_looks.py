"""The page on other screens, in the dark, and over a slow line."""

from __future__ import annotations

import gzip

import pytest
from playwright.async_api import expect

from tests.browser.chat import PAGE, QUESTION, Chat
from tests.browser.conftest import Open

SCRIPT_BUDGET = 300_000
"""Bytes of compressed script."""


def brightness(colour: str) -> float:
    red, green, blue = (int(part) for part in colour.strip("rgb()").split(","))
    return (red * 299 + green * 587 + blue * 114) / 255_000


async def backdrop(chat: Chat) -> float:
    colour = await chat.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return brightness(colour)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
async def test_the_theme_follows_the_system(open_page: Open, demo: str, is_dark: bool) -> None:
    chat = await open_page(demo, is_dark=is_dark)
    await chat.shoot(f"welcome-{'dark' if is_dark else 'light'}")

    assert (await backdrop(chat) < 0.2) is is_dark
    await chat.ask(QUESTION)
    text = await chat.answer.evaluate("element => getComputedStyle(element).color")
    assert abs(brightness(text) - await backdrop(chat)) > 0.6
    await chat.shoot(f"answer-{'dark' if is_dark else 'light'}")


async def test_a_chosen_theme_stays(open_page: Open, demo: str) -> None:
    chat = await open_page(demo)

    await chat.page.get_by_role("button", name="Use the dark theme").click()
    assert await backdrop(chat) < 0.2
    await chat.page.reload()
    assert await backdrop(chat) < 0.2

    await chat.page.get_by_role("button", name="Use the light theme").click()
    assert await backdrop(chat) > 0.9


@pytest.mark.parametrize(
    ("width", "is_dark"),
    [(360, False), (390, False), (390, True), (768, False)],
    ids=["360", "390", "390-dark", "768"],
)
async def test_nothing_is_cut_off_on_a_small_screen(
    open_page: Open, demo: str, width: int, is_dark: bool
) -> None:
    chat = await open_page(demo, size=(width, 800), is_dark=is_dark, is_phone=width < 700)
    await chat.ask(QUESTION)
    theme = "dark" if is_dark else "light"
    await chat.shoot(f"answer-{width}-{theme}")

    await chat.tool("search_docs").get_by_role("button").first.click()
    for fold in await chat.page.get_by_role("button", name="Thought for").all():
        await fold.click()
    assert await chat.page.evaluate("document.documentElement.scrollWidth") == width
    assert await chat.page.locator(".viewport").evaluate("e => e.scrollWidth - e.clientWidth") == 0

    await chat.page.get_by_role("button", name="Show the state of the graph").click()
    drawer = chat.page.get_by_role("dialog", name="State")
    await expect(drawer).to_contain_text("The user wants to know")
    await chat.shoot(f"state-{width}-{theme}")
    await chat.page.keyboard.press("Escape")
    await expect(drawer).to_have_count(0)


def test_the_script_is_small(chromium: str) -> None:
    scripts = list(PAGE.rglob("*.js"))

    assert scripts
    assert sum(len(gzip.compress(script.read_bytes())) for script in scripts) < SCRIPT_BUDGET
