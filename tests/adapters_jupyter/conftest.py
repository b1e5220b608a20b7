"""A real Chromium for what a view may and may not do."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator
from typing import NoReturn

import pytest
from playwright.async_api import Browser, async_playwright

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        unavailable("No Chromium: `apt install chromium` brings one.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        await browser.close()
