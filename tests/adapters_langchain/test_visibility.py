"""Rules about what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from assistant_stream_langchain import Rule, Visibility, is_internal_call

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
