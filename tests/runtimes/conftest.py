"""A Chromium with the clients bundled for it.

Where Chromium or node is missing, these tests are skipped, except under CI, where that is a
failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests import npm

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/runtimes/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one script for each client."""
    packages = npm.install() / "node_modules"
    web = Path(__file__).parent / "web"
    folder = tmp_path_factory.mktemp("bundles")
    entries = [file for file in web.glob("*.jsx") if file.name != "harness.jsx"]
    subprocess.run(
        [
            packages / ".bin" / "esbuild",
            *entries,
            "--bundle",
            "--format=esm",
            "--jsx=automatic",
            "--log-level=error",
            '--define:process.env.NODE_ENV="production"',
            f"--outdir={folder}",
        ],
        env={**os.environ, "NODE_PATH": str(packages)},
        check=True,
    )
    return folder


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser, None]:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path is not None:
            break
    else:
        reason = "No Chromium: `apt install chromium` brings one."
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncGenerator[Page, None]:
    """An empty page; the test fails when anything in it raises or complains."""
    problems: list[str] = []
    page = await browser.new_page()
    page.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: message.type in ("error", "warning") and problems.append(message.text),
    )
    yield page
    await page.close()
    assert problems == []
