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
the real npm decoder says what is shown. A tick is such a test; an empty field means that there is
none, because the provider has no such thing or nobody has written it yet.

Reasoning that the provider encrypts or signs stays on the server: neither signatures nor redacted
blocks reach the client.
"""


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
        rows.append([provider, *("✓" if feature in features else "" for feature in FEATURES)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{_INTRODUCTION}\n{table}\n"


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
