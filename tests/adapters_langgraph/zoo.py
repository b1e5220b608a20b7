"""Real agents in every form of stream: what the client shows is checked against the graph."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentState, after_agent
from langchain_core.decisions import BaseDecisionModel, ClassifierResponse
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langgraph.random_account import check_account
from tests.adapters_langgraph.random_runs import WIRES, Options, Shown, play_given
from tests.adapters_langgraph.random_stage import Spoken, Stage, ToolFailed, Written
from tests.adapters_langgraph.random_truth import check
from tests.adapters_langgraph.runs import Graph, call

__all__ = (
    "CONFIG",
    "ZOO_FORMS",
    "Decider",
    "Zoo",
    "agent",
    "calls",
    "forms",
    "guard",
    "lost",
    "results",
    "text_of",
)

CONFIG = {"configurable": {"thread_id": "1"}}
ZOO_FORMS = ("stream_graph", "tuples", "v2", "events v2", "events v3")

forms = pytest.mark.parametrize("form", ZOO_FORMS)


class Decider(BaseDecisionModel):
    """A decision model that has made up its mind."""

    model: str = "decider"
    answer: dict[str, Any]

    @property
    def _provider(self) -> str:
        return "nobody"

    def _classify(self, state: Any, questions: Any) -> ClassifierResponse:
        return ClassifierResponse(model="decider", answers=dict.fromkeys(questions, self.answer))


def agent(
    turns: Sequence[Any], tools: Sequence[Any] = (), middleware: Sequence[Any] = (), **options: Any
) -> Graph:
    """An agent whose model plays these turns."""
    model = turns if isinstance(turns, ScriptedChatModel) else ScriptedChatModel(turns=turns)
    return create_agent(
        model, [*tools], middleware=[*middleware], checkpointer=InMemorySaver(), **options
    )


def calls(name: str, *call_ids: str, **args: Any) -> list[AIMessageChunk]:
    """The chunks of calls that one answer makes at once, all of one tool."""
    text = json.dumps(args)
    return [call(name, text, call_id, index) for index, call_id in enumerate(call_ids)]


def guard(*, keeps: bool = False) -> Any:
    """A middleware that asks a model about the answer, as a guardrail does."""
    model = ScriptedChatModel(turns=[["SA", "FE"]], cycle=True)

    @after_agent
    async def guard(state: AgentState[Any], runtime: Any) -> Any:
        said = await model.ainvoke(state["messages"])
        return {"messages": [said]} if keeps else None

    return guard


def lost(*pieces: Any) -> Spoken:
    """What a model had said when it failed: any beginning of it may have been told."""
    return Spoken(AIMessage("".join(pieces)), kept=False, broken_off=True)


class Zoo:
    """A graph, and what the real client shows of its runs on one thread; each run is checked.

    Args:
        graph: The graph; it has a checkpointer.
        form: The form of stream.
        keys: The channels that the client mirrors beside the messages, or all of them.
    """

    def __init__(self, graph: Graph, form: str, *keys: str | Literal[True]) -> None:
        self.graph = graph
        self.form = form
        every = True in keys
        self.options = Options(state=True if every else ("messages", *map(str, keys)))
        self.runs: list[Shown] = []

    async def say(
        self,
        given: Any = "hello",
        *,
        spoken: Sequence[Spoken] = (),
        told: Callable[[Any], Sequence[Any]] = lambda state: (),
        fails: type[Exception] = ToolFailed,
    ) -> Shown:
        """Run the graph once.

        Args:
            given: What a person says, or another input.
            spoken: What models say in this run that does not go to the graph's messages, or
                does not go to them at once.
            told: Gives the custom events of the run, by the graph's state in JSON form.
            fails: What the run may fail with.
        """
        number = len(self.runs)
        if isinstance(given, str):
            given = {"messages": [HumanMessage(given, id=f"human_{number}")]}
        wire = WIRES[(ZOO_FORMS.index(self.form) + number) % len(WIRES)]
        run = await play_given(
            self.graph,
            CONFIG,
            given,
            Stage(fails=fails),
            self.form,
            wire,
            self.options,
            self.runs[-1].state if self.runs else None,
        )
        run = replace(run, spoken=[*spoken], told=[Written(event, 0) for event in told(run.truth)])
        check(run)
        check_account(run)
        self.runs.append(run)
        return run


def text_of(run: Shown) -> str:
    """The text that the client shows, without what stands under calls."""
    parts = run.snapshots[-1]["parts"]
    return "".join(p["text"] for p in parts if p["type"] == "text" and "parentId" not in p)


def results(run: Shown) -> dict[str, Any]:
    """The results that the client shows, by call."""
    parts = run.snapshots[-1]["parts"]
    return {part["toolCallId"]: part["result"] for part in parts if "result" in part}
