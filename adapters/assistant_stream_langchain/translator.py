"""LangChain messages as chunks: the one place that knows how a model's answer is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage

from assistant_stream_ce._melting import delta_chunk
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    SourceChunk,
    ToolResultChunk,
)
from assistant_stream_ce.typing import FinishReason

from ._answers import Answers, earlier_result
from ._content import Fragment, ReasoningFragment, TextFragment, read_content
from ._endings import Endings
from ._message_index import NOWHERE, MessageIndex, MessageState, Place
from ._next_delta import next_delta
from ._reconcile import repeats, tell_rest
from ._results import args_text
from ._sources import read_document
from ._structured import NativeAnswer
from ._teller import Chunks, Teller
from ._thinking import split_thinking
from ._usage import read_finish_reason, read_usage

__all__ = ("MessageTranslator",)

_WORDS = (ReasoningFragment, TextFragment)


class MessageTranslator:
    """Turns the messages of one run into chunks: streamed, complete, or both of the same message.

    Each call returns what it adds to what has been told before. State is kept per message, and a
    tool-argument delta costs the same at the end of a long call as at its start. A translator
    serves one run, from one thread at a time.
    """

    def __init__(self) -> None:
        self._index = MessageIndex()
        self.teller = Teller()
        """What has been told, for `next_delta`."""
        self._endings = Endings(self._index, self.teller)
        self._answers = Answers(self.teller)
        self.speaker: MessageState | None = None
        """The model's message that `feed` has just been given, if it was one."""
        self._unreadable: list[MessageState] = []
        """Messages with calls whose arguments are no JSON."""

    @property
    def finish_reason(self) -> FinishReason:
        """Why the run ended, judged by what has been fed so far.

        `"tool-calls"` only while calls wait for somebody outside the run: a client that reads it
        and has every result sends the conversation again by itself.
        """
        return self._endings.finish_reason

    @property
    def input_tokens(self) -> int:
        """Input tokens of the run so far."""
        return self._endings.input_tokens

    @property
    def output_tokens(self) -> int:
        """Output tokens of the run so far."""
        return self._endings.output_tokens

    @property
    def waiting_calls(self) -> tuple[str, ...]:
        """The calls without a result that nobody at the provider answers, oldest first."""
        return tuple(self.teller.waiting)

    def feed(
        self,
        message: BaseMessage,
        *,
        place: Place = NOWHERE,
        parent_id: str | None = None,
        run_id: str | None = None,
        whole: bool = False,
        schema: str | None = None,
        about: object = None,
        aside: bool = False,
    ) -> list[AssistantStreamChunk]:
        """Return the chunks that `message` adds to the run.

        Args:
            message: A chunk, a complete message of the model, or a tool's answer. Any other
                message adds nothing.
            place: Where the message comes from.
            parent_id: The tool call that the message is nested under.
            run_id: The id of the model run, where the caller knows it; it ties chunks with
                different ids together without guessing.
            whole: Whether an `AIMessageChunk` is the merged message instead of a delta. Without
                it, one that repeats a finished message is taken for that.
            schema: The schema that the model's text is to fill, if any. Text that is JSON then
                becomes a data part of this name, once it is complete.
            about: What is told of the model call, as LangGraph's metadata: chunks of which other
                things are told belong to other messages.
            aside: Whether a complete message stands beside the conversation, in another channel
                of a graph. A copy of it that comes in the conversation is the same message.
        """
        self.speaker = None
        if isinstance(message, AIMessageChunk) and not whole:
            return self._feed_chunk(message, place, parent_id, run_id, schema=schema, about=about)
        if isinstance(message, AIMessage):
            return self._feed_whole(message, place, parent_id, run_id, schema, aside=aside)
        if isinstance(message, ToolMessage):
            return self._answers.take(message, place, parent_id)
        return []

    @property
    def open_answers(self) -> list[MessageState]:
        """The model messages that are not complete yet."""
        return self._index.open_messages()

    def next_delta(self, message: BaseMessage) -> AssistantStreamChunk | None:
        """Return what a chunk adds, if that is one more delta of what its message is saying.

        This is the short way for most chunks of most answers. `None` says that nothing was done,
        and that `feed` has to look at it.
        """
        if type(message) is not AIMessageChunk:
            return None
        known = self._index.get(message.id)
        delta = None if known is None else next_delta(message.__dict__, known, self.teller)
        return None if delta is None else delta_chunk(*delta)

    def begin_tool(
        self,
        call_id: str,
        name: str,
        args: str | Mapping[str, Any] | None = None,
        *,
        place: Place = NOWHERE,
        parent_id: str | None = None,
    ) -> tuple[str, list[AssistantStreamChunk]]:
        """Say that a tool runs; adds nothing when the model has announced the call.

        Returns:
            The call's id on the wire, and the chunks.
        """
        out: Chunks = []
        call = self.teller.call_named(call_id, place, parent_id)
        if call is None:
            text = args_text(args) if args else ""
            call = self.teller.begin_tool(call_id, name, text, place, out, parent_id=parent_id)
        return call.wire_id, out

    def end_tool(
        self, call_id: str, result: object, *, artifact: object = None, is_error: bool = False
    ) -> list[AssistantStreamChunk]:
        """Return the chunks for the result of the call with this id on the wire. The first result
        of a call counts."""
        return self._answers.end(call_id, result, artifact, is_error=is_error)

    def earlier_result(self, answer: ToolMessage) -> ToolResultChunk:
        """Return the result of a call that stands in an earlier answer of the thread."""
        return earlier_result(answer)

    @property
    def is_waiting(self) -> bool:
        """Whether any call has begun and has no result yet."""
        return bool(self.teller.waiting)

    def waits_for(self, call_id: str) -> bool:
        """Whether a call with this id has begun and has no result yet."""
        return self._answers.waits_for(call_id)

    def waiting_call(
        self, call_id: str, *, place: Place = NOWHERE, parent_id: str | None = None
    ) -> str | None:
        """Return the id on the wire of the call that is meant by `call_id` at this place, or
        `None` when it has a result, or has not begun."""
        return self._answers.waiting_call(call_id, place, parent_id)

    def add_documents(
        self, documents: Iterable[Document], *, parent_id: str | None = None
    ) -> list[AssistantStreamChunk]:
        """Return retrieved documents as sources, each once in the run."""
        out: Chunks = []
        self.teller.tell_sources(map(read_document, documents), parent_id, out)
        return out

    def end_run(self, run_id: str, reason: FinishReason) -> list[AssistantStreamChunk]:
        """Close the message of a model run that ended without one, because it failed."""
        message = self._index.get(run_id)
        return [] if message is None else self._endings.break_off(message, reason)

    def end_answer(self, message: MessageState) -> list[AssistantStreamChunk]:
        """Close one of the `open_answers`, of which nothing more is to come."""
        out: Chunks = []
        self._endings.give_up(message, out)
        self._endings.finish(message, out)
        return out

    def give_up_calls(self) -> list[AssistantStreamChunk]:
        """Answer the calls of streamed messages that were never fed as complete ones, and those
        whose arguments are no JSON.

        For a run that tells its messages: what is not among them is nobody's to answer, nor is
        what the run itself could make nothing of.
        """
        return self._endings.give_up_rest(self._unreadable)

    def give_up_waiting(
        self, is_left: Callable[[str | None, str | None], bool]
    ) -> list[AssistantStreamChunk]:
        """Answer the calls that are left, which `is_left` knows by the provider's id and the
        parent's."""
        return self._endings.give_up_left(is_left)

    def note_times(self, run_id: str, started_at: float, time_to_first_token: float | None) -> None:
        """Note when a model run began, by `time.monotonic()`, and how many seconds its first token
        took; its step's end will say so. `run_id` may be the message's id as well."""
        message = self._index.get(run_id)
        if message is not None:
            message.started_at = started_at
            message.time_to_first_token = time_to_first_token

    def begin_task(self, task_id: str) -> None:
        """A task of a graph has begun: it repeats nothing that is told later by another."""
        self._index.begin_task(task_id)

    def note_last(self, name: str | None, parent_id: str | None) -> None:
        """Note whose words stand last under a parent, where that is not whose were fed last."""
        message = self._index.get(name)
        if message is not None:
            self._endings.last[parent_id] = message

    def settle(self, namespace: tuple[str, ...]) -> None:
        """Every message that was streamed in this namespace so far has come complete, or never
        will: what comes now is another one, though it may say the same."""
        self._index.settle_all(namespace)

    def settle_named(self, names: Iterable[str | None]) -> None:
        """Messages with these ids are going to be fed complete: one that says the same as one of
        them, and comes before it, is another."""
        self._index.settle_named(names)

    def finish(self) -> list[AssistantStreamChunk]:
        """Close what is open, for the end of the run."""
        return self._endings.end_all()

    def _feed_chunk(
        self,
        chunk: AIMessageChunk,
        place: Place,
        parent_id: str | None,
        run_id: str | None,
        *,
        schema: str | None,
        about: object,
    ) -> Chunks:
        message = self._index.find_streamed(chunk.id, place, run_id, about)
        self.speaker = message
        if message is not None:
            delta = next_delta(chunk.__dict__, message, self.teller)
            if delta is not None:
                return [delta_chunk(*delta)]
        if message is not None and message.finished:
            if not chunk.content and not chunk.tool_call_chunks:
                self._endings.count(read_usage(chunk))
                return []
            if repeats(split_thinking(read_content(chunk)), message):
                return self._feed_whole(chunk, place, parent_id, run_id, schema)
            message = None
        if message is None:
            message = self._index.add(chunk.id, place, parent_id, run_id, streamed=True)
            message.about = about
            message.structured = NativeAnswer(schema) if schema is not None else None
        self.speaker = message
        out: Chunks = []
        for fragment in read_content(chunk):
            self.teller.tell(fragment, message, out)
        if out:
            self._endings.last[message.parent_id] = message
        if chunk.response_metadata:
            reason = read_finish_reason(chunk.response_metadata)
            message.finish_reason = reason or message.finish_reason
        if chunk.usage_metadata is not None:
            message.add_usage(read_usage(chunk))
        if chunk.chunk_position is not None:
            self._endings.finish(message, out, streamed=True)
        return out

    def _feed_whole(
        self,
        whole: AIMessage,
        place: Place,
        parent_id: str | None,
        run_id: str | None,
        schema: str | None,
        *,
        aside: bool = False,
    ) -> Chunks:
        fragments = split_thinking(read_content(whole))
        message = self._index.find_whole(whole, run_id) or (
            self._twin(fragments, place, whole, parent_id, aside) if run_id is None else None
        )
        if message is None:
            message = self._index.add(whole.id, place, parent_id, run_id, streamed=False)
            message.structured = NativeAnswer(schema) if schema is not None else None
        self._index.remember_whole(message, whole)
        if whole.invalid_tool_calls and message not in self._unreadable:
            self._unreadable.append(message)
        self._index.settle(message, named=whole.id is not None, aside=aside)
        self.speaker = message
        message.think = None
        out: Chunks = []
        last = self._endings.last.get(message.parent_id)
        if message.finished and last is not message and (message.text or message.reasoning):
            # Other words stand below it by now: nothing can be added to its own.
            fragments = [f for f in fragments if not isinstance(f, _WORDS)]
        tell_rest(fragments, message, self.teller, out)
        if any(type(chunk) is not SourceChunk for chunk in out):
            self._endings.last[message.parent_id] = message
        usage = read_usage(whole)
        if message.finished:
            if message.usage is None:
                message.usage = usage
                self._endings.count(usage)
            return out
        message.usage = usage or message.usage
        message.finish_reason = read_finish_reason(whole.response_metadata) or message.finish_reason
        self._endings.finish(message, out)
        return out

    def _twin(
        self,
        fragments: list[Fragment],
        place: Place,
        whole: AIMessage,
        parent_id: str | None,
        aside: bool,
    ) -> MessageState | None:
        """The message told here that a node, or the state, repeats under an id of its own."""
        told = self._index.unsettled(place, whole.id)
        if not aside:
            told.extend(self._index.asides(place))
            last = self._endings.last.get(parent_id)
            if last is not None and last.aside:
                told.append(last)  # Whoever writes the copy, no words stand between the two.
        return next((message for message in told if repeats(fragments, message)), None)
