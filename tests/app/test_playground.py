"""The chat page is served beside the endpoints, and nothing else of the disk is."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from langchain.agents import create_agent
from starlette.applications import Starlette
from starlette.routing import Route

from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph._playground import PAGE_FOLDER, create_page
from assistant_stream_langgraph.app import create_app
from tests.app.serving import serving


@pytest.fixture
async def http(tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient, None]:
    page = tmp_path / "dist"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>Chat</title>")
    (page / "assets" / "index-fGG8Fj00.js").write_text("let a;" * 1000)
    (page / "theme.js").write_text("let b;")
    (tmp_path / "secret.txt").write_text("secret")
    app = Starlette(routes=[Route("/{path:path}", create_page(page), methods=["GET"])])
    async with serving(app) as client:
        yield client


async def test_the_page_is_at_the_root_and_always_fresh(http: httpx.AsyncClient) -> None:
    response = await http.get("/")

    assert response.text == "<!doctype html><title>Chat</title>"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_script_with_a_hash_is_compressed_and_kept(http: httpx.AsyncClient) -> None:
    response = await http.get("/assets/index-fGG8Fj00.js")

    assert response.text == "let a;" * 1000
    assert response.headers["content-encoding"] == "gzip"
    assert "javascript" in response.headers["content-type"]
    assert "immutable" in response.headers["cache-control"]
    assert (await http.get("/theme.js")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "//etc/passwd",
        "/assets",
        "/%00",
        "/theme.js%00.html",
        "/" + "a" * 5000,
        "/" + "a/" * 5000,
    ],
)
async def test_nothing_but_the_page_is_served(http: httpx.AsyncClient, path: str) -> None:
    response = await http.get(path)

    assert response.status_code == 404
    assert "secret" not in response.text


@pytest.mark.skipif(not PAGE_FOLDER.is_dir(), reason="the page has not been built")
async def test_every_link_of_the_built_page_is_relative_and_leads_somewhere() -> None:
    outer = Starlette()
    graph = create_agent(ScriptedChatModel(), [])
    outer.mount("/agent", create_app(graph, playground=True))
    async with serving(outer) as http:
        page = await http.get("/agent", follow_redirects=True)

        assert page.url.path == "/agent/"
        links = [
            part.partition('"')[0]
            for attribute in (' src="', ' href="')
            for part in page.text.split(attribute)[1:]
        ]
        files = [link for link in links if not link.startswith("data:")]
        assert files
        for link in files:
            assert link.startswith("./")
            assert (await http.get(f"/agent/{link[2:]}")).status_code == 200


async def test_a_page_that_was_not_built_says_how_to(tmp_path: Path) -> None:
    app = Starlette(routes=[Route("/{path:path}", create_page(tmp_path), methods=["GET"])])
    async with serving(app) as http:
        response = await http.get("/")

        assert response.status_code == 404
        assert "npm run build" in response.text
