"""One table for every wire: chunk sequences and the message a client must make of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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

__all__ = ("CASES", "Case", "Part", "by_name")

Part = dict[str, Any]

COMPLETE = {"type": "complete", "reason": "unknown"}
WAITING = {"type": "requires-action", "reason": "tool-calls"}


@dataclass(frozen=True)
class Case:
    """A chunk sequence and what the client shows at its end."""

    name: str
    chunks: list[AssistantStreamChunk]
    parts: list[Part] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=lambda: COMPLETE)
    steps: list[dict[str, Any]] = field(default_factory=list)
    data: list[Any] = field(default_factory=list)
    annotations: list[Any] = field(default_factory=list)
    state: Any = None
    drops: int = 0
    """How many chunks break a rule and must be reported in the log."""
    only_transport: dict[int, Part] = field(default_factory=dict)
    """By part index, what only assistant transport can carry."""
    transport_status: dict[str, Any] | None = None
    """The status over assistant transport, where it says more."""


def text(value: str, **more: Any) -> Part:
    return {"type": "text", "text": value, "status": COMPLETE, **more}


def reasoning(value: str, **more: Any) -> Part:
    return {"type": "reasoning", "text": value, "status": COMPLETE, **more}


def call(args_text: str, args: Any, call_id: str = "c1", name: str = "search", **more: Any) -> Part:
    return {
        "type": "tool-call",
        "state": "result" if "result" in more else "call",
        "status": COMPLETE,
        "toolCallId": call_id,
        "toolName": name,
        "argsText": args_text,
        "args": args,
        **({"isError": False} if "result" in more else {}),
        **more,
    }


def failed(message: Any, code: str = "unknown", **more: Any) -> dict[str, Any]:
    error = {"code": code, "message": message, **more}
    return {"type": "incomplete", "reason": "error", "error": error}


def finished(message_id: str, reason: str = "stop", usage: tuple[int, int] = (0, 0)) -> Part:
    return {
        "state": "finished",
        "messageId": message_id,
        "finishReason": reason,
        "usage": {"inputTokens": usage[0], "outputTokens": usage[1]},
        "isContinued": False,
    }


BEGIN = ToolCallBeginChunk("c1", "search")
ARGS = ToolCallDeltaChunk("c1", '{"q":1}')
END = ToolCallArgsTextFinishChunk("c1")
RESULT = ToolResultChunk("c1", "ok")
DONE_CALL = call('{"q":1}', {"q": 1}, result="ok")
WAITING_CALL = call('{"q":1}', {"q": 1})

_TEXT = [
    Case("no chunks at all", []),
    Case("one text delta", [TextDeltaChunk("Hello")], [text("Hello")]),
    Case("text deltas join", [TextDeltaChunk("Hel"), TextDeltaChunk("lo")], [text("Hello")]),
    Case("an empty text delta", [TextDeltaChunk("")], [text("")]),
    Case(
        "empty deltas between others",
        [TextDeltaChunk("a"), TextDeltaChunk(""), TextDeltaChunk("b")],
        [text("ab")],
    ),
    Case(
        "reasoning, then text",
        [ReasoningDeltaChunk("hm"), TextDeltaChunk("yes")],
        [reasoning("hm"), text("yes")],
    ),
    Case(
        "text after reasoning after text is a part of its own",
        [TextDeltaChunk("a"), ReasoningDeltaChunk("b"), TextDeltaChunk("c")],
        [text("a"), reasoning("b"), text("c")],
    ),
    Case(
        "text under a parent",
        [TextDeltaChunk("a", "p1"), TextDeltaChunk("b", "p1")],
        [text("ab", parentId="p1")],
    ),
    Case(
        "each parent has its own text",
        [TextDeltaChunk("a"), TextDeltaChunk("b", "p1"), TextDeltaChunk("c", "p2")],
        [text("a"), text("b", parentId="p1"), text("c", parentId="p2")],
    ),
    Case(
        "reasoning under a parent",
        [ReasoningDeltaChunk("a", "p1"), ReasoningDeltaChunk("b", "p1")],
        [reasoning("ab", parentId="p1")],
    ),
    Case(
        "an empty parent is no parent",
        [TextDeltaChunk("a"), TextDeltaChunk("b", ""), ReasoningDeltaChunk("c", "")],
        [text("ab"), reasoning("c")],
    ),
    Case(
        "a summary opens a reasoning part",
        [ReasoningPartStartChunk("Plan"), ReasoningDeltaChunk("first")],
        [reasoning("first", unstable_summary="Plan")],
    ),
    Case(
        "a reasoning part start splits reasoning",
        [ReasoningDeltaChunk("a"), ReasoningPartStartChunk(), ReasoningDeltaChunk("b")],
        [reasoning("a"), reasoning("b")],
    ),
    Case(
        "a reasoning part start splits text",
        [TextDeltaChunk("a"), ReasoningPartStartChunk("S"), TextDeltaChunk("b")],
        [text("a"), reasoning("", unstable_summary="S"), text("b")],
    ),
    Case(
        "a reasoning part start under a parent",
        [ReasoningPartStartChunk("S", "p1"), ReasoningDeltaChunk("a", "p1")],
        [reasoning("a", unstable_summary="S", parentId="p1")],
    ),
    Case(
        "an empty summary",
        [ReasoningPartStartChunk(""), ReasoningDeltaChunk("a")],
        [reasoning("a", unstable_summary="")],
    ),
    Case(
        "two reasoning part starts in a row",
        [ReasoningPartStartChunk(), ReasoningPartStartChunk(), ReasoningDeltaChunk("a")],
        [reasoning(""), reasoning("a")],
    ),
]

_UNICODE = [
    Case("beyond ASCII", [TextDeltaChunk("Grüße, 世界 😀")], [text("Grüße, 世界 😀")]),
    Case("line ends in text", [TextDeltaChunk("a\nb\r\nc\rd\n\n")], [text("a\nb\r\nc\rd\n\n")]),
    Case(
        "separators that Python takes for line ends",
        [TextDeltaChunk("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg")],
        [text("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg")],
    ),
    Case(
        "control characters and quotes",
        [TextDeltaChunk("\x00\x01\x1f\x7f\"\\/\b\t' data: [DONE]")],
        [text("\x00\x01\x1f\x7f\"\\/\b\t' data: [DONE]")],
    ),
    Case("a lone surrogate", [TextDeltaChunk("a\ud83db")], [text("a\ud83db")]),
    Case(
        "the halves of a surrogate pair in two deltas",
        [TextDeltaChunk("\ud83d"), TextDeltaChunk("\ude00")],
        [text("😀")],
    ),
    Case(
        "surrogates wherever a text can be",
        [
            ToolCallBeginChunk("c\ud800", "t\udfff", "p\ud800"),
            ToolCallDeltaChunk("c\ud800", '{"q":"\ud800"}'),
            ToolResultChunk("c\ud800", {"k\ud800": ["\udc00"]}),
            ErrorChunk("e\ud800"),
        ],
        [
            call(
                '{"q":"\ud800"}',
                {"q": "\ud800"},
                "c\ud800",
                "t\udfff",
                parentId="p\ud800",
                result={"k\ud800": ["\udc00"]},
            )
        ],
        failed("e\ud800"),
    ),
    Case("a BOM and non-characters", [TextDeltaChunk("\ufeffa\uffff")], [text("\ufeffa\uffff")]),
    Case("a huge delta", [TextDeltaChunk("x😀" * 20_000)], [text("x😀" * 20_000)]),
]

_TOOLS = [
    Case("a whole call", [BEGIN, ARGS, END, RESULT], [DONE_CALL]),
    Case("a result closes the arguments", [BEGIN, ARGS, RESULT], [DONE_CALL]),
    Case(
        "arguments in pieces",
        [BEGIN, ToolCallDeltaChunk("c1", '{"q"'), ToolCallDeltaChunk("c1", ":1}"), END, RESULT],
        [DONE_CALL],
    ),
    Case(
        "the last piece rides on the end",
        [
            BEGIN,
            ToolCallDeltaChunk("c1", '{"q":'),
            ToolCallArgsTextFinishChunk("c1", "1}"),
            RESULT,
        ],
        [DONE_CALL],
    ),
    Case("no arguments", [BEGIN, END, RESULT], [call("{}", {}, result="ok")]),
    Case("no arguments and no end of them", [BEGIN, RESULT], [call("{}", {}, result="ok")]),
    Case(
        "only empty pieces of arguments",
        [BEGIN, ToolCallDeltaChunk("c1", ""), END, RESULT],
        [call("{}", {}, result="ok")],
    ),
    Case("a call without a result waits", [BEGIN, ARGS, END], [WAITING_CALL], WAITING),
    Case("a call left open is closed", [BEGIN, ARGS], [WAITING_CALL], WAITING),
    Case("a call left open without arguments", [BEGIN], [call("{}", {})], WAITING),
    Case(
        "arguments that are no JSON",
        [BEGIN, ToolCallDeltaChunk("c1", '{"q":'), RESULT],
        [call('{"q":', {}, result="ok")],
    ),
    Case(
        "parallel calls with interleaved arguments",
        [
            BEGIN,
            ToolCallBeginChunk("c2", "weather"),
            ToolCallDeltaChunk("c1", '{"q":'),
            ToolCallDeltaChunk("c2", '{"city":'),
            ToolCallDeltaChunk("c1", "1}"),
            ToolCallDeltaChunk("c2", '"Oslo"}'),
            ToolResultChunk("c2", 7),
            RESULT,
        ],
        [DONE_CALL, call('{"city":"Oslo"}', {"city": "Oslo"}, "c2", "weather", result=7)],
    ),
    Case(
        "text between arguments",
        [BEGIN, TextDeltaChunk("a"), ARGS, TextDeltaChunk("b"), RESULT, TextDeltaChunk("c")],
        [DONE_CALL, text("abc")],
    ),
    Case(
        "a call splits text",
        [TextDeltaChunk("a"), BEGIN, ARGS, RESULT, TextDeltaChunk("b")],
        [text("a"), DONE_CALL, text("b")],
    ),
    Case(
        "a call under a parent",
        [ToolCallBeginChunk("c1", "search", "p1"), ARGS, RESULT],
        [{**DONE_CALL, "parentId": "p1"}],
    ),
    Case(
        "a failed call",
        [BEGIN, ARGS, ToolResultChunk("c1", "timeout", is_error=True)],
        [{**DONE_CALL, "result": "timeout", "isError": True}],
    ),
    Case(
        "an artifact",
        [BEGIN, ARGS, ToolResultChunk("c1", "ok", artifact={"rows": [1, 2]})],
        [{**DONE_CALL, "artifact": {"rows": [1, 2]}}],
    ),
    Case(
        "null is a result",
        [BEGIN, ARGS, ToolResultChunk("c1", None)],
        [{**DONE_CALL, "result": None}],
    ),
    Case(
        "falsy results",
        [BEGIN, ARGS, ToolResultChunk("c1", False, artifact=0)],
        [{**DONE_CALL, "result": False, "artifact": 0}],
    ),
    Case(
        "what the model sees, and a sub-agent's transcript",
        [
            BEGIN,
            ARGS,
            ToolResultChunk(
                "c1",
                "ok",
                model_content=[{"type": "text", "text": "short"}],
                messages=[{"role": "assistant", "content": []}],
            ),
        ],
        [DONE_CALL],
        only_transport={
            0: {
                "modelContent": [{"type": "text", "text": "short"}],
                "messages": [{"role": "assistant", "content": []}],
            }
        },
    ),
    Case(
        "a result that the client's parser guards against",
        [BEGIN, ARGS, ToolResultChunk("c1", {"__proto__": {"x": 1}, "a": "__proto__"})],
        [{**DONE_CALL, "result": {"a": "__proto__"}}],
    ),
    Case(
        "big and small numbers",
        [BEGIN, ARGS, ToolResultChunk("c1", [2**70, -1.5e-300, 0])],
        [{**DONE_CALL, "result": [2**70, -1.5e-300, 0]}],
    ),
    Case(
        "a huge result",
        [BEGIN, ARGS, ToolResultChunk("c1", list(range(20_000)))],
        [{**DONE_CALL, "result": list(range(20_000))}],
    ),
]

_FAULTS = [
    Case("a call begins twice", [BEGIN, BEGIN, ARGS, RESULT], [DONE_CALL], drops=1),
    Case(
        "a call begins again after its result", [BEGIN, ARGS, RESULT, BEGIN], [DONE_CALL], drops=1
    ),
    Case("a delta for an unknown call", [ARGS, TextDeltaChunk("a")], [text("a")], drops=1),
    Case("an end for an unknown call", [END, TextDeltaChunk("a")], [text("a")], drops=1),
    Case("a result for an unknown call", [RESULT, TextDeltaChunk("a")], [text("a")], drops=1),
    Case(
        "a result twice",
        [BEGIN, ARGS, RESULT, ToolResultChunk("c1", "other")],
        [DONE_CALL],
        drops=1,
    ),
    Case(
        "a delta after the arguments' end", [BEGIN, ARGS, END, ARGS, RESULT], [DONE_CALL], drops=1
    ),
    Case("a delta after the result", [BEGIN, ARGS, RESULT, ARGS], [DONE_CALL], drops=1),
    Case("the arguments end twice", [BEGIN, ARGS, END, END, RESULT], [DONE_CALL]),
    Case("the arguments end after the result", [BEGIN, ARGS, RESULT, END], [DONE_CALL]),
    Case(
        "the same fault many times is one report",
        [ARGS, ARGS, ARGS, ToolCallDeltaChunk("c9", "x")],
        drops=1,
    ),
]

_WHOLE_PARTS = [
    Case(
        "a source",
        [SourceChunk("s1", "https://example.com", title="Example")],
        [
            {
                "type": "source",
                "sourceType": "url",
                "id": "s1",
                "url": "https://example.com",
                "title": "Example",
                "status": COMPLETE,
            }
        ],
    ),
    Case(
        "a source without a title, under a parent",
        [SourceChunk("s1", "https://example.com", parent_id="p1")],
        [
            {
                "type": "source",
                "sourceType": "url",
                "id": "s1",
                "url": "https://example.com",
                "parentId": "p1",
                "status": COMPLETE,
            }
        ],
    ),
    Case(
        "a document",
        [
            SourceChunk(
                "s1",
                "",
                "document",
                "Report",
                media_type="application/pdf",
                filename="report.pdf",
            )
        ],
        [
            {
                "type": "source",
                "sourceType": "document",
                "id": "s1",
                "url": "",
                "title": "Report",
                "status": COMPLETE,
            }
        ],
    ),
    Case(
        "a file",
        [FileChunk("aGk=", "text/plain", filename="hi.txt")],
        [{"type": "file", "data": "aGk=", "mimeType": "text/plain", "status": COMPLETE}],
    ),
    Case(
        "a file under a parent",
        [FileChunk("aGk=", "text/plain", "p1")],
        [
            {
                "type": "file",
                "data": "aGk=",
                "mimeType": "text/plain",
                "parentId": "p1",
                "status": COMPLETE,
            }
        ],
    ),
    Case(
        "a data part",
        [DataPartChunk("chart", {"points": [1, 2]}, id="d1")],
        [{"type": "data", "name": "chart", "data": {"points": [1, 2]}, "status": COMPLETE}],
    ),
    Case(
        "a data part of null under a parent",
        [DataPartChunk("chart", None, parent_id="p1")],
        [{"type": "data", "name": "chart", "data": None, "parentId": "p1", "status": COMPLETE}],
    ),
    Case(
        "whole parts split text",
        [
            TextDeltaChunk("a"),
            SourceChunk("s1", "u"),
            TextDeltaChunk("b"),
            FileChunk("x", "y/z"),
            TextDeltaChunk("c"),
            DataPartChunk("n", 1),
            TextDeltaChunk("d"),
        ],
        [
            text("a"),
            {"type": "source", "sourceType": "url", "id": "s1", "url": "u", "status": COMPLETE},
            text("b"),
            {"type": "file", "data": "x", "mimeType": "y/z", "status": COMPLETE},
            text("c"),
            {"type": "data", "name": "n", "data": 1, "status": COMPLETE},
            text("d"),
        ],
    ),
]

_METADATA = [
    Case(
        "data items",
        [DataChunk({"a": 1}), DataChunk([2]), DataChunk(None)],
        data=[{"a": 1}, [2], None],
    ),
    Case(
        "annotations",
        [AnnotationsChunk([{"id": 1}, "x"]), AnnotationsChunk([])],
        annotations=[{"id": 1}, "x"],
    ),
    Case(
        "metadata does not split text",
        [
            TextDeltaChunk("a"),
            DataChunk(1),
            AnnotationsChunk([2]),
            UpdateStateChunk([{"type": "set", "path": [], "value": 3}]),
            StepStartChunk("m1"),
            StepFinishChunk("stop"),
            TextDeltaChunk("b"),
        ],
        [text("ab")],
        data=[1],
        annotations=[2],
        state=3,
        steps=[finished("m1")],
    ),
    Case(
        "state",
        [
            UpdateStateChunk([{"type": "set", "path": [], "value": {"a": [], "t": ""}}]),
            UpdateStateChunk(
                [
                    {"type": "set", "path": ["a", "0"], "value": {"b": None}},
                    {"type": "append-text", "path": ["t"], "value": "x"},
                    {"type": "append-text", "path": ["t"], "value": "y"},
                ]
            ),
        ],
        state={"a": [{"b": None}], "t": "xy"},
    ),
    Case("no state operations", [UpdateStateChunk([]), TextDeltaChunk("a")], [text("a")]),
    Case(
        "a state that the client's parser guards against",
        [UpdateStateChunk([{"type": "set", "path": [], "value": {"__proto__": 1, "a": 2}}])],
        state={"a": 2},
    ),
    Case(
        "steps with usage",
        [
            StepStartChunk("m1"),
            TextDeltaChunk("a"),
            StepFinishChunk("tool-calls", 3, 4),
            StepStartChunk("m2"),
            StepFinishChunk("stop", 5, 6, is_continued=False),
        ],
        [text("a")],
        steps=[finished("m1", "tool-calls", (3, 4)), finished("m2", "stop", (5, 6))],
    ),
    Case(
        "a step that continues",
        [
            StepStartChunk("m1"),
            StepFinishChunk("length", 1, 2, is_continued=True, time_to_first_token=0.25),
        ],
        steps=[{**finished("m1", "length", (1, 2)), "isContinued": True}],
    ),
    Case(
        "a step without an end",
        [StepStartChunk("m1")],
        steps=[{"state": "started", "messageId": "m1"}],
    ),
    Case(
        "a step's end closes arguments",
        [StepStartChunk("m1"), BEGIN, ARGS, StepFinishChunk("tool-calls"), RESULT],
        [DONE_CALL],
        steps=[finished("m1", "tool-calls")],
    ),
    Case(
        "a step of a parallel model call does not cut arguments off",
        [
            StepStartChunk("m1"),
            BEGIN,
            ToolCallDeltaChunk("c1", '{"q"'),
            StepStartChunk("m2"),
            StepFinishChunk("stop"),
            ToolCallDeltaChunk("c1", ":1}"),
            RESULT,
        ],
        [DONE_CALL],
        steps=[{"state": "started", "messageId": "m1"}, finished("m2")],
    ),
]

_ENDS = [
    Case(
        "finish: stop",
        [TextDeltaChunk("a"), MessageFinishChunk("stop", 1, 2)],
        [text("a")],
        {"type": "complete", "reason": "stop"},
    ),
    Case("finish: unknown", [MessageFinishChunk("unknown")]),
    Case(
        "finish: tool calls",
        [BEGIN, ARGS, MessageFinishChunk("tool-calls")],
        [WAITING_CALL],
        WAITING,
    ),
    *(
        Case(
            f"finish: {reason}",
            [MessageFinishChunk(reason)],
            status={"type": "incomplete", "reason": reason},
        )
        for reason in ("length", "content-filter", "error", "other")
    ),
    Case(
        "a finish although a call waits",
        [BEGIN, ARGS, END, MessageFinishChunk("stop")],
        [WAITING_CALL],
        {"type": "complete", "reason": "stop"},
    ),
    Case("an error", [TextDeltaChunk("a"), ErrorChunk("boom")], [text("a")], failed("boom")),
    Case("an empty error", [ErrorChunk("")], status=failed("")),
    Case(
        "an error closes arguments",
        [BEGIN, ARGS, ErrorChunk("boom")],
        [WAITING_CALL],
        failed("boom"),
    ),
    Case(
        "an error, then a finish",
        [ErrorChunk("boom"), MessageFinishChunk("error")],
        status=failed("boom"),
    ),
    Case(
        "an error with a code and a severity",
        [ErrorChunk("boom", "rate_limit", "critical")],
        status=failed("boom"),
        transport_status=failed("boom", "rate_limit", severity="critical"),
    ),
    Case(
        "a warning keeps arguments and text open",
        [
            TextDeltaChunk("a"),
            ErrorChunk("slow", severity="warning"),
            TextDeltaChunk("b"),
            BEGIN,
            ToolCallDeltaChunk("c1", '{"q"'),
            ErrorChunk("slower", severity="info"),
            ToolCallDeltaChunk("c1", ":1}"),
            RESULT,
        ],
        [text("ab"), DONE_CALL],
        failed("slower"),
        transport_status=failed("slower", severity="info"),
    ),
]

CASES = [*_TEXT, *_UNICODE, *_TOOLS, *_FAULTS, *_WHOLE_PARTS, *_METADATA, *_ENDS]


def by_name(case: Case) -> str:
    """The test id of a case."""
    return case.name.replace(" ", "_")
