"""The page of what is shown of each provider's answers, made from the marks on the tests.

`@pytest.mark.shows(PROVIDER, FEATURE, ...)` stands on the tests that run a provider's real client
over the provider's documented stream. `python -m tests.adapters_langchain.provider_matrix` writes
the page; a test holds it to the marks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

__all__ = ("FEATURES", "PAGE", "marks", "page")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "providers.md"

FEATURES = (
    "text",
    "reasoning",
    "parallel calls",
    "call without arguments",
    "server-side tools",
    "sources",
    "files",
    "usage",
    "finish reason",
)

_INTRODUCTION = """# Providers

What a client shows of each provider's answers. The provider's documented stream goes over HTTP
into its real LangChain client, from there through this package and both assistant-ui wires, and
the real npm decoder says what is shown: streamed with `astream` (in the blocks of the provider and
in LangChain's own, `output_version="v1"`), streamed by the handler under `ainvoke`, and invoked
without streaming. A tick is such a test. A dash says that there is nothing to show; why stands
below the table, and where a client leaves something out of one of the ways.

A model that is invoked with the handler gives the same answer as without it: its text, its calls
and its tokens. Some servers count tokens in a stream only when asked to; for `ChatOpenAI` with a
`base_url` of your own that is `stream_usage=True`.

Clients of other servers give the same shapes. Of `langchain-xai` only the message chunks are
tested, without the client.

Reasoning that the provider encrypts or signs stays on the server: neither signatures nor redacted
blocks reach the client.
"""


_NOTHING: dict[str, dict[tuple[str, ...], str]] = {
    "Anthropic": {
        ("files",): "a file that its code writes is an id, which stays in the call's result",
    },
    "DeepSeek": {("server-side tools", "sources", "files"): "it has none"},
    "Mistral": {
        ("server-side tools", "files"): "they are in its agents API, which the client lacks",
        ("sources",): "a reference is a number of the prompt's own documents",
    },
    "Groq": {
        ("sources",): "it cites in its text; the pages that it found are the call's result",
        ("files",): "it has none",
    },
    "Perplexity": {
        ("parallel calls", "call without arguments"): "the client reads no calls",
        ("server-side tools",): "its searches are only known by their sources",
    },
    "Ollama": {("server-side tools", "sources", "files"): "it has none"},
    "OpenAI chat completions": {
        ("reasoning",): "only the Responses API has it; a server that sends `reasoning_content` "
        "needs a client that reads it, such as `langchain-deepseek`",
        ("server-side tools",): "they are in the Responses API",
        ("sources",): "the client drops the annotations",
    },
}
"""What a provider, or its LangChain client, does not have, and why."""

_NOTES = {
    "OpenAI chat completions, files": "the client drops the sound of an answer that is streamed",
    "Bedrock Converse, files": "the client cannot read an image that is streamed",
    "Perplexity, finish reason": "the client drops it from an answer that is not streamed",
}


def marks() -> dict[str, set[str]]:
    """The features that the tests of each provider show, by provider, in the order of the files."""
    found: dict[str, set[str]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for provider, *features in _marks_in(ast.parse(path.read_text())):
            unknown = set(features) - set(FEATURES)
            if unknown:
                raise ValueError(f"{path.name}: no such feature: {sorted(unknown)}")
            found.setdefault(provider, set()).update(features)
    return found


def page() -> str:
    """The page in Markdown."""
    rows = [["", *FEATURES], ["---"] + [":-:"] * len(FEATURES)]
    for provider, features in marks().items():
        cells = [_cell(provider, feature, feature in features) for feature in FEATURES]
        rows.append([provider, *cells])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    notes = {
        f"{provider}, {', '.join(features)}": reason
        for provider, lacks in _NOTHING.items()
        for features, reason in lacks.items()
    }
    lines = "\n".join(f"- {place}: {note}." for place, note in (notes | _NOTES).items())
    return f"{_INTRODUCTION}\n{table}\n\n{lines}\n"


def _cell(provider: str, feature: str, ticked: bool) -> str:
    """A tick or a dash; a cell that is neither, or both, is a mistake here."""
    nothing = any(feature in features for features in _NOTHING.get(provider, {}))
    if ticked == nothing:
        raise ValueError(f"{provider}, {feature}: needs either a test or a reason")
    return "✓" if ticked else "\N{EN DASH}"


def _marks_in(tree: ast.AST) -> Iterator[list[str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith(
                    "mark.shows"
                ):
                    yield [ast.literal_eval(argument) for argument in decorator.args]


if __name__ == "__main__":
    PAGE.write_text(page())
