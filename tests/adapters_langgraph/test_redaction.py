"""What the stream transformers of a graph redact is in nothing that `stream_graph` tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    HumanInTheLoopMiddleware,
    PIIMiddleware,
    SummarizationMiddleware,
)
from langchain.agents.middleware.pii import PIIDetectionError
from langchain_core._api import suppress_langchain_beta_warning
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolRuntime
from langgraph.stream import StreamTransformer
from langgraph.types import Command
from pydantic import BaseModel

from assistant_stream_ce._json import dumps, to_json
from assistant_stream_ce.testing import check_stream, collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import from_langgraph_events, stream_graph
from assistant_stream_langgraph._editors import stream_editors
from tests.adapters_langchain.shown import calls, results, show
from tests.adapters_langgraph.graphs import human
from tests.adapters_langgraph.runs import Graph, Run, call, usage

CONFIG: Any = {"configurable": {"thread_id": "1"}}

SECRETS = {
    "email": "ann.lee@mail.kqzw.example.co.uk",
    "credit_card": "4111 1111 1111 1111",
    "ip": "10.23.117.245",
    "mac_address": "0A:1B:44:11:3A:B7",
    "url": "https://kqzw.example.com/jvx/path?token=zz9",
}
"""Some of these are whole before they end: `ann.lee@mail.kqzw`, `10.23.117.2`, `https://k`."""

LONG = "and then a good deal of other things that are of no interest to anybody but me " * 3


def guard(kind: str = "email", strategy: Any = "redact", **options: Any) -> Any:
    options.setdefault("apply_to_output", True)
    return PIIMiddleware(kind, strategy=strategy, **options)


def agent(turns: list[Any], *middleware: Any, **options: Any) -> Graph:
    options.setdefault("checkpointer", InMemorySaver())
    model = ScriptedChatModel(turns=turns)
    graph: Graph = create_agent(model, middleware=middleware or (guard(),), **options)
    return graph


async def run(graph: Graph, given: Any = None, **options: Any) -> Run:
    """A run whose every moment is checked: what is shown only grows."""
    chunks = await collect(stream_graph(graph, given or human("hi"), CONFIG, **options))
    check_stream(chunks)
    return Run(chunks)


def told(run: Run) -> str:
    """All that went to the client, and what the pieces of it add up to."""
    return " ".join([*map(repr, run.chunks), dumps(run.states), repr(run.parts)])


def last_of(graph: Graph) -> Any:
    return graph.get_state(CONFIG).values["messages"][-1]


def splits(text: str) -> list[list[str]]:
    at_every_place = [[text[:place], text[place:]] for place in range(1, len(text))]
    return [[*text], *at_every_place]


@tool
def mail(to: str, body: str) -> str:
    """Send a mail."""
    MAILED.append(to)
    return f"Sent {body} to {to}"


MAILED: list[str] = []


def mailing(*middleware: Any, **options: Any) -> Graph:
    secret = SECRETS["email"]
    args = ['{"to": "', *secret, f'", "body": "line\\n{secret} ', "\\u0061nn", '@kqzw.example"}']
    turns = [
        ["I write ", "it.", call("mail", "", "c1"), *(call(None, a) for a in args), usage(3, 4)],
        ["Done with ", secret[:9], secret[9:], ".", usage(1, 2)],
    ]
    return agent(turns, *middleware, tools=[mail], **options)


# Texts


@pytest.mark.parametrize("kind", SECRETS)
async def test_an_answer_is_redacted_however_it_is_split(kind: str) -> None:
    secret = SECRETS[kind]
    for number, pieces in enumerate(splits(secret)):
        around = ["It is ", *pieces, ", ", LONG]
        strategy = ("hash", "redact", "mask")[number % 3]
        graph = agent([around], guard(kind, strategy))
        made = await run(graph)
        end = last_of(graph).text
        assert secret not in end
        assert made.parts.text == end, pieces
        assert secret not in told(made)


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("strategy", ["redact", "mask", "hash"])
async def test_what_is_shown_only_grows_in_both_kinds_of_answer(kind: str, strategy: str) -> None:
    text = f"{LONG} It is {SECRETS[kind]} {LONG} and {SECRETS[kind]}"
    shown: list[str] = []
    for options in ({}, {"parts": False}):
        graph = agent([[*text]], guard(kind, strategy))
        made = await run(graph, **options)
        end = last_of(graph).text
        assert SECRETS[kind] not in told(made)
        if options:
            assert made.state == to_json(graph.get_state(CONFIG).values)
            contents = [state["messages"][1:] for state in made.states[1:]]
            shown = [message["content"][0]["text"] for [message] in filter(None, contents)]
        else:
            assert made.parts.text == end
            shown = [made.parts.text[:size] for size in range(0, len(end), 50)]
            assert sum(chunk.type == "text-delta" for chunk in made.chunks) > 20
        assert all(end.startswith(text) for text in shown)


async def test_reasoning_is_redacted_and_stands_before_the_text() -> None:
    secret = SECRETS["url"]
    thought = [{"type": "reasoning", "reasoning": c, "index": 0} for c in f"I know {secret}"]
    said = [{"type": "text", "text": c, "index": 1} for c in f"{LONG} See {secret}"]
    turn = [AIMessageChunk(content=[block]) for block in (*thought, *said)]
    graph = agent([turn], guard("url"))
    made = await run(graph)
    assert made.parts.reasoning == "I know [REDACTED_URL]"
    assert made.parts.text == f"{LONG} See [REDACTED_URL]"
    kinds = [name for name in made.types if name.endswith("-delta")]
    assert kinds == ["reasoning-delta", "text-delta"]
    assert secret not in told(made)
    assert sum(chunk.type == "text-delta" for chunk in made.chunks) > 20


async def test_several_rules_are_applied_together() -> None:
    text = f"{SECRETS['ip']} {SECRETS['email']} {LONG} {SECRETS['url']}"
    graph = agent([[*text]], guard("ip"), guard("email", "hash"), guard("url", "mask"))
    made = await run(graph)
    assert made.parts.text == last_of(graph).text
    assert not any(secret in told(made) for secret in SECRETS.values())


async def test_a_model_that_does_not_stream_is_redacted() -> None:
    graph = agent([AIMessage(f"Ask {SECRETS['email']}")])
    made = await run(graph)
    assert made.parts.text == "Ask [REDACTED_EMAIL]" == last_of(graph).text
    assert SECRETS["email"] not in told(made)


# Tools


@pytest.mark.parametrize("options", [{}, {"parts": False}, {"predict": {"x": ("mail", "body")}}])
async def test_calls_and_their_results_are_redacted_and_the_tool_gets_the_truth(
    options: Any,
) -> None:
    MAILED.clear()
    graph = mailing(guard(apply_to_tool_results=True))
    made = await run(graph, **options)
    assert [SECRETS["email"]] == MAILED
    shown = told(made)
    assert "kqzw" not in shown
    assert "\\u0061" not in shown
    if options.get("parts", True):
        message = show(made.chunks)
        args = {"to": "[REDACTED_EMAIL]", "body": "line\n[REDACTED_EMAIL] [REDACTED_EMAIL]"}
        assert calls(message) == [("c1", "mail", args)]
        assert results(message)["c1"].startswith("Sent line\n[REDACTED_EMAIL]")
        assert [part["type"] for part in message.parts] == ["text", "tool-call", "text"]
        assert message.text == "I write it.Done with [REDACTED_EMAIL]."
        assert made.parts.finish is not None
        assert (made.parts.finish.finish_reason, made.parts.finish.output_tokens) == ("stop", 6)


async def test_what_a_tool_says_before_its_result_is_redacted() -> None:
    secret = SECRETS["email"]

    @tool
    def look(q: str, runtime: ToolRuntime) -> str:
        """Look."""
        for piece in ("found ", *secret, " ", LONG):
            runtime.emit_output_delta(piece)
        runtime.emit_output_delta({"found": [secret]})
        get_stream_writer()({"type": "progress", "done": 1})
        return secret

    graph = agent([[call("look", '{"q": "x"}', "c1")], "Done."], tools=[look])
    made = await run(graph)
    parts = [(part.name, part.data) for part in made.parts.data]
    assert ("tool-output", {"found": ["[REDACTED_EMAIL]"]}) in parts
    assert ("progress", {"type": "progress", "done": 1}) in parts
    assert {part.parent_id for part in made.parts.data} == {"c1"}
    assert "kqzw" not in told(made)


# Interrupts and threads


async def test_what_a_person_is_asked_is_redacted_and_the_answer_goes_on() -> None:
    MAILED.clear()
    graph = mailing(guard(apply_to_tool_results=True), HumanInTheLoopMiddleware({"mail": True}))
    for options in ({}, {"parts": False}):
        made = await run(graph, **options)
        (waiting,) = made.state["interrupts"]
        assert waiting["actions"][0]["tool_call_id"] == "c1"
        (request,) = waiting["value"]["action_requests"]
        assert request["args"]["to"] == "[REDACTED_EMAIL]"
        assert "kqzw" not in told(made)
        graph = mailing(guard(apply_to_tool_results=True), HumanInTheLoopMiddleware({"mail": True}))
    await run(graph)
    state = graph.get_state(CONFIG)
    resume = Command(resume={state.interrupts[0].id: {"decisions": [{"type": "approve"}]}})
    made = await run(graph, resume)
    assert [SECRETS["email"]] == MAILED
    assert "kqzw" not in told(made)
    assert made.parts.text == "Done with [REDACTED_EMAIL]."


# Blocking


async def blocked(graph: Graph, **options: Any) -> Run:
    chunks: list[Any] = []
    with pytest.raises(PIIDetectionError):
        async for chunk in stream_graph(graph, human("hi"), CONFIG, **options):
            chunks.append(chunk)
    check_stream(chunks)
    return Run(chunks)


@pytest.mark.parametrize("options", [{}, {"parts": False}])
@pytest.mark.parametrize("kind", SECRETS)
async def test_what_is_blocked_ends_the_run_before_it_is_told(kind: str, options: Any) -> None:
    secret = SECRETS[kind]
    for pieces in splits(secret)[:8]:
        graph = agent([["It is ", *pieces, " ", LONG]], guard(kind, "block"))
        made = await blocked(graph, **options)
        assert secret not in told(made)


async def test_a_run_that_is_blocked_leaves_no_work_behind() -> None:
    ended = asyncio.Event()

    @tool
    async def slow(q: str) -> str:
        """Take long."""
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return q

    async def speak(state: MessagesState) -> Any:
        await asyncio.sleep(0.05)
        return {"messages": [await ScriptedChatModel(turns=[SECRETS["email"]]).ainvoke("x")]}

    async def work(state: MessagesState) -> Any:
        await slow.ainvoke({"q": "x"})

    builder = StateGraph(MessagesState).add_node(speak).add_node(work)
    builder.add_edge(START, "speak").add_edge(START, "work")
    graph = builder.compile(transformers=guard(strategy="block").transformers)
    made = await blocked(graph)
    assert ended.is_set()
    assert "kqzw" not in told(made)


async def test_a_stream_that_is_closed_ends_the_graph() -> None:
    ended = asyncio.Event()

    @tool
    async def slow(q: str) -> str:
        """Take long."""
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.set()
        return q

    graph = agent([[call("slow", '{"q": "x"}', "c1")]], tools=[slow])
    async for chunk in (stream := stream_graph(graph, human("hi"), CONFIG)):
        if chunk.type == "tool-call-args-text-finish":
            break
    await asyncio.sleep(0.05)
    await stream.aclose()
    assert ended.is_set()


# Which graphs


def test_transformers_that_edit_nothing_change_nothing() -> None:
    summarizing = SummarizationMiddleware(model=ScriptedChatModel(turns=[]))
    for middleware in ((summarizing,), (PIIMiddleware("email"),), ()):
        graph = create_agent(ScriptedChatModel(turns=[]), middleware=middleware)
        assert stream_editors(graph) == ()


def inner_node() -> Graph:
    return agent([f"It is {SECRETS['email']}"], checkpointer=None)


def as_node() -> Graph:
    return StateGraph(MessagesState).add_node("a", inner_node()).add_edge(START, "a").compile()


def called_by_a_node() -> Graph:
    inner = inner_node()

    async def node(state: MessagesState) -> Any:
        return await inner.ainvoke(state)

    return StateGraph(MessagesState).add_node("a", node).add_edge(START, "a").compile()


def called_by_a_tool() -> Graph:
    inner = inner_node()

    @tool
    async def research(q: str) -> str:
        """Research."""
        return str((await inner.ainvoke(human(q)))["messages"][-1].text)

    model = ScriptedChatModel(turns=[[call("research", '{"q": "x"}', "c1")], "Done."])
    graph: Graph = create_agent(model, [research])
    return graph


def two_levels_down() -> Graph:
    return StateGraph(MessagesState).add_node("b", as_node()).add_edge(START, "b").compile()


@pytest.mark.parametrize(
    "build",
    [
        as_node,
        called_by_a_node,
        called_by_a_tool,
        two_levels_down,
        lambda: inner_node().with_config(tags=["x"]),
        lambda: inner_node().bind(debug=False, stream_mode="values"),
        lambda: inner_node().with_config(tags=["x"]).bind().with_config(tags=["y"]),
    ],
)
async def test_an_agent_inside_another_graph_is_redacted(build: Callable[[], Any]) -> None:
    for options in ({}, {"parts": False}, {"nested": "messages"}):
        made = await run(build(), **options)
        assert "REDACTED" in told(made)
        assert "kqzw" not in told(made)


class Shout(StreamTransformer):
    """A user's own: it lets nobody read "hush"."""

    before_builtins = True
    required_stream_modes = ("messages", "values")

    def init(self) -> dict[str, Any]:
        return {}

    def process(self, event: Any) -> bool:
        data = event["params"]["data"]
        if event["method"] == "messages" and isinstance(data[0], dict):
            for piece in (data[0].get("delta"), data[0].get("content")):
                if piece and piece.get("type", "").startswith("text"):
                    piece["text"] = piece["text"].replace("hush", "****")
        if event["method"] == "values":
            event["params"]["data"] = {
                **data,
                "messages": [
                    m.model_copy(update={"content": m.text.replace("hush", "****")})
                    for m in data["messages"]
                ],
            }
        return True


