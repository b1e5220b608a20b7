"""The provider that the real clients talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .provider import Provider
from .shown import WAYS, Ask


@pytest.fixture(scope="session")
def running_provider() -> Iterator[Provider]:
    provider = Provider()
    server = provider.start()
    yield provider
    server.shutdown()
    server.server_close()


@pytest.fixture
def provider(running_provider: Provider) -> Provider:
    running_provider.says()
    return running_provider


@pytest.fixture(params=WAYS)
def ask(request: pytest.FixtureRequest, provider: Provider) -> Ask:
    """Asks a model in every way there is."""
    return Ask(request.param, provider)
