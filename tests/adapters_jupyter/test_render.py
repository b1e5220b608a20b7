"""What the view shows, and how much of it."""

from __future__ import annotations

import time

import pytest

from assistant_stream_ce import (
    DataChunk,
    ErrorChunk,
    FileChunk,
    StepFinishChunk,
    TextDeltaChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_ce.chunks import StateOperation
from assistant_stream_jupyter import RunRecord, render_html, render_text
from tests.adapters_jupyter.views import record_of, view_of

PIXEL = "R0lGODlhAQABAAAAACw="


def put(*path: str, value: object) -> StateOperation:
    return {"type": "set", "path": list(path), "value": value}  # type: ignore[typeddict-item]


def test_arguments_grow_raw_and_end_as_a_tree() -> None:
    begun = [ToolCallBeginChunk("1", "search"), ToolCallDeltaChunk("1", '{"query": "gro')]
    live = view_of(begun, is_live=True)
    assert "writing arguments" in live
    assert "{&quot;query&quot;: &quot;gro<span" in live

    done = view_of([*begun, ToolCallDeltaChunk("1", 'wn"}'), ToolResultChunk("1", ["a"])])
    assert '<span class="asc-key">query</span> <span class="asc-str">grown</span>' in done
    assert "writing" not in done


def test_a_failed_call_is_open_and_says_so() -> None:
    view = view_of([ToolCallBeginChunk("1", "t"), ToolResultChunk("1", "boom", is_error=True)])
    assert "asc-bad" in view
    assert '<details class="asc-part asc-card" open>' in view


def test_what_a_call_started_stands_in_its_card() -> None:
    view = view_of(
        [
            ToolCallBeginChunk("1", "research"),
            TextDeltaChunk("inner words", parent_id="1"),
            TextDeltaChunk("outer words"),
            TextDeltaChunk("lost words", parent_id="nobody"),
        ]
    )
    card = view[view.index("<details") : view.index("</details>")]
    assert "inner words" in card
    assert "outer words" not in card
    assert "lost words" in view


def test_the_latest_changes_of_the_state_are_marked() -> None:
    record = RunRecord()
    record.add(UpdateStateChunk([put(value={"a": 1, "b": {"c": 2}})]))
    record.snapshot()
    record.add(UpdateStateChunk([put("b", "c", value=3)]))
    view = render_html(record.snapshot())
    assert view.count('class="asc-new"') == 1
    assert '<li class="asc-new"><span class="asc-key">c</span>' in view


def test_images_that_come_with_their_data_are_shown_and_others_are_links() -> None:
    view = view_of(
        [
            FileChunk(PIXEL, "image/gif"),
            FileChunk(f"data:image/gif;base64,{PIXEL}", "image/gif"),
            FileChunk("https://example.com/a.png", "image/png"),
            FileChunk("AAAA", "application/pdf"),
        ]
    )
    assert view.count(f'src="data:image/gif;base64,{PIXEL}"') == 2
    assert 'href="https://example.com/a.png"' in view
    assert view.count("<img") == 2
    assert "application/pdf" in view


def test_usage_error_data_and_wire_are_told() -> None:
    view = view_of(
        [DataChunk({"k": "v"}), StepFinishChunk("stop", 1200, 34), ErrorChunk("no luck", "E42")],
        wire="data-stream",
    )
    assert "1,200 tokens in, 34 out" in view
    assert "Error (E42)" in view
    assert "no luck" in view
    assert "Wire: data-stream" in view
    assert "Failed" in view


@pytest.mark.parametrize("is_live", [True, False])
def test_markdown_that_is_cut_begins_within_its_code(is_live: bool) -> None:
    code = "```python\n" + "x = 1\n" * 4_000 + "```\n\nthe **end**"
    view = view_of([TextDeltaChunk(code)], is_live=is_live)
    assert "<strong>end</strong>" in view
    assert "<pre><code" in view
    assert ("shown when the run ends" in view) is is_live


def test_fifty_thousand_tokens_stay_quick_and_small() -> None:
    words = [f"word{number} " if number % 40 else "\n\n## Title\n\n" for number in range(50_000)]
    record = RunRecord(wire="data-stream")
    slowest, largest = 0.0, 0
    begin = time.thread_time()
    for number, word in enumerate(words):
        record.add(TextDeltaChunk(word))
        if number % 2_500 == 0:
            started = time.thread_time()
            largest = max(largest, len(render_html(record.snapshot())))
            slowest = max(slowest, time.thread_time() - started)
    fed = time.thread_time() - begin
    record.finish()
    final = render_html(record.snapshot())

    text = sum(map(len, words))
    assert fed < 5
    assert slowest < 0.25
    assert largest < 60_000
    assert "word49999" in final
    assert "word1 " in final
    assert len(final) < 1.5 * text
    assert len(render_text(record.snapshot())) < 25_000


def test_many_calls_and_a_large_state_stay_bounded_while_the_run_goes_on() -> None:
    chunks = [
        chunk
        for number in range(500)
        for chunk in (
            ToolCallBeginChunk(str(number), "search"),
            ToolResultChunk(str(number), {"found": ["x" * 5_000] * 20}),
        )
    ]
    state = {f"key{number}": ["y" * 100] * 50 for number in range(500)}
    record = record_of([*chunks, UpdateStateChunk([put(value=state)])], is_live=True)
    html = render_html(record.snapshot())
    assert "470 earlier parts" in html
    assert "more</li>" in html
    assert len(html) < 1_500_000


def test_a_kept_view_has_no_part_that_still_runs() -> None:
    record = record_of([TextDeltaChunk("cut off"), ToolCallBeginChunk("1", "t")])
    view = render_html(record.snapshot()).partition("</style>")[2]
    assert "asc-caret" not in view
    assert "asc-running" not in view
    assert "no result" in view