class AsyncShout(Shout):
    def process(self, event: Any) -> bool:
        raise NotImplementedError

    async def aprocess(self, event: Any) -> bool:
        await asyncio.sleep(0)
        return super().process(event)


def shout(scope: tuple[str, ...]) -> StreamTransformer:
    return Shout(scope)


@pytest.mark.parametrize("transformer", [Shout, AsyncShout, shout])
async def test_a_transformer_of_ones_own_is_obeyed(transformer: Any) -> None:
    for options in ({}, {"parts": False}):
        model = ScriptedChatModel(turns=[["It is hu", "sh, ", "hush ", LONG, "hush"]])
        graph: Graph = create_agent(model, transformers=[transformer], checkpointer=InMemorySaver())
        made = await run(graph, **options)
        assert "hush" not in told(made)
        if not options:
            assert made.parts.text == f"It is ****, **** {LONG}****"


class Card(BaseModel):
    owner: str
    mails: list[str]


class Rooted(Shout):
    """It knows the graph's own state, and that of no other."""

    def process(self, event: Any) -> bool:
        if event["method"] == "values" and event["params"]["namespace"] == list(self.scope):
            assert "topic" in event["params"]["data"] or self.scope
        return super().process(event)


@pytest.mark.parametrize("parts", [True, False])
async def test_a_transformer_is_given_no_state_that_langgraph_would_not_give_it(
    parts: bool,
) -> None:
    class State(MessagesState):
        topic: str
        card: Card

    inner: Graph = create_agent(ScriptedChatModel(turns=[["Well, ", "hush ", LONG]]))

    def write(state: State) -> Any:
        return {"card": Card(owner="Ann", mails=[]), "topic": "b"}

    builder = StateGraph(State).add_node("inner", inner).add_node(write)
    builder.add_edge(START, "inner").add_edge("inner", "write")
    graph = builder.compile(transformers=[Rooted], checkpointer=InMemorySaver())
    made = await run(graph, {**human("hi"), "topic": "a"}, parts=parts)
    assert made.state["card"] == {"owner": "Ann", "mails": []}
    if parts:
        assert made.parts.text == f"Well, **** {LONG}"
    assert "hush" not in told(made)


