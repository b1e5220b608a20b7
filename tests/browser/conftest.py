"""A real Chromium on the real page, in front of real graphs.

Where Chromium or the built page is missing, these tests are skipped, except under CI, where that
is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import NoReturn, Protocol

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright, expect
from starlette.types import ASGIApp

from assistant_stream_langgraph import create_app
from assistant_stream_langgraph.demo import create_demo_graph
from tests.browser.chat import PAGE, Chat, serve

QUICK = 0.003
"""Seconds for a token where the end of a run is what counts."""
SLOW = 0.02
"""Seconds for a token where something is seen, or done, during the run."""

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


def unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> str:
    if not (PAGE / "index.html").is_file():
        unavailable("The chat page is not built: `make page` builds it.")
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found
    unavailable("No Chromium: `apt install chromium` brings one.")


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def demo(chromium: str) -> Iterator[str]:
    """The address of the demo agent, as `assistant-stream-ce demo` serves it."""
    with serve(create_app(create_demo_graph(pace=QUICK), playground=True)) as url:
        yield url


@pytest.fixture(scope="session")
def slow_demo(chromium: str) -> Iterator[str]:
    """The address of a demo agent that takes its time."""
    with serve(create_app(create_demo_graph(pace=SLOW), playground=True)) as url:
        yield url


@pytest.fixture
def served(chromium: str) -> Iterator[Callable[[ASGIApp], str]]:
    """Serves an app of the test's own until the test is over."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serve(app))


class Open(Protocol):
    def __call__(
        self,
        url: str,
        *,
        size: tuple[int, int] = (1280, 800),
        is_dark: bool = False,
        is_phone: bool = False,
    ) -> Awaitable[Chat]: ...


@pytest.fixture
async def open_page(
    browser: Browser, served: Callable[[ASGIApp], str], request: pytest.FixtureRequest
) -> AsyncGenerator[Open]:
    """Opens the page as a new visitor; no page may leave an error on the console.

    It needs `served` so that a page is closed before its server: a page in the middle of a run
    would look for it.
    """
    contexts: list[BrowserContext] = []
    chats: list[Chat] = []

    async def open_page(
        url: str,
        *,
        size: tuple[int, int] = (1280, 800),
        is_dark: bool = False,
        is_phone: bool = False,
    ) -> Chat:
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if is_dark else "light",
            has_touch=is_phone,
            is_mobile=is_phone,
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        chat = Chat(await context.new_page(), re.sub(r"(?<=\d)/.*", "/", url))
        chat.watch()
        chats.append(chat)
        await chat.page.goto(url)
        return chat

    yield open_page
    for number, chat in enumerate(chats):
        name = re.sub(r"\W+", "-", f"{request.node.name}-{number}").strip("-")
        await chat.shoot(f"last/{name}", settle=0)
    for context in contexts:
        await context.close()
    assert [problem for chat in chats for problem in chat.unexpected] == []


@pytest.fixture
async def chat(open_page: Open, demo: str) -> Chat:
    """The demo agent's page on a desktop."""
    return await open_page(demo)
