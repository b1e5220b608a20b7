"""Sub-agents of the `deepagents` package: each stands in the card of the call that started it."""

from __future__ import annotations

from typing import Any

import pytest
from deepagents import create_deep_agent
from langgraph.checkpoint.memory import InMemorySaver

from assistant_stream_ce.testing import collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langchain.visibility import Rule, Visibility
from assistant_stream_langgraph import stream_graph
from tests.adapters_langchain.shown import show
from tests.adapters_langgraph.graphs import human, weather
from tests.adapters_langgraph.runs import FORMS, Graph, call, play, values_of
from tests.npm import Decoded

CONFIG = {"configurable": {"thread_id": "1"}}
TOPICS = ("bees", "ants")


def research(messages: list[Any]) -> Any:
    """What a sub-agent says: it looks at the weather and is done."""
    topic = [message for message in messages if message.type == "human"][-1].content
    if messages[-1].type == "tool":
        return [f"{topic} ", "done"]
    return ["on ", f"{topic}: ", call("weather", '{"city": "Oslo"}', f"inner_{topic}")]


def deep_agent() -> Graph:
    """It starts two sub-agents at the same time."""
    calls = [
        call(
            "task",
            f'{{"description": "{topic}", "subagent_type": "researcher"}}',
            f"outer_{topic}",
            index,
        )
        for index, topic in enumerate(TOPICS)
    ]
    graph: Graph = create_deep_agent(
        model=ScriptedChatModel(turns=[["Asking. ", *calls], "All done."]),
        subagents=[
            {
                "name": "researcher",
                "description": "Researches.",
                "system_prompt": "You research.",
                "tools": [weather],
                "model": ScriptedChatModel(turns=[research], cycle=True, delay=0.001),
            }
        ],
        checkpointer=InMemorySaver(),
    )
    return graph


def part_of(shown: Decoded, call_id: str) -> dict[str, Any]:
    [part] = [part for part in shown.parts if part.get("toolCallId") == call_id]
    return part


def text_under(shown: Decoded, parent_id: str | None) -> str:
    parts = [part for part in shown.parts if part["type"] == "text"]
    return "".join(part["text"] for part in parts if part.get("parentId") == parent_id)


@pytest.mark.parametrize("form", ["tuples", "tuples and tasks", "v2", "events v2", "events v3"])
async def test_parallel_sub_agents_stand_under_their_own_calls(form: str) -> None:
    shown = show((await play(FORMS[form](deep_agent(), human("go"), CONFIG))).chunks)
    assert text_under(shown, None) == "Asking. All done."
    for topic in TOPICS:
        assert text_under(shown, f"outer_{topic}") == f"on {topic}: {topic} done"
        assert part_of(shown, f"inner_{topic}")["parentId"] == f"outer_{topic}"
        assert part_of(shown, f"inner_{topic}")["result"] == "sunny in Oslo"
        assert part_of(shown, f"outer_{topic}")["result"] == f"{topic} done"


async def test_their_transcripts_stand_in_the_cards() -> None:
    chunks = await collect(stream_graph(deep_agent(), human("go"), CONFIG, nested="messages"))
    shown = show(chunks)
    assert text_under(shown, None) == "Asking. All done."
    assert {part.get("parentId") for part in shown.parts} == {None}
    messages = {c.tool_call_id: c.messages for c in chunks if c.type == "tool-result"}
    for topic in TOPICS:
        card: Any = messages[f"outer_{topic}"]
        assert [message["role"] for message in card] == ["user", "assistant"]
        assert topic in str(card[0])
        assert f"inner_{topic}" in str(card[1])


@pytest.mark.parametrize("action", ["hide", "inline", "nest"])
async def test_a_rule_decides_where_they_are_shown(action: Any) -> None:
    visibility = Visibility(rules=[Rule(action=action, namespace="tools")])
    chunks = await collect(stream_graph(deep_agent(), human("go"), CONFIG, visibility=visibility))
    shown = show(chunks)
    inner = [part for part in shown.parts if str(part.get("toolCallId")).startswith("inner_")]
    owners = [part.get("parentId") for part in inner]
    assert (
        sorted(map(str, owners))
        == {
            "hide": [],
            "inline": ["None", "None"],
            "nest": ["outer_ants", "outer_bees"],
        }[action]
    )
    assert part_of(shown, "outer_bees")["result"] == "bees done"


async def test_the_state_ends_as_the_graphs() -> None:
    graph = deep_agent()
    run = await play(FORMS["tuples and tasks"](graph, human("go"), CONFIG), parts=False)
    assert run.state == await values_of(graph, CONFIG)
