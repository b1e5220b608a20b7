"""The page of what people report about packages of this kind, made from the tests.

A test of a report is named `test_`, the letter of its group, the number, and what a user gets; its
docstring says where it was reported, and what went wrong. `python -m
tests.field_reports.report_list` writes the page; a test holds it to the tests, and every report to
having one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ("PAGE", "REPORTS", "Told", "page", "told")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "field-reports.md"

REPORTS = {
    "a": range(1, 11),
    "b": range(11, 18),
    "c": range(18, 22),
    "d": range(22, 27),
    "e": range(27, 30),
    "f": range(30, 35),
    "g": range(35, 42),
    "h": range(1, 7),
}
"""The numbers of the reports, by group."""

_REPOSITORIES = {
    "CopilotKit": "CopilotKit/CopilotKit",
    "Chainlit": "Chainlit/chainlit",
    "ag-ui": "ag-ui-protocol/ag-ui",
    "agent-chat-ui": "langchain-ai/agent-chat-ui",
    "agent-framework": "microsoft/agent-framework",
    "assistant-ui": "assistant-ui/assistant-ui",
    "chainlit": "Chainlit/chainlit",
    "deepagents": "langchain-ai/deepagents",
    "deepagentsjs": "langchain-ai/deepagentsjs",
    "deer-flow": "bytedance/deer-flow",
    "langchain": "langchain-ai/langchain",
    "langchain-google": "langchain-ai/langchain-google",
    "langchainjs": "langchain-ai/langchainjs",
    "langfuse": "langfuse/langfuse",
    "langgraph": "langchain-ai/langgraph",
    "langgraphjs": "langchain-ai/langgraphjs",
    "livekit": "livekit/agents",
    "docs": "langchain-ai/docs",
    "unsloth": "unslothai/unsloth",
    "vercel": "vercel/ai",
}

_NAME = re.compile(r"test_([a-h])(\d\d)_(\w+)")
_THREAD = re.compile(r"(?:([A-Za-z][\w-]*) )?#(\d+)")

_INTRODUCTION = """# Field reports

What people have reported about packages that do the same job as this one, and what you get here.
Each report is a test that builds the reported situation with a real graph, chain or provider's
client and looks at what a real client shows. A test is called what the last column says: the row
that says *Arguments of parallel calls stay with their call* for A1 is the test
`test_a01_arguments_of_parallel_calls_stay_with_their_call`.
"""


@dataclass(frozen=True)
class Told:
    """One test of a report."""

    group: str
    number: int
    gets: str
    """What a user gets."""
    reported: str
    """Where it was reported, and what went wrong."""


def told() -> dict[Path, list[Told]]:
    """The tests of reports, by file, in their order.

    Raises:
        ValueError: A test is not named after a report, or does not say what was reported.
    """
    return {
        path: [_read(test, path.name) for test in _tests(path)]
        for path in sorted(Path(__file__).parent.glob("test_*.py"))
    }


def page() -> str:
    """The page in Markdown."""
    parts = [_INTRODUCTION]
    for path, tests in told().items():
        letter = tests[0].group.upper()
        title = (ast.get_docstring(ast.parse(path.read_text())) or "").partition(": ")[2]
        heading = f"## {letter}. {_sentence(title).rstrip('.')}"
        parts.append(f"{heading}\n\n`tests/{path.parent.name}/{path.name}`\n")
        rows = ["| | Reported | What you get |", "|---|---|---|"]
        before = 0
        for test in sorted(tests, key=lambda test: test.number):
            number = f"{letter}{test.number}" if test.number != before else ""
            before = test.number
            rows.append(f"| {number} | {_linked(test.reported)} | {_sentence(test.gets)} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _tests(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test_"
        ):
            yield node


def _read(test: ast.FunctionDef | ast.AsyncFunctionDef, file: str) -> Told:
    match = _NAME.fullmatch(test.name)
    if match is None or int(match[2]) not in REPORTS[match[1]] or file[5] != match[1]:
        raise ValueError(f"{file}: `{test.name}` is not named after a report of its group.")
    reported = ast.get_docstring(test)
    if not reported or "\n" in reported or not _THREAD.search(reported):
        raise ValueError(f"{file}: `{test.name}` needs one line that says where it was reported.")
    return Told(match[1], int(match[2]), match[3].replace("_", " "), reported)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _linked(reported: str) -> str:
    """The text with a link for each thread; several of one repository follow its name."""
    where = ""

    def link(match: re.Match[str]) -> str:
        nonlocal where
        where = match[1] or where
        repository = _REPOSITORIES.get(where)
        if repository is None:
            return match[0]
        return f"[{match[0]}](https://github.com/{repository}/issues/{match[2]})"

    return _THREAD.sub(link, reported)


if __name__ == "__main__":
    PAGE.write_text(page())
