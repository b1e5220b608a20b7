"""The fenced code blocks of the README and the documentation, and a model for them to call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from pydantic import PrivateAttr

from assistant_stream_langchain.testing import ScriptedChatModel

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>\w+)\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Sample:
    """One block of a page."""

    page: Path
    language: str
    text: str
    line: int
    """The line of the page on which the text begins."""
    follows: bool
    """Whether nothing but white space stands between this block and the one before it."""

    def code(self) -> Any:
        """Compile the block so that a traceback shows the line of the page."""
        return compile("\n" * (self.line - 1) + self.text, str(self.page), "exec")


def samples(page: Path, *languages: str) -> Iterator[Sample]:
    """Yield the blocks of `page` that are in one of `languages`, in order."""
    text = page.read_text()
    end = -1
    for match in _FENCE.finditer(text):
        follows = end >= 0 and not text[end : match.start()].strip()
        end = match.end()
        if match["language"] in languages:
            line = text.count("\n", 0, match.start("text")) + 1
            yield Sample(page, match["language"], match["text"], line, follows)


class SampleModel(ScriptedChatModel):
    """What the samples' models are replaced by: it calls the first tool it is given, once a
    question, and then answers."""

    _agent: ScriptedChatModel | None = PrivateAttr(default=None)

    def __init__(self) -> None:
        super().__init__(turns=["It is sunny in Paris."], cycle=True)

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        if self._agent is None:
            self._agent = ScriptedChatModel(
                turns=[_tool_call(tools[0].name), "It is sunny in Paris."], cycle=True
            )
        return self._agent.bind_tools(tools, **kwargs)


def _tool_call(name: str) -> list[AIMessageChunk]:
    pieces = [(name, "call_1", ""), (None, None, '{"city": '), (None, None, '"Paris"}')]
    return [
        AIMessageChunk(
            content="",
            tool_call_chunks=[tool_call_chunk(name=name, args=args, id=call_id, index=0)],
        )
        for name, call_id, args in pieces
    ]
