"""The chat page as a visitor uses it, and the server behind it."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import uvicorn
from playwright.async_api import Locator, Page, Request
from starlette.types import ASGIApp

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "assistant_stream_ce" / "server" / "playground" / "dist"
ARTEFACTS = REPOSITORY / "artefacts" / "browser"

QUESTION = "How does a LangGraph agent get into a web page?"

RECORD_GROWTH = """
() => {
  window.growth = { text: [], args: [], reasoning: [] };
  const look = () => {
    const isRunning = document.querySelector('[aria-label="Stop"]') !== null;
    const length = (selector) => {
      const found = [...document.querySelectorAll(selector)];
      return found.reduce((sum, element) => sum + element.textContent.length, 0);
    };
    const sizes = {
      text: length(".message-assistant .markdown"),
      args: length(".tool-args"),
      reasoning: length(".reasoning-text"),
    };
    for (const [name, size] of Object.entries(sizes)) {
      const seen = window.growth[name];
      if (isRunning && size > (seen.at(-1) ?? 0)) seen.push(size);
    }
  };
  new MutationObserver(look).observe(document.body, {
    childList: true, subtree: true, characterData: true,
  });
}
"""
"""Notes each size that a text is seen at, while the run is going on."""


@dataclass
class Chat:
    """One tab with the page in it."""

    page: Page
    origin: str
    problems: list[str] = field(default_factory=list)
    """Errors on the console, and requests to another host."""
    expected: str | None = None
    """A pattern of problems that belong to the test."""

    def watch(self) -> None:
        """Take note of what must not happen on any page."""
        self.page.on(
            "console",
            lambda message: (
                self.problems.append(message.text) if message.type in {"error", "warning"} else None
            ),
        )
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self._on_request(request.url))

    def _on_request(self, url: str) -> None:
        if not url.startswith((self.origin, "data:", "blob:")):
            self.problems.append(f"a request to {url}")

    @property
    def unexpected(self) -> list[str]:
        """The problems that the test has not announced."""
        return [
            problem
            for problem in self.problems
            if self.expected is None or not re.search(self.expected, problem)
        ]

    @property
    def composer(self) -> Locator:
        return self.page.get_by_label("Your message", exact=True)

    @property
    def send_button(self) -> Locator:
        return self.page.get_by_role("button", name="Send", exact=True)

    @property
    def stop_button(self) -> Locator:
        return self.page.get_by_role("button", name="Stop", exact=True)

    @property
    def answer(self) -> Locator:
        """The last message of the assistant."""
        return self.page.locator(".message-assistant").last

    @property
    def messages(self) -> Locator:
        return self.page.locator(".message")

    @property
    def state(self) -> Locator:
        return self.page.locator(".state")

    def tool(self, name: str) -> Locator:
        """The last card of a tool."""
        return self.page.get_by_role("region", name=f"Tool call {name}").last

    async def show_state(self) -> None:
        """Open the panel of state and wire by its keys, which a page without a thread ignores."""
        await self.composer.wait_for()
        await self.page.keyboard.press("Control+Shift+E")
        await self.state.wait_for()

    async def start(self, text: str) -> None:
        """Send a message and see the run begin."""
        await self.composer.fill(text)
        await self.composer.press("Enter")
        await self.stop_button.wait_for()

    async def finish(self) -> None:
        """Wait for the end of the run."""
        await self.send_button.wait_for(timeout=20_000)

    async def ask(self, text: str) -> None:
        """Send a message and wait for the end of the run, however short it is."""
        async with self.page.expect_event("requestfinished", is_run, timeout=20_000):
            await self.composer.fill(text)
            await self.composer.press("Enter")
        await self.finish()

    async def reload(self) -> None:
        """Load the page again and see the thread's messages."""
        await self.page.reload()
        await self.messages.first.wait_for()

    async def shoot(self, name: str, *, settle: float = 300) -> None:
        """Keep a picture, once everything that moves has come to rest."""
        await self.page.wait_for_timeout(settle)
        await self.page.screenshot(path=ARTEFACTS / f"{name}.png")

    @property
    def thread_id(self) -> str | None:
        """The thread in the address bar."""
        return parse_qs(urlsplit(self.page.url).query).get("thread", [None])[0]

    async def growth(self, name: str) -> list[int]:
        """The sizes that a text was seen at since `RECORD_GROWTH` ran."""
        sizes: list[int] = await self.page.evaluate(f"window.growth.{name}")
        return sizes


def is_run(request: Request) -> bool:
    return request.url.endswith("/assistant")


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Serve an app on loopback while the block runs, and give its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
