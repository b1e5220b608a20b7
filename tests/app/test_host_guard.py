"""A server on loopback answers to this machine, not to a site whose name points to it."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from assistant_stream_langgraph._host_guard import HostGuard, is_loopback
from tests.app.serving import serving


def application() -> Starlette:
    async def index(request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    return Starlette(routes=[Route("/", index)])


OURS = [
    "localhost",
    "localhost:8000",
    "LOCALHOST",
    "app.localhost:8000",
    "127.0.0.1:8000",
    "192.168.1.2",
    "[::1]:8000",
    "tunnel.example",
    "Tunnel.Example:443",
]
FOREIGN = [
    "evil.example",
    "evil.example:8000",
    "127.0.0.1.evil.example",
    "localhost.evil.example:8000",
    "evillocalhost",
    "user@evil.example",
    "[::1",
    "",
]


@pytest.mark.parametrize("host", OURS)
async def test_names_of_this_machine_are_answered(host: str) -> None:
    async with serving(HostGuard(application(), {"tunnel.example"})) as http:
        response = await http.get("/", headers={"host": host})

    assert response.text == "hello"


@pytest.mark.parametrize("host", FOREIGN)
async def test_other_names_are_refused(host: str) -> None:
    async with serving(HostGuard(application(), {"tunnel.example"})) as http:
        response = await http.get("/", headers={"host": host})

    assert response.status_code == 403
    assert "--allow-host" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected
