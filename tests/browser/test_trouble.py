"""What goes wrong is said, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt
from playwright.async_api import Route, expect
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import create_app
from tests.browser.chat import Chat
from tests.browser.conftest import Open

FAILED_REQUEST = "Failed to load resource"
"""What Chromium itself says of each."""


def app_of(node: Callable[[MessagesState], Any], **options: Any) -> Starlette:
    builder = StateGraph(MessagesState)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    return create_app(builder.compile(), playground=True, **options)


def scripted(*turns: Any) -> Callable[[MessagesState], Any]:
    model = ScriptedChatModel(turns=turns, delay=0.02)

    async def node(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    return node


async def test_a_failed_run_is_told_and_the_thread_goes_on(
    open_page: Open, served: Callable[[ASGIApp], str]
) -> None:
    turns = (["Half an ", "answer", ValueError("out of memory")], "All is well.")
    chat = await open_page(served(app_of(scripted(*turns), debug=True)))

    await chat.ask("Go")

    status = chat.page.get_by_role("status")
    banner = chat.page.get_by_role("alert")
    await expect(banner).to_contain_text("The run failed")
    await expect(status).to_be_empty()  # a screen reader hears the banner, not that all is well
    await expect(banner).to_contain_text("out of memory")
    await expect(chat.answer).to_contain_text("Half an answer")
    await chat.shoot("failed-run")
    await chat.ask("Again")
    await expect(banner).to_have_count(0)
    await expect(chat.answer).to_contain_text("All is well.")
    await expect(status).to_have_text("The answer has ended")


async def test_a_refused_message_is_given_back(
    open_page: Open, served: Callable[[ASGIApp], str]
) -> None:
    chat = await open_page(served(app_of(scripted("Fine."), max_body_bytes=2_000)))
    chat.expected = FAILED_REQUEST
    text = "long " * 600

    await chat.composer.fill(text)
    await chat.composer.press("Enter")

    await expect(chat.page.get_by_role("alert")).to_contain_text("refused the request (413)")
    await expect(chat.composer).to_have_value(text)
    await expect(chat.messages).to_have_count(0)
    await chat.shoot("refused")
    await chat.page.get_by_role("button", name="Dismiss").click()
    await expect(chat.page.get_by_role("alert")).to_have_count(0)
    await chat.ask("Short")
    await expect(chat.answer).to_contain_text("Fine.")


async def test_a_message_that_never_arrived_is_given_back(chat: Chat) -> None:
    chat.expected = FAILED_REQUEST
    await chat.ask("Hello")
    await chat.page.context.set_offline(True)

    await chat.composer.fill("Are you there?")
    await chat.composer.press("Enter")

    await expect(chat.page.get_by_role("alert")).to_contain_text("could not be reached")
    await expect(chat.composer).to_have_value("Are you there?")
    await expect(chat.messages).to_have_count(2)
    await chat.page.context.set_offline(False)
    await chat.composer.press("Enter")
    await chat.stop_button.wait_for()
    await chat.finish()
    await expect(chat.messages).to_have_count(4)


async def test_an_answer_that_breaks_off_is_told(chat: Chat) -> None:
    chat.expected = FAILED_REQUEST  # the page looks for the thread, which was never made

    async def cut(route: Route) -> None:
        await route.fulfill(
            status=200, content_type="text/plain", body='aui-state:[{"type":"set","path'
        )

    await chat.page.route("**/assistant", cut)

    await chat.composer.fill("Hello")
    await chat.composer.press("Enter")

    await expect(chat.page.get_by_role("alert")).to_contain_text("broke off")


async def test_an_unknown_thread_is_told(open_page: Open, demo: str) -> None:
    chat = await open_page(f"{demo}?thread=nowhere")
    chat.expected = FAILED_REQUEST

    await expect(chat.page.get_by_role("alert")).to_contain_text("does not exist")
    await chat.page.get_by_role("button", name="Start a new thread").click()
    await chat.ask("Hello")
    assert chat.thread_id not in {None, "nowhere"}


@pytest.mark.parametrize(
    ("question", "typed", "shown"),
    [
        ("Book the train for 42 €?", "yes, do", "You said 'yes, do'"),
        ({"action": "book", "price": 42}, '{"approved": true}', "You said {'approved': True}"),
    ],
    ids=["text", "json"],
)
async def test_an_interrupt_is_answered(
    open_page: Open, served: Callable[[ASGIApp], str], question: Any, typed: str, shown: str
) -> None:
    def node(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"You said {interrupt(question)!r}", id="answer")]}

    chat = await open_page(served(app_of(node)))
    await chat.ask("Go")
    card = chat.page.get_by_role("form", name="The agent asks")
    await expect(card).to_contain_text("42")
    await chat.shoot(f"interrupt-{'text' if isinstance(question, str) else 'json'}")

    await chat.reload()
    await expect(card).to_contain_text("42")
    await card.get_by_label("Your answer").fill(typed)
    await card.get_by_role("button", name="Send the answer").click()

    await expect(chat.answer).to_contain_text(shown)
    await expect(card).to_have_count(0)
    await chat.reload()
    await expect(chat.answer).to_contain_text(shown)
    await expect(card).to_have_count(0)


async def test_an_answer_that_is_not_json_is_not_sent(
    open_page: Open, served: Callable[[ASGIApp], str]
) -> None:
    def node(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(str(interrupt({"ask": 1})))]}

    chat = await open_page(served(app_of(node)))
    await chat.ask("Go")
    card = chat.page.get_by_role("form", name="The agent asks")

    await card.get_by_label("Your answer").fill("{broken")
    await card.get_by_role("button", name="Send the answer").click()

    await expect(card.get_by_role("alert")).to_have_text("This is not valid JSON.")


async def test_the_page_works_under_a_prefix(
    open_page: Open, served: Callable[[ASGIApp], str]
) -> None:
    app = Starlette(routes=[Mount("/deep/agent", app_of(scripted("Here.", "There.")))])
    chat = await open_page(f"{served(app)}deep/agent")

    await chat.ask("Where?")
    await expect(chat.answer).to_contain_text("Here.")
    await chat.reload()
    await chat.ask("And now?")

    await expect(chat.answer).to_contain_text("There.")
    await expect(chat.messages).to_have_count(4)
