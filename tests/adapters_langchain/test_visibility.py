"""Rules about what is shown."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from assistant_stream_ce.controller import RunController
from assistant_stream_ce.create_run import create_run
from assistant_stream_ce.testing import collect
from assistant_stream_langchain import (
    Action,
    AssistantCallbackHandler,
    Rule,
    Visibility,
    is_internal_call,
    stream_chain,
)
from assistant_stream_langchain.testing import ScriptedChatModel

from .shown import results, show

RUN: dict[str, Any] = {
    "tags": ["draft", "seq:step:1"],
    "metadata": {
        "langgraph_node": "model",
        "langgraph_checkpoint_ns": "researcher:1f-2e|model:3d-4c",
        "ls_model_name": "gpt-5",
    },
    "name": "ChatOpenAI",
}


@pytest.mark.parametrize(
    "rule",
    [
        Rule(action="hide", tag="draft"),
        Rule(action="hide", node="model"),
        Rule(action="hide", namespace="researcher"),
        Rule(action="hide", model="gpt-5"),
        Rule(action="hide", name="ChatOpenAI"),
        Rule(action="hide", tag="draft", node="model", namespace="researcher"),
        Rule(action="hide"),
    ],
)
def test_a_rule_applies_when_all_it_names_matches(rule: Rule) -> None:
    assert Visibility([rule]).decide(**RUN) == "hide"
    assert Visibility([rule], default="inline").decide(**RUN) == "hide"


@pytest.mark.parametrize(
    "rule",
    [
        Rule(action="hide", tag="final"),
        Rule(action="hide", tag="draft", node="tools"),
        Rule(action="hide", namespace="model"),  # the run's own node is not around it
        Rule(action="hide", model="gpt-4"),
        Rule(action="hide", name="Other"),
    ],
)
def test_a_rule_does_not_apply_when_one_thing_differs(rule: Rule) -> None:
    assert Visibility([rule]).decide(**RUN) == "nest"


def test_the_first_rule_that_applies_decides() -> None:
    rules = [Rule(action="inline", tag="draft"), Rule(action="hide")]

    assert Visibility(rules).decide(**RUN) == "inline"
    assert Visibility(rules).decide(["other"]) == "hide"


@pytest.mark.parametrize(
    ("tags", "metadata"),
    [
        (["nostream"], None),
        (["langsmith:nostream"], {}),
        (None, {"lc_source": "summarization"}),
        ([], {"lc_internal_call": True}),
    ],
)
def test_internal_calls_are_hidden_unless_a_rule_shows_them(tags: Any, metadata: Any) -> None:
    assert is_internal_call(tags, metadata)
    assert Visibility().decide(tags, metadata) == "hide"
    assert Visibility([Rule(action="inline")]).decide(tags, metadata) == "inline"
    assert Visibility(show_internal=True).decide(tags, metadata) == "nest"


@pytest.mark.parametrize(("tags", "metadata"), [(None, None), (["x"], {"lc_source": None})])
def test_other_calls_are_not_internal(tags: Any, metadata: Any) -> None:
    assert not is_internal_call(tags, metadata)


class Words(TypedDict):
    """The state of the graphs below."""

    said: Annotated[list[str], operator.add]


def says(text: str, **marks: Any) -> Any:
    """A node whose model says something."""
    model = ScriptedChatModel(turns=[text], cycle=True).with_config(marks)

    async def node(state: Words) -> dict[str, list[str]]:
        return {"said": [str((await model.ainvoke("?")).text)]}

    return node


def research() -> Any:
    """A graph with a subgraph: three models that talk one after the other."""
    inner = StateGraph(Words)
    inner.add_node("search", says("search ", metadata={"ls_model_name": "small"}))
    inner.add_node("grade", says("grade ", tags=["draft"]))
    inner.add_edge(START, "search")
    inner.add_edge("search", "grade")
    outer = StateGraph(Words)
    outer.add_node("researcher", inner.compile())
    outer.add_node("writer", says("answer", run_name="Writer"))
    outer.add_edge(START, "researcher")
    outer.add_edge("researcher", "writer")
    return outer.compile()


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ([], "search grade answer"),
        ([Rule(action="hide", node="grade")], "search answer"),
        ([Rule(action="hide", namespace="researcher")], "answer"),
        ([Rule(action="hide", model="small")], "grade answer"),
        ([Rule(action="hide", tag="draft")], "search answer"),
        ([Rule(action="hide", name="Writer")], "search grade "),
        ([Rule(action="hide", node="grade", model="small")], "search grade answer"),
        (
            [
                Rule(action="nest", node="search"),
                Rule(action="hide", namespace="researcher"),
            ],
            "search answer",
        ),
    ],
)
@pytest.mark.parametrize("way", ["invoke", "stream"])
async def test_rules_about_the_nodes_of_a_graph(rules: list[Rule], text: str, way: str) -> None:
    async def callback(controller: RunController) -> None:
        handler = AssistantCallbackHandler(controller, visibility=Visibility(rules))
        config: Any = {"callbacks": [handler]}
        if way == "invoke":
            await research().ainvoke({"said": []}, config)
        else:
            async for _ in research().astream({"said": []}, config):
                pass

    chunks = await collect(create_run(callback))

    assert show(chunks).text == text


ANSWER = Rule(action="inline", tag="answer")


@pytest.mark.parametrize(
    ("visibility", "text"),
    [
        (Visibility([ANSWER], default="hide"), "shown"),
        (Visibility([ANSWER, Rule(action="hide")]), "shown"),
        (Visibility([Rule(action="hide", name="Whole"), ANSWER]), ""),
        (Visibility([Rule(action="hide", name="Whole")], default="inline"), ""),
        (Visibility([ANSWER, Rule(action="nest", name="Whole")], default="hide"), "shown"),
        (Visibility(default="hide"), ""),
    ],
)
async def test_what_no_rule_shows_may_hold_what_one_does(visibility: Visibility, text: str) -> None:
    draft = ScriptedChatModel(turns=["draft"])
    answer = ScriptedChatModel(turns=["shown"]).with_config(tags=["answer"])
    chain: Any = (draft | StrOutputParser() | answer).with_config(run_name="Whole")

    chunks = await collect(stream_chain(chain, "?", visibility=visibility))

    assert show(chunks).text == text


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        ("nest", [("inside", "c1"), ("outside", None)]),
        ("inline", [("insideoutside", None)]),
        ("hide", [("outside", None)]),
    ],
)
async def test_a_model_inside_a_tool_is_shown_as_the_rule_says(
    action: Action, shown: list[tuple[str, str | None]]
) -> None:
    @tool
    async def delegate() -> str:
        """Let another model do it."""
        inner = ScriptedChatModel(turns=["inside"]).with_config(tags=["inner"])
        return str((await inner.ainvoke("?")).text)

    asked = AIMessage("", tool_calls=[{"id": "c1", "name": "delegate", "args": {}}])
    agent: Any = create_agent(ScriptedChatModel(turns=[asked, "outside"]), [delegate])
    visibility = Visibility([Rule(action=action, tag="inner")])

    chunks = await collect(
        stream_chain(agent, {"messages": [("user", "?")]}, visibility=visibility)
    )

    texts = [(p["text"], p.get("parentId")) for p in show(chunks).parts if p["type"] == "text"]
    assert texts == shown
    assert results(show(chunks)) == {"c1": "inside"}
