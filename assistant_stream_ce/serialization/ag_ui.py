"""AG-UI: server-sent events, one typed event each, under a strict life cycle.

Mirrors the event schemas and `verifyEvents` of the npm packages `@ag-ui/core` and `@ag-ui/client`
1.0.0, within the set of events that 0.0.59 knows. The first event is `RUN_STARTED`; everything
that was opened is closed before `RUN_FINISHED`; nothing follows `RUN_ERROR`; there is no `[DONE]`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import assert_never

from starlette.background import BackgroundTask

from assistant_stream_ce.chunks import (
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
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce.typing import ChunkSource, JSONValue

from . import _ag_ui_events as _events
from . import _fields
from ._ag_ui_messages import MessageIds, SubAgents
from ._json_patch import PatchedState
from ._parts import PartTracker, TextKind
from ._questions import APPROVAL_SCHEMA, INTERRUPT, Question, read_questions
from ._sse import SSE_FRAME_END, SSE_HEARTBEAT, SSE_MEDIA_TYPE
from .assistant_stream_response import AssistantStreamResponse
from .heartbeat import HeartbeatOption
from .stream_encoder import StreamEncoder

__all__ = ("AGUIEncoder", "AGUIResponse")


class AGUIEncoder(StreamEncoder):
    """Encodes chunks as AG-UI events, for `useAgUiRuntime` and CopilotKit.

    Each model call (a step) is one assistant message: its text parts share a message id, and its
    tool calls name it as their parent. What follows a step, or a tool's result, is a new message.
    What has a tool call as its parent is the work of a sub-agent. State is a snapshot first and
    JSON Patch deltas after it. Data parts, sources, files, data items, annotations, warnings and
    notes are `CUSTOM` events. A run that was interrupted finishes with the outcome `interrupt`: the
    client has to answer every interrupt in its next request's `resume`. Whether a tool has failed,
    why a message has finished and its token counts have no place on this wire.

    Args:
        thread_id: The thread, from the request; made up when there is none.
        run_id: The run, likewise.
        initial_state: The state the client has already. Without it, the first state that is told
            is a snapshot.
        known_message_ids: The ids of the messages that the client has already, from the request.
            A step's message id is the message's id, unless it is one of these: the client would
            take what the step says for more of the older message.
    """

    media_type = SSE_MEDIA_TYPE
    heartbeat = SSE_HEARTBEAT
    frame_end = SSE_FRAME_END

    def __init__(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        *,
        initial_state: JSONValue = None,
        known_message_ids: Iterable[str] = (),
    ) -> None:
        self._thread_id = thread_id
        self._run_id = run_id
        self._initial_state = initial_state
        self._known_message_ids = frozenset(known_message_ids)
        self.reset()

    def reset(self) -> None:
        """Forget the stream encoded so far."""
        self._ids: dict[str, JSONValue] = {
            "threadId": self._thread_id or f"thread_{secrets.token_hex(12)}",
            "runId": self._run_id or f"run_{secrets.token_hex(12)}",
        }
        self._parts = PartTracker()
        self._messages = MessageIds(self._known_message_ids)
        self._sub_agents = SubAgents()
        self._open: _events.OpenText | None = None
        self._open_agent: str | None = None
        self._open_calls = 0
        self._open_steps: list[str] = []
        self._state = PatchedState(self._initial_state)
        self._snapshot_due = self._initial_state is None
        self._questions: list[Question] = []
        self._started = False
        self._failed = False

    def encode_chunk(self, chunk: AssistantStreamChunk) -> str:
        """Return the frames for `chunk`; empty when it breaks the order of a tool call, and after
        a fatal error, which ends an AG-UI run."""
        if self._failed:
            return ""
        start = "" if self._started else self._start_run()
        return start + "".join(map(self._frames, self._parts.ledger.admit(chunk)))

    def encode_end(self) -> str:
        """Close everything that is open and finish the run, unless an error has ended it."""
        if self._failed:
            return ""
        start = "" if self._started else self._start_run()
        ids = self._ids
        if self._questions:
            interrupts: list[JSONValue] = [_interrupt(item) for item in self._questions]
            ids = {**ids, "outcome": {"type": "interrupt", "interrupts": interrupts}}
        return start + self._close_all() + _events.event("RUN_FINISHED", ids)

    def _start_run(self) -> str:
        self._started = True
        return _events.event("RUN_STARTED", self._ids)

    def _frames(self, chunk: AssistantStreamChunk) -> str:
        match chunk:
            case TextDeltaChunk():
                return self._text("text", chunk.parent_id or None, chunk.text_delta)
            case ToolCallDeltaChunk():
                return _events.args(chunk.tool_call_id, chunk.args_text_delta)
            case ReasoningDeltaChunk():
                return self._text("reasoning", chunk.parent_id or None, chunk.reasoning_delta)
            case ReasoningPartStartChunk():
                return self._open_text("reasoning", chunk.parent_id or None)[0]
            case UpdateStateChunk():
                return self._update_state(chunk)
            case ToolCallBeginChunk():
                return self._begin_call(chunk)
            case ToolCallArgsTextFinishChunk():
                self._open_calls -= 1
                last = _events.args(chunk.tool_call_id, chunk.args_text_delta)
                return last + _events.event("TOOL_CALL_END", {"toolCallId": chunk.tool_call_id})
            case ToolResultChunk():
                return self._result(chunk)
            case SourceChunk():
                return self._close_text() + _custom("source", _fields.source_fields(chunk))
            case FileChunk():
                return self._close_text() + _custom("file", _fields.file_fields(chunk))
            case DataPartChunk():
                if chunk.name == INTERRUPT:
                    self._questions.extend(read_questions(chunk.data))
                return self._close_text() + _custom(chunk.name, chunk.data)
            case DataChunk():
                return _custom("data", chunk.data)
            case AnnotationsChunk():
                return _custom("annotations", chunk.annotations)
            case ErrorChunk():
                return self._error(chunk)
            case StepStartChunk():
                return self._start_step(chunk)
            case StepFinishChunk():
                return self._finish_step()
            case MessageFinishChunk():
                return ""  # The run's end says it, and has no place for the reason.
            case _:
                assert_never(chunk)

    # -- Messages ------------------------------------------------------------------------------

    def _text(self, kind: TextKind, parent_id: str | None, delta: str) -> str:
        if self._open is not None and self._parts.extends(kind, parent_id):
            return self._open.delta(delta)
        frames, opened = self._open_text(kind, parent_id)
        return frames + opened.delta(delta)

    def _open_text(self, kind: TextKind, parent_id: str | None) -> tuple[str, _events.OpenText]:
        agent = self._sub_agents.known(parent_id)
        frames = self._close_text() + self._sub_agents.start(agent)
        index = self._parts.open_text(kind, parent_id)
        message_id = self._messages.assistant(agent)
        opened = _events.OpenText(message_id, agent)
        if kind == "reasoning":
            reasoning_id = self._messages.other(f"{message_id}_r{index}")
            opened = _events.OpenReasoning(reasoning_id, agent)
        self._open, self._open_agent = opened, agent
        return frames + opened.start(), opened

    def _close_text(self) -> str:
        self._parts.close_text()
        closing, self._open = self._open, None
        return closing.end() if closing is not None else ""

    def _begin_call(self, chunk: ToolCallBeginChunk) -> str:
        agent = self._sub_agents.known(chunk.parent_id)
        frames = self._close_text() + self._sub_agents.start(agent)
        self._sub_agents.remember(chunk, agent)
        self._open_calls += 1
        return frames + _events.event(
            "TOOL_CALL_START",
            {
                "toolCallId": chunk.tool_call_id,
                "toolCallName": chunk.tool_name,
                "parentMessageId": self._messages.assistant(agent),
                **_events.tag(agent),
            },
        )

    def _result(self, chunk: ToolResultChunk) -> str:
        agent = self._sub_agents.caller(chunk.tool_call_id)
        message_id = self._messages.other(f"{chunk.tool_call_id}_result")
        frames = self._close_text() if self._open_agent == chunk.tool_call_id else ""
        frames += self._sub_agents.finish(chunk.tool_call_id)
        if not self._open_calls and (self._open is None or self._open_agent != agent):
            # What the model says with the result in hand must not stand before the result.
            self._messages.finish_assistant(agent)
        return frames + _events.result(chunk, message_id, agent)

    # -- Steps, state, errors, the end -----------------------------------------------------------

    def _start_step(self, chunk: StepStartChunk) -> str:
        closed = self._close_text()
        name = self._messages.start_step(chunk.message_id)
        self._open_steps.append(name)
        return closed + _events.event("STEP_STARTED", {"stepName": name})

    def _finish_step(self) -> str:
        if not self._open_steps:
            return ""
        # A chunk does not say which of several steps has ended; the first is as good as any.
        name = self._open_steps.pop(0)
        if not self._open_steps:
            self._messages.finish_all()
        return self._close_text() + _events.event("STEP_FINISHED", {"stepName": name})

    def _update_state(self, chunk: UpdateStateChunk) -> str:
        patch = self._state.patch(chunk.operations)
        if patch is not None and not patch:
            return ""
        if self._snapshot_due or patch is None:
            self._snapshot_due = False
            return _events.event("STATE_SNAPSHOT", {"snapshot": self._state.snapshot()})
        return _events.event("STATE_DELTA", {"delta": patch})

    def _error(self, chunk: ErrorChunk) -> str:
        fields = _fields.without_absent(message=chunk.error, code=chunk.code)
        if not _fields.is_fatal(chunk):
            return _custom("error", {**fields, "severity": chunk.severity})
        closed = self._close_text() + self._close_steps()
        self._failed = True  # The error ends the sub-agents, too.
        return closed + _events.event("RUN_ERROR", fields)

    def _close_all(self) -> str:
        calls = "".join(map(self._frames, self._parts.ledger.close_open()))
        return calls + self._close_text() + self._sub_agents.finish_all() + self._close_steps()

    def _close_steps(self) -> str:
        steps, self._open_steps = self._open_steps, []
        return "".join(_events.event("STEP_FINISHED", {"stepName": name}) for name in steps)


def _interrupt(question: Question) -> _events.Fields:
    gate = question.is_approval
    schema = APPROVAL_SCHEMA if gate else question.schema
    return {
        "id": question.id,
        "reason": "tool_call" if gate else question.reason,
        **_fields.without_absent(
            message=question.message, toolCallId=question.tool_call_id, responseSchema=schema
        ),
        "metadata": {"value": question.value},
    }


def _custom(name: str, value: JSONValue) -> str:
    return _events.event("CUSTOM", {"name": name, "value": value})


class AGUIResponse(AssistantStreamResponse):
    """Sends a stream as AG-UI events; for the arguments `thread_id` to
    `known_message_ids` see `AGUIEncoder`."""

    def __init__(
        self,
        stream: ChunkSource,
        heartbeat: HeartbeatOption = True,
        *,
        thread_id: str | None = None,
        run_id: str | None = None,
        initial_state: JSONValue = None,
        known_message_ids: Iterable[str] = (),
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(
            stream,
            AGUIEncoder(
                thread_id,
                run_id,
                initial_state=initial_state,
                known_message_ids=known_message_ids,
            ),
            heartbeat,
            status_code=status_code,
            headers=headers,
            background=background,
        )
