"""The wire as it comes in, the figures of an answer, and what the demo shows in its tool cards."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.chat import QUESTION, Chat
from tests.browser.conftest import Open


async def test_frames_are_listed_found_and_unfolded(open_page: Open, slow_demo: str) -> None:
    chat = await open_page(slow_demo)
    await chat.show_state()
    await chat.state.get_by_role("tab", name="State").focus()
    await chat.page.keyboard.press("ArrowRight")
    await expect(chat.state.get_by_role("tab", name="Wire")).to_be_focused()
    frames = chat.state.locator(".frame")
    await expect(chat.state).to_contain_text("Each frame of the stream appears here")

    await chat.start("Show me a slow tool")

    await expect(frames.nth(20)).to_be_attached()
    assert await chat.stop_button.is_visible()  # they come while the run goes on
    await chat.finish()
    await chat.shoot("wire-light")
    await chat.state.get_by_label("Search the frames").fill("build_report")
    assert 0 < await frames.count() < 20
    await frames.first.get_by_role("button").click()
    await expect(frames.first.locator(".frame-body")).to_contain_text('"build_report"')
    await expect(chat.state.locator(".wire-sum")).to_contain_text(re.compile(r"\d+ found"))
    await chat.state.get_by_label("Search the frames").fill("")
    await chat.state.get_by_label("Kind").select_option("data")
    await expect(frames).to_have_count(5)
    await expect(frames.last).to_contain_text("Chapter 5 of 5")
    await chat.state.get_by_role("button", name="Clear").click()
    await expect(frames).to_have_count(0)


async def test_the_memory_of_the_wire_is_bounded(chat: Chat) -> None:
    await chat.show_state()
    await chat.state.get_by_role("tab", name="Wire").click()
    lines = "".join(f'2:[{{"n":{n}}}]\n' for n in range(5_000))
    await chat.page.route("**/assistant", lambda route: route.fulfill(status=200, body=lines))

    await chat.composer.fill("Go")
    await chat.composer.press("Enter")

    await expect(chat.state.locator(".wire-sum")).to_contain_text(
        re.compile(r"5000 frames, .* the last 2000 are kept")
    )
    assert await chat.state.locator(".frame").count() <= 200
    await expect(chat.state.locator(".frame").last).to_contain_text('{"n":4999}')


async def test_tokens_and_times_are_told(chat: Chat) -> None:
    await chat.ask(QUESTION)

    figures = chat.answer.locator(".figures")
    shown = re.compile(r"\d+ in, \d+ out.*first after \d+ ms.*[\d.]+ (ms|s)")
    await expect(figures).to_have_text(shown)
    text = await figures.inner_text()
    await chat.reload()
    await expect(chat.answer.locator(".figures")).to_have_text(text, use_inner_text=True)


async def test_a_slow_tool_tells_its_progress(open_page: Open, slow_demo: str) -> None:
    chat = await open_page(slow_demo)
    await chat.start("Show me a slow tool")

    await expect(chat.tool("build_report").locator(".tool-progress")).to_contain_text("2 of 5")
    assert await chat.page.locator("progress").get_attribute("value") == "0.2"
    await chat.finish()
    await expect(chat.page.locator(".tool-progress")).to_have_count(0)
    await expect(chat.tool("build_report")).to_contain_text("A report of 5 chapters.")


async def test_a_sub_agent_is_seen_in_the_card_while_it_works_and_after(
    open_page: Open, slow_demo: str
) -> None:
    chat = await open_page(slow_demo)
    await chat.start("Let a sub-agent look into streaming")
    transcript = chat.tool("research").locator(".transcript").first

    await expect(transcript).to_contain_text("I will search for it.")
    await expect(chat.tool("research")).to_have_attribute("data-phase", "running")
    await chat.finish()
    for is_loaded in (False, True):
        if is_loaded:
            await chat.reload()
        await chat.tool("research").get_by_role("button").first.click()
        await expect(transcript).to_contain_text("Two pages speak of it")
        inner = transcript.get_by_role("region", name="Tool call search_docs")
        await expect(inner).to_have_attribute("data-phase", "done")
    await chat.shoot("sub-agent")


async def test_a_failing_tool_and_an_image(chat: Chat) -> None:
    await chat.ask("What happens when a tool fails?")
    await expect(chat.tool("read_sensor")).to_have_attribute("data-phase", "failed")
    await expect(chat.tool("read_sensor")).to_contain_text("does not answer")

    await chat.ask("Draw me a chart")
    image = chat.tool("draw_chart").locator("img")
    assert await image.evaluate("e => e.decode().then(() => e.naturalWidth)") == 480
    await chat.shoot("image")


async def test_code_is_coloured(chat: Chat) -> None:
    await chat.ask(QUESTION)

    keyword = chat.answer.locator("pre .hljs-keyword").first
    await expect(keyword).to_have_text("from")
    plain = await chat.answer.locator("pre code").evaluate("e => getComputedStyle(e).color")
    assert await keyword.evaluate("e => getComputedStyle(e).color") != plain
