"""What the real clients send: they run in node, and their request is caught on its way out."""

from __future__ import annotations

from typing import Any

from tests.npm import ask

__all__ = ("prompt_of", "sent")


def sent(client: str, messages: list[Any], **options: Any) -> dict[str, Any]:
    """Return the body with which `client` sends `messages`, which are in its own format."""
    body: dict[str, Any] = _answer(client, messages, options)["sent"]
    return body


def prompt_of(client: str, messages: list[Any]) -> list[Any]:
    """Return what the AI SDK itself would show a model of `messages`."""
    prompt: list[Any] = _answer(client, messages, {})["prompt"]
    return prompt


def _answer(client: str, messages: list[Any], options: dict[str, Any]) -> dict[str, Any]:
    answer = ask(f"send-{client}", "", messages=messages, options=options)
    assert (answer["error"], answer["warnings"]) == (None, [])
    return answer
