"""Arbitrary chunks, as named strategies."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

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
    StateOperation,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce.typing import JSONValue

__all__ = ("chunk_lists", "chunks", "json_values", "texts")

_AWKWARD = '\u2028\u2029\x85\n\r"\\\x00\ud83d\ude00\udfff:{}[]é世😀\ufeff'


def texts() -> SearchStrategy[str]:
    """Short texts, with what has broken wires before more often than chance has it."""
    return st.text(st.one_of(st.sampled_from(_AWKWARD), st.characters()), max_size=6)


def json_values() -> SearchStrategy[JSONValue]:
    """JSON values whose numbers survive JavaScript."""
    numbers = st.one_of(
        st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False)
    )
    leaves = st.one_of(st.none(), st.booleans(), numbers, texts())
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(texts(), inner, max_size=3)
        ),
        max_leaves=5,
    )


@st.composite
def _operations(draw: st.DrawFn) -> list[StateOperation]:
    # Whether operations apply is the state store's business; these do, whatever came before.
    operations: list[StateOperation] = [{"type": "set", "path": [], "value": draw(texts())}]
    for value in draw(st.lists(texts(), max_size=3)):
        operations.append({"type": "append-text", "path": [], "value": value})
    operations.append({"type": "set", "path": [], "value": draw(json_values())})
    return operations


def chunks() -> SearchStrategy[AssistantStreamChunk]:
    """One chunk of any type; few ids, so that they meet."""
    ids = st.sampled_from(["c1", "c2", "c\u2028"])
    parents = st.sampled_from([None, None, "", "p1", "p2"])
    reasons = st.sampled_from(["stop", "length", "tool-calls", "error", "unknown"])
    tokens = st.integers(0, 10)
    return st.one_of(
        st.builds(TextDeltaChunk, texts(), parents),
        st.builds(ReasoningDeltaChunk, texts(), parents),
        st.builds(ReasoningPartStartChunk, st.none() | texts(), parents),
        st.builds(ToolCallBeginChunk, ids, texts(), parents),
        st.builds(ToolCallDeltaChunk, ids, texts()),
        st.builds(ToolCallArgsTextFinishChunk, ids, texts()),
        st.builds(
            ToolResultChunk,
            ids,
            json_values(),
            json_values(),
            st.booleans(),
            json_values(),
            json_values(),
        ),
        st.builds(DataChunk, json_values()),
        st.builds(DataPartChunk, texts(), json_values(), st.none() | texts(), parents),
        st.builds(
            ErrorChunk,
            texts(),
            st.none() | texts(),
            st.sampled_from([None, "critical", "warning", "info"]),
        ),
        st.builds(UpdateStateChunk, _operations()),
        st.builds(
            SourceChunk,
            texts(),
            texts(),
            st.sampled_from(["url", "document"]),
            st.none() | texts(),
            parents,
        ),
        st.builds(FileChunk, texts(), texts(), parents),
        st.builds(AnnotationsChunk, st.lists(json_values(), max_size=2)),
        st.builds(StepStartChunk, texts()),
        st.builds(
            StepFinishChunk,
            reasons,
            tokens,
            tokens,
            st.booleans(),
            st.one_of(st.none(), st.floats(0, 100)),
        ),
        st.builds(MessageFinishChunk, reasons, tokens, tokens),
    )


def chunk_lists() -> SearchStrategy[list[AssistantStreamChunk]]:
    """Chunks in any order, most of them out of order."""
    return st.lists(chunks(), max_size=25)
