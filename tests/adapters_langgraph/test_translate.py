"""`from_langgraph_events` and `stream_graph`: forms, failures, endings, options."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.tools import tool
from langgraph.channels import EphemeralValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.ui import AnyUIMessage, push_ui_message, ui_message_reducer

from assistant_stream_ce import (
    DataChunk,
    DataPartChunk,
    MessageFinishChunk,
    StepFinishChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
    create_run,
)
from assistant_stream_ce._channel import take_ready
from assistant_stream_ce._json import to_json
from assistant_stream_ce.testing import check_stream, collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import _pump, from_langgraph_events, stream_graph
from tests.adapters_langgraph.graphs import CASES, agent, custom_events, human, weather
from tests.adapters_langgraph.runs import FORMS, MODES, Graph, Run, call, play, usage, values_of

CONFIG = {"configurable": {"thread_id": "1"}}


async def failing_run(stream: Any, initial_state: Any = None) -> tuple[Run, Exception]:
    """The chunks of a run that fails, and its error."""
    chunks: list[Any] = []
    with pytest.raises(Exception) as caught:
        async for chunk in stream:
            chunks.append(chunk)
    check_stream(chunks, initial_state=initial_state)
    assert isinstance(caught.value, Exception)
    return Run(chunks, initial_state), caught.value


class TestForms:
    @pytest.mark.parametrize("events", [None, 3, "text", b"bytes", {"a": 1}, object()])
    def test_what_is_no_stream_is_a_type_error_that_says_what_is(self, events: Any) -> None:
        with pytest.raises(TypeError, match=r"`events` cannot be a `builtins\..*graph\.astream"):
            from_langgraph_events(events)

    def test_a_graph_or_a_coroutine_in_place_of_a_stream_gets_a_hint(self) -> None:
        graph = agent()
        with pytest.raises(TypeError, match=r"`stream_graph\(graph, input\)`"):
            from_langgraph_events(graph)
        coroutine = graph.ainvoke(human("hello"))
        with pytest.raises(TypeError, match="`ainvoke` gives no stream"):
            from_langgraph_events(coroutine)
        coroutine.close()

    async def test_unknown_events_are_passed_over_with_one_warning(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        events = [7, "word", ("ns", "messages"), ((), "values", {"a": 1}), object()]
        run = await play(events)
        assert run.state == {"a": 1}
        warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
        assert ["unknown event of type `int`" in r.getMessage() for r in warnings] == [True]

    async def test_modes_that_show_nothing_are_known(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        modes: Any = [*MODES, "debug", "checkpoints", "tasks"]
        events = agent().astream(human("hello"), CONFIG, stream_mode=modes, subgraphs=True)
        run = await play(events)
        assert run.parts.text == "Let me see. It is sunny."
        assert caplog.records == []

    @pytest.mark.parametrize("mode", ["values", "updates", "messages", "custom"])
    @pytest.mark.parametrize("subgraphs", [False, True])
    @pytest.mark.parametrize("version", ["v1", "v2"])
    async def test_a_stream_of_one_mode_is_read_whether_it_is_named_or_not(
        self, mode: Any, subgraphs: bool, version: Any
    ) -> None:
        def events() -> Any:
            return custom_events().astream(
                human("hello"), CONFIG, stream_mode=mode, subgraphs=subgraphs, version=version
            )

        named = await play(events(), stream_mode=None if version == "v2" else mode)
        if mode == "custom":
            assert [part.name for part in named.parts.data] == ["progress", "progress", "custom"]
        else:
            assert named.parts.text == "Worked."
            guessed = await play(events())
            assert guessed.parts.text == "Worked."

    async def test_a_bare_dict_is_taken_for_what_it_looks_like(self) -> None:
        assert (await play([{"a": 1, "b": {"c": 2}}])).state == {"a": 1, "b": {"c": 2}}
        assert (await play([{"node": {"a": 1}}])).state == {"a": 1}
        assert (await play([{"node": None}, {"other": {"b": 1}}])).state == {"b": 1}
        assert (await play([{"a": {"b": 1}}], stream_mode="values")).state == {"a": {"b": 1}}

    async def test_messages_of_a_model_alone_are_parts(self) -> None:
        model = ScriptedChatModel(turns=[["Just ", "a model.", usage(3, 2)]])
        run = await play(model.astream("hello"))
        assert run.parts.text == "Just a model."
        assert run.parts.finish == MessageFinishChunk("stop", 3, 2)

    async def test_a_functional_graph_is_read_too(self) -> None:
        model = ScriptedChatModel(turns=["from a task"])

        @task
        async def ask(text: str) -> Any:
            return await model.ainvoke(text)

        @entrypoint(checkpointer=InMemorySaver())
        async def flow(text: str) -> Any:
            answer = await ask(text)
            return {"answer": answer.content, "size": len(answer.content)}

        for form in ("tuples", "v2"):
            model._played = 0
            config = {"configurable": {"thread_id": form}}
            run = await play(FORMS[form](flow, "hello", config))
            assert run.parts.text == "from a task"
            assert run.state == {"answer": "from a task", "size": 11}


class TestSyncStreams:
    @pytest.mark.parametrize("mode", [[*MODES], "values"])
    async def test_a_sync_stream_gives_the_same(self, mode: Any) -> None:
        graph = agent()
        events = graph.stream(human("hello"), CONFIG, stream_mode=mode)
        run = await play(events, parts=False)
        assert run.state == to_json(graph.get_state(CONFIG).values)  # type: ignore[arg-type]

    async def test_recorded_events_can_be_played_again(self) -> None:
        events = [e async for e in FORMS["tuples"](agent(), human("hello"), CONFIG)]  # type: ignore[union-attr]
        first, second = await play(events), await play(tuple(events))
        assert first.chunks == second.chunks

    async def test_a_sync_stream_does_not_block_the_event_loop(self) -> None:
        def slow() -> Iterator[Any]:
            for number in range(3):
                time.sleep(0.05)
                yield ((), "values", {"n": number})

        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.005)
                ticks += 1

        ticking = asyncio.create_task(tick())
        await play(slow())
        ticking.cancel()
        assert ticks > 5

    async def test_a_sync_generator_is_closed_also_while_a_thread_is_in_it(self) -> None:
        inside, closed, go_on = threading.Event(), threading.Event(), threading.Event()

        def events() -> Iterator[Any]:
            try:
                yield ((), "values", {"n": 1})
                inside.set()
                go_on.wait(5)
                yield ((), "values", {"n": 2})
            finally:
                closed.set()

        stream = from_langgraph_events(events())
        assert isinstance(await anext(stream), UpdateStateChunk)
        await asyncio.to_thread(inside.wait, 5)
        await stream.aclose()
        go_on.set()
        assert await asyncio.to_thread(closed.wait, 5)

        closed.clear()
        inside.clear()
        go_on.clear()
        threading.Timer(0.01, go_on.set).start()
        await collect(from_langgraph_events(events()))
        assert closed.is_set()

    async def test_an_error_in_a_sync_stream_is_raised(self) -> None:
        def events() -> Iterator[Any]:
            yield ((), "values", {"n": 1})
            raise ValueError("broken")

        run, error = await failing_run(from_langgraph_events(events()))
        assert run.state == {"n": 1}
        assert str(error) == "broken"


class TestFailures:
    async def test_a_graph_that_raises_leaves_nothing_open_and_no_finish(self) -> None:
        model = ScriptedChatModel(
            turns=[["Working", call("weather", '{"ci', "call_1"), RuntimeError("gone")]]
        )
        graph = create_agent(model, tools=[weather], checkpointer=InMemorySaver())
        run, error = await failing_run(stream_graph(graph, human("hello"), CONFIG))
        assert str(error) == "gone"
        assert run.parts.text == "Working"
        assert run.parts.calls["call_1"].is_error
        assert run.parts.finish is None
        assert run.chunks[-1].type == "step-finish"

    async def test_a_tool_that_raises_fails_its_call_and_then_the_run(self) -> None:
        @tool
        def explode(reason: str) -> str:
            """Explode."""
            raise ValueError(reason)

        turn = [call("explode", '{"reason": "boom"}', "call_1"), call("weather", "{}", "call_2", 1)]
        model = ScriptedChatModel(turns=[turn])
        graph = create_agent(model, tools=[explode, weather], checkpointer=InMemorySaver())
        run, error = await failing_run(stream_graph(graph, human("hello"), CONFIG))
        assert "boom" in str(error)
        result = run.parts.calls["call_1"].result
        assert run.parts.calls["call_1"].is_error
        assert "boom" not in str(result), "what the client is told says nothing internal"

    async def test_the_state_before_a_failure_stays_and_the_next_run_corrects_it(self) -> None:
        model = ScriptedChatModel(turns=[["Half an ", RuntimeError("gone")], "A whole answer."])
        graph = create_agent(model, tools=[], checkpointer=InMemorySaver())
        stream = stream_graph(graph, human("hello"), CONFIG, parts=False)
        failed, _ = await failing_run(stream)
        assert failed.state["messages"][-1]["content"] == "Half an "
        stream = stream_graph(
            graph, human("again"), CONFIG, parts=False, initial_state=failed.state
        )
        run = Run(await collect(stream), failed.state)
        assert run.state == await values_of(graph, CONFIG)

    async def test_the_recursion_limit_is_such_an_error(self) -> None:
        turn = [call("weather", '{"city": "Oslo"}', "call")]
        model = ScriptedChatModel(turns=[turn], cycle=True)
        graph = create_agent(model, tools=[weather])
        stream = stream_graph(graph, human("hello"), {"recursion_limit": 4})
        run, error = await failing_run(stream)
        assert isinstance(error, GraphRecursionError)
        assert run.parts.finish is None

    async def test_a_run_that_forwards_a_failing_graph_says_the_error_once(self) -> None:
        model = ScriptedChatModel(turns=[["Half", RuntimeError("gone")]])
        graph = create_agent(model, tools=[])

        async def run(controller: Any) -> None:
            await controller.forward(stream_graph(graph, human("hello")))

        result, _ = await failing_run(create_run(run))
        assert [c.error for c in result.chunks if c.type == "error"] == ["gone"]

    async def test_a_channel_without_json_form_is_left_out_with_one_warning(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        events = [((), "values", {"ok": n, "bad": print}) for n in range(3)]
        run = await play(events)
        assert run.state == {"ok": 2}
        assert [("`bad`" in r.getMessage()) for r in caplog.records] == [True]


class TestClosing:
    @pytest.mark.parametrize("nested", [False, True])
    async def test_closing_the_stream_ends_the_graph(self, nested: bool) -> None:
        ended: list[str] = []

        async def wait(state: MessagesState) -> Any:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append("node")

        inner = StateGraph(MessagesState)
        inner.add_node("wait", wait)
        inner.add_edge(START, "wait")
        graph: Graph = inner.compile()
        if nested:
            builder = StateGraph(MessagesState)
            builder.add_node("inner", graph)
            builder.add_edge(START, "inner")
            graph = builder.compile()
        stream = stream_graph(graph, human("hello"), parts=False)
        assert isinstance(await anext(stream), UpdateStateChunk)
        await asyncio.sleep(0.01)
        await stream.aclose()
        assert ended == ["node"]

    async def test_a_cancelled_reader_ends_the_graph_before_it_is_gone(self) -> None:
        ended = asyncio.Event()

        async def events() -> AsyncIterator[Any]:
            try:
                yield ((), "values", {"a": 1})
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.01)
                ended.set()

        async def read() -> None:
            async for _ in from_langgraph_events(events()):
                reading.set()

        reading = asyncio.Event()
        reader = asyncio.create_task(read())
        await reading.wait()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await asyncio.sleep(0.05)
        assert ended.is_set()

    async def test_a_graph_that_swallows_its_cancellation_is_cancelled_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_pump, "CANCEL_AGAIN", 0.01)
        refusals = 3

        async def events() -> AsyncIterator[Any]:
            nonlocal refusals
            yield ((), "values", {"a": 1})
            while refusals:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    refusals -= 1

        stream = from_langgraph_events(events())
        await anext(stream)
        await stream.aclose()
        assert refusals == 0

    async def test_a_stream_that_is_never_read_starts_nothing(self) -> None:
        started = False

        async def events() -> AsyncIterator[Any]:
            nonlocal started
            started = True
            yield ((), "values", {})

        stream = from_langgraph_events(events())
        await asyncio.sleep(0)
        await stream.aclose()
        assert not started

    async def test_the_error_of_a_graph_whose_reader_has_gone_is_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def events() -> AsyncIterator[Any]:
            try:
                yield ((), "values", {"a": 1})
                await asyncio.sleep(60)
            finally:
                raise ValueError("while ending")

        stream = from_langgraph_events(events())
        await anext(stream)
        await stream.aclose()
        assert "while ending" in caplog.text


class TestBursts:
    async def test_what_is_ready_together_can_be_taken_together(self) -> None:
        events = [e async for e in FORMS["tuples"](agent(), human("hello"), CONFIG)]  # type: ignore[union-attr]
        stream = from_langgraph_events(events)
        await anext(stream)
        ready = take_ready(stream)
        assert isinstance(ready[-1], MessageFinishChunk)

    async def test_a_reader_that_lags_finds_text_melted_together(self) -> None:
        chunks = [AIMessageChunk(content="word ", id="m") for _ in range(5000)]
        stream = from_langgraph_events([((), "messages", (c, {})) for c in chunks])
        await anext(stream)
        ready = take_ready(stream)
        assert len(ready) < 200
        text = "".join(c.text_delta for c in ready if isinstance(c, TextDeltaChunk))
        assert text == "word " * 5000

    async def test_state_operations_of_a_burst_are_one_chunk(self) -> None:
        chunks = [AIMessageChunk(content="word ", id="m") for _ in range(50)]
        run = await play([((), "messages", (c, {})) for c in chunks], parts=False)
        assert len(run.chunks) == 1
        assert run.state["messages"][0]["content"] == "word " * 50


class TestSteps:
    async def test_a_run_is_one_step_with_the_usage_of_all_model_calls(self) -> None:
        """A client counts steps, and refuses a frontend tool's continuation after two."""
        run = await play(FORMS["tuples"](agent(), human("hello"), CONFIG))
        steps = [c for c in run.chunks if isinstance(c, (StepStartChunk, StepFinishChunk))]
        assert [type(c) for c in steps] == [StepStartChunk, StepFinishChunk]
        assert steps[-1] == StepFinishChunk("stop", 30, 8)
        assert run.parts.finish == MessageFinishChunk("stop", 30, 8)

    async def test_every_model_call_can_be_a_step(self) -> None:
        run = await play(FORMS["tuples"](agent(), human("hello"), CONFIG), steps="model")
        steps = [c for c in run.chunks if isinstance(c, StepFinishChunk)]
        assert steps == [StepFinishChunk("tool-calls", 10, 5), StepFinishChunk("unknown", 20, 3)]
        assert run.parts.finish == MessageFinishChunk("stop", 30, 8)

    async def test_a_graph_without_a_model_call_has_no_step(self) -> None:
        builder = StateGraph(MessagesState)
        builder.add_node("quiet", lambda state: None)
        builder.add_edge(START, "quiet")
        run = await play(FORMS["tuples"](builder.compile(), human("hello"), None))
        assert run.chunks == [MessageFinishChunk("stop")]

    async def test_a_model_that_was_cut_off_says_so(self) -> None:
        last = AIMessageChunk(content="", response_metadata={"finish_reason": "length"})
        model = ScriptedChatModel(turns=[["Too lo", last]])
        run = await play(FORMS["tuples"](create_agent(model, tools=[]), human("hello"), None))
        assert run.parts.finish == MessageFinishChunk("length")


