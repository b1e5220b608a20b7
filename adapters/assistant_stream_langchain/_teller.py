"""Fragments to chunks, and the memory a run needs for it: which ids are taken, what was shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from assistant_stream_ce._melting import Delta
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    DataPartChunk,
    FileChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)
from assistant_stream_ce.typing import JSONValue

from ._calls import CallState
from ._content import (
    CallFragment,
    FileFragment,
    Fragment,
    ReasoningFragment,
    ResultFragment,
    SourceFragment,
    TextFragment,
)
from ._message_index import MessageState, OpenResult, Place
from ._results import args_text, json_value
from ._steps import Steps
from ._structured import native_value

__all__ = ("Chunks", "Delta", "Teller")

Chunks = list[AssistantStreamChunk]


class Teller:
    """Tells fragments as chunks, each thing once."""

    def __init__(self) -> None:
        self.calls: dict[str, CallState] = {}
        """The calls by the id their answer will name; the latest where an id comes twice."""
        self.waiting: dict[str, CallState] = {}
        """The calls without a result that nobody at the provider answers, by id on the wire."""
        self._wire_ids: set[str] = set()
        self._sources: set[str] = set()
        self._files: set[int] = set()
        self._tail: tuple[MessageState, object] | None = None
        """The reasoning part that stands last, if one does: a second one needs a start."""
        self.steps = Steps()
        """The steps of the messages; one begins before the first thing that its message says."""

    def tell(self, fragment: Fragment, message: MessageState, out: Chunks) -> None:
        """Append the chunks for one streamed fragment."""
        if message.open_results:
            if isinstance(fragment, TextFragment) and fragment.index in message.open_results:
                message.open_results[fragment.index].pieces.append(fragment.text)
                return
            self.close_results(message, out)
        if message.think is not None and not isinstance(fragment, TextFragment):
            self.tell_held(message, out)
        match fragment:
            case TextFragment():
                self.tell_text(fragment.text, message, out)
            case ReasoningFragment():
                self.tell_reasoning(fragment, message, out)
            case CallFragment():
                self.tell_piece(fragment, message, out)
            case ResultFragment():
                self._tell_server_result(fragment, message, out)
            case SourceFragment():
                if fragment.key not in self._sources:
                    self.steps.start(message, out)
                    self.tell_sources((fragment,), message.parent_id, out)
            case FileFragment():
                self._tell_file(fragment, message, out)
            case _:
                assert_never(fragment)

    def next_text(self, text: str, message: MessageState) -> Delta | None:
        """One more piece of the text that a message is saying, if it is saying text."""
        if self._tail is not None or message.think is not None or not message.step_open:
            return None
        if message.structured is not None:
            return None
        message.thought = None
        message.text.append(text)
        return TextDeltaChunk, text, message.parent_id

    def next_reasoning(self, text: str, key: object, message: MessageState) -> Delta | None:
        """One more piece of the reasoning that stands last, if that is this message's."""
        if self._tail is None or self._tail[0] is not message or self._tail[1] != key:
            return None
        if message.structured is not None or (message.think is not None and message.think.held):
            return None
        message.reasoning.append(text)
        return ReasoningDeltaChunk, text, message.parent_id

    def next_args(self, args: str, index: int | str | None, message: MessageState) -> Delta | None:
        """One more piece of the arguments of a call that is open."""
        call = message.book.next_of(index)
        if call is None or call.closed or not call.begun:
            return None
        if message.think is not None and message.think.held:
            return None
        call.args.append(args)
        return ToolCallDeltaChunk, args, call.wire_id

    def tell_text(self, text: str, message: MessageState, out: Chunks) -> None:
        """Append text; a `<think>` tag at the start of the message makes it reasoning."""
        if message.think is not None:
            self._tell_split(message.think.feed(text), message, out)
        else:
            self.tell_plain_text(text, message, out)

    def tell_held(self, message: MessageState, out: Chunks) -> None:
        """Append the text that was held back as it might have been a tag's beginning: it stands
        before what follows."""
        if message.think is not None:
            self._tell_split(message.think.flush(), message, out)

    def _tell_split(self, split: list[Fragment], message: MessageState, out: Chunks) -> None:
        if message.think is not None and message.think.settled:
            message.think = None
        for fragment in split:
            if isinstance(fragment, ReasoningFragment):
                self.tell_reasoning(fragment, message, out)
            elif isinstance(fragment, TextFragment):
                self.tell_plain_text(fragment.text, message, out)

    def tell_plain_text(self, text: str, message: MessageState, out: Chunks) -> None:
        """Append text as it is, unless it may be a value."""
        if text:
            if not message.step_open:
                self.steps.start(message, out)
            message.text.append(text)
            if message.structured is not None:
                text = message.structured.feed(text)
                if not text:
                    return
                message.structured = None
            self._append(TextDeltaChunk(text, message.parent_id), message, out)

    def tell_value(self, message: MessageState, out: Chunks) -> None:
        """Append the text that was held back as a value, or as the text that it is: it stands
        before what follows."""
        text = message.structured.flush() if message.structured is not None else ""
        if message.structured is None or not text:
            return
        chunk: TextDeltaChunk | DataPartChunk
        try:
            value = json_value(native_value(text))
        except ValueError:
            chunk = TextDeltaChunk(text, message.parent_id)
        else:
            name = message.structured.name
            chunk = DataPartChunk(name, value, message.id, message.parent_id, text)
        message.structured = None
        self._append(chunk, message, out)

    def _append(
        self, chunk: TextDeltaChunk | DataPartChunk, message: MessageState, out: Chunks
    ) -> None:
        self._tail = message.thought = None
        out.append(chunk)

    def tell_reasoning(
        self, fragment: ReasoningFragment, message: MessageState, out: Chunks
    ) -> None:
        """Append reasoning, in a part of its own where another reasoning part ends."""
        if not fragment.text:
            return
        self.tell_value(message, out)
        self.steps.start(message, out)
        goes_on = message.thought == (fragment.key,)  # Whatever others have said meanwhile.
        if not goes_on and self._tail is not None and self._tail != (message, fragment.key):
            out.append(ReasoningPartStartChunk(parent_id=message.parent_id))
        self._tail, message.thought = (message, fragment.key), (fragment.key,)
        message.reasoning.append(fragment.text)
        out.append(ReasoningDeltaChunk(fragment.text, message.parent_id))

    def tell_piece(self, fragment: CallFragment, message: MessageState, out: Chunks) -> None:
        """Append a streamed piece of whichever call it belongs to."""
        if call := message.book.find(fragment):
            self.tell_call(fragment, call, message, out)

    def tell_call(
        self, fragment: CallFragment, call: CallState, message: MessageState, out: Chunks
    ) -> None:
        """Append a piece of a call. A call begins once its id and its name are known."""
        if call.closed:
            # An id that comes this late cannot go on the wire, but the answer will name it.
            self.calls.setdefault(call.provider_id or call.wire_id, call)
            return
        if call.provider_id and call.name and not call.begun:
            self._begin(call, message, out)
        if fragment.args and not (fragment.whole and call.args):
            text = args_text(fragment.args)
            call.args.append(text)
            if call.begun:
                out.append(ToolCallDeltaChunk(call.wire_id, text))
        if fragment.whole:
            self.close_call(call, message, out)

    def begin_call(self, call: CallState, message: MessageState, out: Chunks) -> None:
        """Begin a call that has not begun; one that never got an id gets one now."""
        if not call.begun:
            self._begin(call, message, out)

    def close_call(self, call: CallState, message: MessageState, out: Chunks) -> None:
        """End a call's arguments."""
        self.begin_call(call, message, out)
        if not call.closed:
            call.closed = True
            out.append(ToolCallArgsTextFinishChunk(call.wire_id))

    def call_named(self, call_id: str, place: Place, parent_id: str | None) -> CallState | None:
        """Return the call that is meant by an id at some place.

        Agents that run side by side, or one inside another's tool, may number theirs alike.
        """
        nearest = call = self.calls.get(call_id)
        if call is None or call.namesake is None:
            return call
        distance = (False, False, -1)
        while call is not None:
            if (found := call.is_near(place.namespace, parent_id)) > distance:
                nearest, distance = call, found
            call = call.namesake
        return nearest

    def close_waiting(self, out: Chunks) -> None:
        """End the arguments of the calls that have no result."""
        for call in self.waiting.values():
            if not call.closed:
                call.closed = True
                out.append(ToolCallArgsTextFinishChunk(call.wire_id))

    def close_results(self, message: MessageState, out: Chunks) -> None:
        """Append the results whose text has come."""
        for result in message.open_results.values():
            self.answer(result.call, "".join(result.pieces), None, result.is_error, out)
        message.open_results.clear()

    def begin_tool(
        self,
        call_id: str,
        name: str,
        args: str,
        place: Place,
        out: Chunks,
        *,
        parent_id: str | None,
    ) -> CallState:
        """Begin a call that no model announced."""
        call = CallState(name)
        call.provider_id = call_id
        if args:
            call.args.append(args)
        self._announce(call, place, parent_id, out)
        call.closed = True
        out.append(ToolCallArgsTextFinishChunk(call.wire_id))
        return call

    def answer(
        self, call: CallState, result: JSONValue, artifact: JSONValue, is_error: bool, out: Chunks
    ) -> None:
        """Append a call's result."""
        call.answered = True
        self.waiting.pop(call.wire_id, None)
        if not call.closed:
            call.closed = True
            out.append(ToolCallArgsTextFinishChunk(call.wire_id))
        out.append(ToolResultChunk(call.wire_id, result, artifact, is_error))

    def tell_sources(
        self, sources: Iterable[SourceFragment], parent_id: str | None, out: Chunks
    ) -> None:
        """Append the sources that have not been told yet."""
        for source in sources:
            if source.key in self._sources:
                continue
            self._sources.add(source.key)
            self._tail = None
            out.append(
                SourceChunk(
                    source.key,
                    source.url,
                    source.source_type,
                    source.title,
                    parent_id,
                    source.media_type,
                    source.filename,
                )
            )

    def _begin(self, call: CallState, message: MessageState, out: Chunks) -> None:
        self.tell_value(message, out)
        self.steps.start(message, out)
        self._announce(call, message.place, message.parent_id, out)

    def _announce(self, call: CallState, place: Place, parent_id: str | None, out: Chunks) -> None:
        call.begun = True
        call.namespace, call.parent_id = place.namespace, parent_id
        call.wire_id = self._free_id(call.provider_id)
        self._tail = None
        out.append(ToolCallBeginChunk(call.wire_id, call.name or "tool", parent_id))
        if call.args:
            out.append(ToolCallDeltaChunk(call.wire_id, "".join(call.args)))
        name = call.provider_id or call.wire_id
        call.namesake, self.calls[name] = self.calls.get(name), call
        if not call.on_server:
            self.waiting[call.wire_id] = call

    def _free_id(self, wanted: str | None) -> str:
        """An id that is new on the wire: local models number their calls from 0 in each answer."""
        wanted = wanted or f"call_{len(self._wire_ids)}"
        wire_id, number = wanted, 1
        while wire_id in self._wire_ids:
            number += 1
            wire_id = f"{wanted}-{number}"
        self._wire_ids.add(wire_id)
        return wire_id

    def _tell_server_result(
        self, fragment: ResultFragment, message: MessageState, out: Chunks
    ) -> None:
        call = message.book.find_result(fragment.call_id, fragment.index)
        if call is None or call.answered:
            return
        self.close_call(call, message, out)
        if fragment.is_open:
            message.open_results[fragment.index] = OpenResult(call, fragment.is_error)
        else:
            self.answer(call, json_value(fragment.output), None, fragment.is_error, out)

    def _tell_file(self, file: FileFragment, message: MessageState, out: Chunks) -> None:
        key = hash((file.data, file.mime_type))
        if key not in self._files:
            self._files.add(key)
            self.steps.start(message, out)
            self._tail = None
            out.append(FileChunk(file.data, file.mime_type, message.parent_id, file.filename))
