"""How the documentation is built: `make docs`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import assistant_stream_ce

sys.path.insert(0, str(Path(__file__).parent))
from notebook_pages import write_pages  # beside this file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

project = "assistant-stream-ce"
author = "The assistant-stream-ce contributors"
project_copyright = f"2026, {author}"
release = assistant_stream_ce.__version__
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
suppress_warnings: list[str] = []

html_theme = "furo"
html_title = f"{project} {release}"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
# Shown by name instead of in full.
autodoc_type_aliases = {
    name: name
    for name in (
        "AssistantStreamChunk",
        "ChunkSource",
        "ChunkStream",
        "FinishReason",
        "HeartbeatOption",
        "JSONValue",
        "RunCallback",
    )
}
autodoc_preserve_defaults = True


def setup(app: Sphinx) -> None:
    """Have docstrings translated before napoleon reads them, and signatures made readable."""
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", translate_docstring, priority=400)
    app.connect("autodoc-process-signature", shorten_signature)


def translate_docstring(  # noqa: PLR0917 - Sphinx calls it
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Turn a Google-style docstring written in Markdown into one in reStructuredText."""
    # Without the empty line, napoleon takes what stands before a colon for an attribute's type.
    first = [""] if what in {"attribute", "data", "property"} else []
    lines[:] = [*first, *from_markdown(lines, is_module=what == "module")]


def shorten_signature(  # noqa: PLR0917 - Sphinx calls it
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str
) -> tuple[str, str | None] | None:
    """Show aliases inside other types, and types beside a factory, by their names alone."""
    if signature is None:
        return None
    signature = re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", signature)
    signature = re.sub(r"~[\w.]+\.(\w+)", r"\1", signature)
    return signature, returns and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", returns)


def from_markdown(lines: list[str], *, is_module: bool) -> Iterator[str]:
    """Translate what our docstrings use: code spans, fenced code, and drawings in modules."""
    fenced = False
    before = ""
    for line in lines:
        indent, fence, language = line.partition("```")
        if fence and not indent.strip():
            fenced = not fenced
            yield from ("", f"{indent}.. code-block:: {language}", "") if fenced else ("",)
        elif fenced:
            yield f"    {line}"
        elif is_module and line.startswith("    "):
            yield from () if before else (".. code-block:: text", "")
            yield line
        else:
            yield re.sub(r"`([^`]+)`", r"``\1``", line)
        before = line