class TestState:
    async def test_parts_come_with_every_channel_but_messages(self) -> None:
        graph = CASES["fan out"].build()
        run = await play(FORMS["tuples"](graph, human("hello"), CONFIG))
        truth = await values_of(graph, CONFIG)
        del truth["messages"]
        assert run.state == truth

    async def test_only_the_named_channels_are_mirrored(self) -> None:
        graph = CASES["fan out"].build()
        run = await play(FORMS["tuples"](graph, human("hello"), CONFIG), state=["count"])
        assert run.state == {"count": 112}
        graph = CASES["fan out"].build()
        events = FORMS["tuples"](graph, human("hello"), CONFIG)
        run = await play(events, parts=False, state={"messages"})
        assert run.state == {"messages": (await values_of(graph, CONFIG))["messages"]}

    async def test_nothing_is_mirrored_when_nothing_is_asked_for(self) -> None:
        run = await play(FORMS["tuples"](agent(), human("hello"), CONFIG), state=False)
        assert run.operations == []
        run = await play(FORMS["tuples"](agent(), human("x"), CONFIG), state=False, parts=False)
        assert run.chunks == []

    async def test_keys_of_the_client_are_left_alone(self) -> None:
        events = [((), "values", {"n": 1}), ((), "values", {"n": 2})]
        run = await play(events, initial_state={"mine": [1], "n": 1})
        assert run.operations == [{"type": "set", "path": ["n"], "value": 2}]
        assert run.state == {"mine": [1], "n": 2}

    @pytest.mark.parametrize("initial", [[], "text", 7, False])
    async def test_a_client_whose_state_is_no_object_gets_one(self, initial: Any) -> None:
        run = await play([((), "values", {"n": 1})], initial_state=initial)
        assert run.state == {"n": 1}
        chunk = AIMessageChunk(content="hi", id="m")
        run = await play([((), "messages", (chunk, {}))], initial_state=initial, parts=False)
        assert run.state["messages"][0]["content"] == "hi"

    @pytest.mark.parametrize(
        "messages", [None, "text", {}, [1, None], [{"id": {}}, {"type": "ai", "tool_calls": [3]}]]
    )
    async def test_whatever_a_client_says_its_messages_are_the_graphs_in_the_end(
        self, messages: Any
    ) -> None:
        graph = agent()
        shown = {"messages": messages}
        run = await play(
            FORMS["tuples"](graph, human("hello"), CONFIG), parts=False, initial_state=shown
        )
        assert run.state == await values_of(graph, CONFIG)
        run = await play(FORMS["tuples"](agent(), human("hello"), CONFIG), initial_state=shown)
        assert run.parts.text == "Let me see. It is sunny."

    async def test_the_first_write_holds_the_users_message(self) -> None:
        """The client shows its own copy of it until the state changes for the first time."""
        run = await play(FORMS["tuples"](agent(), human("hello"), CONFIG), parts=False)
        assert run.operations[0]["path"] == ["messages"]
        assert run.operations[0]["value"][0]["content"] == "hello"

    async def test_a_channel_that_empties_itself_is_gone_from_the_state(self) -> None:
        class Passing(TypedDict):
            note: Annotated[str, EphemeralValue]
            kept: str

        builder = StateGraph(Passing)
        builder.add_node("one", lambda state: {"note": "now", "kept": "a"})
        builder.add_node("two", lambda state: {"kept": "b"})
        builder.add_edge(START, "one")
        builder.add_edge("one", "two")
        graph = builder.compile(checkpointer=InMemorySaver())
        events = FORMS["tuples"](graph, {"kept": ""}, CONFIG)
        run = await play(events, initial_state={"mine": 1})
        assert {"note": "now", "kept": "a", "mine": 1} in run.states
        assert run.state == {"kept": "b", "mine": 1}

    async def test_what_is_handed_out_is_no_part_of_the_mirror(self) -> None:
        """A chunk that waits while the mirror goes on must not change."""
        first = AIMessageChunk(content="a", id="m")
        second = AIMessageChunk(content="b", id="m")
        events = [
            ((), "values", {"x": {"deep": [1]}, "messages": [HumanMessage("q", id="h")]}),
            ((), "messages", (first, {})),
            ((), "messages", (second, {})),
            ((), "values", {"x": {"deep": [1, 2]}, "messages": [HumanMessage("q", id="h")]}),
        ]
        run = await play(events, parts=False)
        before = to_json(run.operations)
        for operation in run.operations:
            if isinstance(operation["value"], dict):
                operation["value"].clear()
        assert before != to_json(run.operations)
        assert (await play(events, parts=False)).operations == before


