"""Every Python block of the README and the documentation runs and prints what the page says.

The blocks of a page run in order in one namespace. A `text` block right after a Python block is
what that block prints. When a block makes an `app`, its POST routes are asked a question.
"""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from tests.docs.samples import PAGES, SampleModel, samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.routing import BaseRoute

QUESTION = "How is the weather in Paris?"
BODY = {
    "threadId": "thread-1",
    "runId": "run-1",
    "model": "agent",
    "stream": True,
    "messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}],
    "commands": [
        {
            "type": "add-message",
            "message": {"role": "user", "parts": [{"type": "text", "text": QUESTION}]},
        }
    ],
    "state": {},
}


OTHER = ("/resume-state", "/resume", "/cancel")
"""How the addresses end at which nothing is asked."""


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """A module for a page's blocks to run in, with models that need no key."""
    import langchain.agents.factory
    import langchain.chat_models

    for module in (langchain.agents.factory, langchain.chat_models):
        monkeypatch.setattr(module, "init_chat_model", lambda *args, **kwargs: SampleModel())
    monkeypatch.chdir(tmp_path)
    page = ModuleType("sample")
    monkeypatch.setitem(sys.modules, "sample", page)
    return vars(page)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(samples(page, "python"))],
    ids=lambda page: page.stem,
)
def test_page(page: Path, namespace: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    printed = ""
    asked: set[tuple[object, str]] = set()
    for sample in samples(page, "python", "text"):
        where = f"{page.name}, line {sample.line}"
        if sample.language == "text":
            assert not sample.follows or printed.strip() == sample.text.strip(), where
            continue
        exec(sample.code(), namespace)
        printed = capsys.readouterr().out
        app = namespace.get("app")
        for path in post_paths(app.routes) if app else ():
            if (app, path) not in asked:
                asked.add((app, path))
                check_route(app, path, where)


def check_route(app: Starlette, path: str, where: str) -> None:
    """Ask a route of `app` the question, and check the answer to its end."""
    with TestClient(app) as client:
        response = client.post(path, json=BODY)
    assert response.status_code == 200, (where, response.text)
    check_body(response.headers["content-type"], response.text)


def post_paths(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[str]:
    for route in routes:
        match route:
            case Mount():
                yield from post_paths(route.routes, prefix + route.path)
            case Route(methods=methods) if methods and "POST" in methods:
                if not route.path.endswith(OTHER):
                    yield prefix + route.path
            case _:
                pass


def check_body(media_type: str, body: str) -> None:
    if media_type.startswith("text/event-stream"):
        *frames, last = [frame for frame in body.split("\n\n") if frame.startswith("data: ")]
        if '"RUN_FINISHED"' in last:  # AG-UI has no other end.
            frames.append(last)
        else:
            assert last == "data: [DONE]"
        chunks = [json.loads(frame.removeprefix("data: ")) for frame in frames]
        assert [chunk for chunk in chunks if chunk.get("type") in ("error", "RUN_ERROR")] == []
        assert [chunk for chunk in chunks if "error" in chunk] == []
    else:
        frames = [line for line in body.splitlines() if line]
        assert frames
        for frame in frames:
            code, _, value = frame.partition(":")
            json.loads(value)
            assert code != "3", frame
    assert "sunny" in body
