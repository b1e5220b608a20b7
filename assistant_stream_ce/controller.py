"""`RunController`: what the callback of a run emits through."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from typing import Any, Literal

from ._json import to_json
from ._run_state import RunState, with_parent
from .chunks import (
    AnnotationsChunk,
    AssistantStreamChunk,
    DataChunk,
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    MessageFinishChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolResultChunk,
)
from .tool_call import ToolCallController, generate_tool_call_id
from .typing import CancellationSignal, FinishReason

__all__ = ("RunController",)


class RunController:
    """Emits the chunks of one run, in the order of the calls.

    `create_run` hands one to the callback. Every method that is not `async` is safe from any
    thread. Values are taken as they are at the call: changing them later changes nothing on the
    wire.
    """

    def __init__(self, run: RunState, parent_id: str | None = None) -> None:
        self._run = run
        self._parent_id = parent_id
        self._put_delta = run.channel.put_delta  # straight to the channel: the hot path

    def with_parent_id(self, parent_id: str) -> RunController:
        """Return a controller of the same run whose parts are grouped under `parent_id`."""
        return RunController(self._run, parent_id)

    # -- Text and reasoning ----------------------------------------------------------------

    def append_text(self, text_delta: str) -> None:
        """Append to the answer's text."""
        if not self._put_delta(TextDeltaChunk, text_delta, self._parent_id):
            self._run.report_late("text-delta")

    def append_reasoning(self, reasoning_delta: str) -> None:
        """Append to the reasoning."""
        if not self._put_delta(ReasoningDeltaChunk, reasoning_delta, self._parent_id):
            self._run.report_late("reasoning-delta")

    def start_reasoning_part(self, summary: str | None = None) -> None:
        """Open a new reasoning part, with a summary if there is one."""
        self._run.put(ReasoningPartStartChunk(summary, self._parent_id))

    # -- Tool calls ------------------------------------------------------------------------

    async def add_tool_call(
        self, tool_name: str, tool_call_id: str | None = None
    ) -> ToolCallController:
        """Open a tool call; without `tool_call_id` it gets a new one."""
        return self.begin_tool_call(tool_name, tool_call_id)

    def begin_tool_call(
        self, tool_name: str, tool_call_id: str | None = None
    ) -> ToolCallController:
        """Open a tool call, for callers that cannot await; see `add_tool_call`."""
        return ToolCallController(
            self._run, tool_name, tool_call_id or generate_tool_call_id(), self._parent_id
        )

    def add_tool_result(
        self,
        tool_call_id: str,
        result: object,
        *,
        artifact: object = None,
        is_error: bool = False,
        model_content: object = None,
        messages: object = None,
    ) -> None:
        """Set the result of a call of this run; arguments as `ToolCallController.set_response`.

        Raises:
            NotJSONError: A value has no JSON form.
        """
        self._run.put(
            ToolResultChunk(
                tool_call_id,
                to_json(result),
                to_json(artifact),
                is_error,
                to_json(model_content),
                to_json(messages),
            )
        )

    # -- Other parts and metadata ----------------------------------------------------------

    def add_source(
        self,
        id: str,
        url: str,
        title: str | None = None,
        *,
        source_type: Literal["url", "document"] = "url",
        media_type: str | None = None,
        filename: str | None = None,
    ) -> None:
        """Add a source: a web page, or a document with its media type and file name."""
        self._run.put(
            SourceChunk(id, url, source_type, title, self._parent_id, media_type, filename)
        )

    def add_file(self, data: str, mime_type: str, *, filename: str | None = None) -> None:
        """Add a file; `data` is a data URL, an https URL or base64 text."""
        self._run.put(FileChunk(data, mime_type, self._parent_id, filename))

    def add_data(self, data: object) -> None:
        """Add an item to the message's data (metadata, not content).

        Raises:
            NotJSONError: `data` has no JSON form.
        """
        self._run.put(DataChunk(to_json(data)))

    def add_data_part(self, name: str, data: object, *, id: str | None = None) -> None:
        """Add a named data part to the content; the same `id` again replaces it where it can.

        Raises:
            NotJSONError: `data` has no JSON form.
        """
        self._run.put(DataPartChunk(name, to_json(data), id, self._parent_id))

    def add_annotations(self, annotations: Iterable[object]) -> None:
        """Add items to the message's annotations.

        Raises:
            NotJSONError: An item has no JSON form.
        """
        self._run.put(AnnotationsChunk([to_json(item) for item in annotations]))

    def add_error(
        self,
        error: str,
        *,
        code: str | None = None,
        severity: Literal["critical", "warning", "info"] | None = None,
    ) -> None:
        """Tell the user of an error. The run goes on; raise an exception to end it.

        Without a `severity` of `"warning"` or `"info"` the clients take the message for failed,
        and tool calls that are open are closed first.
        """
        self._run.put(ErrorChunk(error, code, severity))

    # -- Steps -----------------------------------------------------------------------------

    def add_step_start(self, message_id: str) -> None:
        """Say that a model call begins."""
        self._run.put(StepStartChunk(message_id))

    def add_step_finish(
        self,
        finish_reason: FinishReason,
        input_tokens: int = 0,
        output_tokens: int = 0,
        is_continued: bool = False,
        *,
        time_to_first_token: float | None = None,
        duration: float | None = None,
    ) -> None:
        """Say that a model call ended, what it used, and how many seconds its first token and the
        whole of it took."""
        self._run.put(
            StepFinishChunk(
                finish_reason,
                input_tokens,
                output_tokens,
                is_continued,
                time_to_first_token,
                duration,
            )
        )

    def add_message_finish(
        self, finish_reason: FinishReason, input_tokens: int = 0, output_tokens: int = 0
    ) -> None:
        """Say why the message ended. It goes out at the end of the run, wherever it is said."""
        self._run.put(MessageFinishChunk(finish_reason, input_tokens, output_tokens))

    # -- Streams and chunks ----------------------------------------------------------------

    def add_chunk(self, chunk: AssistantStreamChunk) -> None:
        """Emit any chunk; state operations in it are applied to this run's state.

        Raises:
            StateOperationError: An operation does not fit this run's state.
        """
        self._run.put(with_parent(chunk, self._parent_id))

    def add_stream(self, stream: AsyncIterable[AssistantStreamChunk]) -> None:
        """Merge another chunk stream in, concurrently with what follows; from the loop's thread.

        The run ends once the stream has ended. An error of the stream fails the run.
        """
        self._run.add_stream(stream, self._parent_id)

    async def forward(self, stream: AsyncIterable[AssistantStreamChunk]) -> None:
        """Pass another chunk stream through here, in order and at the reader's pace.

        Its state operations are applied to this run's state. The stream is closed at the end.

        Raises:
            StateOperationError: An operation does not fit this run's state.
        """
        await self._run.forward(stream, self._parent_id)

    # -- State -----------------------------------------------------------------------------

    @property
    def state(self) -> Any:
        """The run's state: a `StateProxy`, or the value itself when it is `None` or a scalar.

        Reads are live, writes become state operations. Assigning sets the whole state.
        """
        return self._run.store.proxy

    @state.setter
    def state(self, value: Any) -> None:
        self._run.store.set([], value)

    def append_state_text(self, path: Sequence[str | int], text_delta: str) -> None:
        """Append to the string at `path` in the state.

        Raises:
            StateOperationError: There is no string at `path`.
        """
        self._run.store.append_text(path, text_delta)

    def flush(self) -> None:
        """Close the batch of state operations; later ones go into a chunk of their own.

        Needed only to keep two batches apart: operations always go out ahead of whatever chunk
        is emitted after them, and as soon as the reader is there.
        """
        self._run.channel.seal()

    # -- Cancellation and pace -------------------------------------------------------------

    @property
    def cancelled_event(self) -> CancellationSignal:
        """Set when the run is cancelled; `await controller.cancelled_event.wait()`."""
        return self._run.cancellation

    @property
    def is_cancelled(self) -> bool:
        """Whether the run has been cancelled: the client is gone and nobody reads."""
        return self._run.cancelled.is_set()

    def cancel(self) -> None:
        """End this run, for whoever wants it stopped while its reader stays.

        Sets `is_cancelled`, and cancels the callback if it has not returned shortly after. What
        was emitted is still delivered, open tool calls are closed and the stream ends normally.
        """
        if self._run.on_stop is not None:
            self._run.on_stop()

    def before_end(self, action: Callable[[], object]) -> None:
        """Call `action` when the callback has ended, even by an exception; what it emits still
        goes out. For helpers that hold something back or leave something open."""
        self._run.before_end.append(action)

    async def drain(self) -> None:
        """Wait until the reader has caught up. A producer that awaits this now and then goes at
        the client's pace; one that does not is never blocked, and memory stays bounded by the
        size of the text."""
        await self._run.channel.drain()
