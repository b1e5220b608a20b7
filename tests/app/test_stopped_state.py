"""A run that is stopped at any moment leaves the page with what the thread has."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import asyncio
import operator
from collections.abc import Sequence
from typing import Annotated, Any

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

from assistant_stream_ce import RunController, create_run
from assistant_stream_ce.chunks import AssistantStreamChunk, UpdateStateChunk
from assistant_stream_ce.state import apply_operations
from assistant_stream_langgraph._graph_run import GraphRun
from assistant_stream_langgraph._translator import GraphTranslator
from assistant_stream_langgraph._turn import Turn
from assistant_stream_langgraph.events import GraphEvent


class Counted(MessagesState):
    count: Annotated[int, operator.add]
    third: str


async def step(state: Counted) -> dict[str, Any]:
    return {"count": 1, "third": "done"} if state["count"] == 2 else {"count": 1}


class Stopping(GraphTranslator):
    """Has the run stopped while it tells of the third step."""

    task: asyncio.Task[Any]

    def feed(self, event: GraphEvent) -> Sequence[AssistantStreamChunk]:
        chunks = super().feed(event)
        if event[1] == "values" and event[2].get("count") == 3:
            self.task.cancel()
        return chunks


async def test_what_was_told_in_the_moment_of_the_stop_is_not_lost() -> None:
    builder = StateGraph(Counted)
    builder.add_node("step", step)
    builder.add_edge(START, "step")
    builder.add_conditional_edges("step", lambda state: END if state["count"] > 9 else "step")
    graph: Any = builder.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    translator = Stopping(
        parts=False,
        state=True,
        initial_state=None,
        steps="run",
        nested="parts",
        interrupts_key="interrupts",
        visibility=None,
        predict=None,
    )
    turn = Turn(config, {"messages": [HumanMessage("Count", id="h")]})

    async def run(controller: RunController) -> None:
        task = asyncio.current_task()
        assert task is not None
        translator.task = task
        await GraphRun(graph, turn, config, translator)(controller)

    shown: Any = None
    async for chunk in create_run(run, cancel_grace=0):
        if isinstance(chunk, UpdateStateChunk):
            shown = apply_operations(shown, chunk.operations)

    values = (await graph.aget_state(config)).values
    assert values["third"] == "done"
    assert {**shown, "messages": None} == {**values, "messages": None}
    assert [message["id"] for message in shown["messages"]] == ["h"]
