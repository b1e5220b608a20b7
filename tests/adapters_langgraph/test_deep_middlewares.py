"""The middlewares of `deepagents` at work: the client shows the agent's messages, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from deepagents import create_deep_agent
from deepagents.backends import StateBackend
from deepagents.middleware import (
    FilesystemMiddleware,
    FilesystemPermission,
    MemoryMiddleware,
    RubricMiddleware,
    SkillsMiddleware,
    SummarizationMiddleware,
    SummarizationToolMiddleware,
    UnsupportedContentMiddleware,
)
from deepagents.middleware.patch_tool_calls import PatchToolCallsMiddleware
from langchain_core.messages import AIMessage, HumanMessage, ToolCall
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langgraph.graphs import weather
from tests.adapters_langgraph.random_stage import Spoken
from tests.adapters_langgraph.runs import Graph, call
from tests.adapters_langgraph.zoo import CONFIG, Zoo, agent, calls, forms, results, text_of


def deep(turns: Sequence[Any], tools: Sequence[Any] = (), **options: Any) -> Graph:
    model = ScriptedChatModel(turns=turns)
    graph: Graph = create_deep_agent(model, [*tools], checkpointer=InMemorySaver(), **options)
    return graph


def write(call_id: str, path: str, content: str) -> Any:
    return calls("write_file", call_id, file_path=path, content=content)


@forms
async def test_files_are_state(form: str) -> None:
    turns = [
        ["A note. ", *write("f1", "/a.md", "one"), call("ls", '{"path": "/"}', "f2", 1)],
        calls("edit_file", "f3", file_path="/a.md", old_string="one", new_string="two"),
        calls("read_file", "f4", file_path="/a.md"),
        "Done.",
    ]
    zoo = Zoo(deep(turns), form, "files")
    run = await zoo.say()
    assert text_of(run) == "A note. Done."
    assert "two" in results(run)["f4"]
    assert "two" in str(run.state["files"]["/a.md"])


@forms
async def test_a_result_that_is_too_long_is_a_file(form: str) -> None:
    @tool
    def rows() -> str:
        """Give rows."""
        return "\n".join(f"row {number}" for number in range(100))

    files = FilesystemMiddleware(backend=StateBackend(), tool_token_limit_before_evict=50)
    graph = agent([["Rows. ", *calls("rows", "r1")], "Many."], [rows], [files])
    run = await Zoo(graph, form, "files").say()
    assert "too large" in results(run)["r1"]
    assert "row 50" not in results(run)["r1"]
    assert "row 50" in str(run.state["files"])


def helper(name: str, **options: Any) -> dict[str, Any]:
    """A sub-agent that looks at the weather."""

    def turn(messages: list[Any]) -> Any:
        [*_, topic] = next(m.text for m in reversed(messages) if m.type == "human").split()
        if messages[-1].type == "tool" and messages[-1].name == "weather":
            return [f"{topic} ", "done"]
        return ["on ", f"{topic}. ", *calls("weather", f"inner_{topic}", city="Oslo")]

    return {
        "name": name,
        "description": "Helps.",
        "system_prompt": "You help.",
        "tools": [weather],
        "model": ScriptedChatModel(turns=[turn], cycle=True),
        **options,
    }


def ask(name: str, *topics: str) -> Any:
    asked = [calls("task", t, description=t, subagent_type=name)[0] for t in topics]
    for index, piece in enumerate(asked):
        piece.tool_call_chunks[0]["index"] = index
    return asked


def helped(*topics: str) -> list[Spoken]:
    """What sub-agents say, each in its call."""
    made = [[ToolCall(name="weather", args={"city": "Oslo"}, id=f"inner_{t}")] for t in topics]
    said = [AIMessage(f"on {t}. ", tool_calls=c) for t, c in zip(topics, made, strict=True)]
    said += [AIMessage(f"{topic} done") for topic in topics]
    return [
        Spoken(m, parent_id=t, owner="by task", agent=True, depth=1, kept=False, beside=True)
        for m, t in zip(said, (*topics, *topics), strict=True)
    ]


@forms
async def test_sub_agents_side_by_side_stand_in_their_calls(form: str) -> None:
    turns = [["Asking. ", *ask("helper", "bees", "ants")], "Fine."]
    run = await Zoo(deep(turns, subagents=[helper("helper")]), form, "files").say(
        spoken=helped("bees", "ants")
    )
    assert text_of(run) == "Asking. Fine."
    assert results(run)["bees"] == "bees done"
    assert results(run)["ants"] == "ants done"


@forms
@pytest.mark.filterwarnings("ignore:The feature `forked subagents` is in beta")
async def test_a_sub_agent_that_knows_the_conversation_stands_in_its_call(form: str) -> None:
    turns = [["Asking. ", *ask("helper", "bees")], "Fine."]
    graph = deep(turns, subagents=[helper("helper", mode="fork")])
    run = await Zoo(graph, form).say(spoken=helped("bees"))
    assert text_of(run) == "Asking. Fine."
    assert results(run)["bees"] == "bees done"


@forms
async def test_a_person_is_asked_in_a_sub_agent(form: str) -> None:
    turns = [["Asking. ", *ask("helper", "bees")], "Fine."]
    careful = helper("helper", interrupt_on={"weather": True})
    zoo = Zoo(deep(turns, subagents=[careful]), form)
    first, last = helped("bees")
    run = await zoo.say(spoken=[first])
    [waiting] = run.interrupts
    answer = Command(resume={waiting.id: {"decisions": [{"type": "approve"}]}})
    run = await zoo.say(answer, spoken=[last])
    assert text_of(run).endswith("Fine.")


@forms
async def test_two_sub_agents_ask_and_are_answered_one_by_one(form: str) -> None:
    turns = [["Asking. ", *ask("helper", "bees", "ants")], "Fine."]
    careful = helper("helper", interrupt_on={"weather": True})
    zoo = Zoo(deep(turns, subagents=[careful]), form)
    said = helped("bees", "ants")
    run = await zoo.say(spoken=said[:2])
    first, second = run.interrupts
    yes = {"decisions": [{"type": "approve"}]}
    run = await zoo.say(Command(resume={first.id: yes}), spoken=said[2:])
    assert [waiting.id for waiting in run.interrupts] == [second.id]
    run = await zoo.say(Command(resume={second.id: yes}), spoken=said[2:])
    assert text_of(run).endswith("Fine.")


@forms
async def test_a_person_is_asked_before_a_file_is_written(form: str) -> None:
    guarded = FilesystemPermission(operations=["write"], paths=["/**"], mode="interrupt")
    turns = [["A note. ", *write("f1", "/a.md", "one")], "Done."]
    zoo = Zoo(deep(turns, permissions=[guarded]), form, "files")
    [waiting] = (await zoo.say()).interrupts
    answer = Command(resume={waiting.id: {"decisions": [{"type": "approve"}]}})
    run = await zoo.say(answer)
    assert text_of(run) == "Done."
    assert "/a.md" in run.state["files"]


@forms
async def test_memories_and_skills_are_for_the_model(form: str) -> None:
    backend = StateBackend()
    skill = "---\nname: sun\ndescription: On the sun.\n---\nLook up."
    files = {
        "/AGENTS.md": {"content": "Be kind.", "encoding": "utf-8"},
        "/skills/sun/SKILL.md": {"content": skill, "encoding": "utf-8"},
    }
    middleware = [
        FilesystemMiddleware(backend=backend),
        MemoryMiddleware(backend=backend, sources=["/AGENTS.md"]),
        SkillsMiddleware(backend=backend, sources=["/skills/"]),
    ]
    model = ScriptedChatModel(turns=["Hello."])
    zoo = Zoo(agent(model, [], middleware), form, "files", "skills_metadata", "memory_contents")
    run = await zoo.say({"messages": [HumanMessage("hello", id="h")], "files": files})
    assert text_of(run) == "Hello."
    assert "Be kind." in str(model.calls[0])
    assert "On the sun." in str(model.calls[0])
    assert run.state["skills_metadata"][0]["name"] == "sun"


def verdict(call_id: str, *, good: bool) -> Any:
    criterion = {"name": "It is long.", "passed": good, **({} if good else {"gap": "Too short."})}
    return calls(
        "GraderResponse",
        call_id,
        result="satisfied" if good else "needs_revision",
        explanation="So it is.",
        criteria=[criterion],
    )


def judged(state: Any) -> list[Any]:
    """What the middleware tells of each verdict."""
    about = ("result", "explanation", "criteria", "unverified")
    events = []
    for made in state["_rubric_evaluations"]:
        where = {key: made[key] for key in ("grading_run_id", "iteration")}
        events.append({"type": "rubric_evaluation_start", **where})
        told = {key: made[key] for key in about}
        events.append({"type": "rubric_evaluation_end", **where, **told})
    return events


@forms
@pytest.mark.filterwarnings("ignore:The middleware `RubricMiddleware` is in beta")
async def test_a_judge_is_not_heard_when_it_asks_for_more(form: str) -> None:
    judge = ScriptedChatModel(
        turns=[["Hm. ", *verdict("v1", good=False)], verdict("v2", good=True)]
    )
    rubric = RubricMiddleware(model=judge)
    zoo = Zoo(agent(["Short. ", "Long."], middleware=[rubric]), form, "rubric")
    given = {"messages": [HumanMessage("hello", id="h")], "rubric": "Long."}
    run = await zoo.say(given, told=judged)
    assert text_of(run) == "Short. Long."
    assert not results(run)


def summing_up(**options: Any) -> SummarizationMiddleware:
    quiet = ScriptedChatModel(turns=[["secret ", "summary"]], cycle=True)
    return SummarizationMiddleware(
        quiet, backend=StateBackend(), trigger=("messages", 3), keep=("messages", 1), **options
    )


@forms
async def test_a_summary_is_for_the_model_alone(form: str) -> None:
    model = ScriptedChatModel(turns=["One.", ["Two. ", *calls("weather", "w1", city="Rome")], "3."])
    files = FilesystemMiddleware(backend=StateBackend())
    zoo = Zoo(agent(model, [weather], [files, summing_up()]), form, "files")
    await zoo.say()
    run = await zoo.say("again")
    assert text_of(run) == "Two. 3."
    assert "secret summary" in str(model.calls[1])
    assert [m["type"] for m in run.state["messages"]] == [
        "human",
        "ai",
        "human",
        "ai",
        "tool",
        "ai",
    ]


@forms
async def test_a_summary_that_the_agent_asks_for_is_not_heard(form: str) -> None:
    files = FilesystemMiddleware(backend=StateBackend())
    turns = ["One.", ["Wait. ", *calls("compact_conversation", "c1")], "Now."]
    compact = SummarizationToolMiddleware(summing_up())
    zoo = Zoo(agent(turns, middleware=[files, compact]), form)
    await zoo.say()
    run = await zoo.say("again")
    assert text_of(run) == "Wait. Now."
    assert "compacted" in results(run)["c1"]


@forms
async def test_a_call_that_was_left_is_answered_in_the_state(form: str) -> None:
    """Its results belong to an earlier answer, which this one cannot change."""
    graph = agent(["Hello."], [weather], [PatchToolCallsMiddleware()])
    made = ToolCall(name="weather", args={"city": "Rome"}, id="w1")
    left = [HumanMessage("hi", id="h"), AIMessage("See. ", id="a", tool_calls=[made])]
    await graph.aupdate_state(CONFIG, {"messages": left}, as_node="model")
    run = await Zoo(graph, form).say("again")
    assert text_of(run) == "Hello."
    kinds = [message["type"] for message in run.state["messages"]]
    assert kinds == ["human", "ai", "tool", "human", "ai"]


@forms
async def test_what_the_model_cannot_read_stays_in_the_conversation(form: str) -> None:
    model = ScriptedChatModel(turns=["I see."], profile={"image_inputs": False})
    picture = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}
    zoo = Zoo(agent(model, [], [UnsupportedContentMiddleware()]), form)
    given = HumanMessage([picture], id="h")  # type: ignore[list-item]
    run = await zoo.say({"messages": [given]})
    assert text_of(run) == "I see."
    assert "aGk=" not in str(model.calls[0])
    assert "aGk=" in str(run.state["messages"])
