"""Random graphs: real LangGraph graphs that do what a plan says, with scripted models."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypedDict

from langchain.agents import AgentState, create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    HumanMessage,
    RemoveMessage,
)
from langchain_core.outputs import LLMResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.graph.ui import AnyUIMessage, push_ui_message, ui_message_reducer
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send

from assistant_stream_langchain._runs import final_message
from assistant_stream_langchain.testing import ScriptedChatModel
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
    Step,
    Tell,
)
from tests.adapters_langgraph.random_scripts import script
from tests.adapters_langgraph.random_stage import (
    Spoken,
    Stage,
    Where,
    Written,
    sign,
)
from tests.adapters_langgraph.random_tools import tools_of
from tests.adapters_langgraph.runs import Graph

__all__ = ("State", "build")


def merge(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """The reducer of a channel of facts."""
    return {**(old or {}), **new}


def newest(old: Any, new: Any) -> Any:
    """The reducer of a channel to which tools at the same time may write."""
    return new


class State(MessagesState, total=False):
    """Channels with every common kind of reducer."""

    log: Annotated[list[Any], operator.add]
    facts: Annotated[dict[str, Any], merge]
    count: Annotated[int, operator.add]
    last: Any
    draft: Annotated[Any, newest]
    note: Any
    ui: Annotated[Sequence[AnyUIMessage], ui_message_reducer]
    work: int


class Drafting(AgentState[Any], total=False):
    """The state of a prebuilt agent, whose tools write drafts."""

    draft: Annotated[Any, newest]


class Own(TypedDict, total=False):
    """The state of a graph inside a node."""

    messages: Annotated[list[AnyMessage], operator.add]
    log: Annotated[list[Any], operator.add]


def build(plan: Plan, stage: Stage) -> Graph:
    """The graph of a plan."""
    return _graph(plan.steps, stage, Where("n"), State).compile(checkpointer=InMemorySaver())


def _graph(steps: Sequence[Step], stage: Stage, around: Where, schema: Any) -> StateGraph[Any]:
    builder: StateGraph[Any] = StateGraph(schema)
    before: Any = START
    for number, step in enumerate(steps):
        where = replace(around, place=f"{around.place}{number}")
        before = _add(builder, step, f"n{number}", before, stage, where)
    return builder


def _add(
    builder: StateGraph[Any], step: Step, name: str, before: Any, stage: Stage, where: Where
) -> Any:
    """Add the nodes of a step after the nodes before; returns the last ones."""
    match step:
        case Fan() if step.sent:
            worker = _sent(step, stage, where)
            builder.add_node(name, worker)
            work = range(len(step.branches))

            def route(state: State) -> list[Send]:
                return [Send(name, {"messages": state["messages"], "work": n}) for n in work]

            if isinstance(before, list):
                builder.add_node(f"{name}_gate", lambda state: None)
                builder.add_edge(before, f"{name}_gate")
                before = f"{name}_gate"
            builder.add_conditional_edges(before, route, [name])
            builder.add_node(f"{name}_joined", lambda state: None)
            builder.add_edge(name, f"{name}_joined")
            return f"{name}_joined"
        case Fan():
            names = [f"{name}_{place}" for place in range(len(step.branches))]
            for number, (branch, node) in enumerate(zip(step.branches, names, strict=True)):
                builder.add_node(node, stage.function(_node(branch, stage, where.branch(number))))
                builder.add_edge(before, node)
            return names
        case Loop(prebuilt=False):
            tools = ToolNode(tools_of(stage, where, step), handle_tool_errors=True)
            builder.add_node(name, stage.function(_node(Say(step.first), stage, where)))
            builder.add_node(f"{name}_tools", tools)
            builder.add_node(f"{name}_last", stage.function(_node(Say(step.last), stage, where)))
            builder.add_edge(before, name)
            builder.add_edge(name, f"{name}_tools")
            builder.add_edge(f"{name}_tools", f"{name}_last")
            return f"{name}_last"
        case Loop():
            builder.add_node(name, _agent(step, stage, where.inside()))
        case Inner():
            builder.add_node(name, _graph(step.steps, stage, where.inside(), State).compile())
        case _:
            builder.add_node(name, stage.function(_node(step, stage, where)))
    builder.add_edge(before, name)
    return name


class _Listener(BaseCallbackHandler):
    """Records what the model of an agent says."""

    def __init__(self, stage: Stage, depth: int) -> None:
        self._stage, self._depth = stage, depth

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        message = final_message(response)
        assert message is not None
        self._stage.spoken.append(Spoken(message, message, depth=self._depth))


def _agent(step: Loop, stage: Stage, where: Where) -> Any:
    numbers = iter(range(1000))

    def renamed(turn: Any) -> Any:
        del turn
        speech = step.first if next(numbers) % 2 == 0 else step.last
        name = stage.name(where.place)
        return script(stage.signed_speech(speech, name), name)

    # Each turn of the user has ids of its own.
    model = ScriptedChatModel(turns=[renamed] * 12, callbacks=[_Listener(stage, where.depth)])
    return create_agent(model, tools=tools_of(stage, where, step), state_schema=Drafting)


def _sent(step: Fan, stage: Stage, where: Where) -> Any:
    nodes = [_node(branch, stage, where.branch(n)) for n, branch in enumerate(step.branches)]

    async def worker(state: State) -> Any:
        return await nodes[state["work"]](state)

    return stage.function(worker)


def _node(step: Step, stage: Stage, where: Where) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    async def node(state: Any) -> Any:
        match step:
            case Say():
                return await _say(step, state, stage, where)
            case Both():
                return await _both(step, state, stage, where)
            case Ask():
                return await _ask(step, state, stage, where)
            case Drop():
                return _drop(step, state["messages"], stage)
            case Edit():
                return _edit(step, state["messages"], stage)
            case Tell():
                return _tell(step, stage, where.depth)
            case Private():
                return await _private(step, stage, where)
            case _:
                raise AssertionError(step)

    return node


async def _say(step: Say, state: Any, stage: Stage, where: Where) -> Any:
    kept, speech = step.fate not in ("aside", "secret"), step.speech
    if step.fate in ("dict", "pair", "lone pair"):
        speech = replace(speech, thoughts=(), cites=False)  # These forms carry text alone.
    if step.silent:
        name = stage.name(where.place)
        text = "".join(stage.signed_speech(step.speech, name).text)
        message = AIMessage(text, id=f"own_{name}" if kept else None)
        said = Spoken(message, kept=kept, streamed=False, depth=where.depth, beside=where.beside)
        stage.spoken.append(said)
    else:
        how = {"kept": kept, "secret": step.fate == "secret", "beside": where.beside}
        said = await stage.ask(speech, state["messages"], where.place, depth=where.depth, **how)
    message = said.message
    if not kept:
        return {"log": [str(message.text)]}
    written: Any = [message]
    match step.fate:
        case "bare":
            written = message
        case "renamed":
            written = [message.model_copy(update={"id": f"mine_{message.id}"})]
        case "rebuilt":
            written = [AIMessage(message.content, additional_kwargs=message.additional_kwargs)]
        case "lone pair":
            written = ("ai", str(message.text))
        case "extended":
            written = [_longer(message, " and more")]
        case "dict":
            written = [{"role": "assistant", "content": str(message.text), "id": message.id}]
        case "pair":
            written = [("ai", str(message.text))]
        case _:
            pass
    said.written = written[0] if isinstance(written, list) else written
    return Command(update={"messages": written}) if step.command else {"messages": written}


async def _both(step: Both, state: Any, stage: Stage, where: Where) -> Any:
    asked = [
        stage.ask(
            speech,
            state["messages"],
            f"{where.place}{name[0]}",
            of=name,
            depth=where.depth,
            kept=step.keeps in ("both", name),
            beside=True,
        )
        for name, speech in (("first", step.first), ("second", step.second))
    ]
    said = [await one for one in asked] if stage.sync else await asyncio.gather(*asked)
    return {"messages": [spoken.message for spoken in said if spoken.kept]}


async def _ask(step: Ask, state: Any, stage: Stage, where: Where) -> Any:
    said: Any = None
    if step.speech is not None:
        how = {"depth": where.depth, "beside": where.beside}
        said = await stage.ask(step.speech, state["messages"], where.place, **how)
    try:
        answer = stage.interrupt(step.value)
    except GraphInterrupt:
        if said is not None:
            said.kept = False
        raise
    messages = [said.message] if said is not None else []
    reply = AIMessage(f"You said {answer}.")
    if stage.signed:
        reply.content = sign(stage.name(where.place)) + reply.text
    stage.spoken.append(
        Spoken(reply, reply, depth=where.depth, streamed=False, beside=where.beside)
    )
    return {"messages": [*messages, reply]}


def _drop(step: Drop, messages: list[Any], stage: Stage) -> Any:
    if not messages:
        return None
    match step.which:
        case "first":
            gone, removals = messages[:1], [RemoveMessage(id=messages[0].id)]
        case "last":
            gone, removals = messages[-1:], [RemoveMessage(id=messages[-1].id)]
        case "all":
            gone, removals = messages, [RemoveMessage(id=REMOVE_ALL_MESSAGES)]
        case "all but last":
            gone, removals = messages[:-1], [RemoveMessage(id=REMOVE_ALL_MESSAGES), messages[-1]]
    stage.removed.extend(gone)
    return {"messages": removals}


def _edit(step: Edit, messages: list[Any], stage: Stage) -> Any:
    if not messages:
        return None
    message = messages[0 if step.which == "first" else -1]
    stage.edited.append(message)
    return {"messages": [_longer(message, "!")]}


def _longer(message: Any, more: str) -> Any:
    """A message with more text, whether its content is text or blocks."""
    content: Any = message.content
    longer = content + more if isinstance(content, str) else [*content, _text_block(more)]
    return message.model_copy(update={"content": longer})


def _text_block(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _tell(step: Tell, stage: Stage, depth: int) -> Any:
    for event in step.events:
        stage.tell(event, depth)
    if step.ui:
        stage.told.append(Written(push_ui_message("chart", {"n": 1}, id="chart_1"), depth))
    written: dict[str, Any] = {}
    for channel, value in step.writes:
        match channel:
            case "log":
                written["log"] = [*written.get("log", []), value]
            case "facts":
                written["facts"] = {**written.get("facts", {}), str(value)[:2]: value}
            case "count":
                written["count"] = written.get("count", 0) + 1
            case _:
                written[channel] = value
    return written


async def _private(step: Private, stage: Stage, where: Where) -> Any:
    inner = _graph(step.steps, stage, where.inside(), Own).compile()
    result = await stage.run(inner, {"messages": [HumanMessage("inside")]})
    last = result["messages"][-1]
    returned = step.kept and isinstance(last, AIMessage)
    for said in stage.spoken:
        # What the graph inside keeps is nowhere else, but for what the node returns.
        if any(said.written is message for message in result["messages"]):
            said.kept = returned and said.written is last
    return {"messages": [last]} if returned else {"count": 1}
