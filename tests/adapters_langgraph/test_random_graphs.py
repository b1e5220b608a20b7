"""Whatever graph it is and in whatever form its stream comes: the client shows the truth.

Random graphs run through every form of stream and over both wires of assistant-ui into its own
decoder and accumulator. What the client shows only ever grows to what it ends as, and it ends as
the graph's messages and state, with every source and custom event once, the tokens that the
models have counted and the reason of the last answer. Where a form does not tell the state, what
it promises instead is checked. `make soak` tries many more.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.adapters_langgraph.random_account import check_account
from tests.adapters_langgraph.random_plans import (
    Ask,
    Both,
    Drop,
    Edit,
    Fan,
    Inner,
    Loop,
    Plan,
    Private,
    Say,
    Speech,
    Tell,
    Use,
    plans,
    workers,
)
from tests.adapters_langgraph.random_runs import FORMS, WIRES, Options, play_plan
from tests.adapters_langgraph.random_truth import check
from tests.adapters_langgraph.random_writes import check_writes
from tests.npm import Protocol

PREDICT = {"draft": ("writing", "query"), "note": ("forgetting", "query")}
OPTIONS = [
    Options(),
    Options(parts=False),
    Options(state=("log", "facts", "messages")),
    Options(state=False, steps="model"),
    Options(predict=PREDICT),
    Options(parts=False, predict=PREDICT),
]
RUNS = (plans(), st.sampled_from(list(FORMS)), st.sampled_from(WIRES), st.sampled_from(OPTIONS))
PREDICTING = [*OPTIONS[-2:], Options(state=("draft", "log"), predict=PREDICT)]
LIVE = (
    workers(),
    st.sampled_from(list(FORMS)),
    st.sampled_from(WIRES),
    st.sampled_from(PREDICTING),
)


async def play(
    plan: Plan, form: str, wire: Protocol = "data-stream", options: Options = OPTIONS[0]
) -> Any:
    """Run a plan to its end, each run checked; returns what was shown of the last."""
    shown = None
    async for run in play_plan(plan, form, wire, options):
        check(run)
        check_account(run)
        check_writes(run)
        shown = run
    return shown


@given(*RUNS)
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
def test_the_client_shows_the_truth(
    plan: Plan, form: str, wire: Protocol, options: Options
) -> None:
    asyncio.run(play(plan, form, wire, options))


@given(*LIVE)
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_what_tools_tell_while_they_run_is_shown_as_they_do(
    plan: Plan, form: str, wire: Protocol, options: Options
) -> None:
    asyncio.run(play(plan, form, wire, options))


@pytest.mark.soak
@pytest.mark.timeout(1800)
@given(*RUNS)
@settings(max_examples=3000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_the_client_shows_the_truth_of_thousands(
    plan: Plan, form: str, wire: Protocol, options: Options
) -> None:
    asyncio.run(play(plan, form, wire, options))


def _plan(*steps: Any) -> Plan:
    return Plan(steps)


FOUND = {
    "words side by side": _plan(Fan((Say(Speech(("a", "b"))), Say(Speech(("c", "d")))))),
    "a provider's id beside one of LangChain's": _plan(
        Fan((Say(Speech(("a", "a"), own_id=True)), Say(Speech(("b",)))), sent=False)
    ),
    "messages side by side, both built anew": _plan(
        Fan((Say(Speech(("a",)), "rebuilt"), Say(Speech(("b",)), "rebuilt")))
    ),
    "thoughts alone, built anew": _plan(Say(Speech(("",), ("hm",)), "rebuilt")),
    "a bracket before a call": _plan(Loop(Speech(("<",), uses=(Use("plain"),)))),
    "a pair": _plan(Say(fate="pair", silent=True), Say(fate="lone pair")),
    "a dict": _plan(Say(fate="dict", silent=True)),
    "an agent after a pair": _plan(Say(fate="pair"), Loop(prebuilt=True)),
    "the same words twice, without ids": _plan(
        Private((Say(fate="rebuilt"), Say(fate="rebuilt")), kept=True)
    ),
    "a pair that is written again": _plan(Say(fate="pair"), Edit("last")),
    "a pair from a subgraph": _plan(Inner((Say(fate="pair"),))),
    "a pair from a subgraph that goes on": _plan(Inner((Say(fate="lone pair"), Tell()))),
    "a bracket, and more from its node": _plan(Say(), Say(Speech(("<",)), "extended")),
    "no word, and more from its node": _plan(Say(), Say(Speech(("",)), "extended")),
    "no word, counted once": _plan(Say(Speech(("",), counts=True), "renamed")),
    "a channel before a pause": _plan(Tell(writes=(("log", 1),)), Ask()),
    "words before a pause": _plan(Ask(Speech())),
    "words that a graph inside a node keeps": _plan(Private((Say(),), kept=False)),
    "words of a subgraph before it pauses": _plan(Inner((Say(), Ask()))),
    "words in blocks, and more from their node": _plan(Say(Speech(style="blocks"), "extended")),
    "a pause in a subgraph": _plan(Inner((Ask(),))),
    "an answer that its subgraph removes": _plan(Inner((Ask(), Drop("last")))),
    "words beside a pause": _plan(Say(), Fan((Say(), Ask(), Say()), sent=False)),
    "words beside a pause in a subgraph": _plan(Inner((Fan((Say(), Ask())),))),
    "two tools of one task that speak": _plan(
        Loop(Speech(uses=(Use("speaking"), Use("speaking"))))
    ),
    "a tool that speaks beside an agent": _plan(
        Loop(Speech(uses=(Use("speaking"), Use("agent", "q and more"))))
    ),
    "the same question for two tools": _plan(Loop(Speech(uses=(Use("speaking"), Use("agent"))))),
    "a tool that fails beside another": _plan(
        Inner((Loop(Speech(uses=(Use("raising"), Use("plain"))), prebuilt=True),))
    ),
    "the same words side by side, some streamed": _plan(
        Fan(
            (
                Say(fate="renamed", silent=True),
                Say(Speech(style="whole", own_id=True)),
                Say(Speech(style="whole"), "rebuilt"),
            ),
            sent=False,
        )
    ),
    "the same words from one node, some streamed": _plan(
        Fan(
            (
                Say(fate="renamed", silent=True),
                Say(Speech(style="whole", own_id=True)),
                Say(Speech(style="whole"), "rebuilt"),
            )
        )
    ),
    "the same words from one node, one in a pair": _plan(
        Fan((Say(fate="pair", silent=True), Say()))
    ),
    "the same words side by side, some kept to itself": _plan(
        Fan((Say(fate="aside"), Say(fate="dict", silent=True)), sent=False)
    ),
    "words held back, and more from the node of those before": _plan(
        Fan(
            (
                Say(Speech(("a", "b"), pause=True), "extended"),
                Say(Speech(("c",), pause=True), "bare"),
            ),
            sent=False,
        )
    ),
    "a tool that fails beside a model": _plan(
        Loop(Speech(uses=(Use("raising"), Use("speaking"), Use("agent"))), prebuilt=True)
    ),
    "the same words twice, once in a subgraph that removes them": _plan(
        Say(silent=True), Inner((Loop(), Drop("all")))
    ),
    "an agent that goes on after a pause beside a tool": _plan(
        Loop(
            Speech(uses=(Use("plain"), Use("asking"), Use("asking")), ends="length"), prebuilt=True
        )
    ),
    "the same answer to three questions": _plan(Fan((Ask(Speech()), Ask(), Ask()))),
    "a tool that fails after a pause": _plan(
        Inner((Ask(), Loop(Speech(uses=(Use("raising"),)), prebuilt=True)))
    ),
    "the last of two answers, written again": _plan(Fan((Ask(), Ask(Speech()))), Edit("last")),
    "a message that its subgraph writes again below others": _plan(
        Inner((Drop("all"), Say(), Say(Speech(("b",))), Edit("first")))
    ),
    "an answer that a subgraph writes again and removes": _plan(
        Ask(), Inner((Edit("last"), Drop("all"), Say()))
    ),
    "a result that its subgraph removes": _plan(
        Inner(
            (
                Loop(Speech(uses=(Use("telling"), Use("plain"))), prebuilt=True),
                Drop("last"),
                Drop("last"),
            )
        )
    ),
    "a source beside a pause that its subgraph removes": _plan(
        Inner((Fan((Say(Speech(cites=True)), Ask()), sent=False), Drop("all")))
    ),
    "words that were cut short, built anew": _plan(
        Private((Say(Speech(style="whole", ends="content_filter"), "rebuilt"),)),
        Say(Speech(ends="content_filter"), "pair"),
        Edit("last"),
    ),
    "sources of words that others stand below": _plan(
        Inner(
            (
                Drop("all"),
                Fan(
                    (
                        Say(Speech(("a", "b"), cites=True), "extended"),
                        Both(Speech(("c", "d")), Speech(("e", "f"), ("g",)), keeps="first"),
                    ),
                    sent=False,
                ),
                Drop(),
            )
        )
    ),
    "two models of one node": _plan(
        Both(Speech(("a", "b")), Speech(("c", "d"))), Both(keeps="second")
    ),
    "models of two providers in one node": _plan(
        Both(Speech(("a", "b"), own_id=True), Speech(("c", "d"))),
        Both(Speech(("e", "f")), Speech(("g", "h"), own_id=True), keeps="first"),
    ),
    "the words of a thoughtful model that is not kept, in a pair": Plan(
        (
            Fan(
                (
                    Both(
                        Speech(("é",), ("a", "<")),
                        Speech(
                            ("", "words and more ", "b "),
                            ("a", "<"),
                            style="blocks",
                            own_id=True,
                            cites=True,
                            pause=True,
                        ),
                        keeps="second",
                    ),
                    Say(Speech(("é",)), "pair", command=True, silent=True),
                )
            ),
        ),
        initial=True,
    ),
    "a subgraph that changes a message and removes it from its own copy": _plan(
        Inner((Edit("first"), Drop("first"), Say()))
    ),
    "a subgraph that removes from its own copy": _plan(Say(), Inner((Drop("first"), Say()))),
}
"""What the random graphs have found, each as small as it gets."""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", FOUND)
async def test_what_was_found_once(case: str, form: str) -> None:
    for options in OPTIONS[:2]:
        await play(FOUND[case], form, "data-stream", options)
