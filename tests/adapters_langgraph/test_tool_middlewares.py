"""The middlewares of LangChain around tools: the client shows what comes of a call in the end."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from langchain.agents.middleware import (
    AutoModeMiddleware,
    FilesystemFileSearchMiddleware,
    HostExecutionPolicy,
    LLMToolEmulator,
    ShellToolMiddleware,
    TodoListMiddleware,
    ToolCallLimitMiddleware,
    ToolErrorMiddleware,
    ToolRetryMiddleware,
)
from langchain.agents.middleware.tool_call_limit import ToolCallLimitExceededError
from langchain_core.messages import AIMessageChunk
from langchain_core.tools import tool

from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langgraph.graphs import weather
from tests.adapters_langgraph.zoo import (
    Decider,
    Zoo,
    agent,
    calls,
    forms,
    results,
    text_of,
)

ROME = calls("weather", "w1", city="Rome")


def todos(call_id: str, **states: str) -> list[AIMessageChunk]:
    items = [{"content": content, "status": status} for content, status in states.items()]
    return calls("write_todos", call_id, todos=items)


@forms
async def test_todos_grow_in_the_state(form: str) -> None:
    turns = [
        ["A plan. ", *todos("t1", cook="pending")],
        todos("t2", cook="completed", eat="in_progress"),
        "Done.",
    ]
    zoo = Zoo(agent(turns, middleware=[TodoListMiddleware()]), form, "todos")
    run = await zoo.say()
    assert text_of(run) == "A plan. Done."
    seen = [(s["metadata"]["unstable_state"] or {}).get("todos") for s in run.snapshots]
    grown = [len(todos or ()) for todos in seen]
    assert grown == sorted(grown)
    if form != "events v2":  # It tells the state before a step: the first list is gone by then.
        assert {*grown} == {0, 1, 2}


@forms
async def test_two_lists_of_todos_at_once_are_both_refused(form: str) -> None:
    turns = [calls("write_todos", "t1", "t2", todos=[]), "One at a time."]
    run = await Zoo(agent(turns, middleware=[TodoListMiddleware()]), form, "todos").say()
    assert all(text.startswith("Error:") for text in results(run).values())
    assert [*results(run)] == ["t1", "t2"]


def failing(times: int) -> Any:
    """A tool that fails the first times."""
    left = [times]

    @tool
    def look(city: str) -> str:
        """Look."""
        left[0] -= 1
        if left[0] >= 0:
            raise ValueError("fog")
        return f"sunny in {city}"

    return look


LOOK = ["I look. ", *calls("look", "l1", "l2", city="Rome")]


@forms
async def test_a_tools_error_is_a_failed_result(form: str) -> None:
    errors = ToolErrorMiddleware(lambda error, request: f"No: {error}")
    run = await Zoo(agent([LOOK, "Oh."], [failing(2)], [errors]), form).say()
    assert {*results(run).values()} == {"No: fog"}


@forms
async def test_a_tool_that_is_tried_again_has_one_result(form: str) -> None:
    again = ToolRetryMiddleware(max_retries=2, initial_delay=0.0, jitter=False)
    run = await Zoo(agent([LOOK, "Oh."], [failing(2)], [again]), form).say()
    assert {*results(run).values()} == {"sunny in Rome"}


@forms
async def test_a_tool_that_fails_every_time_has_a_failed_result(form: str) -> None:
    again = ToolRetryMiddleware(max_retries=1, initial_delay=0.0, jitter=False)
    run = await Zoo(agent([LOOK, "Oh."], [failing(9)], [again]), form).say()
    assert all("failed after 2 attempts" in text for text in results(run).values())


TWICE = calls("weather", "w1", "w2", city="Rome")


@forms
async def test_calls_beyond_the_limit_are_answered_by_the_middleware(form: str) -> None:
    limit = ToolCallLimitMiddleware(run_limit=1)
    run = await Zoo(agent([["Two. ", *TWICE], "One."], [weather], [limit]), form).say()
    assert results(run)["w1"] == "sunny in Rome"
    assert "limit exceeded" in results(run)["w2"]


@forms
async def test_an_agent_that_ends_at_the_limit_says_so(form: str) -> None:
    limit = ToolCallLimitMiddleware(run_limit=1, exit_behavior="end")
    zoo = Zoo(agent([["Two. ", *TWICE], "Back."], [weather], [limit]), form)
    run = await zoo.say()
    assert text_of(run) == "Two. Tool call limit reached: run limit exceeded (2/1 calls)."
    assert "stopped before" in results(run)["w1"]
    assert "limit exceeded" in results(run)["w2"]
    assert text_of(await zoo.say("again")) == "Back."


@forms
async def test_an_agent_that_fails_at_the_limit_leaves_no_call_open(form: str) -> None:
    limit = ToolCallLimitMiddleware(run_limit=1, exit_behavior="error")
    zoo = Zoo(agent([["Two. ", *TWICE]], [weather], [limit]), form)
    run = await zoo.say(fails=ToolCallLimitExceededError)
    assert run.failed
    assert [*results(run)] == ["w1", "w2"]


@forms
async def test_a_call_that_is_too_risky_has_a_failed_result(form: str) -> None:
    decider = Decider(answer={"type": "noul", "noul": 0.9})
    mode = AutoModeMiddleware(tools=[weather], classifier=decider)
    run = await Zoo(agent([["See. ", *ROME], "No."], [weather], [mode]), form).say()
    assert "sunny" not in results(run)["w1"]


@forms
async def test_the_model_that_plays_a_tool_is_not_heard(form: str) -> None:
    player = ScriptedChatModel(turns=[["rain", "y"]])
    run = await Zoo(
        agent([["See. ", *ROME], "Wet."], [weather], [LLMToolEmulator(model=player)]), form
    ).say()
    assert text_of(run) == "See. Wet."
    assert "rainy" in str(results(run)["w1"])


@forms
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_shell_is_no_state_of_the_client(form: str, tmp_path: Path) -> None:
    """Its middleware leaves the pipes of the shell to the garbage collector."""
    shell = ShellToolMiddleware(tmp_path, execution_policy=HostExecutionPolicy())
    turns = [["I count. ", *calls("shell", "s1", command="echo $((6 * 7))")], "Done."]
    zoo = Zoo(agent(turns, middleware=[shell]), form, True)
    run = await zoo.say()
    assert results(run)["s1"].strip() == "42"
    assert not run.state
    gc.collect()


@forms
async def test_files_are_searched(form: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("sunny")
    files = FilesystemFileSearchMiddleware(root_path=str(tmp_path), use_ripgrep=False)
    asked = calls("glob_search", "g1", pattern="*.txt") + calls("grep_search", "g2", pattern="sun")
    asked[1].tool_call_chunks[0]["index"] = 1
    run = await Zoo(agent([asked, "Found."], middleware=[files]), form).say()
    assert results(run) == {"g1": "/a.txt", "g2": "/a.txt"}
