"""Upstream's two functions for LangGraph, on plain dicts and on a run's state."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Annotated, Any, TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    ToolMessage,
)
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.types import Interrupt, Overwrite, interrupt

from assistant_stream_ce import RunController, UpdateStateChunk, create_run
from assistant_stream_ce._json import to_json
from assistant_stream_ce.state.operations import apply_operations
from assistant_stream_ce.testing import collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import append_langgraph_event, get_tool_call_subgraph_state
from tests.adapters_langgraph.graphs import CASES, agent, human
from tests.adapters_langgraph.runs import call

Work = Callable[[Any], None]


async def on_proxy(work: Work, initial: Any) -> tuple[Any, list[Any]]:
    """The state after `work` on a run's proxy, and the operations; a client ends equal."""
    after: list[Any] = []

    async def run(controller: RunController) -> None:
        work(controller.state)
        after.append(controller.state.copy())

    chunks = await collect(create_run(run, state=initial))
    operations = [op for c in chunks if isinstance(c, UpdateStateChunk) for op in c.operations]
    assert apply_operations(initial, operations) == after[0]
    return after[0], operations


def on_dict(work: Work, initial: Any) -> Any:
    """The state after `work` on a plain dict."""
    state = json.loads(json.dumps(initial))
    work(state)
    assert json.loads(json.dumps(state)) == state
    return state


async def both(work: Work, initial: Any = None) -> Any:
    """The state after `work`, the same on a proxy and on a dict."""
    state, _ = await on_proxy(work, initial or {})
    assert state == on_dict(work, initial or {})
    return state


def messages(*given: BaseMessage) -> Work:
    """Work that brings messages, one event each."""

    def work(state: Any) -> None:
        for message in given:
            append_langgraph_event(state, (), "messages", (message, {}))

    return work


def updates(*payloads: Any) -> Work:
    """Work that brings updates."""

    def work(state: Any) -> None:
        for payload in payloads:
            append_langgraph_event(state, (), "updates", payload)

    return work


def piece(args: str, index: int = 0, name: str | None = None, id: str | None = None) -> Any:
    return ToolCallChunk(name=name, args=args, id=id, index=index)


def added_up(chunks: list[AIMessageChunk]) -> Any:
    """What LangChain makes of the chunks, as JSON."""
    return to_json(reduce(add, chunks))


class TestGrowth:
    @settings(deadline=None, max_examples=40)
    @given(
        st.lists(st.text(max_size=8), min_size=1, max_size=8),
        st.dictionaries(st.text(max_size=4), st.text(max_size=400), max_size=6),
        st.integers(1, 40),
    )
    def test_a_streamed_message_is_what_langchain_adds_up(
        self, texts: list[str], args: dict[str, str], size: int
    ) -> None:
        text = json.dumps(args)
        calls = [text[i : i + size] for i in range(0, len(text), size)]
        chunks = [AIMessageChunk(content=text, id="m") for text in texts]
        for number in range(2):
            begin = piece("", number, f"tool{number}", f"c{number}")
            chunks.append(AIMessageChunk(content="", id="m", tool_call_chunks=[begin]))
        for args_text in calls:
            both_calls = [piece(args_text, 0), piece(args_text, 1)]
            chunks.append(AIMessageChunk(content="", id="m", tool_call_chunks=both_calls))
        usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
        chunks.append(AIMessageChunk(content="", id="m", usage_metadata=usage))
        last = {"finish_reason": "tool_calls"}
        chunks.append(
            AIMessageChunk(content="", id="m", response_metadata=last, chunk_position="last")
        )
        state = on_dict(messages(*chunks), {})
        assert state["messages"] == [added_up(chunks)]

    async def test_blocks_and_extra_fields_grow_as_well(self) -> None:
        chunks = [
            AIMessageChunk(content="plain", id="m"),
            AIMessageChunk(content=[{"type": "text", "text": "a", "index": 0}], id="m"),
            AIMessageChunk(content=[{"type": "text", "text": "b", "index": 0}], id="m"),
            AIMessageChunk(content=[{"type": "text", "text": "c", "index": 1}], id="m"),
            AIMessageChunk(content="", additional_kwargs={"reasoning_content": "th"}, id="m"),
            AIMessageChunk(content="", additional_kwargs={"reasoning_content": "ink"}, id="m"),
        ]
        state = await both(messages(*chunks))
        assert state["messages"] == [added_up(chunks)]

    async def test_a_delta_is_one_operation(self) -> None:
        chunks = [AIMessageChunk(content="Hello", id="m"), AIMessageChunk(content=" you", id="m")]
        _, operations = await on_proxy(messages(*chunks), {"messages": []})
        assert operations[1:] == [
            {"type": "append-text", "path": ["messages", "0", "content"], "value": " you"}
        ]

    async def test_the_arguments_are_whole_when_the_node_has_ended(self) -> None:
        text = json.dumps({"text": "x" * 2000})
        pieces = [piece(text[:1500], 0, "write", "c"), piece(text[1500:1990]), piece(text[1990:])]
        chunks = [AIMessageChunk(content="", id="m", tool_call_chunks=[p]) for p in pieces]

        def work(state: Any) -> None:
            messages(*chunks)(state)
            updates({"model": {"messages": [AIMessage("", id="m")]}})(state)

        state = await both(work)
        assert state["messages"][0]["tool_calls"][0]["args"] == {"text": "x" * 2000}

    async def test_arguments_that_are_no_object_are_an_invalid_call(self) -> None:
        chunks = [
            AIMessageChunk(content="", id="m", tool_call_chunks=[piece("[1,", 0, "t", "c")]),
            AIMessageChunk(content="", id="m", tool_call_chunks=[piece("2]")]),
            AIMessageChunk(content="", id="m", chunk_position="last"),
        ]
        state = await both(messages(*chunks))
        assert state["messages"] == [added_up(chunks)]

    def test_a_delta_costs_the_same_in_a_long_message(self) -> None:
        def seconds(before: int) -> float:
            state: dict[str, Any] = {}
            begin = piece('{"a":"' + "x" * before, 0, "t", "c")
            messages(AIMessageChunk(content="", id="m", tool_call_chunks=[begin]))(state)
            chunk = AIMessageChunk(content="", id="m", tool_call_chunks=[piece("word ")])
            work = messages(*[chunk] * 400)
            start = time.process_time()
            work(state)
            return time.process_time() - start

        short, long = (min(seconds(n) for _ in range(3)) for n in (4_000, 40_000))
        assert long < short * 4