# Other state


async def test_objects_in_the_state_are_redacted_too() -> None:
    class State(MessagesState):
        card: Card
        cards: dict[str, Card]

    def write(state: State) -> Any:
        card = Card(owner="Ann", mails=[SECRETS["email"]])
        return {"card": card, "cards": {"a": card}, "messages": [AIMessage(SECRETS["email"])]}

    builder = StateGraph(State).add_node(write).add_edge(START, "write")
    graph = builder.compile(transformers=guard().transformers, checkpointer=InMemorySaver())
    made = await run(graph)
    shown = {"owner": "Ann", "mails": ["[REDACTED_EMAIL]"]}
    assert made.state == {"card": shown, "cards": {"a": shown}}
    assert made.parts.text == "[REDACTED_EMAIL]"
    assert "kqzw" not in told(made)


async def test_structured_output_is_redacted() -> None:
    args = f'{{"owner": "Ann", "mails": ["{SECRETS["email"]}"]}}'
    graph = agent([[call("Card", args, "c1")]], response_format=Card)
    made = await run(graph)
    assert made.state["structured_response"]["mails"] == ["[REDACTED_EMAIL]"]
    assert "kqzw" not in told(made)


# Streams that cannot be redacted


async def test_a_stream_of_version_3_that_somebody_else_has_opened_is_told_to_its_end() -> None:
    graph = mailing(guard(apply_to_tool_results=True))
    with suppress_langchain_beta_warning():
        events = await graph.astream_events(human("hi"), CONFIG, version="v3")
    made = Run(await collect(from_langgraph_events(events)))
    assert made.parts.text == "I write it.Done with [REDACTED_EMAIL]."
    assert '"to": "[REDACTED_EMAIL]"' in made.parts.calls["c1"].args
