"""Tools and chains that return, take or raise what nobody expects."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool

from assistant_stream_langchain.testing import ScriptedChatModel

from .shown import call, calls, results, show


class Silent:
    """Has no text."""

    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


class Closed:
    """Answers no question about itself."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"not {name}")

    def __str__(self) -> str:
        return "closed"


class SilentError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("no text")


def deep() -> Any:
    value: Any = "bottom"
    for _ in range(5_000):
        value = [value]
    return value


def endless() -> Any:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


def endless_list() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


ODD: dict[str, tuple[Any, str]] = {
    "a mock": (MagicMock(name="mock"), "<MagicMock"),
    "without a text": (Silent(), "<Silent>"),
    "without a text inside": ({"a": Silent()}, "<dict>"),
    "without attributes": (Closed(), "closed"),
    "deep": (deep(), "<list>"),
    "endless": (endless(), "{'self': {...}}"),
    "an endless list": (endless_list(), "[[...]]"),
    "no text but surrogates": ("\ud83d", "\ud83d"),
}


@pytest.mark.parametrize("kind", ODD)
async def test_a_tool_that_returns_something_odd_has_a_result(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    value, text = ODD[kind]

    @tool
    def odd() -> Any:
        """Return it."""
        return value

    chunks, returned = await call(lambda h: odd.ainvoke({}, {"callbacks": [h]}))

    assert returned is value
    [result] = results(show(chunks)).values()
    assert str(result).startswith(text)
    assert not caplog.records


@pytest.mark.parametrize("kind", ODD)
async def test_a_chain_that_returns_something_odd_while_a_call_waits_ends_like_any(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    value, _ = ODD[kind]
    asks = AIMessage("", tool_calls=[{"id": "c1", "name": "f", "args": {}}])
    chain = ScriptedChatModel(turns=[asks]) | RunnableLambda(lambda _: value)

    async def use(handler: Any) -> Any:
        returned = await chain.ainvoke("?", {"callbacks": [handler]})
        assert not handler._session.runs
        return returned

    chunks, returned = await call(use)

    assert returned is value
    assert calls(show(chunks)) == [("c1", "f", {})]
    assert not caplog.records


async def test_a_tool_that_raises_something_odd_has_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @tool
    def odd() -> None:
        """Raise it."""
        raise SilentError

    async def use(handler: Any) -> None:
        with pytest.raises(SilentError):
            await odd.ainvoke({}, {"callbacks": [handler]})

    chunks, _ = await call(use)

    assert list(results(show(chunks)).values()) == ["SilentError"]
    assert not caplog.records