class TestMessages:
    async def test_messages_are_appended_and_replaced_by_id(self) -> None:
        state = await both(
            messages(HumanMessage("a", id="1"), AIMessage("b", id="2"), HumanMessage("c", id="1"))
        )
        assert [(m["id"], m["content"], m["type"]) for m in state["messages"]] == [
            ("1", "c", "human"),
            ("2", "b", "ai"),
        ]

    async def test_a_result_replaces_the_message_of_its_call_and_keeps_the_artifact(self) -> None:
        waiting = {"type": "tool", "tool_call_id": "c", "content": "", "artifact": {"sub": [1]}}
        state = await both(
            messages(ToolMessage("done", tool_call_id="c", id="t")), {"messages": [waiting]}
        )
        assert len(state["messages"]) == 1
        assert state["messages"][0]["content"] == "done"
        assert state["messages"][0]["artifact"] == {"sub": [1]}

    async def test_messages_without_ids_are_all_kept(self) -> None:
        state = await both(messages(HumanMessage("a"), HumanMessage("b")))
        assert [m["content"] for m in state["messages"]] == ["a", "b"]

    @pytest.mark.parametrize("mode", ["messages", "updates"])
    async def test_a_removed_message_goes(self, mode: str) -> None:
        def work(state: Any) -> None:
            messages(HumanMessage("a", id="1"), HumanMessage("b", id="2"))(state)
            gone = RemoveMessage(id="1")
            payload = (gone, {}) if mode == "messages" else {"node": {"messages": [gone]}}
            append_langgraph_event(state, (), mode, payload)

        state = await both(work)
        assert [m["id"] for m in state["messages"]] == ["2"]

    async def test_a_removal_of_all_leaves_what_was_written_after_it(self) -> None:
        written = [
            HumanMessage("x", id="3"),
            RemoveMessage(id=REMOVE_ALL_MESSAGES),
            HumanMessage("b", id="2"),
        ]

        def work(state: Any) -> None:
            messages(HumanMessage("a", id="1"), HumanMessage("b", id="2"))(state)
            updates({"node": {"messages": written}})(state)

        state = await both(work)
        assert [m["id"] for m in state["messages"]] == ["2"]


