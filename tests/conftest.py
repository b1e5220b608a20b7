"""What holds for every test: `async def test_*` needs no marker and runs on asyncio.

The `anyio` plugin runs the coroutines (`anyio_mode = "auto"` in `pyproject.toml`); this file only
pins the backend, because a run's channel wakes its reader through asyncio, and the examples of
hypothesis where they must not differ from one run to the next.
"""

from __future__ import annotations

import os

import hypothesis
import pytest

hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The one backend. Session scope, so that an async fixture may have any scope."""
    return "asyncio"
