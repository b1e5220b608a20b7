"""The provider that the real clients talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters_langchain.provider import Provider


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    server = provider.start()
    yield provider
    server.shutdown()
    server.server_close()