class TestCustomEvents:
    async def test_custom_events_are_named_data_parts_updatable_by_id(self) -> None:
        run = await play(FORMS["tuples"](custom_events(), human("hello"), CONFIG))
        assert run.parts.data == [
            DataPartChunk("progress", {"type": "progress", "id": "p1", "done": 1}, "p1"),
            DataPartChunk("progress", {"type": "progress", "id": "p1", "done": 2}, "p1"),
            DataPartChunk("custom", "just a word"),
        ]

    async def test_without_parts_they_are_data(self) -> None:
        run = await play(FORMS["tuples"](custom_events(), human("hello"), CONFIG), parts=False)
        data = [c.data for c in run.chunks if isinstance(c, DataChunk)]
        assert data[0] == {"type": "progress", "id": "p1", "done": 1}
        assert data[2] == "just a word"

    async def test_ui_messages_are_parts_with_their_name_and_props_and_state(self) -> None:
        class WithUI(MessagesState):
            ui: Annotated[list[AnyUIMessage], ui_message_reducer]

        def show(state: WithUI) -> Any:
            answer = AIMessage("Look.", id="m1")
            push_ui_message("chart", {"x": 1}, id="u1", message=answer)
            return {"messages": [answer]}

        builder = StateGraph(WithUI)
        builder.add_node("show", show)
        builder.add_edge(START, "show")
        graph = builder.compile(checkpointer=InMemorySaver())
        run = await play(FORMS["tuples"](graph, human("hello"), CONFIG))
        assert run.parts.data == [DataPartChunk("chart", {"x": 1}, "u1")]
        assert run.state["ui"][0]["name"] == "chart"

    async def test_a_custom_event_without_json_form_is_passed_over(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        run = await play([((), "custom", print), ((), "custom", {"name": "n", "data": 1})])
        assert run.parts.data == [DataPartChunk("n", 1)]
        assert "custom event" in caplog.text


class TestStreamGraph:
    async def test_it_runs_the_graph_with_what_it_is_given(self) -> None:
        seen: list[Any] = []

        def node(state: MessagesState, runtime: Any) -> Any:
            seen.append(runtime.context)
            return {"messages": [AIMessage("Hi.")]}

        from langgraph.runtime import Runtime

        node.__annotations__["runtime"] = Runtime
        builder = StateGraph(MessagesState, context_schema=dict)
        builder.add_node("node", node)
        builder.add_edge(START, "node")
        graph = builder.compile(checkpointer=InMemorySaver())
        stream = stream_graph(
            graph, human("hello"), CONFIG, context={"user": "Ada"}, durability="exit"
        )
        assert [c.type for c in await collect(stream)][-1] == "message-finish"
        assert seen == [{"user": "Ada"}]

    async def test_tool_results_of_any_kind_are_results(self) -> None:
        @tool
        def listing() -> list[Any]:
            """List."""
            return [{"a": 1}, 2]

        model = ScriptedChatModel(turns=[[call("listing", "", "call_1")], "Done."])
        graph = create_agent(model, tools=[listing])
        run = Run(await collect(stream_graph(graph, human("hello"))))
        results = [c for c in run.chunks if isinstance(c, ToolResultChunk)]
        assert len(results) == 1
        assert not results[0].is_error
