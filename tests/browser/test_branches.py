"""A question is asked another way, an answer is made again, and what was there stays reachable."""

from __future__ import annotations

from collections.abc import Callable

from playwright.async_api import Locator, expect
from starlette.types import ASGIApp

from tests.browser.chat import Chat
from tests.browser.conftest import Open
from tests.browser.test_trouble import app_of, scripted


def versions(message: Locator) -> Locator:
    return message.get_by_role("group", name="Versions")


async def edit(chat: Chat, text: str) -> None:
    said = chat.page.locator(".message-said").first
    await said.hover()
    await said.get_by_role("button", name="Change this message").click()
    await chat.page.get_by_label("Change your message").fill(text)
    await chat.page.get_by_role("button", name="Ask again").click()
    await expect(chat.page.locator(".message-said").first).to_contain_text(text)


async def test_versions_of_questions_and_answers(
    open_page: Open, served: Callable[[ASGIApp], str]
) -> None:
    turns = ("First.", "Again.", "Edited.", "On the first.", "On the first, again.")
    chat = await open_page(served(app_of(scripted(*turns))))
    said, answers = chat.page.locator(".message-said"), chat.page.locator(".message-assistant")
    texts = answers.locator(".markdown")
    await chat.ask("One")
    await expect(texts).to_have_text(["First."])

    await answers.get_by_role("button", name="Answer again").click()

    await expect(chat.answer).to_contain_text("Again.")
    await chat.finish()
    await expect(chat.messages).to_have_count(2)
    await expect(versions(chat.answer)).to_have_text("2 / 2")

    await edit(chat, "One, edited")

    await expect(chat.answer).to_contain_text("Edited.")
    await expect(versions(said)).to_have_text("2 / 2")
    await expect(versions(chat.answer)).to_have_count(0)
    await chat.shoot("branches")

    await versions(said).get_by_role("button", name="Version before").click()

    await expect(said).to_contain_text("One")
    await expect(chat.answer).to_contain_text("Again.")
    await versions(chat.answer).get_by_role("button", name="Version before").click()
    await expect(chat.answer).to_contain_text("First.")
    await expect(versions(chat.answer)).to_have_text("1 / 2")

    # What is said now goes on from the version that is shown.
    await chat.ask("And?")
    await expect(chat.messages).to_have_count(4)
    await expect(texts).to_have_text(["First.", "On the first."])
    await chat.reload()
    await expect(texts).to_have_text(["First.", "On the first."])
    await expect(versions(answers.first)).to_have_text("1 / 2")

    await chat.answer.get_by_role("button", name="Answer again").click()
    await expect(chat.answer).to_contain_text("On the first, again.")
    await chat.finish()
    await versions(chat.answer).get_by_role("button", name="Version before").click()
    await expect(texts).to_have_text(["First.", "On the first."])
    await versions(said.first).get_by_role("button", name="Version after").click()
    await expect(chat.messages).to_have_count(2)
    await expect(chat.answer).to_contain_text("Edited.")
