"""What holds for every test: `async def test_*` needs no marker and runs on asyncio.

The `anyio` plugin runs the coroutines (`anyio_mode = "auto"` in `pyproject.toml`); this file only
pins the backend, because a run's channel wakes its reader through asyncio.
"""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The one backend. Session scope, so that an async fixture may have any scope."""
    return "asyncio"
