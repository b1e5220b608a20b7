"""The list of threads, and one thread in several tabs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, expect

from assistant_stream_langgraph import create_app
from assistant_stream_langgraph.demo import create_demo_graph
from tests.browser.chat import QUESTION, Chat, serve
from tests.browser.conftest import QUICK, SLOW, Open


@pytest.fixture(scope="module")
def own_demo(chromium: str) -> Iterator[str]:
    """A demo agent whose threads are of this module only."""
    with serve(create_app(create_demo_graph(pace=QUICK), playground=True)) as url:
        yield url


@pytest.fixture(scope="module")
def own_slow_demo(chromium: str) -> Iterator[str]:
    with serve(create_app(create_demo_graph(pace=SLOW), playground=True)) as url:
        yield url


def threads(chat: Chat) -> Locator:
    return chat.page.get_by_role("navigation", name="Threads").get_by_role("listitem")


async def test_threads_are_listed_opened_and_deleted(open_page: Open, own_demo: str) -> None:
    chat = await open_page(own_demo)
    await expect(chat.page.locator(".sidebar-empty")).to_be_visible()
    await chat.ask("Hello")
    first = chat.thread_id
    await expect(threads(chat)).to_have_count(1)
    await expect(threads(chat).get_by_role("link")).to_have_attribute("aria-current", "page")
    await expect(chat.page.locator(".header-title")).to_have_text("Hello")
    await chat.page.get_by_role("button", name="New thread").click()
    await expect(threads(chat).locator("[aria-current]")).to_have_count(0)
    await chat.ask("Good morning")
    await expect(threads(chat)).to_have_count(2)
    await expect(threads(chat).first).to_contain_text("Good morning")
    await chat.shoot("threads-light")

    await threads(chat).get_by_role("link", name="Hello").click()

    await expect(chat.page.locator(".message-user")).to_have_text("Hello")
    assert chat.thread_id == first
    await expect(threads(chat).last.get_by_role("link")).to_have_attribute("aria-current", "page")

    delete = chat.page.get_by_role("button", name="Delete Hello")
    await delete.focus()
    await chat.page.keyboard.press("Enter")
    question = chat.page.get_by_role("group", name="Delete this thread?")
    await chat.page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await delete.focus()
    await chat.page.keyboard.press("Enter")
    await expect(question.get_by_role("button", name="Delete")).to_be_focused()
    await chat.page.keyboard.press("Enter")

    await expect(threads(chat)).to_have_count(1)
    await expect(chat.messages).to_have_count(0)
    assert chat.thread_id is None
    await chat.page.reload()
    await expect(threads(chat)).to_have_count(1)


async def test_a_thread_that_is_open_in_two_tabs_is_the_same_in_both(
    open_page: Open, own_slow_demo: str
) -> None:
    chat = await open_page(own_slow_demo)
    await chat.ask("Hello")
    other = Chat(await chat.page.context.new_page(), chat.origin)
    other.watch()
    await other.page.goto(chat.page.url)
    await expect(other.messages).to_have_count(2)

    await chat.start(QUESTION)

    # The other tab follows while the run goes on, and can stop it for both.
    await other.stop_button.wait_for()
    await expect(other.messages.nth(2)).to_contain_text(QUESTION)
    await expect(other.answer.locator(".markdown").last).to_contain_text(
        "You asked", timeout=10_000
    )
    await other.stop_button.click()
    await expect(chat.send_button).to_be_visible()
    await expect(other.send_button).to_be_visible()
    for page in (chat, other):
        await expect(page.messages).to_have_count(4)
        await expect(page.answer.locator(".figure-stopped")).to_have_text("Stopped")

    await other.ask("Good morning")

    await expect(chat.messages).to_have_count(6)
    await expect(chat.answer).to_contain_text("Ask me anything")
    told = await other.answer.locator(".markdown").inner_text()
    await expect(chat.answer.locator(".markdown")).to_have_text(told, use_inner_text=True)
    assert other.unexpected == []


async def test_a_thread_deleted_in_another_tab_is_left(open_page: Open, own_demo: str) -> None:
    chat = await open_page(own_demo)
    await chat.ask("Thank you")
    other = Chat(await chat.page.context.new_page(), chat.origin)
    other.watch()
    await other.page.goto(chat.page.url)
    await other.page.get_by_role("button", name="Delete Thank you").click()
    await other.page.get_by_role("button", name="Delete", exact=True).click()

    await expect(chat.messages).to_have_count(0)
    assert chat.thread_id is None
    assert other.unexpected == []


async def test_the_list_is_a_drawer_on_a_phone(open_page: Open, own_demo: str) -> None:
    chat = await open_page(own_demo, size=(390, 800), is_phone=True)
    await chat.ask("Hi")
    drawer = chat.page.get_by_role("dialog", name="Your threads")
    await expect(drawer).to_have_count(0)

    await chat.page.get_by_role("button", name="Show the list of threads").click()

    await expect(drawer.get_by_role("link", name="Hi", exact=True)).to_be_visible()
    await chat.shoot("threads-390")
    assert await chat.page.evaluate("document.documentElement.scrollWidth") == 390
    await drawer.get_by_role("button", name="New thread").click()
    await expect(drawer).to_have_count(0)
    await expect(chat.messages).to_have_count(0)
