"""LangChain messages as chunks: the one place that knows how a model's answer is told."""

from __future__ import annotations

from typing import assert_never

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage

from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    FileChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)
from assistant_stream_ce.typing import FinishReason

from ._calls import CallState, real_id
from ._content import (
    CallFragment,
    FileFragment,
    Fragment,
    ReasoningFragment,
    ResultFragment,
    SourceFragment,
    TextFragment,
    read_content,
)
from ._message_index import MessageIndex, MessageState, Namespace
from ._results import args_text, artifact_sources, json_value, tool_message_result
from ._usage import read_finish_reason, read_usage

__all__ = ("MessageTranslator",)

Chunks = list[AssistantStreamChunk]


class MessageTranslator:
    """Turns the messages of one run into chunks: streamed, complete, or both of the same message.

    Each call of `feed` returns what the message adds to what has been told before. State is kept
    per message, and a tool-argument delta costs the same at the end of a long call as at its
    start. A translator serves one run and one thread at a time.
    """

    def __init__(self) -> None:
        self._index = MessageIndex()
        self._calls: dict[str, CallState] = {}
        self._wire_ids: set[str] = set()
        self._sources: set[str] = set()
        self._files: set[int] = set()
        self._tail: tuple[MessageState, object] | None = None
        self._last_reason: FinishReason = "unknown"
        self._waiting: dict[str, CallState] = {}
        self.input_tokens = 0
        """Input tokens of the run so far."""
        self.output_tokens = 0
        """Output tokens of the run so far."""

    @property
    def finish_reason(self) -> FinishReason:
        """Why the run ended, judged by what has been fed so far.

        `"tool-calls"` only when calls wait for somebody outside the run: with it, a client whose
        calls all have results would send the conversation again.
        """
        if self._waiting:
            return "tool-calls"
        return "stop" if self._last_reason == "tool-calls" else self._last_reason

    def feed(
        self,
        message: BaseMessage,
        *,
        namespace: Namespace = (),
        parent_id: str | None = None,
        run_id: str | None = None,
        whole: bool | None = None,
    ) -> Chunks:
        """Return the chunks that `message` adds to the run.

        Args:
            message: A chunk, a complete message of the model, or a tool's answer. Any other
                message adds nothing.
            namespace: Where the message comes from. Names that identify one task of a graph,
                rather than the graph, keep answers apart that are streamed side by side.
            parent_id: The tool call that the message is nested under.
            run_id: The id of the model run, where the caller knows it; it ties chunks with
                different ids together without guessing.
            whole: Whether an `AIMessageChunk` is the merged message instead of a delta. Without
                it, a chunk that repeats a finished message is taken for the merged one.
        """
        if isinstance(message, AIMessageChunk) and not whole:
            return self._feed_chunk(message, namespace, parent_id, run_id)
        if isinstance(message, AIMessage):
            return self._feed_whole(message, namespace, parent_id, run_id)
        if isinstance(message, ToolMessage):
            return self._feed_result(message, parent_id)
        return []

    def finish(self) -> Chunks:
        """Close what is open, for the end of the run."""
        out: Chunks = []
        for message in self._index.open_messages():
            self._finish_message(message, out)
        return out

    # -- messages

    def _feed_chunk(
        self, chunk: AIMessageChunk, namespace: Namespace, parent_id: str | None, run_id: str | None
    ) -> Chunks:
        message = self._index.find_streamed(chunk.id, namespace, run_id)
        if message is not None and message.finished:
            if not chunk.content and not chunk.tool_call_chunks:
                self._count(message, read_usage(chunk))
                return []
            if self._repeats(chunk, message):
                return self._feed_whole(chunk, namespace, parent_id, run_id)
            message = None
        if message is None:
            message = self._index.add(chunk.id, namespace, parent_id, run_id)
        out: Chunks = []
        for fragment in read_content(chunk):
            self._tell(fragment, message, out)
        if chunk.usage_metadata and (usage := read_usage(chunk)):
            message.add_usage(usage)
        if chunk.response_metadata and (reason := read_finish_reason(chunk.response_metadata)):
            message.finish_reason = reason
        if chunk.chunk_position == "last":
            self._finish_message(message, out)
        return out

    def _feed_whole(
        self, whole: AIMessage, namespace: Namespace, parent_id: str | None, run_id: str | None
    ) -> Chunks:
        message = self._index.find_whole(whole.id, run_id)
        if message is None:
            message = self._streamed_twin(whole, namespace)
        if message is None:
            message = self._index.add(whole.id, namespace, parent_id, run_id)
        self._index.remember(message, whole.id)
        message.reconciled = True
        out: Chunks = []
        self._tell_rest(read_content(whole), message, out)
        if message.finished:
            return out
        message.usage = read_usage(whole) or message.usage
        message.finish_reason = (
            read_finish_reason(whole.response_metadata) or message.finish_reason
        )
        self._finish_message(message, out)
        return out

    def _tell_rest(self, fragments: list[Fragment], message: MessageState, out: Chunks) -> None:
        """Tell what of a complete message has not been streamed."""
        skip_text = _rest_from([f.text for f in fragments if isinstance(f, TextFragment)], message.text)
        skip_reasoning = _rest_from(
            [f.text for f in fragments if isinstance(f, ReasoningFragment)], message.reasoning
        )
        position = 0
        for fragment in fragments:
            match fragment:
                case TextFragment():
                    fragment.text, skip_text = fragment.text[skip_text:], max(0, skip_text - len(fragment.text))
                case ReasoningFragment():
                    fragment.text, skip_reasoning = (
                        fragment.text[skip_reasoning:],
                        max(0, skip_reasoning - len(fragment.text)),
                    )
                case CallFragment():
                    if call := message.book.find_whole(fragment, position):
                        self._tell_call(fragment, call, message, out)
                    position += 1
                    continue
                case _:
                    pass
            self._tell(fragment, message, out)

    def _finish_message(self, message: MessageState, out: Chunks) -> None:
        self._index.close(message)
        reason = message.finish_reason or "unknown"
        for call in message.book.calls:
            self._begin(call, message, out)
            self._close_args(call, out)
            if not call.on_server and reason in ("stop", "unknown"):
                reason = "tool-calls"
        self._count(message, message.usage)
        if message.parent_id is None:
            self._last_reason = reason
        self._start_step(message, out)
        tokens = message.usage or (0, 0)
        out.append(StepFinishChunk(reason, tokens[0], tokens[1]))

    def _count(self, message: MessageState, usage: tuple[int, int] | None) -> None:
        if usage is not None:
            self.input_tokens += usage[0]
            self.output_tokens += usage[1]

    # -- fragments

    def _tell(self, fragment: Fragment, message: MessageState, out: Chunks) -> None:
        match fragment:
            case TextFragment():
                if fragment.text:
                    self._start_step(message, out)
                    self._tail = None
                    message.text.append(fragment.text)
                    out.append(TextDeltaChunk(fragment.text, message.parent_id))
            case ReasoningFragment():
                if fragment.text:
                    self._tell_reasoning(fragment, message, out)
            case CallFragment():
                if call := message.book.find(fragment):
                    self._tell_call(fragment, call, message, out)
            case ResultFragment():
                self._tell_server_result(fragment, message, out)
            case SourceFragment():
                self._tell_source(fragment, message, out)
            case FileFragment():
                self._tell_file(fragment, message, out)
            case _:
                assert_never(fragment)

    def _tell_reasoning(
        self, fragment: ReasoningFragment, message: MessageState, out: Chunks
    ) -> None:
        self._start_step(message, out)
        if self._tail is not None and self._tail != (message, fragment.key):
            out.append(ReasoningPartStartChunk(parent_id=message.parent_id))
        self._tail = (message, fragment.key)
        message.reasoning.append(fragment.text)
        out.append(ReasoningDeltaChunk(fragment.text, message.parent_id))

    def _tell_call(
        self, fragment: CallFragment, call: CallState, message: MessageState, out: Chunks
    ) -> None:
        if call.closed:
            return
        if call.provider_id and call.name:
            self._begin(call, message, out)
        if fragment.args and not (fragment.whole and call.has_args):
            text = args_text(fragment.args)
            call.args.append(text)
            if call.begun and call.wire_id and text:
                out.append(ToolCallDeltaChunk(call.wire_id, text))
        if fragment.whole and call.begun:
            self._close_args(call, out)

    def _begin(self, call: CallState, message: MessageState, out: Chunks) -> None:
        if call.begun:
            return
        call.begun = True
        call.wire_id = self._unique_id(call)
        self._start_step(message, out)
        self._tail = None
        out.append(ToolCallBeginChunk(call.wire_id, call.name or "tool", message.parent_id))
        if call.args:
            out.append(ToolCallDeltaChunk(call.wire_id, "".join(call.args)))
        self._calls[call.provider_id or call.wire_id] = call
        if not call.on_server:
            self._waiting[call.wire_id] = call

    def _unique_id(self, call: CallState) -> str:
        """The id on the wire. Local models number their calls from 0 in every answer."""
        wanted = call.provider_id or f"call_{len(self._wire_ids)}"
        wire_id, number = wanted, 1
        while wire_id in self._wire_ids:
            number += 1
            wire_id = f"{wanted}-{number}"
        self._wire_ids.add(wire_id)
        return wire_id

    def _close_args(self, call: CallState, out: Chunks) -> None:
        if call.wire_id is not None and not call.closed:
            call.closed = True
            out.append(ToolCallArgsTextFinishChunk(call.wire_id))

    def _tell_server_result(
        self, fragment: ResultFragment, message: MessageState, out: Chunks
    ) -> None:
        call = message.book.find_result(fragment.call_id)
        if call is None or call.answered:
            return
        self._begin(call, message, out)
        self._close_args(call, out)
        self._answer(call)
        result = json_value(fragment.output)
        out.append(ToolResultChunk(call.wire_id or "", result, is_error=fragment.is_error))

    def _tell_source(self, source: SourceFragment, message: MessageState, out: Chunks) -> None:
        if source.key not in self._sources:
            self._start_step(message, out)
            self._tail = None
            out.extend(self._source_chunks(source, message.parent_id))

    def _source_chunks(self, source: SourceFragment, parent_id: str | None) -> Chunks:
        if source.key in self._sources:
            return []
        self._sources.add(source.key)
        return [
            SourceChunk(
                source.key,
                source.url,
                source.source_type,
                source.title,
                parent_id,
                source.media_type,
                source.filename,
            )
        ]

    def _tell_file(self, file: FileFragment, message: MessageState, out: Chunks) -> None:
        key = hash((file.data, file.mime_type))
        if key in self._files:
            return
        self._files.add(key)
        self._start_step(message, out)
        self._tail = None
        out.append(FileChunk(file.data, file.mime_type, message.parent_id, file.filename))

    def _start_step(self, message: MessageState, out: Chunks) -> None:
        if not message.step_open:
            message.step_open = True
            out.append(StepStartChunk(message.id))

    # -- results

    def _feed_result(self, answer: ToolMessage, parent_id: str | None) -> Chunks:
        call_id = real_id(getattr(answer, "tool_call_id", None))
        call = self._calls.get(call_id) if call_id else self._waiting_call(answer.name)
        out: Chunks = []
        if call is None:
            wire_id = call_id or f"call_{len(self._wire_ids)}"
            self._wire_ids.add(wire_id)
            call = CallState(CallFragment(call_id, answer.name or "tool", None))
            call.wire_id, call.begun = wire_id, True
            self._calls[wire_id] = call
            self._tail = None
            out.append(ToolCallBeginChunk(wire_id, call.name, parent_id))
        if call.answered:
            return []
        self._close_args(call, out)
        self._answer(call)
        result, artifact, is_error = tool_message_result(answer)
        out.append(ToolResultChunk(call.wire_id or "", result, artifact, is_error))
        for source in artifact_sources(answer.artifact):
            out.extend(self._source_chunks(source, parent_id))
        return out

    def _waiting_call(self, name: str | None) -> CallState | None:
        """The call that an answer without an id belongs to: the oldest one of that name."""
        return next((c for c in self._waiting.values() if name in (None, c.name)), None)

    def _answer(self, call: CallState) -> None:
        call.answered = True
        if call.wire_id is not None:
            self._waiting.pop(call.wire_id, None)

    # -- one message, two forms

    def _repeats(self, chunk: AIMessageChunk, message: MessageState) -> bool:
        """Whether a chunk is the merged form of a message that was streamed before."""
        streamed = "".join(message.text)
        text = "".join(f.text for f in read_content(chunk) if isinstance(f, TextFragment))
        ids = {call["id"] for call in chunk.tool_call_chunks}
        return text == streamed and ids == {call.provider_id for call in message.book.calls}

    def _streamed_twin(self, whole: AIMessage, namespace: Namespace) -> MessageState | None:
        """The message just streamed here that `whole` repeats under an id of its own."""
        message = self._index.latest(namespace)
        if message is None or message.reconciled or not (message.text or message.book.calls):
            return None
        text = "".join(f.text for f in read_content(whole) if isinstance(f, TextFragment))
        same_calls = [c["id"] for c in whole.tool_calls] == [c.provider_id for c in message.book.calls]
        return message if same_calls and text == "".join(message.text) else None


def _rest_from(pieces: list[str], told: list[str]) -> int:
    """How much of a complete text has been told; all of it when the two differ, because what a
    client shows cannot be taken back."""
    text, streamed = "".join(pieces), "".join(told)
    return len(streamed) if text.startswith(streamed) else len(text)
