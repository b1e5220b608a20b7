"""A visitor talks with the demo agent."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.chat import QUESTION, RECORD_GROWTH, Chat
from tests.browser.conftest import Open


async def test_an_answer_grows_while_it_streams(chat: Chat) -> None:
    await chat.page.evaluate(RECORD_GROWTH)

    await chat.ask(QUESTION)

    for name, least in (("reasoning", 10), ("args", 5), ("text", 20)):
        sizes = await chat.growth(name)
        assert len(sizes) >= least, f"{name} was seen at {sizes}"
    await expect(chat.answer).to_contain_text("What the search found")
    assert await chat.answer.locator(".markdown strong").count() > 0
    assert await chat.answer.locator(".markdown pre code").count() == 1
    await chat.shoot("answer-light")


async def test_the_question_is_shown_before_the_server_has_answered(chat: Chat) -> None:
    async with chat.page.expect_request("**/assistant"):
        await chat.composer.fill(QUESTION)
        await chat.composer.press("Enter")

    await expect(chat.messages.first).to_have_text(QUESTION)
    await expect(chat.composer).to_have_value("")
    await chat.finish()
    await expect(chat.page.locator(".message-user")).to_have_count(1)


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
    await expect(chat.state).not_to_contain_text("messages")
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


async def test_the_stop_button_stops_and_the_thread_goes_on(chat: Chat) -> None:
    await chat.start(QUESTION)
    await chat.page.locator(".reasoning-text").first.wait_for()

    await chat.stop_button.click()

    await expect(chat.send_button).to_be_visible()
    stopped = await chat.answer.inner_text()
    await chat.page.wait_for_timeout(400)
    assert await chat.answer.inner_text() == stopped
    await chat.ask("Hello")
    await expect(chat.answer).to_contain_text("Ask me anything")


async def test_the_keyboard_does_everything(chat: Chat) -> None:
    await expect(chat.composer).to_be_focused()
    await chat.page.keyboard.type("First line")
    await chat.page.keyboard.press("Shift+Enter")
    await chat.page.keyboard.type("second line")
    await expect(chat.composer).to_have_value("First line\nsecond line")
    await chat.page.keyboard.press("Enter")
    await chat.stop_button.wait_for()
    await chat.page.locator(".reasoning-text").first.wait_for()

    await chat.page.keyboard.press("Escape")

    await expect(chat.send_button).to_be_visible()
    await expect(chat.messages.first).to_have_text("First line\nsecond line", use_inner_text=True)
    fold = chat.page.get_by_role("button", name=re.compile("Thought|Reasoning")).first
    await fold.focus()
    await chat.page.keyboard.press("Enter")
    await expect(fold).to_have_attribute("aria-expanded", "true")


async def test_escape_stops_from_anywhere_on_the_page(chat: Chat) -> None:
    await chat.start(QUESTION)
    await chat.page.locator(".reasoning-text").first.wait_for()
    await chat.page.evaluate("document.activeElement.blur()")

    await chat.page.keyboard.press("Escape")

    await expect(chat.send_button).to_be_visible()


async def test_a_greeting_is_answered_without_tools(open_page: Open, demo: str) -> None:
    chat = await open_page(demo)

    await chat.ask("Hello")

    await expect(chat.answer).to_contain_text("Ask me anything")
    await expect(chat.page.locator(".tool")).to_have_count(0)
