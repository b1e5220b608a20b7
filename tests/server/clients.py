"""What the real clients send: they run in node, and their request is caught on its way out."""

from __future__ import annotations

from typing import Any

from tests.npm import ask

__all__ = ("sent",)


def sent(client: str, messages: list[Any], **options: Any) -> dict[str, Any]:
    """Return the body with which `client` sends `messages`, which are in its own format."""
    answer = ask(f"send-{client}", "", messages=messages, options=options)
    assert (answer["error"], answer["warnings"]) == (None, [])
    body: dict[str, Any] = answer["sent"]
    return body
