"""Images and files: attached, sent, shown, and refused."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from playwright.async_api import FilePayload, Locator, expect

from tests.browser.chat import Chat
from tests.browser.conftest import Open

PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGNgKJ/wHx9mGBwKAGd1kcHvG2f9AAAAAElFTkSuQmCC"
)
IMAGE = FilePayload(name="square.png", mimeType="image/png", buffer=PNG)
PAPER = FilePayload(name="Zürich & co.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7 tiny")

OFFER = """
([name, type, text, how]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type }));
  const target = document.querySelector(how === "drop" ? ".viewport" : ".composer-input");
  const event = how === "drop"
    ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
    : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
}
"""


def attached(chat: Chat) -> Locator:
    return chat.page.locator(".attached")


async def attach(chat: Chat, *files: FilePayload) -> None:
    async with chat.page.expect_file_chooser() as chooser:
        await chat.page.get_by_role("button", name="Attach files").click()
    await (await chooser.value).set_files(list(files))


async def drawn(image: Locator) -> bool:
    return bool(await image.evaluate("e => e.decode().then(() => e.naturalWidth === 8)"))


async def check(chat: Chat) -> None:
    """The image is drawn, and the file can be saved."""
    said = chat.page.locator(".message-user").first
    await expect(said).to_contain_text("Look at these")
    await expect(said.locator("img")).to_have_count(1)
    assert await drawn(said.locator("img"))
    async with chat.page.expect_download() as download:
        await said.get_by_role("link", name="Zürich & co.pdf").click()
    path = await (await download.value).path()
    assert path.read_bytes() == b"%PDF-1.7 tiny"
    assert (await download.value).suggested_filename == "Zürich & co.pdf"


async def test_an_image_and_a_file_are_sent_and_shown(chat: Chat) -> None:
    await attach(chat, IMAGE, PAPER)
    await expect(attached(chat)).to_have_count(2)
    await expect(attached(chat).last).to_contain_text("13 B")
    assert await drawn(attached(chat).first.locator("img"))
    await chat.shoot("attached")

    await chat.ask("Look at these")

    await expect(attached(chat)).to_have_count(0)
    await expect(chat.answer).to_contain_text("You have attached an image, Zürich & co.pdf")
    await check(chat)
    await chat.reload()
    await check(chat)
    await chat.ask("Hello")  # the state with the files in it goes along
    await expect(chat.messages).to_have_count(4)


async def test_files_are_pasted_dropped_and_taken_away(chat: Chat) -> None:
    await chat.page.evaluate(OFFER, ["pasted.txt", "text/plain", "one", "paste"])
    await chat.page.evaluate(OFFER, ["dropped.txt", "text/plain", "two", "drop"])
    await expect(attached(chat)).to_have_count(2)

    await chat.page.get_by_role("button", name="Remove pasted.txt").click()
    await expect(attached(chat)).to_have_count(1)
    async with chat.page.expect_request("**/assistant") as request:
        await chat.composer.press("Enter")

    body: Any = (await request.value).post_data_json
    assert body["commands"][0]["message"]["parts"] == [
        {"type": "file", "data": "dHdv", "mimeType": "text/plain", "filename": "dropped.txt"}
    ]
    await chat.finish()
    await expect(chat.page.locator(".message-user .file-part")).to_contain_text("dropped.txt")


async def test_what_is_too_large_is_refused_with_a_reason(chat: Chat) -> None:
    def file(name: str, size: int) -> FilePayload:
        return FilePayload(name=name, mimeType="text/plain", buffer=b"x" * size)

    await attach(chat, file("large.txt", 5_100_000))
    refusal = chat.page.get_by_role("alert")
    await expect(refusal).to_contain_text("“large.txt” has 5.1 MB; a file may have up to 5 MB.")
    await expect(attached(chat)).to_have_count(0)

    await attach(chat, file("a.txt", 4_000_000), file("b.txt", 4_000_000), file("c.txt", 10))
    await expect(attached(chat)).to_have_count(2)
    await expect(refusal).to_contain_text("With “b.txt” the files would have 8 MB")

    await chat.page.get_by_role("button", name="Dismiss this notice").click()
    await expect(refusal).to_have_count(0)


async def test_a_message_that_never_arrived_gets_its_files_back(chat: Chat) -> None:
    chat.expected = "Failed to load resource"
    await attach(chat, PAPER, IMAGE)
    await chat.page.context.set_offline(True)
    await chat.composer.fill("Look at these")
    await chat.composer.press("Enter")

    await expect(chat.page.get_by_role("alert")).to_contain_text("could not be reached")
    await expect(attached(chat)).to_have_count(2)
    await expect(chat.composer).to_have_value("Look at these")
    await chat.page.context.set_offline(False)
    await chat.ask("Look at these")
    await check(chat)


async def test_an_edited_message_keeps_its_files(open_page: Open, demo: str) -> None:
    chat = await open_page(demo)
    await attach(chat, PAPER, IMAGE)
    await chat.ask("Look at these")

    await chat.page.locator(".message-said").hover()
    await chat.page.get_by_role("button", name="Change this message").click()
    await chat.page.get_by_label("Change your message").fill("Look at these again")
    await chat.page.get_by_role("button", name="Ask again").click()
    await expect(chat.page.locator(".message-user")).to_contain_text("Look at these again")
    await chat.finish()

    await check(chat)
