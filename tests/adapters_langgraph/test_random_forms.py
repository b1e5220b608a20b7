"""The same run gives the same message whichever stream form it came in.

One random plan is played through every form of stream, each with a graph of its own, and what the
client shows is compared between all of them, run by run.
"""

from __future__ import annotations

import asyncio
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant_stream_langchain.visibility import Rule, Visibility
from tests.adapters_langgraph.random_forms import (
    Telling,
    check_cards,
    check_hidden,
    check_inline,
    compare,
)
from tests.adapters_langgraph.random_live import check_data
from tests.adapters_langgraph.random_plans import (
    Loop,
    Plan,
    Speech,
    Use,
    agents,
    is_repeatable,
    plans,
)
from tests.adapters_langgraph.random_runs import FORMS, WIRES, Options, play_plan
from tests.adapters_langgraph.random_truth import check
from tests.npm import Protocol


async def play_all(plan: Plan, wire: Protocol = "data-stream") -> None:
    """Play a plan through every form, and compare what they tell."""
    runs: list[list[Telling]] = []
    for form in FORMS:
        played = play_plan(plan, form, wire, Options(), signed=True)
        runs.append([Telling(shown) async for shown in played])
    assert len(set(map(len, runs))) == 1, "a form has more runs than another"
    for tellings in zip(*runs, strict=True):
        for one, other in combinations(tellings, 2):
            compare(one, other)


@given(plans().filter(is_repeatable), st.sampled_from(WIRES))
@settings(max_examples=8, deadline=None, derandomize=True, database=None)
def test_every_form_gives_the_same_message(plan: Plan, wire: Protocol) -> None:
    asyncio.run(play_all(plan, wire))


@pytest.mark.soak
@pytest.mark.timeout(1800)
@given(plans().filter(is_repeatable), st.sampled_from(WIRES))
@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_form_gives_the_same_message_of_hundreds(plan: Plan, wire: Protocol) -> None:
    asyncio.run(play_all(plan, wire))


async def play_cards(plan: Plan, form: str) -> None:
    """Play a plan, with the agents inside tools in the cards of their calls."""
    options = Options(nested="messages")
    async for shown in play_plan(plan, form, "assistant-transport", options, signed=True):
        check_cards(Telling(shown))


@given(agents(), st.sampled_from(list(FORMS)))
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_an_agent_inside_a_tool_stands_in_its_card(plan: Plan, form: str) -> None:
    asyncio.run(play_cards(plan, form))


async def play_hidden(plan: Plan, form: str, options: Options) -> None:
    """Play a plan whose agents inside tools are hidden."""
    async for shown in play_plan(plan, form, "assistant-transport", options, signed=True):
        check_hidden(shown)


HIDDEN = Visibility([Rule(action="hide", namespace=n) for n in ("tools", "n0_tools", "n1_tools")])


HIDING = [Options(parts=parts, visibility=HIDDEN) for parts in (True, False)]


@given(agents(), st.sampled_from(list(FORMS)), st.sampled_from(HIDING))
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_what_is_hidden_is_nowhere(plan: Plan, form: str, options: Options) -> None:
    asyncio.run(play_hidden(plan, form, options))


async def play_inline(plan: Plan, form: str, options: Options) -> None:
    """Play a plan whose agents inside tools speak in the answer itself."""
    async for shown in play_plan(plan, form, "assistant-transport", options, signed=True):
        check(shown)
        check_data(shown)
        check_inline(Telling(shown))


INLINE = Visibility([Rule(action="inline", namespace=n) for n in ("tools", "n0_tools", "n1_tools")])


INLINING = [
    Options(visibility=INLINE),
    Options(visibility=INLINE, nested="messages"),
    Options(visibility=INLINE, parts=False),
]


@given(agents(), st.sampled_from(list(FORMS)), st.sampled_from(INLINING))
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_what_is_inline_stands_in_the_answer(plan: Plan, form: str, options: Options) -> None:
    asyncio.run(play_inline(plan, form, options))


FOUND = {
    "a tool of an agent that asks": Plan((Loop(Speech(uses=(Use("asking"),)), prebuilt=True),)),
    "a pause beside an agent's tool": Plan(
        (Loop(Speech(uses=(Use("asking"), Use("plain"))), prebuilt=True),)
    ),
}
"""What the comparison has found, each as small as it gets."""


@pytest.mark.parametrize("case", FOUND)
async def test_what_was_found_once(case: str) -> None:
    await play_all(FOUND[case])
