"""The tool-call rules: what passes, what is repaired, what is dropped."""

from __future__ import annotations

import logging

import pytest

from assistant_stream_ce._lifecycle import ToolCallLedger
from assistant_stream_ce.chunks import (
    AssistantStreamChunk,
    ErrorChunk,
    MessageFinishChunk,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)

BEGIN = ToolCallBeginChunk("a", "search")
DELTA = ToolCallDeltaChunk("a", '{"q":1}')
FINISH = ToolCallArgsTextFinishChunk("a", "")
EMPTY_FINISH = ToolCallArgsTextFinishChunk("a", "{}")
RESULT = ToolResultChunk("a", "found")
TEXT = TextDeltaChunk("hi")
STEP = StepStartChunk("m")
STEP_END = StepFinishChunk("tool-calls")
DONE = MessageFinishChunk("stop")
FATAL = ErrorChunk("broken")
WARNING = ErrorChunk("careful", severity="warning")

CASES: dict[str, tuple[list[AssistantStreamChunk], list[AssistantStreamChunk]]] = {
    "a whole call passes": ([BEGIN, DELTA, FINISH, RESULT], [BEGIN, DELTA, FINISH, RESULT]),
    "a result ends the arguments": ([BEGIN, DELTA, RESULT], [BEGIN, DELTA, FINISH, RESULT]),
    "no arguments become an empty object": ([BEGIN, RESULT], [BEGIN, EMPTY_FINISH, RESULT]),
    "an empty delta is not an argument": (
        [BEGIN, ToolCallDeltaChunk("a", ""), FINISH],
        [BEGIN, ToolCallDeltaChunk("a", ""), EMPTY_FINISH],
    ),
    "the last piece may come with the end": (
        [BEGIN, ToolCallArgsTextFinishChunk("a", "{}")],
        [BEGIN, EMPTY_FINISH],
    ),
    "a second begin is dropped": ([BEGIN, BEGIN, FINISH], [BEGIN, EMPTY_FINISH]),
    "a delta of an unknown call is dropped": ([DELTA], []),
    "an end of an unknown call is dropped": ([FINISH], []),
    "a result of an unknown call is dropped": ([RESULT], []),
    "a delta after the end is dropped": ([BEGIN, DELTA, FINISH, DELTA], [BEGIN, DELTA, FINISH]),
    "a second end is dropped": ([BEGIN, DELTA, FINISH, FINISH], [BEGIN, DELTA, FINISH]),
    "the first result counts": (
        [BEGIN, DELTA, RESULT, ToolResultChunk("a", "other")],
        [BEGIN, DELTA, FINISH, RESULT],
    ),
    "a step's end closes the call": ([BEGIN, DELTA, STEP_END], [BEGIN, DELTA, FINISH, STEP_END]),
    "a message's end closes the call": ([BEGIN, DELTA, DONE], [BEGIN, DELTA, FINISH, DONE]),
    "a fatal error closes the call first": ([BEGIN, DELTA, FATAL], [BEGIN, DELTA, FINISH, FATAL]),
    "a warning leaves the call open": (
        [BEGIN, WARNING, DELTA, FINISH],
        [BEGIN, WARNING, DELTA, FINISH],
    ),
    "text passes through an open call": ([BEGIN, TEXT, DELTA], [BEGIN, TEXT, DELTA, FINISH]),
    "a parallel step's end waits for open arguments": (
        [STEP, STEP, BEGIN, STEP_END, DELTA, FINISH, TEXT],
        [STEP, STEP, BEGIN, DELTA, FINISH, STEP_END, TEXT],
    ),
    "a held step's end comes after the result that closes the call": (
        [STEP, STEP, BEGIN, DELTA, STEP_END, RESULT],
        [STEP, STEP, BEGIN, DELTA, FINISH, RESULT, STEP_END],
    ),
    "a held step's end is not lost when the stream ends": (
        [STEP, STEP, BEGIN, DELTA, STEP_END],
        [STEP, STEP, BEGIN, DELTA, FINISH, STEP_END],
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES.keys())
def test_admits_repairs_or_drops(
    given: list[AssistantStreamChunk], expected: list[AssistantStreamChunk]
) -> None:
    ledger = ToolCallLedger()
    admitted = [out for chunk in given for out in ledger.admit(chunk)]
    assert admitted + ledger.close_open() == expected


def test_a_reason_to_drop_is_logged_once_and_names_the_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = ToolCallLedger()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            ledger.admit(DELTA)
        ledger.admit(RESULT)
    assert [record.getMessage() for record in caplog.records] == [
        "Dropped a tool-call-delta chunk of tool call 'a': no call with this id has begun.",
        "Dropped a tool-result chunk of tool call 'a': no call with this id has begun.",
    ]
