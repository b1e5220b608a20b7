"""What a callback handler knows of the chains that it follows, and how it tells of them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk

from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
    ToolCallArgsTextFinishChunk,
    ToolResultChunk,
)
from assistant_stream_ce.controller import RunController
from assistant_stream_ce.typing import FinishReason

from ._results import json_value
from ._runs import Run, RunTree, answers_in, tool_output
from ._shapes import as_items
from ._structured import structured_value
from ._teller import Chunks
from ._voices import Voices
from .messages import STOPPED
from .translator import MessageTranslator
from .visibility import Action

__all__ = ("ChainSession",)

_sessions: WeakKeyDictionary[RunController, weakref.ref[ChainSession]] = WeakKeyDictionary()
_sessions_lock = threading.Lock()


class ChainSession:
    """Follows the runs of chains and emits what they do, in order, through one controller."""

    def __init__(self, controller: RunController) -> None:
        self.runs = RunTree()
        self.lock = threading.RLock()
        """Held while an event is told."""
        self._controller = controller
        self._translator = MessageTranslator()
        self._voices = Voices()
        self._failures: dict[str, tuple[UUID | None, str]] = {}
        """Why calls failed, with the run around the tool, until it is sure that nothing better
        comes: whoever runs a tool may try again, or answer in words of its own."""
        self._has_told = False
        self.has_worked = False
        """Whether a model or a tool has been called."""

    @classmethod
    def of(cls, controller: RunController) -> ChainSession:
        """The session of a controller. Its handlers share one, so that chains side by side with a
        handler each do not mix their words."""
        with _sessions_lock:
            known = _sessions.get(controller)
            session = known() if known else None
            if session is None:
                session = cls(controller)
                _sessions[controller] = weakref.ref(session)
            return session

    def begin(
        self,
        run_id: UUID,
        parent_run_id: UUID | None,
        shown: tuple[Action, bool] = ("nest", False),
    ) -> Run:
        """Follow a run from its start; it is shown as `Visibility.find` says."""
        run = self.runs.begin(run_id, parent_run_id)
        if not run.hidden:
            run.apply(shown[0], is_named=shown[1])
        return run

    @contextmanager
    def ending(self, run_id: UUID) -> Generator[Run]:
        """Follow a run to its end, whatever fails while it is told."""
        try:
            yield self.runs.get(run_id)
        finally:
            self.end(run_id)

    def end(self, run_id: UUID) -> None:
        """Stop following a run. The end of the last chain closes what is open."""
        for call_id, (around, text) in list(self._failures.items()):
            if around in (run_id, None):
                self.answer(call_id, text, None, is_error=True)
        if self.runs.end(run_id):
            self._close_answers()

    def close(self) -> None:
        """End the message, when nothing follows. A model that was cancelled never said that it
        ended, so what waits for it comes out here at the latest; and a tool that is still at work
        works for nobody."""
        for call_id, (_, text) in list(self._failures.items()):
            self.answer(call_id, text, None, is_error=True)
        for call_id in self.runs.unanswered():
            self.answer(call_id, STOPPED, None, is_error=True)
        self._close_answers()
        if self._has_told:
            self._has_told = False
            self._controller.add_message_finish(
                self._translator.finish_reason,
                self._translator.input_tokens,
                self._translator.output_tokens,
            )

    def say(self, run: Run, message: AIMessage, *, whole: bool = False) -> None:
        """Tell what a model said: a chunk, or its whole answer."""
        told = self._feed(run, message, whole=whole)
        if run.time_to_first_token is None and told and not whole:
            run.note_token()
            self._translator.note_times(run.key, run.started_at, run.time_to_first_token)
        self._emit(self._voices.say(run.key, run.parent_id, told, ended=whole))

    def say_structured(self, run: Run, name: str, message: AIMessage) -> None:
        """Tell a structured answer: data, not text."""
        value = json_value(structured_value(message))
        account = AIMessage(
            content="",
            id=message.id,
            usage_metadata=message.usage_metadata,
            response_metadata=message.response_metadata,
        )
        opening = AIMessageChunk(content="", id=message.id)
        self._feed(run, opening)
        self._translator.note_times(run.key, run.started_at, run.time_to_first_token)
        told = self._feed(run, account)
        start, *rest = told
        part = DataPartChunk(name, value, run.key, run.parent_id)
        self._emit(self._voices.say(run.key, run.parent_id, [start, part, *rest], ended=True))

    def say_result(self, result: Any) -> None:
        """Tell what a chain returned, where no model and no tool had a part in it."""
        if isinstance(result, str) and result:
            result = AIMessage(result)
        if isinstance(result, AIMessage) and not self.has_worked:
            self._emit(self._translator.feed(result, whole=True))

    def break_off(self, run: Run, reason: FinishReason) -> None:
        """Close an answer that ended before its end."""
        told = self._translator.end_run(run.key, reason)
        self._emit(self._voices.say(run.key, run.parent_id, told, ended=True))

    def begin_tool(self, run: Run, call_id: str, name: str, args: dict[str, Any]) -> None:
        """Tell that a tool runs; what runs inside it is nested under the call."""
        wire_id, told = self._translator.begin_tool(
            call_id, name, args, place=run.place, parent_id=run.parent_id
        )
        run.call_id, run.wire_id = call_id, wire_id
        run.inner_parent = wire_id
        self._failures.pop(wire_id, None)
        self._emit(told)

    def end_tool(self, run: Run, output: Any) -> None:
        """Tell what a tool returned."""
        if run.call_id is None or run.wire_id is None:
            return
        result, artifact, is_error = tool_output(output, run.call_id)
        self.answer(run.wire_id, result, artifact, is_error=is_error)
        self.add_documents(run, [i for i in as_items(artifact) if isinstance(i, Document)])

    def fail_tool(self, run: Run, text: str) -> None:
        """Remember that a tool raised."""
        if run.wire_id is not None:
            self._failures[run.wire_id] = (run.parent_run_id, text)

    def take_answers(self, run: Run, value: Any) -> None:
        """Tell the answers to waiting calls in what a chain returned or a model is sent."""
        if not self._translator.is_waiting:
            return
        # Of two answers under one id the last is to the call that waits.
        for answer in reversed([*answers_in(value)]):
            call_id = self._translator.waiting_call(
                answer.tool_call_id, place=run.place, parent_id=run.parent_id
            )
            if call_id is not None:
                result, artifact, is_error = tool_output(answer, answer.tool_call_id)
                self.answer(call_id, result, artifact, is_error=is_error)

    def answer(self, call_id: str, result: Any, artifact: Any, *, is_error: bool) -> None:
        """Tell the result of a call, by its id on the wire; the first one counts."""
        self._failures.pop(call_id, None)
        told = self._translator.end_tool(call_id, result, artifact=artifact, is_error=is_error)
        for chunk in told:
            if isinstance(chunk, (ToolCallArgsTextFinishChunk, ToolResultChunk)):
                self._emit(self._voices.follow(chunk.tool_call_id, [chunk]))

    def add_documents(self, run: Run, documents: Sequence[Document]) -> None:
        """Tell retrieved documents as sources."""
        if not run.hidden:
            self._emit(self._translator.add_documents(documents, parent_id=run.inner_parent))

    def add_data(self, run: Run, name: str, data: Any) -> None:
        """Tell a custom event as a data part."""
        if not run.hidden:
            self._emit([DataPartChunk(name, json_value(data), parent_id=run.inner_parent)])

    def _feed(self, run: Run, message: AIMessage, *, whole: bool = False) -> Chunks:
        return self._translator.feed(
            message,
            place=run.place,
            parent_id=run.parent_id,
            run_id=run.key,
            whole=whole,
            schema=None if run.schema is not None else run.native_schema,
        )

    def _close_answers(self) -> None:
        self._emit(self._voices.release_all())
        self._emit(self._translator.finish())

    def _emit(self, chunks: Sequence[AssistantStreamChunk]) -> None:
        for chunk in chunks:
            self._has_told = True
            self._controller.add_chunk(chunk)
