"""`AssistantCallbackHandler`: shows what happens inside a chain while it runs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, GenerationChunk, LLMResult

from assistant_stream_ce.controller import RunController

from ._results import error_text
from ._runs import Run, final_message, is_interrupt, token_message
from ._session import ChainSession
from ._structured import native_schema_name, schema_name
from .visibility import Visibility

__all__ = ("AssistantCallbackHandler",)

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_Method = TypeVar("_Method", bound=Callable[..., None])


def _guarded(method: _Method) -> _Method:
    """One event at a time, from whatever thread; a fault of ours never becomes the chain's."""
    name = method.__name__
    starts, ends = name.endswith("_start"), name.endswith(("_end", "_error"))

    @wraps(method)
    def guarded(self: AssistantCallbackHandler, *args: Any, **kwargs: Any) -> None:
        try:
            with self.lock:
                if not self.leaves_to_another(kwargs.get("run_id"), starts=starts, ends=ends):
                    method(self, *args, **kwargs)
        except Exception:
            logger.exception("`%s` failed; the chain goes on.", name)

    return cast("_Method", guarded)


class AssistantCallbackHandler(BaseCallbackHandler):
    """Emits what a chain does through a run's controller: tokens, reasoning, tools, sources, usage.

    ```python
    async def callback(controller: RunController) -> None:
        handler = AssistantCallbackHandler(controller)
        await chain.ainvoke(question, config={"callbacks": [handler]})
    ```

    Works for any Runnable, `invoke` and `stream`, sync and async, from any thread. Models stream
    even when the chain is invoked. The chain's result and its exceptions stay what they are.

    A handler serves one run; a run may have several, one for each of its chains. It does not go
    together with `astream_events` on the same chain, which then leaves out some events of its own.
    For a LangGraph graph, `from_langgraph_events`
    shows more: state, interrupts and messages that no model wrote.

    Args:
        controller: The controller of the run.
        visibility: What is shown; by default everything but internal calls.
    """

    run_inline = True
    """Runs in the chain's own thread, so that the order of events is the order of chunks."""

    def __init__(self, controller: RunController, *, visibility: Visibility | None = None) -> None:
        self._session = ChainSession.of(controller)
        self._visibility = visibility or Visibility()
        self._others: set[UUID] = set()
        """Runs that another handler of the same controller tells."""
        self.lock = self._session.lock
        """Held while an event is told."""
        controller.before_end(self._close)

    def leaves_to_another(self, run_id: UUID | None, *, starts: bool, ends: bool) -> bool:
        """Whether another handler of the same controller tells this event of a run."""
        if run_id is None:
            return False
        if run_id in self._others:
            if ends:
                self._others.discard(run_id)
            return True
        if starts and run_id in self._session.runs:
            self._others.add(run_id)
            return True
        return False

    # These two make LangChain stream a model that is only invoked.

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[_T]) -> AsyncIterator[_T]:
        """Pass the output of a run through unchanged."""
        return output

    def tap_output_iter(self, run_id: UUID, output: Iterator[_T]) -> Iterator[_T]:
        """Pass the output of a run through unchanged."""
        return output

    @_guarded
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        """A chat model is called."""
        run = self._begin(serialized, run_id, works=True, **kwargs)
        run.schema = schema_name(kwargs.get("options"))
        run.native_schema = native_schema_name(kwargs.get("invocation_params"))
        # A loop written by hand answers the model's calls in what it sends next.
        self._session.take_answers(run, messages)

    @_guarded
    def on_llm_start(
        self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """A text completion model is called."""
        self._begin(serialized, run_id, works=True, **kwargs)

    @_guarded
    def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: GenerationChunk | ChatGenerationChunk | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        """A model has said something."""
        run = self._session.runs.get(run_id)
        if run.hidden:
            return
        if run.schema is not None:
            run.note_token()
        else:
            self._session.say(run, token_message(token, chunk))

    @_guarded
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """A model has answered; one that does not stream says all of it here."""
        with self._session.ending(run_id) as run:
            message = final_message(response)
            if message is not None and not run.hidden:
                if run.schema is not None:
                    self._session.say_structured(run, run.schema, message)
                else:
                    self._session.say(run, message, whole=True)

    @_guarded
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A model has failed, or nobody wants the rest of its answer."""
        with self._session.ending(run_id) as run:
            self._session.break_off(run, "error" if isinstance(error, Exception) else "other")

    @_guarded
    def on_chain_start(
        self, serialized: dict[str, Any], inputs: dict[str, Any], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """A chain, a node or a function is called."""
        self._begin(serialized, run_id, **kwargs)

    @_guarded
    def on_chain_end(self, outputs: dict[str, Any], *, run_id: UUID, **kwargs: Any) -> None:
        """A chain has returned, perhaps with answers to calls that no tool run gave."""
        with self._session.ending(run_id) as run:
            self._session.take_answers(run, outputs)

    @_guarded
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A chain has raised."""
        self._session.end(run_id)

    @_guarded
    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A tool is called, by a model's wish or by hand."""
        run = self._begin(serialized, run_id, works=True, **kwargs)
        if not run.hidden:
            call_id = str(kwargs.get("tool_call_id") or run.key)
            # LangChain has taken the injected arguments out of `inputs`.
            args = inputs if inputs is not None else {"input": input_str}
            self._session.begin_tool(run, call_id, _name(serialized, kwargs) or "tool", args)

    @_guarded
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has returned."""
        with self._session.ending(run_id) as run:
            self._session.end_tool(run, output)

    @_guarded
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has raised."""
        with self._session.ending(run_id) as run:
            if not is_interrupt(error):
                self._session.fail_tool(run, error_text(error))

    @_guarded
    def on_retriever_start(
        self, serialized: dict[str, Any], query: str, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """A retriever is asked."""
        self._begin(serialized, run_id, **kwargs)

    @_guarded
    def on_retriever_end(
        self, documents: Sequence[Document], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """A retriever has found documents."""
        with self._session.ending(run_id) as run:
            self._session.add_documents(run, documents)

    @_guarded
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A retriever has failed."""
        self._session.end(run_id)

    @_guarded
    def on_custom_event(self, name: str, data: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """The chain has something of its own to say; it becomes a data part."""
        self._session.add_data(self._session.runs.get(run_id), name, data)

    @_guarded
    def add_result(self, result: Any) -> None:
        """Tell what a chain has returned, if that is its answer: a text or a message, and neither
        a model nor a tool has run. `stream_chain` does so."""
        self._session.say_result(result)

    @_guarded
    def _close(self) -> None:
        self._session.close()

    def _begin(
        self,
        serialized: dict[str, Any] | None,
        run_id: UUID,
        *,
        works: bool = False,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Run:
        name = kwargs.get("name") or _name(serialized, kwargs)
        self._session.has_worked |= works
        return self._session.begin(
            run_id, parent_run_id, self._visibility.find(tags, metadata, name)
        )


def _name(serialized: dict[str, Any] | None, kwargs: dict[str, Any]) -> str | None:
    name = (serialized or {}).get("name") or kwargs.get("name")
    return str(name) if name else None