class TestUpdates:
    async def test_channels_are_set_and_made_json(self) -> None:
        state = await both(
            updates({"a": {"n": {1}, "when": Overwrite((1, 2))}}, {"b": "no dict"}, {"c": None})
        )
        assert state == {"n": [1], "when": [1, 2]}

    async def test_a_value_without_json_form_is_said_and_left_out(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert await both(updates({"a": {"bad": object(), "good": 1}})) == {"good": 1}
        assert "`bad`" in caplog.text

    async def test_interrupts_are_shown_once(self) -> None:
        first, second = Interrupt("ok?", id="i1"), Interrupt({"a": 1}, id="i2")
        state = await both(
            updates(
                {"__interrupt__": (first,)}, {"__interrupt__": (first, second)}, {"b": {"k": 1}}
            )
        )
        assert state == {
            "interrupts": [{"id": "i1", "value": "ok?"}, {"id": "i2", "value": {"a": 1}}],
            "k": 1,
        }

    async def test_other_events_change_nothing(self) -> None:
        def work(state: Any) -> None:
            append_langgraph_event(state, (), "custom", {"any": "thing"})

        assert await both(work, {"kept": 1}) == {"kept": 1}


class TestGraphs:
    async def test_the_conversation_ends_as_the_graphs_state(self) -> None:
        graph = agent()
        config: Any = {"configurable": {"thread_id": "1"}}

        async def run(controller: RunController) -> None:
            question = HumanMessage("hello", id="q")
            messages(question)(controller.state)
            stream = graph.astream(
                {"messages": [question]},
                config,
                stream_mode=["messages", "updates"],
                subgraphs=True,
            )
            async for namespace, mode, payload in stream:
                append_langgraph_event(controller.state, namespace, mode, payload)

        chunks = await collect(create_run(run, state={}))
        operations = [op for c in chunks if isinstance(c, UpdateStateChunk) for op in c.operations]
        shown: Any = apply_operations({}, operations)
        truth: Any = to_json(graph.get_state(config).values["messages"])
        fields = ("id", "type", "content", "tool_calls")
        assert [[m.get(f) for f in fields] for m in shown["messages"]] == [
            [m.get(f) for f in fields] for m in truth
        ]

    @pytest.mark.parametrize("case", ["fan out", "sends", "commands", "custom events", "trimming"])
    async def test_channels_with_reducers_end_as_the_graphs(self, case: str) -> None:
        graph = CASES[case].build()
        config: Any = {"configurable": {"thread_id": "1"}}

        async def run(controller: RunController) -> None:
            for turn in CASES[case].turns:
                stream = graph.astream(
                    human(turn),
                    config,
                    stream_mode=["messages", "updates", "values", "custom"],
                    subgraphs=True,
                )
                async for namespace, mode, payload in stream:
                    append_langgraph_event(controller.state, namespace, mode, payload)

        chunks = await collect(create_run(run, state={}))
        operations = [op for c in chunks if isinstance(c, UpdateStateChunk) for op in c.operations]
        shown: Any = apply_operations({}, operations)
        truth: Any = to_json(graph.get_state(config).values)
        answers = {m["id"]: m["content"] for m in truth.pop("messages") if m["type"] == "ai"}
        assert {
            m["id"]: m["content"] for m in shown.pop("messages") if m["id"] in answers
        } == answers
        assert shown == truth

    async def test_the_values_of_a_subgraph_leave_the_state_alone(self) -> None:
        state: dict[str, Any] = {"n": 1, "deep": {"a": [1]}}
        append_langgraph_event(state, ("tools:1",), "values", {"n": 5})
        assert state == {"n": 1, "deep": {"a": [1]}}

    async def test_values_that_are_shown_already_are_no_operations(self) -> None:
        async def run(controller: RunController) -> None:
            for n in (1, 1, 2):
                append_langgraph_event(controller.state, (), "values", {"n": n, "deep": {"a": [n]}})

        chunks = await collect(create_run(run, state={"n": 1, "deep": {"a": [1]}}))
        paths = [
            op["path"] for c in chunks if isinstance(c, UpdateStateChunk) for op in c.operations
        ]
        assert paths == [["n"], ["deep", "a", "0"]]

    async def test_a_graph_that_waits_says_so(self) -> None:
        def ask(state: MessagesState) -> dict[str, Any]:
            return {"messages": [AIMessage(interrupt("Sure?"), id="a")]}

        builder = StateGraph(MessagesState).add_node(ask).add_edge(START, "ask")
        graph = builder.compile(checkpointer=InMemorySaver())
        state: dict[str, Any] = {}
        stream = graph.astream(
            human("hi"),
            {"configurable": {"thread_id": "1"}},
            stream_mode=["messages", "updates"],
        )
        async for mode, payload in stream:
            append_langgraph_event(state, (), mode, payload)
        assert [item["value"] for item in state["interrupts"]] == ["Sure?"]

    async def test_sub_agents_side_by_side_stand_in_their_own_calls(self) -> None:
        class Inner(TypedDict):
            messages: Annotated[list[AnyMessage], add_messages]
            topic: str

        def inner_node(state: Inner) -> dict[str, Any]:
            return {"messages": [AIMessage(f"about {state['topic']}", id=state["topic"])]}

        inner = StateGraph(Inner).add_node(inner_node).add_edge(START, "inner_node").compile()

        @tool
        async def research(topic: str) -> str:
            """Look into a topic."""
            result = await inner.ainvoke({"messages": [], "topic": topic})
            return str(result["messages"][-1].content)

        calls = [
            call("research", f'{{"topic":"{topic}"}}', f"call_{topic}", index)
            for index, topic in enumerate(("sun", "moon"))
        ]
        graph = create_agent(ScriptedChatModel(turns=[calls, "Done."]), tools=[research])

        async def run(controller: RunController) -> None:
            stream = graph.astream(human("hi"), stream_mode=["messages", "updates"], subgraphs=True)
            async for namespace, mode, payload in stream:
                target = get_tool_call_subgraph_state(
                    controller, namespace, "tools", {"messages": []}, artifact_field_name="inner"
                )
                append_langgraph_event(target, namespace, mode, payload)
            told = [m for m in controller.state["messages"] if m["type"] == "tool"]
            assert {
                m["tool_call_id"]: [i["content"] for i in m["artifact"]["inner"]["messages"]]
                for m in told
            } == {"call_sun": ["about sun"], "call_moon": ["about moon"]}
            assert all(m["content"] for m in told)

        await collect(create_run(run))


class TestSubgraphState:
    DEFAULT: dict[str, Any] = {"messages": [], "step": 0}  # noqa: RUF012 - never changed

    async def get(self, initial: Any, *arguments: Any, **options: Any) -> tuple[Any, Any]:
        """The part that is found, and the whole state afterwards."""
        found: list[Any] = []

        async def run(controller: RunController) -> None:
            part = get_tool_call_subgraph_state(controller, *arguments, self.DEFAULT, **options)
            part["mark"] = True
            found.extend((part.copy(), controller.state.copy()))

        await collect(create_run(run, state=initial))
        return found[0], found[1]

    def waiting(self, *names: str) -> dict[str, Any]:
        """A state whose last message calls tools."""
        calls = [{"name": name, "id": f"c_{name}", "args": {}} for name in names]
        return {"messages": [{"type": "ai", "id": "a", "content": "", "tool_calls": calls}]}

    async def test_a_run_without_state_begins_with_the_default(self) -> None:
        part, whole = await self.get(None, (), "tools")
        assert part == whole == {**self.DEFAULT, "mark": True}

    async def test_the_artifact_of_the_call_is_the_state(self) -> None:
        part, whole = await self.get(self.waiting("t"), ("tools:1",), "tools")
        assert part == {**self.DEFAULT, "mark": True}
        message = whole["messages"][-1]
        assert (message["type"], message["tool_call_id"], message["name"]) == ("tool", "c_t", "t")
        assert message["additional_kwargs"]["streaming"] is True
        assert message["artifact"] == part

    async def test_a_field_of_the_artifact_is_the_state(self) -> None:
        part, whole = await self.get(
            self.waiting("t"), ("tools:1",), ["tools"], artifact_field_name="sub"
        )
        assert whole["messages"][-1]["artifact"] == {"sub": part}

    async def test_a_namespace_keeps_its_call_and_a_new_one_takes_the_next(self) -> None:
        async def run(controller: RunController) -> None:
            for part in ("tools:1", "tools:2", "tools:1"):
                found = get_tool_call_subgraph_state(controller, (part,), "tools", self.DEFAULT)
                found["step"] += int(part[-1])
            found = [
                (m["tool_call_id"], m["artifact"]["step"]) for m in controller.state["messages"][1:]
            ]
            assert found == [("c_a", 2), ("c_b", 2)]

        await collect(create_run(run, state=self.waiting("a", "b")))

    @pytest.mark.parametrize(
        ("namespace", "node", "tool_name"),
        [
            (("model:1",), "tools", None),
            (("tools:1",), "tools", "other"),
            (("tools:1",), lambda names: names == ["agents"], None),
            (("tools:1",), ["agents"], None),
        ],
    )
    async def test_other_nodes_and_tools_have_the_whole_state(
        self, namespace: tuple[str, ...], node: Any, tool_name: str | None
    ) -> None:
        part, whole = await self.get(self.waiting("t"), namespace, node, tool_name=tool_name)
        assert part == whole

    @pytest.mark.parametrize(
        "state", [{}, {"messages": []}, {"messages": [{"type": "ai", "tool_calls": []}]}]
    )
    async def test_without_a_call_it_is_the_whole_state(self, state: Any) -> None:
        part, whole = await self.get(state, ("tools:1",), "tools")
        assert part == whole
