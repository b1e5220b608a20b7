"""What is seen, and can be done, while the agent works."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.chat import QUESTION, RECORD_GROWTH, Chat
from tests.browser.conftest import Open


@pytest.fixture
async def chat(open_page: Open, slow_demo: str) -> Chat:
    """The page of a demo agent that takes its time."""
    return await open_page(slow_demo)


async def test_an_answer_grows_while_it_streams(chat: Chat) -> None:
    await chat.page.evaluate(RECORD_GROWTH)

    await chat.ask(QUESTION)

    for name, least in (("reasoning", 4), ("args", 4), ("text", 8)):
        sizes = await chat.growth(name)
        assert len(sizes) >= least, f"{name} was seen at {sizes}"
    await expect(chat.answer).to_contain_text("What the search found")
    assert await chat.answer.locator(".markdown strong").count() > 0
    assert await chat.answer.locator(".markdown pre code").count() == 1
    await chat.shoot("answer-light")


async def test_tool_cards_show_arguments_and_results(chat: Chat) -> None:
    await chat.start(QUESTION)
    search, note = chat.tool("search_docs"), chat.tool("take_note")
    await expect(search.locator(".tool-args")).to_contain_text('"query": "How does')
    await expect(note.locator(".tool-args")).to_contain_text('"text"')
    await chat.shoot("tools-running-light")

    await chat.finish()

    await expect(search).to_have_attribute("data-phase", "done")
    await expect(search.locator(".tool-args-line")).to_contain_text("limit: 3")
    await expect(search.locator(".tool-result-line")).to_contain_text("Streaming in LangGraph")
    await expect(note.locator(".tool-result-line")).to_have_text("Noted.")
    await search.get_by_role("button").first.click()
    await expect(search.locator(".tool-args")).to_contain_text('"limit": 3')
    await expect(search.locator(".tool-body")).to_contain_text("https://docs.langchain.com/")
    await expect(search.locator(".tool-artifact")).to_contain_text("documents")


async def test_reasoning_is_open_while_it_grows_and_folds_when_it_is_done(chat: Chat) -> None:
    await chat.start(QUESTION)
    await chat.page.get_by_role("button", name="Thinking").first.wait_for()
    await expect(chat.page.locator(".reasoning-text").first).to_be_visible()

    await chat.finish()

    fold = chat.page.get_by_role("button", name=re.compile(r"Thought for \d+ s")).first
    await expect(fold).to_have_attribute("aria-expanded", "false")
    await expect(chat.page.locator(".reasoning-text").first).to_be_hidden()
    await fold.click()
    await expect(chat.page.locator(".reasoning-text").first).to_contain_text("The question is")


async def test_the_stop_button_stops_and_what_was_said_stays(chat: Chat) -> None:
    text = chat.answer.locator(".markdown").last
    await chat.start(QUESTION)
    await expect(text).to_contain_text("You asked: How does", timeout=10_000)

    await chat.stop_button.click()

    await expect(chat.send_button).to_be_visible()
    await expect(chat.answer.locator(".figure-stopped")).to_have_text("Stopped")
    stopped = await text.inner_text()
    assert "playground=True" not in stopped
    await chat.reload()
    await expect(chat.answer.locator(".figure-stopped")).to_have_text("Stopped")
    await expect(text).to_have_text(stopped, use_inner_text=True)
    await chat.ask("Hello")
    await expect(chat.answer).to_contain_text("Ask me anything")


async def test_a_run_that_was_stopped_before_it_said_anything_can_be_asked_again(
    chat: Chat,
) -> None:
    await chat.start(QUESTION)
    await chat.page.locator(".reasoning-text").first.wait_for()

    await chat.stop_button.click()

    await expect(chat.page.locator(".unanswered")).to_contain_text("There is no answer")
    await chat.page.get_by_role("button", name="Ask again").click()
    await chat.stop_button.wait_for()
    await chat.finish()
    await expect(chat.messages).to_have_count(2)
    await expect(chat.answer).to_contain_text("What the search found")


async def test_the_keyboard_does_everything(chat: Chat) -> None:
    keyboard = chat.page.keyboard
    await expect(chat.composer).to_be_focused()
    await keyboard.type("First line")
    await keyboard.press("Shift+Enter")
    await keyboard.type("second line")
    await expect(chat.composer).to_have_value("First line\nsecond line")
    await keyboard.press("Enter")
    await chat.stop_button.wait_for()
    await chat.page.locator('.tool[data-phase="running"]').first.wait_for()

    await keyboard.press("Escape")

    await expect(chat.send_button).to_be_visible()
    await expect(chat.messages.first).to_have_text("First line\nsecond line", use_inner_text=True)
    card = chat.tool("search_docs").get_by_role("button").first
    await card.focus()
    await keyboard.press("Enter")
    await expect(card).to_have_attribute("aria-expanded", "true")
    await keyboard.press("/")
    await expect(chat.composer).to_be_focused()
    await keyboard.press("ArrowUp")
    field = chat.page.get_by_label("Change your message")
    await expect(field).to_be_focused()
    await keyboard.press("Escape")
    await expect(field).to_have_count(0)


async def test_keys_open_and_close_what_stands_around_the_thread(chat: Chat) -> None:
    keyboard = chat.page.keyboard
    threads = chat.page.get_by_role("navigation", name="Threads")
    await expect(threads).to_be_visible()
    await expect(chat.composer).to_be_visible()

    await keyboard.press("Control+Shift+L")
    await expect(threads).to_have_count(0)
    await keyboard.press("Control+Shift+L")
    await expect(threads).to_be_visible()
    await keyboard.press("Control+Shift+E")
    await expect(chat.state).to_be_visible()
    await keyboard.press("Control+Shift+E")
    await expect(chat.state).to_have_count(0)
    await chat.page.evaluate("document.activeElement.blur()")
    await keyboard.press("?")
    keys = chat.page.get_by_role("dialog", name="Keys")
    await expect(keys).to_be_visible()
    await keyboard.press("Escape")
    await expect(keys).to_have_count(0)
    await chat.composer.focus()
    await keyboard.press("?")
    await expect(chat.composer).to_have_value("?")
    await keyboard.press("Control+Shift+O")
    await expect(chat.composer).to_have_value("")


async def test_escape_stops_from_anywhere_on_the_page(chat: Chat) -> None:
    await chat.start(QUESTION)
    await chat.page.locator(".reasoning-text").first.wait_for()
    await chat.page.evaluate("document.activeElement.blur()")

    await chat.page.keyboard.press("Escape")

    await expect(chat.send_button).to_be_visible()
