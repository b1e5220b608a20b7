"""A visitor talks with the demo agent."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.chat import QUESTION, Chat
from tests.browser.conftest import Open


async def test_the_question_is_shown_before_the_server_has_answered(chat: Chat) -> None:
    async with chat.page.expect_request("**/assistant"):
        await chat.composer.fill(QUESTION)
        await chat.composer.press("Enter")

    await expect(chat.messages.first).to_have_text(QUESTION)
    await expect(chat.composer).to_have_value("")
    await chat.finish()
    await expect(chat.page.locator(".message-user")).to_have_count(1)


async def test_sources_link_to_what_was_cited(chat: Chat) -> None:
    await chat.ask(QUESTION)

    links = chat.answer.get_by_label("Sources").get_by_role("link")
    await expect(links).to_have_count(3)
    await expect(links.first).to_contain_text("Streaming in LangGraph")
    await expect(links.first).to_have_attribute("href", re.compile(r"^https://docs\.langchain"))
    await expect(links.first).to_have_attribute("rel", re.compile(r"noopener"))


async def test_the_state_panel_shows_the_graph_and_marks_what_changed(chat: Chat) -> None:
    await expect(chat.state).to_have_count(0)

    await chat.ask(QUESTION)

    await expect(chat.state).to_be_visible()
    await expect(chat.state).to_contain_text(f"The user wants to know: {QUESTION[:-1]}")
    await expect(chat.state.locator(".json")).not_to_contain_text("messages")
    await expect(chat.state.locator("[data-changed]")).to_have_count(2)
    await chat.ask("And how do tools?")
    await expect(chat.state.get_by_text("changed in the last run")).to_have_count(2)
    await expect(chat.state.locator(".json-value")).to_have_count(2)
    await chat.page.get_by_role("button", name="Close the state panel").click()
    await expect(chat.state).to_have_count(0)


async def test_a_reload_shows_the_same_thread_and_it_goes_on(chat: Chat) -> None:
    await chat.ask(QUESTION)
    thread_id, text = chat.thread_id, await chat.answer.locator(".markdown").last.inner_text()
    assert thread_id is not None

    await chat.reload()

    assert chat.thread_id == thread_id
    await expect(chat.messages).to_have_count(2)
    await expect(chat.answer.locator(".markdown").last).to_have_text(text, use_inner_text=True)
    await expect(chat.tool("take_note").locator(".tool-result-line")).to_have_text("Noted.")
    await expect(chat.answer.get_by_label("Sources").get_by_role("link")).to_have_count(3)
    await expect(chat.page.get_by_role("button", name="Reasoning").first).to_be_visible()
    await expect(chat.state).to_contain_text("The user wants to know")
    await expect(chat.state.locator("[data-changed]")).to_have_count(0)

    await chat.ask("And what does it cost?")

    assert chat.thread_id == thread_id
    await expect(chat.messages).to_have_count(4)
    await expect(chat.answer).to_contain_text("2 notes")
    await chat.reload()
    await expect(chat.messages).to_have_count(4)


async def test_the_second_turn_keeps_the_first(chat: Chat) -> None:
    await chat.ask(QUESTION)
    thread_id = chat.thread_id

    await chat.ask("And what does it cost?")

    assert chat.thread_id == thread_id
    await expect(chat.messages).to_have_count(4)
    await expect(chat.messages.nth(1)).to_contain_text("What the search found")
    await expect(chat.answer).to_contain_text("And what does it cost")
    await expect(chat.answer).to_contain_text("2 notes")


async def test_a_new_thread_is_empty_and_back_returns_to_the_old_one(chat: Chat) -> None:
    await chat.ask("Hello")
    old = chat.thread_id

    await chat.page.get_by_role("button", name="New thread").click()

    await expect(chat.messages).to_have_count(0)
    assert chat.thread_id is None
    await chat.ask("Good morning")
    assert chat.thread_id not in {None, old}
    await chat.page.go_back()
    await expect(chat.page.locator(".message-user")).to_have_text("Hello")
    assert chat.thread_id == old


async def test_a_greeting_is_answered_without_tools(open_page: Open, demo: str) -> None:
    chat = await open_page(demo)

    await chat.ask("Hello")

    await expect(chat.answer).to_contain_text("Ask me anything")
    await expect(chat.page.locator(".tool")).to_have_count(0)
