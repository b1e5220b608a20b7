"""The page is loaded again, the line breaks, or the server goes down, in the middle of a run."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from playwright.async_api import expect

from tests.browser.chat import QUESTION, REPOSITORY, Chat
from tests.browser.conftest import Open

NETWORK = r"Failed to load resource: net::ERR_|Failed to load resource: the server responded"
"""What Chromium itself says of each request that does not come through."""


@pytest.fixture
async def chat(open_page: Open, slow_demo: str) -> Chat:
    return await open_page(slow_demo)


async def answered(chat: Chat) -> None:
    """The whole answer to QUESTION is there, once."""
    await expect(chat.answer).to_contain_text("playground=True", timeout=20_000)
    await expect(chat.send_button).to_be_visible()
    await expect(chat.messages).to_have_count(2)
    await expect(chat.answer).to_contain_text("What you have just seen")
    await expect(chat.answer).to_contain_text("this thread has one note now")
    await expect(chat.answer.locator(".tool")).to_have_count(2)
    await expect(chat.answer.locator(".markdown pre")).to_have_count(1)
    await expect(chat.answer.locator(".reasoning")).to_have_count(2)
    shown = await chat.answer.locator(".markdown").all_inner_texts()
    await chat.reload()
    await expect(chat.answer.get_by_label("Sources").get_by_role("link")).to_have_count(3)
    assert await chat.answer.locator(".markdown").all_inner_texts() == shown


async def test_a_reload_in_mid_stream_shows_the_rest_arrive_once(chat: Chat) -> None:
    await chat.start(QUESTION)
    await chat.answer.locator(".tool-args").first.wait_for()

    await chat.reload()

    await chat.stop_button.wait_for()
    await expect(chat.page.locator(".message-user")).to_have_text(QUESTION)
    await answered(chat)


async def test_a_reload_before_the_first_word_shows_the_question(chat: Chat) -> None:
    await chat.start(QUESTION)
    await chat.page.wait_for_url("**/?thread=*")

    await chat.reload()

    await expect(chat.page.locator(".message-user")).to_have_text(QUESTION)
    await answered(chat)


async def test_offline_for_five_seconds(chat: Chat) -> None:
    chat.expected = NETWORK
    await chat.start(QUESTION)
    await chat.answer.locator(".tool-args").first.wait_for()

    await chat.page.context.set_offline(True)
    await chat.page.wait_for_timeout(5_000)
    await chat.page.context.set_offline(False)

    await answered(chat)
    await expect(chat.page.get_by_role("alert")).to_have_count(0)


async def test_a_line_that_is_cut_is_picked_up_while_the_run_goes_on(
    open_page: Open, slow_demo: str
) -> None:
    async with Cuts(slow_demo) as cuts:
        chat = await open_page(cuts.url)
        chat.expected = NETWORK
        await chat.start(QUESTION)
        await chat.answer.locator(".tool-args").first.wait_for()

        async with chat.page.expect_request("**/resume"):
            cuts.cut()

        await answered(chat)


class Cuts:
    """A proxy whose connections can be cut."""

    def __init__(self, url: str) -> None:
        self._port = int(url.rstrip("/").rpartition(":")[2])
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, back}
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
    except OSError:
        writer.close()


class Server:
    """The demo as a process of its own, with its threads in a file."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port = listener.getsockname()[1]
        self._checkpoint = f"sqlite:///{folder / 'threads.db'}"
        self._process: subprocess.Popen[str] | None = None
        self.url = f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        command = [sys.executable, "-m", "assistant_stream_cli", "demo"]
        command += ["--port", str(self._port), "--checkpoint", self._checkpoint]
        paths = [str(REPOSITORY), str(REPOSITORY / "adapters")]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        assert self._process.stdout is not None
        assert "Serving" in self._process.stdout.readline()

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None


@pytest.fixture
def server(chromium: str, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


async def test_a_server_that_dies_in_mid_run_comes_back_with_the_thread(
    open_page: Open, server: Server
) -> None:
    chat = await open_page(server.url)
    chat.expected = NETWORK
    await chat.ask("Hello")
    await chat.start(QUESTION)
    await chat.answer.locator(".tool-args").first.wait_for()

    server.kill()
    await expect(chat.page.locator(".reconnecting")).to_be_visible()
    server.start()

    await expect(chat.page.get_by_role("alert")).to_contain_text("was not completed")
    await expect(chat.messages.nth(2)).to_contain_text(QUESTION)
    await chat.shoot("server-restarted")
    await chat.page.get_by_role("button", name="Ask again").click()
    await chat.stop_button.wait_for()
    await chat.finish()
    await expect(chat.messages).to_have_count(4)
    await expect(chat.answer).to_contain_text("What you have just seen")
    await expect(chat.page.get_by_role("alert")).to_have_count(0)
    await chat.reload()
    await expect(chat.messages).to_have_count(4)
