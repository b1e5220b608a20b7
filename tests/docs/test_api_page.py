"""The API page has every module that users import from."""

from __future__ import annotations

import pkgutil

import assistant_stream_ce
import assistant_stream_jupyter
import assistant_stream_langchain
import assistant_stream_langgraph
from tests.docs.samples import REPOSITORY


def test_the_api_page_names_every_room() -> None:
    page = (REPOSITORY / "docs" / "api.md").read_text()
    rooms = [
        assistant_stream_jupyter.__name__,
        assistant_stream_langchain.__name__,
        assistant_stream_langgraph.__name__,
        *(
            f"{assistant_stream_ce.__name__}.{info.name}"
            for info in pkgutil.iter_modules(assistant_stream_ce.__path__)
            if not info.name.startswith("_")
        ),
    ]

    missing = [room for room in rooms if f".. automodule:: {room}\n" not in page]
    assert missing == []
