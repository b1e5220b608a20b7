"""What no reader of a stream can know: two graphs that do something else and give the same stream.

A node is sent two pieces of work. In one graph the first keeps what its model has said to itself,
and the second writes the same word as a pair; in the other the first writes its model's word as a
pair, and the second nothing. A client should see two words of the one and one of the other.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Send

from assistant_stream_ce._json import to_json
from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.random_runs import FORMS as CARRIES
from tests.adapters_langgraph.runs import FORMS, Graph, play

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Work(MessagesState):
    number: int


def graph_of(writer: int) -> Graph:
    """A graph whose task of this number writes the pair."""
    model = ScriptedChatModel(turns=["é"])

    async def work(state: Work) -> Any:
        word = "é" if state["number"] else (await model.ainvoke("say")).text
        return {"messages": [("ai", word)]} if state["number"] == writer else None

    builder = StateGraph(MessagesState).add_node("work", work)
    sent = [Send("work", {"number": number}) for number in range(2)]
    return builder.add_conditional_edges(START, lambda state: sent, ["work"]).compile()


async def events_of(form: str, writer: int) -> list[Any]:
    given = {"messages": [{"role": "user", "content": "hi", "id": "human"}]}
    stream: Any = FORMS[form](graph_of(writer), given, {})
    return [event async for event in stream]


def anonymous(events: list[Any]) -> list[str]:
    """Events without times, and with numbers for ids that are new in each run."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"id {numbers.setdefault(found[0], len(numbers))}"

    texts = (json.dumps(event, default=to_json, sort_keys=True) for event in events)
    timeless = (re.sub(r'"timestamp": \d+', "", text) for text in texts)
    return [_ID.sub(number, text) for text in timeless]


@pytest.mark.parametrize("form", ["events v3", "messages and values"])
async def test_streams_of_tokens_and_states_do_not_tell_who_has_written_a_pair(form: str) -> None:
    apart, rebuilt = await events_of(form, 1), await events_of(form, 0)
    assert anonymous(apart) == anonymous(rebuilt)
    for events in (apart, rebuilt):
        assert (await play(iter(events))).parts.text == "é"


@pytest.mark.parametrize("form", [form for form in FORMS if CARRIES[form].tasks])
async def test_streams_that_tell_of_tasks_do(form: str) -> None:
    for writer, text in ((1, "éé"), (0, "é")):
        run = await play(FORMS[form](graph_of(writer), human("hi"), {}))
        assert run.parts.text == text
