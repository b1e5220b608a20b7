"""The tracker that the wires with addressed parts share."""

from __future__ import annotations

from assistant_stream_ce.serialization._parts import PartTracker


def test_parts_are_numbered_in_the_order_they_open() -> None:
    parts = PartTracker()

    assert parts.open_text("text", None) == 0
    assert parts.open_tool_call("c1") == 1
    assert parts.open_part() == 2
    assert parts.open_text("reasoning", "p") == 3
    assert parts.tool_call_index("c1") == 1


def test_only_the_same_kind_under_the_same_parent_extends_the_open_part() -> None:
    parts = PartTracker()
    assert not parts.extends("text", None)
    parts.open_text("text", "p")

    assert parts.extends("text", "p")
    assert not parts.extends("text", None)
    assert not parts.extends("text", "q")
    assert not parts.extends("reasoning", "p")


def test_a_closed_text_part_is_extended_no_more() -> None:
    parts = PartTracker()
    parts.open_text("text", None)

    assert parts.close_text() == 0
    assert not parts.extends("text", None)
    assert parts.close_text() is None


def test_tool_calls_close_one_by_one_or_together() -> None:
    parts = PartTracker()
    for tool_call_id in ("c1", "c2", "c3"):
        parts.open_tool_call(tool_call_id)

    assert parts.close_tool_call("c2") == 1
    assert parts.close_tool_calls() == [0, 2]
    assert parts.close_tool_calls() == []
