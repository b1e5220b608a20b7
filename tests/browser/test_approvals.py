"""Tool calls that wait for a person: LangChain's human in the loop, and plain questions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.tools import tool
from playwright.async_api import Locator, expect
from starlette.types import ASGIApp

from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import create_app
from tests.app.serving import calls
from tests.browser.chat import Chat
from tests.browser.conftest import Open


@tool
def transfer(account: str, amount: int) -> str:
    """Send money."""
    return f"Sent {amount} to {account}."


@tool
def erase(path: str) -> str:
    """Delete a file."""
    return f"Erased {path}."


def app(*requested: tuple[str, str], **middleware: Any) -> ASGIApp:
    """An agent that calls these tools, with their arguments, and then is done."""
    fragments = [(name, f"c{index}", [args]) for index, (name, args) in enumerate(requested)]
    agent = create_agent(
        ScriptedChatModel(turns=[calls(*fragments), "All done."]),
        [transfer, erase],
        middleware=[HumanInTheLoopMiddleware({"transfer": True, "erase": True}, **middleware)],
    )
    return create_app(agent, playground=True)


TRANSFER = ("transfer", '{"account": "Ada", "amount": 40}')
ERASE = ("erase", '{"path": "/tmp/x"}')


def card(chat: Chat) -> Locator:
    return chat.page.get_by_role("form", name="The agent asks")


def result(chat: Chat, name: str) -> Locator:
    return chat.tool(name).locator(".tool-result-line")


@pytest.mark.parametrize("middleware", [{}, {"interrupt_mode": "per_call"}], ids=["batch", "call"])
async def test_a_call_is_approved(
    open_page: Open, served: Callable[[ASGIApp], str], middleware: Any
) -> None:
    chat = await open_page(served(app(TRANSFER, **middleware)))
    await chat.ask("Pay")
    await expect(card(chat)).to_contain_text("transfer")
    await expect(card(chat)).to_contain_text("40")
    await expect(chat.tool("transfer")).to_have_attribute("data-phase", "waiting")

    await chat.reload()
    await card(chat).get_by_role("button", name="Approve").click()

    await expect(result(chat, "transfer")).to_have_text("Sent 40 to Ada.")
    await expect(chat.answer).to_contain_text("All done.")
    await expect(card(chat)).to_have_count(0)


async def test_a_call_is_edited(open_page: Open, served: Callable[[ASGIApp], str]) -> None:
    chat = await open_page(served(app(TRANSFER)))
    await chat.ask("Pay")
    await card(chat).get_by_role("radio", name="Edit").check()
    await card(chat).get_by_label("account").fill("Grace")
    await card(chat).get_by_label("amount").fill("4o")
    await card(chat).get_by_role("button", name="Run it as edited").click()
    await expect(card(chat).get_by_role("alert")).to_have_text("“amount” must be JSON.")

    await card(chat).get_by_label("amount").fill("41")
    await card(chat).get_by_role("button", name="Run it as edited").click()

    await expect(chat.answer).to_contain_text("All done.")
    await chat.tool("transfer").get_by_role("button").first.click()
    await expect(chat.tool("transfer")).to_contain_text("Sent 41 to Grace.")
    await expect(card(chat)).to_have_count(0)


@pytest.mark.parametrize(
    ("decision", "field", "button", "phase"),
    [
        ("Reject", "Reason", "Reject", "failed"),
        ("Respond", "Result of the tool", "Send the response", "done"),
    ],
)
async def test_a_call_is_rejected_or_answered_for(
    open_page: Open,
    served: Callable[[ASGIApp], str],
    decision: str,
    field: str,
    button: str,
    phase: str,
) -> None:
    chat = await open_page(served(app(TRANSFER)))
    await chat.ask("Pay")
    await card(chat).get_by_role("radio", name=decision).check()
    await card(chat).get_by_label(field).fill("Ada is on holiday")
    await card(chat).get_by_role("button", name=button).click()

    await expect(result(chat, "transfer")).to_contain_text("Ada is on holiday")
    await expect(chat.tool("transfer")).to_have_attribute("data-phase", phase)
    await expect(chat.answer).to_contain_text("All done.")


async def test_several_calls_are_decided_one_by_one(
    open_page: Open, served: Callable[[ASGIApp], str]
) -> None:
    chat = await open_page(served(app(TRANSFER, ERASE)))
    await chat.ask("Pay and erase")
    await expect(card(chat)).to_contain_text("2 actions need your decision")
    await chat.shoot("interrupt-several")
    erase_decision = card(chat).get_by_role("radiogroup", name="Decision about erase")
    await erase_decision.get_by_role("radio", name="Reject").check()

    await card(chat).get_by_role("button", name="Send 2 decisions").click()

    await expect(result(chat, "transfer")).to_have_text("Sent 40 to Ada.")
    await expect(chat.tool("erase")).to_have_attribute("data-phase", "failed")


async def test_the_demo_asks_for_approval_and_then_a_question(open_page: Open, demo: str) -> None:
    chat = await open_page(demo)
    await chat.ask("Send an e-mail to Ada")
    await expect(card(chat)).to_contain_text("ada@example.com")
    await chat.shoot("interrupt-approval")
    await card(chat).get_by_role("radio", name="Edit").check()
    await card(chat).get_by_label("to", exact=True).fill("grace@example.com")
    await chat.shoot("interrupt-edit")
    await card(chat).get_by_role("button", name="Run it as edited").click()
    await expect(result(chat, "send_email")).to_have_text("Sent to grace@example.com, as edited.")
    await chat.finish()

    await chat.ask("Ask me something")
    await expect(card(chat)).to_contain_text("How long may the answer be?")
    await chat.shoot("interrupt-question")
    await card(chat).get_by_role("button", name="Long", exact=True).click()

    await expect(result(chat, "ask_user")).to_have_text("The user says: Long")
    await expect(chat.answer).to_contain_text(re.compile("you answered"))
