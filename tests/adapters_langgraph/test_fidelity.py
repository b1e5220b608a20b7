"""The live view ends as the truth: state equals the graph's state, parts its new messages."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langgraph.graph import START, MessagesState, StateGraph

from assistant_stream_ce._json import to_json
from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langgraph.graphs import CASES, human
from tests.adapters_langgraph.runs import FORMS, Run, new_messages_of, play, values_of

WITHOUT_VALUES = ("updates", "messages", "messages and updates", "events v1")
UNORDERED = ("messages", "events v1")
"""Forms in which tools that run side by side stand as they have ended."""
FORMS_WITH_TOKENS = [f for f in FORMS if f not in ("values", "updates", "values and updates")]
NOT_IN_MESSAGES = ("unstreamed",)
"""Graphs whose nodes write dicts: these become messages only in the state."""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
async def test_replayed_state_is_the_graphs_state(case: str, form: str) -> None:
    graph, config = CASES[case].build(), {"configurable": {"thread_id": "1"}}
    shown: Any = None
    for text in CASES[case].turns:
        given = human(text)
        if form in WITHOUT_VALUES:
            shown = shown or {"messages": []}
            shown["messages"].append(to_json(_with_id(given["messages"][0])))
        events = FORMS[form](graph, given, config)
        run = await play(events, parts=False, initial_state=shown)
        shown = run.state
        truth = await values_of(graph, config)
        if form not in WITHOUT_VALUES:
            assert shown == truth
        elif form in UNORDERED or CASES[case].only_values_settle:
            if case not in NOT_IN_MESSAGES:
                assert not _texts(truth) - _texts(shown)  # What was removed cannot be known.
        else:
            assert shown == truth


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", [name for name in CASES if CASES[name].parts_match])
async def test_parts_are_the_graphs_new_messages(case: str, form: str) -> None:
    graph, config = CASES[case].build(), {"configurable": {"thread_id": "1"}}
    known: set[Any] = set()
    for text in CASES[case].turns:
        run = await play(FORMS[form](graph, human(text), config))
        messages = (await graph.aget_state(config)).values["messages"]
        expected = new_messages_of([m for m in messages if m.id is None or m.id not in known])
        known.update(m.id for m in messages)
        if case in NOT_IN_MESSAGES and form == "messages":
            expected.text = expected.text.removesuffix("from a dict")  # No token, no message.
        assert run.parts.text == expected.text
        assert {i: (c.name, c.result, c.is_error) for i, c in run.parts.calls.items()} == {
            i: (c.name, c.result, c.is_error) for i, c in expected.calls.items()
        }
        assert run.parts.finish is not None
        assert run.parts.finish.finish_reason == "stop"


@pytest.mark.parametrize("case", CASES)
async def test_every_token_of_the_answer_is_shown_before_the_state_has_it(case: str) -> None:
    """What is shown of a message only ever grows to what it ends as."""
    graph, config = CASES[case].build(), {"configurable": {"thread_id": "1"}}
    run = await play(FORMS["tuples"](graph, human("hello"), config), parts=False)
    _check_growth(run)


class Draft(MessagesState, total=False):
    draft: Any


@pytest.mark.parametrize("form", FORMS_WITH_TOKENS)
async def test_a_node_that_keeps_its_models_message_elsewhere_says_it_once(form: str) -> None:
    model = ScriptedChatModel(turns=[["Once ", "only."]])

    async def write(state: Draft) -> Any:
        said = await model.ainvoke(state["messages"])
        return {"messages": [AIMessage(said.content, name="writer")], "draft": said}

    builder = StateGraph(Draft).add_node("write", write).add_edge(START, "write")
    run = await play(FORMS[form](builder.compile(), human("hello"), None))
    assert run.parts.text == "Once only."


def _token(name: str, text: str, *, last: bool = False) -> Any:
    chunk = AIMessageChunk(content=text, id=name, chunk_position="last" if last else None)
    metadata = {"langgraph_node": name, "langgraph_checkpoint_ns": f"{name}:1"}
    return ((), "messages", (chunk, metadata))


async def test_what_a_node_adds_never_stands_below_the_words_of_others() -> None:
    """Also when those have come together with still others since."""
    together = [_token("a", "A"), _token("b", "B"), _token("b", "", last=True)]
    later = [_token("a", "", last=True), _token("c", "C"), _token("d", "D")]
    more = ((), "updates", {"b": {"messages": [AIMessage("B and more", id="b")]}})
    rest = [_token("c", "", last=True), _token("d", "", last=True)]
    run = await play([*together, *later, more, *rest])
    assert run.parts.text == "ABCD"


async def test_a_message_has_the_floor_where_it_began_by_whatever_name_it_comes() -> None:
    """Its node's update has another id, which seems to belong to the call that waits now."""
    made: Any = {"name": "look", "args": "{}", "id": "call_1", "index": 0}
    asks = AIMessageChunk(content="", id="a", tool_call_chunks=[made])
    whole = AIMessage("A", id="mine", tool_calls=[{"name": "look", "args": {}, "id": "call_1"}])
    metadata = {"langgraph_node": "a", "langgraph_checkpoint_ns": "a:1"}
    run = await play(
        [
            _token("b", "B"),
            _token("a", "A"),
            ((), "messages", (asks, metadata)),
            ((), "updates", {"a": {"messages": [whole]}}),
            _token("b", "B", last=True),
        ]
    )
    assert run.parts.text == "BBA"
    assert run.parts.calls["call_1"].args == "{}"


async def test_a_cached_message_that_the_state_has_is_not_told_once_more_at_the_end() -> None:
    """Nothing but the state's next step says that the node's cache has it, and not a pause."""
    cached = {"node": {"messages": [AIMessage("x")]}, "__metadata__": {"cached": True}}
    named = AIMessage("x", id="0a1b2c3d-0000-4000-8000-000000000000")
    states = [((), "values", {"messages": messages}) for messages in ([], [named])]
    run = await play([states[0], ((), "updates", cached), states[1]])
    assert run.parts.text == "x"


async def test_tokens_without_an_id_are_told_apart_by_their_node() -> None:
    nameless = [_token(name, f"{name} ") for name in ("a", "b", "a")]
    for _, _, (chunk, _) in nameless:
        chunk.id = None
    run = await play(nameless)
    assert run.parts.text == "a a b "


def _check_growth(run: Run) -> None:
    final = {m["id"]: m for m in run.state["messages"] if m["id"]}
    for state in run.states[1:]:
        for message in state["messages"]:
            text = message["content"]
            if message["id"] in final and isinstance(text, str):
                assert str(final[message["id"]]["content"]).startswith(text)


def _with_id(message: Any) -> Any:
    message.id = f"user-{id(message)}"
    return message


def _texts(state: Any) -> Counter[str]:
    return Counter(str(m["content"]) for m in state["messages"] if m["type"] in ("ai", "tool"))
