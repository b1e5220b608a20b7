"""Pictures of the notebooks, to look at: `make notebook-shots`.

Of the pages of the documentation, and of a live JupyterLab session in which a notebook runs and
a button answers. They go to `artefacts/notebooks`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

REPOSITORY = Path(__file__).parents[2]
ARTEFACTS = REPOSITORY / "artefacts" / "notebooks"
PAGES = REPOSITORY / "docs" / "_build" / "html" / "notebooks"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


async def main() -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        await shoot_pages(browser)
        await shoot_lab(browser)
        await browser.close()
    print(f"{len(list(ARTEFACTS.glob('*.png')))} pictures in {ARTEFACTS}")


async def shoot_pages(browser: Browser) -> None:
    """The rendered notebooks, light and dark."""
    for scheme in ("light", "dark"):
        context = await browser.new_context(
            color_scheme=scheme, viewport={"width": 1280, "height": 900}
        )
        for path in sorted(PAGES.glob("*.html")):
            page = await context.new_page()
            await page.goto(path.as_uri())
            await page.screenshot(path=ARTEFACTS / f"page-{path.stem}-{scheme}.png", full_page=True)
            await page.close()
        await context.close()


async def shoot_lab(browser: Browser) -> None:
    """A live session: while a run goes on, when it waits, and after a click on its button."""
    with lab() as url:
        page = await browser.new_page(viewport={"width": 1280, "height": 1800})
        page.set_default_timeout(60_000)
        await run_notebook(page, url, "03-an-agent-with-tools-and-reasoning")
        await page.locator(".asc-status.asc-running").first.wait_for()
        await shoot(page, "lab-running")
        await page.locator(".asc-done").first.wait_for()
        await shoot(page, "lab-done")

        await run_notebook(page, url, "05-a-human-in-the-loop", until="await result.answer")
        await page.get_by_role("button", name="yes", exact=True).wait_for()
        await shoot(page, "lab-waiting")
        await page.get_by_role("button", name="yes", exact=True).click()
        await page.locator(".asc-done").first.wait_for()
        await shoot(page, "lab-answered")


async def run_notebook(page: Page, url: str, name: str, *, until: str | None = None) -> None:
    """Open a notebook and run its cells; those before the one that has `until` in it."""
    await page.goto(f"{url}/lab/tree/{name}.ipynb?reset")
    await page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    select = page.locator(".jp-Dialog .jp-mod-accept")
    idle = page.get_by_text("| Idle")
    await select.or_(idle).first.wait_for()
    await asyncio.sleep(2)  # some releases ask which kernel to start, a moment later
    if await select.is_visible():
        await select.click()
    await idle.first.wait_for()
    if until is None:
        await page.get_by_role("menuitem", name="Run", exact=True).click()
        await page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    else:
        cell = page.locator(".jp-CodeCell", has_text=until)
        await cell.locator(".cm-content").click()
        await page.get_by_role("menuitem", name="Run", exact=True).click()
        await page.get_by_text("Run All Above Selected Cell").click()


async def shoot(page: Page, name: str) -> None:
    await page.screenshot(path=ARTEFACTS / f"{name}.png")


@contextmanager
def lab() -> Iterator[str]:
    """JupyterLab on a free port, with copies of the notebooks and settings of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "notebooks")
        shutil.copytree(REPOSITORY / "notebooks", folder)
        env = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
        env |= {"HOME": home, "JUPYTER_CONFIG_DIR": home, "JUPYTER_DATA_DIR": f"{home}/data"}
        settings = Path(home, "lab", "user-settings", "@jupyterlab", "apputils-extension")
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text(
            '{"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}'
        )
        options = (
            *["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"],
            *["--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.port_retries=0"],
        )
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, str(folder)],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("JupyterLab has not started.")


if __name__ == "__main__":
    asyncio.run(main())
