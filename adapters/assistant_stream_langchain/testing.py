"""A scripted chat model for tests: it streams exactly the chunks it is told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, TypeAlias

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import Field, PrivateAttr

__all__ = ("Item", "Script", "ScriptedChatModel", "Turn")

Item: TypeAlias = str | AIMessage | float | BaseException
"""One thing the model does within a turn."""

Script: TypeAlias = Sequence[Item] | AIMessage | BaseException | str
"""A turn that is known beforehand."""

Turn: TypeAlias = Script | Callable[[list[BaseMessage]], Script]
"""What the model does when it is called once.

A sequence is streamed item by item: a `str` or an `AIMessageChunk` is sent, a number is a pause in
seconds, an exception is raised there. A lone string is sent word by word, a complete `AIMessage`
in one piece and an exception is raised at once. A function of the messages that the model is given
returns one of these.
"""


class ScriptedChatModel(BaseChatModel):
    """A chat model that plays turns, one for each call, and streams like a real one.

    ```python
    model = ScriptedChatModel(
        turns=[
            [AIMessageChunk(content="", tool_call_chunks=[...]), 0.1, "done"],
            "It is sunny.",
        ]
    )
    ```

    It suspends between chunks, as a network does, so that what reads the stream gets its turn.
    `bind_tools` remembers the tools and shares the turns with the model it was called on.
    After its last turn the model raises, unless `cycle` starts it over.
    """

    turns: Sequence[Any] = Field(default=(), repr=False)
    """What the model plays; see `Turn`. Kept out of the repr: LangChain takes it on every call."""
    cycle: bool = False
    """Whether the turns start over after the last one."""
    delay: float = 0.0
    """Seconds to wait before every chunk."""

    _played: int = PrivateAttr(default=0)
    _calls: list[list[BaseMessage]] = PrivateAttr(default_factory=list[list[BaseMessage]])
    _tools: list[Any] = PrivateAttr(default_factory=list[Any])

    @property
    def calls(self) -> list[list[BaseMessage]]:
        """The messages that the model was given, call by call."""
        return self._calls

    @property
    def tools(self) -> list[Any]:
        """The tools that were bound last."""
        return self._tools

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Remember the tools; the script decides what is called."""
        self._tools = list(tools)
        return self.bind(**kwargs) if kwargs else self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        merged: AIMessageChunk | None = None
        turn = self._next_turn(messages)
        if isinstance(turn, AIMessage) and not isinstance(turn, AIMessageChunk):
            return ChatResult(generations=[ChatGeneration(message=turn.model_copy())])
        for item in _items(turn):
            chunk = self._play(item, time.sleep)
            if chunk is not None:
                merged = chunk if merged is None else merged + chunk
        message = _complete(merged or AIMessageChunk(content=""))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for item in _items(self._next_turn(messages)):
            chunk = self._play(item, time.sleep)
            if chunk is not None:
                time.sleep(self.delay)
                yield ChatGenerationChunk(message=chunk)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for item in _items(self._next_turn(messages)):
            pauses: list[float] = []
            chunk = self._play(item, pauses.append)
            await asyncio.sleep(self.delay + sum(pauses))
            if chunk is not None:
                yield ChatGenerationChunk(message=chunk)

    def _next_turn(self, messages: list[BaseMessage]) -> Any:
        self._calls.append(messages)
        number = self._played
        self._played += 1
        if self.cycle and self.turns:
            number %= len(self.turns)
        if number >= len(self.turns):
            raise IndexError(
                f"`ScriptedChatModel` was called {number + 1} times but has {len(self.turns)} "
                "turns. Add turns or set `cycle=True`."
            )
        turn = self.turns[number]
        return turn(messages) if callable(turn) else turn

    @staticmethod
    def _play(item: Any, pause: Callable[[float], None]) -> AIMessageChunk | None:
        if isinstance(item, BaseException):
            raise item
        if isinstance(item, (int, float)):
            pause(item)
            return None
        if isinstance(item, str):
            return AIMessageChunk(content=item)
        # A copy: LangChain sets the id and the metadata of what it is given.
        return _as_chunk(item).model_copy()


def _items(turn: Any) -> Sequence[Any]:
    if isinstance(turn, str):
        return turn.replace(" ", " \0").split("\0") if turn else [""]
    if isinstance(turn, (AIMessage, BaseException)):
        return [turn]
    return list(turn)


def _as_chunk(message: AIMessage) -> AIMessageChunk:
    if isinstance(message, AIMessageChunk):
        return message
    fields = message.model_dump(exclude={"type"})
    return AIMessageChunk(**fields)


def _complete(merged: AIMessageChunk) -> AIMessage:
    fields = merged.model_dump(exclude={"type", "tool_call_chunks", "chunk_position"})
    return AIMessage(**fields)
